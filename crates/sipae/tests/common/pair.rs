//! A client and a server that talk to each other.

use std::time::{Duration, Instant, SystemTime};

use ocs_ntlm::NtHash;
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method, WallClock};
use ocs_sipae::Version;
use ocs_sipae::client::{Client, ClientConfig, Event, Failure, Next, Verdict};
use ocs_sipae::ntlm::{NtlmClient, NtlmServer};
use ocs_sipae::server::{AssociationId, Outcome, Server, ServerConfig};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{parse, verifier};

/// What comes out at the other end of a connection.
pub(crate) fn wire(message: &Message) -> Message {
    parse(message.to_bytes().to_vec())
}

pub(crate) fn wall_clock(now: Instant) -> WallClock {
    WallClock::new(
        now,
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000),
    )
}

pub(crate) fn client(now: Instant, user: &str, password: &str, seed: u64) -> Client {
    let credential = NtHash::from_password(password).into();
    let config = ocs_ntlm::ClientConfig::sip(user, "CONTOSO", credential);
    let config = ClientConfig::new(vec![Box::new(NtlmClient::new(config))]);
    Client::new(config, wall_clock(now), ChaCha12Rng::seed_from_u64(seed))
}

pub(crate) fn server_config() -> ServerConfig {
    let ntlm = ocs_ntlm::ServerConfig::sip("FE01", "CONTOSO");
    ServerConfig::new(
        "fe01.contoso.com",
        vec![Box::new(NtlmServer::new(ntlm).unwrap())],
    )
}

pub(crate) fn server(now: Instant, config: ServerConfig) -> Server {
    Server::new(config, wall_clock(now), ChaCha12Rng::seed_from_u64(99))
}

/// A request as clients of this system write them.
pub(crate) fn request(method: Method, user: &str, epid: &str, cseq: u32) -> Message {
    let from = format!("<sip:{user}@contoso.com>;tag=11;epid={epid}");
    let to = match method {
        Method::Register => format!("<sip:{user}@contoso.com>"),
        _ => "<sip:bob@contoso.com>".to_owned(),
    };
    let cseq = format!("{cseq} {method}");
    Message::request(method, "sip:contoso.com")
        .with(
            HeaderName::Via,
            "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK1",
        )
        .with(HeaderName::From, &from)
        .with(HeaderName::To, &to)
        .with(HeaderName::CallId, "same-for-all")
        .with(HeaderName::CSeq, &cseq)
        .with(
            HeaderName::Contact,
            "<sip:192.0.2.1>;+sip.instance=\"<urn:uuid:EPID>\""
                .replace("EPID", epid)
                .as_str(),
        )
}

/// One endpoint and its server.
pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) client: Client,
    pub(crate) user: &'static str,
    pub(crate) epid: &'static str,
    pub(crate) connection: ConnectionId,
    pub(crate) cseq: u32,
    pub(crate) association: Option<AssociationId>,
}

impl Pair {
    pub(crate) fn new(
        now: Instant,
        user: &'static str,
        epid: &'static str,
        connection: u64,
    ) -> Self {
        Self {
            now,
            client: client(now, user, "Passw0rd", connection),
            user,
            epid,
            connection: ConnectionId(connection),
            cseq: 0,
            association: None,
        }
    }

    pub(crate) fn request(&mut self, method: Method) -> Message {
        self.cseq += 1;
        request(method, self.user, self.epid, self.cseq)
    }

    pub(crate) fn submit(&self, server: &mut Server, request: &Message) -> Outcome {
        server.authenticate(self.now, self.connection, &wire(request), &verifier())
    }

    /// Signs in; gives the number of requests that took.
    pub(crate) fn register(&mut self, server: &mut Server) -> Result<usize, Failure> {
        let mut request = self.request(Method::Register);
        for count in 1..10 {
            match self.submit(server, &request) {
                Outcome::Challenge(response) => {
                    let response = wire(&response);
                    assert_eq!(self.client.verify(self.now, &response), Verdict::Unsigned);
                    match self.client.on_challenge(self.now, &response) {
                        Next::Resend => {}
                        Next::Resign => panic!("REGISTER is never signed again"),
                        Next::Failed(failure) => return Err(failure),
                    }
                    request = self.request(Method::Register);
                    self.client.authorize(&mut request).unwrap();
                }
                Outcome::Accepted {
                    association,
                    established,
                    ..
                } => {
                    assert!(established);
                    self.association = Some(association);
                    let mut response = Message::response_to(&request, 200, Some("22"))
                        .with(HeaderName::Expires, "7200");
                    assert!(server.sign(self.now, association, &mut response).unwrap());
                    let response = wire(&response);
                    assert_eq!(self.client.verify(self.now, &response), Verdict::Accepted);
                    assert!(self.client.is_established());
                    let event = self.client.poll_event();
                    assert!(
                        matches!(event, Some(Event::Established { .. })),
                        "{event:?}"
                    );
                    return Ok(count);
                }
                other => panic!("{other:?}"),
            }
        }
        panic!("no end");
    }

    /// A signed request that the server accepts.
    pub(crate) fn accepted(&mut self, server: &mut Server, method: Method) -> Message {
        let mut request = self.request(method);
        self.client.sign(&mut request).unwrap();
        match self.submit(server, &request) {
            Outcome::Accepted {
                association,
                established,
                identity,
            } => {
                assert!(!established);
                assert_eq!(Some(association), self.association);
                assert_eq!(identity.aor.user(), self.user);
            }
            other => panic!("{other:?}"),
        }
        request
    }

    /// A signed request to the client, as it arrives.
    pub(crate) fn delivered(&self, server: &mut Server, cseq: u32) -> Message {
        let mut request = Message::request(Method::Message, "sip:192.0.2.1")
            .with(
                HeaderName::Via,
                "SIP/2.0/TLS 192.0.2.9:5061;branch=z9hG4bK2",
            )
            .with(
                HeaderName::From,
                "\"Carol <sip:x>\" <sip:carol@contoso.com>;tag=33",
            )
            .with(
                HeaderName::To,
                &format!("<sip:{}@contoso.com>;epid={}", self.user, self.epid),
            )
            .with(HeaderName::CallId, "from-server")
            .with(HeaderName::CSeq, &format!("{cseq} MESSAGE"))
            .with(
                HeaderName::PAssertedIdentity,
                "\"Carol\"<sip:carol@contoso.com>,<tel:+14255550103>",
            )
            .with(HeaderName::Expires, "60");
        assert!(
            server
                .sign(self.now, self.association.unwrap(), &mut request)
                .unwrap()
        );
        wire(&request)
    }
}

pub(crate) const VERSIONS: [Version; 3] = [Version::V2, Version::V3, Version::V4];

/// Up to the request that would carry the AUTHENTICATE.
pub(crate) fn half_way(pair: &mut Pair, server: &mut Server) {
    let mut request = pair.request(Method::Register);
    for _ in 0..2 {
        let Outcome::Challenge(response) = pair.submit(server, &request) else {
            panic!("no challenge")
        };
        assert_eq!(
            pair.client.on_challenge(pair.now, &wire(&response)),
            Next::Resend
        );
        request = pair.request(Method::Register);
        if server.half_open() == 0 {
            pair.client.authorize(&mut request).unwrap();
        }
    }
}

/// Replaces the first occurrence of `from` on the wire.
pub(crate) fn tamper(message: &Message, from: &str, to: &str) -> Message {
    let text = String::from_utf8(message.to_bytes().to_vec()).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    parse(text.replacen(from, to, 1).into_bytes())
}
