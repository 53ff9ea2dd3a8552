#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod av_pair;
mod channel;
mod client;
mod crypto;
mod error;
mod flags;
mod keys;
mod message;
mod mic;
mod response;
mod secret;
mod server;
mod session;
mod stream;
mod text;
mod verifier;

pub use av_pair::{AvFlags, AvId, AvPair, AvPairs, AvPairsBuilder, AvPairsIter, SingleHostData};
pub use channel::channel_bindings_hash;
pub use client::{Client, ClientConfig, LmPolicy};
pub use error::{Error, Field, Weakness};
pub use flags::NegotiateFlags;
pub use keys::{DatagramSealKey, KeyExchange, SealKey};
pub use message::{
    AuthenticateMessage, ChallengeMessage, MessageType, NegotiateMessage, SIGNATURE, Version,
};
pub use mic::handshake_mic;
pub use response::{
    NtlmV2Response, NtlmVersion, lm_response, lmv2_response, nt_proof_str, ntlm2_session_lm,
    ntlm2_session_response, ntlmv1_response, ntlmv2_response,
};
pub use secret::{
    Credential, ExportedSessionKey, KeyExchangeKey, LmHash, NtHash, NtlmV2Hash, SessionBaseKey,
};
pub use server::{Authenticated, PendingChallenge, Server, ServerConfig, TargetType};
pub use session::{MessageSignature, Role, Session};
pub use stream::Stream;
pub use verifier::{Attempt, HashVerifier, Verified, Verifier};

/// The two modes of the protocol, [MS-NLMP] 1.3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Three messages on a connection; sequence numbers run.
    Connection,
    /// Two messages, the first of them the server's; sequence numbers come
    /// from the application. SIP uses this mode.
    Connectionless,
}

/// Limits of what is read.
///
/// What is kept of a message is never longer than the message: a limit of its
/// length limits memory and time too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest message that is looked at, in bytes. Default 16384; real
    /// messages have some hundred bytes.
    pub max_message_len: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message_len: 16384,
        }
    }
}

impl Limits {
    fn check(self, message: &[u8]) -> Result<(), Error> {
        let (len, max) = (message.len(), self.max_message_len);
        if len > max {
            Err(Error::TooLong { len, max })
        } else {
            Ok(())
        }
    }
}
