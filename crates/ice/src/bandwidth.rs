//! \[MS-ICE2BWM\]: which paths the bandwidth policy allows.

use std::net::SocketAddr;

use crate::CandidateType;

/// What the policy is asked about: the addresses of both sides, for a Check of \[MS-TURNBWM\].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sites {
    /// Our host candidate.
    pub local_site: Option<SocketAddr>,
    /// Our relayed candidate.
    pub local_relay: Option<SocketAddr>,
    /// The peer's host candidate, or its reflexive one.
    pub remote_site: Option<SocketAddr>,
    /// The peer's relayed candidate.
    pub remote_relay: Option<SocketAddr>,
}

/// What the policy says: which of the four ends have the bandwidth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The link of our site.
    pub local_site: bool,
    /// The way from our relay.
    pub local_relay: bool,
    /// The link of the peer's site.
    pub remote_site: bool,
    /// The way to the peer's relay.
    pub remote_relay: bool,
}

impl Policy {
    /// Everything is allowed.
    pub const ALLOWED: Self = Self {
        local_site: true,
        local_relay: true,
        remote_site: true,
        remote_relay: true,
    };

    /// Whether a pair of candidates of these types may be used. (The table for pairs of which one end is relayed is inferred.)
    pub const fn allows(self, local: CandidateType, remote: CandidateType) -> bool {
        let local_relayed = matches!(local, CandidateType::Relayed);
        let remote_relayed = matches!(remote, CandidateType::Relayed);
        match (local_relayed, remote_relayed) {
            (false, false) => self.local_site && self.remote_site,
            (true, false) => self.local_relay,
            (false, true) => self.remote_relay,
            (true, true) => self.local_relay && self.remote_relay,
        }
    }
}
