//! Whatever is written is read again; whatever is read does not panic.

use std::time::Instant;

use ocs_sip_core::{Aor, Limits as MessageLimits, Message};
use ocs_sipre::gruu::{application_gruu, endpoint_gruu};
use ocs_sipre::im::{
    Config, Effects, Format, ImMedia, ImSdp, ImSession, Imdn, Limits, Recipient, Text,
    TransactionId,
};
use ocs_sipre::route::RouteState;
use ocs_sipre::{Epid, Gruu, Instance, Opaque};
use proptest::prelude::*;

fn format() -> impl Strategy<Value = Format> {
    let effects = any::<(bool, bool, bool, bool)>();
    let rest = (
        0..0x100_0000_u32,
        any::<Option<u8>>(),
        any::<u8>(),
        any::<Option<bool>>(),
    );
    (".{0,20}", effects, rest).prop_map(
        |(
            font,
            (bold, italic, underline, strike_through),
            (color, charset, pitch, right_to_left),
        )| Format {
            font,
            effects: Effects {
                bold,
                italic,
                underline,
                strike_through,
            },
            color,
            charset,
            pitch,
            right_to_left,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn epids_and_instances(epid in "[a-zA-Z0-9.!%*_+`'~-]{1,16}") {
        let epid = Epid::parse(&epid).unwrap();
        let instance = epid.instance();
        prop_assert_eq!(instance.uuid().get_version_num(), 5);
        prop_assert_eq!(Instance::from_opaque_id(&instance.opaque_id()).unwrap(), instance);
        let aor = Aor::parse("a.b@contoso.com").unwrap();
        let gruu = endpoint_gruu(&aor, instance);
        let gruu = Gruu::parse(&gruu).unwrap();
        prop_assert_eq!(gruu.opaque.instance().unwrap(), instance);
        prop_assert_eq!(gruu.aor, aor);
    }

    #[test]
    fn opaque_values(value in "[a-z:]{0,12}|(app|srvr|user):[a-zA-Z0-9:_-]{0,30}") {
        let opaque = Opaque::parse(&value);
        prop_assert_eq!(opaque.to_string(), value.clone());
        if !value.is_empty() {
            let aor = Aor::parse("a@b").unwrap();
            let gruu = application_gruu(&aor, &opaque);
            prop_assert_eq!(Gruu::parse(&gruu).unwrap().opaque, opaque);
        }
    }

    #[test]
    fn fonts(format in format()) {
        prop_assert_eq!(Format::from_msgr(&format.to_msgr()).unwrap(), format);
    }

    #[test]
    fn first_texts(text in "\\PC{0,60}", format in proptest::option::of(format())) {
        let text = Text { text, format, ..Text::default() };
        let value = text.to_first_message();
        prop_assert_eq!(Text::from_first_message(&value, &Limits::default()).unwrap(), text);
    }

    #[test]
    fn descriptions(port: u16, old: bool, types in prop::collection::vec("[a-z]{1,8}/[a-z+]{1,8}", 0..6), target in proptest::option::of("sip:[a-z]{1,8}@[a-z]{1,8}")) {
        let sdp = ImSdp {
            address: [192, 0, 2, 1].into(),
            port,
            media: if old { ImMedia::XMsMessage } else { ImMedia::Message },
            target,
            accept_types: types,
        };
        prop_assert_eq!(ImSdp::parse(sdp.to_string().as_bytes(), &Limits::default()).unwrap(), sdp);
    }

    #[test]
    fn notices(id in proptest::option::of("[^\\s\\pC][^\\pC]{0,8}[^\\s\\pC]"), uri in "sip:[a-z&'\"]{1,8}@[a-z;=]{1,8}", status in proptest::option::of(100_u16..700), value in "[^\\s\\pC]{0,9}") {
        let recipient = Recipient { uri, status, entries: vec![("ms-diagnostics".into(), value)] };
        let imdn = Imdn { message_id: id, recipients: vec![recipient.clone(), recipient] };
        prop_assert_eq!(Imdn::parse(imdn.to_xml().as_bytes(), &Limits::default()).unwrap(), imdn);
    }

    #[test]
    fn route_states(from_home: bool, to_home: bool, caller in any::<Option<u64>>(), callee in any::<Option<u64>>()) {
        let id = |id: Option<u64>| id.map(ocs_sip_core::ConnectionId);
        let state = RouteState { from_home, to_home, caller: id(caller), callee: id(callee) };
        prop_assert_eq!(RouteState::parse(&state.to_string()).unwrap(), state);
    }

    #[test]
    fn any_message_is_survived(method in "INVITE|MESSAGE|INFO|BENOTIFY|X", content_type in "(text/plain|application/(xml|sdp|ms-imdn\\+xml)|multipart/alternative)(;[ -~]{0,20})?", first in "\\PC{0,30}", body in "[<>a-z/=\"' \r\n-]{0,80}") {
        let text = format!("{method} sip:a SIP/2.0\r\nContent-Type: {content_type}\r\nms-text-format: {first}\r\nContact: {first}\r\n\r\n{body}");
        if let Ok(message) = Message::parse(text.into(), &MessageLimits::default()) {
            let now = Instant::now();
            let config = Config::new(ImSdp::new([127, 0, 0, 1].into(), 1), "sip:b@x");
            let _ = ImSession::incoming(now, config.clone(), TransactionId(0), &message);
            let (mut session, _) = ImSession::outgoing(config, None);
            session.handle_request(now, TransactionId(0), &message);
            session.handle_timeout(now);
        }
    }
}
