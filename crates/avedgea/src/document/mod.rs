//! The documents (\[MS-AVEDGEA\] 2.2): `request` and `response`.

mod request;
mod response;
mod values;

pub(crate) use request::check_sip_uri;
pub use request::{CredentialsRequest, Request};
pub use response::{Credentials, CredentialsResponse, MediaRelay, MediaRelayList, Response};
pub use values::{Location, Minutes, ReasonPhrase, Route, Version};

use crate::Error;

/// The namespace of both documents.
pub const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/mrasp";

/// Characters of `max64CharStringType` (2.2.4.8, bound by its name).
const MAX_64: usize = 64;
/// Characters of `hostNameType` (2.2.4.6, bound inferred: that of a DNS name).
const MAX_HOST_NAME: usize = 255;

fn check_length(what: &'static str, text: &str, limit: usize) -> Result<(), Error> {
    // A text of few octets has few characters, and most have few.
    let fits = !text.is_empty() && (text.len() <= limit || text.chars().count() <= limit);
    if fits {
        Ok(())
    } else {
        Err(Error::Length { what, limit })
    }
}
