//! A SIP message: one value for what was received and for what is made here.
//!
//! A parsed message keeps the octets it came in and an index over them; nothing is copied and nothing is
//! allocated per header. Edits go into a second buffer that belongs to the message; lines that were not
//! touched are written out again exactly as they came.

mod accessors;
mod build;
mod check;
mod edit;
mod encode;
mod parse;

use bytes::Bytes;
use bytestring::ByteString;

use crate::{HeaderName, Method};

pub use parse::HeadLength;

/// A range of the message's text: below the length of `source` in it, above in `added`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u32,
    len: u32,
}

impl Span {
    const EMPTY: Self = Self { start: 0, len: 0 };

    fn end(self) -> u32 {
        self.start + self.len
    }
}

/// One header line in the index.
#[derive(Debug, Clone, Copy)]
struct Entry {
    name: HeaderName,
    /// The whole line as written, folds and spaces included, without the closing CRLF.
    line: Span,
    /// How much of `line` is the name's text.
    name_len: u32,
    /// The value, trimmed; of a folded line an unfolded copy.
    value: Span,
}

#[derive(Debug, Clone)]
enum Start {
    Request { method: Method, uri: Span },
    Response { status: u16, reason: Span },
}

/// A SIP request or response (RFC 3261 7).
///
/// Header order, unknown headers, the text of every header (compact forms, case, folding, spaces) and repeated
/// headers survive parsing and [`encode`](Self::encode) unchanged.
///
/// ```
/// use ocs_sip_core::{Limits, Message, Method};
///
/// let text = "OPTIONS sip:bob@contoso.com SIP/2.0\r\n\
///     v: SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK1\r\n\
///     From: \"Alice\" <sip:alice@contoso.com>;tag=1;epid=01010101\r\n\
///     To: <sip:bob@contoso.com>\r\n\
///     Call-ID: a\r\n\
///     CSeq: 1 OPTIONS\r\n\
///     Content-Length: 0\r\n\r\n";
/// let message = Message::parse(text.into(), &Limits::default())?;
/// assert_eq!(message.method(), Some(&Method::Options));
/// assert_eq!(message.from_header()?.epid(), Some("01010101"));
/// assert_eq!(message.to_bytes(), text);
/// # Ok::<(), ocs_sip_core::Error>(())
/// ```
pub struct Message {
    source: ByteString,
    added: String,
    start: Start,
    /// The start line as it came; empty when it was made or changed here.
    start_line: Span,
    entries: Vec<Entry>,
    body: Bytes,
}

impl Clone for Message {
    /// Copies the index and what was added; the octets it came in and the body are shared.
    fn clone(&self) -> Self {
        // A copy is made to be changed on its way on: a Via, a Record-Route, a signature.
        let mut added = String::with_capacity(self.added.len() + EDIT_ROOM);
        added.push_str(&self.added);
        let mut entries = Vec::with_capacity(self.entries.len() + 4);
        entries.extend_from_slice(&self.entries);
        Self {
            source: self.source.clone(),
            added,
            start: self.start.clone(),
            start_line: self.start_line,
            entries,
            body: self.body.clone(),
        }
    }
}

/// Octets for what a hop adds to a message: one allocation serves most.
const EDIT_ROOM: usize = 768;

/// One header as it stands in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// Which header it is.
    pub name: HeaderName,
    /// The name as written.
    pub text: &'a str,
    /// The value, without white space around it and without folds.
    pub value: &'a str,
}

impl std::fmt::Debug for Message {
    /// The start line and the headers that identify the message; credentials and bodies are left out.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("Message");
        match &self.start {
            Start::Request { method, uri } => {
                out.field("method", method).field("uri", &self.text(*uri))
            }
            Start::Response { status, reason } => out
                .field("status", status)
                .field("reason", &self.text(*reason)),
        };
        out.field("call_id", &self.header(HeaderName::CallId))
            .field("cseq", &self.header(HeaderName::CSeq))
            .field("headers", &self.entries.len())
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl PartialEq for Message {
    /// Equal when they are the same on the wire.
    fn eq(&self, other: &Self) -> bool {
        self.to_bytes() == other.to_bytes()
    }
}

impl Eq for Message {}
