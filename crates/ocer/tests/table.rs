//! The table: what the compiler does not check of it, and its numbers.

use ocs_ocer::table::{Carrier, Mark, Place, all};
use ocs_ocer::{Component, ErrorId, Kind};

#[test]
fn the_file_has_its_form() {
    assert!(all().len() > 250);
    assert!(all().windows(2).all(|pair| pair[0].id < pair[1].id));
    for info in all() {
        let id = info.id;
        assert!(id.component().is_some(), "{id} has no owner");
        assert!(
            info.status
                .is_none_or(|status| (100..700).contains(&status)),
            "{id}"
        );
        assert_eq!(
            info.place == Place::Progress,
            info.status == Some(101) || (25005..=25007).contains(&id.0),
            "{id}"
        );
        let is_client = matches!(
            id.component().unwrap(),
            Component::Common | Component::ClientInformation | Component::ClientFailure
        );
        assert_eq!(
            info.carrier == Carrier::Client,
            is_client || id.0 == 24083,
            "{id}"
        );
        // A text that is written as it stands: no quotes, no semicolons, no columns.
        if let Some(reason) = info.reason {
            let odd = |c: char| !(' '..='~').contains(&c) || matches!(c, '"' | ';' | '\\');
            assert!(!reason.contains(odd) && reason.trim() == reason, "{id}");
            assert!(!reason.ends_with('.'), "{id}");
        } else {
            assert_eq!(info.mark, Mark::Read, "{id}: what is recalled is a text");
        }
    }
}

#[test]
fn numbers_are_found() {
    for info in all() {
        assert_eq!(info.id.info(), Some(info));
    }
    for id in [0, 20, 999, 4014, 52064, u32::MAX] {
        assert_eq!(ErrorId(id).info(), None, "{id}");
        assert_eq!(ErrorId(id).kind(), Kind::Private, "{id}");
    }
    let info = ErrorId::ROUTE_SET_NOT_VALID.info().unwrap();
    assert_eq!(
        (
            info.carrier,
            info.place,
            info.status,
            info.mark,
            info.reason
        ),
        (
            Carrier::Private,
            Place::Response,
            Some(481),
            Mark::Read,
            Some("Route set is no longer valid")
        )
    );
    let info = ErrorId::TRYING_NEXT_HOP.info().unwrap();
    assert_eq!(
        (info.place, info.reason),
        (Place::Progress, Some("Trying next hop"))
    );
    assert_eq!(ErrorId::USER_DISABLED.info().unwrap().place, Place::Notify);
    assert_eq!(ErrorId::USER_DISABLED.reason(), Some("User disabled"));
    assert_eq!(ErrorId::REPORTS_NOT_ACCEPTED.reason(), None);
}

/// The numbers of ms-diagnostics-public among those below 6000.
#[test]
fn what_may_be_public() {
    let public = all()
        .iter()
        .filter(|info| info.id.is_public() && info.id.0 < 6000);
    let public: Vec<_> = public.map(|info| info.id.0).collect();
    assert_eq!(
        public,
        [
            2011, 2013, 2014, 2016, 2019, 3004, 4003, 4004, 4140, 4141, 4142, 4165, 4166, 4167,
            5009, 5010, 5011
        ]
    );
    assert!(ErrorId(7008).is_public() && ErrorId(7008).kind() == Kind::Private);
    assert!(!ErrorId::UNSUPPORTED_SESSION_DESCRIPTION.is_public());
    assert!(!ErrorId(60_000).is_public());
}

#[test]
fn what_a_gateway_answered() {
    assert_eq!(ErrorId::of_gateway_status(404), ErrorId(10404));
    assert_eq!(ErrorId::of_gateway_status(200), ErrorId(10000));
    assert_eq!(ErrorId(10404).component(), Some(Component::MediationServer));
}
