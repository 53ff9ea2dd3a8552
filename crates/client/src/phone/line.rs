//! One call of a phone.

use std::time::{Instant, SystemTime};

use ocs_ice::Dialect;
use ocs_qoe::document::MediaLine;
use ocs_sdpext::negotiation::OfferedStream;

use super::slot::Slot;
use crate::{CallId, CallOptions};

/// A call that is made once its candidates are there.
#[derive(Debug)]
pub(super) struct Placing {
    pub(super) to: String,
    pub(super) options: CallOptions,
    /// The call whose peer asked for it.
    pub(super) referrer: Option<CallId>,
}

/// What the user wants with a call that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wish {
    /// He has not said.
    Nothing,
    /// Media is made ready before he answers.
    Prepare,
    /// He answers.
    Answer,
}

/// An offer of the peer that waits for our answer.
#[derive(Debug)]
pub(super) struct PeerOffer {
    /// The application has yet to say whether it wants what is new.
    pub(super) undecided: bool,
}

/// A call.
#[derive(Debug)]
pub(super) struct Line {
    /// The call of the user agent, once there is one.
    pub(super) call: Option<CallId>,
    /// The ICE of its streams: ours in a call that we make, the peer's in one that came.
    pub(super) dialect: Dialect,
    pub(super) placing: Option<Placing>,
    pub(super) slots: Vec<Slot>,
    pub(super) wish: Wish,
    /// What was last done of the wish.
    pub(super) done: Wish,
    pub(super) offered: Vec<OfferedStream>,
    pub(super) peer_offer: Option<PeerOffer>,
    /// Something is to be offered.
    pub(super) changed: bool,
    /// Our offer is on its way.
    pub(super) offering: bool,
    /// That media flows was told.
    pub(super) up: bool,
    /// What is to be reported of streams that are over.
    pub(super) past: Vec<MediaLine>,
    /// When it was answered.
    pub(super) answered: Option<SystemTime>,
}

impl Line {
    pub(super) const fn new(call: Option<CallId>, dialect: Dialect) -> Self {
        Self {
            call,
            dialect,
            placing: None,
            slots: Vec::new(),
            wish: Wish::Nothing,
            done: Wish::Nothing,
            offered: Vec::new(),
            peer_offer: None,
            changed: false,
            offering: false,
            up: false,
            past: Vec::new(),
            answered: None,
        }
    }

    /// Whether all sockets have told their candidates.
    pub(super) fn is_gathered(&self) -> bool {
        self.slots.iter().all(|slot| slot.gathered)
    }

    pub(super) fn is_connecting(&self) -> bool {
        self.slots.iter().any(Slot::is_connecting)
    }

    pub(super) const fn is_answered(&self) -> bool {
        self.answered.is_some()
    }

    /// Whether the selected candidates are to be offered, by who made the first offer.
    pub(super) fn owes_final_offer(&self) -> bool {
        let owes = |slot: &Slot| {
            slot.role == ocs_ice::Role::Controlling && slot.is_connected() && !slot.settled
        };
        !self.is_connecting() && self.slots.iter().any(owes)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.slots.iter().filter_map(Slot::poll_timeout).min()
    }
}
