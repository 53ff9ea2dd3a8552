//! Bounds of everything that grows with what the peer sends.

/// Bounds of a description and of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one attribute line; 1024. Longer ones are refused.
    pub line: usize,
    /// Candidate lines kept of a description, counted per component; 40 (inferred: the specification lets a peer send
    /// 20 candidates). Further ones are ignored.
    pub remote_candidates: usize,
    /// Candidates of a component in a description of our own; 20 (\[MS-ICE\] 3.1.4.8.1).
    pub local_candidates: usize,
    /// Pairs of the check list; 100 (RFC 5245, recalled). Those of the lowest priority are left out.
    pub pairs: usize,
    /// Remote candidates of a component that are learned from checks; 20 (inferred).
    pub peer_reflexive: usize,
    /// Checks kept from before the peer's description is known; 64 (inferred).
    pub early_checks: usize,
    /// TCP connections of an agent at one time, either direction; 64 (inferred). Further ones are closed at once.
    pub connections: usize,
    /// Forks of a call at one time; 20 (\[MS-ICE2\] 3.1.4.3, \[MS-ICE\] 5.1.4).
    pub forks: usize,
    /// Tries of one check that is answered with an error which asks for another try; 3 (inferred).
    pub retries: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line: 1024,
            remote_candidates: 40,
            local_candidates: 20,
            pairs: 100,
            peer_reflexive: 20,
            early_checks: 64,
            connections: 64,
            forks: 20,
            retries: 3,
        }
    }
}
