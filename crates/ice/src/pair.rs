//! States of pairs.

/// The state of a pair, by the names of \[MS-ICE2\].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PairState {
    /// Another pair of its foundation is checked first.
    Frozen,
    /// Its check can be sent.
    Waiting,
    /// Its check was sent; over TCP, or the connection is being made.
    InProgress,
    /// Its check was answered.
    Succeeded,
    /// Its check failed.
    Failed,
}
