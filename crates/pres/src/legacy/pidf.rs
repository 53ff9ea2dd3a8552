//! PIDF (RFC 3863), with activities and the name as the system writes them.

use ocs_xml::{Extra, Raw, SmolStr, content, element, words};

use crate::category::{Availability, AvailabilityClass, LegacyInterop};

/// The namespace of PIDF.
pub const NAMESPACE: &str = "urn:ietf:params:xml:ns:pidf";
/// The namespace of activities inside the status, of a draft before RFC 4480: what clients of the system read.
pub const ACTIVITIES_NAMESPACE: &str = "urn:ietf:params:xml:ns:pidf:status:rpid-status";
/// The namespace of activities beside the status (RFC 4480): what other systems write.
pub const RPID_NAMESPACE: &str = "urn:ietf:params:xml:ns:pidf:rpid";
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

element! {
    /// What somebody does, in the form of RFC 4480: elements without content, which stay in `extra`. Read, never made here.
    #[derive(Default)]
    pub struct RichActivities(RPID_NAMESPACE, "activities") {}
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
        /// What somebody does there, as other systems write it.
        child_opt activities: RichActivities,
        /// The name, as other systems write it.
        child_opt display_name: Name,
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
        /// Text.
        leaves note: SmolStr,
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
                activities: None,
                display_name: None,
                contact: None,
                note: Vec::new(),
                extra: Extra::default(),
            }],
            note: Vec::new(),
            display_name: None,
            extra: Extra::default(),
        }
    }

    /// The same with the name of the person, where SIPE reads it.
    #[must_use]
    pub fn named(self, name: impl Into<SmolStr>) -> Self {
        Self {
            display_name: Some(Name {
                name: name.into(),
                extra: Extra::default(),
            }),
            ..self
        }
    }

    /// What a reader of 2007 takes it for: the most available of the places.
    #[must_use]
    pub fn enhanced(&self) -> Availability {
        self.tuple
            .iter()
            .map(Tuple::enhanced)
            .min()
            .unwrap_or(Availability::OFFLINE)
    }

    /// The name: of the person, or of the first place that has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let places = self.tuple.iter();
        let names = places.filter_map(|tuple| tuple.display_name.as_ref());
        let name = self.display_name.as_ref().into_iter().chain(names).next()?;
        Some(&name.name)
    }

    /// The notes of the person and of the places, to be shown as the text of the status.
    pub fn notes(&self) -> impl Iterator<Item = &str> {
        let places = self.tuple.iter().flat_map(|tuple| &tuple.note);
        self.note.iter().chain(places).map(SmolStr::as_str)
    }
}

impl Tuple {
    fn enhanced(&self) -> Availability {
        if self.status.basic != Some(Basic::Open) {
            return Availability::OFFLINE;
        }
        let in_status = self.status.activities.iter();
        let in_status = in_status.flat_map(|activities| &activities.activity);
        let beside = self.activities.iter();
        let beside = beside.flat_map(|activities| activities.extra.elements());
        in_status
            .map(SmolStr::as_str)
            .chain(beside.map(Raw::name))
            .map(of_activity)
            .max()
            .unwrap_or(Availability::AVAILABLE)
    }
}

/// What an activity is taken for (\[MS-PRES\]: what SIPE knows, and inferred).
fn of_activity(activity: &str) -> Availability {
    match activity.trim_ascii() {
        "busy" | "on-the-phone" | "meeting" | "appointment" => Availability::BUSY,
        "away" | "idle" => Availability::AWAY,
        _ => Availability::AVAILABLE,
    }
}
