//! What clients publish.

mod common;

use common::data;
use ocs_pres::category::{Availability, Device};
use ocs_pres::doc::{ExpireType, Publication, Publish};
use ocs_pres::instance::Source;
use ocs_pres::publications::{self, Call, Meeting};
use ocs_xml::{Limits, from_slice};

/// What a publication is, but for the order of attributes.
fn same(made: &[Publication], document: &[u8]) {
    let publish: Publish = from_slice(document, &Limits::default()).unwrap();
    let expected = &publish.publications.publications;
    assert_eq!(made.len(), expected.len());
    for (made, expected) in made.iter().zip(expected) {
        assert_eq!(made.category_name, expected.category_name);
        assert_eq!(
            (made.instance, made.container, made.version),
            (expected.instance, expected.container, expected.version)
        );
        assert_eq!(
            (made.expire_type, made.expires),
            (expected.expire_type, expected.expires)
        );
        let typed = |publication: &Publication| {
            let value = publication.value.as_ref().unwrap();
            ocs_pres::category::Category::read(&publication.category_name, value).unwrap()
        };
        assert_eq!(typed(made), typed(expected));
    }
}

#[test]
fn publications_of_the_vectors() {
    same(
        &publications::user_state(Availability::DO_NOT_DISTURB),
        data!("vectors/publish-dnd.xml"),
    );

    let publish: Publish =
        from_slice(data!("vectors/publish-initial.xml"), &Limits::default()).unwrap();
    let device: Device = publish.publications.publications[0]
        .value
        .as_ref()
        .unwrap()
        .decode()
        .unwrap();
    let endpoint = Source::from_epid("4c77e6ec72").unwrap();
    let mut initial = vec![publications::device(endpoint, &device)];
    initial.extend(publications::machine_state(
        endpoint,
        Availability::AVAILABLE,
    ));
    initial.extend(publications::user_state(Availability::AVAILABLE));
    same(&initial, data!("vectors/publish-initial.xml"));

    let note = publications::personal_note("Back at 3 & then out");
    let shown: Vec<Publication> = note
        .iter()
        .filter(|one| matches!(one.container.get(), 200 | 300 | 400))
        .cloned()
        .collect();
    same(&shown, data!("vectors/publish-note.xml"));
    let hidden: Vec<&Publication> = note
        .iter()
        .filter(|one| matches!(one.container.get(), 100 | 32000))
        .collect();
    assert_eq!(hidden.len(), 2);
    assert!(
        hidden
            .iter()
            .all(|one| one.value.as_ref().unwrap().as_str().ends_with("note\"/>"))
    );
}

/// Instance, container, life and seconds of publications.
fn shape(all: &[Publication]) -> Vec<(u32, u16, ExpireType, Option<i64>)> {
    all.iter()
        .map(|one| {
            (
                one.instance,
                one.container.get(),
                one.expire_type,
                one.expires,
            )
        })
        .collect()
}

#[test]
fn publications_of_the_table() {
    use ExpireType::{Endpoint, Static, Time};
    assert_eq!(
        shape(&publications::user_state(Availability::AWAY)),
        [
            (0x2000_0000, 2, Static, None),
            (0x2000_0000, 3, Static, None)
        ]
    );
    assert_eq!(
        shape(&publications::user_state(Availability::BUSY)),
        [
            (0x2400_0000, 2, Time, Some(86_400)),
            (0x2400_0000, 3, Time, Some(86_400))
        ]
    );
    assert_eq!(
        shape(&publications::reset_user_state()),
        [
            (0x2000_0000, 2, Static, Some(0)),
            (0x2000_0000, 3, Static, Some(0)),
            (0x2400_0000, 2, Time, Some(0)),
            (0x2400_0000, 3, Time, Some(0)),
        ]
    );
    let phone = Source::from_epid("4c77e6ec72").unwrap().voip_phone();
    for (call, availability, token) in [
        (Call::Call, "6500", "on-the-phone"),
        (Call::Conference, "7000", "in-a-conference"),
        (Call::Presentation, "9000", "in-presentation"),
    ] {
        let all = publications::phone_state(phone, None, call);
        assert_eq!(
            shape(&all),
            [(phone, 2, Endpoint, None), (phone, 3, Endpoint, None)]
        );
        let value = all[0].value.as_ref().unwrap().as_str();
        assert!(value.contains(&format!("<availability>{availability}<")) && value.contains(token));
    }
    assert_eq!(
        shape(&publications::phone_state_end(phone)),
        [(phone, 2, Endpoint, Some(0)), (phone, 3, Endpoint, Some(0))]
    );

    let meeting = Meeting {
        mailbox: "bob@contoso.com".into(),
        has_attendees: true,
        ..Meeting::default()
    };
    let all = publications::meeting(&meeting);
    assert_eq!(all[0].instance >> 28, 4);
    assert!(
        all[0]
            .value
            .as_ref()
            .unwrap()
            .as_str()
            .contains("in-a-meeting")
    );
    let appointment = publications::meeting(&Meeting {
        has_attendees: false,
        ..meeting
    });
    assert!(
        !appointment[0]
            .value
            .as_ref()
            .unwrap()
            .as_str()
            .contains("activity")
    );
    assert_eq!(
        shape(&publications::meeting_end("bob@contoso.com"))[0].0,
        all[0].instance
    );

    let oof = publications::out_of_office("bob@contoso.com", true);
    assert_eq!((oof[0].instance >> 28, oof[0].expire_type), (6, Static));
    let value = oof[0].value.as_ref().unwrap().as_str();
    assert!(value.contains("minAvailability=\"12000\"") && !value.contains("<availability>"));
    let oof = publications::out_of_office("bob@contoso.com", false);
    assert_eq!((oof[0].instance >> 28, oof[0].expire_type), (5, Endpoint));
    assert_eq!(
        shape(&publications::out_of_office_end("bob@contoso.com", false))[1],
        (oof[0].instance, 3, Endpoint, Some(0))
    );

    let told: Vec<(u16, bool)> = publications::dnd_state(true)
        .iter()
        .map(|one| {
            (
                one.container.get(),
                one.value.as_ref().unwrap().as_str().contains("9500"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (0, true),
            (2, true),
            (100, true),
            (200, true),
            (400, true),
            (3, false),
            (300, false)
        ]
    );

    let routing =
        publications::routing(&ocs_pres::category::routing::CallSettings::default().build());
    let blocked: Vec<(u16, bool)> = routing
        .iter()
        .map(|one| {
            (
                one.container.get(),
                one.value.as_ref().unwrap().as_str().contains("block"),
            )
        })
        .collect();
    assert_eq!(
        blocked,
        [
            (0, false),
            (100, false),
            (200, false),
            (300, false),
            (400, false),
            (32000, true)
        ]
    );
}

#[test]
fn calendars_are_hidden_from_outside() {
    let text = include_str!("data/categories/calendarData-freeBusy.xml");
    let calendar: ocs_pres::category::CalendarData =
        from_slice(text.as_bytes(), &Limits::default()).unwrap();
    let all = publications::free_busy("bob@contoso.com", calendar.free_busy.unwrap());
    let shown: Vec<(u16, bool)> = all
        .iter()
        .map(|one| {
            (
                one.container.get(),
                one.value.as_ref().unwrap().as_str().contains("freeBusy"),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (200, true),
            (300, true),
            (400, true),
            (1, false),
            (100, false),
            (32000, false)
        ]
    );
    assert_eq!(all[0].instance >> 30, 1);

    let text = include_str!("data/categories/workingHours.xml");
    let hours: ocs_pres::category::WorkingHours =
        from_slice(text.as_bytes(), &Limits::default()).unwrap();
    let all = publications::working_hours("bob@contoso.com", &hours);
    let shown: Vec<(&str, u16, bool)> = all
        .iter()
        .map(|one| {
            (
                one.category_name.as_str(),
                one.container.get(),
                one.value.as_ref().unwrap().as_str().contains("TimeZone"),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("calendarData", 1, true),
            ("calendarData", 200, true),
            ("calendarData", 300, true),
            ("calendarData", 400, true),
            ("calendarData", 100, false),
            ("calendarData", 32000, false),
            ("workingHours", 1, true),
        ]
    );
}

#[test]
fn versions_are_put_in() {
    let mut all = publications::user_state(Availability::AVAILABLE);
    publications::with_versions(&mut all, |category, instance, container| {
        assert_eq!((category, instance), ("state", 0x2000_0000));
        u32::from(container.get()) * 10
    });
    assert_eq!([all[0].version, all[1].version], [20, 30]);
}
