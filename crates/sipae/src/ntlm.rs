//! NTLM behind the traits of [`crate::context`]: connectionless mode, sequence number always 100
//! (\[MS-SIPAE\] 3.2.4.1, [MS-NLMP] 3.4.8).

use std::fmt;

use ocs_ntlm::{MessageSignature, PendingChallenge, Session, Verifier};
use ocs_sip_core::header::Scheme;

use crate::Error;
use crate::context::{
    Account, BadSignature, ClientHandshake, ClientScheme, ClientStep, SecurityContext,
    ServerHandshake, ServerScheme, ServerStep, Signature, Surroundings,
};
use crate::headers::Challenge;

/// The sequence number of every signature, in both directions.
pub const SEQ_NUM: u32 = 100;

/// The keys of an NTLM association.
pub struct NtlmContext(Session);

impl NtlmContext {
    /// A context over a session of either role.
    #[must_use]
    pub const fn new(session: Session) -> Self {
        Self(session)
    }

    /// The session.
    #[must_use]
    pub const fn session(&self) -> &Session {
        &self.0
    }
}

impl fmt::Debug for NtlmContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NtlmContext").field(&self.0).finish()
    }
}

impl SecurityContext for NtlmContext {
    fn sign(&mut self, buffer: &[u8]) -> Signature {
        let signature = self.0.sign(SEQ_NUM, buffer);
        Signature::new(&signature).expect("16 octets fit")
    }

    fn verify(&mut self, buffer: &[u8], signature: &[u8]) -> Result<(), BadSignature> {
        let signature: &MessageSignature = signature.try_into().map_err(|_| BadSignature)?;
        self.0
            .verify(SEQ_NUM, buffer, signature)
            .map_err(|_| BadSignature)
    }
}

/// NTLM for a client.
#[derive(Debug, Clone)]
pub struct NtlmClient(ocs_ntlm::Client);

impl NtlmClient {
    /// Authenticates as `config` says; see [`ClientConfig::sip`](ocs_ntlm::ClientConfig::sip).
    #[must_use]
    pub fn new(config: ocs_ntlm::ClientConfig) -> Self {
        Self(ocs_ntlm::Client::new(config))
    }
}

impl ClientScheme for NtlmClient {
    fn scheme(&self) -> Scheme {
        Scheme::Ntlm
    }

    fn start(&self, _challenge: &Challenge<'_>) -> Result<Box<dyn ClientHandshake>, Error> {
        Ok(Box::new(self.clone()))
    }
}

impl ClientHandshake for NtlmClient {
    fn step(
        &mut self,
        token: Option<&[u8]>,
        around: Surroundings<'_>,
    ) -> Result<ClientStep, Error> {
        // The first token of connectionless mode is the server's; an empty one asks for it.
        let Some(challenge) = token else {
            return Ok(ClientStep::Continue(Vec::new()));
        };
        let (token, session) = self
            .0
            .authenticate(challenge, around.filetime, around.rng)?;
        Ok(ClientStep::Done {
            token: Some(token),
            context: Box::new(NtlmContext::new(session)),
            not_after: None,
        })
    }
}

/// NTLM for a server.
#[derive(Debug, Clone)]
pub struct NtlmServer(ocs_ntlm::Server);

impl NtlmServer {
    /// Challenges as `config` says; see [`ServerConfig::sip`](ocs_ntlm::ServerConfig::sip). Fails for names that no message can carry.
    pub fn new(config: ocs_ntlm::ServerConfig) -> Result<Self, Error> {
        Ok(Self(ocs_ntlm::Server::new(config)?))
    }
}

impl ServerScheme for NtlmServer {
    fn scheme(&self) -> Scheme {
        Scheme::Ntlm
    }

    fn start(&self) -> Box<dyn ServerHandshake> {
        Box::new(NtlmExchange {
            server: self.0.clone(),
            pending: None,
        })
    }
}

#[derive(Debug)]
struct NtlmExchange {
    server: ocs_ntlm::Server,
    /// The challenge that was sent.
    pending: Option<PendingChallenge>,
}

impl ServerHandshake for NtlmExchange {
    fn step(
        &mut self,
        token: &[u8],
        verifier: &dyn Verifier,
        around: Surroundings<'_>,
    ) -> Result<ServerStep, Error> {
        match self.pending.take() {
            None if token.is_empty() => {
                let (token, pending) = self.server.challenge(around.rng, around.filetime)?;
                self.pending = Some(pending);
                Ok(ServerStep::Continue(token))
            }
            Some(pending) if !token.is_empty() => {
                let client = pending.authenticate(token, verifier, around.filetime)?;
                Ok(ServerStep::Done {
                    token: None,
                    account: Account {
                        user: client.user,
                        domain: client.domain,
                    },
                    context: Box::new(NtlmContext::new(client.session)),
                    not_after: None,
                })
            }
            _ => Err(Error::UnexpectedToken(Scheme::Ntlm)),
        }
    }
}
