//! The values of categories: one module for each family of schemas.
//!
//! A category is looked up by its name: [`Category::read`] makes a typed value of an element that a document carries, [`Category::to_raw`]
//! an element of a typed value. Elements and attributes that a schema does not name survive in `extra`.

pub mod activity;
pub mod availability;
pub mod calendar;
mod call_rules;
mod call_settings;
pub mod common;
pub mod contact_card;
pub mod device;
pub mod free_busy;
pub mod note;
pub mod options;
pub mod routing;
pub mod server_data;
pub mod state;
pub mod subscription_context;
pub mod working_hours;

use ocs_xml::{Element, Error, Raw, Reader, SmolStr, words};

pub use activity::{Activity, Token};
pub use availability::{Availability, AvailabilityClass};
pub use calendar::{CalendarData, FreeBusy};
pub use common::{Localized, UpdatedUri};
pub use contact_card::ContactCard;
pub use device::{Capability, Device, Service, Services};
pub use note::{Note, NoteHistory};
pub use options::{Alerts, OtherOptions, RccOptions, UserInformation};
pub use routing::Routing;
pub use server_data::{LegacyInterop, Mwi, UserProperties};
pub use state::{State, StateType};
pub use subscription_context::SubscriptionContext;
pub use working_hours::WorkingHours;

words! {
    /// A category that every server has. An administrator adds others.
    pub enum CategoryName: open {
        /// [`State`].
        State = "state",
        /// [`Note`].
        Note = "note",
        /// [`NoteHistory`].
        NoteHistory = "noteHistory",
        /// [`ContactCard`].
        ContactCard = "contactCard",
        /// [`Device`].
        Device = "device",
        /// [`Services`].
        Services = "services",
        /// [`CalendarData`].
        CalendarData = "calendarData",
        /// [`WorkingHours`].
        WorkingHours = "workingHours",
        /// [`Routing`].
        Routing = "routing",
        /// [`Alerts`].
        Alerts = "alerts",
        /// [`RccOptions`].
        RccOptions = "rccOptions",
        /// [`OtherOptions`].
        OtherOptions = "otherOptions",
        /// [`UserInformation`].
        UserInformation = "userInformation",
        /// [`UserProperties`].
        UserProperties = "userProperties",
        /// [`Mwi`].
        Mwi = "mwi",
        /// [`LegacyInterop`].
        LegacyInterop = "legacyInterop",
        /// A [`State`] that says whether the user must not be disturbed.
        DndState = "dndState",
    }
}

/// The value of a category.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// [`CategoryName::State`].
    State(Box<State>),
    /// [`CategoryName::Note`].
    Note(Note),
    /// [`CategoryName::NoteHistory`].
    NoteHistory(NoteHistory),
    /// [`CategoryName::ContactCard`].
    ContactCard(Box<ContactCard>),
    /// [`CategoryName::Device`].
    Device(Device),
    /// [`CategoryName::Services`].
    Services(Services),
    /// [`CategoryName::CalendarData`].
    CalendarData(Box<CalendarData>),
    /// [`CategoryName::WorkingHours`].
    WorkingHours(Box<WorkingHours>),
    /// [`CategoryName::Routing`].
    Routing(Routing),
    /// [`CategoryName::Alerts`].
    Alerts(Alerts),
    /// [`CategoryName::RccOptions`].
    RccOptions(RccOptions),
    /// [`CategoryName::OtherOptions`].
    OtherOptions(Box<OtherOptions>),
    /// [`CategoryName::UserInformation`].
    UserInformation(Box<UserInformation>),
    /// [`CategoryName::UserProperties`].
    UserProperties(Box<UserProperties>),
    /// [`CategoryName::Mwi`].
    Mwi(Mwi),
    /// [`CategoryName::LegacyInterop`].
    LegacyInterop(LegacyInterop),
    /// [`CategoryName::DndState`].
    DndState(Box<State>),
    /// A category that has no schema here.
    Other(SmolStr, Raw),
}

impl Category {
    /// Reads the value of a category.
    ///
    /// # Errors
    ///
    /// When it is not what the schema of the category says. A reader passes over such a category.
    pub fn read(name: &str, value: &Raw) -> Result<Self, Error> {
        Ok(match CategoryName::from(name) {
            CategoryName::State => Self::State(Box::new(value.decode()?)),
            CategoryName::Note => Self::Note(value.decode()?),
            CategoryName::NoteHistory if value.name() == Note::NAME => {
                // Some clients write the root of the other category.
                let Note { body, extra } = value.decode()?;
                Self::NoteHistory(NoteHistory { body, extra })
            }
            CategoryName::NoteHistory => Self::NoteHistory(value.decode()?),
            CategoryName::ContactCard => Self::ContactCard(Box::new(value.decode()?)),
            CategoryName::Device => Self::Device(value.decode()?),
            CategoryName::Services => Self::Services(value.decode()?),
            CategoryName::CalendarData => Self::CalendarData(Box::new(value.decode()?)),
            CategoryName::WorkingHours => Self::WorkingHours(Box::new(value.decode()?)),
            CategoryName::Routing => Self::Routing(read_routing(value.reader()?)?),
            CategoryName::Alerts => Self::Alerts(value.decode()?),
            CategoryName::RccOptions => Self::RccOptions(value.decode()?),
            CategoryName::OtherOptions => Self::OtherOptions(Box::new(value.decode()?)),
            CategoryName::UserInformation => Self::UserInformation(Box::new(value.decode()?)),
            CategoryName::UserProperties => Self::UserProperties(Box::new(value.decode()?)),
            CategoryName::Mwi => Self::Mwi(value.decode()?),
            CategoryName::LegacyInterop => Self::LegacyInterop(value.decode()?),
            CategoryName::DndState => Self::DndState(Box::new(value.decode()?)),
            CategoryName::Other(name) => Self::Other(name, value.clone()),
        })
    }

    /// The name of the category.
    #[must_use]
    pub fn name(&self) -> CategoryName {
        match self {
            Self::State(_) => CategoryName::State,
            Self::Note(_) => CategoryName::Note,
            Self::NoteHistory(_) => CategoryName::NoteHistory,
            Self::ContactCard(_) => CategoryName::ContactCard,
            Self::Device(_) => CategoryName::Device,
            Self::Services(_) => CategoryName::Services,
            Self::CalendarData(_) => CategoryName::CalendarData,
            Self::WorkingHours(_) => CategoryName::WorkingHours,
            Self::Routing(_) => CategoryName::Routing,
            Self::Alerts(_) => CategoryName::Alerts,
            Self::RccOptions(_) => CategoryName::RccOptions,
            Self::OtherOptions(_) => CategoryName::OtherOptions,
            Self::UserInformation(_) => CategoryName::UserInformation,
            Self::UserProperties(_) => CategoryName::UserProperties,
            Self::Mwi(_) => CategoryName::Mwi,
            Self::LegacyInterop(_) => CategoryName::LegacyInterop,
            Self::DndState(_) => CategoryName::DndState,
            Self::Other(name, _) => CategoryName::Other(name.clone()),
        }
    }

    /// The element that a document carries.
    #[must_use]
    pub fn to_raw(&self) -> Raw {
        match self {
            Self::State(value) | Self::DndState(value) => Raw::of(&**value),
            Self::Note(value) => Raw::of(value),
            Self::NoteHistory(value) => Raw::of(value),
            Self::ContactCard(value) => Raw::of(&**value),
            Self::Device(value) => Raw::of(value),
            Self::Services(value) => Raw::of(value),
            Self::CalendarData(value) => Raw::of(&**value),
            Self::WorkingHours(value) => Raw::of(&**value),
            Self::Routing(value) => Raw::of(value),
            Self::Alerts(value) => Raw::of(value),
            Self::RccOptions(value) => Raw::of(value),
            Self::OtherOptions(value) => Raw::of(&**value),
            Self::UserInformation(value) => Raw::of(&**value),
            Self::UserProperties(value) => Raw::of(&**value),
            Self::Mwi(value) => Raw::of(value),
            Self::LegacyInterop(value) => Raw::of(value),
            Self::Other(_, value) => value.clone(),
        }
    }
}

fn read_routing(mut reader: Reader<'_>) -> Result<Routing, Error> {
    reader.alias(routing::OTHER_NAMESPACE, routing::NAMESPACE);
    reader.document()
}
