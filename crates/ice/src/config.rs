//! How an agent behaves.

use std::time::Duration;

use crate::priority::TypePreferences;
use crate::{Dialect, Limits};

/// Which side decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// It nominates: the caller, at the beginning.
    Controlling,
    /// It follows: the callee.
    Controlled,
}

impl Role {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Controlling => Self::Controlled,
            Self::Controlled => Self::Controlling,
        }
    }
}

/// How the controlling side of \[MS-ICE2\] nominates. Either form is accepted from a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nomination {
    /// A second check of the best valid pair of each component carries USE-CANDIDATE.
    Regular,
    /// Every check carries it, except over TCP.
    Aggressive,
}

/// Which candidates are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CandidatePolicy {
    /// All.
    All,
    /// No relayed ones: relays are asked for the reflexive address only.
    NoRelay,
    /// Relayed ones only: the peer does not learn our addresses.
    RelayOnly,
}

/// Times. Where the specification gives none, the defaults are those of RFC 5245, or (inferred) where it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// The Candidates Gathering Phase timer; 10 s (inferred).
    pub gathering: Duration,
    /// The start of the Connectivity Checks Phase timer; 10 s (inferred).
    pub checks: Duration,
    /// What it is reset to when a request of the peer and a response of the peer have been seen; 3 s (\[MS-ICE\] 3.1.6.2).
    pub checks_reduced: Duration,
    /// How long the controlled side waits for nomination, or for the final offer, after its checks have ended; 10 s (inferred).
    pub nomination: Duration,
    /// Ta, between two new checks: 20 ms in \[MS-ICE2\], 50 ms in \[MS-ICE\] (recalled).
    pub pace: Duration,
    /// The shortest first wait for an answer over UDP, which doubles; 100 ms.
    pub rto_min: Duration,
    /// The longest wait for an answer over UDP; 1.6 s in \[MS-ICE\] (recalled), without bound in \[MS-ICE2\].
    pub rto_max: Duration,
    /// How often a check is sent over UDP: 7 times in \[MS-ICE2\], 9 times in \[MS-ICE\] (recalled).
    pub sends: u8,
    /// How long a check over TCP waits, from the beginning of its connection or from its sending; 8 s.
    pub tcp_check: Duration,
    /// The time without a packet to the peer after which a keep-alive is sent; 20 s. Peers have 15 s to 25 s.
    pub keep_alive: Duration,
}

impl Timers {
    /// The defaults of a dialect.
    pub const fn new(dialect: Dialect) -> Self {
        let (pace, rto_max, sends) = match dialect {
            Dialect::Ice2 => (20, u64::MAX, 7),
            Dialect::Ice => (50, 1600, 9),
        };
        Self {
            gathering: Duration::from_secs(10),
            checks: Duration::from_secs(10),
            checks_reduced: Duration::from_secs(3),
            nomination: Duration::from_secs(10),
            pace: Duration::from_millis(pace),
            rto_min: Duration::from_millis(100),
            rto_max: Duration::from_millis(rto_max),
            sends,
            tcp_check: Duration::from_secs(8),
            keep_alive: Duration::from_secs(20),
        }
    }
}

/// Asks the peer on the selected pair whether it still wants to receive (RFC 7675). The peers of this family do not do that,
/// but they answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consent {
    /// Between two questions; 5 s.
    pub interval: Duration,
    /// Without an answer for so long the selected pair is given up; 30 s.
    pub expiry: Duration,
}

impl Default for Consent {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(5),
            expiry: Duration::from_secs(30),
        }
    }
}

/// The configuration of an [`Agent`](crate::Agent).
#[derive(Debug, Clone)]
pub struct Config {
    /// The protocol.
    pub dialect: Dialect,
    /// Controlling for the caller. In \[MS-ICE\] it cannot change.
    pub role: Role,
    /// Regular, as \[MS-ICE2BWM\] requires.
    pub nomination: Nomination,
    /// What IMPLEMENTATION-VERSION says; 2. `None` leaves it out, as the first products of \[MS-ICE2\] do.
    pub implementation_version: Option<u32>,
    /// Whether a copy with the altered CRC goes with each message until the peer shows IMPLEMENTATION-VERSION
    /// (\[MS-ICE2\] 3.1.4.8.2); true.
    pub legacy_copies: bool,
    /// Whether MESSAGE-INTEGRITY is also taken in the form of RFC 5389 (inferred: products that state version 3 or later may use
    /// it); true.
    pub accept_rfc5389_integrity: bool,
    /// All.
    pub candidates: CandidatePolicy,
    /// Whether server reflexive candidates are announced; true. Skype for Business refuses a final offer with an announced
    /// one; if they are not announced they are found as peer reflexive ones.
    pub announce_reflexive: bool,
    /// Whether checks go to loopback addresses (inferred: they should not); false.
    pub allow_loopback: bool,
    /// Whether \[MS-ICE2BWM\] is followed: no check is sent before [`handle_policy`](crate::Agent::handle_policy); false.
    pub bandwidth_management: bool,
    /// Whether consent is asked for; not.
    pub consent: Option<Consent>,
    /// Type preferences.
    pub preferences: TypePreferences,
    /// Times.
    pub timers: Timers,
    /// Bounds.
    pub limits: Limits,
}

impl Config {
    /// The defaults of a dialect and role.
    pub fn new(dialect: Dialect, role: Role) -> Self {
        Self {
            dialect,
            role,
            nomination: Nomination::Regular,
            implementation_version: Some(2),
            legacy_copies: true,
            accept_rfc5389_integrity: true,
            candidates: CandidatePolicy::All,
            announce_reflexive: true,
            allow_loopback: false,
            bandwidth_management: false,
            consent: None,
            preferences: TypePreferences::default(),
            timers: Timers::new(dialect),
            limits: Limits::default(),
        }
    }
}
