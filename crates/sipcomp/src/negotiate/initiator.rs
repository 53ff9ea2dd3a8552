//! The side that opened the connection.

use std::time::{Duration, Instant};

use super::{Algorithm, COMPRESSION_HEADER, METHOD, NegotiationState};
use crate::Error;

/// What to do when a 2xx does not name the algorithm that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mismatch {
    /// Close the connection: nobody knows what the peer will send (inferred).
    #[default]
    Close,
    /// Go on uncompressed. Middleboxes switch compression off by rewriting the value to `None`.
    Uncompressed,
}

/// How an [`Initiator`] behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitiatorConfig {
    /// Whether to ask for compression. Default false.
    pub enabled: bool,
    /// What a 2xx with another algorithm, or none, means. Default [`Mismatch::Close`].
    pub mismatch: Mismatch,
    /// How long to wait for a final response. Default 32 s, timer F of RFC 3261 17.1.2.2.
    pub timeout: Duration,
}

impl Default for InitiatorConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            mismatch: Mismatch::default(),
            timeout: Duration::from_secs(32),
        }
    }
}

/// A NEGOTIATE request to send, in the clear. Nothing else may be sent before its final response.
///
/// The caller adds Via, From, To, Call-ID and CSeq ([`REQUIRED_HEADERS`](super::REQUIRED_HEADERS))
/// and [`request_uri`](super::request_uri).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NegotiateRequest {
    /// The algorithm that is offered.
    pub algorithm: Algorithm,
}

impl NegotiateRequest {
    /// The method, `NEGOTIATE`.
    pub const fn method(&self) -> &'static str {
        METHOD
    }

    /// The headers beyond those that every request has: it is never forwarded, names its
    /// algorithm and has no body.
    pub const fn headers(&self) -> [(&'static str, &'static str); 3] {
        [
            (COMPRESSION_HEADER, self.algorithm.header_value()),
            ("Max-Forwards", "0"),
            ("Content-Length", "0"),
        ]
    }
}

/// Why a connection has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// No final response in time.
    Timeout,
    /// A 2xx that does not name the algorithm that was offered.
    AlgorithmMismatch,
}

/// What an [`Initiator`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InitiatorEvent {
    /// From the first byte after the response on, both directions carry packets: make an
    /// [`Encoder`](crate::Encoder) and a [`Decoder`](crate::Decoder).
    Accepted(Algorithm),
    /// The connection goes on uncompressed; the status of the response.
    Refused(u16),
    /// Close the connection.
    Close(CloseReason),
}

/// NEGOTIATE as the initiator of a TCP or TLS connection sends it: after the TLS handshake, before
/// keep-alive negotiation and registration ([MS-CONMGMT] 3.4.5).
///
/// ```
/// use ocs_sipcomp::{Algorithm, Initiator, InitiatorConfig, InitiatorEvent};
/// # let now = std::time::Instant::now();
/// let mut initiator = Initiator::new(InitiatorConfig { enabled: true, ..Default::default() });
/// initiator.negotiate(now)?;
/// let request = initiator.poll_transmit().unwrap();
/// assert_eq!(request.headers()[0], ("Compression", "LZ77-8K"));
/// initiator.handle_response(200, Some("LZ77-8K"))?;
/// assert_eq!(initiator.poll_event(), Some(InitiatorEvent::Accepted(Algorithm::Lz77_8K)));
/// # Ok::<(), ocs_sipcomp::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Initiator {
    config: InitiatorConfig,
    state: NegotiationState,
    deadline: Option<Instant>,
    transmit: Option<NegotiateRequest>,
    event: Option<InitiatorEvent>,
}

impl Initiator {
    /// The negotiation of one new connection.
    pub fn new(config: InitiatorConfig) -> Self {
        Self {
            config,
            ..Self::default()
        }
    }

    /// Where the negotiation stands.
    pub const fn state(&self) -> NegotiationState {
        self.state
    }

    /// Asks for compression. [`Error::State`] if it is switched off or was asked before.
    pub fn negotiate(&mut self, now: Instant) -> Result<(), Error> {
        if !self.config.enabled || self.state != NegotiationState::None {
            return Err(Error::State(self.state));
        }
        self.state = NegotiationState::Requested;
        self.deadline = Some(now + self.config.timeout);
        self.transmit = Some(NegotiateRequest {
            algorithm: Algorithm::Lz77_8K,
        });
        Ok(())
    }

    /// Takes a response to NEGOTIATE: its status and the value of its Compression header.
    ///
    /// A provisional response changes nothing. A 2xx must name the algorithm that was offered.
    /// Every other final response is a refusal, be it 488, or 405 or 501 of a peer that does not
    /// know the method. [`Error::UnexpectedResponse`] if no response is due, [`Error::Status`] if
    /// `status` is none.
    pub fn handle_response(&mut self, status: u16, compression: Option<&str>) -> Result<(), Error> {
        if self.state != NegotiationState::Requested {
            return Err(Error::UnexpectedResponse(status));
        }
        let event = match status {
            100..200 => return Ok(()),
            200..300 => match compression.and_then(Algorithm::from_header_value) {
                Some(algorithm) => InitiatorEvent::Accepted(algorithm),
                None if self.config.mismatch == Mismatch::Uncompressed => {
                    InitiatorEvent::Refused(status)
                }
                None => InitiatorEvent::Close(CloseReason::AlgorithmMismatch),
            },
            300..700 => InitiatorEvent::Refused(status),
            _ => return Err(Error::Status(status)),
        };
        self.finish(event);
        Ok(())
    }

    /// Closes the connection if the final response is overdue.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| deadline <= now) {
            self.finish(InitiatorEvent::Close(CloseReason::Timeout));
        }
    }

    /// The request to send.
    pub const fn poll_transmit(&mut self) -> Option<NegotiateRequest> {
        self.transmit.take()
    }

    /// What the application must know.
    pub const fn poll_event(&mut self) -> Option<InitiatorEvent> {
        self.event.take()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    fn finish(&mut self, event: InitiatorEvent) {
        self.state = match event {
            InitiatorEvent::Accepted(_) => NegotiationState::Accepted,
            InitiatorEvent::Refused(_) | InitiatorEvent::Close(_) => NegotiationState::Refused,
        };
        self.deadline = None;
        self.transmit = None;
        self.event = Some(event);
    }
}
