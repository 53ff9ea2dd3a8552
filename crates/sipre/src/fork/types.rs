//! What goes into and comes out of a fork.

use std::time::Duration;

use ocs_sip_core::Message;

/// Names a branch: the index of its target in what the [`Fork`](super::Fork) was made of, then of [`Fork::add_branch`](super::Fork::add_branch).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BranchId(pub usize);

/// Why a branch is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CancelReason {
    /// Another branch answered: not a missed call.
    CompletedElsewhere,
    /// Another branch refused for all, with this 6xx.
    Declined(u16),
    /// The caller gave up.
    Caller,
    /// It rang too long.
    NoAnswer,
}

impl CancelReason {
    /// The Reason header for the CANCEL (RFC 3326). The phrase is the one that this system's servers are remembered to use (recalled).
    #[must_use]
    pub fn header(self) -> Option<String> {
        match self {
            Self::CompletedElsewhere => {
                Some("SIP;cause=200;text=\"Call completed elsewhere\"".into())
            }
            Self::Declined(status) => Some(format!("SIP;cause={status}")),
            Self::Caller | Self::NoAnswer => None,
        }
    }
}

/// What the proxy must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send the request to this target, with a Via that says [`Fork::is_branched`](super::Fork::is_branched).
    Start(BranchId),
    /// Send this response to the caller.
    Forward(Box<Message>),
    /// Make a final response of this status and send it to the caller.
    Respond(u16),
    /// Send CANCEL for the request of this branch. Only asked for after a provisional answer (RFC 3261 9.1).
    Cancel(BranchId, CancelReason),
}

/// Times of a fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// Timer C: an INVITE that rings longer is cancelled; every 101 to 199 starts it anew. More than 3 minutes (RFC 3261 16.6 step 11).
    /// Default 185 s.
    pub timer_c: Duration,
    /// How long a cancelled branch may take to answer. Default 32 s, 64 T1 (RFC 3261 9.1).
    pub cancel_wait: Duration,
    /// How long a group rings before the next one starts. Default 20 s (recalled). Does not apply to the last group.
    pub group_time: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            timer_c: Duration::from_secs(185),
            cancel_wait: Duration::from_secs(32),
            group_time: Duration::from_secs(20),
        }
    }
}
