//! What a client is told.

use std::fmt;
use std::net::SocketAddr;

use ocs_stun::Password;
use ocs_stun::attribute::{AddressFamily, MsServiceQuality, MsVersion};
use ocs_stun::transaction::Retransmission;
use ocs_stun::{IntegrityKey, KeyDerivation, trimmed, unquoted};

/// How the server is reached. The relayed address is of the same kind: a UDP port, or a TCP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Usually port 3478.
    Udp,
    /// Bare frames.
    Tcp,
    /// TCP behind the pseudo-TLS exchange; usually port 443.
    PseudoTls,
}

impl Transport {
    /// Whether there is a connection.
    #[must_use]
    pub const fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::PseudoTls)
    }
}

/// Settings of a client.
#[derive(Clone, Debug)]
pub struct Config {
    /// The server.
    pub server: SocketAddr,
    /// How it is reached.
    pub transport: Transport,
    /// The MS-Version to announce: 1 with \[MS-ICE\], 2 with \[MS-ICE2\], which is the default. 3 and more claim HMAC-SHA256; see
    /// [`sha256`](Self::sha256).
    pub version: MsVersion,
    /// How HMAC-SHA256 is used with servers of MS-Version 3 and more; the default is not to, for the derivation of its key was not read (inferred).
    pub sha256: Option<KeyDerivation>,
    /// The life to ask for in seconds; by default the server chooses.
    pub lifetime: Option<u32>,
    /// The peak rate to ask for in kbit/s.
    pub bandwidth: Option<u32>,
    /// The family of the relayed address, with MS-Version 4 and more.
    pub family: Option<AddressFamily>,
    /// What the stream is.
    pub service_quality: Option<MsServiceQuality>,
    /// When requests are sent again over UDP.
    pub retransmission: Retransmission,
    /// How often a server may send us to another one; 5 by default (inferred).
    pub redirects: u8,
    /// How often in a row a server may find its own nonce stale; 5 by default (inferred).
    pub stale_nonces: u8,
    /// Whether username and password go into the key without their leading quotes and trailing quotes and NULs, as libnice does.
    pub trim: bool,
}

impl Config {
    /// Default settings for a server.
    #[must_use]
    pub const fn new(server: SocketAddr, transport: Transport) -> Self {
        Self {
            server,
            transport,
            version: MsVersion::ICE2,
            sha256: None,
            lifetime: None,
            bandwidth: None,
            family: None,
            service_quality: None,
            retransmission: Retransmission::DRAFT,
            redirects: 5,
            stale_nonces: 5,
            trim: false,
        }
    }

    pub(super) const fn rule(&self) -> Retransmission {
        if self.transport.is_stream() {
            Retransmission::RELIABLE
        } else {
            self.retransmission
        }
    }
}

/// What \[MS-AVEDGEA\] gave: binary, that is decoded from its base64.
#[derive(Clone)]
pub struct Credentials {
    /// The token.
    pub username: Box<[u8]>,
    /// Its password.
    pub password: Password,
}

impl Credentials {
    pub(super) fn key(&self, derivation: KeyDerivation, realm: &[u8], trim: bool) -> IntegrityKey {
        let (username, password) = (&*self.username, self.password.as_bytes());
        if trim {
            let realm = trimmed(unquoted(realm));
            IntegrityKey::long_term_exact(derivation, trimmed(username), realm, trimmed(password))
        } else {
            IntegrityKey::long_term(derivation, username, realm, password)
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}
