//! Which final answer is the best.

use ocs_sip_core::{HeaderName, Message};

/// Order of final answers (RFC 3261 16.7 step 6): 6xx, then the lowest class. Inside 4xx those first that tell the caller how to
/// do better; those last that only say that nobody answered.
pub(super) const fn rank(status: u16) -> u16 {
    match status {
        600.. => 0,
        300..400 => 10,
        401 | 407 | 415 | 420 | 484 => 20,
        404 | 480 => 22,
        408 => 23,
        487 => 24,
        400..500 => 21,
        503 => 31,
        _ => 30,
    }
}

/// A copy with another status and its phrase.
pub(super) fn with_status(response: &Message, status: u16) -> Message {
    let mut copy = Message::response(status);
    for header in response.headers_iter() {
        match header.name {
            HeaderName::ContentType | HeaderName::ContentLength => {}
            HeaderName::Unknown => copy.push_named(header.text, header.value),
            name => copy.push(name, header.value),
        }
    }
    if let Some(content_type) = response.header(HeaderName::ContentType) {
        copy.set_body(content_type, response.body().clone());
    }
    copy
}
