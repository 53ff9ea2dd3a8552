//! What a server answers.

use std::sync::Arc;

use ocs_sip_core::{Aor, ConnectionId, Message};

use crate::association::Refusal;
use crate::{Account, Error, Scheme};

/// Names one association of a server. Numbers are not used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AssociationId(pub(super) u64);

impl AssociationId {
    /// The `opaque` on the wire.
    pub(super) const fn opaque(self) -> u32 {
        self.0 as u32
    }
}

/// Who stands behind an association.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The account that authenticated.
    pub account: Account,
    /// The address of the user, which the account owns.
    pub aor: Aor,
    /// How it authenticated.
    pub scheme: Scheme,
}

/// What to do with a request.
#[derive(Debug)]
#[must_use]
pub enum Outcome {
    /// Send this 401.
    Challenge(Message),
    /// Do as if it had not come.
    Discard(Discard),
    /// It comes from this user: process it.
    Accepted {
        /// The user.
        identity: Arc<Identity>,
        /// The association, to sign answers with.
        association: AssociationId,
        /// Whether this request completed the handshake.
        established: bool,
    },
    /// Send this 403 or 400, which says why in its diagnostics.
    Forbidden {
        /// The response, to be signed if there is an `association`.
        response: Message,
        /// Why.
        reason: Forbidden,
        /// The association that the refused request was verified with.
        association: Option<AssociationId>,
    },
    /// Send this 503: there is no room for another handshake or association.
    Overloaded(Message),
}

/// Why a request must be discarded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Discard {
    /// It is not a request, or not a response, as the method wants it.
    #[error("wrong kind of message")]
    Kind,
    /// It has no valid credentials and cannot be answered (ACK, CANCEL, BENOTIFY, responses).
    #[error("not authenticated")]
    Unauthenticated,
    /// Its signature does not count.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A header that is needed is absent or malformed.
    #[error(transparent)]
    Malformed(#[from] Error),
}

/// Why a request is refused for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Forbidden {
    /// The account does not own the address in From.
    #[error("the account does not own the From address")]
    NotOwner,
    /// The user may not send with the address in From.
    #[error("From is not the address of the association")]
    ForeignFrom,
    /// Neither epid nor +sip.instance.
    #[error("no endpoint identifier")]
    NoEndpoint,
    /// Too many wrong signatures in a row.
    #[error("signatures were refused too often")]
    TooManyRefusals,
}

/// Why an association ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// Its lifetime is over.
    Lifetime,
    /// No message for too long.
    Idle,
    /// The endpoint authenticated anew.
    Replaced,
    /// The connection closed.
    ConnectionClosed,
    /// [`Server::remove`](super::Server::remove) was called.
    Removed,
}

/// What the owner must know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An association is gone; responses and requests to the endpoint cannot be signed any more.
    Ended {
        /// Which one.
        association: AssociationId,
        /// Whose.
        identity: Arc<Identity>,
        /// Why.
        reason: End,
    },
    /// A client could not prove who it is.
    LogonFailure {
        /// Its connection.
        connection: ConnectionId,
        /// The address it wanted to use.
        aor: Aor,
        /// What was wrong.
        error: Error,
    },
}
