//! A user agent in memory, at a server whose every answer the test decides.

#![allow(dead_code, reason = "not every test uses everything")]

pub(crate) mod network;
pub(crate) mod script;
pub(crate) mod steps;
pub(crate) mod talker;
pub(crate) mod telephones;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use ocs_client::{Config, Event, Output, UserAgent};
use ocs_conmgmt::{Answer, Peer, Query, Server as Place};
use ocs_ntlm::{Credential, HashVerifier, NtHash};
use ocs_sip_core::framing::{Frame, Framer};
use ocs_sip_core::{Aor, ConnectionId, HeaderName, Limits, Message, Method, Transport, WallClock};
use ocs_sipae::ntlm::NtlmServer;
use ocs_sipae::server::{AssociationId, Outcome, Server, ServerConfig};
use ocs_sipre::Epid;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

pub(crate) const PASSWORD: &str = "Passw0rd";
pub(crate) const EPID: &str = "c97532c1946f";

pub(crate) fn aor(name: &str) -> Aor {
    format!("{name}@contoso.com").parse().unwrap()
}

pub(crate) fn captured(name: &str) -> Message {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name);
    Message::parse(std::fs::read(path).unwrap().into(), &Limits::default()).unwrap()
}

/// A recorded response with the identifiers of `request`.
pub(crate) fn rebuilt(name: &str, request: &Message) -> Message {
    let recorded = captured(name);
    let mut response = recorded.clone();
    for name in [HeaderName::AuthenticationInfo, HeaderName::Via] {
        response.remove(name);
    }
    for name in [HeaderName::From, HeaderName::CallId, HeaderName::CSeq] {
        response.set(name, request.header(name).unwrap());
    }
    let tag = recorded.to_header().unwrap().tag().unwrap().to_owned();
    let to = request.header(HeaderName::To).unwrap();
    response.set(HeaderName::To, &format!("{to};tag={tag}"));
    for via in request.lines(HeaderName::Via) {
        response.push(HeaderName::Via, via);
    }
    response
}

/// alice's user agent and the other end of its connection.
pub(crate) struct Solo {
    pub(crate) agent: UserAgent,
    pub(crate) now: Instant,
    pub(crate) events: Vec<Event>,
    pub(crate) connects: Vec<(String, SocketAddr, Transport)>,
    pub(crate) closed: Vec<ConnectionId>,
    pub(crate) connection: Option<ConnectionId>,
    /// Octets that are no message: keep-alives.
    pub(crate) keep_alives: Vec<Instant>,
    pub(crate) authentication: Server,
    pub(crate) association: Option<AssociationId>,
    framer: Framer,
    inbox: Vec<Message>,
    branch: u32,
    tag: u32,
}

impl Solo {
    pub(crate) fn new(adjust: impl FnOnce(&mut Config)) -> Self {
        let now = Instant::now();
        let clock = WallClock::new(
            now,
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
        );
        let mut config = Config::new(
            aor("alice"),
            Credential::from_password(PASSWORD),
            Epid::parse(EPID).unwrap(),
            clock,
        );
        config.connector.discovery.manual = Some(Place {
            transport: Transport::Tcp,
            host: "fe01.contoso.com".into(),
            port: 5060,
        });
        config.connector.discovery.allow_tcp = true;
        adjust(&mut config);
        let ntlm = NtlmServer::new(ocs_ntlm::ServerConfig::sip("fe01", "CONTOSO")).unwrap();
        let server = ServerConfig::new("fe01.contoso.com", vec![Box::new(ntlm)]);
        Self {
            agent: UserAgent::new(config, [7; 32]).unwrap(),
            now,
            events: Vec::new(),
            connects: Vec::new(),
            closed: Vec::new(),
            connection: None,
            keep_alives: Vec::new(),
            authentication: Server::new(server, clock, ChaCha12Rng::seed_from_u64(1)),
            association: None,
            framer: Framer::new(Limits::default()),
            inbox: Vec::new(),
            branch: 0,
            tag: 0,
        }
    }

    /// Signed in, with this life of the registration.
    pub(crate) fn signed_in(expires: u32, adjust: impl FnOnce(&mut Config)) -> Self {
        let mut solo = Self::new(adjust);
        let register = solo.sign_in();
        solo.accept_register(&register, expires, "added");
        assert!(solo.agent.is_signed_in());
        solo
    }

    /// Starts, and goes on until the REGISTER is authenticated.
    pub(crate) fn sign_in(&mut self) -> Message {
        self.agent.sign_in(self.now);
        self.drain();
        self.one()
    }

    pub(crate) fn accept_register(&mut self, register: &Message, expires: u32, action: &str) {
        let contact = register
            .header(HeaderName::Contact)
            .unwrap()
            .replace(";proxy=replace", "");
        let gruu = "sip:alice@contoso.com;opaque=user:epid:DbHNXKHcnlWtK7UUBgotogAA;gruu";
        let response = self
            .answer(register, 200)
            .with(HeaderName::Contact, &format!("{contact};gruu=\"{gruu}\""))
            .with(HeaderName::Expires, &expires.to_string())
            .with(
                HeaderName::PresenceState,
                &format!("register-action=\"{action}\""),
            )
            .with(
                HeaderName::MsKeepAlive,
                "UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300",
            );
        self.send(response);
    }

    pub(crate) fn answer(&mut self, request: &Message, status: u16) -> Message {
        self.tag += 1;
        Message::response_to(request, status, Some(&format!("server{}", self.tag)))
    }

    /// Signs what has a signature, and delivers it.
    pub(crate) fn send(&mut self, mut message: Message) {
        if let Some(association) = self.association {
            let _ = self
                .authentication
                .sign(self.now, association, &mut message);
        }
        self.deliver(message.to_bytes());
    }

    pub(crate) fn reply(&mut self, request: &Message, status: u16) {
        let response = self.answer(request, status);
        self.send(response);
    }

    pub(crate) fn deliver(&mut self, data: Bytes) {
        let connection = self.connection.expect("a connection");
        self.agent.handle_data(self.now, connection, data);
        self.drain();
    }

    /// A request of bob's that the server passes on, without body.
    pub(crate) fn request(&mut self, method: Method) -> Message {
        self.branch += 1;
        let branch = self.branch;
        let cseq = format!("1 {method}");
        Message::request(
            method,
            "sip:192.0.2.1:50000;transport=tcp;ms-received-cid=200",
        )
        .with(
            HeaderName::Via,
            &format!("SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bK{branch};branched=FALSE"),
        )
        .with(
            HeaderName::PAssertedIdentity,
            "\"Bob\"<sip:bob@contoso.com>",
        )
        .with(
            HeaderName::From,
            &format!("<sip:bob@contoso.com>;tag=b{branch};epid=bbbb"),
        )
        .with(
            HeaderName::To,
            &format!("<sip:alice@contoso.com>;epid={EPID}"),
        )
        .with(HeaderName::CallId, &format!("bobs{branch}"))
        .with(HeaderName::CSeq, &cseq)
        .with(HeaderName::MaxForwards, "69")
        .with(
            HeaderName::Contact,
            "<sip:bob@contoso.com;opaque=user:epid:KFBxF2LYDV6HKY7GqP9ySgAA;gruu>",
        )
    }

    pub(crate) fn invite(&mut self) -> Message {
        self.request(Method::Invite).with_body(
            "application/sdp",
            "v=0\r\no=- 0 0 IN IP4 192.0.2.2\r\ns=session\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=message 5060 sip null\r\na=accept-types:text/plain\r\n",
        )
    }

    /// The 200 of a callee of this name to a call of ours.
    pub(crate) fn pick_up(&mut self, invite: &Message, tag: &str) {
        let response = Message::response_to(invite, 200, Some(tag))
            .with(
                HeaderName::Contact,
                "<sip:bob@contoso.com;opaque=user:epid:KFBxF2LYDV6HKY7GqP9ySgAA;gruu>",
            )
            .with_body(
                "application/sdp",
                "v=0\r\no=- 0 0 IN IP4 192.0.2.2\r\ns=session\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\nm=message 5060 sip sip:bob@contoso.com\r\n",
            );
        self.send(response);
    }

    /// What the run loop of a program does after each call; connections succeed.
    pub(crate) fn drain(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Resolve(query) => {
                    let answer = match &query {
                        Query::Address(_) => {
                            Answer::Address(vec![IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10))])
                        }
                        query => Answer::none(query),
                    };
                    self.agent.handle_answer(self.now, &query, answer);
                }
                Output::Connect {
                    connection,
                    transport,
                    host,
                    address,
                } => {
                    self.connects.push((host, address, transport));
                    self.connection = Some(connection);
                    self.association = None;
                    self.framer = Framer::new(Limits::default());
                    let local = SocketAddr::from(([192, 0, 2, 1], 50_000));
                    let peer = if transport == Transport::Tls {
                        Peer::Verified
                    } else {
                        Peer::Plain
                    };
                    self.agent
                        .handle_connected(self.now, connection, local, peer);
                }
                Output::Send { connection, data } => {
                    assert_eq!(Some(connection), self.connection, "written after close");
                    self.framer.push_bytes(data);
                    self.read();
                }
                Output::Close { connection } => {
                    self.closed.push(connection);
                    if self.connection == Some(connection) {
                        self.connection = None;
                        self.authentication.connection_closed(connection);
                    }
                }
            }
        }
        while let Some(event) = self.agent.poll_event() {
            self.events.push(event);
        }
    }

    fn read(&mut self) {
        while let Some(frame) = self.framer.poll_frame() {
            match frame.expect("a well-formed stream") {
                Frame::Message(message) => self.judge(message),
                Frame::KeepAlive => self.keep_alives.push(self.now),
                Frame::Malformed { error, .. } => panic!("{error}"),
            }
        }
    }

    /// Challenges the client until it proves who it is, as any server does.
    fn judge(&mut self, message: Message) {
        let connection = self.connection.unwrap();
        if !message.is_request() {
            let verified = self
                .authentication
                .verify_response(self.now, connection, &message);
            verified.unwrap_or_else(|error| panic!("{error}: {message:?}"));
            self.inbox.push(message);
            return;
        }
        let verifier = HashVerifier::new(|_: &str, _: &str| Some(NtHash::from_password(PASSWORD)));
        match self
            .authentication
            .authenticate(self.now, connection, &message, &verifier)
        {
            Outcome::Challenge(response) => {
                self.agent
                    .handle_data(self.now, connection, response.to_bytes());
            }
            Outcome::Accepted { association, .. } => {
                self.association = Some(association);
                self.inbox.push(message);
            }
            outcome => panic!("{outcome:?}"),
        }
    }

    /// What the client has sent since the last time.
    pub(crate) fn take(&mut self) -> Vec<Message> {
        std::mem::take(&mut self.inbox)
    }

    pub(crate) fn one(&mut self) -> Message {
        let mut all = self.take();
        assert_eq!(all.len(), 1, "{all:#?} {:?}", self.events);
        all.remove(0)
    }

    /// Lets time pass; `serve` answers what comes on the way.
    pub(crate) fn advance(&mut self, by: Duration, mut serve: impl FnMut(&mut Self, Message)) {
        let end = self.now + by;
        let mut steps = 0;
        while let Some(at) = self.agent.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.agent.handle_timeout(self.now);
            self.drain();
            loop {
                let messages = self.take();
                if messages.is_empty() {
                    break;
                }
                for message in messages {
                    serve(self, message);
                }
            }
            steps += 1;
            assert!(steps < 100_000, "turns in a circle");
        }
        self.now = end;
    }

    pub(crate) fn told(&self, what: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(what)
    }
}
