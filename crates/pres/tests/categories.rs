//! Values of categories: each schema both ways, and what their values mean.

#[path = "common/categories.rs"]
mod all;
mod common;

use all::{ALL, document};
use common::data;
use ocs_pres::Time;
use ocs_pres::category::free_busy::{BitOrder, Packed, Slot};
use ocs_pres::category::routing::{Group, Handling, ListName};
use ocs_pres::category::*;
use ocs_pres::doc::Publish;
use ocs_xml::{Element, Limits, Raw, Value, from_slice, to_string};

fn raw(document: &str) -> Raw {
    Raw::parse(document.as_bytes(), &Limits::default()).unwrap()
}

fn read<T: Element>(document: &str) -> T {
    from_slice(document.as_bytes(), &Limits::default()).unwrap()
}

#[test]
fn every_schema_reads_all_it_has_and_writes_it_again() {
    for (name, file, document) in ALL {
        let category = Category::read(name, &raw(document)).unwrap();
        assert_eq!(category.name().as_str(), name, "{file}");
        assert_eq!(category.to_raw().as_str(), document, "{file}");
        // But for `end`, nothing was unknown.
        let debug = format!("{category:?}");
        let unknown = debug.matches("Raw {").count() + debug.matches("ExtraAttribute {").count();
        assert_eq!(
            unknown,
            document.matches(":end ").count() + document.matches("example:app").count(),
            "{file}: {debug}"
        );
    }
}

#[test]
fn values_without_namespace_are_read() {
    for (name, file, document) in ALL {
        if document.contains(":delimiter") || document.contains("xmlns=\"urn:example") {
            // What parts the versions of a schema needs its namespace.
            continue;
        }
        let root = document.find(" xmlns=\"").unwrap();
        let end = root + 8 + document[root + 8..].find('"').unwrap() + 1;
        let bare = format!("{}{}", &document[..root], &document[end..]);
        let category = Category::read(name, &raw(&bare)).unwrap();
        assert_eq!(
            category,
            Category::read(name, &raw(document)).unwrap(),
            "{file}"
        );
    }
}

#[test]
fn unknown_content_stays_at_its_version() {
    let text = document("state-machine")
        .replace("<endpointLocation>", "<mood xmlns=\"urn:example:app\" a=\"&amp;\">fine</mood><endpointLocation>")
        .replace("</state>", "<ct:delimiter xmlns:ct=\"http://schemas.microsoft.com/2006/09/sip/commontypes\"/><later/></state>");
    let state: State = read(&text);
    assert_eq!(state.extra.elements().count(), 2);
    let written = to_string(&state);
    assert_eq!(read::<State>(&written), state);
    let at = |what: &str| written.find(what).unwrap();
    assert!(at("<mood") < at(":delimiter") && at("<device>") < at("<later/>"));
    assert_eq!(written.matches(":delimiter").count(), 2);
}

#[test]
fn categories_without_schema_are_kept() {
    let value = raw("<mood xmlns=\"urn:example:app\">fine</mood>");
    let category = Category::read("mood", &value).unwrap();
    assert_eq!(category, Category::Other("mood".into(), value.clone()));
    assert_eq!(category.to_raw(), value);
}

#[test]
fn empty_values_hide() {
    for (name, empty) in [
        (
            "note",
            "<note xmlns=\"http://schemas.microsoft.com/2006/09/sip/note\"/>",
        ),
        (
            "state",
            "<state xmlns=\"http://schemas.microsoft.com/2006/09/sip/state\"/>",
        ),
        (
            "contactCard",
            "<contactCard xmlns=\"http://schemas.microsoft.com/2006/09/sip/contactcard\"/>",
        ),
        (
            "services",
            "<services xmlns=\"http://schemas.microsoft.com/2006/09/sip/service\"/>",
        ),
        (
            "calendarData",
            "<calendarData xmlns=\"http://schemas.microsoft.com/2006/09/sip/calendarData\"/>",
        ),
    ] {
        let category = Category::read(name, &raw(empty)).unwrap();
        assert_eq!(category.to_raw().as_str(), empty);
    }
}

#[test]
fn wrong_values_are_refused() {
    for (name, wrong) in [
        ("state", "<note/>"),
        ("state", "<state><availability>much</availability></state>"),
        (
            "state",
            "<state><availability>1</availability><availability>2</availability></state>",
        ),
        ("state", "<state xmlns=\"urn:other\"/>"),
        ("note", "<note><body>no type</body></note>"),
        (
            "calendarData",
            "<calendarData><freeBusy startTime=\"2010-02-04T00:00:00\">=</freeBusy></calendarData>",
        ),
        (
            "calendarData",
            "<calendarData><freeBusy startTime=\"2010-02-04T00:00:00\" granularity=\"PT0M\"/></calendarData>",
        ),
        ("mwi", "<mwi/>"),
        ("device", "<device endpointId=\"1\"/>"),
        ("routing", "<routing name=\"rtcdefault\" version=\"1\"/>"),
    ] {
        assert!(Category::read(name, &raw(wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn classes_of_availability() {
    #[derive(serde::Deserialize)]
    struct Case {
        availability: u32,
        class: String,
    }
    let cases: Vec<Case> = serde_json::from_slice(data!("vectors/availability.json")).unwrap();
    assert_eq!(cases.len(), 20);
    for case in cases {
        let class = match case.class.as_str() {
            "unknown" => AvailabilityClass::Unknown,
            "available" => AvailabilityClass::Available,
            "idle" => AvailabilityClass::AvailableIdle,
            "busy" => AvailabilityClass::Busy,
            "busyidle" => AvailabilityClass::BusyIdle,
            "dnd" => AvailabilityClass::DoNotDisturb,
            "brb" => AvailabilityClass::BeRightBack,
            "away" => AvailabilityClass::Away,
            "offline" => AvailabilityClass::Offline,
            other => panic!("{other}"),
        };
        assert_eq!(Availability(case.availability).class(), class);
        assert_eq!(class.canonical().class(), class);
    }
}

#[test]
fn what_a_reader_is_shown() {
    let mut state: State = read(document("state-user"));
    assert_eq!(state.text(1033), "Urgent interruptions only");
    state.activity.remove(0);
    assert_eq!(state.text(1033), "In the lab");
    assert_eq!(state.text(3079), "Im Labor");
    state.availability = Some(Availability::AWAY);
    assert_eq!(state.text(1033), "Away");
    state.activity[0] = Activity::new(Token::OutOfOffice);
    assert_eq!(state.text(1033), "Out of office");
    state.activity[0] = Activity {
        token: Some("juggling".into()),
        ..Activity::default()
    };
    assert_eq!(state.text(1033), "Away");
    assert_eq!(State::default().text(1033), "Offline");
}

#[test]
fn types_of_state_with_prefix_and_unknown() {
    let prefixed = "<s:state xmlns:s=\"http://schemas.microsoft.com/2006/09/sip/state\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"s:userState\"><s:availability>3500</s:availability></s:state>";
    assert_eq!(read::<State>(prefixed).kind, Some(StateType::UserState));
    let unknown = document("state-user").replace("userState", "moodState");
    assert_eq!(
        read::<State>(&unknown).kind,
        Some(StateType::Other("moodState".into()))
    );
}

#[test]
fn cards_are_merged_in_the_order_of_instances() {
    let mut card: ContactCard = read(document("contactCard"));
    let user: ContactCard = read(
        "<contactCard xmlns=\"http://schemas.microsoft.com/2006/09/sip/contactcard\"><title>Manager</title><phone type=\"mobile\"><uri>tel:+1999</uri></phone><phone type=\"home\"><uri>tel:+1998</uri></phone></contactCard>",
    );
    card.merge(user);
    assert_eq!(card.display_name(1033), Some("Alice A"));
    assert_eq!(card.title[0].value, "Manager");
    assert_eq!(card.company[0].value, "Contoso");
    assert_eq!(
        card.phone(&contact_card::PhoneType::Work),
        Some("tel:+15550100")
    );
    assert_eq!(
        card.phone(&contact_card::PhoneType::Mobile),
        Some("tel:+1999")
    );
    assert_eq!(
        card.phone(&contact_card::PhoneType::Home),
        Some("tel:+1998")
    );
}

#[test]
fn packed_slots() {
    #[derive(serde::Deserialize)]
    struct File {
        vectors: Vec<Case>,
    }
    #[derive(serde::Deserialize)]
    struct Case {
        slots: String,
        lsb_first: String,
        msb_first: String,
    }
    let file: File = serde_json::from_slice(data!("vectors/freebusy.json")).unwrap();
    assert_eq!(file.vectors.len(), 5);
    for case in file.vectors {
        let slots: Vec<Slot> = case
            .slots
            .bytes()
            .map(|digit| {
                [Slot::Free, Slot::Tentative, Slot::Busy, Slot::OutOfOffice]
                    [usize::from(digit - b'0')]
            })
            .collect();
        for (order, text) in [
            (BitOrder::LeastSignificantFirst, &case.lsb_first),
            (BitOrder::MostSignificantFirst, &case.msb_first),
        ] {
            let packed = Packed::pack(slots.iter().copied(), order);
            let mut out = String::new();
            packed.format(&mut out);
            assert_eq!(out, *text);
            let read = Packed::parse(&format!(" {}\n", text.trim_end_matches('='))).unwrap();
            assert_eq!(read, packed);
            assert!(
                read.slots(order)
                    .take(slots.len())
                    .eq(slots.iter().copied())
            );
            assert!(
                read.slots(order)
                    .skip(slots.len())
                    .all(|slot| slot == Slot::Free)
            );
        }
    }
}

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

#[test]
fn times_are_looked_up_in_the_slots() {
    let calendar: CalendarData = read(document("calendarData-freeBusy"));
    let free_busy = calendar.free_busy.unwrap();
    let at = |text| free_busy.at(time(text), BitOrder::default());
    assert_eq!(at("2010-02-03T23:59:59.900Z"), None);
    assert_eq!(at("2010-02-04T00:00:00Z"), Some(Slot::Busy));
    assert_eq!(at("2010-02-04T00:59:59Z"), Some(Slot::Busy));
    assert_eq!(at("2010-02-04T01:00:00Z"), Some(Slot::Free));
    assert_eq!(at("2010-02-04T02:15:00Z"), Some(Slot::Tentative));
    assert_eq!(at("2010-02-04T03:15:00Z"), Some(Slot::OutOfOffice));
    assert_eq!(at("2010-02-04T05:00:00Z"), None);
    assert_eq!(
        free_busy.next_change(time("2010-02-04T00:20:00Z"), BitOrder::default()),
        Some((time("2010-02-04T01:00:00Z"), Slot::Free))
    );
    assert_eq!(
        free_busy.next_change(time("2010-02-04T04:50:00Z"), BitOrder::default()),
        None
    );
    let again = FreeBusy::new(
        free_busy.start_time,
        free_busy.slots.slots(BitOrder::default()),
    );
    assert_eq!(again, free_busy);
}

#[test]
fn working_hours_follow_the_local_clock() {
    let hours: WorkingHours = read(document("workingHours"));
    // 2010-02-04 is a Thursday; local time is eight hours behind.
    assert!(!hours.contains(time("2010-02-04T16:59:59Z")));
    assert!(hours.contains(time("2010-02-04T17:00:00Z")));
    assert!(hours.contains(time("2010-02-05T00:59:59Z")));
    assert!(!hours.contains(time("2010-02-05T01:00:00Z")));
    // Saturday.
    assert!(!hours.contains(time("2010-02-06T18:00:00Z")));
    // In summer it is seven.
    assert!(hours.contains(time("2010-07-01T16:00:00Z")));
    assert!(!hours.contains(time("2010-07-01T15:59:59Z")));
    // The clock goes forward on Sunday, 14 March, and back on Sunday, 7 November.
    assert!(!hours.contains(time("2010-03-12T16:30:00Z")));
    assert!(hours.contains(time("2010-03-15T16:30:00Z")));
    assert!(hours.contains(time("2010-11-05T16:30:00Z")));
    assert!(!hours.contains(time("2010-11-08T16:30:00Z")));
}

#[test]
fn working_hours_of_the_south_and_of_the_night() {
    let hours: WorkingHours = read(
        &document("workingHours")
            .replace("<Bias>480</Bias>", "<Bias>-600</Bias>")
            .replace("<Month>11</Month>", "<Month>13</Month>")
            .replace("<Month>3</Month>", "<Month>10</Month>")
            .replace("<Month>13</Month>", "<Month>4</Month>")
            .replace("540", "1320")
            .replace("1020", "360"),
    );
    // Summer there, eleven hours ahead: Thursday 22:30.
    assert!(hours.contains(time("2010-02-04T11:30:00Z")));
    // Friday 05:30, which began on Thursday.
    assert!(hours.contains(time("2010-02-04T18:30:00Z")));
    assert!(!hours.contains(time("2010-02-04T19:30:00Z")));
    // Sunday 05:30: nobody began on Saturday.
    assert!(!hours.contains(time("2010-02-06T18:30:00Z")));
    // Winter there, ten hours ahead: Thursday 22:30.
    assert!(hours.contains(time("2010-07-01T12:30:00Z")));
    assert!(!hours.contains(time("2010-07-01T11:30:00Z")));
}

#[test]
fn routing_of_the_specification() {
    let text = std::str::from_utf8(data!("vectors/routing.xml"))
        .unwrap()
        .trim();
    let routing: Routing = read(text);
    assert_eq!(to_string(&routing), text);
    let rules = routing.rules();
    assert!(rules.working_hours_only);
    let Handling::Ring(ring) = rules.now(true) else {
        panic!()
    };
    let target = ring.simultaneous.unwrap();
    assert_eq!(
        target.uri.as_deref(),
        Some("sip:+15550100@contoso.com;user=phone")
    );
    assert_eq!(
        (ring.total, ring.user, ring.unanswered),
        (Some(30), Some(20), None)
    );
    assert_eq!(rules.now(false), Handling::Ring(routing::Ring::default()));
    let built = routing::CallSettings::default()
        .simultaneous_ring("sip:+15550100@contoso.com;user=phone")
        .in_working_hours()
        .ring_for(30)
        .ring_alone_for(20)
        .build();
    assert_eq!(to_string(&built), text);
}

#[test]
fn flags_of_calls_together() {
    let of = |flags: &str, rest: &str| -> Routing {
        read(&format!(
            "<routing><preamble><flags name=\"other\" value=\"block\"/><flags name=\"clientflags\" value=\"{flags}\"/>{rest}</preamble></routing>"
        ))
    };
    let lists = "<list name=\"forwardto\"><target uri=\"sip:f@x\"/><target uri=\"sip:g@x\"/></list><list name=\"team\"><target uri=\"sip:t@x\"/></list><list name=\"delegates\"><target uri=\"sip:d@x\"/></list><list name=\"simultaneous_ring\"><target uri=\"sip:s@x\"/></list><list name=\"breakthrough\"><target uri=\"sip:b@x\"/></list>";
    let uri = |target: &routing::Target| target.uri.clone().unwrap();

    assert_eq!(
        of("block work_hours", lists).rules().now(false),
        Handling::Block
    );
    assert_eq!(
        of("forward_immediate simultaneous_ring", lists)
            .rules()
            .handling,
        Handling::Forward(None)
    );
    let routing = of("forward_immediate enablecf", lists);
    let Handling::Forward(Some(target)) = routing.rules().handling else {
        panic!()
    };
    assert_eq!(uri(target), "sip:f@x");
    assert_eq!(
        of("forward_immediate enablecf", "").rules().handling,
        Handling::Forward(None)
    );
    assert_eq!(
        of("forward_immediate e911active", lists).rules().handling,
        Handling::Ring(routing::Ring::default())
    );

    let routing = of(
        "team_ring delegate_ring enablecf skip_primary new_flag",
        lists,
    );
    let Handling::Ring(ring) = routing.rules().handling else {
        panic!()
    };
    assert_eq!(
        ring.group,
        Some(Group::Team(routing.targets(&ListName::Team)))
    );
    assert!(ring.skip_primary);
    assert_eq!(uri(&ring.breakthrough[0]), "sip:b@x");
    assert_eq!(ring.unanswered.map(uri).as_deref(), Some("sip:f@x"));
    assert_eq!(ring.simultaneous, None);

    let routing = of("delegate_ring forward_audio_app_invites", lists);
    let Handling::Ring(ring) = routing.rules().handling else {
        panic!()
    };
    assert_eq!(
        ring.group,
        Some(Group::Delegates(routing.targets(&ListName::Delegates)))
    );
    assert!(routing.rules().includes_application_sharing);
    assert_eq!(
        of("", lists).rules().handling,
        Handling::Ring(routing::Ring {
            breakthrough: of("", lists).targets(&ListName::Breakthrough),
            ..routing::Ring::default()
        })
    );
}

#[test]
fn settings_of_calls_exclude_each_other() {
    use routing::CallSettings;
    let forward = CallSettings::default()
        .simultaneous_ring("sip:s@x")
        .forward_to("sip:f@x")
        .build();
    assert!(matches!(
        forward.rules().handling,
        Handling::Forward(Some(_))
    ));
    let mail = CallSettings::default()
        .forward_to("sip:f@x")
        .forward_to_voice_mail()
        .build();
    assert_eq!(mail.rules().handling, Handling::Forward(None));
    let ring = CallSettings::default()
        .forward_to("sip:f@x")
        .simultaneous_ring("sip:s@x")
        .build();
    let Handling::Ring(ring) = ring.rules().handling else {
        panic!()
    };
    assert!(ring.simultaneous.is_some() && ring.unanswered.is_some());
    let delegates = CallSettings::default()
        .team_ring(["sip:t@x"], 5)
        .delegate_ring(["sip:d@x"], 10)
        .skip_primary(["sip:b@x"])
        .build();
    let Handling::Ring(ring) = delegates.rules().handling else {
        panic!()
    };
    assert!(matches!(ring.group, Some(Group::Delegates([_]))));
    assert_eq!(
        (ring.user, ring.skip_primary, ring.breakthrough.len()),
        (Some(10), true, 1)
    );
    assert_eq!(Routing::block().rules().handling, Handling::Block);
}

#[test]
fn routing_in_the_namespace_of_the_documentation() {
    let text = document("routing");
    let other = text.replace(routing::NAMESPACE, routing::OTHER_NAMESPACE);
    let category = Category::read("routing", &raw(&other)).unwrap();
    assert_eq!(category.to_raw().as_str(), text);
}

#[test]
fn note_history_under_either_root() {
    let text = document("noteHistory");
    let other = text.replace("noteHistory", "note");
    let category = Category::read("noteHistory", &raw(&other)).unwrap();
    assert_eq!(category.to_raw().as_str(), text);
}

#[test]
fn pass_codes_do_not_show() {
    let properties: UserProperties = read(document("userProperties"));
    assert!(properties.has_voice_mail());
    let code = properties.acp_information[0]
        .leader_pass_code
        .as_ref()
        .unwrap();
    assert_eq!(code.expose(), "5678");
    assert!(!format!("{properties:?}").contains("5678"));
}

#[test]
fn context_of_a_new_contact() {
    let text = "<subscriptionContext xmlns=\"http://schemas.microsoft.com/2008/09/sip/SubscriptionContext\" majorVersion=\"1\" minorVersion=\"0\"><watcher><contactList/></watcher></subscriptionContext>";
    let context: SubscriptionContext = read(text);
    assert!(context.is_contact_added());
    assert_eq!(context, SubscriptionContext::contact_added());
    assert_eq!(to_string(&context), text);
}

#[test]
fn values_of_a_real_client() {
    for document in [
        data!("sipe/publish-first.xml"),
        data!("sipe/publish-busy.xml"),
        data!("sipe/publish-dnd.xml"),
    ] {
        let publish: Publish = from_slice(document, &Limits::default()).unwrap();
        for publication in &publish.publications.publications {
            let value = publication.value.as_ref().unwrap();
            let category = Category::read(&publication.category_name, value).unwrap();
            match category {
                Category::State(state) => {
                    assert!(state.availability.is_some());
                    assert!(state.kind.is_some());
                    assert!(state.extra.is_empty());
                    // As the client wrote it; `Raw` puts declarations first.
                    let whole = std::str::from_utf8(document).unwrap();
                    assert!(whole.contains(&to_string(&*state)));
                }
                Category::Device(device) => {
                    let text = device.capabilities[0].get(Service::Text).unwrap();
                    assert_eq!((text.render, text.capture), (Some(true), Some(true)));
                    assert_eq!(device.timezone, "00:00:00+01:00");
                    // SIPE writes the capabilities and their attributes in another order than the schema.
                    let again: Device = read(&to_string(&device));
                    assert_eq!(again, device);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
