//! The category `routing`: what shall happen to calls (\[MS-PRES\], routing schema; \[MS-SIPRE\] 3.9.5.1.2, 3.9.5.1.4).
//!
//! [`Routing`] is the document, [`Routing::rules`] what its flags, lists and times mean together, [`CallSettings`] the way to write the
//! usual ones.

use ocs_xml::{Extra, SmolStr, Value, choice, content, element, words};

pub use super::call_rules::{Group, Handling, Ring, Rules};
pub use super::call_settings::CallSettings;

/// The namespace: year and month stand the other way round than in the rest of the system.
pub const NAMESPACE: &str = "http://schemas.microsoft.com/02/2006/sip/routing";
/// What some pages of the schema's documentation print in its place. Read, never written.
pub const OTHER_NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/routing";

words! {
    /// What shall happen to a call.
    pub enum Flag: open {
        /// It fails.
        Block = "block",
        /// The rules hold in working hours only.
        WorkHours = "work_hours",
        /// It is forwarded at once.
        ForwardImmediate = "forward_immediate",
        /// Another telephone rings too.
        SimultaneousRing = "simultaneous_ring",
        /// It goes to a target, and not to the voice mail, when it is not answered, or at once.
        EnableCf = "enablecf",
        /// Delegates ring too.
        DelegateRing = "delegate_ring",
        /// A team rings too.
        TeamRing = "team_ring",
        /// The user's own endpoints do not ring.
        SkipPrimary = "skip_primary",
        /// Invitations to share applications are treated as calls.
        ForwardAudioAppInvites = "forward_audio_app_invites",
        /// An emergency call is active: nothing is forwarded.
        E911Active = "e911active",
    }
}

words! {
    /// What a list is for.
    pub enum ListName: open {
        /// Where calls are forwarded. The first target counts.
        ForwardTo = "forwardto",
        /// What rings too. The first target counts.
        SimultaneousRing = "simultaneous_ring",
        /// The team.
        Team = "team",
        /// The delegates.
        Delegates = "delegates",
        /// Reserved.
        FirstDelegate = "first_delegate",
        /// Whose calls reach a user whose own endpoints do not ring.
        Breakthrough = "breakthrough",
        /// Reserved.
        AddVoice = "add_voice",
        /// Telephones that are controlled.
        ControlledDevice = "ControlledDevice",
    }
}

words! {
    /// What a time is for.
    pub enum WaitName: open {
        /// From the beginning to the end of all ringing.
        Total = "total",
        /// How long the user's own endpoints ring alone.
        User = "user",
        /// How long the first of delegates or team ring (recalled).
        Team1 = "team1",
        /// From when the team rings until it ends.
        Team2 = "team2",
    }
}

/// Flags, with blanks between them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct FlagList(pub Vec<Flag>);

impl Value for FlagList {
    fn parse(text: &str) -> Option<Self> {
        Some(Self(
            text.split_ascii_whitespace().map(Flag::from).collect(),
        ))
    }

    fn format(&self, out: &mut String) {
        for (index, flag) in self.0.iter().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            out.push_str(flag.as_str());
        }
    }
}

element! {
    /// Flags. Only those named `clientflags` count.
    pub struct Flags(NAMESPACE, "flags") {
        /// `clientflags`.
        attr name: SmolStr,
        /// The flags.
        attr value: FlagList,
    }
}

element! {
    /// A time.
    pub struct Wait(NAMESPACE, "wait") {
        /// What it is for.
        attr name: WaitName,
        /// Seconds.
        attr seconds: u32,
    }
}

element! {
    /// Who is rung or forwarded to: a URI, or an application such as the voice mail.
    #[derive(Default)]
    pub struct Target(NAMESPACE, "target") {
        /// SIP URI.
        attr_opt uri: SmolStr,
        /// Name of an application.
        attr_opt application: SmolStr,
    }
}

element! {
    /// Targets.
    pub struct List(NAMESPACE, "list") {
        /// What they are for.
        attr name: ListName,
        /// The targets.
        children target: Target,
    }
}

choice! {
    /// A piece of the rules.
    pub enum Rule("flags, wait or list") {
        /// Flags.
        Flags(Flags),
        /// A time.
        Wait(Wait),
        /// Targets.
        List(List),
    }
}

content! {
    /// The rules, in any order.
    #[derive(Default)]
    pub struct Preamble(NAMESPACE, "preamble") {
        /// The pieces.
        children rule: Rule,
    }
}

element! {
    /// What shall happen to calls.
    pub struct Routing(NAMESPACE, "routing") {
        /// `rtcdefault`.
        attr_opt name: SmolStr,
        /// Version of the rules.
        attr_opt version: i32,
        /// What a client must be to understand them.
        attr_opt min_supported_client_version: SmolStr = "minSupportedClientVersion",
        /// The rules.
        part preamble: Preamble,
    }
}

impl Target {
    /// A target by its SIP URI.
    #[must_use]
    pub fn uri(uri: impl Into<SmolStr>) -> Self {
        Self {
            uri: Some(uri.into()),
            ..Self::default()
        }
    }
}

impl Routing {
    /// Rules as they are named on the wire.
    #[must_use]
    pub fn new(rules: Vec<Rule>) -> Self {
        Self {
            name: Some("rtcdefault".into()),
            version: Some(1),
            min_supported_client_version: None,
            preamble: Preamble {
                rule: rules,
                extra: Extra::default(),
            },
            extra: Extra::default(),
        }
    }

    /// Rules by which every call fails: what is published for those who are blocked.
    #[must_use]
    pub fn block() -> Self {
        Self::new(vec![Self::flags(vec![Flag::Block])])
    }

    /// The flags that count.
    #[must_use]
    pub fn flags(flags: Vec<Flag>) -> Rule {
        Rule::Flags(Flags {
            name: CLIENT_FLAGS.into(),
            value: FlagList(flags),
            extra: Extra::default(),
        })
    }

    /// What the rules mean.
    #[must_use]
    pub fn rules(&self) -> Rules<'_> {
        Rules::of(self)
    }

    pub(super) fn has(&self, flag: &Flag) -> bool {
        self.preamble.rule.iter().any(|rule| match rule {
            Rule::Flags(flags) => flags.name == CLIENT_FLAGS && flags.value.0.contains(flag),
            Rule::Wait(_) | Rule::List(_) => false,
        })
    }

    /// The targets of a list; none when it is not there.
    #[must_use]
    pub fn targets(&self, name: &ListName) -> &[Target] {
        self.preamble
            .rule
            .iter()
            .find_map(|rule| match rule {
                Rule::List(list) if list.name == *name => Some(&list.target[..]),
                _ => None,
            })
            .unwrap_or_default()
    }

    /// A time in seconds.
    #[must_use]
    pub fn wait(&self, name: &WaitName) -> Option<u32> {
        self.preamble.rule.iter().find_map(|rule| match rule {
            Rule::Wait(wait) if wait.name == *name => Some(wait.seconds),
            _ => None,
        })
    }
}

const CLIENT_FLAGS: &str = "clientflags";
