//! Presence of 2005 and of everybody else, and publication grammars.

mod common;

use common::data;
use ocs_pres::category::{
    Availability, AvailabilityClass, Category, LegacyInterop, Note, State, Token, note::Body,
};
use ocs_pres::doc::{ContainerId, MemberType};
use ocs_pres::grammar::{
    BlockRuleType, CategoryPublicationManifest, ContainerManifest, ContainerManifestList,
    MemberRole, RuleType, default_publications,
};
use ocs_pres::legacy::{
    GetPresence, Pair, Presentity, SetPresence, UserInfo, Watchers, pidf, xpidf,
};
use ocs_xml::{Error, Limits, from_slice, to_string};

fn limits() -> Limits {
    Limits::default()
}

fn text(document: &'static [u8]) -> &'static str {
    std::str::from_utf8(document).unwrap().trim()
}

#[test]
fn set_presence_of_a_real_client() {
    let request = SetPresence::read(data!("sipe/setpresence.xml"), &limits()).unwrap();
    assert_eq!(request.uri, "sip:alice@contoso.com");
    assert_eq!(
        request.pair,
        Pair {
            availability: 300,
            activity: 400
        }
    );
    assert_eq!(request.device_name.as_deref(), Some("VM"));
    let data = request.device_data.as_ref().unwrap();
    assert_eq!(data.namespace.as_deref(), Some("rtcService"));
    assert_eq!(data.data, "<caps><renders_gif/><renders_isf/></caps>");
    let device = request.device.as_ref().unwrap();
    assert_eq!(device.device_id, "c97532c1946f");
    assert_eq!(device.user_input.as_ref().unwrap().state, "active");
    assert!(request.extra.is_empty());

    let written = request.write();
    assert_eq!(
        SetPresence::read(written.as_bytes(), &limits()).unwrap(),
        request
    );
    assert!(written.contains("<m:setPresence><m:presentity m:uri=\"sip:alice@contoso.com\"><m:availability m:aggregate=\"300\"/><m:activity m:aggregate=\"400\"/>"));
}

#[test]
fn set_presence_of_the_specification() {
    let request = SetPresence::read(data!("vectors/setpresence-2005.xml"), &limits()).unwrap();
    assert_eq!(request.uri, "sip:bob@contoso.com");
    let data = request.user_info.as_ref().unwrap().data().unwrap();
    assert_eq!(data.note.as_deref(), Some("text"));
    let again = SetPresence::read(request.write().as_bytes(), &limits()).unwrap();
    assert_eq!(again, request);
    for broken in [
        "<Envelope/>",
        "<Envelope><Body><setPresence/></Body></Envelope>",
        "<Envelope><Body><getPresence><presentity uri=\"sip:a@b\"/></getPresence></Body></Envelope>",
        "<Envelope><Body><setPresence><presentity uri=\"sip:a@b\"/></setPresence></Body></Envelope>",
    ] {
        assert!(
            SetPresence::read(broken.as_bytes(), &limits()).is_err(),
            "{broken}"
        );
    }
}

#[test]
fn get_presence_both_ways() {
    let request = GetPresence {
        uri: "sip:alice@contoso.com".into(),
    };
    let written = request.write();
    assert!(
        written
            .contains("<m:getPresence><presentity uri=\"sip:alice@contoso.com\"/></m:getPresence>")
    );
    assert_eq!(
        GetPresence::read(written.as_bytes(), &limits()).unwrap(),
        request
    );
    let prefixed = written.replace("<presentity uri", "<m:presentity m:uri");
    assert_eq!(
        GetPresence::read(prefixed.as_bytes(), &limits()).unwrap(),
        request
    );
    let none = written.replace(" uri=", " x=");
    assert!(matches!(
        GetPresence::read(none.as_bytes(), &limits()),
        Err(Error::MissingAttribute { .. })
    ));
}

#[test]
fn presentity_of_the_specification() {
    let document = text(data!("vectors/presentity-2005.xml"));
    let presentity = Presentity::read(document.as_bytes(), &limits()).unwrap();
    assert_eq!(to_string(&presentity), document);
    assert_eq!(
        presentity.pair(),
        Pair {
            availability: 300,
            activity: 600
        }
    );
    assert_eq!(presentity.enhanced(), Availability::BUSY);
    let device = &presentity.devices.as_ref().unwrap().device[0];
    assert_eq!(device.age_of_presence, Some(60));
    assert_eq!(device.device_name.as_ref().unwrap().name, "PC1");
    for namespace in [
        "http://schemas.microsoft.com/2002/09/sip/presence",
        "http://schemas.microsoft.com/09/2002/sip/presence",
    ] {
        let other = document.replacen(
            "<presentity",
            &format!("<presentity xmlns=\"{namespace}\""),
            1,
        );
        let read = Presentity::read(other.as_bytes(), &limits()).unwrap();
        assert_eq!(read.pair(), presentity.pair());
        assert_eq!(read.devices, presentity.devices);
    }
    // The declaration is not believed.
    let utf16 = format!("<?xml version=\"1.0\" encoding=\"utf-16\"?>{document}");
    assert_eq!(
        Presentity::read(utf16.as_bytes(), &limits()).unwrap(),
        presentity
    );
}

#[test]
fn presentity_that_a_real_client_accepted() {
    let document = text(data!("sipe/presentity.xml"));
    let presentity = Presentity::read(document.as_bytes(), &limits()).unwrap();
    let info = presentity.user_info.clone().unwrap();
    let made = Presentity {
        user_info: Some(info),
        ..Presentity::of(
            "alice@contoso.com",
            &LegacyInterop::new(Availability::AVAILABLE, None),
        )
        .named("Alice")
        .mailed("alice@contoso.com")
    };
    assert_eq!(made, presentity);
    assert_eq!(to_string(&made), document);
}

#[test]
fn states_of_2007_in_documents_of_2005() {
    let with = |pair: Pair, since: &str, avail: u32| {
        let info = format!(
            "<userInfo xmlns=\"http://schemas.microsoft.com/09/2002/sip/presence\"><note>n</note><states><state xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" avail=\"{avail}\" since=\"{since}\" validWith=\"any-device\" deviceId=\"4c77\" set=\"manual\" xsi:type=\"userState\">do-not-disturb</state><state avail=\"3500\" since=\"2009-01-01T00:00:00Z\">online</state></states></userInfo>"
        );
        let raw = ocs_xml::Raw::parse(info.as_bytes(), &limits()).unwrap();
        let mut presentity = Presentity::new("bob@contoso.com", pair);
        presentity.user_info = Some(UserInfo(raw));
        presentity
    };
    let active = Pair {
        availability: 300,
        activity: 400,
    };
    let presentity = with(active, "2010-01-13T10:30:05Z", 9500);
    let data = presentity.user_info.as_ref().unwrap().data().unwrap();
    let state = &data.states.as_ref().unwrap().state[0];
    assert_eq!(state.token, Token::DoNotDisturb);
    assert_eq!(presentity.enhanced(), Availability::DO_NOT_DISTURB);
    // Older, so the other state counts.
    assert_eq!(
        with(active, "2008-01-13T10:30:05Z", 9500).enhanced(),
        Availability::AVAILABLE
    );
    assert_eq!(
        with(Pair::OFFLINE, "2010-01-13T10:30:05Z", 9500).enhanced(),
        Availability::OFFLINE
    );
    let again = UserInfo::from(&data);
    assert_eq!(again.data().unwrap(), data);
}

#[test]
fn numbers_of_2005() {
    for (availability, activity, class) in [
        (0, 400, AvailabilityClass::Offline),
        (99, 999, AvailabilityClass::Offline),
        (100, 0, AvailabilityClass::Away),
        (300, 100, AvailabilityClass::Away),
        (300, 150, AvailabilityClass::Away),
        (300, 299, AvailabilityClass::Away),
        (300, 300, AvailabilityClass::BeRightBack),
        (300, 400, AvailabilityClass::Available),
        (300, 500, AvailabilityClass::Busy),
        (300, 699, AvailabilityClass::Busy),
        (300, 700, AvailabilityClass::Away),
        (300, 800, AvailabilityClass::Available),
    ] {
        assert_eq!(
            Pair {
                availability,
                activity
            }
            .class(),
            class,
            "{availability}/{activity}"
        );
    }
    for (availability, token, pair) in [
        (0, None, (0, 0)),
        (2999, None, (0, 0)),
        (3500, None, (300, 400)),
        (5000, None, (300, 200)),
        (6500, None, (300, 600)),
        (6500, Some(Token::OnThePhone), (300, 500)),
        (7000, Some(Token::InAConference), (300, 500)),
        (8000, None, (300, 600)),
        (9500, None, (300, 600)),
        (12500, None, (300, 300)),
        (15500, None, (300, 100)),
        (18500, None, (0, 0)),
    ] {
        let state = LegacyInterop::new(Availability(availability), token);
        let made = Pair::from(&state);
        assert_eq!((made.availability, made.activity), pair, "{availability}");
    }
}

#[test]
fn pidf_both_ways() {
    for (availability, basic, activity, back) in [
        (3500, "open", None, Availability::AVAILABLE),
        (5000, "open", Some("away"), Availability::AWAY),
        (6500, "open", Some("busy"), Availability::BUSY),
        (9500, "open", Some("busy"), Availability::BUSY),
        (12500, "open", Some("away"), Availability::AWAY),
        (15500, "open", Some("away"), Availability::AWAY),
        (18500, "closed", None, Availability::OFFLINE),
    ] {
        let state = LegacyInterop::new(Availability(availability), None);
        let presence = pidf::Presence::of("sip:bob@contoso.com", &state);
        let written = to_string(&presence);
        assert!(
            written.contains(&format!("<basic>{basic}</basic>")),
            "{written}"
        );
        assert_eq!(
            written.contains("activity"),
            activity.is_some(),
            "{written}"
        );
        let read: pidf::Presence = from_slice(written.as_bytes(), &limits()).unwrap();
        assert_eq!(read, presence);
        assert_eq!(read.enhanced(), back);
        assert_eq!(read.name(), None);
        let named = to_string(&presence.named("Bob"));
        let read: pidf::Presence = from_slice(named.as_bytes(), &limits()).unwrap();
        assert_eq!((read.name(), read.enhanced()), (Some("Bob"), back));
    }
    let other = r#"<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:ep="urn:ietf:params:xml:ns:pidf:status:rpid-status" xmlns:ci="urn:ietf:params:xml:ns:pidf:cipid" entity="bob@aol.example">
        <tuple id="0"><status><basic>open</basic><ep:activities><ep:activity>away</ep:activity></ep:activities></status></tuple>
        <tuple id="1"><status><basic>open</basic><ep:activities><ep:activity>busy</ep:activity></ep:activities></status></tuple>
        <ci:display-name>Bob</ci:display-name></presence>"#;
    let read: pidf::Presence = from_slice(other.as_bytes(), &limits()).unwrap();
    assert_eq!(read.enhanced(), Availability::BUSY);
    assert_eq!(read.display_name.as_ref().unwrap().name, "Bob");
    let empty: pidf::Presence = from_slice(br#"<presence entity="a@b"/>"#, &limits()).unwrap();
    assert_eq!(empty.enhanced(), Availability::OFFLINE);
}

/// Presence as other systems write it: name, notes, activities in and beside the status, with and without scheme in `entity`.
#[test]
fn documents_of_other_systems() {
    let all: [(&[u8], _, _, _, &[&str]); 3] = [
        (
            include_bytes!("data/vectors/pidf-closed.xml"),
            "alice@contoso.com",
            Availability::OFFLINE,
            None,
            &[],
        ),
        (
            include_bytes!("data/vectors/pidf-open-busy.xml"),
            "sip:alice@contoso.com",
            Availability::BUSY,
            Some("Alice A"),
            &[],
        ),
        (
            include_bytes!("data/vectors/pidf-rpid.xml"),
            "pres:alice@contoso.com",
            Availability::AWAY,
            Some("Alice A"),
            &["out"],
        ),
    ];
    for (document, entity, availability, name, notes) in all {
        let read: pidf::Presence = from_slice(document, &limits()).unwrap();
        assert_eq!(read.entity, entity);
        assert_eq!(read.enhanced(), availability, "{entity}");
        assert_eq!(read.name(), name);
        assert_eq!(read.notes().collect::<Vec<_>>(), notes);
        let contact = read.tuple[0].contact.as_deref();
        assert_eq!(contact, Some("sip:alice@contoso.com"));
        let again: pidf::Presence = from_slice(to_string(&read).as_bytes(), &limits()).unwrap();
        assert_eq!(again, read);
    }
    for (activity, availability) in [
        ("appointment", Availability::BUSY),
        ("meeting", Availability::BUSY),
        ("on-the-phone", Availability::BUSY),
        ("idle", Availability::AWAY),
        ("vacation", Availability::AVAILABLE),
    ] {
        let document = format!(
            r#"<presence xmlns="{}" entity="sip:a@b.c"><tuple id="1"><status><basic>open</basic></status><r:activities xmlns:r="{}"><r:note/><r:{activity}/></r:activities></tuple><note>n</note></presence>"#,
            pidf::NAMESPACE,
            pidf::RPID_NAMESPACE
        );
        let read: pidf::Presence = from_slice(document.as_bytes(), &limits()).unwrap();
        assert_eq!(read.enhanced(), availability, "{activity}");
        assert_eq!(read.notes().collect::<Vec<_>>(), ["n"]);
    }
    let xpidf = include_bytes!("data/vectors/xpidf.xml");
    let read = xpidf::Presence::read(xpidf, &limits()).unwrap();
    assert_eq!(read.enhanced(), Availability::BUSY);
    let subject = read.presentity.unwrap();
    assert_eq!(subject.uri, "sip:a@contoso.com;method=SUBSCRIBE");
    assert_eq!(read.atom[0].address[0].uri, "sip:a@contoso.com;user=ip");
}

#[test]
fn xpidf_both_ways() {
    for (availability, token, status, substatus, back) in [
        (3500, None, "open", "online", Availability::AVAILABLE),
        (5000, None, "open", "idle", Availability::IDLE),
        (6500, None, "open", "busy", Availability::BUSY),
        (
            6500,
            Some(Token::OnThePhone),
            "inuse",
            "onthephone",
            Availability::BUSY,
        ),
        (
            12500,
            None,
            "open",
            "berightback",
            Availability::BE_RIGHT_BACK,
        ),
        (15500, None, "open", "away", Availability::AWAY),
        (18500, None, "closed", "offline", Availability::OFFLINE),
    ] {
        let presence = xpidf::Presence::of(
            "sip:bob@contoso.com",
            &LegacyInterop::new(Availability(availability), token),
        );
        let written = to_string(&presence);
        assert!(
            written.contains(&format!(
                "<status status=\"{status}\"/><msnsubstatus substatus=\"{substatus}\"/>"
            )),
            "{written}"
        );
        let typed = format!(
            "<?xml version=\"1.0\"?>\n<!DOCTYPE presence\nPUBLIC \"-//IETF//DTD RFCxxxx XPIDF 1.0//EN\" \"xpidf.dtd\">\n{written}"
        );
        let read = xpidf::Presence::read(typed.as_bytes(), &limits()).unwrap();
        assert_eq!(read, presence);
        assert_eq!(read.enhanced(), back);
        assert_eq!(
            xpidf::Presence::read(written.as_bytes(), &limits()).unwrap(),
            presence
        );
    }
    for bad in [
        "<!DOCTYPE presence [<!ENTITY a \"b\">]><presence/>",
        "<presence><!DOCTYPE presence></presence>",
        "<!DOCTYPE presence",
        "<!DOCTYPE presence><!DOCTYPE presence><presence/>",
    ] {
        assert!(
            xpidf::Presence::read(bad.as_bytes(), &limits()).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn waiting_watchers() {
    let document = r#"<watchers><watcher uri="sip:john@contoso.com" displayName="John"/><watcher uri="sip:ann@contoso.com"/></watchers>"#;
    let watchers: Watchers = from_slice(document.as_bytes(), &limits()).unwrap();
    assert_eq!(watchers.watcher.len(), 2);
    assert_eq!(to_string(&watchers), document);
    assert_eq!(to_string(&Watchers::default()), "<watchers/>");
}

const END: &str = r#"<ct:end xmlns:ct="http://schemas.microsoft.com/2006/09/sip/commontypes" />"#;

#[test]
fn container_manifest_of_microsofts_servers() {
    let document = text(data!(
        "vectors/publicationGrammar-containerManifestList.xml"
    ));
    let list: ContainerManifestList = from_slice(document.as_bytes(), &limits()).unwrap();
    let again: ContainerManifestList = from_slice(to_string(&list).as_bytes(), &limits()).unwrap();
    assert_eq!(again, list);
    assert!(document.contains(END));
    let plain: ContainerManifestList =
        from_slice(document.replace(END, "").as_bytes(), &limits()).unwrap();
    assert_eq!(plain, ContainerManifestList::standard());
}

#[test]
fn what_the_manifest_blocks() {
    let manifest = ContainerManifest::standard();
    let invite = |container, network, availability| {
        manifest.blocks(&BlockRuleType::Invites, container, &network, availability)
    };
    assert!(invite(
        ContainerId::DEFAULT,
        MemberType::PublicCloud,
        Availability::AVAILABLE
    ));
    assert!(!invite(
        ContainerId::DEFAULT,
        MemberType::Federated,
        Availability::AVAILABLE
    ));
    assert!(invite(
        ContainerId::TEAM,
        MemberType::SameEnterprise,
        Availability::DO_NOT_DISTURB
    ));
    assert!(!invite(
        ContainerId::TEAM,
        MemberType::SameEnterprise,
        Availability::BE_RIGHT_BACK
    ));
    assert!(invite(
        ContainerId::BLOCKED,
        MemberType::SameEnterprise,
        Availability::AVAILABLE
    ));
    let prompt = |container| {
        manifest.blocks(
            &BlockRuleType::SubscriberPrompt,
            container,
            &MemberType::Federated,
            Availability::DO_NOT_DISTURB,
        )
    };
    assert!(prompt(ContainerId::BLOCKED));
    assert!(!prompt(ContainerId::PUBLIC));

    let default = |role, network| {
        manifest
            .default_container(&role, &network)
            .map(ContainerId::get)
    };
    assert_eq!(
        default(MemberRole::Buddy, MemberType::SameEnterprise),
        Some(200)
    );
    assert_eq!(default(MemberRole::Buddy, MemberType::Federated), Some(100));
    assert_eq!(
        default(MemberRole::Delegate, MemberType::SameEnterprise),
        Some(300)
    );
    assert_eq!(default("guest".into(), MemberType::Federated), Some(100));
    assert_eq!(default("guest".into(), MemberType::PublicCloud), None);
}

#[test]
fn publication_manifest_of_microsofts_servers() {
    let document = data!("vectors/publicationGrammar-categoryPublicationManifest-state.xml");
    let manifest: CategoryPublicationManifest = from_slice(document, &limits()).unwrap();
    let rules: Vec<_> = manifest.rules("state").collect();
    assert_eq!(rules.len(), 2);
    assert_eq!(
        (rules[0].container, rules[0].preferred_self_consumption),
        (ContainerId::FIRST_AGGREGATION, Some(true))
    );
    assert!(
        rules
            .iter()
            .all(|rule| rule.rule_type == RuleType::Transformation)
    );
    let stylesheet = &rules[1].data.as_ref().unwrap().value[0];
    assert_eq!(stylesheet.name(), "stylesheet");
    assert!(stylesheet.as_str().contains("11999 &gt;= tns:availability"));
    assert_eq!(manifest.rules("note").count(), 0);
    let again: CategoryPublicationManifest =
        from_slice(to_string(&manifest).as_bytes(), &limits()).unwrap();
    assert_eq!(again, manifest);
}

#[test]
fn default_rules() {
    let placed = |category: Category| default_publications(&category);
    let dnd = placed(Category::State(Box::new(State::user(
        Availability::DO_NOT_DISTURB,
    ))));
    let states: Vec<(u16, Option<Availability>)> = dnd
        .iter()
        .map(|(container, category)| match category {
            Category::State(state) => (container.get(), state.availability),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        states,
        [
            (2, Some(Availability::DO_NOT_DISTURB)),
            (3, Some(Availability::URGENT_INTERRUPTIONS_ONLY))
        ]
    );
    // What the user did not choose stays.
    let machine = Category::State(Box::new(State::machine(Availability::DO_NOT_DISTURB)));
    assert!(
        placed(machine.clone())
            .iter()
            .all(|(_, category)| *category == machine)
    );
    let note = Category::Note(Note::from(Body::personal("x")));
    let shown: Vec<(u16, bool)> = placed(note.clone())
        .into_iter()
        .map(|(container, category)| (container.get(), category == note))
        .collect();
    assert_eq!(
        shown,
        [
            (100, false),
            (200, true),
            (300, true),
            (400, true),
            (32000, false)
        ]
    );
    assert!(
        placed(Category::LegacyInterop(LegacyInterop::new(
            Availability::AWAY,
            None
        )))
        .is_empty()
    );
}
