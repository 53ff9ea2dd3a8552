//! What clients publish when something happens: instances, containers and how long they live (\[MS-PRES\], publication of the categories).
//!
//! Each function makes the publications of one event, with version 0; [`with_versions`] puts in the versions that the publisher knows.
//!
//! ```
//! use ocs_pres::category::Availability;
//! use ocs_pres::{doc::Publish, publications};
//!
//! let busy = publications::user_state(Availability::BUSY);
//! assert_eq!(busy.len(), 2);
//! assert_eq!(busy[0].instance, 0x2400_0000);
//! let request = Publish::new("sip:bob@contoso.com", busy);
//! # let _ = ocs_xml::to_string(&request);
//! ```

use ocs_xml::{Element, Raw, SmolStr};

use crate::category::note::Body;
use crate::category::{
    Activity, Availability, AvailabilityClass, CalendarData, Category, CategoryName, Device,
    FreeBusy, Localized, Note, NoteHistory, Routing, State, StateType, Token, WorkingHours,
};
use crate::doc::{ContainerId, ExpireType, Publication};
use crate::instance::{self, Source};

/// How long busy and do-not-disturb hold, in seconds.
pub const TIMED_STATE: i64 = 86_400;

/// The two inputs of aggregation.
const RAW: [ContainerId; 2] = [
    ContainerId::FIRST_AGGREGATION,
    ContainerId::SECOND_AGGREGATION,
];
/// Who sees details.
const INNER: [ContainerId; 3] = [
    ContainerId::COMPANY,
    ContainerId::TEAM,
    ContainerId::PERSONAL,
];
/// Who sees nothing but the least.
const OUTER: [ContainerId; 2] = [ContainerId::PUBLIC, ContainerId::BLOCKED];

fn of<T: Element>(
    name: &CategoryName,
    instance: u32,
    container: ContainerId,
    expire_type: ExpireType,
    value: &T,
) -> Publication {
    let value = Some(Raw::of(value));
    Publication::new(name.as_str(), instance, container, 0, expire_type, value)
}

fn state(
    instance: u32,
    container: ContainerId,
    expire_type: ExpireType,
    value: &State,
) -> Publication {
    of(
        &CategoryName::State,
        instance,
        container,
        expire_type,
        value,
    )
}

fn in_both(instance: u32, expire_type: ExpireType, value: &State) -> Vec<Publication> {
    RAW.map(|container| state(instance, container, expire_type, value))
        .into()
}

fn remove_in(
    name: &CategoryName,
    instance: u32,
    containers: &[ContainerId],
    expire_type: ExpireType,
) -> Vec<Publication> {
    containers
        .iter()
        .map(|container| Publication::removal(name.as_str(), instance, *container, 0, expire_type))
        .collect()
}

/// Puts the versions that the publisher knows into publications: those that the last document of its self subscription had, or 0.
pub fn with_versions(
    publications: &mut [Publication],
    version: impl Fn(&str, u32, ContainerId) -> u32,
) {
    for publication in publications {
        publication.version = version(
            &publication.category_name,
            publication.instance,
            publication.container,
        );
    }
}

/// The user chooses a state. Busy and do-not-disturb hold for a day, others until they are changed. Workgroup sees do-not-disturb as busy,
/// but for what is urgent.
///
/// What holds for a time goes before what holds until it is changed, so whoever changes from one to the other removes the one before:
/// [`reset_user_state`].
#[must_use]
pub fn user_state(availability: Availability) -> Vec<Publication> {
    user_state_with(availability, None)
}

/// As [`user_state`], with an activity.
#[must_use]
pub fn user_state_with(availability: Availability, activity: Option<Activity>) -> Vec<Publication> {
    let mut first = State::user(availability);
    first.activity.extend(activity);
    let class = availability.class();
    if !matches!(
        class,
        AvailabilityClass::Busy | AvailabilityClass::DoNotDisturb
    ) {
        return in_both(instance::STATE_USER, ExpireType::Static, &first);
    }
    let second = for_workgroup(&first);
    [first, second]
        .iter()
        .zip(RAW)
        .map(|(value, container)| {
            let publication = state(
                instance::STATE_USER_TIMED,
                container,
                ExpireType::Time,
                value,
            );
            publication.expires(TIMED_STATE)
        })
        .collect()
}

/// What a state becomes for the second aggregation: a user's choice of do-not-disturb is busy, but for what is urgent; others stay.
#[must_use]
pub fn for_workgroup(first: &State) -> State {
    let mut second = first.clone();
    if first.kind == Some(StateType::UserState)
        && first.manual == Some(true)
        && first.class() == AvailabilityClass::DoNotDisturb
    {
        second.availability = Some(Availability::URGENT_INTERRUPTIONS_ONLY);
        second.activity = vec![Activity::new(Token::UrgentInterruptionsOnly)];
    }
    second
}

/// The user takes their choice back. The version of instances that are not there is not known, so those are to be left out.
#[must_use]
pub fn reset_user_state() -> Vec<Publication> {
    let mut removals = remove_in(
        &CategoryName::State,
        instance::STATE_USER,
        &RAW,
        ExpireType::Static,
    );
    removals.extend(remove_in(
        &CategoryName::State,
        instance::STATE_USER_TIMED,
        &RAW,
        ExpireType::Time,
    ));
    removals
}

/// What an endpoint sees of its user: active ([`Availability::AVAILABLE`]), idle ([`Availability::IDLE`]), away or locked
/// ([`Availability::AWAY`]).
#[must_use]
pub fn machine_state(endpoint: Source, availability: Availability) -> Vec<Publication> {
    in_both(
        endpoint.machine_state(),
        ExpireType::Endpoint,
        &State::machine(availability),
    )
}

/// What an endpoint is and can do.
#[must_use]
pub fn device(endpoint: Source, device: &Device) -> Publication {
    of(
        &CategoryName::Device,
        endpoint.device(),
        ContainerId::FIRST_AGGREGATION,
        ExpireType::Endpoint,
        device,
    )
}

/// What a user does on a telephone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Talks to one.
    Call,
    /// Talks to several.
    Conference,
    /// Shares an application or a screen.
    Presentation,
}

impl Call {
    /// How available that leaves the user, and what it is called.
    #[must_use]
    pub const fn meaning(self) -> (Availability, Token) {
        match self {
            Self::Call => (Availability::BUSY, Token::OnThePhone),
            Self::Conference => (Availability::IN_A_CONFERENCE, Token::InAConference),
            Self::Presentation => (Availability::PRESENTING, Token::InPresentation),
        }
    }
}

/// A call begins or changes. `instance` is one of the telephone ids of [`Source`], `uri` the telephone's TEL URI.
#[must_use]
pub fn phone_state(instance: u32, uri: Option<SmolStr>, call: Call) -> Vec<Publication> {
    let (availability, token) = call.meaning();
    let value = State::phone(uri, availability, Activity::new(token));
    in_both(instance, ExpireType::Endpoint, &value)
}

/// The call ends.
#[must_use]
pub fn phone_state_end(instance: u32) -> Vec<Publication> {
    remove_in(&CategoryName::State, instance, &RAW, ExpireType::Endpoint)
}

/// A meeting begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meeting {
    /// SMTP address of the mailbox.
    pub mailbox: SmolStr,
    /// What it is about, when that may be published.
    pub subject: Option<Localized>,
    /// Where it is, when that may be published.
    pub location: Option<Localized>,
    /// Others take part; else it is an appointment, which makes busy without saying why.
    pub has_attendees: bool,
}

/// A meeting begins. It is gone when the endpoint is, or [`meeting_end`] is published.
#[must_use]
pub fn meeting(meeting: &Meeting) -> Vec<Publication> {
    let mut value = State::calendar(meeting.mailbox.clone());
    value.availability = Some(Availability::BUSY);
    if meeting.has_attendees {
        value.activity.push(Activity::new(Token::InAMeeting));
    }
    // An empty place stands before the subject on the wire, as clients write it.
    value.endpoint_location = Some(SmolStr::default());
    value.meeting_subject.clone_from(&meeting.subject);
    value.meeting_location.clone_from(&meeting.location);
    let instance = Source::from_name(&meeting.mailbox).meeting();
    in_both(instance, ExpireType::Endpoint, &value)
}

/// The meeting of a mailbox ends.
#[must_use]
pub fn meeting_end(mailbox: &str) -> Vec<Publication> {
    let instance = Source::from_name(mailbox).meeting();
    remove_in(&CategoryName::State, instance, &RAW, ExpireType::Endpoint)
}

/// Out of office: by a meeting in the calendar, while the endpoint is there; or by the automatic reply, until it is taken back.
#[must_use]
pub fn out_of_office(mailbox: &str, automatic_reply: bool) -> Vec<Publication> {
    let mut value = State::calendar(mailbox.into());
    value.activity.push(Activity::new(Token::OutOfOffice));
    let (instance, expire_type) = out_of_office_instance(mailbox, automatic_reply);
    in_both(instance, expire_type, &value)
}

/// No longer out of office.
#[must_use]
pub fn out_of_office_end(mailbox: &str, automatic_reply: bool) -> Vec<Publication> {
    let (instance, expire_type) = out_of_office_instance(mailbox, automatic_reply);
    remove_in(&CategoryName::State, instance, &RAW, expire_type)
}

fn out_of_office_instance(mailbox: &str, automatic_reply: bool) -> (u32, ExpireType) {
    let source = Source::from_name(mailbox);
    if automatic_reply {
        (source.out_of_office_message(), ExpireType::Static)
    } else {
        (source.out_of_office_meeting(), ExpireType::Endpoint)
    }
}

fn to_inner<T: Element>(
    name: &CategoryName,
    instance: u32,
    expire_type: ExpireType,
    value: &T,
    hidden: &T,
    outer: &[ContainerId],
) -> Vec<Publication> {
    let inner = INNER.iter().map(|container| (container, value));
    let outer = outer.iter().map(|container| (container, hidden));
    inner
        .chain(outer)
        .map(|(container, value)| of(name, instance, *container, expire_type, value))
        .collect()
}

/// The user writes a note. External and blocked contacts do not see it.
#[must_use]
pub fn personal_note(text: &str) -> Vec<Publication> {
    to_inner(
        &CategoryName::Note,
        instance::NOTE_PERSONAL,
        ExpireType::Static,
        &Note::from(Body::personal(text)),
        &Note::default(),
        &OUTER,
    )
}

/// The user takes their note away.
#[must_use]
pub fn personal_note_end() -> Vec<Publication> {
    remove_in(
        &CategoryName::Note,
        instance::NOTE_PERSONAL,
        &INNER,
        ExpireType::Static,
    )
}

/// The automatic reply of a mailbox becomes a note.
#[must_use]
pub fn out_of_office_note(mailbox: &str, text: &str) -> Vec<Publication> {
    to_inner(
        &CategoryName::Note,
        Source::from_name(mailbox).out_of_office_note(),
        ExpireType::Static,
        &Note::from(Body::oof(mailbox, text)),
        &Note::default(),
        &OUTER,
    )
}

/// The last notes.
#[must_use]
pub fn note_history(history: &NoteHistory) -> Vec<Publication> {
    to_inner(
        &CategoryName::NoteHistory,
        instance::SINGLE,
        ExpireType::Static,
        history,
        history,
        &[],
    )
}

/// When a mailbox's owner is free. The user's own container and those who see nothing get it empty.
#[must_use]
pub fn free_busy(mailbox: &str, free_busy: FreeBusy) -> Vec<Publication> {
    let value = CalendarData {
        mailbox_id: Some(mailbox.into()),
        free_busy: Some(free_busy),
        ..CalendarData::default()
    };
    to_inner(
        &CategoryName::CalendarData,
        Source::from_name(mailbox).free_busy(),
        ExpireType::Endpoint,
        &value,
        &CalendarData::default(),
        &[ContainerId::SELF, ContainerId::PUBLIC, ContainerId::BLOCKED],
    )
}

/// When a mailbox's owner works; also for the server, which routes calls by it.
#[must_use]
pub fn working_hours(mailbox: &str, hours: &WorkingHours) -> Vec<Publication> {
    let value = CalendarData {
        mailbox_id: Some(mailbox.into()),
        working_hours: Some(hours.clone()),
        ..CalendarData::default()
    };
    let calendar = |container, value: &CalendarData| {
        of(
            &CategoryName::CalendarData,
            instance::CALENDAR_WORKING_HOURS,
            container,
            ExpireType::Static,
            value,
        )
    };
    let mut all = vec![calendar(ContainerId::SELF, &value)];
    all.extend(INNER.map(|container| calendar(container, &value)));
    all.extend(OUTER.map(|container| calendar(container, &CalendarData::default())));
    all.push(of(
        &CategoryName::WorkingHours,
        instance::SINGLE,
        ContainerId::SELF,
        ExpireType::Static,
        hours,
    ));
    all
}

/// What shall happen to calls: the same for all but those who are blocked, whose calls fail.
#[must_use]
pub fn routing(routing: &Routing) -> Vec<Publication> {
    let place = |container, value| {
        of(
            &CategoryName::Routing,
            instance::ROUTING,
            container,
            ExpireType::Static,
            value,
        )
    };
    let mut all: Vec<Publication> = [ContainerId::DEFAULT, ContainerId::PUBLIC]
        .into_iter()
        .chain(INNER)
        .map(|container| place(container, routing))
        .collect();
    all.push(place(ContainerId::BLOCKED, &Routing::block()));
    all
}

/// Whether the user must not be disturbed, for the server that routes calls. Workgroup may always disturb.
#[must_use]
pub fn dnd_state(do_not_disturb: bool) -> Vec<Publication> {
    let value = if do_not_disturb {
        State {
            endpoint_location: None,
            ..State::user(Availability::DO_NOT_DISTURB)
        }
    } else {
        State::default()
    };
    let place = |container, value: &State| {
        of(
            &CategoryName::DndState,
            instance::SINGLE,
            container,
            ExpireType::Static,
            value,
        )
    };
    let told = [
        ContainerId::DEFAULT,
        ContainerId::FIRST_AGGREGATION,
        ContainerId::PUBLIC,
        ContainerId::COMPANY,
        ContainerId::PERSONAL,
    ];
    let untold = [ContainerId::SECOND_AGGREGATION, ContainerId::TEAM];
    told.into_iter()
        .map(|container| place(container, &value))
        .chain(untold.map(|container| place(container, &State::default())))
        .collect()
}

/// Options of the user, or what only the user's own endpoints shall see: `alerts`, `rccOptions`, `otherOptions`, `userInformation`.
#[must_use]
pub fn own_option(instance: u32, option: &Category) -> Publication {
    Publication::new(
        option.name().as_str(),
        instance,
        ContainerId::SELF,
        0,
        ExpireType::Static,
        Some(option.to_raw()),
    )
}
