//! The server's side, [MS-NLMP] 3.2.

mod config;

pub use config::{ServerConfig, TargetType};

use crate::client::check_strength;
use crate::keys::KeyExchange;
use crate::message::{AuthenticateMessage, ChallengeMessage, NegotiateMessage};
use crate::response::{NtlmV2Response, NtlmVersion};
use crate::verifier::{Attempt, Verified, Verifier};
use crate::{
    AvFlags, AvPairsBuilder, Error, ExportedSessionKey, Field, Mode, NegotiateFlags, Role, Session,
    SessionBaseKey, Weakness, mic, text,
};
use rand_core::CryptoRng;
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

#[derive(Debug)]
struct Inner {
    config: ServerConfig,
    /// All of `TargetInfo` but time and end.
    target_info: AvPairsBuilder,
}

/// A server. Cheap to clone; challenges in flight share its configuration.
#[derive(Clone, Debug)]
pub struct Server {
    inner: Arc<Inner>,
}

/// A client that has proven who it is.
#[derive(Debug)]
pub struct Authenticated {
    /// The user as sent; empty for ANONYMOUS.
    pub user: String,
    /// The domain as sent; empty for a UPN.
    pub domain: String,
    /// The client's machine as sent. Proves nothing.
    pub workstation: String,
    /// Whether the client is ANONYMOUS. There is no session security then
    /// ([MS-NLMP] 3.4): everybody can compute the keys of `session`.
    pub anonymous: bool,
    /// The keys.
    pub session: Session,
}

impl Server {
    /// A server with this configuration. Fails with [`Error::AvPairTooLong`]
    /// for names that no message can carry.
    pub fn new(config: ServerConfig) -> Result<Self, Error> {
        let target_info = config.target_info()?;
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                target_info,
            }),
        })
    }

    /// The configuration.
    pub fn config(&self) -> &ServerConfig {
        &self.inner.config
    }

    /// A challenge out of nothing, as connectionless mode has it
    /// ([MS-NLMP] 3.2.5.2.1). Fails with [`Error::Mode`] in connection mode.
    ///
    /// `now_filetime` is the current time in units of 100 ns since 1601-01-01 UTC.
    pub fn challenge(
        &self,
        rng: &mut dyn CryptoRng,
        now_filetime: u64,
    ) -> Result<(Vec<u8>, PendingChallenge), Error> {
        let config = &self.inner.config;
        if config.mode != Mode::Connectionless {
            return Err(Error::Mode);
        }
        let flags = config.flags
            | NegotiateFlags::DATAGRAM
            | NegotiateFlags::KEY_EXCH
            | NegotiateFlags::NTLM
            | NegotiateFlags::ALWAYS_SIGN
            | NegotiateFlags::TARGET_INFO
            | target_flags(config.target_type);
        self.issue(flags, None, rng, now_filetime)
    }

    /// Answers a NEGOTIATE message in connection mode ([MS-NLMP] 3.2.5.1.1).
    /// Fails if it is malformed or offers less than required, and with
    /// [`Error::Mode`] in connectionless mode.
    pub fn challenge_for(
        &self,
        negotiate: &[u8],
        rng: &mut dyn CryptoRng,
        now_filetime: u64,
    ) -> Result<(Vec<u8>, PendingChallenge), Error> {
        let config = &self.inner.config;
        if config.mode != Mode::Connection {
            return Err(Error::Mode);
        }
        config.limits.check(negotiate)?;
        let message = NegotiateMessage::parse(negotiate)?;
        let mut flags = (message.negotiate_flags & config.flags)
            | NegotiateFlags::REQUEST_TARGET
            | NegotiateFlags::NTLM
            | NegotiateFlags::ALWAYS_SIGN
            | NegotiateFlags::TARGET_INFO
            | target_flags(config.target_type);
        if flags.contains(NegotiateFlags::UNICODE) {
            flags = flags.without(NegotiateFlags::OEM);
        } else if !flags.contains(NegotiateFlags::OEM) {
            return Err(Error::MissingFlags(NegotiateFlags::UNICODE));
        }
        if flags.ess() {
            flags = flags.without(NegotiateFlags::LM_KEY);
        }
        check_strength(flags, config.allow_no_ess, config.require_128)?;
        self.issue(flags, Some(negotiate.into()), rng, now_filetime)
    }

    fn issue(
        &self,
        flags: NegotiateFlags,
        negotiate: Option<Box<[u8]>>,
        rng: &mut dyn CryptoRng,
        now_filetime: u64,
    ) -> Result<(Vec<u8>, PendingChallenge), Error> {
        let mut server_challenge = [0; 8];
        rng.fill_bytes(&mut server_challenge);
        let pending = PendingChallenge {
            server: self.clone(),
            server_challenge,
            flags,
            time: now_filetime,
            negotiate,
        };
        Ok((pending.challenge_message()?, pending))
    }
}

fn target_flags(target: TargetType) -> NegotiateFlags {
    match target {
        TargetType::None => NegotiateFlags::NONE,
        TargetType::Domain => NegotiateFlags::REQUEST_TARGET | NegotiateFlags::TARGET_TYPE_DOMAIN,
        TargetType::Server => NegotiateFlags::REQUEST_TARGET | NegotiateFlags::TARGET_TYPE_SERVER,
    }
}

/// A challenge that waits for its answer. Small: what a half-open association
/// stores. It serves for one answer, right or wrong.
#[derive(Debug)]
pub struct PendingChallenge {
    server: Server,
    server_challenge: [u8; 8],
    flags: NegotiateFlags,
    /// FILETIME of the challenge.
    time: u64,
    /// The NEGOTIATE message, which a MIC covers; connection mode only.
    negotiate: Option<Box<[u8]>>,
}

impl PendingChallenge {
    /// The random part.
    pub const fn server_challenge(&self) -> [u8; 8] {
        self.server_challenge
    }

    /// What was offered (connectionless) or chosen (connection).
    pub const fn flags(&self) -> NegotiateFlags {
        self.flags
    }

    /// The CHALLENGE message; the same bytes at each call.
    fn challenge_message(&self) -> Result<Vec<u8>, Error> {
        let Inner {
            config,
            target_info,
        } = &*self.server.inner;
        let mut pairs = target_info.clone();
        if config.timestamp {
            pairs = pairs.timestamp(self.time);
        }
        let unicode = self.flags.contains(NegotiateFlags::UNICODE);
        let target_name = match config.target_type {
            TargetType::None => "",
            TargetType::Domain => &config.nb_domain_name,
            TargetType::Server => &config.nb_computer_name,
        };
        ChallengeMessage {
            target_name: &text::encode(target_name, unicode, Field::TargetName)?,
            negotiate_flags: self.flags,
            server_challenge: self.server_challenge,
            target_info: &pairs.finish(),
            version: config.version,
        }
        .to_vec()
    }

    /// Checks the answer, [MS-NLMP] 3.2.5.1.2 and 3.2.5.2.2.
    ///
    /// Nothing is sent back in terms of NTLM. A wrong password and an unknown
    /// user are both [`Error::LogonFailure`]; the other errors say nothing
    /// about the account.
    pub fn authenticate(
        self,
        token: &[u8],
        verifier: &dyn Verifier,
        now_filetime: u64,
    ) -> Result<Authenticated, Error> {
        let config = &self.server.inner.config;
        config.limits.check(token)?;
        let message = AuthenticateMessage::parse(token)?;
        let flags = self.final_flags(&message)?;
        let encrypted_key = if flags.exchanges_key() {
            let key = message.encrypted_random_session_key;
            Some(<&[u8; 16]>::try_from(key).map_err(|_| Error::SessionKeyMissing)?)
        } else {
            None
        };
        let user = message.user_name_text()?;
        let domain = message.domain_name_text()?;
        let workstation = message.workstation_text()?;

        let anonymous = message.is_anonymous();
        let response = self.response(&message, anonymous)?;
        let verified = if anonymous {
            Verified {
                session_base_key: SessionBaseKey::anonymous(),
                version: NtlmVersion::V2,
                lm_hash: None,
            }
        } else {
            let attempt = Attempt {
                user: &user,
                domain: &domain,
                workstation: &workstation,
                server_challenge: self.server_challenge,
                nt_response: message.nt_challenge_response,
                lm_response: message.lm_challenge_response,
                flags,
                allow_lm: config.allow_lm,
            };
            verifier.verify(&attempt).ok_or(Error::LogonFailure)?
        };

        let key_exchange = KeyExchange {
            flags,
            version: verified.version,
            lm_response: message.lm_challenge_response,
            server_challenge: self.server_challenge,
            lm_hash: verified.lm_hash.as_ref(),
        };
        let key = key_exchange.key(&verified.session_base_key)?;
        let exported = encrypted_key.map_or_else(|| key.exported(), |bytes| key.decrypt(bytes));

        self.check_mic(&exported, response.as_ref(), token, message.mic)?;
        if let Some(response) = &response {
            check_lifetime(config.max_lifetime, response.time_stamp, now_filetime)?;
        }
        if let Some(expected) = config.channel_bindings {
            let found = response
                .as_ref()
                .and_then(|r| r.av_pairs.channel_bindings());
            if !found.is_some_and(|found| found.ct_eq(&expected).into()) {
                return Err(Error::BadBindings);
            }
        }
        let datagram = config.datagram_seal_key;
        let session = Session::with_seal_key(exported, flags, Role::Server, datagram);
        Ok(Authenticated {
            user,
            domain,
            workstation,
            anonymous,
            session,
        })
    }

    /// What client and server both have, if it is enough.
    fn final_flags(&self, message: &AuthenticateMessage<'_>) -> Result<NegotiateFlags, Error> {
        let config = &self.server.inner.config;
        // A client asks for TargetName though it is late for that.
        let offered = self.flags | NegotiateFlags::REQUEST_TARGET;
        let mut flags = message.negotiate_flags & offered;
        if flags.ess() {
            flags = flags.without(NegotiateFlags::LM_KEY);
        }
        let missing = config.required_flags.without(flags);
        if missing != NegotiateFlags::NONE {
            return Err(Error::MissingFlags(missing));
        }
        if !flags.intersects(NegotiateFlags::UNICODE | NegotiateFlags::OEM) {
            return Err(Error::MissingFlags(NegotiateFlags::UNICODE));
        }
        check_strength(flags, config.allow_no_ess, config.require_128)?;
        Ok(flags)
    }

    /// The NTLMv2 response, if there is one; refuses the kinds of response
    /// that are not allowed, whatever they contain.
    fn response<'a>(
        &self,
        message: &AuthenticateMessage<'a>,
        anonymous: bool,
    ) -> Result<Option<NtlmV2Response<'a>>, Error> {
        let config = &self.server.inner.config;
        let nt = message.nt_challenge_response;
        let refused = match nt.len() {
            _ if anonymous => (!config.allow_anonymous).then_some(Weakness::Anonymous),
            0 => (!config.allow_lm).then_some(Weakness::Lm),
            24 => (!config.allow_ntlmv1).then_some(Weakness::NtlmV1),
            25.. => return NtlmV2Response::parse(nt).map(Some),
            len => {
                let field = Field::NtChallengeResponse;
                return Err(Error::Length { field, len });
            }
        };
        refused.map_or(Ok(None), |weakness| Err(Error::Weak(weakness)))
    }

    fn check_mic(
        &self,
        key: &ExportedSessionKey,
        response: Option<&NtlmV2Response<'_>>,
        token: &[u8],
        received: Option<[u8; 16]>,
    ) -> Result<(), Error> {
        let announced = response.is_some_and(|r| r.av_pairs.flags().contains(AvFlags::MIC_PRESENT));
        if !announced {
            let required = self.server.inner.config.require_mic;
            return if required { Err(Error::Mic) } else { Ok(()) };
        }
        let challenge = self.challenge_message()?;
        let negotiate = self.negotiate.as_deref().unwrap_or_default();
        let expected = mic::handshake_mic(key, negotiate, &challenge, token);
        match (expected, received) {
            (Some(expected), Some(received)) if expected.ct_eq(&received).into() => Ok(()),
            _ => Err(Error::Mic),
        }
    }
}

fn check_lifetime(max: Option<Duration>, time_stamp: u64, now: u64) -> Result<(), Error> {
    /// FILETIME counts in units of 100 ns.
    const UNIT_NANOS: u128 = 100;
    let distance = u128::from(now.abs_diff(time_stamp)) * UNIT_NANOS;
    match max {
        Some(max) if distance > max.as_nanos() => Err(Error::Expired),
        _ => Ok(()),
    }
}
