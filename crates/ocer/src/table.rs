//! The table of \[MS-OCER\] 7 and 8: `data/errors.tsv`, read by the compiler. A line that is malformed or out of order does not compile.

use crate::{ErrorId, Kind};

/// What is known of one [`ErrorId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorInfo {
    /// The number.
    pub id: ErrorId,
    /// In which headers it is sent.
    pub carrier: Carrier,
    /// In which messages it is sent.
    pub place: Place,
    /// The status that the rules of SIP give with it, where one does. The specification binds none (inferred throughout).
    pub status: Option<u16>,
    /// How the text is known.
    pub mark: Mark,
    /// What it says to people; `None` where the number is known to exist and its text is not.
    pub reason: Option<&'static str>,
}

/// The headers for a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// ms-diagnostics only: it stays inside.
    Private,
    /// ms-diagnostics-public.
    Public,
    /// ms-diagnostics inside, ms-diagnostics-public to the outside.
    Both,
    /// ms-client-diagnostics.
    Client,
}

impl Carrier {
    /// Whether the number may leave the enterprise.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Public | Self::Both)
    }

    /// The header inside the enterprise.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Private | Self::Both => Kind::Private,
            Self::Public => Kind::Public,
            Self::Client => Kind::Client,
        }
    }
}

/// The messages for a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Final responses.
    Response,
    /// BYE, CANCEL, and the ACK of 5009 to 5011.
    Request,
    /// 101 Progress Report.
    Progress,
    /// The NOTIFY of a registration.
    Notify,
    /// Responses and requests.
    Any,
}

/// How a text is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Read at a source.
    Read,
    /// From memory.
    Recalled,
    /// Worded here after what the number means.
    Inferred,
}

/// All numbers, ascending.
#[must_use]
pub fn all() -> &'static [ErrorInfo] {
    &TABLE
}

/// What is known of a number: a binary search.
#[must_use]
pub fn find(id: ErrorId) -> Option<&'static ErrorInfo> {
    position(id.0).map(|at| &TABLE[at])
}

const TEXT: &[u8] = include_bytes!("../data/errors.tsv");
const COUNT: usize = count_rows(TEXT);
static TABLE: [ErrorInfo; COUNT] = read_rows(TEXT);
/// The numbers alone, for searching: a kilobyte that stays in the cache.
static IDS: [u32; COUNT] = read_ids();

/// Where a number stands in the table. The compiler runs it too.
pub(crate) const fn position(id: u32) -> Option<usize> {
    let (mut low, mut high) = (0, COUNT);
    while low < high {
        let middle = low.midpoint(high);
        if IDS[middle] < id {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if low < COUNT && IDS[low] == id {
        Some(low)
    } else {
        None
    }
}

const fn read_ids() -> [u32; COUNT] {
    let mut ids = [0; COUNT];
    let mut at = 0;
    while at < COUNT {
        ids[at] = TABLE[at].id.0;
        assert!(at == 0 || ids[at - 1] < ids[at], "ids must ascend");
        at += 1;
    }
    ids
}

/// What stands before the first `end`, and what after it.
const fn cut(text: &[u8], end: u8) -> (&[u8], &[u8]) {
    let mut at = 0;
    while at < text.len() {
        if text[at] == end {
            let (before, after) = text.split_at(at);
            return (before, after.split_at(1).1);
        }
        at += 1;
    }
    (text, &[])
}

const fn is_row(line: &[u8]) -> bool {
    !line.is_empty() && line[0] != b'#'
}

const fn count_rows(mut text: &[u8]) -> usize {
    let mut count = 0;
    while !text.is_empty() {
        let (line, rest) = cut(text, b'\n');
        if is_row(line) {
            count += 1;
        }
        text = rest;
    }
    count
}

const fn read_rows(mut text: &'static [u8]) -> [ErrorInfo; COUNT] {
    let empty = ErrorInfo {
        id: ErrorId(0),
        carrier: Carrier::Private,
        place: Place::Any,
        status: None,
        mark: Mark::Read,
        reason: None,
    };
    let mut rows = [empty; COUNT];
    let mut at = 0;
    while !text.is_empty() {
        let (line, rest) = cut(text, b'\n');
        if is_row(line) {
            rows[at] = read_row(line);
            at += 1;
        }
        text = rest;
    }
    rows
}

const fn read_row(line: &'static [u8]) -> ErrorInfo {
    let (id, rest) = cut(line, b'\t');
    let (carrier, rest) = cut(rest, b'\t');
    let (place, rest) = cut(rest, b'\t');
    let (status, rest) = cut(rest, b'\t');
    let (mark, reason) = cut(rest, b'\t');
    ErrorInfo {
        id: ErrorId(number(id)),
        carrier: match carrier {
            b"private" => Carrier::Private,
            b"public" => Carrier::Public,
            b"both" => Carrier::Both,
            b"client" => Carrier::Client,
            _ => panic!("unknown header"),
        },
        place: match place {
            b"response" => Place::Response,
            b"request" => Place::Request,
            b"progress" => Place::Progress,
            b"notify" => Place::Notify,
            b"any" => Place::Any,
            _ => panic!("unknown message"),
        },
        status: match status {
            b"-" => None,
            _ => Some(number(status) as u16),
        },
        mark: match mark {
            b"read" => Mark::Read,
            b"recalled" => Mark::Recalled,
            b"inferred" => Mark::Inferred,
            _ => panic!("unknown mark"),
        },
        reason: match core::str::from_utf8(reason) {
            Ok(reason) if reason.is_empty() => None,
            Ok(reason) => Some(reason),
            Err(_) => panic!("not UTF-8"),
        },
    }
}

const fn number(digits: &[u8]) -> u32 {
    assert!(!digits.is_empty());
    let mut value = 0;
    let mut at = 0;
    while at < digits.len() {
        assert!(digits[at].is_ascii_digit());
        value = value * 10 + (digits[at] - b'0') as u32;
        at += 1;
    }
    value
}
