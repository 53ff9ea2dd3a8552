//! Transactions (RFC 3261 17, RFC 6026): retransmission, matching and time-outs of requests and responses.
//!
//! [`Layer`] holds all transactions of one element (a user agent, a proxy, a server). It follows the contract of every machine here:
//! after each call drain [`poll_transmit`](Layer::poll_transmit) and [`poll_event`](Layer::poll_event) until `None`, then set the
//! timer to [`poll_timeout`](Layer::poll_timeout).
//!
//! ```
//! use std::time::Instant;
//! use ocs_sip_core::transaction::{Event, Flow, Layer, Timers};
//! use ocs_sip_core::{ConnectionId, HeaderName, Message, Method};
//!
//! let now = Instant::now();
//! let flow = Flow::Stream(ConnectionId(1));
//! let mut layer = Layer::new(Timers::default());
//! let request = Message::request(Method::Options, "sip:bob@contoso.com")
//!     .with(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1:50230;branch=z9hG4bK1")
//!     .with(HeaderName::From, "<sip:alice@contoso.com>;tag=1")
//!     .with(HeaderName::To, "<sip:bob@contoso.com>")
//!     .with(HeaderName::CallId, "a")
//!     .with(HeaderName::CSeq, "1 OPTIONS");
//! let id = layer.request(now, flow, request)?;
//! let sent = layer.poll_transmit().unwrap();
//!
//! // ... the peer's answer comes on the same connection:
//! layer.handle_message(now, flow, Message::response_to(&sent.message, 200, Some("2")))?;
//! assert!(matches!(layer.poll_event(), Some(Event::Response { id: answered, .. }) if answered == id));
//! assert!(layer.is_empty());
//! # Ok::<(), ocs_sip_core::transaction::TransactionError>(())
//! ```
//!
//! # States
//!
//! `->` is sent to the network, `<=` goes to the user. Timers in brackets run on datagrams only; on a stream their state is left at once.
//!
//! INVITE client (17.1.1, RFC 6026 7.2)
//!
//! | state | 1xx | 2xx | 300-699 | timers |
//! |---|---|---|---|---|
//! | Calling | <= , Proceeding | <= , Accepted | <= , -> ACK, Completed | \[A: -> INVITE\]; B: <= time-out |
//! | Proceeding | <= | <= , Accepted | <= , -> ACK, Completed | C: <= time-out; after CANCEL 64 T1: <= time-out |
//! | Completed | | | -> ACK | \[D\]: end |
//! | Accepted | | <= | | M: end |
//!
//! Client of other methods (17.1.2)
//!
//! | state | 1xx | 200-699 | timers |
//! |---|---|---|---|
//! | Trying | <= , Proceeding | <= , Completed | \[E: -> request\]; F: <= time-out |
//! | Proceeding | <= | <= , Completed | \[E = T2: -> request\]; F: <= time-out |
//! | Completed | | | \[K\]: end |
//!
//! INVITE server (17.2.1, RFC 6026 7.1)
//!
//! | state | INVITE again | ACK | user: 1xx | user: 2xx | user: 300-699 | timers |
//! |---|---|---|---|---|---|---|
//! | Trying | -> 100, Proceeding | | ->, Proceeding | ->, Accepted | ->, Completed | 200 ms: -> 100, Proceeding |
//! | Proceeding | -> last | | -> | ->, Accepted | ->, Completed | C: <= ended |
//! | Completed | -> last | Confirmed | | | | \[G: -> last\]; H: <= ended |
//! | Accepted | | <= | | -> | | L: end |
//! | Confirmed | | | | | | \[I\]: end |
//!
//! Server of other methods (17.2.2)
//!
//! | state | request again | user: 1xx | user: 200-699 | timers |
//! |---|---|---|---|---|
//! | Trying | | ->, Proceeding | ->, Completed | C: <= ended |
//! | Proceeding | -> last | -> | ->, Completed | C: <= ended |
//! | Completed | -> last | | | \[J\]: end |
//!
//! # What the layer does by itself
//!
//! - the ACK of a final response from 300 up, the 100 of an INVITE whose user is silent for 200 ms;
//! - every answer to a CANCEL: 200 when it finds its INVITE (then [`Event::Cancel`], if the INVITE is still unanswered: answer
//!   *that* with 487), else 481;
//! - 503 to requests above [`TransactionLimits`].
//!
//! # What stays with the user
//!
//! The ACK of a 2xx and its repetition, the repetition of a 2xx until the ACK is there (13.2.2.4, 13.3.1.4; see
//! [`dialog`](crate::dialog)), Via headers, `received` and `ms-received-*` of the top Via (add them before the request is handed
//! in), signatures: what [`Layer::poll_transmit`] gives is the last word before the wire, so this is where messages that the
//! layer made are signed too.
//!
//! # Keys
//!
//! A transaction is found by the [`Flow`] and the rules of 17.1.3 and 17.2.3. The flow counts because clients of this system draw
//! branches, Call-IDs and tags from unseeded generators: two of them use the same values at the same time. A
//! request whose Via has no branch of RFC 3261 (SIPE sends INVITE and all requests inside dialogs so) is matched by Call-ID,
//! CSeq, From tag, To tag and `sent-by`.

mod client;
mod invite_client;
mod invite_server;
mod key;
mod layer;
mod made;
mod server;
mod table;
mod timers;

use std::net::SocketAddr;

use crate::{ConnectionId, Message};

pub use layer::Layer;
pub use timers::Timers;

/// Where messages come from and go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flow {
    /// A TCP or TLS connection.
    Stream(ConnectionId),
    /// The peer of a UDP socket.
    Datagram(SocketAddr),
}

impl Flow {
    /// Whether the transport repeats what is lost.
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        matches!(self, Self::Stream(_))
    }
}

/// Names a client transaction for as long as the layer lives; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub(crate) u64);

/// Names a server transaction for as long as the layer lives; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerId(pub(crate) u64);

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where.
    pub flow: Flow,
    /// What.
    pub message: Message,
}

/// Why a server transaction ended without the user's doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndCause {
    /// No ACK came for a final response within 64 T1 (timer H). Harmless: some clients of this system send none to a failure.
    NoAck,
    /// The user gave no response for [`Timers::proceeding`].
    Unanswered,
    /// The flow was closed before the final response; there is nobody to answer.
    FlowClosed,
}

/// What the user of a [`Layer`] must know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A new request. Answer it with [`Layer::respond`].
    Request {
        /// Its transaction.
        id: ServerId,
        /// Where it came from.
        flow: Flow,
        /// The request.
        message: Message,
    },
    /// The ACK of a 2xx, or one that matches nothing (such as that of a 503 that was sent without a transaction).
    Ack {
        /// Where it came from.
        flow: Flow,
        /// The ACK.
        message: Message,
    },
    /// A BENOTIFY: it has no transaction and gets no response.
    Benotify {
        /// Where it came from.
        flow: Flow,
        /// The request.
        message: Message,
    },
    /// The peer cancels an INVITE that has no final response. The CANCEL is answered already; answer the INVITE, with 487 unless
    /// something better is there (RFC 3261 9.2).
    Cancel {
        /// The INVITE.
        target: ServerId,
        /// The CANCEL, which may carry Reason and ms-diagnostics.
        message: Message,
    },
    /// A response: provisional, the final one, or further 2xx to an INVITE (forks, and repetitions that have to be acknowledged
    /// again).
    Response {
        /// The request's transaction.
        id: ClientId,
        /// The response.
        message: Message,
    },
    /// No final response in time: act as on 408 (8.1.3.1). The transaction is gone.
    Timeout {
        /// The transaction.
        id: ClientId,
    },
    /// The flow was closed before the final response: act as on 503 (8.1.3.1). The transaction is gone.
    FlowFailed {
        /// The transaction.
        id: ClientId,
    },
    /// A server transaction is gone without the user's doing.
    Ended {
        /// The transaction.
        id: ServerId,
        /// Why.
        cause: EndCause,
    },
    /// A response that matches no transaction, such as a 2xx to an INVITE that comes after timer M. A proxy forwards it
    /// by its Via, a user agent drops it.
    Stray {
        /// Where it came from.
        flow: Flow,
        /// The response.
        message: Message,
    },
}

/// Bounds on the transactions that exist at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionLimits {
    /// All transactions. Requests that come above it are answered 503 and forgotten; requests of the user are
    /// [`TransactionError::Full`]. Default 262,144 (some 2 KB each with their message).
    pub transactions: usize,
    /// Server transactions of one flow, so that one peer cannot take all. Default 16,384.
    pub per_flow: usize,
}

impl Default for TransactionLimits {
    fn default() -> Self {
        Self {
            transactions: 256 * 1024,
            per_flow: 16 * 1024,
        }
    }
}

/// Why the [`Layer`] did not take a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// The message lacks what a transaction needs: Via, Call-ID, CSeq, From or To.
    #[error(transparent)]
    Message(#[from] crate::Error),
    /// A response was given where a request is wanted, or the other way round.
    #[error("not the kind of message that belongs here")]
    Kind,
    /// ACK, BENOTIFY (see [`Layer::send`]) and CANCEL (see [`Layer::cancel`]) cannot be started as a request.
    #[error("{0} starts no transaction")]
    Method(crate::Method),
    /// The top Via of the request has no branch.
    #[error("the top Via has no branch")]
    NoBranch,
    /// The branch is that of another transaction on this flow.
    #[error("the branch is in use")]
    BranchInUse,
    /// There are [`TransactionLimits::transactions`] already.
    #[error("more than {limit} transactions")]
    Full {
        /// The bound.
        limit: usize,
    },
    /// The transaction is over: time ran out, the flow was closed, or it was answered on a stream.
    #[error("the transaction does not exist")]
    Unknown,
    /// The transaction has its final response.
    #[error("the request has a final response already")]
    Answered,
}

/// What a machine wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Nothing,
    /// Send what the machine repeats: the request, the ACK or the last response.
    Send,
    /// Give the message to the user.
    Deliver,
    /// Both.
    DeliverAndSend,
    /// Forget the transaction and take the request as a new one.
    Restart,
    /// Tell the user that time ran out.
    TimedOut,
}
