//! The client's side, [MS-NLMP] 3.1.

mod config;

pub use config::{ClientConfig, LmPolicy};

use crate::keys::KeyExchange;
use crate::message::{AuthenticateMessage, ChallengeMessage, NegotiateMessage};
use crate::response::{
    NtlmVersion, lm_response, lmv2_response, ntlm2_session_lm, ntlm2_session_response,
    ntlmv1_response, ntlmv2_response,
};
use crate::{
    AvFlags, AvId, AvPairs, AvPairsBuilder, Credential, Error, ExportedSessionKey, Field, Mode,
    NegotiateFlags, Role, Session, SessionBaseKey, Weakness, mic, text,
};
use rand_core::CryptoRng;

/// A client. It keeps nothing between its two steps but its configuration,
/// so a new challenge on an established association starts simply again.
#[derive(Clone, Debug)]
pub struct Client {
    config: ClientConfig,
}

/// Both responses and what the session key is made of.
struct Responses {
    nt: Vec<u8>,
    lm: Vec<u8>,
    version: NtlmVersion,
    base: SessionBaseKey,
    mic: bool,
}

impl Client {
    /// A client with this configuration.
    pub fn new(config: ClientConfig) -> Self {
        Self { config }
    }

    /// The configuration.
    pub fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// The NEGOTIATE message, [MS-NLMP] 3.1.5.1.1. Connection mode only; in
    /// connectionless mode the server's challenge is the first message.
    pub fn negotiate(&self) -> Vec<u8> {
        let asked = self.config.flags.without(NegotiateFlags::TARGET_INFO);
        let message = NegotiateMessage {
            negotiate_flags: asked
                | NegotiateFlags::REQUEST_TARGET
                | NegotiateFlags::NTLM
                | NegotiateFlags::ALWAYS_SIGN,
            version: self.config.version,
            ..NegotiateMessage::default()
        };
        message
            .to_vec()
            .expect("a message without names has no field that is too long")
    }

    /// Answers a challenge, [MS-NLMP] 3.1.5.1.2 and 3.1.5.2.1: the AUTHENTICATE
    /// message and the session, which is ready at once.
    ///
    /// `now_filetime` is the current time in units of 100 ns since 1601-01-01
    /// UTC; a timestamp in the challenge takes its place. Fails if the
    /// challenge is malformed or offers less than the configuration requires.
    pub fn authenticate(
        &self,
        challenge: &[u8],
        now_filetime: u64,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Vec<u8>, Session), Error> {
        self.config.limits.check(challenge)?;
        let message = ChallengeMessage::parse(challenge)?;
        let flags = self.choose_flags(message.negotiate_flags)?;
        let unicode = flags.contains(NegotiateFlags::UNICODE);

        let mut client_challenge = [0; 8];
        rng.fill_bytes(&mut client_challenge);
        let responses = match &self.config.credential {
            None => anonymous(),
            Some(credential) if self.config.use_ntlmv1 => {
                self.respond_v1(credential, &message, flags, client_challenge)
            }
            Some(credential) => {
                self.respond_v2(credential, &message, flags, client_challenge, now_filetime)?
            }
        };

        let key_exchange = KeyExchange {
            flags,
            version: responses.version,
            lm_response: &responses.lm,
            server_challenge: message.server_challenge,
            lm_hash: self.config.credential.as_ref().and_then(|c| c.lm.as_ref()),
        };
        let key_exchange_key = key_exchange.key(&responses.base)?;
        let (exported, encrypted) = if flags.exchanges_key() {
            let mut random = zeroize::Zeroizing::new([0; 16]);
            rng.fill_bytes(&mut *random);
            let exported = ExportedSessionKey::from_bytes(*random);
            let encrypted = key_exchange_key.encrypt(&exported);
            (exported, Some(encrypted))
        } else {
            (key_exchange_key.exported(), None)
        };

        let (user, domain) = match self.config.credential {
            Some(_) => (&*self.config.user, &*self.config.domain),
            None => ("", ""),
        };
        let mut token = AuthenticateMessage {
            lm_challenge_response: &responses.lm,
            nt_challenge_response: &responses.nt,
            domain_name: &text::encode(domain, unicode, Field::DomainName)?,
            user_name: &text::encode(user, unicode, Field::UserName)?,
            workstation: &text::encode(&self.config.workstation, unicode, Field::Workstation)?,
            encrypted_random_session_key: encrypted.as_ref().map_or(&[], |key| &key[..]),
            negotiate_flags: flags,
            version: self.config.version,
            mic: responses.mic.then_some([0; 16]),
        }
        .to_vec()?;
        if responses.mic {
            let negotiate = match self.config.mode {
                Mode::Connection => self.negotiate(),
                Mode::Connectionless => Vec::new(),
            };
            mic::insert(&exported, &negotiate, challenge, &mut token);
        }
        let datagram = self.config.datagram_seal_key;
        let session = Session::with_seal_key(exported, flags, Role::Client, datagram);
        Ok((token, session))
    }

    /// What both sides are able to do, if it is enough.
    fn choose_flags(&self, offered: NegotiateFlags) -> Result<NegotiateFlags, Error> {
        let config = &self.config;
        let mut required = config.required_flags;
        if config.use_ntlmv1 || config.credential.is_none() {
            required = required.without(NegotiateFlags::TARGET_INFO);
        }
        let missing = required.without(offered);
        if missing != NegotiateFlags::NONE {
            return Err(Error::MissingFlags(missing));
        }
        let mut flags = (offered & config.flags) | NegotiateFlags::REQUEST_TARGET;
        if flags.contains(NegotiateFlags::UNICODE) {
            flags = flags.without(NegotiateFlags::OEM);
        } else if !flags.contains(NegotiateFlags::OEM) {
            return Err(Error::MissingFlags(NegotiateFlags::UNICODE));
        }
        if flags.ess() {
            flags = flags.without(NegotiateFlags::LM_KEY);
        }
        if config.credential.is_none() {
            flags |= NegotiateFlags::ANONYMOUS;
        }
        check_strength(flags, config.allow_no_ess, config.require_128)?;
        Ok(flags)
    }

    fn respond_v1(
        &self,
        credential: &Credential,
        message: &ChallengeMessage<'_>,
        flags: NegotiateFlags,
        client_challenge: [u8; 8],
    ) -> Responses {
        let server_challenge = message.server_challenge;
        let (nt, lm) = if flags.ess() {
            let nt = ntlm2_session_response(&credential.nt, server_challenge, client_challenge);
            (nt, ntlm2_session_lm(client_challenge))
        } else {
            let nt = ntlmv1_response(&credential.nt, server_challenge);
            match &credential.lm {
                Some(lm) if self.config.send_lm => (nt, lm_response(lm, server_challenge)),
                _ => (nt, nt),
            }
        };
        Responses {
            nt: nt.to_vec(),
            lm: lm.to_vec(),
            version: NtlmVersion::V1,
            base: SessionBaseKey::v1(&credential.nt),
            mic: false,
        }
    }

    fn respond_v2(
        &self,
        credential: &Credential,
        message: &ChallengeMessage<'_>,
        flags: NegotiateFlags,
        client_challenge: [u8; 8],
        now_filetime: u64,
    ) -> Result<Responses, Error> {
        let target_info = message.av_pairs()?;
        let named = target_info.is_some_and(|pairs| {
            pairs.get(AvId::NB_COMPUTER_NAME).is_some() && pairs.get(AvId::NB_DOMAIN_NAME).is_some()
        });
        if !named && flags.intersects(NegotiateFlags::SIGN | NegotiateFlags::SEAL) {
            return Err(Error::TargetInfoIncomplete);
        }
        let timestamp = target_info.and_then(|pairs| pairs.timestamp());
        let mic = self.config.mic && timestamp.is_some();
        let extended = target_info
            .map(|pairs| self.extend(pairs, mic))
            .transpose()?;

        let hash = credential.nt.v2(&self.config.user, &self.config.domain);
        let server_challenge = message.server_challenge;
        let nt = ntlmv2_response(
            &hash,
            server_challenge,
            client_challenge,
            timestamp.unwrap_or(now_filetime),
            extended.as_deref().unwrap_or_default(),
        );
        let lm = match self.config.lm_policy {
            LmPolicy::ZeroIfTimestamp if timestamp.is_some() => vec![0; 24],
            LmPolicy::AbsentIfTargetInfo if target_info.is_some() => Vec::new(),
            _ => lmv2_response(&hash, server_challenge, client_challenge).to_vec(),
        };
        let proof = nt
            .first_chunk()
            .expect("an NTLMv2 response begins with 16 bytes of proof");
        let base = SessionBaseKey::v2(&hash, proof);
        Ok(Responses {
            nt,
            lm,
            version: NtlmVersion::V2,
            base,
            mic,
        })
    }

    /// The AV pairs to be returned: those received and, with a MIC or where
    /// the caller has something to say, what [MS-NLMP] 3.1.5.1.2 adds.
    fn extend(&self, pairs: AvPairs<'_>, mic: bool) -> Result<Vec<u8>, Error> {
        let bindings = self.config.channel_bindings;
        let target_name = self.config.target_name.as_deref();
        if !mic && bindings.is_none() && target_name.is_none() {
            return Ok(pairs.as_bytes().to_vec());
        }
        let mut flags = pairs.flags();
        if mic {
            flags.0 |= AvFlags::MIC_PRESENT.0;
        }
        let mut builder = AvPairsBuilder::new();
        let mut has_flags = false;
        for pair in &pairs {
            builder = match pair.id {
                AvId::FLAGS if has_flags => continue,
                AvId::FLAGS => {
                    has_flags = true;
                    builder.flags(flags)
                }
                AvId::CHANNEL_BINDINGS | AvId::TARGET_NAME => continue,
                id => builder.pair(id, pair.value)?,
            };
        }
        if mic && !has_flags {
            builder = builder.flags(flags);
        }
        builder = builder.channel_bindings(bindings);
        Ok(builder
            .text(AvId::TARGET_NAME, target_name.unwrap_or_default())?
            .finish())
    }
}

fn anonymous() -> Responses {
    Responses {
        nt: Vec::new(),
        lm: vec![0],
        version: NtlmVersion::V2,
        base: SessionBaseKey::anonymous(),
        mic: false,
    }
}

/// The policy of both sides about the flags they agreed to.
pub(crate) fn check_strength(
    flags: NegotiateFlags,
    allow_no_ess: bool,
    require_128: bool,
) -> Result<(), Error> {
    if !flags.ess() && !allow_no_ess {
        return Err(Error::Weak(Weakness::NoExtendedSessionSecurity));
    }
    let protects = flags.intersects(NegotiateFlags::SIGN | NegotiateFlags::SEAL);
    if require_128 && protects && !flags.contains(NegotiateFlags::NEGOTIATE_128) {
        return Err(Error::Weak(Weakness::No128BitKeys));
    }
    Ok(())
}
