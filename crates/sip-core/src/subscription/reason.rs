//! Why subscriptions end, and what follows (RFC 3265 3.2.4, RFC 6665 4.1.3).

use std::time::Duration;

use crate::header::SubscriptionState;

/// The `reason` of a terminated Subscription-State.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Subscribe again at once, elsewhere.
    Deactivated,
    /// Subscribe again later.
    Probation,
    /// Not allowed.
    Rejected,
    /// It was not refreshed.
    Timeout,
    /// Authorization took too long.
    Giveup,
    /// The resource does not exist any more.
    Noresource,
    /// The state will never change again (RFC 6665).
    Invariant,
}

impl Reason {
    const ALL: [Self; 7] = [
        Self::Deactivated,
        Self::Probation,
        Self::Rejected,
        Self::Timeout,
        Self::Giveup,
        Self::Noresource,
        Self::Invariant,
    ];

    /// The token on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deactivated => "deactivated",
            Self::Probation => "probation",
            Self::Rejected => "rejected",
            Self::Timeout => "timeout",
            Self::Giveup => "giveup",
            Self::Noresource => "noresource",
            Self::Invariant => "invariant",
        }
    }

    /// Reads a token without regard to case.
    #[must_use]
    pub fn from_token(token: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.as_str().eq_ignore_ascii_case(token))
    }
}

/// What a subscriber does when a subscription has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Subscribe anew at once, in a new dialog.
    ResubscribeNow,
    /// Subscribe anew after this time.
    ResubscribeAfter(Duration),
    /// Nothing was said: subscribe anew if the state is still wanted, not in a loop.
    MayResubscribe,
    /// Do not subscribe again.
    Never,
}

impl Action {
    /// What a terminated Subscription-State asks for.
    #[must_use]
    pub fn of(state: &SubscriptionState<'_>) -> Self {
        let later = state.retry_after().map_or(Self::MayResubscribe, |seconds| {
            Self::ResubscribeAfter(Duration::from_secs(u64::from(seconds)))
        });
        match state.reason().and_then(Reason::from_token) {
            Some(Reason::Deactivated | Reason::Timeout) => Self::ResubscribeNow,
            Some(Reason::Rejected | Reason::Noresource | Reason::Invariant) => Self::Never,
            Some(Reason::Probation | Reason::Giveup) | None => later,
        }
    }

    /// What a refusal of the first SUBSCRIBE asks for.
    #[must_use]
    pub(super) fn of_refusal(code: u16, retry_after: Option<u32>) -> Self {
        if let Some(seconds) = retry_after {
            return Self::ResubscribeAfter(Duration::from_secs(u64::from(seconds)));
        }
        match code {
            // The same request would meet the same answer.
            400
            | 403..=406
            | 410
            | 413..=416
            | 420
            | 423
            | 484
            | 485
            | 488
            | 489
            | 501
            | 505
            | 600.. => Self::Never,
            _ => Self::MayResubscribe,
        }
    }
}
