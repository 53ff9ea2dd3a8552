//! The usual settings for calls, written as `routing`.

use ocs_xml::{Extra, SmolStr};

use crate::category::routing::{Flag, List, ListName, Routing, Rule, Target, Wait, WaitName};

/// Settings for calls, as a client offers them to its user.
///
/// ```
/// use ocs_pres::category::routing::{CallSettings, Handling};
///
/// let routing = CallSettings::default()
///     .simultaneous_ring("sip:+15550100@contoso.com;user=phone")
///     .in_working_hours()
///     .ring_for(30)
///     .build();
/// let rules = routing.rules();
/// assert!(rules.working_hours_only);
/// let Handling::Ring(ring) = rules.handling else { panic!() };
/// assert_eq!(ring.total, Some(30));
/// assert!(ring.simultaneous.is_some());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallSettings {
    flags: Vec<Flag>,
    lists: Vec<(ListName, Vec<SmolStr>)>,
    waits: Vec<(WaitName, u32)>,
}

impl CallSettings {
    fn flag(mut self, flag: Flag) -> Self {
        if !self.flags.contains(&flag) {
            self.flags.push(flag);
        }
        self
    }

    fn without(mut self, flag: &Flag) -> Self {
        self.flags.retain(|known| known != flag);
        self
    }

    fn list<S: Into<SmolStr>>(mut self, name: ListName, uris: impl IntoIterator<Item = S>) -> Self {
        self.lists.retain(|(known, _)| *known != name);
        let uris = uris.into_iter().map(Into::into).collect();
        self.lists.push((name, uris));
        self
    }

    fn wait(mut self, name: WaitName, seconds: u32) -> Self {
        self.waits.retain(|(known, _)| *known != name);
        self.waits.push((name, seconds));
        self
    }

    /// All calls go to a target at once.
    #[must_use]
    pub fn forward_to(self, uri: impl Into<SmolStr>) -> Self {
        self.without(&Flag::SimultaneousRing)
            .flag(Flag::ForwardImmediate)
            .unanswered_to(uri)
    }

    /// All calls go to the voice mail at once.
    #[must_use]
    pub fn forward_to_voice_mail(self) -> Self {
        self.without(&Flag::SimultaneousRing)
            .without(&Flag::EnableCf)
            .flag(Flag::ForwardImmediate)
    }

    /// A telephone rings with the user's endpoints.
    #[must_use]
    pub fn simultaneous_ring(self, uri: impl Into<SmolStr>) -> Self {
        self.without(&Flag::ForwardImmediate)
            .flag(Flag::SimultaneousRing)
            .list(ListName::SimultaneousRing, [uri])
    }

    /// Calls that nobody answers go to a target, and not to the voice mail.
    #[must_use]
    pub fn unanswered_to(self, uri: impl Into<SmolStr>) -> Self {
        self.flag(Flag::EnableCf).list(ListName::ForwardTo, [uri])
    }

    /// A team rings too, `after` so many seconds.
    #[must_use]
    pub fn team_ring<S: Into<SmolStr>>(
        self,
        team: impl IntoIterator<Item = S>,
        after: u32,
    ) -> Self {
        self.without(&Flag::DelegateRing)
            .flag(Flag::TeamRing)
            .list(ListName::Team, team)
            .ring_alone_for(after)
    }

    /// Delegates ring too, `after` so many seconds.
    #[must_use]
    pub fn delegate_ring<S: Into<SmolStr>>(
        self,
        delegates: impl IntoIterator<Item = S>,
        after: u32,
    ) -> Self {
        self.without(&Flag::TeamRing)
            .flag(Flag::DelegateRing)
            .list(ListName::Delegates, delegates)
            .ring_alone_for(after)
    }

    /// The user's own endpoints do not ring, but for calls of these.
    #[must_use]
    pub fn skip_primary<S: Into<SmolStr>>(self, breakthrough: impl IntoIterator<Item = S>) -> Self {
        self.flag(Flag::SkipPrimary)
            .list(ListName::Breakthrough, breakthrough)
    }

    /// All this holds in working hours only.
    #[must_use]
    pub fn in_working_hours(self) -> Self {
        self.flag(Flag::WorkHours)
    }

    /// How long it rings in all, in seconds.
    #[must_use]
    pub fn ring_for(self, seconds: u32) -> Self {
        self.wait(WaitName::Total, seconds)
    }

    /// How long the user's own endpoints ring alone, in seconds.
    #[must_use]
    pub fn ring_alone_for(self, seconds: u32) -> Self {
        self.wait(WaitName::User, seconds)
    }

    /// The document.
    #[must_use]
    pub fn build(self) -> Routing {
        let flags = std::iter::once(Routing::flags(self.flags));
        let waits = self.waits.into_iter().map(|(name, seconds)| {
            Rule::Wait(Wait {
                name,
                seconds,
                extra: Extra::default(),
            })
        });
        let lists = self.lists.into_iter().map(|(name, uris)| {
            Rule::List(List {
                name,
                target: uris.into_iter().map(Target::uri).collect(),
                extra: Extra::default(),
            })
        });
        Routing::new(flags.chain(waits).chain(lists).collect())
    }
}
