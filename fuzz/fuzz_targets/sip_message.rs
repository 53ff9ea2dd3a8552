//! A datagram: parsed, checked, every typed view read, written again; what is refused gets an answer that parses.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ocs_sip_core::admit::{Capabilities, admit};
use ocs_sip_core::framing::refuse;
use ocs_sip_core::header::{
    AuthHeader, EdgeProxyMessageTrust, HeaderValue, HttpDate, NameAddr, RAck, Reason,
    ReferTo, ReferredBy, Replaces, RetryAfter, SessionExpires, TextFormat, Via, Warning,
};
use ocs_sip_core::mime::{MimeLimits, Multipart};
use ocs_sip_core::syntax::split_list;
use ocs_sip_core::{Limits, Message};

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    let message = match Message::parse(Bytes::copy_from_slice(data), &limits) {
        Ok(message) => message,
        Err(error) => {
            if let Some(answer) = refuse(data, &error) {
                assert!(Message::parse(answer.to_bytes(), &limits).is_ok());
            }
            return;
        }
    };
    let again = Message::parse(message.to_bytes(), &limits).expect("what was parsed is written");
    assert_eq!(again, message);
    if let Err(refusal) = admit(&message, &Capabilities::default())
        && let Some(answer) = refusal.response(&message, Some("1"))
    {
        assert!(Message::parse(answer.to_bytes(), &limits).is_ok());
    }
    let _ = (message.event(), message.subscription_state(), message.sensitivity(), message.identities());
    for header in message.headers_iter() {
        for value in split_list(header.value).chain([header.value]) {
            if let Some(address) = NameAddr::parse_value(value) {
                let _ = (address.uri(), address.display_name(), address.q(), address.instance(), address.gruu());
            }
            if let Some(refer) = ReferTo::parse_value(value) {
                let _ = (refer.method(), refer.replaces());
            }
            if let Some(auth) = AuthHeader::parse_value(value) {
                let _ = (auth.params().count(), auth.get_unescaped("realm"));
            }
            if let Some(format) = TextFormat::parse_value(value) {
                let _ = format.decoded_body();
            }
            if let Some(via) = Via::parse_value(value) {
                let _ = (via.unique_branch(), via.ms_received_port(), via.branched());
            }
            let _ = (EdgeProxyMessageTrust::parse_value(value), RAck::parse_value(value));
            let _ = (Reason::parse_value(value), ReferredBy::parse_value(value), Replaces::parse_value(value));
            let _ = (RetryAfter::parse_value(value), SessionExpires::parse_value(value), Warning::parse_value(value));
            let _ = HttpDate::parse_value(value);
        }
    }
    if let Ok(Some(kind)) = message.content_type() {
        let _ = Multipart::parse(&kind, message.body(), &MimeLimits::default());
    }
});
