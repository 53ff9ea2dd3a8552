//! An endpoint that writes its messages as SIPE does.

use std::time::Duration;

use ocs_ntlm::Credential;
use ocs_sip_core::{Aor, ConnectionId, HeaderName, Message, Method};
use ocs_sipae::client::{Client, ClientConfig, Next, Verdict};
use ocs_sipae::ntlm::NtlmClient;
use ocs_sipre::{Epid, Instance};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

use super::{PASSWORD, World, aor};

/// How an answer looks besides the status.
pub(crate) type Headers<'a> = &'a [(HeaderName, &'a str)];

pub(crate) struct Phone {
    pub(crate) aor: Aor,
    pub(crate) epid: Epid,
    pub(crate) connection: ConnectionId,
    pub(crate) port: u16,
    pub(crate) auth: Client,
    pub(crate) gruu: Option<String>,
    pub(crate) cseq: u32,
    pub(crate) call_id: String,
    /// Header lines that every REGISTER gets besides.
    pub(crate) extra: Vec<(HeaderName, String)>,
    pub(crate) supported: &'static str,
    /// Notifications that came while an answer was awaited.
    pub(crate) news: Vec<Message>,
}

impl Phone {
    /// A phone of a user with an open connection, signed out. SIPE's identifiers repeat, so only the epid tells phones apart.
    pub(crate) fn new(world: &mut World, name: &str, epid: &str, port: u16) -> Self {
        Self::with_password(world, name, epid, port, PASSWORD)
    }

    pub(crate) fn with_password(
        world: &mut World,
        name: &str,
        epid: &str,
        port: u16,
        password: &str,
    ) -> Self {
        let connection = world.connect(port);
        let ntlm =
            ocs_ntlm::ClientConfig::sip(name, "CONTOSO", Credential::from_password(password));
        let config = ClientConfig::new(vec![Box::new(NtlmClient::new(ntlm))]);
        let rng = ChaCha12Rng::seed_from_u64(u64::from(port));
        Self {
            aor: aor(name),
            epid: Epid::parse(epid).unwrap(),
            connection,
            port,
            auth: Client::new(config, world.clock, rng),
            gruu: None,
            cseq: 0,
            call_id: "1D1Fg5096a0D6Bi3C14mDA8DtEEC6b1F7Bx8DD7x".to_owned(),
            extra: Vec::new(),
            supported: "gruu-10, adhoclist, msrtc-event-categories, com.microsoft.msrtc.presence",
            news: Vec::new(),
        }
    }

    /// A signed-in phone.
    pub(crate) fn signed_in(world: &mut World, name: &str, epid: &str, port: u16) -> Self {
        let mut phone = Self::new(world, name, epid, port);
        let response = phone.sign_in(world);
        assert_eq!(response.status(), Some(200), "{response:?}");
        phone
    }

    /// alice, and bob at two places.
    pub(crate) fn three(world: &mut World) -> [Self; 3] {
        [
            ("alice", "aaaa", 50_001),
            ("bob", "bbbb01", 50_002),
            ("bob", "bbbb02", 50_003),
        ]
        .map(|(name, epid, port)| Self::signed_in(world, name, epid, port))
    }

    pub(crate) fn register(&mut self) -> Message {
        self.cseq += 1;
        let uri = self.aor.to_uri();
        let contact = format!(
            "<sip:127.0.0.1:{};transport=tcp;ms-opaque=d3470f2e1d>;methods=\"INVITE, MESSAGE, INFO, BYE, CANCEL, NOTIFY, ACK\";proxy=replace;+sip.instance=\"<{}>\"",
            self.port,
            Instance::from_epid(&self.epid)
        );
        let mut request = Message::request(Method::Register, "sip:contoso.com")
            .with(
                HeaderName::Via,
                &format!(
                    "SIP/2.0/tcp 127.0.0.1:{};branch=z9hG4bK{}",
                    self.port, self.cseq
                ),
            )
            .with(
                HeaderName::From,
                &format!("<{uri}>;tag={};epid={}", 1000 + self.cseq, self.epid),
            )
            .with(HeaderName::To, &format!("<{uri}>"))
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::CSeq, &format!("{} REGISTER", self.cseq))
            .with(
                HeaderName::UserAgent,
                "Purple/2.14.12 Sipe/1.25.0 (linux-x86_64)",
            )
            .with(HeaderName::CallId, &self.call_id)
            .with(HeaderName::Contact, &contact)
            .with(HeaderName::Supported, self.supported)
            .with(HeaderName::Event, "registration")
            .with(HeaderName::AllowEvents, "presence")
            .with(HeaderName::MsKeepAlive, "UAC;hop-hop=yes");
        for (name, value) in &self.extra {
            if matches!(
                name,
                HeaderName::Contact
                    | HeaderName::Event
                    | HeaderName::UserAgent
                    | HeaderName::From
                    | HeaderName::To
            ) {
                request.remove(*name);
            }
            request.push(*name, value);
        }
        request
    }

    /// Sends REGISTERs until there is an answer that is no challenge, at most four.
    pub(crate) fn sign_in(&mut self, world: &mut World) -> Message {
        let mut credentials = None;
        for _ in 0..4 {
            let mut request = self.register();
            match credentials {
                None => {}
                Some(Next::Resend) => self.auth.authorize(&mut request).unwrap(),
                Some(_) => self.auth.sign(&mut request).unwrap(),
            }
            world.send(self.connection, request.to_bytes());
            let mut answers = self.receive(world);
            let response = answers.pop().expect("an answer to REGISTER");
            if response.status() != Some(401) {
                self.note(&response);
                return response;
            }
            match self.auth.on_challenge(world.now, &response) {
                Next::Failed(_) => return response,
                next => credentials = Some(next),
            }
        }
        panic!("challenged for ever");
    }

    fn note(&mut self, response: &Message) {
        let instance = Instance::from_epid(&self.epid).to_string();
        self.gruu = response
            .parse_all::<ocs_sip_core::header::NameAddr<'_>>(HeaderName::Contact)
            .flatten()
            .find(|contact| {
                contact
                    .instance()
                    .is_some_and(|own| instance.eq_ignore_ascii_case(own))
            })
            .and_then(|contact| contact.gruu())
            .map(std::borrow::Cow::into_owned);
    }

    /// A signed REGISTER; gives the answer.
    pub(crate) fn refresh(&mut self, world: &mut World, headers: Headers<'_>) -> Message {
        let mut request = self.register();
        for (name, value) in headers {
            if *name == HeaderName::Contact {
                request.remove(HeaderName::Contact);
            }
            request.push(*name, value);
        }
        self.ask(world, request)
    }

    /// Signs and sends a request, and gives the last thing that came.
    pub(crate) fn ask(&mut self, world: &mut World, request: Message) -> Message {
        self.send(world, request);
        self.receive(world).pop().expect("an answer")
    }

    pub(crate) fn send(&mut self, world: &mut World, mut message: Message) {
        self.auth.sign(&mut message).unwrap();
        world.send(self.connection, message.to_bytes());
    }

    /// What came, each with a signature that holds where there must be one.
    pub(crate) fn receive(&mut self, world: &mut World) -> Vec<Message> {
        let messages = world.take(self.connection);
        for message in &messages {
            match self.auth.verify(world.now, message) {
                Verdict::Accepted => {}
                Verdict::Unsigned => assert!(
                    matches!(message.status(), Some(100 | 401)) || !self.auth.is_established(),
                    "unsigned {message:?}"
                ),
                Verdict::Discard(discard) => panic!("{discard}: {message:?}"),
            }
        }
        messages
    }

    pub(crate) fn one(&mut self, world: &mut World) -> Message {
        let mut messages = self.receive(world);
        assert_eq!(messages.len(), 1, "{messages:#?}");
        messages.remove(0)
    }

    /// A request outside all dialogs.
    pub(crate) fn request(&mut self, method: Method, uri: &str) -> Message {
        self.cseq += 1;
        let cseq = format!("{} {method}", self.cseq);
        // SIPE writes no branch on INVITE.
        let branch = if method == Method::Invite {
            String::new()
        } else {
            format!(";branch=z9hG4bKrequest{}", self.cseq)
        };
        let contact = match &self.gruu {
            Some(gruu) => format!("<{gruu}>"),
            None => format!(
                "<sip:{}:{};maddr=127.0.0.1;transport=tcp>;proxy=replace",
                self.aor, self.port
            ),
        };
        let own = self.aor.to_uri();
        Message::request(method, uri)
            .with(
                HeaderName::Via,
                &format!("SIP/2.0/tcp 127.0.0.1:{}{branch}", self.port),
            )
            .with(
                HeaderName::From,
                &format!("<{own}>;tag=t{};epid={}", self.cseq, self.epid),
            )
            .with(HeaderName::To, &format!("<{uri}>"))
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::CSeq, &cseq)
            .with(
                HeaderName::CallId,
                &format!("call-{}-{}", self.epid, self.cseq),
            )
            .with(HeaderName::Contact, &contact)
    }

    /// An INVITE, sent. Gives it for its CANCEL and ACK.
    pub(crate) fn invite(&mut self, world: &mut World, uri: &str) -> Message {
        let invite = self
            .request(Method::Invite, uri)
            .with_body("application/sdp", "v=0\r\n");
        self.send(world, invite.clone());
        invite
    }

    /// A request in the dialog that `invite` and its 2xx made.
    pub(crate) fn in_dialog(
        &self,
        method: Method,
        invite: &Message,
        answer: &Message,
        cseq: u32,
    ) -> Message {
        let from = invite.header(HeaderName::From).unwrap();
        let to = answer.header(HeaderName::To).unwrap();
        self.within(method, answer, [from, to], cseq)
    }

    /// A request by the routes and to the Contact of a message, between these two.
    pub(crate) fn within(
        &self,
        method: Method,
        peers: &Message,
        [from, to]: [&str; 2],
        cseq: u32,
    ) -> Message {
        let target = peers.contact().unwrap().uri_text().to_owned();
        let cseq = format!("{cseq} {method}");
        let mut request = Message::request(method, &target).with(
            HeaderName::Via,
            &format!("SIP/2.0/tcp 127.0.0.1:{}", self.port),
        );
        for route in peers.values(HeaderName::RecordRoute) {
            request.push(HeaderName::Route, route);
        }
        request
            .with(HeaderName::From, from)
            .with(HeaderName::To, to)
            .with(HeaderName::CallId, peers.call_id().unwrap())
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::CSeq, &cseq)
    }

    pub(crate) fn cancel(&mut self, world: &mut World, invite: &Message) {
        let cancel = Self::hop_by_hop(
            invite,
            invite.header(HeaderName::To).unwrap(),
            Method::Cancel,
        );
        self.send(world, cancel);
    }

    /// The ACK of a refusal.
    pub(crate) fn ack_refusal(&mut self, world: &mut World, invite: &Message, refusal: &Message) {
        let ack = Self::hop_by_hop(invite, refusal.header(HeaderName::To).unwrap(), Method::Ack);
        self.send(world, ack);
    }

    fn hop_by_hop(invite: &Message, to: &str, method: Method) -> Message {
        let cseq = format!("{} {method}", invite.cseq().unwrap().number);
        let mut out = Message::request(method, invite.request_uri().unwrap());
        out.push(HeaderName::Via, invite.header(HeaderName::Via).unwrap());
        out.push(HeaderName::From, invite.header(HeaderName::From).unwrap());
        out.push(HeaderName::To, to);
        out.push(HeaderName::CallId, invite.call_id().unwrap());
        out.push(HeaderName::CSeq, &cseq);
        out.push(HeaderName::MaxForwards, "70");
        out
    }

    /// Answers a request that came.
    pub(crate) fn answer(&mut self, world: &mut World, request: &Message, status: u16) {
        let response = self.make_answer(request, status);
        self.send(world, response);
    }

    pub(crate) fn make_answer(&self, request: &Message, status: u16) -> Message {
        let tag = format!("callee{}", self.port);
        let mut response = Message::response_to(request, status, Some(&tag));
        if request.method() == Some(&Method::Invite) && (101..300).contains(&status) {
            let gruu = self.gruu.clone().unwrap_or_default();
            response.push(HeaderName::Contact, &format!("<{gruu}>"));
        }
        response
    }
}

/// Long enough for every transaction.
pub(crate) const WHILE: Duration = Duration::from_secs(33);
