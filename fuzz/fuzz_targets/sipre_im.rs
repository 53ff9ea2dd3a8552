#![no_main]
//! Bodies and headers of IM sessions, and the routing headers, from any octets.

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use ocs_sip_core::uri::SipUri;
use ocs_sip_core::{Aor, ConnectionId, Limits, Message, Transport};
use ocs_sipre::binding::Bindings;
use ocs_sipre::contact::replace_proxy;
use ocs_sipre::im::{
    self, Config, Format, ImSdp, ImSession, Imdn, Text, TransactionId, read_conversation_info,
    read_is_composing, read_keyboard_activity,
};
use ocs_sipre::route::{RouteKey, RouterConfig};
use ocs_sipre::via::{response_route, stamp_received};
use ocs_sipre::{Flow, Gruu, Identity, InstanceCheck, Peer, Router};

fn bodies(data: &[u8]) {
    let limits = im::Limits::default();
    if let Ok(sdp) = ImSdp::parse(data, &limits) {
        assert_eq!(ImSdp::parse(sdp.to_string().as_bytes(), &limits), Ok(sdp));
    }
    let _ = read_keyboard_activity(data, limits.xml);
    let _ = read_is_composing(data, limits.xml);
    let _ = read_conversation_info(data, limits.xml);
    let _ = Imdn::parse(data, &limits);
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok(format) = Format::from_msgr(text).or_else(|_| Format::parse(text)) {
        assert_eq!(Format::parse(&format.to_string()), Ok(format));
    }
    if let Ok(first) = Text::from_first_message(text, &limits) {
        assert_eq!(
            Text::from_first_message(&first.to_first_message(), &limits),
            Ok(first)
        );
    }
    let _ = Gruu::parse(text);
}

fuzz_target!(|data: &[u8]| {
    bodies(data);
    let Ok(mut message) = Message::parse(data.to_vec().into(), &Limits::default()) else {
        return;
    };
    bodies(message.body());
    let now = Instant::now();
    let config = Config::new(ImSdp::new([127, 0, 0, 1].into(), 1), "sip:b@x");
    let transaction = TransactionId(0);
    if let Ok(mut session) = ImSession::incoming(now, config.clone(), transaction, &message) {
        session.accept(now);
        session.handle_request(now, transaction, &message);
        session.handle_timeout(now + Duration::from_secs(100));
    }
    let (mut session, _) = ImSession::outgoing(config, Some(Text::plain("x")));
    session.handle_request(now, transaction, &message);

    let flow = Flow {
        connection: ConnectionId(0x2F),
        transport: Transport::Tls,
        remote: ([192, 0, 2, 1], 5061).into(),
        peer: Peer::Client,
    };
    let _ = stamp_received(&mut message, &flow);
    let _ = replace_proxy(&mut message, &flow);
    if let Ok(contact) = message.contact() {
        // Whatever was rewritten can still be read.
        if contact.params().has("ms-received-cid") {
            let _ = SipUri::parse(contact.uri_text());
        }
    }
    let _ = response_route(&message);
    let _ = Identity::of_request(&message, InstanceCheck::Derived);
    let router = Router::new(RouterConfig::new("fe", "x"), RouteKey::new([1; 32]));
    if let Ok(state) = router.process_route(&mut message) {
        let known = |_: &Aor| true;
        let _ = router.resolve(&message, &Bindings::default(), state.as_ref(), &flow, known);
    }
});
