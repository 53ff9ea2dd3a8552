//! The machine.

mod drive;
mod forks;
mod negotiate;
mod offered;
mod path;
mod receive;
mod send;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use ocs_ice::{
    Agent, Carrier, Component, Description, Endpoint, ForkId, Phase, RelayId, SelectedPair,
    Transport,
};
use ocs_rtp::Session;
use ocs_sdpext::attribute::SsrcRange;
use ocs_sdpext::negotiation::{self, StreamKind};
use ocs_turn::client::Failure;
use rand_core::{CryptoRng, Rng, SeedableRng};

use crate::buffer::Pool;
use crate::fork::Fork;
use crate::keys::Closer;
use crate::meter::Meter;
use crate::packet::MediaPacket;
use crate::{Config, Error, Event, Statistics};

/// One `m=` line of a call: its way through the network, its keys, its RTP and RTCP.
///
/// After every call that takes `&mut self` other than a poll: [`poll_action`](Self::poll_action), [`poll_packet`](Self::poll_packet) and
/// [`poll_event`](Self::poll_event) until `None`, then a timer for [`poll_timeout`](Self::poll_timeout).
///
/// # Forks
/// An offer may be answered by several endpoints, each in a dialog of its own. Each answer is a fork with a peer, checks and a key of its own. One fork at
/// a time is heard and spoken to: the first one that media can flow with, another one by [`prefer`](Self::prefer), in the end the one that
/// is chosen ([`choose`](Self::choose)). What others send is opened, counted and dropped. A callee has one peer only: it is chosen at once.
#[derive(Debug)]
pub struct MediaStream<R> {
    config: Config,
    /// Our own addresses, as they were added.
    pub(crate) sockets: Vec<SocketAddr>,
    relays: Vec<(RelayId, Carrier)>,
    pub(crate) relay_failures: Vec<(Carrier, Failure)>,
    endpoint: Endpoint<R>,
    ssrc_range: SsrcRange,
    begun: Instant,
    /// Until the session begins.
    rng: R,
    pub(crate) rtp: Option<Session<R>>,
    pub(crate) forks: Vec<Fork>,
    /// The fork that is heard and spoken to.
    pub(crate) heard: Option<ForkId>,
    /// The fork that is to be heard, once media can flow with it.
    wanted: Option<ForkId>,
    chosen: Option<ForkId>,
    closer: Closer,
    /// Where packets are written and closed.
    scratch: Vec<u8>,
    outgoing: Pool,
    incoming: Pool,
    packets: VecDeque<MediaPacket>,
    events: VecDeque<Event>,
    statistics: Statistics,
    pub(crate) meter: Meter,
    closed: bool,
}

impl<R: CryptoRng + SeedableRng> MediaStream<R> {
    /// A stream without candidates: add them, then [`gather`](Self::gather).
    ///
    /// # Errors
    /// [`Error::Rtp`] if the configuration of RTP is out of range.
    pub fn new(now: Instant, config: Config, mut rng: R) -> Result<Self, Error> {
        let ssrc_range = match config.ssrc_range {
            Some(range) => range,
            None => draw_range(config.kind, &mut rng),
        };
        // What is wrong with the configuration is told now, not when media comes.
        Session::new(now, config.rtp.clone(), R::from_rng(&mut rng))?;
        let credentials = config.relay.clone().unwrap_or_else(no_credentials);
        let ice_rng = R::from_rng(&mut rng);
        Ok(Self {
            endpoint: Endpoint::new(config.ice.clone(), credentials, ice_rng),
            config,
            sockets: Vec::new(),
            relays: Vec::new(),
            relay_failures: Vec::new(),
            ssrc_range,
            begun: now,
            rng,
            rtp: None,
            forks: Vec::new(),
            heard: None,
            wanted: None,
            chosen: None,
            closer: Closer::default(),
            scratch: Vec::new(),
            outgoing: Pool::default(),
            incoming: Pool::default(),
            packets: VecDeque::new(),
            events: VecDeque::new(),
            statistics: Statistics::default(),
            meter: Meter::default(),
            closed: false,
        })
    }

    /// Adds the address of a socket: UDP, or for TCP one to connect from ([`Transport::TcpActive`]) or one that listens
    /// ([`Transport::TcpPassive`]). Each candidate needs both components.
    ///
    /// # Errors
    /// As [`Agent::add_host`].
    pub fn add_host(
        &mut self,
        now: Instant,
        component: Component,
        transport: Transport,
        address: SocketAddr,
    ) -> Result<(), Error> {
        let add = |agent: &mut Agent<R>| agent.add_host(component, transport, address);
        self.endpoint.command(now, add)?;
        self.sockets.push(address);
        Ok(())
    }

    /// Adds a relay to get an allocation from; `base` as for [`Agent::add_relay`].
    ///
    /// # Errors
    /// [`Error::WrongState`] without [`Config::relay`]; as [`Agent::add_relay`].
    pub fn add_relay(
        &mut self,
        now: Instant,
        component: Component,
        carrier: Carrier,
        base: SocketAddr,
        server: SocketAddr,
    ) -> Result<RelayId, Error> {
        if self.config.relay.is_none() {
            let operation = "a relay without credentials";
            return Err(Error::WrongState { operation });
        }
        let add = |agent: &mut Agent<R>| agent.add_relay(component, carrier, base, server);
        let relay = self.endpoint.command(now, add)?;
        self.sockets.push(base);
        self.relays.push((relay, carrier));
        Ok(relay)
    }

    /// Begins to gather. [`Event::Gathered`] follows, at once if there is no relay.
    ///
    /// # Errors
    /// [`Error::Ice`] if that was done.
    pub fn gather(&mut self, now: Instant) -> Result<(), Error> {
        self.endpoint.command(now, |agent| agent.gather(now))?;
        self.settle(now);
        Ok(())
    }

    /// Our side for the offer or the answer, with all candidates. None before [`Event::Gathered`], and if there is no candidate.
    pub fn transport(&self) -> Option<negotiation::Transport> {
        let agent = self.endpoint.agent();
        if agent.phase() == Phase::Gathering {
            return None;
        }
        describe(&agent.local_description())
    }

    /// Our side once the pairs are agreed on: for the final offer, the answer to it, and all later ones until a restart. None before
    /// [`Event::Connected`] of the fork that is chosen, and with a peer that does no ICE.
    pub fn final_transport(&self) -> Option<negotiation::Transport> {
        let chosen = self.fork(self.chosen?)?;
        if !does_ice(&chosen.negotiated) {
            return None;
        }
        describe(&self.endpoint.agent().final_description()?)
    }

    /// Our SSRCs, for `a=x-ssrc-range`. They are the same as long as the stream lives.
    pub const fn ssrc_range(&self) -> SsrcRange {
        self.ssrc_range
    }

    /// The fork that is heard and spoken to.
    pub const fn heard(&self) -> Option<ForkId> {
        self.heard
    }

    /// The fork that was chosen.
    pub const fn chosen(&self) -> Option<ForkId> {
        self.chosen
    }

    /// The forks there are.
    pub fn forks(&self) -> impl Iterator<Item = ForkId> {
        self.forks.iter().map(|fork| fork.id)
    }

    /// Whether media can flow with the fork that is heard.
    pub fn is_usable(&self) -> bool {
        self.heard
            .and_then(|id| self.fork(id))
            .is_some_and(|fork| fork.is_usable(Component::Rtp) && fork.is_usable(fork.control()))
    }

    /// The pair that carries a component, of the fork that is heard.
    pub fn selected(&self, component: Component) -> Option<SelectedPair> {
        self.agent_of(self.heard?)?.selected(component)
    }

    /// The agent of a fork, to look at.
    pub fn agent_of(&self, fork: ForkId) -> Option<&Agent<R>> {
        if self.chosen == Some(fork) {
            return Some(self.endpoint.agent());
        }
        self.endpoint.forked(fork)
    }

    /// The session of RTP. It begins when media can flow.
    pub const fn rtp(&self) -> Option<&Session<R>> {
        self.rtp.as_ref()
    }

    /// Gives the session of RTP a command, such as [`Session::request_key_frame`], and sends what comes of it. Media is sent with
    /// [`send`](Self::send).
    pub fn control<T>(
        &mut self,
        now: Instant,
        command: impl FnOnce(&mut Session<R>) -> T,
    ) -> Option<T> {
        let result = self.rtp.as_mut().map(command);
        self.settle(now);
        result
    }

    /// What was counted.
    pub const fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The next packet of media. Packets come as the network gives them; see [`ocs_rtp::Reorder`].
    pub fn poll_packet(&mut self) -> Option<MediaPacket> {
        self.packets.pop_front()
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        let event = self.rtp.as_mut()?.poll_event()?;
        if let ocs_rtp::session::Event::EstimatedBandwidth {
            bits_per_second, ..
        } = event
        {
            self.meter.outbound.bandwidth = Some(bits_per_second);
        }
        Some(Event::Rtp(event))
    }

    /// Says goodbye and gives everything back. What is to be done for that is still polled.
    pub fn close(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        if let Some(rtp) = &mut self.rtp {
            // Without a reason a BYE fits.
            let _ = rtp.leave(None);
            self.send_control(now);
        }
        self.closed = true;
        for fork in &self.forks {
            self.endpoint.drop_fork(now, fork.id);
        }
        self.endpoint.command(now, Agent::close);
        self.packets.clear();
    }

    pub(crate) fn fork(&self, id: ForkId) -> Option<&Fork> {
        self.forks.iter().find(|fork| fork.id == id)
    }

    fn fork_mut(&mut self, id: ForkId) -> Option<&mut Fork> {
        self.forks.iter_mut().find(|fork| fork.id == id)
    }

    fn command_agent<T>(
        &mut self,
        now: Instant,
        fork: ForkId,
        command: impl FnOnce(&mut Agent<R>) -> T,
    ) -> Option<T> {
        if self.chosen == Some(fork) {
            return Some(self.endpoint.command(now, command));
        }
        self.endpoint.command_fork(now, fork, command)
    }
}

fn no_credentials() -> ocs_turn::client::Credentials {
    ocs_turn::client::Credentials {
        username: Box::default(),
        password: [0_u8; 0][..].into(),
    }
}

fn draw_range(kind: StreamKind, rng: &mut impl Rng) -> SsrcRange {
    let size = match kind {
        StreamKind::Video => SsrcRange::VIDEO,
        StreamKind::Audio | StreamKind::ApplicationSharing | StreamKind::Data => SsrcRange::AUDIO,
    };
    loop {
        let first = rng.next_u32();
        let range = first
            .checked_add(size - 1)
            .and_then(|last| SsrcRange::new(first, last));
        if let Some(range) = range {
            return range;
        }
    }
}

/// Whether the peer's description had candidates.
fn does_ice(negotiated: &negotiation::Negotiated) -> bool {
    negotiated.remote.ice != ocs_sdpext::IceVersion::None
}

/// A description of ICE as the transport of a stream: its default candidates and its lines.
fn describe(description: &Description) -> Option<negotiation::Transport> {
    let default = |component| match description {
        Description::Ice(description) => description.default_candidate(component).map(|line| {
            let tcp = line.transport == ocs_ice::sdp::ice::LineTransport::Tcp;
            (line.address, tcp)
        }),
        Description::Ice2(description) => {
            let candidate = description.default_candidate(component)?;
            Some((candidate.address, candidate.transport.is_tcp()))
        }
    };
    let (rtp, tcp) = default(Component::Rtp)?;
    let mut transport = negotiation::Transport::new(rtp);
    transport.tcp = tcp;
    if let Some((rtcp, _)) = default(Component::Rtcp) {
        transport.rtcp_port = rtcp.port();
    }
    // The lines are of ICE only.
    transport.with_ice(&description.to_string()).ok()
}
