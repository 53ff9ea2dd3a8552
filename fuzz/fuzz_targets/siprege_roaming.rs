//! Roaming data: a document to all readers, then as input of an endpoint; requests to a server's list, which must stay consistent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocs_siprege::acl::{self, AccessList};
use ocs_siprege::adhoc::AdhocList;
use ocs_siprege::contacts::{Action, Contact, GroupId, Limits, Mirror, MirrorConfig, Roster};
use ocs_siprege::soap::{Call, Fault, SearchAnswer};

fuzz_target!(|data: &[u8]| {
    let xml = ocs_xml::Limits::default();
    let mut roster = Roster::new();
    let mut rights = AccessList::new();
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.handle_subscribed(200, roster.export().as_bytes());
    mirror.set_contact(Contact::new("sip:a@b.c", "A", GroupId::DEFAULT.into()));
    // Documents are parted by zero octets, which no document has.
    for document in data.split(|byte| *byte == 0) {
        if let Ok(list) = AdhocList::parse(document, &xml) {
            assert_eq!(AdhocList::parse(list.to_body().as_bytes(), &xml), Ok(list));
        }
        if let Ok(answer) = SearchAnswer::read(document, &xml) {
            assert_eq!(SearchAnswer::read(answer.to_body().as_bytes(), &xml), Ok(answer));
        }
        let _ = Fault::read(document, &xml);
        match Call::read(document, &xml) {
            Ok(Call::Contacts(request)) => {
                let before = roster.clone();
                match roster.apply(&request, &Limits::default()) {
                    Ok(applied) => mirror.handle_notification(applied.delta.as_bytes()),
                    Err(_) => assert_eq!(roster, before),
                }
                let again = Roster::import(roster.export().as_bytes(), &xml);
                assert_eq!(again.as_ref(), Ok(&roster));
            }
            Ok(Call::SetAce(request)) => {
                let _ = rights.apply(&request, &acl::Limits::default());
                let again = AccessList::import(rights.export().as_bytes(), &xml);
                assert_eq!(again.as_ref(), Ok(&rights));
            }
            _ => {}
        }
        if let Ok(list) = Roster::import(document, &xml) {
            assert_eq!(Roster::import(list.export().as_bytes(), &xml), Ok(list));
        }
        mirror.handle_notification(document);
        mirror.handle_answer(200 + 209 * u16::from(document.len() % 2 == 0), None, document);
        while let Some(action) = mirror.poll_action() {
            if let Action::Service(body) = action {
                assert!(matches!(Call::read(body.as_bytes(), &xml), Ok(Call::Contacts(_))));
            }
        }
        while mirror.poll_event().is_some() {}
    }
});
