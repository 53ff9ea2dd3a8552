//! What a subscriber tells its user.

use std::time::Duration;

use super::Action;
use crate::Message;

/// Why a subscription ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndCause {
    /// The notifier said `terminated`.
    Terminated,
    /// It was ended here, or it was a fetch and is complete.
    Unsubscribed,
    /// The first SUBSCRIBE was refused with this status, or a refresh with 481.
    Refused(u16),
    /// No response: time-out, or the flow is gone.
    NoResponse,
    /// No NOTIFY after the 2xx (timer N, RFC 6665 4.1.2.4).
    NoNotify,
    /// Refreshing failed until the end.
    Expired,
}

/// What the user of a [`Subscriber`](super::Subscriber) must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriberEvent {
    /// Accepted or refreshed, for this time.
    Active {
        /// Until it ends, if nothing comes.
        expires: Duration,
    },
    /// The state that was subscribed to. The body may be empty.
    Notification {
        /// The NOTIFY or BENOTIFY, or the 2xx that carries the first one.
        message: Message,
        /// Whether it is a 2xx.
        piggybacked: bool,
    },
    /// A refresh failed with this status; the subscription goes on to its end.
    RefreshFailed {
        /// The status.
        code: u16,
    },
    /// It is over.
    Ended {
        /// Why.
        cause: EndCause,
        /// What to do; see [`Subscriber::restart`](super::Subscriber::restart).
        action: Action,
    },
}

/// The times of a [`Subscriber`](super::Subscriber).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriberTimers {
    /// Timer N: how long to wait for the first NOTIFY after a 2xx without state, and for the last one. Default 64 T1, 32 s.
    pub notify: Duration,
    /// Lifetime if neither side names one, in seconds. Default 3600, as of the presence package.
    pub default_expires: u32,
}

impl Default for SubscriberTimers {
    fn default() -> Self {
        Self {
            notify: Duration::from_secs(32),
            default_expires: 3600,
        }
    }
}
