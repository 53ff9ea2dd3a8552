//! The NEGOTIATE transaction that turns compression on.
//!
//! Both sides are state machines over statuses and header values; the SIP messages around them,
//! with their Via, From, To, Call-ID and CSeq, are built and parsed by the caller's SIP stack.
//! Both are off until they are switched on: compression inside TLS leaks through its lengths what
//! an attacker can make a peer repeat.

mod acceptor;
mod initiator;

use std::net::SocketAddr;

pub use acceptor::{Acceptor, AcceptorConfig, AcceptorEvent, Answer};
pub use initiator::{
    CloseReason, Initiator, InitiatorConfig, InitiatorEvent, Mismatch, NegotiateRequest,
};

/// The method of the request that asks for compression. It travels in the clear, as the first
/// request of a connection.
pub const METHOD: &str = "NEGOTIATE";

/// The header that names the algorithm, in the request and in its 2xx response.
pub const COMPRESSION_HEADER: &str = "Compression";

/// The headers that every NEGOTIATE request has; receivers of Microsoft recognise it by them. There
/// are no Contact and no credentials.
pub const REQUIRED_HEADERS: [&str; 6] = ["CSeq", "Via", "Call-ID", "From", "To", "Compression"];

/// The status of a refusal (recalled; whatever the status, a final non-2xx leaves the connection
/// usable and uncompressed).
pub const REFUSAL_STATUS: u16 = 488;

/// The reason phrase of a refusal (recalled).
pub const REFUSAL_REASON: &str = "Compression algorithm refused";

/// An algorithm that this crate speaks.
///
/// Servers among themselves may also offer `LZ77-64K`, which is another algorithm; it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Algorithm {
    /// `LZ77-8K`: MPPC with a history of 8 KB.
    #[default]
    Lz77_8K,
}

impl Algorithm {
    /// The value of the Compression header.
    pub const fn header_value(self) -> &'static str {
        match self {
            Self::Lz77_8K => "LZ77-8K",
        }
    }

    /// The algorithm that the value of a Compression header names. The value is one token, compared
    /// as a whole (inferred) and without regard to case, as SIP compares tokens.
    pub fn from_header_value(value: &str) -> Option<Self> {
        value
            .trim_matches([' ', '\t'])
            .eq_ignore_ascii_case(Self::Lz77_8K.header_value())
            .then_some(Self::Lz77_8K)
    }
}

/// Where the negotiation of a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum NegotiationState {
    /// Nothing was asked.
    #[default]
    None,
    /// NEGOTIATE was sent, or received and not answered yet.
    Requested,
    /// Both directions carry packets.
    Accepted,
    /// The connection stays uncompressed.
    Refused,
}

/// The Request-URI of NEGOTIATE, which is also the URI of its To: the address of the peer
/// (inferred from the example of section 4).
///
/// ```
/// let peer = "192.0.0.1:5061".parse().unwrap();
/// assert_eq!(ocs_sipcomp::request_uri(peer), "sip:192.0.0.1:5061");
/// ```
pub fn request_uri(peer: SocketAddr) -> String {
    format!("sip:{peer}")
}
