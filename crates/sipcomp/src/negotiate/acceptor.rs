//! The side that accepted the connection.

use super::{
    Algorithm, COMPRESSION_HEADER, METHOD, NegotiationState, REFUSAL_REASON, REFUSAL_STATUS,
};

/// How an [`Acceptor`] behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcceptorConfig {
    /// Whether to accept compression. Default false. A server that has as many compressed
    /// connections as it wants passes false for further ones.
    pub enabled: bool,
    /// Whether to refuse compression outside TLS (recalled of the product). Default true.
    pub require_tls: bool,
}

impl Default for AcceptorConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            require_tls: true,
        }
    }
}

/// The response to a NEGOTIATE request, to be sent in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// 200, or [`REFUSAL_STATUS`].
    pub status: u16,
    /// The reason phrase.
    pub reason: &'static str,
    /// The algorithm that was accepted.
    pub algorithm: Option<Algorithm>,
}

impl Answer {
    /// The Compression header of the response, if it has one.
    pub fn header(&self) -> Option<(&'static str, &'static str)> {
        self.algorithm
            .map(|algorithm| (COMPRESSION_HEADER, algorithm.header_value()))
    }
}

/// What an [`Acceptor`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptorEvent {
    /// The 200 was handed out: behind its last byte, and behind the last byte of the request, both
    /// directions carry packets. Make an [`Encoder`](crate::Encoder) and a
    /// [`Decoder`](crate::Decoder).
    Accepted(Algorithm),
}

/// NEGOTIATE as the acceptor of a TCP or TLS connection answers it.
///
/// ```
/// use ocs_sipcomp::{Acceptor, AcceptorConfig, Algorithm, AcceptorEvent};
/// let config = AcceptorConfig { enabled: true, ..Default::default() };
/// let mut acceptor = Acceptor::new(config, true);
/// assert!(acceptor.handle_request("NEGOTIATE", Some("LZ77-8K")));
/// let answer = acceptor.poll_transmit().unwrap();
/// assert_eq!((answer.status, answer.header()), (200, Some(("Compression", "LZ77-8K"))));
/// assert_eq!(acceptor.poll_event(), Some(AcceptorEvent::Accepted(Algorithm::Lz77_8K)));
/// ```
#[derive(Debug)]
pub struct Acceptor {
    config: AcceptorConfig,
    tls: bool,
    first: bool,
    state: NegotiationState,
    transmit: Option<Answer>,
    event: Option<AcceptorEvent>,
}

impl Acceptor {
    /// The negotiation of one new connection; `tls` tells whether it runs over TLS.
    pub const fn new(config: AcceptorConfig, tls: bool) -> Self {
        Self {
            config,
            tls,
            first: true,
            state: NegotiationState::None,
            transmit: None,
            event: None,
        }
    }

    /// Where the negotiation stands.
    pub const fn state(&self) -> NegotiationState {
        self.state
    }

    /// Takes each request of the connection: its method and the value of its Compression header.
    /// Returns whether it was NEGOTIATE, so that the caller has nothing left to do with it but to
    /// send the answer.
    ///
    /// Accepted is `LZ77-8K` in the first request of the connection (inferred); all else is refused
    /// and leaves the connection as it is.
    pub fn handle_request(&mut self, method: &str, compression: Option<&str>) -> bool {
        let first = core::mem::replace(&mut self.first, false);
        if method != METHOD {
            return false;
        }
        let allowed = first && self.config.enabled && (self.tls || !self.config.require_tls);
        let algorithm = compression
            .filter(|_| allowed)
            .and_then(Algorithm::from_header_value);
        self.transmit = Some(if algorithm.is_some() {
            self.state = NegotiationState::Requested;
            Answer {
                status: 200,
                reason: "OK",
                algorithm,
            }
        } else {
            if self.state == NegotiationState::None {
                self.state = NegotiationState::Refused;
            }
            Answer {
                status: REFUSAL_STATUS,
                reason: REFUSAL_REASON,
                algorithm: None,
            }
        });
        true
    }

    /// The response to send.
    pub fn poll_transmit(&mut self) -> Option<Answer> {
        let answer = self.transmit.take()?;
        if let Some(algorithm) = answer.algorithm {
            self.state = NegotiationState::Accepted;
            self.event = Some(AcceptorEvent::Accepted(algorithm));
        }
        Some(answer)
    }

    /// What the application must know.
    pub const fn poll_event(&mut self) -> Option<AcceptorEvent> {
        self.event.take()
    }
}
