//! `text/xml+msrtc.pidf`: presence of a user for readers of 2005.

use ocs_xml::{Child, Error, Extra, Limits, Raw, Reader, SmolStr, Tag, Writer, content, element};

use super::{OTHER_PRESENCE_NAMESPACE, PRESENCE_NAMESPACE, Pair};
use crate::Time;
use crate::category::{Availability, LegacyInterop, StateType, Token};

content! {
    /// One of the two numbers.
    pub struct Level("", "aggregate") {
        /// The number, 0 to 999.
        attr aggregate: u32,
        /// Text, mostly empty.
        attr_opt description: SmolStr,
        /// The endpoint that it is from.
        attr_opt epid: SmolStr,
        /// A note.
        attr_opt note: SmolStr,
    }
}

content! {
    /// The name.
    pub struct DisplayName("", "displayName") {
        /// The name.
        attr display_name: SmolStr = "displayName",
    }
}

content! {
    /// The address for mail.
    pub struct Email("", "email") {
        /// The address.
        attr email: SmolStr,
    }
}

content! {
    /// A telephone.
    pub struct PhoneNumber("", "phoneNumber") {
        /// What it is called.
        attr_opt label: SmolStr,
        /// The number.
        attr number: SmolStr,
    }
}

content! {
    /// The name of a device.
    pub struct DeviceName("", "deviceName") {
        /// The name.
        attr name: SmolStr,
    }
}

content! {
    /// What a device can do: markup of an application, as text.
    pub struct DeviceData("", "devicedata") {
        /// Which application.
        attr_opt namespace: SmolStr,
        /// The markup.
        text data: SmolStr,
    }
}

content! {
    /// Free and busy times.
    pub struct CalendarInfo("", "calendarInfo") {
        /// SMTP address of the mailbox.
        attr_opt mailbox_id: SmolStr = "mailboxId",
        /// When the first slot begins.
        attr_opt start_time: Time = "startTime",
        /// How long a slot is.
        attr_opt granularity: SmolStr,
        /// The slots.
        text slots: SmolStr,
    }
}

content! {
    /// A state with a number of 2007, in the documents of 2005.
    pub struct LegacyState(PRESENCE_NAMESPACE, "state") {
        /// How available.
        attr_opt avail: Availability,
        /// Since when.
        attr_opt since: Time,
        /// Where it holds: `any-device`.
        attr_opt valid_with: SmolStr = "validWith",
        /// The device that it is from.
        attr_opt device_id: SmolStr = "deviceId",
        /// How it came about: `manual`.
        attr_opt set: SmolStr,
        /// Which type.
        xsi_type kind: StateType,
        /// What is being done.
        text token: Token,
    }
}

content! {
    /// States.
    #[derive(Default)]
    pub struct LegacyStates(PRESENCE_NAMESPACE, "states") {
        /// The states.
        parts state: LegacyState,
    }
}

/// What a client stores for others to read: at most 1024 characters of any markup, which a server passes on as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserInfo(pub Raw);

impl Child for UserInfo {
    const NAME: &'static str = "userInfo";

    fn is(tag: &Tag<'_>) -> bool {
        tag.name == "userInfo"
    }

    fn read(_: &Tag<'_>, reader: &mut Reader<'_>) -> Result<Self, Error> {
        reader.raw().map(Self)
    }

    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }
}

impl UserInfo {
    /// What Communicator 2005 stores in it.
    pub fn data(&self) -> Result<UserInfoData, Error> {
        let mut reader = self.0.reader()?;
        reader.alias(OTHER_PRESENCE_NAMESPACE, PRESENCE_NAMESPACE);
        reader.document()
    }
}

impl From<&UserInfoData> for UserInfo {
    fn from(data: &UserInfoData) -> Self {
        Self(Raw::of(data))
    }
}

element! {
    /// What Communicator 2005 stores in `userInfo`.
    #[derive(Default)]
    pub struct UserInfoData(PRESENCE_NAMESPACE, "userInfo") {
        /// The personal note.
        leaf_opt note: SmolStr,
        /// The automatic reply.
        leaf_opt oof: SmolStr,
        /// States.
        part_opt states: LegacyStates,
    }
}

content! {
    /// What one device says.
    #[derive(Default)]
    pub struct DevicePresence("", "devicePresence") {
        /// The endpoint.
        attr_opt epid: SmolStr,
        /// Seconds since it was said.
        attr_opt age_of_presence: u32 = "ageOfPresence",
        /// Whether somebody is there.
        part_opt availability: Level,
        /// What they do.
        part_opt activity: Level,
        /// Name of the device.
        part_opt device_name: DeviceName = "deviceName",
        /// What it can do.
        part_opt device_data: DeviceData = "devicedata",
        /// What the client stored.
        child_opt user_info: UserInfo,
        /// Free and busy times.
        part_opt calendar_info: CalendarInfo = "calendarInfo",
        /// States.
        part_opt states: LegacyStates,
    }
}

content! {
    /// The devices.
    #[derive(Default)]
    pub struct Devices("", "devices") {
        /// The devices.
        parts device: DevicePresence = "devicePresence",
    }
}

element! {
    /// Presence of a user.
    pub struct Presentity("", "presentity") {
        /// The user, without `sip:`.
        attr uri: SmolStr,
        /// Whether somebody is there.
        part_opt availability: Level,
        /// What they do.
        part_opt activity: Level,
        /// The name.
        part_opt display_name: DisplayName = "displayName",
        /// The address for mail.
        part_opt email: Email,
        /// Telephones.
        parts phone_number: PhoneNumber = "phoneNumber",
        /// What the client stored.
        child_opt user_info: UserInfo,
        /// What each device says.
        part_opt devices: Devices,
    }
}

impl Level {
    /// A number.
    #[must_use]
    pub fn new(aggregate: u32) -> Self {
        Self {
            aggregate,
            description: Some(SmolStr::default()),
            epid: Some(SmolStr::default()),
            note: None,
            extra: Extra::default(),
        }
    }
}

impl Presentity {
    /// Reads a document.
    pub fn read(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut reader = Reader::new(document, limits)?;
        reader.alias(OTHER_PRESENCE_NAMESPACE, PRESENCE_NAMESPACE);
        reader.document()
    }

    /// Presence of a user, whose address is given without `sip:`.
    #[must_use]
    pub fn new(uri: impl Into<SmolStr>, pair: Pair) -> Self {
        Self {
            uri: uri.into(),
            availability: Some(Level::new(pair.availability)),
            activity: Some(Level::new(pair.activity)),
            display_name: None,
            email: None,
            phone_number: Vec::new(),
            user_info: None,
            devices: None,
            extra: Extra::default(),
        }
    }

    /// Presence of a user of 2007 for a reader of 2005.
    #[must_use]
    pub fn of(uri: impl Into<SmolStr>, state: &LegacyInterop) -> Self {
        Self::new(uri, state.into())
    }

    /// With a name.
    #[must_use]
    pub fn named(mut self, name: impl Into<SmolStr>) -> Self {
        self.display_name = Some(DisplayName {
            display_name: name.into(),
            extra: Extra::default(),
        });
        self
    }

    /// With an address for mail.
    #[must_use]
    pub fn mailed(mut self, email: impl Into<SmolStr>) -> Self {
        self.email = Some(Email {
            email: email.into(),
            extra: Extra::default(),
        });
        self
    }

    /// The two numbers; nobody is there when they are absent.
    #[must_use]
    pub fn pair(&self) -> Pair {
        let number = |level: &Option<Level>| level.as_ref().map_or(0, |level| level.aggregate);
        Pair {
            availability: number(&self.availability),
            activity: number(&self.activity),
        }
    }

    /// What a reader of 2007 takes it for: the two numbers, or the latest of the states with numbers of 2007 where that is less
    /// available (inferred). Nobody is there when the numbers say so.
    #[must_use]
    pub fn enhanced(&self) -> Availability {
        let pair = Availability::from(self.pair());
        if pair == Availability::OFFLINE {
            return pair;
        }
        let stored = self.user_info.as_ref().and_then(|info| info.data().ok());
        let stored = stored.and_then(|data| data.states);
        let devices = self.devices.iter().flat_map(|devices| &devices.device);
        let latest = devices
            .filter_map(|device| device.states.as_ref())
            .chain(&stored)
            .flat_map(|states| &states.state)
            .filter_map(|state| Some((state.since, state.avail?)))
            .max_by_key(|(since, _)| *since);
        latest.map_or(pair, |(_, availability)| availability.max(pair))
    }
}
