//! PIDF (RFC 3863), with activities and the name as the system writes them.

use ocs_xml::{Extra, SmolStr, content, element, words};

use crate::category::{Availability, AvailabilityClass, LegacyInterop};

/// The namespace of PIDF.
pub const NAMESPACE: &str = "urn:ietf:params:xml:ns:pidf";
/// The namespace of activities inside the status, of a draft before RFC 4480: what clients of the system read.
pub const ACTIVITIES_NAMESPACE: &str = "urn:ietf:params:xml:ns:pidf:status:rpid-status";
/// The namespace of the name (RFC 4482).
pub const NAME_NAMESPACE: &str = "urn:ietf:params:xml:ns:pidf:cipid";

words! {
    /// Whether messages are taken.
    pub enum Basic {
        /// They are.
        Open = "open",
        /// They are not.
        Closed = "closed",
    }
}

element! {
    /// What somebody does.
    #[derive(Default)]
    pub struct Activities(ACTIVITIES_NAMESPACE, "activities") {
        /// The activities; `busy` and `away` are understood.
        leaves activity: SmolStr,
    }
}

content! {
    /// What is said of one place.
    #[derive(Default)]
    pub struct Status(NAMESPACE, "status") {
        /// Whether messages are taken there.
        leaf_opt basic: Basic,
        /// What somebody does.
        child_opt activities: Activities,
    }
}

content! {
    /// A place where somebody is, and what is said of it.
    pub struct Tuple(NAMESPACE, "tuple") {
        /// Tells places apart.
        attr id: SmolStr,
        /// What is said.
        part status: Status,
        /// How to reach it.
        leaf_opt contact: SmolStr,
        /// Text.
        leaves note: SmolStr,
    }
}

element! {
    /// The name.
    pub struct Name(NAME_NAMESPACE, "display-name") {
        /// The name.
        text name: SmolStr,
    }
}

element! {
    /// Presence of somebody.
    pub struct Presence(NAMESPACE, "presence") {
        /// Who: a `pres:` or `sip:` URI; some leave the scheme out.
        attr entity: SmolStr,
        /// The places.
        parts tuple: Tuple,
        /// The name.
        child_opt display_name: Name,
    }
}

impl Presence {
    /// Presence of a user of 2007 for everybody else (inferred: which activity is written for which class).
    #[must_use]
    pub fn of(entity: impl Into<SmolStr>, state: &LegacyInterop) -> Self {
        let class = state.availability.class();
        let activity = match class {
            AvailabilityClass::Busy
            | AvailabilityClass::BusyIdle
            | AvailabilityClass::DoNotDisturb => Some("busy"),
            AvailabilityClass::AvailableIdle
            | AvailabilityClass::BeRightBack
            | AvailabilityClass::Away => Some("away"),
            AvailabilityClass::Unknown
            | AvailabilityClass::Available
            | AvailabilityClass::Offline => None,
        };
        let is_open = !matches!(
            class,
            AvailabilityClass::Offline | AvailabilityClass::Unknown
        );
        Self {
            entity: entity.into(),
            tuple: vec![Tuple {
                id: SmolStr::new_static("0"),
                status: Status {
                    basic: Some(if is_open { Basic::Open } else { Basic::Closed }),
                    activities: activity.map(|activity| Activities {
                        activity: vec![activity.into()],
                        ..Activities::default()
                    }),
                    ..Status::default()
                },
                contact: None,
                note: Vec::new(),
                extra: Extra::default(),
            }],
            display_name: None,
            extra: Extra::default(),
        }
    }

    /// What a reader of 2007 takes it for: the most available of the places.
    #[must_use]
    pub fn enhanced(&self) -> Availability {
        self.tuple
            .iter()
            .map(|tuple| tuple.status.enhanced())
            .min()
            .unwrap_or(Availability::OFFLINE)
    }
}

impl Status {
    fn enhanced(&self) -> Availability {
        if self.basic != Some(Basic::Open) {
            return Availability::OFFLINE;
        }
        let activities = self
            .activities
            .iter()
            .flat_map(|activities| &activities.activity);
        activities
            .map(|activity| match activity.trim_ascii() {
                "busy" | "on-the-phone" | "meeting" => Availability::BUSY,
                "away" => Availability::AWAY,
                _ => Availability::AVAILABLE,
            })
            .max()
            .unwrap_or(Availability::AVAILABLE)
    }
}
