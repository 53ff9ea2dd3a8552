//! Subscriptions (RFC 3265, RFC 6665) with the ways of this system: BENOTIFY, the first notification inside the 200, and
//! notifications that extend (\[MS-SIP\] 3.4 to 3.6).
//!
//! [`Subscriber`] and [`Notifier`] are machines over one [`Dialog`](crate::dialog::Dialog) each: they take and make
//! [`Message`]s. Via and Contact are added by the caller, who also runs the transactions.
//!
//! Subscriber
//!
//! | state | 2xx | other response | NOTIFY, BENOTIFY | timers |
//! |---|---|---|---|---|
//! | Subscribing | Active; with `ms-piggyback-cseq` also a notification; else wait for NOTIFY | 423: again with Min-Expires; 420: again without BENOTIFY; else Ended | Active | |
//! | Active | new end | 481: Ended; 423: again; else goes on to its end | notification; `terminated`: Ended | refresh; end: Ended; N without NOTIFY: Ended |
//! | Ending | last notification: Ended | Ended | `terminated`: Ended | N: Ended |
//! | Ended | | | 481 | |
//!
//! Notifier
//!
//! | state | SUBSCRIBE | change | NOTIFY answered | timers |
//! |---|---|---|---|---|
//! | idle | 200 and notification; Expires 0: last one, Ended | notification | | end: `terminated;reason=timeout`, Ended |
//! | one NOTIFY unanswered | 200, notification waits | waits, newer state in the place of older | 2xx: next one; Retry-After: again; else Ended | the same |
//! | Ended | 481 | | | |
//!
//! # What differs here from the standard
//!
//! - BENOTIFY needs no answer, so it is never "unanswered": it goes out at once.
//! - `ms-piggyback-cseq` marks a 200 whose body is the first notification; it has used up that CSeq number.
//! - With `com.microsoft.autoextend` on both sides each notification starts the lifetime anew.
//! - `Subscription-State` may stand in a 200 too; of it and Expires the smaller counts.
//! - SIPE 1.25 ends a subscription to `conference` by a new SUBSCRIBE outside the dialog with Expires 0 (confirmed): the server finds
//!   the subscriptions of that AOR and epid and calls [`Notifier::end`].

mod event;
mod notifier;
mod once;
mod policy;
mod reason;
mod subscriber;

pub use event::{EndCause, SubscriberEvent, SubscriberTimers};
pub use notifier::{Notifier, NotifierEnd, NotifierEvent};
pub use once::answer_once;
pub use policy::{Content, NotifierPolicy};
pub use reason::{Action, Reason};
pub use subscriber::Subscriber;

use crate::{HeaderName, Message};

/// Option tag: notifications may come as BENOTIFY (\[MS-SIP\] 3.5).
pub const MS_BENOTIFY: &str = "ms-benotify";
/// Option tag: the first notification may come in the 200 (\[MS-SIP\] 3.4).
pub const MS_PIGGYBACK_FIRST_NOTIFY: &str = "ms-piggyback-first-notify";
/// Option tag: each notification extends the subscription (\[MS-SIP\] 3.6).
pub const AUTOEXTEND: &str = "com.microsoft.autoextend";

/// Why a subscription cannot be made from a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriptionError {
    /// A header is missing or malformed.
    #[error(transparent)]
    Message(#[from] crate::Error),
    /// The message is no SUBSCRIBE outside a dialog, or From has no tag.
    #[error("not an initial SUBSCRIBE")]
    NotInitial,
}

/// Event package and `id`, which together name a subscription inside its dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
struct EventKey {
    package: String,
    id: Option<String>,
}

impl EventKey {
    fn of(message: &Message) -> Result<Self, crate::Error> {
        let event: crate::header::Event<'_> = message.parse_first(HeaderName::Event)?;
        Ok(Self {
            package: event.package.to_owned(),
            id: event.id().map(str::to_owned),
        })
    }

    /// Old servers leave Event out of NOTIFY: then the dialog decides alone.
    fn matches(&self, message: &Message) -> bool {
        match message.event() {
            Ok(Some(event)) => event.is(&self.package) && event.id() == self.id.as_deref(),
            Ok(None) => true,
            Err(_) => false,
        }
    }
}
