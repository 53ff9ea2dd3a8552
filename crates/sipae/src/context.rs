//! What every scheme offers: a handshake on each side, and a context that signs.
//!
//! A scheme is made of three pieces. A *scheme* object holds the configuration and starts handshakes. A *handshake* is fed the tokens
//! of the peer. At its end stands a [`SecurityContext`]. How many steps that takes is the scheme's affair: a client of
//! NTLM starts with an empty token and is done with its second, one of Kerberos is done at once, one of TLS-DSK is done when it has read the
//! server's second token and sends none after it.

use std::fmt;
use std::time::SystemTime;

use ocs_sip_core::header::Scheme;
use rand_core::CryptoRng;

use crate::Error;
use crate::headers::Challenge;

/// The signature of one message, in octets: 16 with NTLM, up to 64 with other schemes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    len: u8,
    octets: [u8; Self::MAX],
}

impl Signature {
    /// The longest signature, in octets.
    pub const MAX: usize = 64;

    /// Takes the octets of a signature; `None` if there are more than [`MAX`](Self::MAX).
    #[must_use]
    pub fn new(octets: &[u8]) -> Option<Self> {
        let mut all = [0; Self::MAX];
        all.get_mut(..octets.len())?.copy_from_slice(octets);
        Some(Self {
            len: octets.len() as u8,
            octets: all,
        })
    }

    /// Reads hexadecimal digits of either case.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut octets = [0; Self::MAX];
        let len = text.len() / 2;
        hex::decode_to_slice(text, octets.get_mut(..len)?).ok()?;
        Some(Self {
            len: len as u8,
            octets,
        })
    }

    /// Writes upper-case digits; gives their number.
    pub(crate) fn write_hex(&self, out: &mut [u8; 2 * Self::MAX]) -> usize {
        let len = 2 * usize::from(self.len);
        let digits = &mut out[..len];
        hex::encode_to_slice(self.as_bytes(), digits).expect("two digits for each octet");
        digits.make_ascii_uppercase();
        len
    }

    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }
}

impl fmt::Display for Signature {
    /// Upper-case hexadecimal digits, as servers and clients of this system write them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 2 * Self::MAX];
        let len = self.write_hex(&mut text);
        let text = &text[..len];
        f.write_str(std::str::from_utf8(text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

/// A signature is not that of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("signature is wrong")]
pub struct BadSignature;

/// The keys of an established association: `GSS_GetMIC` and `GSS_VerifyMIC` of the scheme.
///
/// Implementations compare in constant time, wipe their keys when dropped and show none of them in `Debug`.
pub trait SecurityContext: fmt::Debug + Send {
    /// Signs what is sent.
    fn sign(&mut self, buffer: &[u8]) -> Signature;

    /// Checks the signature of what was received.
    fn verify(&mut self, buffer: &[u8], signature: &[u8]) -> Result<(), BadSignature>;
}

/// What a handshake may need besides the token of the peer.
#[allow(missing_debug_implementations, reason = "a borrow of a generator")]
pub struct Surroundings<'a> {
    /// The wall-clock time.
    pub time: SystemTime,
    /// The same as a FILETIME ([MS-DTYP] 2.3.3).
    pub filetime: u64,
    /// Random octets.
    pub rng: &'a mut dyn CryptoRng,
}

/// What a step of a client's handshake gave.
#[derive(Debug)]
pub enum ClientStep {
    /// A token for the server; its answer is the next step.
    Continue(Vec<u8>),
    /// The context stands.
    Done {
        /// A last token for the server, if the scheme has one.
        token: Option<Vec<u8>>,
        /// The keys.
        context: Box<dyn SecurityContext>,
        /// The end of the ticket or certificate that the keys stem from.
        not_after: Option<SystemTime>,
    },
}

/// One handshake on the client's side.
pub trait ClientHandshake: fmt::Debug + Send {
    /// Takes the server's token; `None` at the start.
    fn step(&mut self, token: Option<&[u8]>, around: Surroundings<'_>)
    -> Result<ClientStep, Error>;
}

/// A scheme as a client is configured with it.
pub trait ClientScheme: fmt::Debug + Send {
    /// Which one it is.
    fn scheme(&self) -> Scheme;

    /// Starts a handshake with the server of this challenge.
    fn start(&self, challenge: &Challenge<'_>) -> Result<Box<dyn ClientHandshake>, Error>;
}

/// Who authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Account {
    /// The name of the account, or a user principal name.
    pub user: String,
    /// The domain as the client gave it; empty with a user principal name.
    pub domain: String,
}

/// What a step of a server's handshake gave.
#[derive(Debug)]
pub enum ServerStep {
    /// A token for the client, to be sent in a 401; its answer is the next step.
    Continue(Vec<u8>),
    /// The client is authenticated.
    Done {
        /// A last token for the client. It goes out in a 401, and the client comes back with a signed request.
        token: Option<Vec<u8>>,
        /// Who it is.
        account: Account,
        /// The keys.
        context: Box<dyn SecurityContext>,
        /// The end of the ticket or certificate that the keys stem from.
        not_after: Option<SystemTime>,
    },
}

/// One handshake on the server's side.
pub trait ServerHandshake: fmt::Debug + Send {
    /// Takes the client's token, which may be empty. `verifier` knows the accounts of password schemes.
    fn step(
        &mut self,
        token: &[u8],
        verifier: &dyn ocs_ntlm::Verifier,
        around: Surroundings<'_>,
    ) -> Result<ServerStep, Error>;
}

/// A scheme as a server is configured with it.
pub trait ServerScheme: fmt::Debug + Send + Sync {
    /// Which one it is.
    fn scheme(&self) -> Scheme;

    /// The `targetname` of this scheme for a server of this name. Kerberos has `sip/<FQDN>`.
    fn targetname(&self, fqdn: &str) -> String {
        fqdn.to_owned()
    }

    /// The `sts-uri` of the challenge; TLS-DSK has one.
    fn sts_uri(&self) -> Option<&str> {
        None
    }

    /// Starts a handshake.
    fn start(&self) -> Box<dyn ServerHandshake>;
}
