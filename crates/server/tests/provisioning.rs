//! What the pool tells its clients: in-band provisioning ([MS-SIPREGE] 2.2.2), the list of MCUs ([MS-CONFPRO]), dial plans.

mod common;

use common::World;
use common::phone::Phone;
use common::presence::{explained, text};
use ocs_server::Config;
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_siprege::location::{self, LocationProfileDescription, Rule};
use ocs_siprege::mcu::{self, Command, McuList, McuType, Question, Reply};
use ocs_siprege::provisioning::{self, GroupName, ProvisionGroupList};
use ocs_xml::from_slice;

const EVENT: &str = "vnd-microsoft-provisioning-v2";
const TYPE: &str = "application/vnd-microsoft-roaming-provisioning-v2+xml";
const OWN: &str = "sip:alice@contoso.com";

fn configured(config: &mut Config) {
    let groups = r#"<provisionGroupList xmlns="http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification"><provisionGroup name="ServerConfiguration"><organization>Contoso</organization><ucPortRangeEnabled>false</ucPortRangeEnabled></provisionGroup><provisionGroup name="ucPolicy"><instance><property name="AllowCallForwarding"><![CDATA[true]]></property></instance></provisionGroup><provisionGroup name="own"><x/></provisionGroup></provisionGroupList>"#;
    let groups: ProvisionGroupList =
        from_slice(groups.as_bytes(), &ocs_xml::Limits::default()).unwrap();
    config.provisioning = provisioning::Config::new("fe01.contoso.com", groups.groups);
    config.location_profiles = ["first", "second"]
        .map(|name| LocationProfileDescription::new(name, [Rule::new("^(\\d{4})$", "+1425555$1")]))
        .to_vec();
    config.mcus = McuList {
        capability_version: Some(3),
        types: vec![McuType::AudioVideo, McuType::Chat],
        ..McuList::default()
    };
}

fn alice(adjust: impl FnOnce(&mut Config)) -> (World, Phone) {
    let mut world = World::new(|config| {
        configured(config);
        adjust(config);
    });
    let phone = Phone::signed_in(&mut world, "alice", "a1", 50_001);
    (world, phone)
}

fn question(groups: &[&str]) -> String {
    let groups: String = groups
        .iter()
        .map(|name| format!("<provisioningGroup name=\"{name}\"/>"))
        .collect();
    format!(
        "<provisioningGroupList xmlns=\"http://schemas.microsoft.com/2006/09/sip/provisioninggrouplist\">{groups}</provisioningGroupList>"
    )
}

fn ask(phone: &mut Phone, uri: &str, groups: &[&str]) -> Message {
    phone
        .subscription(EVENT, uri, TYPE)
        .with(HeaderName::Expires, "0")
        .with_body(TYPE, question(groups))
}

fn groups(message: &Message) -> ProvisionGroupList {
    assert_eq!(message.header(HeaderName::ContentType), Some(TYPE));
    from_slice(message.body(), &ocs_xml::Limits::default()).unwrap()
}

fn names(list: &ProvisionGroupList) -> Vec<String> {
    let groups = list.groups.iter();
    groups
        .map(|group| group.name().as_str().to_owned())
        .collect()
}

#[test]
fn the_groups_that_are_asked_for() {
    let (mut world, mut phone) = alice(|_| {});
    let request = ask(
        &mut phone,
        OWN,
        &["ucPolicy", "ServerConfiguration", "unheardOf", "ucPolicy"],
    );
    let answer = phone.exchange(&mut world, request);
    assert_eq!(answer.status(), Some(200), "{answer:#?}");
    assert_eq!(answer.header(HeaderName::Expires), Some("0"));
    assert!(answer.lists(HeaderName::Supported, "ms-piggyback-first-notify"));
    let list = groups(&answer);
    assert_eq!(names(&list), ["ucPolicy", "ServerConfiguration"]);
    let configuration = list.server_configuration().unwrap();
    assert_eq!(configuration.organization.as_deref(), Some("Contoso"));
    // The user's own focus factory.
    assert_eq!(
        configuration.focus_factory_uri.as_deref(),
        Some("sip:alice@contoso.com;gruu;opaque=app:conf:focusfactory")
    );
    // A group that nothing here knows goes through as it is.
    let request = ask(&mut phone, OWN, &["own"]);
    let answer = phone.exchange(&mut world, request);
    assert!(text(&answer).contains("<provisionGroup name=\"own\"><x/></provisionGroup>"));
    assert_eq!(groups(&answer).groups[0].name(), GroupName::from("own"));
    // Nothing is left of it.
    assert_eq!(world.server.counters().subscriptions, 0);
    assert!(phone.news(&mut world).is_empty());
}

#[test]
fn for_those_who_take_no_document_in_the_answer() {
    let (mut world, mut phone) = alice(|_| {});
    for benotify in [true, false] {
        let mut request = ask(&mut phone, OWN, &["ucPolicy"]);
        request.remove(HeaderName::Supported);
        request.remove(HeaderName::ProxyRequire);
        if benotify {
            request.push(HeaderName::Supported, "ms-benotify");
        }
        let answer = phone.exchange(&mut world, request);
        assert_eq!(answer.status(), Some(200));
        assert!(answer.body().is_empty());
        let told = phone.told(&mut world);
        assert_eq!(names(&groups(&told)), ["ucPolicy"]);
        let state = told.header(HeaderName::SubscriptionState).unwrap();
        assert!(state.starts_with("terminated"), "{state}");
        let method = if benotify {
            Method::Benotify
        } else {
            Method::Notify
        };
        assert_eq!(told.method(), Some(&method));
        if !benotify {
            phone.answer(&mut world, &told, 200);
        }
    }
    world.advance(common::phone::WHILE);
    assert_eq!(world.server.counters().transactions, 0);
}

#[test]
fn refusals() {
    let (mut world, mut phone) = alice(|config| config.provisioning.asked = 3);
    let foreign = ask(&mut phone, "sip:bob@contoso.com", &["ucPolicy"]);
    let form = {
        let mut request = ask(&mut phone, OWN, &["ucPolicy"]);
        request.set(HeaderName::Accept, "text/plain");
        request
    };
    let untyped = ask(&mut phone, OWN, &[]).with_body("text/plain", question(&["ucPolicy"]));
    let many = ask(&mut phone, OWN, &["a", "b", "c", "d"]);
    let broken = ask(&mut phone, OWN, &[]).with_body(TYPE, "<provisioningGroupList>");
    let dialog = {
        let mut request = ask(&mut phone, OWN, &["ucPolicy"]);
        request.set(HeaderName::To, &format!("<{OWN}>;tag=1"));
        request
    };
    for (request, expected) in [
        (foreign, (403, None)),
        (form, (406, None)),
        (untyped, (415, None)),
        (many, (400, None)),
        (broken, (400, Some(4001))),
        (dialog, (481, Some(2014))),
    ] {
        let answer = phone.exchange(&mut world, request);
        let (status, id) = explained(&answer);
        assert_eq!(status, expected.0, "{answer:#?}");
        match status {
            415 => assert_eq!(answer.header(HeaderName::Accept), Some(TYPE)),
            _ => assert_eq!(id, expected.1, "{answer:#?}"),
        }
    }
    assert_eq!(world.server.counters().subscriptions, 0);
}

#[test]
fn the_form_of_2005() {
    let (mut world, mut phone) = alice(|_| {});
    let kind = "application/vnd-microsoft-roaming-provisioning+xml";
    let request = phone
        .subscription("vnd-microsoft-provisioning", OWN, kind)
        .with(HeaderName::Expires, "0");
    let answer = phone.exchange(&mut world, request);
    assert_eq!(answer.status(), Some(200));
    let limits = ocs_xml::Limits::default();
    let document = provisioning::legacy::answer_of(&answer, &limits)
        .unwrap()
        .unwrap();
    let user = &document.users[0];
    assert_eq!(user.uri.as_deref(), Some(OWN));
    assert_eq!(user.lines[0].uri.as_deref(), Some("tel:+14255550001"));
}

#[test]
fn in_what_a_user_may_confer() {
    let (mut world, mut phone) = alice(|_| {});
    let factory = "sip:alice@contoso.com;gruu;opaque=app:conf:focusfactory";
    let question = |from: &str| Question {
        request_id: 7,
        from: from.into(),
        to: factory.into(),
        command: Command::GetAvailableMcuTypes,
    };
    let mut request = phone.request(Method::Service, factory);
    question(OWN).ask(&mut request);
    let answer = phone.exchange(&mut world, request);
    assert_eq!(answer.status(), Some(200), "{answer:#?}");
    let reply = Reply::of(&answer, &ocs_xml::Limits::default())
        .unwrap()
        .unwrap();
    assert_eq!((reply.request_id, reply.from.as_str()), (7, factory));
    let list = reply.result.unwrap();
    assert_eq!(list.types, [McuType::AudioVideo, McuType::Chat]);
    // Under the name of somebody else, in the body and in the address; and what is no question.
    let mut request = phone.request(Method::Service, factory);
    question("sip:bob@contoso.com").ask(&mut request);
    assert_eq!(
        explained(&phone.exchange(&mut world, request)),
        (400, Some(3000))
    );
    let foreign = factory.replace("alice", "bob");
    let mut request = phone.request(Method::Service, &foreign);
    question(OWN).ask(&mut request);
    assert_eq!(phone.exchange(&mut world, request).status(), Some(403));
    let request = phone
        .request(Method::Service, factory)
        .with_body(mcu::CONTENT_TYPE, "<request");
    assert_eq!(
        explained(&phone.exchange(&mut world, request)),
        (400, Some(3006))
    );
}

#[test]
fn dial_plans() {
    let (mut world, mut phone) = alice(|_| {});
    let limits = ocs_xml::Limits::default();
    for (name, expected) in [
        (None, Some("first")),
        (Some("second"), Some("second")),
        (Some("third"), None),
    ] {
        let uri = location::request_uri(&phone.aor, name);
        let request = phone.request(Method::Service, &uri);
        let answer = phone.exchange(&mut world, request);
        match expected {
            Some(expected) => {
                assert_eq!(answer.status(), Some(200), "{answer:#?}");
                let profile = location::answer_of(&answer, &limits).unwrap().unwrap();
                assert_eq!(profile.name, expected);
                assert_eq!(profile.rules.len(), 1);
            }
            None => assert_eq!(answer.status(), Some(404)),
        }
    }
    let nobody = location::request_uri(&common::aor("nobody"), None);
    let request = phone.request(Method::Service, &nobody);
    assert_eq!(phone.exchange(&mut world, request).status(), Some(404));
    let neither = location::request_uri(&phone.aor, None).replace(";default", "");
    let request = phone.request(Method::Service, &neither);
    assert_eq!(phone.exchange(&mut world, request).status(), Some(485));
}
