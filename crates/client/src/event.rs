//! What a user agent asks for and what it tells.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use ocs_conmgmt::Query;
use ocs_sip_core::{Aor, ConnectionId, Transport};
use ocs_siprege::notify::RegistrationEvent;

/// What the caller must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Look this up, then call [`UserAgent::handle_answer`](crate::UserAgent::handle_answer).
    Resolve(Query),
    /// Connect, with a TLS handshake if `transport` says so, then call
    /// [`UserAgent::handle_connected`](crate::UserAgent::handle_connected) or
    /// [`UserAgent::handle_connect_failed`](crate::UserAgent::handle_connect_failed).
    Connect {
        /// The name of the connection from now on.
        connection: ConnectionId,
        /// TLS or TCP.
        transport: Transport,
        /// The server's name, for SNI and the certificate.
        host: String,
        /// Where to.
        address: SocketAddr,
    },
    /// Write these octets.
    Send {
        /// Where to.
        connection: ConnectionId,
        /// What.
        data: Bytes,
    },
    /// Close the connection once everything is written, or stop connecting.
    Close {
        /// Which.
        connection: ConnectionId,
    },
}

/// Names a text that was sent, for its delivery report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextId(pub u64);

/// What the application must know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Connected to a server; signing in.
    Connected {
        /// Its name.
        host: String,
        /// Its address.
        address: SocketAddr,
        /// TCP or TLS.
        transport: Transport,
        /// Whether the connection is compressed (\[MS-SIPCOMP\]).
        compressed: bool,
    },
    /// Registered.
    SignedIn {
        /// The GRUU of this endpoint.
        gruu: Option<String>,
        /// Life of the registration in seconds; it is refreshed by itself.
        expires: u32,
        /// Connected from outside, through an Edge server.
        remote_user: bool,
    },
    /// Could not sign in, or may not stay signed in; nothing more happens until
    /// [`UserAgent::sign_in`](crate::UserAgent::sign_in).
    SignInFailed(Failure),
    /// The connection is gone; it is made again by itself.
    Reconnecting {
        /// When the next attempt begins, if there is a pause.
        until: Option<Instant>,
    },
    /// The server ended or changed the registration.
    Registration {
        /// What it said.
        event: RegistrationEvent,
        /// Its explanation.
        reason: Option<String>,
    },
    /// Signed out at our wish.
    SignedOut,
    /// Somebody wants to talk. With [`Config::auto_accept`](crate::Config::auto_accept) this is followed by
    /// [`ConversationStarted`](Self::ConversationStarted).
    Invited {
        /// Who, as the server asserts.
        from: Aor,
        /// His display name.
        display_name: Option<String>,
        /// The first text, if it came with the invitation. It comes again as [`Text`](Self::Text).
        preview: Option<String>,
    },
    /// A conversation is up.
    ConversationStarted {
        /// With whom.
        with: Aor,
    },
    /// A text came.
    Text {
        /// From whom.
        from: Aor,
        /// Its media type.
        content_type: String,
        /// The text.
        text: String,
    },
    /// The other side types, or stopped typing.
    Typing {
        /// Who.
        from: Aor,
        /// Whether he types.
        active: bool,
    },
    /// A text of ours arrived.
    Delivered {
        /// To whom.
        to: Aor,
        /// Which.
        id: TextId,
    },
    /// A text of ours did not arrive.
    NotDelivered {
        /// To whom.
        to: Aor,
        /// Which.
        id: TextId,
        /// The status of the answer; 408 when none came.
        status: u16,
        /// What it means.
        reason: String,
    },
    /// A conversation is over.
    ConversationEnded {
        /// With whom.
        with: Aor,
        /// Whether another endpoint of the user took it.
        elsewhere: bool,
    },
}

/// Why signing in failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// No server was found, or none could be connected to.
    #[error("no server could be reached ({tried} tried)")]
    NoServer {
        /// How many were tried.
        tried: usize,
    },
    /// The server does not know the account or its password, or offers no scheme that we have.
    #[error("authentication failed: {0}")]
    Authentication(String),
    /// The server refused the registration.
    #[error("refused with {status}: {reason}")]
    Refused {
        /// The status.
        status: u16,
        /// The explanation in the answer.
        reason: String,
    },
    /// The server ended the registration and does not want the user back by himself.
    #[error("signed out by the server")]
    Deregistered(RegistrationEvent),
    /// The server broke the protocol.
    #[error("protocol error: {0}")]
    Protocol(String),
}
