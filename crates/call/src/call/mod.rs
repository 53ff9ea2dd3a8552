//! The machine.

mod answer;
mod calling;
mod change;
mod draft;
mod ending;
mod incoming;
mod requests;
mod responses;
mod timers;
mod transfer;

use std::collections::VecDeque;
use std::time::Instant;

use ocs_sdpext::negotiation::{Session, Stream};
use ocs_sip_core::dialog::{AnswerRepeater, Dialog, Replacing, SessionTimer};
use ocs_sip_core::header::Replaces;
use ocs_sip_core::{HeaderName, Message};

use crate::{Action, Config, Direction, Error, Event, ForkId, RequestId, State, TransactionId};
use calling::Calling;
use change::Change;
use incoming::Called;
use transfer::Transfers;

/// One call, of either side. See the [crate](crate).
pub struct Call<R> {
    config: Config,
    rng: R,
    direction: Direction,
    state: State,
    /// The dialog of the call: of an incoming one from the start, of an outgoing one from its answer on.
    leg: Option<Leg>,
    /// Our INVITE, for as long as an answer to it can come.
    calling: Option<Calling>,
    /// The peer's INVITE, until our final response.
    called: Option<Called>,
    /// Our 2xx, until its ACK.
    unacknowledged: Option<Unacknowledged>,
    change: Change,
    timer: SessionTimer,
    /// A refresh of the session is due.
    refresh: bool,
    peer: Peer,
    transfers: Transfers,
    pending: VecDeque<(RequestId, Purpose)>,
    /// A BYE that waits for the ACK of our 2xx (RFC 3261 15).
    bye: Option<Message>,
    /// When a call that is over no longer waits for anything.
    ending_by: Option<Instant>,
    next_request: u64,
    actions: VecDeque<Action>,
    events: VecDeque<Event>,
}

/// The dialog of a call, and what was negotiated in it.
#[derive(Debug)]
struct Leg {
    fork: ForkId,
    dialog: Dialog,
    session: Session,
}

/// A 2xx of ours to an INVITE.
#[derive(Debug)]
struct Unacknowledged {
    id: TransactionId,
    repeater: AnswerRepeater,
    /// Whether it answers the call, not a change of it.
    initial: bool,
}

/// What is known of the other side's program.
#[derive(Debug, Default)]
struct Peer {
    user_agent: Option<String>,
    takes_update: bool,
    holds: bool,
}

impl Peer {
    fn learn(&mut self, message: &Message) {
        let agent = message.header(HeaderName::UserAgent);
        let agent = agent.or_else(|| message.header(HeaderName::Server));
        if let Some(agent) = agent {
            self.user_agent = Some(agent.to_owned());
        }
        if message.header(HeaderName::Allow).is_some() {
            self.takes_update = message.lists(HeaderName::Allow, "UPDATE");
        }
    }
}

/// What a request of ours in a dialog is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Acknowledge,
    Offer,
    Refresh,
    Transfer,
    Notify,
    End,
}

impl<R> std::fmt::Debug for Call<R> {
    /// Without the generator, the keys and the bodies.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("direction", &self.direction)
            .field("state", &self.state)
            .field("dialog", &self.dialog().map(Dialog::id))
            .finish_non_exhaustive()
    }
}

impl<R> Call<R> {
    fn new(config: Config, rng: R, direction: Direction) -> Self {
        Self {
            timer: SessionTimer::new(config.session_timer),
            config,
            rng,
            direction,
            state: State::Calling,
            leg: None,
            calling: None,
            called: None,
            unacknowledged: None,
            change: Change::default(),
            refresh: false,
            peer: Peer::default(),
            transfers: Transfers::default(),
            pending: VecDeque::new(),
            bye: None,
            ending_by: None,
            next_request: 0,
            actions: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Where the call stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Who called.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// How the call behaves.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The dialogs that can be, or are, the call.
    pub fn forks(&self) -> impl Iterator<Item = ForkId> {
        let early = self.calling.iter().flat_map(Calling::forks);
        early.chain(self.leg.as_ref().map(|leg| leg.fork))
    }

    /// The negotiation of a fork.
    #[must_use]
    pub fn session(&self, fork: ForkId) -> Option<&Session> {
        match &self.leg {
            Some(leg) if leg.fork == fork => Some(&leg.session),
            _ => self.calling.as_ref()?.session(fork),
        }
    }

    /// The fork that is the call, and its negotiation: of an incoming call from the start, of an outgoing one from its answer on. It
    /// stays when the call is over.
    #[must_use]
    pub fn current(&self) -> Option<(ForkId, &Session)> {
        self.leg.as_ref().map(|leg| (leg.fork, &leg.session))
    }

    /// The dialog of the fork that is the call.
    #[must_use]
    pub fn dialog(&self) -> Option<&Dialog> {
        self.leg.as_ref().map(|leg| &leg.dialog)
    }

    /// The dialog of a fork.
    #[must_use]
    pub fn dialog_of(&self, fork: ForkId) -> Option<&Dialog> {
        match &self.leg {
            Some(leg) if leg.fork == fork => Some(&leg.dialog),
            _ => self.calling.as_ref()?.dialog(fork),
        }
    }

    /// The program of the peer: its User-Agent, or its Server.
    #[must_use]
    pub fn remote_user_agent(&self) -> Option<&str> {
        self.peer.user_agent.as_deref()
    }

    /// Whether the peer holds the call.
    #[must_use]
    pub const fn peer_holds(&self) -> bool {
        self.peer.holds
    }

    /// Whether we hold the call, by what was agreed last.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.leg.as_ref().is_some_and(|leg| leg.session.is_held())
    }

    /// Whether a request that came, ACK included, is of one of the dialogs of this call.
    #[must_use]
    pub fn matches(&self, request: &Message) -> bool {
        self.dialogs().any(|dialog| dialog.matches(request))
    }

    /// What an INVITE with this Replaces does to this call. If it replaces it: accept that INVITE, and hang up this call.
    #[must_use]
    pub fn matches_replaces(&self, replaces: &Replaces<'_>) -> Replacing {
        self.dialogs()
            .map(|dialog| dialog.replaced_by(replaces))
            .find(|replacing| *replacing != Replacing::Other)
            .unwrap_or(Replacing::Other)
    }

    fn dialogs(&self) -> impl Iterator<Item = &Dialog> {
        let early = self.calling.iter().flat_map(Calling::dialogs);
        early.chain(self.dialog())
    }

    /// The plan of a stream, for the next [`offer`](Self::offer) or [`answer`](Self::answer): a new transport after ICE, a direction. None
    /// before there is a dialog, and for a stream that is not there.
    pub fn stream_mut(&mut self, index: usize) -> Option<&mut Stream> {
        let leg = self.leg.as_ref()?;
        self.change.draft.stream_mut(index, &leg.session)
    }

    /// Adds a stream with the next [`offer`](Self::offer), and says its index. If the peer takes the index for another stream meanwhile, the offer
    /// ends with [`Event::ChangeRefused`].
    pub fn add_stream(&mut self, stream: Stream) -> Result<usize, Error> {
        let leg = match &self.leg {
            Some(leg) if self.state == State::Established && leg.session.is_stable() => leg,
            _ => return Err(Error::state("adding a stream")),
        };
        self.change.draft.add(stream, &leg.session)
    }

    /// Takes a stream away, or refuses an offered one, with the next [`offer`](Self::offer) or [`answer`](Self::answer).
    pub fn remove_stream(&mut self, index: usize) {
        if let Some(leg) = &self.leg {
            self.change.draft.remove(index, &leg.session);
        }
    }

    /// Puts the call on hold with the next [`offer`](Self::offer) or [`answer`](Self::answer): audio and video become inactive (\[MS-SDPEXT\]
    /// 3.1.5.23.1).
    pub const fn hold(&mut self) {
        self.change.draft.hold = Some(true);
    }

    /// Takes the call from hold with the next [`offer`](Self::offer) or [`answer`](Self::answer) (\[MS-SDPEXT\] 3.1.5.23.2).
    pub const fn resume(&mut self) {
        self.change.draft.hold = Some(false);
    }

    /// What to send next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// What the application must know next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    const fn is_over(&self) -> bool {
        matches!(self.state, State::Ending | State::Ended)
    }

    fn new_request_id(&mut self) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        id
    }

    /// Sends a request in a dialog.
    fn send(&mut self, message: Message, purpose: Purpose) -> RequestId {
        let id = self.new_request_id();
        if self.pending.len() >= self.config.limits.pending {
            // Of these there may be many, and nothing depends on their answers.
            let minor = |(_, purpose): &(RequestId, Purpose)| {
                matches!(
                    purpose,
                    Purpose::Acknowledge | Purpose::Notify | Purpose::End
                )
            };
            if let Some(at) = self.pending.iter().position(minor) {
                self.pending.remove(at);
            }
        }
        self.pending.push_back((id, purpose));
        self.actions.push_back(Action::Request { id, message });
        id
    }

    fn respond(&mut self, id: TransactionId, message: Message) {
        self.actions.push_back(Action::Respond { id, message });
    }

    fn event(&mut self, event: Event) {
        self.events.push_back(event);
    }
}
