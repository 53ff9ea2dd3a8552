//! The category `state`: what somebody does, and how available that leaves them (\[MS-PRES\], state schema).

use ocs_xml::{SmolStr, content, element, words};

use crate::Time;
use crate::category::{Activity, Availability, Localized};

/// The namespace.
pub const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/state";

words! {
    /// Where a state comes from: `xsi:type`.
    pub enum StateType: open {
        /// The user's own choice. Published by a client.
        UserState = "userState",
        /// What a machine sees of its user: active, idle, away. Published by a client, for its endpoint.
        MachineState = "machineState",
        /// What the calendar says. Published by a client.
        CalendarState = "calendarState",
        /// What a telephone does. Published by a client.
        PhoneState = "phoneState",
        /// The most available of the machines. Published by the server.
        AggregateMachineState = "aggregateMachineState",
        /// All together: the only one that others see. Published by the server, or by a bot.
        AggregateState = "aggregateState",
    }
}

words! {
    /// What kind of machine its user is at.
    pub enum DeviceType: open {
        /// A computer.
        Computer = "computer",
        /// A telephone on a desk.
        Deskphone = "deskphone",
        /// A mobile telephone.
        Mobile = "mobile",
        /// A browser.
        Web = "web",
    }
}

content! {
    /// Data of applications.
    #[derive(Default)]
    pub struct Extension("", "extension") {}
}

element! {
    /// A state. All six types have the same elements; each type uses its part of them. One without anything is what is published where
    /// a state shall be hidden.
    #[derive(Default)]
    pub struct State(NAMESPACE, "state") {
        /// Chosen by the user rather than observed. False when absent.
        attr_opt manual: bool,
        /// Since when.
        attr_opt start_time: Time = "startTime",
        /// Of a calendar state the mailbox's SMTP address, of a phone state the TEL URI.
        attr_opt uri: SmolStr,
        /// Of the aggregate of machines: the endpoint that was chosen.
        attr_opt endpoint_id: SmolStr = "endpointId",
        /// Of the aggregate: when the user was last at hand.
        attr_opt last_active: Time = "lastActive",
        /// Which type of state.
        xsi_type kind: StateType,
        /// How available.
        leaf_opt availability: Availability,
        /// What is being done; counts while the aggregated availability is in its range.
        children activity: Activity,
        /// `office`, `mobile`, `home`, `none` or free text.
        leaf_opt endpoint_location: SmolStr = "endpointLocation",
        /// Data of applications.
        part_opt extension: Extension,
        /// What the meeting is about.
        part_opt meeting_subject: Localized = "meetingSubject",
        /// Where it is.
        part_opt meeting_location: Localized = "meetingLocation",
        /// Minutes; UTC is local time plus this.
        leaf_opt time_zone_bias: i64 = "timeZoneBias" => 1,
        /// Name of the time zone.
        leaf_opt time_zone_name: SmolStr = "timeZoneName" => 1,
        /// Short name of the time zone.
        leaf_opt time_zone_abbreviation: SmolStr = "timeZoneAbbreviation" => 1,
        /// What kind of machine.
        leaf_opt device: DeviceType => 1,
    }
}

impl State {
    /// A state of a type, otherwise empty.
    #[must_use]
    pub fn new(kind: StateType) -> Self {
        Self {
            kind: Some(kind),
            ..Self::default()
        }
    }

    /// The user's choice.
    #[must_use]
    pub fn user(availability: Availability) -> Self {
        Self {
            manual: Some(true),
            availability: Some(availability),
            endpoint_location: Some(SmolStr::default()),
            ..Self::new(StateType::UserState)
        }
    }

    /// What a machine sees.
    #[must_use]
    pub fn machine(availability: Availability) -> Self {
        Self {
            manual: Some(false),
            availability: Some(availability),
            endpoint_location: Some(SmolStr::default()),
            ..Self::new(StateType::MachineState)
        }
    }

    /// What a telephone does. `uri` is its TEL URI.
    #[must_use]
    pub fn phone(uri: Option<SmolStr>, availability: Availability, activity: Activity) -> Self {
        Self {
            manual: Some(false),
            uri,
            availability: Some(availability),
            activity: vec![activity],
            ..Self::new(StateType::PhoneState)
        }
    }

    /// What a calendar says. `mailbox` is its SMTP address.
    #[must_use]
    pub fn calendar(mailbox: SmolStr) -> Self {
        Self {
            manual: Some(false),
            uri: Some(mailbox),
            ..Self::new(StateType::CalendarState)
        }
    }

    /// The class of the availability; offline when there is none.
    #[must_use]
    pub fn class(&self) -> super::AvailabilityClass {
        self.availability
            .map_or(super::AvailabilityClass::Offline, Availability::class)
    }

    /// The activity that counts at an availability.
    #[must_use]
    pub fn activity_at(&self, availability: Availability) -> Option<&Activity> {
        self.activity
            .iter()
            .find(|activity| activity.counts_at(availability))
    }

    /// What a reader is shown: the text of a token that is known, else the publisher's own text in the reader's language, else what
    /// the class is called. A watcher that was blocked shows that in its place.
    #[must_use]
    pub fn text(&self, lcid: u32) -> &str {
        self.availability
            .and_then(|availability| self.activity_at(availability))
            .and_then(|activity| activity.text(lcid))
            .unwrap_or_else(|| self.class().text())
    }
}
