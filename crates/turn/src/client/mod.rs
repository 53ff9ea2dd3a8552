//! The client: one allocation at one server ([MS-TURN] 3.2).

mod config;
mod event;
mod exchange;
mod input;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ocs_stun::attribute::{Data, DestinationAddress, MsSequenceNumber, MsVersion, Username};
use ocs_stun::transaction::{self, Transactions};
use ocs_stun::{Dialect, IntegrityKey, MessageBuilder, MessageType, TransactionId};
use rand_core::CryptoRng;

pub use config::{Config, Credentials, Transport};
pub use event::{Allocation, Event, Failure, Output};

use crate::frame::{FrameReader, FrameType};
use crate::outbox::Outbox;
use crate::pseudo_tls::{self, Hello, SERVER_HELLO_LEN};
use crate::{Error, bandwidth};

/// An event as it waits, without its data.
#[derive(Debug)]
enum Pending {
    Data(SocketAddr),
    Other(Event<'static>),
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// The first Allocate request, which is there to be challenged.
    Challenge,
    /// An authenticated one.
    Allocate,
    Refresh,
    /// With the number of the question, of which only the last counts.
    Bandwidth(u32),
    Release,
    SetActiveDestination(SocketAddr),
}

/// How far things are.
#[derive(Debug)]
enum State {
    /// A TCP connection is being made.
    Connecting,
    /// The server's hello is awaited.
    Hello(Hello<SERVER_HELLO_LEN>),
    /// Requests are out for an allocation.
    Allocating,
    Allocated(Allocation),
    /// A request is out that releases it.
    Releasing,
    Over,
}

/// The server's challenge and the key that follows from it.
#[derive(Debug)]
struct Challenge {
    realm: Box<[u8]>,
    nonce: Box<[u8]>,
    key: IntegrityKey,
}

/// Which peer gets data without headers.
#[derive(Debug, Default)]
struct ActiveDestination {
    current: Option<SocketAddr>,
    /// Asked for; data without headers may come from it already.
    wanted: Option<SocketAddr>,
    /// When to ask again, after 439.
    retry: Option<Instant>,
}

/// How long a server takes to change the active destination (recalled).
const TRANSITION: Duration = Duration::from_secs(3);

/// The life of an allocation whose response does not say it, in seconds: the draft's default (recalled).
const DEFAULT_LIFETIME: u32 = 600;

/// The machine of one allocation.
///
/// After each call: [`poll_output`](Self::poll_output) and [`poll_event`](Self::poll_event) until `None`, then a timer from
/// [`poll_timeout`](Self::poll_timeout).
#[derive(Debug)]
pub struct Client<R> {
    config: Config,
    credentials: Credentials,
    rng: R,
    server: SocketAddr,
    state: State,
    transactions: Transactions<Purpose>,
    challenge: Option<Challenge>,
    server_version: MsVersion,
    sequence: Option<MsSequenceNumber>,
    active: ActiveDestination,
    bandwidth: Option<bandwidth::Request>,
    bandwidth_number: u32,
    redirects: u8,
    stale_nonces: u8,
    refresh_at: Option<Instant>,
    frames: FrameReader,
    connect: bool,
    close: bool,
    outbox: Outbox<()>,
    inbox: Outbox<Pending>,
    /// Where requests are built that are kept for sending again.
    scratch: Vec<u8>,
}

impl<R: CryptoRng> Client<R> {
    /// Starts: over UDP with the first request, over TCP with [`Output::Connect`].
    pub fn new(now: Instant, config: Config, credentials: Credentials, rng: R) -> Self {
        let mut client = Self {
            server: config.server,
            config,
            credentials,
            rng,
            state: State::Connecting,
            transactions: Transactions::new(),
            challenge: None,
            server_version: MsVersion::ICE,
            sequence: None,
            active: ActiveDestination::default(),
            bandwidth: None,
            bandwidth_number: 0,
            redirects: 0,
            stale_nonces: 0,
            refresh_at: None,
            frames: FrameReader::default(),
            connect: false,
            close: false,
            outbox: Outbox::new(),
            inbox: Outbox::new(),
            scratch: Vec::new(),
        };
        client.begin(now);
        client
    }

    /// Goes to `self.server` for the first time.
    fn begin(&mut self, now: Instant) {
        if self.config.transport.is_stream() {
            self.state = State::Connecting;
            self.frames = FrameReader::default();
            self.connect = true;
        } else {
            self.request_challenge(now);
        }
    }

    /// The connection that [`Output::Connect`] asked for is there.
    pub fn handle_connected(&mut self, now: Instant) {
        if !matches!(self.state, State::Connecting) {
            return;
        }
        match self.config.transport {
            Transport::PseudoTls => {
                let hello = pseudo_tls::client_hello(&mut self.rng);
                self.outbox.push_octets((), &hello);
                self.state = State::Hello(Hello::new());
                self.refresh_at = Some(now + self.config.rule().patience());
            }
            Transport::Tcp | Transport::Udp => self.request_challenge(now),
        }
    }

    /// The connection is gone, or could not be made.
    pub fn handle_closed(&mut self) {
        match self.state {
            State::Over => {}
            State::Releasing => self.end(Event::Released),
            _ => self.fail(Failure::Disconnected),
        }
    }

    /// The allocation, once it is there.
    #[must_use]
    pub fn allocation(&self) -> Option<&Allocation> {
        match &self.state {
            State::Allocated(allocation) => Some(allocation),
            _ => None,
        }
    }

    /// The server in use: the configured one, or the one that it sent us to.
    #[must_use]
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// Sends data to a peer: a datagram; over TCP a piece of the stream to it. That permits the peer to send, too. It is never acknowledged.
    ///
    /// To the active destination it goes without headers, to others in a Send request, which costs about 130 octets and an HMAC.
    pub fn send(&mut self, peer: SocketAddr, data: &[u8]) -> Result<(), Error> {
        if self.allocation().is_none() {
            return Err(Error::WrongState { operation: "send" });
        }
        if self.active.current == Some(peer) {
            return self.send_raw(data);
        }
        let stream = self.config.transport.is_stream();
        let challenge = self
            .challenge
            .as_ref()
            .ok_or(Error::WrongState { operation: "send" })?;
        let id = TransactionId::random(Dialect::MsTurn, &mut self.rng);
        let sequence = next_sequence(&mut self.sequence);
        self.outbox.push((), |out| {
            framed(stream, out, |out| {
                let mut builder =
                    MessageBuilder::new(Dialect::MsTurn, MessageType::SEND_REQUEST, id, out);
                builder
                    .push(&self.config.version)
                    .push(&Username(&self.credentials.username))
                    .push_some(sequence.as_ref())
                    .push(&DestinationAddress(peer))
                    .push(&Data(data));
                builder.sign(&challenge.key)
            })
        })?;
        Ok(())
    }

    fn send_raw(&mut self, data: &[u8]) -> Result<(), Error> {
        if !self.config.transport.is_stream() {
            self.outbox.push_octets((), data);
            return Ok(());
        }
        // The stream may be cut anywhere.
        for piece in data.chunks(usize::from(u16::MAX)) {
            self.outbox.push((), |out| {
                out.extend_from_slice(&FrameType::Data.header(piece.len() as u16));
                out.extend_from_slice(piece);
                Ok::<_, Error>(())
            })?;
        }
        Ok(())
    }

    /// Sends a datagram to the active destination in a frame of multiplexed TURN ([MS-TURN] 2.2.3); the server has to have given a session.
    pub fn send_multiplexed(&mut self, data: &[u8]) -> Result<(), Error> {
        let wrong = Error::WrongState {
            operation: "send multiplexed",
        };
        let session = self
            .allocation()
            .and_then(|allocation| allocation.session)
            .ok_or(wrong)?;
        let header = crate::frame::MultiplexedFrame::header(session, data.len())
            .ok_or(Error::Message(ocs_stun::Error::TooLong))?;
        let stream = self.config.transport.is_stream();
        self.outbox.push((), |out| {
            if stream {
                let len = u16::try_from(header.len() + data.len())
                    .map_err(|_| Error::Message(ocs_stun::Error::TooLong))?;
                out.extend_from_slice(&FrameType::Data.header(len));
            }
            out.extend_from_slice(&header);
            out.extend_from_slice(data);
            Ok(())
        })
    }

    /// Takes time into account: sends again, refreshes, gives up.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.transactions.handle_timeout(now);
        while let Some(transaction::Event::GivenUp { context, .. }) = self.transactions.poll_event()
        {
            match context {
                Purpose::SetActiveDestination(peer) => self.active_refused(peer, None),
                Purpose::Release => self.end(Event::Released),
                Purpose::Challenge
                | Purpose::Allocate
                | Purpose::Refresh
                | Purpose::Bandwidth(_) => {
                    self.fail(Failure::NoAnswer);
                }
            }
        }
        if self.refresh_at.is_some_and(|at| at <= now) {
            self.refresh_at = None;
            match self.state {
                State::Hello(_) => self.fail(Failure::NoAnswer),
                State::Allocated(_) => self.request_allocation(now, Purpose::Refresh),
                _ => {}
            }
        }
        if self.active.retry.is_some_and(|at| at <= now)
            && let Some(peer) = self.active.wanted
        {
            self.active.retry = None;
            self.request_active_destination(now, peer);
        }
    }

    /// The next thing to do with the network.
    pub fn poll_output(&mut self) -> Option<Output<'_>> {
        if std::mem::take(&mut self.close) {
            return Some(Output::Close);
        }
        if std::mem::take(&mut self.connect) {
            return Some(Output::Connect(self.server));
        }
        let to = self.server;
        if let Some(transmit) = self.transactions.poll_transmit() {
            return Some(Output::Send {
                to,
                octets: transmit.request,
            });
        }
        let ((), octets) = self.outbox.pop()?;
        Some(Output::Send { to, octets })
    }

    /// The next news.
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        let (pending, octets) = self.inbox.pop()?;
        Some(match pending {
            Pending::Data(peer) => Event::Data { peer, octets },
            Pending::Other(event) => event,
        })
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let timers = [
            self.transactions.poll_timeout(),
            self.refresh_at,
            self.active.retry,
        ];
        timers.into_iter().flatten().min()
    }

    fn tell(&mut self, event: Event<'static>) {
        self.inbox.push_octets(Pending::Other(event), &[]);
    }

    fn fail(&mut self, failure: Failure) {
        self.end(Event::Failed(failure));
    }

    fn end(&mut self, event: Event<'static>) {
        if matches!(self.state, State::Over) {
            return;
        }
        self.close = self.config.transport.is_stream();
        self.connect = false;
        self.state = State::Over;
        self.transactions = Transactions::new();
        self.refresh_at = None;
        self.active = ActiveDestination::default();
        self.tell(event);
    }

    fn active_refused(&mut self, peer: SocketAddr, code: Option<u16>) {
        if self.active.wanted == Some(peer) {
            self.active.wanted = None;
            self.active.retry = None;
            self.tell(Event::ActiveDestinationRefused { peer, code });
        }
    }
}

/// The number of the next request; the server chose the identifier.
fn next_sequence(sequence: &mut Option<MsSequenceNumber>) -> Option<MsSequenceNumber> {
    let sequence = sequence.as_mut()?;
    sequence.sequence_number = sequence.sequence_number.wrapping_add(1);
    Some(*sequence)
}

/// Writes a message, over TCP with the header of its frame.
pub(crate) fn framed(
    stream: bool,
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), ocs_stun::Error>,
) -> Result<(), ocs_stun::Error> {
    if !stream {
        return write(out);
    }
    let start = out.len();
    out.extend_from_slice(&FrameType::Control.header(0));
    let message = out.len();
    write(out)?;
    let len = u16::try_from(out.len() - message).map_err(|_| ocs_stun::Error::TooLong)?;
    out[start..message].copy_from_slice(&FrameType::Control.header(len));
    Ok(())
}
