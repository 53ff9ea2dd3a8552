//! What can be wrong with what this crate is given.

use ocs_sip_core::mime::MimeError;

use crate::negotiation::Violation;

/// The error of every operation of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The description is not UTF-8.
    #[error("description is not utf-8")]
    NotUtf8,
    /// More octets than [`Limits::octets`](crate::Limits::octets).
    #[error("description is longer than {limit} octets")]
    TooLong {
        /// The bound.
        limit: usize,
    },
    /// More lines than [`Limits::lines`](crate::Limits::lines).
    #[error("description has more than {limit} lines")]
    TooManyLines {
        /// The bound.
        limit: usize,
    },
    /// More `m=` lines than [`Limits::media`](crate::Limits::media).
    #[error("description has more than {limit} media")]
    TooManyMedia {
        /// The bound.
        limit: usize,
    },
    /// More formats in an `m=` line than [`Limits::formats`](crate::Limits::formats).
    #[error("line {line} has more than {limit} formats")]
    TooManyFormats {
        /// The line, from 1.
        line: usize,
        /// The bound.
        limit: usize,
    },
    /// A line that is not `<letter>=<value>`.
    #[error("line {line} is not of the form letter=value")]
    NotALine {
        /// The line, from 1.
        line: usize,
    },
    /// A carriage return inside a line, or a NUL.
    #[error("line {line} holds a control character")]
    ControlCharacter {
        /// The line, from 1.
        line: usize,
    },
    /// `v=` is not 0.
    #[error("protocol version is not 0")]
    Version,
    /// A line that every description must have is missing.
    #[error("description has no {line}= line")]
    MissingLine {
        /// Its letter.
        line: char,
    },
    /// A line or attribute ends before this field.
    #[error("{of} has no {field}")]
    MissingField {
        /// The line, such as `m=`, or the attribute.
        of: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A field is not of the grammar, or out of its range.
    #[error("{field} of {of} is malformed")]
    InvalidField {
        /// The line, such as `m=`, or the attribute.
        of: &'static str,
        /// The field.
        field: &'static str,
    },
    /// An attribute that stands for one value is there twice, with two values.
    #[error("{of} has two values")]
    Contradiction {
        /// The attribute.
        of: &'static str,
    },
    /// The multipart around the descriptions is malformed.
    #[error("multipart: {0}")]
    Mime(#[from] MimeError),
    /// The body is neither a description nor a multipart with one.
    #[error("body has no description")]
    NoDescription,
    /// More descriptions in a body than [`Limits::alternatives`](crate::Limits::alternatives).
    #[error("body has more than {limit} descriptions")]
    TooManyAlternatives {
        /// The bound.
        limit: usize,
    },
    /// An answer that does not fit the offer, or a plan of our own that no peer would accept.
    #[error("stream {stream}: {violation}")]
    Violation {
        /// Index of the `m=` line.
        stream: usize,
        /// What is wrong.
        violation: Violation,
    },
    /// A second answer to one offer is another than the first: all answers of one callee must be the same (\[MS-SDPEXT\] 3.1.5.13).
    #[error("answer is another than the one before")]
    AnswerChanged,
    /// A call that the state of the negotiation does not allow.
    #[error("{operation} is not possible in this state")]
    WrongState {
        /// The call.
        operation: &'static str,
    },
    /// There is no `m=` line of this index.
    #[error("there is no stream {stream}")]
    NoSuchStream {
        /// The index.
        stream: usize,
    },
}
