//! A telephone: the calls of a user agent together with their media.
//!
//! A [`Phone`] owns a [`UserAgent`] and does with its calls what a program without wishes of its own would do: gathers candidates before
//! an offer or an answer, keeps a path for each endpoint that answers a call, offers the selected candidates when ICE is done, and reports the
//! quality of the call at its end. Programs with media of their own (gateways, recorders of signalling) use the user agent alone.
//!
//! | who | then |
//! | --- | --- |
//! | caller: [`Phone::call`] | gathers, INVITE with all candidates, checks on each 183 with an answer, one path kept at 200, offer of the selected candidates |
//! | callee: [`Event::Incoming`] | [`Phone::prepare`] gathers, 183 with the answer, checks; [`Phone::answer`] 200 |
//! | both | [`Phone::hold`], [`Phone::add_stream`], [`Phone::transfer`], [`Phone::hang_up`] |
//!
//! The sockets are the program's: it opens them for a [`Plan`], hands in what comes to them, and closes them on
//! [`Event::StreamClosed`]. After every call other than a poll: [`Phone::poll_output`], [`Phone::poll_packet`] and [`Phone::poll_event`] until `None`, then a timer for
//! [`Phone::poll_timeout`].

mod agreeing;
mod calling;
mod changing;
mod event;
mod inputs;
mod line;
mod plan;
mod report;
mod slot;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use ocs_ice::{Dialect, Role};
use ocs_media::{MediaPacket, MediaStream};
use ocs_qoe::document::SchemaVersion;
use ocs_rtp::payload::Fragment;
use ocs_rtp::session::Outgoing;
use ocs_sdpext::negotiation::Negotiated;
use ocs_turn::client::Credentials;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::{CallId, UserAgent};
use line::Line;
use slot::Slot;

pub use event::{Event, LineId, Output, StreamId, Summary};
pub use plan::{Plan, Relay, Socket};

/// What a phone is told wrong, or cannot do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The user agent refuses.
    #[error(transparent)]
    Agent(#[from] crate::Error),
    /// A stream refuses.
    #[error("media: {0}")]
    Media(#[from] ocs_media::Error),
    /// There is no such call, or no longer.
    #[error("no such call")]
    NoLine,
    /// There is no such stream, or no longer.
    #[error("no such stream")]
    NoStream,
    /// No plan was given for a stream that could be had.
    #[error("no plan for any offered stream")]
    NoPlan,
    /// A command that the state of the call does not allow.
    #[error("{operation} is not possible in this state")]
    WrongState {
        /// The command.
        operation: &'static str,
    },
}

/// How a phone behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// The ICE that is offered; a call that comes has that of its caller. Default \[MS-ICE2\].
    pub dialect: Dialect,
    /// Changes how a stream behaves, from [`ocs_media::Config::new`]. Default nothing.
    pub media: fn(ocs_media::Config) -> ocs_media::Config,
    /// Whether a report on quality is sent at the end of a call. Default true.
    pub report: bool,
    /// The schema of reports. Default that of Lync 2010, which every later server reads.
    pub report_version: SchemaVersion,
    /// The name of this machine in reports.
    pub machine: String,
    /// Packets that wait for the application; the oldest goes for a new one. Default 1024.
    pub packets: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dialect: Dialect::Ice2,
            media: |config| config,
            report: true,
            report_version: SchemaVersion::V2,
            machine: "OCSPROTO".to_owned(),
            packets: 1024,
        }
    }
}

/// A user agent with telephone.
pub struct Phone {
    agent: UserAgent,
    config: Config,
    rng: ChaCha20Rng,
    lines: BTreeMap<LineId, Line>,
    /// Streams that give back what they have from relays.
    closing: Vec<Slot>,
    /// Which call a stream is in.
    places: HashMap<StreamId, LineId>,
    bases: HashMap<SocketAddr, StreamId>,
    next: u64,
    outputs: VecDeque<Output>,
    packets: VecDeque<(StreamId, MediaPacket)>,
    events: VecDeque<Event>,
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phone")
            .field("agent", &self.agent)
            .field("lines", &self.lines.len())
            .finish_non_exhaustive()
    }
}

impl Phone {
    /// A phone on this user agent, whose configuration should [accept calls](crate::Calls::accept). `seed` is as for the user agent, and another one.
    #[must_use]
    pub fn new(agent: UserAgent, config: Config, seed: [u8; 32]) -> Self {
        Self {
            agent,
            config,
            rng: ChaCha20Rng::from_seed(seed),
            lines: BTreeMap::new(),
            closing: Vec::new(),
            places: HashMap::new(),
            bases: HashMap::new(),
            next: 0,
            outputs: VecDeque::new(),
            packets: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// The user agent.
    #[must_use]
    pub const fn agent(&self) -> &UserAgent {
        &self.agent
    }

    /// Gives the user agent a command, or an input. Its outputs and events come by way of the phone.
    pub fn command<T>(&mut self, now: Instant, command: impl FnOnce(&mut UserAgent) -> T) -> T {
        let result = command(&mut self.agent);
        self.settle(now);
        result
    }

    /// The calls that are not over.
    pub fn lines(&self) -> impl Iterator<Item = LineId> {
        self.lines.keys().copied()
    }

    /// The call of the user agent that a call is, once its INVITE was sent or came.
    #[must_use]
    pub fn call_of(&self, line: LineId) -> Option<CallId> {
        self.lines.get(&line)?.call
    }

    /// The streams of a call, in the order in which they came to it.
    pub fn streams(&self, line: LineId) -> impl Iterator<Item = StreamId> {
        let slots = self.lines.get(&line).into_iter();
        slots.flat_map(|line| line.slots.iter().map(|slot| slot.id))
    }

    /// A stream: its statistics, its RTP session.
    #[must_use]
    pub fn stream(&self, stream: StreamId) -> Option<&MediaStream<ChaCha20Rng>> {
        let line = self.lines.get(self.places.get(&stream)?)?;
        let slot = line.slots.iter().find(|slot| slot.id == stream)?;
        Some(&slot.media)
    }

    /// What both sides have agreed on for a stream.
    #[must_use]
    pub fn negotiated(&self, stream: StreamId) -> Option<&Negotiated> {
        let line = self.lines.get(self.places.get(&stream)?)?;
        let slot = line.slots.iter().find(|slot| slot.id == stream)?;
        let (_, session) = self.agent.call(line.call?)?.current()?;
        session.negotiated(slot.index?)
    }

    /// Gives a stream a command, such as feedback for the sender of video.
    ///
    /// # Errors
    /// [`Error::NoStream`]
    pub fn command_stream<T>(
        &mut self,
        now: Instant,
        stream: StreamId,
        command: impl FnOnce(&mut MediaStream<ChaCha20Rng>) -> T,
    ) -> Result<T, Error> {
        let slot = self.slot_mut(stream).ok_or(Error::NoStream)?;
        let result = command(&mut slot.media);
        self.collect(now, stream);
        Ok(result)
    }

    /// Sends a packet of media.
    ///
    /// # Errors
    /// [`Error::NoStream`]; [`Error::Media`] while there is no path, and on hold.
    pub fn send(
        &mut self,
        now: Instant,
        stream: StreamId,
        outgoing: &Outgoing<'_>,
        payload: &Fragment<'_>,
    ) -> Result<(), Error> {
        self.command_stream(now, stream, |media| media.send(now, outgoing, payload))??;
        Ok(())
    }

    fn slot_mut(&mut self, stream: StreamId) -> Option<&mut Slot> {
        find(&self.places, &mut self.lines, &mut self.closing, stream)
    }

    fn new_slot(
        &mut self,
        now: Instant,
        line: LineId,
        plan: &Plan,
        role: Role,
    ) -> Result<Slot, Error> {
        let dialect = self.line_mut(line)?.dialect;
        let mut config = ocs_media::Config::new(plan.kind, dialect, role);
        if !plan.relays.is_empty() {
            config.relay = self.agent.relay_access().map(|access| Credentials {
                username: access.username.as_bytes().into(),
                password: access.password.as_bytes().to_vec().into(),
            });
        }
        let config = (self.config.media)(config);
        let rng = ChaCha20Rng::from_rng(&mut self.rng);
        let mut media = MediaStream::new(now, config, rng)?;
        for socket in &plan.sockets {
            media.add_host(now, socket.component, socket.transport, socket.address)?;
        }
        if self.agent.relay_access().is_some() {
            for relay in &plan.relays {
                media.add_relay(
                    now,
                    relay.component,
                    relay.carrier,
                    relay.base,
                    relay.server,
                )?;
            }
        }
        media.gather(now)?;
        self.next += 1;
        let id = StreamId(self.next);
        self.places.insert(id, line);
        for socket in &plan.sockets {
            self.bases.insert(socket.address, id);
        }
        Ok(Slot {
            id,
            media,
            plan: plan.clone(),
            index: None,
            role,
            gathered: false,
            ways: BTreeMap::new(),
            fork: None,
            agreed: false,
            told: false,
            settled: false,
        })
    }

    fn new_line(&mut self, line: Line) -> LineId {
        self.next += 1;
        let id = LineId(self.next);
        self.lines.insert(id, line);
        id
    }

    fn line_mut(&mut self, line: LineId) -> Result<&mut Line, Error> {
        self.lines.get_mut(&line).ok_or(Error::NoLine)
    }

    fn line_of(&self, call: CallId) -> Option<LineId> {
        let mut all = self.lines.iter();
        let (id, _) = all.find(|(_, line)| line.call == Some(call))?;
        Some(*id)
    }
}

/// A stream of a call, or one that is closing.
fn find<'p>(
    places: &HashMap<StreamId, LineId>,
    lines: &'p mut BTreeMap<LineId, Line>,
    closing: &'p mut [Slot],
    stream: StreamId,
) -> Option<&'p mut Slot> {
    let slots = match places.get(&stream) {
        Some(line) => &mut lines.get_mut(line)?.slots,
        None => closing,
    };
    slots.iter_mut().find(|slot| slot.id == stream)
}
