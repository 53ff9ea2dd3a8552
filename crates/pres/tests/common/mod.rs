//! What several tests need.

use bytes::Bytes;
use ocs_sip_core::header::{ContentType, HeaderValue};

/// A file of `tests/data`.
macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("data/", $name)).as_slice()
    };
}
pub(crate) use data;

/// Content-Type and body of a `.mime` file or of one of the vectors that begin like it.
#[allow(dead_code, reason = "not every test binary reads such files")]
pub(crate) fn mime(file: &'static [u8]) -> (ContentType<'static>, Bytes) {
    let text = std::str::from_utf8(file).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let value = head.strip_prefix("Content-Type:").unwrap();
    (
        ContentType::parse_value(value.trim()).unwrap(),
        Bytes::from_static(body.as_bytes()),
    )
}
