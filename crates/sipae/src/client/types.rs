//! What a client is configured with, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use ocs_sip_core::header::Scheme;

use crate::association::Refusal;
use crate::context::ClientScheme;
use crate::{Error, Version};

/// How a client authenticates.
#[derive(Debug)]
pub struct ClientConfig {
    /// The schemes in order of preference. Usual: TLS-DSK, Kerberos, NTLM.
    pub schemes: Vec<Box<dyn ClientScheme>>,
    /// The highest version to be used. Default 4.
    pub max_version: Version,
    /// How long an association lasts from the end of its handshake, unless its ticket or certificate ends before. Default 8 hours.
    pub lifetime: Duration,
    /// How long before its end an association is renewed; the specification wants 5 minutes at least. Default 5 minutes.
    pub renew_before: Duration,
    /// Whether unsigned messages that should be signed are discarded. Default true.
    pub discard_unsigned: bool,
    /// With how many servers (realm and target) a handshake may be under way. Default 4. The oldest one is given up for a new one.
    pub max_handshakes: usize,
}

impl ClientConfig {
    /// The defaults with these schemes.
    #[must_use]
    pub fn new(schemes: Vec<Box<dyn ClientScheme>>) -> Self {
        Self {
            schemes,
            max_version: Version::V4,
            lifetime: Duration::from_hours(8),
            renew_before: Duration::from_mins(5),
            discard_unsigned: true,
            max_handshakes: 4,
        }
    }
}

/// What to do about a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send the request again: same Call-ID and epid, CSeq one higher, no To tag, then [`Client::authorize`](super::Client::authorize).
    Resend,
    /// The association stands, yet the signature was refused: send the same request again, with the same CSeq, after
    /// [`Client::sign`](super::Client::sign). This is said once for each request.
    Resign,
    /// There is nothing more to try.
    Failed(Failure),
}

/// Why authentication failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The response carries no challenge that can be read.
    #[error("no readable challenge")]
    NoChallenge,
    /// None of the configured schemes is offered, in a version that is known.
    #[error("no common scheme")]
    NoCommonScheme,
    /// The server did not take the last token: wrong password, unknown or disabled user, expired ticket.
    #[error("the server refused the credentials")]
    CredentialsRefused {
        /// The scheme.
        scheme: Scheme,
        /// `ms-diagnostics` of the response, if there is one.
        diagnostics: Option<String>,
    },
    /// The server broke the handshake off before its end.
    #[error("the server broke off the {scheme} handshake")]
    HandshakeRefused {
        /// The scheme.
        scheme: Scheme,
        /// `ms-diagnostics` of the response, if there is one.
        diagnostics: Option<String>,
    },
    /// The handshake failed here.
    #[error("{scheme} handshake: {error}")]
    Handshake {
        /// The scheme.
        scheme: Scheme,
        /// What was wrong.
        error: Error,
    },
    /// A request was signed a second time and refused again. Register anew.
    #[error("the server refused the signature twice")]
    SignatureRefused,
}

/// What to do with a message from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The signature is right: process it.
    Accepted,
    /// It is not signed and need not be: process it.
    Unsigned,
    /// Do as if it had not come.
    Discard(Discard),
}

/// Why a message must be discarded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Discard {
    /// It is signed by a server with which there is no association.
    #[error("no association with the signer")]
    NoAssociation,
    /// Its signature does not count.
    #[error(transparent)]
    Refused(Refusal),
    /// It should have been signed.
    #[error("message is not signed")]
    Unsigned,
}

/// What the owner must know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An association stands, or has replaced an older one.
    Established {
        /// The scheme.
        scheme: Scheme,
        /// The protection space.
        realm: Arc<str>,
        /// The server.
        targetname: Arc<str>,
    },
    /// An association nears its end: send an unsigned REGISTER.
    Renew {
        /// The protection space.
        realm: Arc<str>,
        /// The server.
        targetname: Arc<str>,
    },
    /// An association was not renewed in time and is gone.
    Expired {
        /// The protection space.
        realm: Arc<str>,
        /// The server.
        targetname: Arc<str>,
    },
    /// The clocks differ by more than the scheme bears: 5 minutes with Kerberos, 15 with NTLM.
    ClockSkew {
        /// How much.
        by: Duration,
        /// Whether the server's clock is ahead.
        server_ahead: bool,
    },
}
