//! The list of conferencing servers, as SIPE asks for it and took it.

use bytes::Bytes;
use ocs_sip_core::{Aor, HeaderName, Message, Method};
use ocs_siprege::mcu::{
    self, Capabilities, Command, FocusFactory, McuList, McuType, Question, Reply,
};
use ocs_xml::{Limits, Raw};
use proptest::prelude::*;

const QUESTION: &[u8] = include_bytes!("data/mcu/013-C2S-alice-SERVICE.sip");
const ANSWER: &[u8] = include_bytes!("data/mcu/014-S2C-alice-200-SERVICE.sip");
const FACTORY: &str = "sip:alice@contoso.com;gruu;opaque=app:conf:focusfactory";

fn message(octets: &'static [u8]) -> Message {
    Message::parse(Bytes::from_static(octets), &ocs_sip_core::Limits::default()).unwrap()
}

fn alice() -> Aor {
    "alice@contoso.com".parse().unwrap()
}

fn list() -> McuList {
    let numbers = "<pstn-bridging xmlns=\"urn:ietf:params:xml:ns:cccp\"><access-numbers><region name=\"North\">\
        <access-number><number>+14255550100</number></access-number></region>\
        <default-region>North</default-region></access-numbers></pstn-bridging>";
    McuList {
        capability_version: Some(1),
        types: vec![McuType::AudioVideo, McuType::Chat],
        other: vec![Raw::parse(numbers.as_bytes(), &Limits::default()).unwrap()],
    }
}

fn factory() -> FocusFactory<McuList> {
    FocusFactory::new("fe01.contoso.com", list())
}

fn question(command: Command) -> Question {
    Question {
        request_id: 7,
        from: "sip:alice@contoso.com".into(),
        to: FACTORY.into(),
        command,
    }
}

fn service(uri: &str) -> Message {
    Message::request(Method::Service, uri)
        .with(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1:27221")
        .with(
            HeaderName::From,
            "<sip:alice@contoso.com>;tag=1;epid=01010101",
        )
        .with(HeaderName::To, &format!("<{uri}>"))
        .with(HeaderName::CallId, "a")
        .with(HeaderName::CSeq, "1 SERVICE")
}

fn ask(question: &Question) -> Message {
    let mut request = service(FACTORY);
    question.ask(&mut request);
    request
}

fn reply(response: &Message) -> Reply {
    Reply::of(response, &Limits::default()).unwrap().unwrap()
}

#[test]
fn sipe_is_answered_octet_for_octet() {
    let request = message(QUESTION);
    let asked = Question::parse(request.body(), &Limits::default()).unwrap();
    assert_eq!(asked.command, Command::GetConferencingCapabilities);
    assert_eq!(asked.request_id, 0);
    let recorded = message(ANSWER);
    let answer = factory()
        .handle_service(&alice(), &request, "4D2BB7CC82417E6399C33ED241E9F46B")
        .unwrap();
    assert_eq!(answer.body(), recorded.body());
    for name in [HeaderName::From, HeaderName::To, HeaderName::ContentType] {
        assert_eq!(answer.header(name), recorded.header(name), "{name:?}");
    }
    assert_eq!(reply(&recorded).result, Ok(list()));
}

#[test]
fn the_kinds_alone() {
    let question = question(Command::GetAvailableMcuTypes);
    assert_eq!(
        question.to_xml(),
        "<request xmlns=\"urn:ietf:params:xml:ns:cccp\" C3PVersion=\"1\" \
         to=\"sip:alice@contoso.com;gruu;opaque=app:conf:focusfactory\" from=\"sip:alice@contoso.com\" \
         requestId=\"7\"><getAvailableMcuTypes/></request>"
    );
    let answer = factory()
        .handle_service(&alice(), &ask(&question), "77")
        .unwrap();
    let reply = reply(&answer);
    assert_eq!(
        (reply.request_id, reply.command),
        (7, Command::GetAvailableMcuTypes)
    );
    assert_eq!(
        (reply.from.as_str(), reply.to.as_str()),
        (FACTORY, "sip:alice@contoso.com")
    );
    assert_eq!(reply.result.unwrap().types, list().types);
}

#[test]
fn the_vectors() {
    let text = include_bytes!("data/mcu/getconferencingcapabilities-request.xml");
    let asked = Question::parse(text, &Limits::default()).unwrap();
    assert_eq!(
        (asked.request_id, asked.command),
        (1, Command::GetConferencingCapabilities)
    );
    let text = include_bytes!("data/mcu/getconferencingcapabilities-response.xml");
    let reply = Reply::parse(text, &Limits::default()).unwrap();
    let list = reply.result.clone().unwrap();
    assert_eq!(
        list.types,
        [
            McuType::AudioVideo,
            McuType::Chat,
            McuType::ApplicationSharing
        ]
    );
    assert_eq!(list.other[0].name(), "pstn-bridging");
    assert_eq!(reply.to_xml().as_bytes(), text.trim_ascii());
    // Whatever namespace is used inside.
    let foreign = "<response xmlns=\"urn:ietf:params:xml:ns:cccp\" requestId=\"1\" from=\"a\" to=\"b\" code=\"success\">\
        <getAvailableMcuTypes><x:mcu-types xmlns:x=\"urn:x\"><x:mcuType>meeting</x:mcuType><x:other/></x:mcu-types>\
        </getAvailableMcuTypes></response>";
    let reply = Reply::parse(foreign.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(reply.result.unwrap().types, [McuType::Meeting]);
}

#[test]
fn refusals() {
    struct Nothing;
    impl Capabilities for Nothing {
        fn of_user(&self, _: &Aor) -> Option<McuList> {
            None
        }
    }
    let good = ask(&question(Command::GetAvailableMcuTypes));
    let handle = |request: &Message| factory().handle_service(&alice(), request, "77");
    let diagnosed = |request: &Message, status, id: &str| {
        let response = handle(request).unwrap();
        assert_eq!(response.status(), Some(status), "{id}");
        let found = response.header(HeaderName::MsDiagnostics).unwrap();
        assert!(found.starts_with(id), "{found}");
    };
    let mut other = good.clone();
    other.set_body("application/xml", good.body().clone());
    diagnosed(&other, 415, "4013;");
    for body in [
        "",
        "<request xmlns=\"urn:ietf:params:xml:ns:cccp\" requestId=\"1\" from=\"a\" to=\"b\"/>",
        "<request requestId=\"-1\" from=\"a\" to=\"b\"><getAvailableMcuTypes/></request>",
        "<request from=\"a\" to=\"b\"><getAvailableMcuTypes/></request>",
        "<request requestId=\"1\" from=\"a\" to=\"b\"><getAvailableMcuTypes/><getAvailableMcuTypes/></request>",
        "<response requestId=\"1\" from=\"a\" to=\"b\"><getAvailableMcuTypes/></response>",
    ] {
        other.set_body(mcu::CONTENT_TYPE, body);
        diagnosed(&other, 400, "3006;");
    }
    let mut wrong = question(Command::GetAvailableMcuTypes);
    wrong.from = "sip:bob@contoso.com".into();
    diagnosed(&ask(&wrong), 400, "3000;");
    let mut wrong = question(Command::GetAvailableMcuTypes);
    wrong.to = "sip:alice@contoso.com".into();
    diagnosed(&ask(&wrong), 400, "3001;");

    let bob: Aor = "bob@contoso.com".parse().unwrap();
    let refused = factory().handle_service(&bob, &good, "77").unwrap();
    assert_eq!(refused.status(), Some(403));
    let unknown = reply(&handle(&ask(&question("rollOver".into()))).unwrap());
    assert_eq!(unknown.result, Err("notSupported".into()));
    // Conferences are made by others, and other services answer for themselves.
    assert_eq!(handle(&ask(&question("addConference".into()))), None);
    assert_eq!(handle(&service("sip:alice@contoso.com")), None);
    let nothing = FocusFactory::new("fe01.contoso.com", Nothing);
    let refused = nothing.handle_service(&alice(), &good, "77").unwrap();
    assert_eq!(reply(&refused).result, Err("unauthorized".into()));
    let refused = refused.body();
    for end in 0..refused.len() {
        assert!(
            Reply::parse(&refused[..end], &Limits::default()).is_err(),
            "{end}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn both_ways(
        request_id: u32,
        from in "[!-~]{1,20}",
        to in "[ -~]{0,20}",
        version in proptest::option::of(any::<u32>()),
        types in proptest::collection::vec("[a-z-]{1,12}", 0..5),
        failure in proptest::option::of("[a-zA-Z]{1,20}"),
    ) {
        let question = Question {
            request_id,
            from: from.as_str().into(),
            to: to.as_str().into(),
            command: Command::GetConferencingCapabilities,
        };
        let text = question.to_xml();
        prop_assert_eq!(&Question::parse(text.as_bytes(), &Limits::default()).unwrap(), &question);
        let reply = Reply {
            request_id,
            from: question.to,
            to: question.from,
            command: question.command,
            result: match failure {
                Some(reason) => Err(reason.into()),
                None => Ok(McuList {
                    capability_version: version,
                    types: types.iter().map(|kind| kind.as_str().into()).collect(),
                    other: list().other,
                }),
            },
        };
        let text = reply.to_xml();
        let again = Reply::parse(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(&again, &reply);
        prop_assert_eq!(again.to_xml(), text);
    }
}
