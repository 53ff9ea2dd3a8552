//! The messages that the layer makes itself.

use std::hash::{DefaultHasher, Hasher};

use crate::{HeaderName, Message, Method};

/// ACK or CANCEL to go with `invite` (RFC 3261 17.1.1.3, 9.1): its Request-URI, top Via, From, Call-ID, CSeq number and Route;
/// `to` in the place of its To.
fn hop_by_hop(invite: &Message, method: Method, to: Option<&str>) -> Message {
    let cseq = invite.cseq().map_or(0, |cseq| cseq.number);
    let cseq = format!("{cseq} {method}");
    let mut out = Message::request(method, invite.request_uri().unwrap_or_default());
    if let Some(via) = invite.values(HeaderName::Via).next() {
        out.push(HeaderName::Via, via);
    }
    for route in invite.lines(HeaderName::Route) {
        out.push(HeaderName::Route, route);
    }
    out.push(HeaderName::MaxForwards, "70");
    for name in [HeaderName::From, HeaderName::To, HeaderName::CallId] {
        let replaced = to.filter(|_| name == HeaderName::To);
        if let Some(value) = replaced.or_else(|| invite.header(name)) {
            out.push(name, value);
        }
    }
    out.push(HeaderName::CSeq, &cseq);
    out
}

/// The ACK of a final response that is no 2xx (17.1.1.3).
pub(super) fn ack(invite: &Message, response: &Message) -> Message {
    hop_by_hop(invite, Method::Ack, response.header(HeaderName::To))
}

/// The CANCEL of `invite` (9.1).
pub(super) fn cancel(invite: &Message) -> Message {
    hop_by_hop(invite, Method::Cancel, None)
}

/// A response of the layer's own. Its To tag is computed from the request's key, as a stateless server does it (8.2.7): a
/// repeated request gets the same.
pub(super) fn response(request: &Message, code: u16, key: &[u8]) -> Message {
    let mut hasher = DefaultHasher::new();
    hasher.write(key);
    let tag = format!("{:010x}", hasher.finish() & 0xFF_FFFF_FFFF);
    Message::response_to(request, code, Some(&tag))
}
