#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod client;
pub mod document;
mod error;
mod limits;
mod secret;
pub mod server;
pub mod token;

use ocs_sip_core::{Message, Method};

pub use error::Error;
pub use limits::Limits;
pub use secret::{Password, Username};

/// The type of the body of a request and of its answer (\[MS-AVEDGEA\] 3.1.5.1).
pub const CONTENT_TYPE: &str = "application/msrtc-media-relay-auth+xml";

/// Whether a request is one of this protocol: a SERVICE with a body of [`CONTENT_TYPE`].
#[must_use]
pub fn is_credentials_request(request: &Message) -> bool {
    request.method() == Some(&Method::Service) && has_document(request)
}

/// Whether a message has a body of [`CONTENT_TYPE`].
fn has_document(message: &Message) -> bool {
    let content_type = message.content_type().ok().flatten();
    content_type.is_some_and(|content_type| content_type.is(CONTENT_TYPE))
}
