//! What the flags, lists and times of `routing` mean together (\[MS-SIPRE\] 3.9.5.1.2).

use crate::category::routing::{Flag, ListName, Routing, Target, WaitName};

/// What shall happen to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules<'a> {
    /// What follows holds in the working hours of the user's calendar data only; else a call rings the user's endpoints as without rules.
    pub working_hours_only: bool,
    /// Invitations to share applications are treated like calls.
    pub includes_application_sharing: bool,
    /// What happens.
    pub handling: Handling<'a>,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling<'a> {
    /// It fails.
    Block,
    /// It is forwarded at once: to a target, or to the voice mail.
    Forward(Option<&'a Target>),
    /// It rings.
    Ring(Ring<'a>),
}

/// Who rings besides the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group<'a> {
    /// A team.
    Team(&'a [Target]),
    /// Delegates.
    Delegates(&'a [Target]),
}

/// How a call rings. Times are in seconds; one that is absent is the server's (recalled: 20 in all).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ring<'a> {
    /// The user's own endpoints and the telephone beside them do not ring, unless the call comes from, or was transferred by, a URI of
    /// [`breakthrough`](Self::breakthrough) or one of the delegates.
    pub skip_primary: bool,
    /// Whose calls reach the user in spite of [`skip_primary`](Self::skip_primary).
    pub breakthrough: &'a [Target],
    /// A telephone that rings with the user's endpoints.
    pub simultaneous: Option<&'a Target>,
    /// Who else rings.
    pub group: Option<Group<'a>>,
    /// Where the call goes when nobody answers; the voice mail when absent.
    pub unanswered: Option<&'a Target>,
    /// From the beginning to the end of all ringing.
    pub total: Option<u32>,
    /// How long the user's own endpoints ring alone.
    pub user: Option<u32>,
    /// How long the first of delegates or team ring (recalled).
    pub team1: Option<u32>,
    /// From when the team rings until it ends.
    pub team2: Option<u32>,
}

impl<'a> Rules<'a> {
    pub(super) fn of(routing: &'a Routing) -> Self {
        let working_hours_only = routing.has(&Flag::WorkHours) && !routing.has(&Flag::Block);
        Self {
            working_hours_only,
            includes_application_sharing: routing.has(&Flag::ForwardAudioAppInvites),
            handling: Handling::of(routing),
        }
    }

    /// What happens to a call now. Outside the working hours, where they matter, it rings the user's endpoints and goes to the voice mail.
    #[must_use]
    pub fn now(&self, in_working_hours: bool) -> Handling<'a> {
        if self.working_hours_only && !in_working_hours {
            Handling::Ring(Ring::default())
        } else {
            self.handling
        }
    }
}

impl<'a> Handling<'a> {
    fn of(routing: &'a Routing) -> Self {
        if routing.has(&Flag::E911Active) {
            // The call back of the emergency centre must reach the endpoint: \[MS-SIPRE\] 3.17.5.1.
            return Self::Ring(Ring::default());
        }
        if routing.has(&Flag::Block) {
            return Self::Block;
        }
        let first = |name| routing.targets(&name).first();
        let forward = routing
            .has(&Flag::EnableCf)
            .then(|| first(ListName::ForwardTo))
            .flatten();
        if routing.has(&Flag::ForwardImmediate) {
            return Self::Forward(forward);
        }
        let group = if routing.has(&Flag::TeamRing) {
            Some(Group::Team(routing.targets(&ListName::Team)))
        } else if routing.has(&Flag::DelegateRing) {
            Some(Group::Delegates(routing.targets(&ListName::Delegates)))
        } else {
            None
        };
        let simultaneous = routing
            .has(&Flag::SimultaneousRing)
            .then(|| first(ListName::SimultaneousRing))
            .flatten();
        Self::Ring(Ring {
            skip_primary: routing.has(&Flag::SkipPrimary),
            breakthrough: routing.targets(&ListName::Breakthrough),
            simultaneous,
            group,
            unanswered: forward,
            total: routing.wait(&WaitName::Total),
            user: routing.wait(&WaitName::User),
            team1: routing.wait(&WaitName::Team1),
            team2: routing.wait(&WaitName::Team2),
        })
    }
}
