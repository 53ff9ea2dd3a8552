//! What the directory says of a user, as publications of the server ([MS-PRES], contactCard instance 0, userProperties).

use ocs_pres::category::contact_card::{ContactCard, Identity, Name, Phone, PhoneType};
use ocs_pres::category::server_data::{Line, Lines, TelephonyMode, UserProperties};
use ocs_pres::category::{CategoryName, Localized, UpdatedUri};
use ocs_pres::doc::{ContainerId, ExpireType, Publication};
use ocs_xml::{Extra, Raw, SmolStr};

use crate::User;

/// Where the identity is to be seen: by everybody, also by those who are blocked, so that a user can be found.
const EVERYWHERE: [ContainerId; 6] = [
    ContainerId::DEFAULT,
    ContainerId::PUBLIC,
    ContainerId::COMPANY,
    ContainerId::TEAM,
    ContainerId::PERSONAL,
    ContainerId::BLOCKED,
];

/// The publications for a user of the directory.
pub(super) fn publications(user: &User) -> Vec<Publication> {
    let card = Raw::of(&card(user));
    let mut all: Vec<_> = EVERYWHERE
        .into_iter()
        .map(|container| publication(&CategoryName::ContactCard, container, card.clone()))
        .collect();
    if let Some(line) = &user.line_uri {
        let properties = UserProperties {
            lines: Some(Lines {
                line: vec![Line {
                    line_type: TelephonyMode::Uc,
                    line_server: None,
                    uri: line.into(),
                    extra: Extra::default(),
                }],
                extra: Extra::default(),
            }),
            telephony_mode: Some(TelephonyMode::Uc),
            ..UserProperties::default()
        };
        let value = Raw::of(&properties);
        all.push(publication(
            &CategoryName::UserProperties,
            ContainerId::SELF,
            value,
        ));
    }
    all
}

fn publication(name: &CategoryName, container: ContainerId, value: Raw) -> Publication {
    Publication::new(
        name.as_str(),
        0,
        container,
        0,
        ExpireType::Static,
        Some(value),
    )
}

fn card(user: &User) -> ContactCard {
    let text = |value: &str| Localized {
        value: value.into(),
        ..Localized::default()
    };
    let uri = |value: SmolStr| UpdatedUri {
        value,
        ..UpdatedUri::default()
    };
    let name = user.display_name.as_deref().unwrap_or(user.aor.user());
    let phone = user.line_uri.as_ref().map(|line| Phone {
        kind: PhoneType::Work,
        uri: uri(line.into()),
        display_string: Vec::new(),
        extra: Extra::default(),
    });
    ContactCard {
        is_uc_enabled: Some(true),
        identity: vec![Identity {
            updated: None,
            name: Some(Name {
                updated: None,
                display_name: vec![text(name)],
                extra: Extra::default(),
            }),
            email: vec![uri(user.aor.as_str().into())],
            extra: Extra::default(),
        }],
        phone: phone.into_iter().collect(),
        ..ContactCard::default()
    }
}
