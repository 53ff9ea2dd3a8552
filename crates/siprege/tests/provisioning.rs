//! Provisioning: both sides, and what a real client asked and took.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_sip_core::subscription::{Subscriber, SubscriberEvent, SubscriberTimers};
use ocs_sip_core::{Aor, HeaderName, Message, Method};
use ocs_siprege::provisioning::{
    self, Answer, Asked, AvEncryption, Config, Context, Deployment, GroupName, MediaConfiguration,
    Own, ProvisionGroup, ProvisionGroupList, Provisioning, ProvisioningGroup,
    ProvisioningGroupList, ServerConfiguration, UcPolicy, View, legacy,
};
use ocs_xml::{Limits, from_slice};
use proptest::prelude::*;

const QUESTION: &[u8] = include_bytes!("data/provisioning/009-C2S-alice-SUBSCRIBE.sip");
const ANSWER: &[u8] = include_bytes!("data/provisioning/010-S2C-alice-200-SUBSCRIBE.sip");
const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification";

fn message(octets: &'static [u8]) -> Message {
    Message::parse(Bytes::from_static(octets), &ocs_sip_core::Limits::default()).unwrap()
}

fn alice() -> Aor {
    "alice@contoso.com".parse().unwrap()
}

fn bob() -> Aor {
    "bob@contoso.com".parse().unwrap()
}

/// A SUBSCRIBE as the owner of a connection begins it.
fn request(from: &str, to: &str) -> Message {
    Message::request(Method::Subscribe, &format!("sip:{to}"))
        .with(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1:27221")
        .with(
            HeaderName::From,
            &format!("<sip:{from}>;tag=1;epid=01010101"),
        )
        .with(HeaderName::To, &format!("<sip:{to}>"))
        .with(HeaderName::CallId, "a")
        .with(HeaderName::CSeq, "1 SUBSCRIBE")
        .with(HeaderName::MaxForwards, "70")
        .with(
            HeaderName::Contact,
            &format!("<sip:{from};opaque=user:epid:x;gruu>"),
        )
}

fn question(names: &[GroupName]) -> Message {
    let mut request = request("alice@contoso.com", "alice@contoso.com");
    provisioning::ask(
        &mut request,
        &ProvisioningGroupList::new(names.iter().cloned()),
    );
    request
}

/// The pool of the recorded session.
fn pool() -> Vec<ProvisionGroup> {
    vec![
        ServerConfiguration {
            uc_max_video_rate_allowed: Some("Hd720p-1.5M".into()),
            abs_web_service_enabled: Some(true),
            uc_pc2pc_av_encryption: Some(AvEncryption::Support),
            organization: Some("Contoso".into()),
            uc_port_range_enabled: Some(false),
            ..ServerConfiguration::default()
        }
        .into(),
        UcPolicy {
            allow_call_forwarding: Some(true),
            ..UcPolicy::default()
        }
        .into(),
    ]
}

fn server() -> Provisioning {
    Provisioning::new(Config::new("fe01.contoso.com", pool()))
}

fn handle(request: &Message, deployment: &impl Deployment) -> Answer {
    let context = Context {
        sender: Some(&alice()),
        tag: "77",
        remote: false,
    };
    server().handle_subscribe(context, request, deployment)
}

fn settings(answer: &Answer) -> ProvisionGroupList {
    provisioning::answer_of(&answer.response, &Limits::default())
        .unwrap()
        .unwrap()
}
#[test]
fn what_sipe_asks_is_read_and_answered_as_it_took_it() {
    let request = message(QUESTION);
    let asked: ProvisioningGroupList = from_slice(request.body(), &Limits::default()).unwrap();
    let names: Vec<_> = asked
        .groups
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "ServerConfiguration",
            "meetingPolicy",
            "persistentChatConfiguration",
            "ucPolicy"
        ]
    );

    let recorded = message(ANSWER);
    let given = provisioning::answer_of(&recorded, &Limits::default())
        .unwrap()
        .unwrap();
    let answer = handle(&request, &());
    assert_eq!(answer.notify, None);
    for name in [
        HeaderName::Expires,
        HeaderName::Event,
        HeaderName::SubscriptionState,
        HeaderName::MsPiggybackCseq,
        HeaderName::ContentType,
    ] {
        assert_eq!(
            answer.response.header(name),
            recorded.header(name),
            "{name:?}"
        );
    }
    let ours = settings(&answer);
    // The other server sent userSetting too, which nobody had asked for.
    assert_eq!(ours.groups.len(), 2);
    assert_eq!(ours.server_configuration(), given.server_configuration());
    assert_eq!(ours.uc_policy(), given.uc_policy());
    assert_eq!(
        View::new(&ours, false).focus_factory_uri(),
        Some("sip:alice@contoso.com;gruu;opaque=app:conf:focusfactory")
    );
}

#[test]
fn our_question_has_the_headers_of_sipes() {
    let theirs = message(QUESTION);
    let ours = question(&[GroupName::ServerConfiguration]);
    for name in [
        HeaderName::Event,
        HeaderName::Accept,
        HeaderName::Expires,
        HeaderName::ContentType,
        HeaderName::ProxyRequire,
    ] {
        assert_eq!(ours.header(name), theirs.header(name), "{name:?}");
    }
    assert_eq!(
        ours.body(),
        "<provisioningGroupList xmlns=\"http://schemas.microsoft.com/2006/09/sip/provisioninggrouplist\">\
         <provisioningGroup name=\"ServerConfiguration\"/></provisioningGroupList>"
    );
}

/// A client's subscription machine and the server.
#[test]
fn a_fetch_ends_with_its_settings() {
    let now = Instant::now();
    for piggyback in [true, false] {
        let mut request = question(View::GROUPS);
        if !piggyback {
            request.remove(HeaderName::Supported);
            request.push(HeaderName::Supported, "ms-benotify");
        }
        let mut client = Subscriber::new(request, SubscriberTimers::default()).unwrap();
        let sent = client.poll_transmit().unwrap();
        let answer = handle(&sent, &());
        assert_eq!(answer.notify.is_none(), piggyback);
        client.handle_response(now, answer.response);
        if let Some(notify) = answer.notify {
            assert_eq!(notify.method(), Some(&Method::Benotify));
            assert_eq!(client.handle_notify(now, notify), None);
        }
        let mut found = None;
        while let Some(event) = client.poll_event() {
            if let SubscriberEvent::Notification { message, .. } = event {
                found = provisioning::answer_of(&message, &Limits::default());
            }
        }
        let found = found.expect("settings").unwrap();
        assert_eq!(found.groups.len(), 2);
        client.handle_timeout(now + Duration::from_secs(40));
        assert!(client.is_ended());
    }
}

#[test]
fn a_client_without_options_gets_a_notify() {
    let mut request = question(&[GroupName::UcPolicy]);
    request.remove(HeaderName::Supported);
    request.remove(HeaderName::ProxyRequire);
    let answer = handle(&request, &());
    assert!(answer.response.body().is_empty());
    assert_eq!(answer.response.header(HeaderName::Supported), None);
    let notify = answer.notify.unwrap();
    assert_eq!(notify.method(), Some(&Method::Notify));
    assert_eq!(
        notify.header(HeaderName::SubscriptionState),
        Some("terminated;expires=0")
    );
    assert_eq!(notify.header(HeaderName::CSeq), Some("1 NOTIFY"));
    assert_eq!(notify.to_header().unwrap().tag(), Some("1"));
    assert_eq!(notify.from_header().unwrap().tag(), Some("77"));
    assert!(provisioning::answer_of(&notify, &Limits::default()).is_some());
}

#[test]
fn sipe_without_piggyback_took_the_same_benotify() {
    let recorded = message(include_bytes!("data/provisioning/016-S2C-bob-BENOTIFY.sip"));
    let mut asked = message(include_bytes!(
        "data/provisioning/014-C2S-bob-SUBSCRIBE.sip"
    ));
    let mut server = Provisioning::new(Config::new("fe01.contoso.com", pool()));
    // The server of the recorded session had no piggyback to offer; leave it out of the question.
    asked.remove(HeaderName::Supported);
    asked.push(HeaderName::Supported, "ms-benotify");
    let context = Context {
        sender: Some(&bob()),
        tag: "9C4EFE47775E955F0A7F0736BBFBF42D",
        remote: false,
    };
    let answer = server.handle_subscribe(context, &asked, &());
    let notify = answer.notify.unwrap();
    for name in [
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
        HeaderName::CSeq,
        HeaderName::Event,
        HeaderName::SubscriptionState,
        HeaderName::ContentType,
    ] {
        assert_eq!(notify.header(name), recorded.header(name), "{name:?}");
    }
    // Two answers are the same octets.
    let again = server.clone().handle_subscribe(context, &asked, &());
    assert_eq!(again.notify, Some(notify));
    server = Provisioning::new(Config::new("fe01.contoso.com", []));
    let empty = server
        .handle_subscribe(context, &asked, &())
        .notify
        .unwrap();
    assert_eq!(
        empty.body(),
        &format!("<provisionGroupList xmlns=\"{NAMESPACE}\"/>")
    );
}

#[test]
fn refusals() {
    let status = |request: &Message| handle(request, &()).response.status().unwrap();
    let good = question(&[GroupName::UcPolicy]);
    assert_eq!(status(&good), 200);

    let mut other = good.clone();
    other.set(
        HeaderName::Accept,
        "application/vnd-microsoft-roaming-provisioning+xml, text/*",
    );
    assert_eq!(status(&other), 406);
    for range in [
        "*/*",
        "application/*;q=0.1",
        "text/plain, APPLICATION/vnd-microsoft-roaming-provisioning-v2+xml;q=1",
    ] {
        other.set(HeaderName::Accept, range);
        assert_eq!(status(&other), 200, "{range}");
    }
    other.remove(HeaderName::Accept);
    assert_eq!(status(&other), 200);

    let mut other = good.clone();
    other.set_body("application/xml", good.body().clone());
    let refused = handle(&other, &()).response;
    assert_eq!(refused.status(), Some(415));
    assert_eq!(
        refused.header(HeaderName::Accept),
        Some(provisioning::CONTENT_TYPE)
    );
    assert!(
        refused
            .header(HeaderName::MsDiagnostics)
            .unwrap()
            .starts_with("4013;")
    );
    other.remove_body();
    assert_eq!(status(&other), 415);

    for body in [
        "",
        "<",
        "<provisioningGroupList/><a/>",
        "<provisionGroupList/>",
        "<provisioningGroupList><provisioningGroup/></provisioningGroupList>",
        "<provisioningGroupList xmlns=\"urn:x\"/>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><provisioningGroupList>&b;</provisioningGroupList>",
    ] {
        let mut other = good.clone();
        other.set_body(provisioning::CONTENT_TYPE, body);
        let refused = handle(&other, &()).response;
        assert_eq!(refused.status(), Some(400), "{body}");
        assert_eq!(
            refused.header(HeaderName::MsDiagnostics),
            Some("4001;reason=\"XML parse failure\";source=\"fe01.contoso.com\""),
        );
    }

    let mut other = good.clone();
    other.set(HeaderName::Event, "presence");
    let refused = handle(&other, &()).response;
    assert_eq!(refused.status(), Some(489));
    assert_eq!(
        refused.header(HeaderName::AllowEvents),
        Some(provisioning::EVENT)
    );
    other.remove(HeaderName::Event);
    assert_eq!(status(&other), 489);

    let mut other = good.clone();
    other.set(HeaderName::To, "<sip:alice@contoso.com>;tag=5");
    assert_eq!(status(&other), 481);
    other.set(HeaderName::To, "<tel:+1>");
    assert_eq!(status(&other), 400);
}

#[test]
fn nobody_asks_for_others_but_delegates_and_servers() {
    struct Delegates;
    impl Deployment for Delegates {
        fn may_act_for(&self, delegate: &Aor, delegator: &Aor) -> bool {
            *delegate == alice() && *delegator == bob()
        }
    }
    let mut request = request("alice@contoso.com", "bob@contoso.com");
    provisioning::ask(
        &mut request,
        &ProvisioningGroupList::new([GroupName::ServerConfiguration]),
    );
    let status = |request: &Message, deployment: &dyn Fn(&Message) -> Answer| {
        deployment(request).response.status()
    };
    let by_nobody = |request: &Message| handle(request, &());
    let by_delegates = |request: &Message| handle(request, &Delegates);
    assert_eq!(status(&request, &by_nobody), Some(403));
    // The header MUST be there.
    assert_eq!(status(&request, &by_delegates), Some(403));
    request.push(HeaderName::PSessionOnBehalfOf, "<sip:bob@contoso.com>");
    assert_eq!(status(&request, &by_nobody), Some(403));
    let answer = by_delegates(&request);
    assert_eq!(answer.response.status(), Some(200));
    let answer = settings(&answer);
    assert_eq!(
        View::new(&answer, false).focus_factory_uri(),
        Some("sip:bob@contoso.com;gruu;opaque=app:conf:focusfactory")
    );
    request.set(HeaderName::PSessionOnBehalfOf, "<sip:carol@contoso.com>");
    assert_eq!(status(&request, &by_delegates), Some(403));
    request.set(HeaderName::PSessionOnBehalfOf, "nobody");
    assert_eq!(status(&request, &by_delegates), Some(400));

    let context = Context {
        sender: None,
        tag: "77",
        remote: false,
    };
    request.remove(HeaderName::PSessionOnBehalfOf);
    request.set(HeaderName::From, "<sip:fe02.contoso.com>;tag=2");
    let answer = server().handle_subscribe(context, &request, &());
    assert_eq!(answer.response.status(), Some(200));
}

#[test]
fn sites_and_users_have_groups_of_their_own() {
    struct Sites;
    impl Deployment for Sites {
        fn group(&self, asked: &Asked<'_>, group: &ProvisioningGroup) -> Own {
            let office: IpAddr = [192, 0, 2, 0].into();
            match group.name {
                GroupName::MediaConfiguration if asked.subnet == Some(office) => Own::Group(
                    MediaConfiguration {
                        bypass_id: Some("c61755ed-402f-4b3b-86e2-2bd96252a23c".into()),
                        ..MediaConfiguration::default()
                    }
                    .into(),
                ),
                GroupName::UcPolicy if asked.remote => Own::Nothing,
                _ => Own::Pool,
            }
        }
    }
    let ask = |subnet: Option<&str>, remote| {
        let mut request = request("alice@contoso.com", "alice@contoso.com");
        let mut asked = ProvisioningGroupList::new([
            GroupName::MediaConfiguration,
            GroupName::UcPolicy,
            GroupName::UcPolicy,
            GroupName::Other("newGroup".into()),
        ]);
        asked.subnet = subnet.map(Into::into);
        provisioning::ask(&mut request, &asked);
        let context = Context {
            sender: Some(&alice()),
            tag: "77",
            remote,
        };
        let answer = server().handle_subscribe(context, &request, &Sites);
        let names: Vec<_> = settings(&answer)
            .groups
            .iter()
            .map(ProvisionGroup::name)
            .collect();
        names
    };
    assert_eq!(ask(None, false), [GroupName::UcPolicy]);
    assert_eq!(
        ask(Some("192.0.2.0"), false),
        [GroupName::MediaConfiguration, GroupName::UcPolicy]
    );
    assert_eq!(ask(Some("elsewhere"), true), []);
}

#[test]
fn too_many_groups_are_refused() {
    let names = |n: usize| -> Vec<_> {
        (0..n)
            .map(|n| GroupName::Other(n.to_string().into()))
            .collect()
    };
    assert_eq!(
        handle(&question(&names(64)), &()).response.status(),
        Some(200)
    );
    assert_eq!(
        handle(&question(&names(65)), &()).response.status(),
        Some(400)
    );
}

#[test]
fn provisioning_of_lcs_2005() {
    struct Desk;
    impl Deployment for Desk {
        fn legacy(&self, aor: &Aor) -> Option<legacy::Document> {
            let text = format!(
                "<provision><user uri=\"{}\"><line uri=\"tel:73124;phone-context=dialstring\" \
                 server=\"sip:rcc@contoso.com\"/></user></provision>",
                aor.to_uri()
            );
            legacy::Document::parse(text.as_bytes(), &Limits::default()).ok()
        }
    }
    let mut request = request("alice@contoso.com", "alice@contoso.com");
    legacy::ask(&mut request);
    let refused = handle(&request, &());
    assert_eq!(refused.response.status(), Some(489));
    let answer = handle(&request, &Desk);
    assert_eq!(
        answer.response.header(HeaderName::Event),
        Some(legacy::EVENT)
    );
    let found = legacy::answer_of(&answer.response, &Limits::default())
        .unwrap()
        .unwrap();
    assert_eq!(found.users[0].uri.as_deref(), Some("sip:alice@contoso.com"));
    assert_eq!(
        found.users[0].lines[0].server.as_deref(),
        Some("sip:rcc@contoso.com")
    );
    assert!(provisioning::answer_of(&answer.response, &Limits::default()).is_none());
    request.set(HeaderName::Accept, provisioning::CONTENT_TYPE);
    assert_eq!(handle(&request, &Desk).response.status(), Some(406));
    let foreign = "<data xmlns=\"urn:x\"><user uri=\"sip:a@b\"><line/></user><z/></data>";
    let found = legacy::Document::parse(foreign.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(found.users.len(), 1);
    assert_eq!(found.extra.elements().count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_body_gets_an_answer(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut request = question(&[]);
        request.set_body(provisioning::CONTENT_TYPE, body);
        let status = handle(&request, &()).response.status();
        prop_assert!(matches!(status, Some(200 | 400)));
    }
}
