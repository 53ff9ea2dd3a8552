//! How a call behaves.

use std::time::Duration;

use ocs_sdpext::negotiation;
use ocs_sip_core::dialog::{AnswerTimers, SessionPolicy};

/// Option tags beyond those of this crate that a client of 2016 lists in an INVITE. Take out what the program cannot do: `ms-conf-invite`
/// says that it can be invited to a conference, `ms-sender` that it reads Ms-Sender.
pub const CLIENT_TAGS: [&str; 4] = [
    "histinfo",
    "ms-safe-transfer",
    "ms-sender",
    "ms-conf-invite",
];

/// How a call behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// How streams are negotiated.
    pub negotiation: negotiation::Config,
    /// Contact of all messages: the GRUU in angle brackets. A request that holds the call adds
    /// [`SENDS_NO_RENDERING`](negotiation::SENDS_NO_RENDERING).
    pub contact: String,
    /// User-Agent of all messages; none if empty.
    pub user_agent: String,
    /// Session timers (RFC 4028). Default 1800 s, refreshed after half of it.
    pub session_timer: SessionPolicy,
    /// Whether provisional responses may be reliable (RFC 3262): `100rel` is listed, and a 183 with an answer is reliable where the peer
    /// lists it too. Default true.
    pub reliable_provisional: bool,
    /// Whether there is media before the call is answered: `ms-early-media` is listed, and
    /// [`Call::answer_early`](crate::Call::answer_early) sends the answer in a 183. Default true.
    pub early_media: bool,
    /// Whether an offer of the peer with candidates of \[MS-ICE\] is understood. Default true. If not, another form of a multipart
    /// is looked for.
    pub legacy_ice: bool,
    /// Further option tags for Supported, which are also accepted in Require. Default [`CLIENT_TAGS`].
    pub supported: Vec<String>,
    /// How long the peer of an outgoing call may take to answer; then the INVITE is cancelled. Default 3 minutes; none: for ever.
    /// A user agent of UCMA waits 1 to 30 minutes.
    pub answer_timeout: Option<Duration>,
    /// How long a transfer may go on after the REFER was accepted. Default 10 minutes, as of UCMA, which takes 1 to 30.
    pub transfer_timeout: Duration,
    /// Repetition of answers and reliable provisional responses. A call that has ended waits so long for answers to its last requests.
    pub answer_timers: AnswerTimers,
    /// Bounds on what the peer can make the call hold.
    pub limits: Limits,
}

impl Config {
    /// The defaults with this Contact.
    #[must_use]
    pub fn new(contact: impl Into<String>) -> Self {
        Self {
            negotiation: negotiation::Config::default(),
            contact: contact.into(),
            user_agent: String::new(),
            session_timer: SessionPolicy::default(),
            reliable_provisional: true,
            early_media: true,
            legacy_ice: true,
            supported: CLIENT_TAGS.map(str::to_owned).to_vec(),
            answer_timeout: Some(Duration::from_secs(180)),
            transfer_timeout: Duration::from_secs(600),
            answer_timers: AnswerTimers::default(),
            limits: Limits::default(),
        }
    }
}

/// Bounds on what the peer can make a call hold. Those of descriptions stand in [`negotiation::Config::limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Early dialogs of one INVITE. Default 32. Provisional responses of further ones are ignored, a 2xx is ended at once.
    pub forks: usize,
    /// Requests of this side without answer. Default 64; of more the oldest is no longer waited for.
    pub pending: usize,
    /// How often a change is offered again after 491, or 500 with Retry-After. Default 8.
    pub retries: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            forks: 32,
            pending: 64,
            retries: 8,
        }
    }
}
