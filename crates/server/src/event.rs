//! What a front end asks for and what it tells.

use std::net::SocketAddr;

use bytes::Bytes;
use ocs_conmgmt::CloseReason;
use ocs_ocer::report::ReportError;
use ocs_qoe::server::Report;
use ocs_sip_core::{Aor, ConnectionId};
use ocs_siprege::registrar::Removal;

use crate::DocumentKind;

/// What the caller must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Write these octets.
    Send {
        /// Where to.
        connection: ConnectionId,
        /// What.
        data: Bytes,
    },
    /// Close the connection once everything before is written. Nothing more comes for it, and
    /// [`FrontEnd::handle_closed`](crate::FrontEnd::handle_closed) need not be called.
    Close {
        /// Which.
        connection: ConnectionId,
    },
}

/// What the application may want to log or count.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A connection was closed by this side.
    Closed {
        /// Which.
        connection: ConnectionId,
        /// Its far end.
        remote: SocketAddr,
        /// Why.
        cause: CloseCause,
    },
    /// A message was refused for its form; the connection goes on.
    Malformed {
        /// On which connection.
        connection: ConnectionId,
        /// What is wrong with it.
        reason: String,
    },
    /// A message was dropped: a wrong or replayed signature, a response to nothing.
    Dropped {
        /// On which connection.
        connection: ConnectionId,
        /// Why.
        reason: String,
    },
    /// A client could not prove who it is.
    LogonFailure {
        /// Its connection.
        connection: ConnectionId,
        /// The user that it wanted to be.
        aor: Aor,
        /// What was wrong.
        reason: String,
    },
    /// An endpoint registered or refreshed.
    Registered {
        /// The user.
        aor: Aor,
        /// Its connection.
        connection: Option<ConnectionId>,
        /// The instance.
        instance: String,
        /// `added`, `refreshed` or `fixed`.
        action: &'static str,
    },
    /// An endpoint is not registered any more.
    Unregistered {
        /// The user.
        aor: Aor,
        /// The instance.
        instance: String,
        /// Why.
        cause: Removal,
    },
    /// What the store has of a user cannot be read. The user goes on without it; the next change replaces it.
    DamagedDocument {
        /// The user.
        aor: Aor,
        /// Which document.
        kind: DocumentKind,
        /// What is wrong with it.
        reason: String,
    },
    /// The store could not read or keep a document of a user. Whoever asked for it was refused; what nobody asked for, such as the end of a
    /// publication, holds in memory and is kept with the next change.
    StoreFailed {
        /// The user.
        aor: Aor,
        /// Which document.
        kind: DocumentKind,
        /// What the store says.
        reason: String,
    },
    /// A user's client tells that a request failed. Its texts are anybody's.
    ErrorReport {
        /// The user.
        aor: Aor,
        /// What failed.
        report: Box<ReportError>,
    },
    /// A user's client reported on the quality of a call, and the store has it. Private data stand in it, and its texts are anybody's.
    QualityReported {
        /// The user.
        aor: Aor,
        /// What it saw and heard, or the stars that the user gave.
        report: Box<Report>,
    },
    /// The store could not keep a report on the quality of a call. It was refused.
    QualityReportLost {
        /// The user.
        aor: Aor,
        /// What the store says.
        reason: String,
    },
}

/// Why this side closed a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseCause {
    /// A timer of \[MS-CONMGMT\] ran out.
    Timer(CloseReason),
    /// The stream cannot be read any further.
    Stream(String),
    /// The client does not read what it is sent.
    Backlog {
        /// Octets that wait.
        octets: usize,
    },
    /// There are as many connections as are allowed.
    TooMany,
    /// The server shuts down.
    Draining,
}
