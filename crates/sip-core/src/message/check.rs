//! Whether a well-formed text is a message that SIP allows.

use super::Message;
use crate::header::{CSeq, ContentType, HeaderValue, NameAddr, Via};
use crate::syntax::{parse_u32, split_list};
use crate::uri::Uri;
use crate::{Error, HeaderName};

// One bit for each in `check`.
const _: () = assert!(HeaderName::ALL.len() < 128);

impl Message {
    /// Checks what RFC 3261 8.1.1, 8.2 and 20 ask of every message.
    ///
    /// - Via, From, To, Call-ID and CSeq are there; headers that may stand once do.
    /// - Via, From, To, CSeq, Contact, Route, Record-Route, Max-Forwards, Content-Length and Content-Type follow their grammar,
    ///   on every line.
    /// - The Request-URI, From and To hold URIs; the Request-URI has no headers (19.1.1).
    /// - CSeq names the method of the request.
    ///
    /// Max-Forwards, the tag of From, and the branch of Via may be absent, as they were before RFC 3261. Other headers are checked when
    /// they are read.
    pub fn check(&self) -> Result<(), Error> {
        let mut seen = 0_u128;
        for header in self.headers_iter() {
            let name = header.name;
            let bit = 1_u128 << (name as u8);
            if seen & bit != 0 && name.is_single() {
                return Err(Error::Repeated(name));
            }
            seen |= bit;
            if !follows_grammar(name, header.value) {
                return Err(Error::Malformed(name));
            }
        }
        for name in [
            HeaderName::Via,
            HeaderName::From,
            HeaderName::To,
            HeaderName::CallId,
            HeaderName::CSeq,
        ] {
            if seen & (1 << (name as u8)) == 0 {
                return Err(Error::Missing(name));
            }
        }
        let cseq = self.cseq()?;
        if let Some(method) = self.method() {
            if cseq.method_text != method.as_str() {
                return Err(Error::CseqMethod);
            }
            if let Uri::Sip(uri) = self.parsed_request_uri()?
                && uri.headers().is_some()
            {
                return Err(Error::RequestUri);
            }
        }
        Ok(())
    }
}

fn follows_grammar(name: HeaderName, value: &str) -> bool {
    match name {
        HeaderName::Via => every(value, |via| Via::parse_value(via).is_some()),
        HeaderName::Contact => value == "*" || every(value, is_name_addr),
        HeaderName::Route | HeaderName::RecordRoute => every(value, is_name_addr),
        HeaderName::From | HeaderName::To => {
            NameAddr::parse_value(value).is_some_and(|address| address.uri().is_ok())
        }
        HeaderName::CSeq => CSeq::parse_value(value).is_some(),
        // `word [@ word]` (25.1); no more is asked than that nothing around it can be confused.
        HeaderName::CallId => !value.is_empty() && value.bytes().all(|c| c > b' ' && c != 0x7F),
        HeaderName::MaxForwards => parse_u32(value).is_some_and(|hops| hops <= 255),
        HeaderName::ContentLength => parse_u32(value).is_some(),
        HeaderName::ContentType => ContentType::parse_value(value).is_some(),
        _ => true,
    }
}

fn is_name_addr(value: &str) -> bool {
    NameAddr::parse_value(value).is_some()
}

/// At least one element, and all good.
fn every(list: &str, good: impl Fn(&str) -> bool) -> bool {
    let mut some = false;
    split_list(list).all(|item| {
        some = true;
        good(item)
    }) && some
}
