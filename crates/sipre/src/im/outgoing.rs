//! What a session wants sent: requests in its dialog, and answers.

use bytes::Bytes;
use ocs_sip_core::{HeaderName, Message, Method};

use super::TransactionId;

/// Names a request of a session; the caller hands the answer back under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub(super) u64);

/// A request that the caller sends in the dialog of the session. The dialog adds Request-URI, From, To, Call-ID, CSeq,
/// Route, Via, Contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRequest {
    /// Under which the answer is handed back.
    pub id: RequestId,
    /// INVITE, MESSAGE, INFO or BYE.
    pub method: Method,
    /// Headers besides those of the dialog.
    pub headers: Vec<(HeaderName, String)>,
    /// Content-Type and body.
    pub content: Option<(String, Bytes)>,
}

impl SessionRequest {
    /// Puts headers and body onto the message that the dialog made.
    pub fn apply(&self, message: &mut Message) {
        apply(message, &self.headers, self.content.as_ref());
    }
}

/// An answer that the caller sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The transaction that the caller named when it handed the request in.
    pub transaction: TransactionId,
    /// 180 to 699.
    pub status: u16,
    /// Headers besides those that every response has.
    pub headers: Vec<(HeaderName, String)>,
    /// Content-Type and body.
    pub content: Option<(String, Bytes)>,
}

impl Reply {
    /// Puts headers and body onto the response that the caller made of the request.
    pub fn apply(&self, message: &mut Message) {
        apply(message, &self.headers, self.content.as_ref());
    }
}

fn apply(
    message: &mut Message,
    headers: &[(HeaderName, String)],
    content: Option<&(String, Bytes)>,
) {
    for (name, value) in headers {
        message.push(*name, value);
    }
    if let Some((content_type, body)) = content {
        message.set_body(content_type, body.clone());
    }
}
