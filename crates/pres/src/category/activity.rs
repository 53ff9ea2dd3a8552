//! What somebody does.

use ocs_xml::{element, words};

use crate::category::{Availability, Localized, state};

words! {
    /// An activity that every reader knows. Compared with case; written in lower case (\[MS-PRES\], state schema).
    ///
    /// The tokens from [`Available`](Self::Available) on are those of states of 2005 and of SIPE.
    pub enum Token: open {
        /// In a call.
        OnThePhone = "on-the-phone",
        /// In a call of several.
        InAConference = "in-a-conference",
        /// In a meeting.
        InAMeeting = "in-a-meeting",
        /// Out of office.
        OutOfOffice = "out-of-office",
        /// Only what is urgent may interrupt.
        UrgentInterruptionsOnly = "urgent-interruptions-only",
        /// Off work.
        OffWork = "off-work",
        /// Presents something.
        InPresentation = "in-presentation",
        /// Available.
        Available = "available",
        /// Available.
        Online = "online",
        /// The machine is idle.
        Idle = "idle",
        /// Busy.
        Busy = "busy",
        /// Busy, the machine idle.
        BusyIdle = "busyidle",
        /// Must not be disturbed.
        DoNotDisturb = "do-not-disturb",
        /// Will be right back.
        BeRightBack = "be-right-back",
        /// Away.
        Away = "away",
        /// At lunch.
        OutToLunch = "out-to-lunch",
        /// Signed in, but appears offline.
        Invisible = "invisible",
        /// Offline.
        Offline = "offline",
        /// Nothing was chosen.
        Unset = "unset",
    }
}

impl Token {
    /// What a reader is shown; `None` for a token that is not known, or says nothing.
    #[must_use]
    pub const fn text(&self) -> Option<&'static str> {
        Some(match self {
            Self::OnThePhone => "In a call",
            Self::InAConference => "In a conference call",
            Self::InAMeeting => "In a meeting",
            Self::OutOfOffice => "Out of office",
            Self::UrgentInterruptionsOnly => "Urgent interruptions only",
            Self::OffWork => "Off work",
            Self::InPresentation => "Presenting",
            Self::Available | Self::Online => "Available",
            Self::Idle => "Inactive",
            Self::Busy | Self::BusyIdle => "Busy",
            Self::DoNotDisturb => "Do not disturb",
            Self::BeRightBack => "Be right back",
            Self::Away => "Away",
            Self::OutToLunch => "Out to lunch",
            Self::Invisible | Self::Offline => "Offline",
            Self::Unset | Self::Other(_) => return None,
        })
    }
}

element! {
    /// An activity. It counts while the aggregated availability is in its range.
    #[derive(Default)]
    pub struct Activity(state::NAMESPACE, "activity") {
        /// One that every reader knows.
        attr_opt token: Token,
        /// From which availability on; 0 when absent.
        attr_opt min_availability: Availability = "minAvailability",
        /// Up to which; no bound when absent.
        attr_opt max_availability: Availability = "maxAvailability",
        /// The publisher's own words, one for each language.
        parts custom: Localized,
    }
}

impl Activity {
    /// An activity that every reader knows, in the range that clients publish it with.
    #[must_use]
    pub fn new(token: Token) -> Self {
        let (min, max) = match token {
            Token::OnThePhone | Token::InAMeeting => (Some(6500), Some(8999)),
            Token::InAConference => (Some(7000), Some(8999)),
            Token::UrgentInterruptionsOnly => (Some(6900), Some(8999)),
            Token::InPresentation => (Some(9000), Some(11999)),
            Token::OutOfOffice => (Some(12000), None),
            _ => (None, None),
        };
        Self {
            token: Some(token),
            min_availability: min.map(Availability),
            max_availability: max.map(Availability),
            ..Self::default()
        }
    }

    /// An activity in the publisher's own words.
    #[must_use]
    pub fn custom(texts: Vec<Localized>, min: Availability, max: Availability) -> Self {
        Self {
            min_availability: Some(min),
            max_availability: Some(max),
            custom: texts,
            ..Self::default()
        }
    }

    /// Whether it counts at an availability.
    #[must_use]
    pub fn counts_at(&self, availability: Availability) -> bool {
        self.min_availability.is_none_or(|min| min <= availability)
            && self.max_availability.is_none_or(|max| availability <= max)
    }

    /// What a reader is shown.
    #[must_use]
    pub fn text(&self, lcid: u32) -> Option<&str> {
        self.token
            .as_ref()
            .and_then(Token::text)
            .or_else(|| Localized::choose(&self.custom, lcid).map(|text| text.value.as_str()))
    }
}
