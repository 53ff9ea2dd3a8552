//! Whose turn it is.

mod answer;
mod offer;
mod slot;

use std::net::{IpAddr, Ipv4Addr};

use super::{Config, Negotiated, Refusal, Stream, StreamKind, Violation};
use crate::attribute::{Direction, Label};
use crate::{Error, IceVersion, Sdp};

pub use offer::Fallback;
use slot::Slot;

/// The parameter of Contact in a request that puts a call on hold; without it, one that retrieves it (3.1.5.23.1; form recalled).
pub const SENDS_NO_RENDERING: &str = "+sip.rendering=\"no\"";

/// The offers and answers of one dialog.
///
/// A call that forks has one for each early dialog: [`Clone`] it after [`Session::offer`], hand to each the answers
/// of its dialog, and drop the losers. Keys of ours are the same in all of them, because they are in the one offer.
///
/// An error changes nothing: the negotiation stands where it stood before the call.
#[derive(Debug, Clone)]
pub struct Session {
    config: Config,
    slots: Vec<Slot>,
    held: bool,
    state: State,
    /// What was agreed last, to return to when an offer of ours fails.
    stable: (Vec<Slot>, bool),
    version: u64,
    local: Option<Sdp>,
    remote: Option<Sdp>,
    /// How many streams the fallback of our offer has.
    fallback: Option<usize>,
}

#[derive(Debug, Clone)]
enum State {
    Stable,
    /// Our offer is on its way, with hold or without.
    Offered {
        held: bool,
    },
    /// Our offer is answered, its call is not: no further offer.
    Early,
    /// An offer of the peer waits for our answer.
    Received {
        offer: Sdp,
        /// What stood here before it came, to return to.
        before: Vec<Slot>,
        /// Plans that were not offered yet: the peer does not know them.
        aside: Vec<Stream>,
    },
}

/// In which response an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// In 183: media may flow, but no other offer be made before the final response (3.1.5.12, 3.1.5.13).
    Provisional,
    /// In a 2xx.
    Final,
}

/// What an answer was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answered {
    /// The answer.
    New,
    /// The same as before, as in the 200 after a 183.
    Repeated,
}

/// What became of an offer of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The application looks at the streams, accepts or removes what it wants, and calls [`Session::answer`].
    Open(Vec<OfferedStream>),
    /// The request is refused; nothing has changed.
    Refused(Refusal),
}

/// One `m=` line of an offer of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedStream {
    /// Its index.
    pub index: usize,
    /// What it is; none if it cannot be negotiated here. It is answered with port 0.
    pub kind: Option<StreamKind>,
    /// Which it is; none if it is rejected or of no kind.
    pub label: Option<Label<'static>>,
    /// What the peer wants, from its point of view; inactive if it is rejected or of no kind.
    pub direction: Direction,
    /// Of which ICE its candidates are. The plan must have candidates of the same one, or none.
    pub ice: IceVersion,
    /// Whether the peer takes the stream away, or offers none.
    pub rejected: bool,
    /// Whether there is a plan for it: it was there before, and goes on unless it is removed.
    pub planned: bool,
    /// The stream whose transport it shares. Safe is to accept the first one only.
    pub multiplexed_with: Option<usize>,
    /// Why it will be answered with port 0 in any case.
    pub obstacle: Option<Violation>,
}

/// The answer to an offer of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Answer {
    /// The description; the same goes into 183 and 200.
    Accept(Sdp),
    /// No stream could be accepted: the request is refused, and nothing has changed.
    Refuse(Refusal),
}

impl Session {
    /// A session without streams.
    #[must_use]
    pub const fn new(config: Config) -> Self {
        Self {
            config,
            slots: Vec::new(),
            held: false,
            state: State::Stable,
            stable: (Vec::new(), false),
            version: 0,
            local: None,
            remote: None,
            fallback: None,
        }
    }

    /// How it negotiates.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Adds a stream for the next offer, and says its index. An `m=` line of the same kind that was removed, by an offer that
    /// is answered, is used again (\[MS-CONFAS\] 3.3.5.2.1).
    ///
    /// An offer of the peer that comes before ours does not know the stream: its plan is put aside, and comes back with our answer, behind
    /// the peer's streams; then its index is another ([`Session::pending`]). It does not come back if it no longer fits: the peer has offered
    /// a stream of that label itself, and it was accepted.
    ///
    /// # Errors
    /// [`Error::WrongState`] while an offer is on its way.
    pub fn add(&mut self, stream: Stream) -> Result<usize, Error> {
        self.expect_stable("adding a stream")?;
        let free = |slot: &Slot| {
            slot.plan.is_none() && slot.agreed.is_none() && slot.kind == Some(stream.kind)
        };
        if let Some(index) = self.slots.iter().position(free) {
            self.slots[index].restart(stream);
            return Ok(index);
        }
        self.slots.push(Slot::planned(stream));
        Ok(self.slots.len() - 1)
    }

    /// The plan of a stream; none if it is removed or there is no such stream.
    #[must_use]
    pub fn stream(&self, index: usize) -> Option<&Stream> {
        self.slots.get(index)?.plan.as_ref()
    }

    /// The streams that are planned and not agreed on: those for the next offer, or of the one that is on its way.
    pub fn pending(&self) -> impl Iterator<Item = usize> {
        let pending = |(index, slot): (usize, &Slot)| slot.is_pending().then_some(index);
        self.slots.iter().enumerate().filter_map(pending)
    }

    /// The plan of a stream, to be changed for the next offer or answer: a new transport after ICE, a direction, pictures. None
    /// while our offer is on its way, because its answer is read by the plan.
    pub fn stream_mut(&mut self, index: usize) -> Option<&mut Stream> {
        match self.state {
            State::Offered { .. } => None,
            _ => self.slots.get_mut(index)?.plan.as_mut(),
        }
    }

    /// Takes a stream away with the next offer or answer.
    ///
    /// # Errors
    /// [`Error::WrongState`] while our offer is on its way; [`Error::NoSuchStream`].
    pub fn remove(&mut self, index: usize) -> Result<(), Error> {
        self.slot_mut(index, "removing a stream")?.plan = None;
        Ok(())
    }

    /// A new key for the stream, and for all that share its transport, with the next offer or answer.
    ///
    /// Roll-over counters go on where the new key is handed to the sender that is there (`ocs_srtp::Sender::set_key`; RFC 3711
    /// 3.3.1), and start at 0 in a sender that is made anew, as products are recalled to do. `ocs_srtp::Receiver` takes both.
    ///
    /// # Errors
    /// As [`Session::remove`].
    pub fn rekey(&mut self, index: usize) -> Result<(), Error> {
        let slot = self.slot_mut(index, "a new key")?;
        slot.key = None;
        let slot = slot.clone();
        for other in self.slots.iter_mut().filter(|other| other.shares(&slot)) {
            other.key = None;
        }
        Ok(())
    }

    fn slot_mut(&mut self, stream: usize, operation: &'static str) -> Result<&mut Slot, Error> {
        match self.state {
            State::Offered { .. } => Err(Error::WrongState { operation }),
            _ => self
                .slots
                .get_mut(stream)
                .ok_or(Error::NoSuchStream { stream }),
        }
    }

    /// Puts all audio and video on hold with the next offer or answer (3.1.5.23.1). [`SENDS_NO_RENDERING`] goes with the request.
    pub const fn hold(&mut self) {
        self.held = true;
    }

    /// Takes all audio and video from hold with the next offer or answer (3.1.5.23.2).
    pub const fn resume(&mut self) {
        self.held = false;
    }

    /// Whether we hold.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.held
    }

    /// How many `m=` lines there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no `m=` line.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// What is agreed on a stream; none if it is not active.
    #[must_use]
    pub fn negotiated(&self, index: usize) -> Option<&Negotiated> {
        self.slots.get(index)?.agreed.as_ref()
    }

    /// Why the last answer of ours refused a stream that was accepted.
    #[must_use]
    pub fn obstacle(&self, index: usize) -> Option<Violation> {
        self.slots.get(index)?.obstacle
    }

    /// The last description of ours.
    #[must_use]
    pub const fn local(&self) -> Option<&Sdp> {
        self.local.as_ref()
    }

    /// The last description of the peer that was taken.
    #[must_use]
    pub const fn remote(&self) -> Option<&Sdp> {
        self.remote.as_ref()
    }

    /// The offer of the peer that waits for our answer.
    #[must_use]
    pub const fn offered(&self) -> Option<&Sdp> {
        match &self.state {
            State::Received { offer, .. } => Some(offer),
            _ => None,
        }
    }

    /// Whether an offer may be made.
    #[must_use]
    pub const fn is_stable(&self) -> bool {
        matches!(self.state, State::Stable)
    }

    /// The offer that is on its way has failed.
    ///
    /// Of ours: everything is as it was agreed before; if nothing was yet, the plans stay, for another try (after 415, with one
    /// description). Of the peer's: everything is as it was before it came, plans that were not offered yet included; what was
    /// planned since is gone, but for hold.
    pub fn abandon(&mut self) {
        match core::mem::replace(&mut self.state, State::Stable) {
            State::Offered { .. } if self.remote.is_some() => {
                (self.slots, self.held) = self.stable.clone();
            }
            State::Received { before, .. } => self.slots = before,
            State::Stable | State::Offered { .. } | State::Early => {}
        }
    }

    fn commit(&mut self, slots: Vec<Slot>, held: bool, state: State) {
        self.stable = (slots.clone(), held);
        self.slots = slots;
        self.state = state;
    }

    /// The address of a description without active stream: the one of the description before, as 0.0.0.0 would be hold.
    fn address(&self) -> IpAddr {
        let origin = self.local.as_ref().map(Sdp::origin);
        let origin = origin.and_then(|origin| origin.ok().flatten());
        let address = origin.and_then(|origin| origin.address.ip());
        address.unwrap_or(Ipv4Addr::UNSPECIFIED.into())
    }

    const fn expect_stable(&self, operation: &'static str) -> Result<(), Error> {
        if self.is_stable() {
            Ok(())
        } else {
            Err(Error::WrongState { operation })
        }
    }

    /// Makes a description; its version is the one of the last, unless something else has changed.
    fn describe(&mut self, make: impl Fn(u64) -> Result<Sdp, Error>) -> Result<Sdp, Error> {
        let again = make(self.version)?;
        let sdp = match &self.local {
            Some(last) if *last != again => {
                let next = make(self.version + 1)?;
                self.version += 1;
                next
            }
            _ => again,
        };
        self.local = Some(sdp.clone());
        Ok(sdp)
    }
}
