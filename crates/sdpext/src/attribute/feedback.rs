//! `rtcp-fb` (\[MS-SDPEXT\] 3.1.5.30).

use core::fmt;

use crate::text::{number, put};

/// A feedback message of \[MS-RTP\].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Feedback {
    /// `dsh`: history of the dominant speaker; on audio.
    Dsh,
    /// `src`: video source request; on video.
    Src,
    /// `x-pli`: picture loss indication, extended; on video.
    XPli,
    /// `pli`: the standard one, which is negotiated apart (name inferred).
    Pli,
    /// `cap` (name inferred).
    Cap,
    /// `sli` (name inferred).
    Sli,
    /// `x-gain`, on audio of later products.
    XGain,
}

impl Feedback {
    const ALL: [Self; 7] = [
        Self::Dsh,
        Self::Src,
        Self::XPli,
        Self::Pli,
        Self::Cap,
        Self::Sli,
        Self::XGain,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dsh => "dsh",
            Self::Src => "src",
            Self::XPli => "x-pli",
            Self::Pli => "pli",
            Self::Cap => "cap",
            Self::Sli => "sli",
            Self::XGain => "x-gain",
        }
    }
}

/// A set of feedback messages.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedbackSet(u8);

impl FeedbackSet {
    /// None.
    pub const EMPTY: Self = Self(0);
    /// What clients announce for audio.
    pub const AUDIO: Self = Self::EMPTY.with(Feedback::Dsh);
    /// What clients announce for video.
    pub const VIDEO: Self = Self::EMPTY.with(Feedback::Src).with(Feedback::XPli);

    /// With one more.
    #[must_use]
    pub const fn with(self, feedback: Feedback) -> Self {
        Self(self.0 | 1 << feedback as u8)
    }

    /// Whether it is in the set.
    #[must_use]
    pub const fn contains(self, feedback: Feedback) -> bool {
        self.0 & 1 << feedback as u8 != 0
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is in it.
    pub fn iter(self) -> impl Iterator<Item = Feedback> {
        let all = Feedback::ALL.into_iter();
        all.filter(move |feedback| self.contains(*feedback))
    }

    /// Reads a list; names that nobody knows are passed over.
    fn parse(list: &str) -> Self {
        let mut set = Self::EMPTY;
        for name in list.split(',') {
            let mut all = Feedback::ALL.into_iter();
            if let Some(feedback) = all.find(|f| f.as_str().eq_ignore_ascii_case(name)) {
                set = set.with(feedback);
            }
        }
        set
    }

    fn put(self, out: &mut String) {
        let mut separator = "";
        for feedback in self.iter() {
            put!(out, separator, feedback.as_str());
            separator = ",";
        }
    }
}

impl fmt::Debug for FeedbackSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// `rtcp-fb`: which feedback the writer sends and takes.
///
/// ```text
/// a=rtcp-fb:* x-message app send:src,x-pli recv:src,x-pli
/// ```
///
/// Where it is, `rtcp-rsize` must be too. A message may go one way if its sender lists it behind `send` and its receiver behind `recv`
/// (inferred). Without the attribute neither source requests nor picture loss indications may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RtcpFeedback<'a> {
    /// The form of this system.
    Message {
        /// For which payload type; `*` is all.
        payload_type: Option<u8>,
        /// What the writer sends.
        send: FeedbackSet,
        /// What the writer takes.
        recv: FeedbackSet,
    },
    /// A form of RFC 4585.
    Other(&'a str),
}

impl<'a> RtcpFeedback<'a> {
    pub(crate) fn parse(value: &'a str) -> Self {
        Self::message(value).unwrap_or(Self::Other(value))
    }

    fn message(value: &str) -> Option<Self> {
        let mut fields = value.split_ascii_whitespace();
        let payload_type = match fields.next()? {
            "*" => None,
            text => Some(number("rtcp-fb", "payload type", text).ok()?),
        };
        if fields.next() != Some("x-message") || fields.next() != Some("app") {
            return None;
        }
        let (mut send, mut recv) = (FeedbackSet::EMPTY, FeedbackSet::EMPTY);
        for field in fields {
            match field.split_once(':') {
                Some(("send", list)) => send = FeedbackSet::parse(list),
                Some(("recv", list)) => recv = FeedbackSet::parse(list),
                _ => {}
            }
        }
        Some(Self::Message {
            payload_type,
            send,
            recv,
        })
    }

    pub(crate) fn put(&self, out: &mut String) {
        match *self {
            Self::Message {
                payload_type,
                send,
                recv,
            } => {
                match payload_type {
                    Some(number) => put!(out, number),
                    None => out.push('*'),
                }
                out.push_str(" x-message app");
                for (prefix, set) in [(" send:", send), (" recv:", recv)] {
                    if !set.is_empty() {
                        out.push_str(prefix);
                        set.put(out);
                    }
                }
            }
            Self::Other(text) => out.push_str(text),
        }
    }
}
