//! A front end and two signed-in clients in memory: bob sends any bodies in SUBSCRIBEs and SERVICEs, alice goes on as if nothing were.
//!
//! Input: requests, each ended by a line `--`. The first octet chooses what the body is sent as, the second how.
#![no_main]

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use libfuzzer_sys::fuzz_target;
use ocs_ntlm::Credential;
use ocs_server::{Counters, FrontEnd, MemoryStore, Output, Peer, User};
use ocs_sip_core::framing::{Frame, Framer};
use ocs_sip_core::{ConnectionId, HeaderName, Limits, Message, Method, Transport, WallClock};
use ocs_sipae::client::{Client, ClientConfig, Next};
use ocs_sipae::ntlm::NtlmClient;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

/// Event, Accept and Content-Type of subscriptions.
const SUBSCRIPTIONS: [(&str, &str, &str); 8] = [
    (
        "vnd-microsoft-roaming-self",
        "application/vnd-microsoft-roaming-self+xml",
        "application/vnd-microsoft-roaming-self+xml",
    ),
    (
        "presence",
        "application/msrtc-event-categories+xml, application/rlmi+xml, multipart/related",
        "application/msrtc-adrl-categorylist+xml",
    ),
    (
        "presence",
        "application/rlmi+xml, multipart/related, text/xml+msrtc.pidf",
        "application/adrl+xml",
    ),
    ("presence", "application/pidf+xml", ""),
    ("presence.wpending", "text/xml+msrtc.wpending", ""),
    (
        "vnd-microsoft-roaming-contacts",
        "application/vnd-microsoft-roaming-contacts+xml",
        "",
    ),
    (
        "vnd-microsoft-roaming-ACL",
        "application/vnd-microsoft-roaming-acls+xml",
        "",
    ),
    (
        "vnd-microsoft-provisioning-v2",
        "application/vnd-microsoft-roaming-provisioning-v2+xml",
        "application/vnd-microsoft-roaming-provisioning-v2+xml",
    ),
];

/// Content-Types of services.
const SERVICES: [&str; 9] = [
    "application/msrtc-category-publish+xml",
    "application/msrtc-setcontainermembers+xml",
    "application/msrtc-presence-setsubscriber+xml",
    "application/msrtc-setdelegate+xml",
    "application/SOAP+xml",
    "application/cccp+xml",
    "application/msrtc-reporterror+xml",
    "application/vq-rtcpxr+xml",
    "application/ms-cqf+xml",
];

struct Phone {
    user: &'static str,
    connection: ConnectionId,
    framer: Framer,
    auth: Client,
    cseq: u32,
    /// First SUBSCRIBE and 200 of the dialogs.
    dialogs: Vec<(Message, Message)>,
}

struct World {
    now: Instant,
    server: FrontEnd<MemoryStore>,
    phones: [Phone; 2],
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let system = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let clock = WallClock::new(now, system);
        let mut store = MemoryStore::new("CONTOSO");
        let phones = ["alice", "bob"].map(|user| {
            let aor = format!("{user}@contoso.com").parse().expect("an address");
            store.add_user(User::new(aor), "Passw0rd");
            let credential = Credential::from_password("Passw0rd");
            let ntlm = ocs_ntlm::ClientConfig::sip(user, "CONTOSO", credential);
            let config = ClientConfig::new(vec![Box::new(NtlmClient::new(ntlm))]);
            let rng = ChaCha12Rng::seed_from_u64(user.len() as u64);
            Phone {
                user,
                connection: ConnectionId(user.len() as u64),
                framer: Framer::new(Limits::default()),
                auth: Client::new(config, clock, rng),
                cseq: 0,
                dialogs: Vec::new(),
            }
        });
        let domain = "contoso.com";
        let mut config =
            ocs_server::Config::new("fe01.contoso.com", domain, Transport::Tcp, 5060, clock);
        config.quality_agent = Some("fe01.contoso.com".to_owned());
        let server = FrontEnd::new(config, store, [9; 32]).expect("a configuration");
        let mut world = Self {
            now,
            server,
            phones,
        };
        for index in 0..2 {
            let peer = Peer {
                transport: Transport::Tcp,
                local: SocketAddr::from(([192, 0, 2, 1], 5060)),
                remote: SocketAddr::from(([192, 0, 2, 2], 50_000)),
            };
            let connection = world.phones[index].connection;
            world.server.handle_accepted(world.now, connection, peer);
            world.sign_in(index);
        }
        world
    }

    fn request(&mut self, index: usize, method: Method, uri: &str) -> Message {
        let phone = &mut self.phones[index];
        phone.cseq += 1;
        let (user, cseq) = (phone.user, phone.cseq);
        let own = format!("sip:{user}@contoso.com");
        let line = format!("{cseq} {method}");
        let contact = "<sip:192.0.2.2:50000;transport=tcp>;+sip.instance=\"<urn:uuid:17715028-d862-5e0d-8729-8ec6a8ff724a>\"";
        Message::request(method, uri)
            .with(
                HeaderName::Via,
                &format!("SIP/2.0/TCP 192.0.2.2:50000;branch=z9hG4bK{cseq}"),
            )
            .with(
                HeaderName::From,
                &format!("<{own}>;tag=t{cseq};epid=6fe9f1f98282"),
            )
            .with(HeaderName::To, &format!("<{uri}>"))
            .with(HeaderName::CallId, &format!("{user}{cseq}"))
            .with(HeaderName::CSeq, &line)
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::Contact, contact)
    }

    fn sign_in(&mut self, index: usize) {
        let mut next = None;
        for _ in 0..4 {
            let own = format!("sip:{}@contoso.com", self.phones[index].user);
            let mut request = self.request(index, Method::Register, "sip:contoso.com");
            request.set(HeaderName::To, &format!("<{own}>"));
            request.push(HeaderName::Event, "registration");
            let auth = &mut self.phones[index].auth;
            match next {
                None => {}
                Some(Next::Resend) => auth.authorize(&mut request).expect("a token"),
                Some(_) => auth.sign(&mut request).expect("an association"),
            }
            let answer = self.send(index, &request);
            if answer.status() != Some(401) {
                assert_eq!(answer.status(), Some(200));
                return;
            }
            next = Some(self.phones[index].auth.on_challenge(self.now, &answer));
        }
        panic!("challenged for ever");
    }

    /// Sends a request and gives its only answer.
    fn send(&mut self, index: usize, request: &Message) -> Message {
        let connection = self.phones[index].connection;
        self.server
            .handle_data(self.now, connection, request.to_bytes());
        let (call_id, cseq) = (request.call_id(), request.header(HeaderName::CSeq));
        let mut answers = self.receive(index);
        answers.retain(|message| {
            message.status().is_some()
                && message.call_id() == call_id
                && message.header(HeaderName::CSeq) == cseq
        });
        assert_eq!(answers.len(), 1, "{request:?}");
        answers.remove(0)
    }

    /// Takes all that was written, and gives what is for one of the clients.
    fn receive(&mut self, index: usize) -> Vec<Message> {
        let mut messages = Vec::new();
        while let Some(output) = self.server.poll_output() {
            let Output::Send { connection, data } = output else {
                panic!("a connection is closed");
            };
            let mut phones = self.phones.iter_mut().enumerate();
            let (at, phone) = phones
                .find(|(_, phone)| phone.connection == connection)
                .expect("one of the two");
            phone.framer.push_bytes(data);
            while let Some(frame) = phone.framer.poll_frame() {
                match frame.expect("a well-formed stream") {
                    Frame::Message(message) if at == index => messages.push(message),
                    Frame::Message(_) | Frame::KeepAlive => {}
                    Frame::Malformed { error, .. } => panic!("{error}"),
                }
            }
        }
        while self.server.poll_event().is_some() {}
        messages
    }

    fn ask(&mut self, index: usize, mut request: Message) -> Message {
        let auth = &mut self.phones[index].auth;
        auth.sign(&mut request).expect("an association");
        self.send(index, &request)
    }

    /// bob's next request.
    fn harm(&mut self, what: u8, how: u8, body: &[u8]) {
        let own = "sip:bob@contoso.com";
        let uri = if how & 4 == 0 { own } else { "sip:alice@contoso.com" };
        let what = usize::from(what);
        if what % 2 == 0 {
            let kind = SERVICES[what / 2 % SERVICES.len()];
            let mut request = self.request(1, Method::Service, uri);
            request.set_body(kind, body.to_vec());
            self.ask(1, request);
            return;
        }
        let (event, accept, kind) = SUBSCRIPTIONS[what / 2 % SUBSCRIPTIONS.len()];
        let mut request = self.request(1, Method::Subscribe, uri);
        let dialogs = &self.phones[1].dialogs;
        let mut events = dialogs.iter().filter(|(first, _)| {
            first.header(HeaderName::Event) == Some(event)
        });
        let inside = how & 1 == 1;
        if let Some((first, answer)) = events.next_back().filter(|_| inside) {
            for (name, from) in [
                (HeaderName::From, first),
                (HeaderName::CallId, first),
                (HeaderName::To, answer),
            ] {
                request.set(name, from.header(name).unwrap_or_default());
            }
            request.set_request_uri("sip:fe01.contoso.com:5060;transport=tcp");
        }
        request.push(HeaderName::Event, event);
        request.push(HeaderName::Accept, accept);
        for tag in ["ms-benotify", "ms-piggyback-first-notify", "eventlist"] {
            request.push(HeaderName::Supported, tag);
        }
        request.push(HeaderName::Require, "adhoclist");
        if how & 2 == 2 {
            request.push(HeaderName::Expires, "0");
        }
        if !kind.is_empty() {
            request.set_body(kind, body.to_vec());
        }
        let answer = self.ask(1, request.clone());
        if answer.status() == Some(200) && !inside {
            self.phones[1].dialogs.push((request, answer));
        }
    }

    /// alice publishes, in the order of her versions.
    fn honest(&mut self, version: u32) {
        let body = format!(
            "<publish xmlns=\"http://schemas.microsoft.com/2006/09/sip/rich-presence\"><publications uri=\"sip:alice@contoso.com\"><publication categoryName=\"note\" instance=\"0\" container=\"0\" version=\"{version}\" expireType=\"static\"/></publications></publish>"
        );
        let mut request = self.request(0, Method::Service, "sip:alice@contoso.com");
        request.set_body(SERVICES[0], body);
        let answer = self.ask(0, request);
        assert_eq!(answer.status(), Some(200), "{answer:?}");
    }

    fn wait(&mut self, by: Duration) {
        let end = self.now + by;
        for _ in 0..1000 {
            let Some(at) = self.server.poll_timeout().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(at);
            self.server.handle_timeout(self.now);
            self.receive(0);
        }
        self.now = end;
    }
}

fuzz_target!(|data: &[u8]| {
    let mut world = World::new();
    let text: Vec<_> = data.split(|octet| *octet == b'\n').collect();
    let requests = text.split(|line| *line == b"--");
    for lines in requests.take(20) {
        let request = lines.join(&b'\n');
        let [what, how, body @ ..] = &*request else {
            continue;
        };
        world.harm(*what, *how, body);
        if how & 8 == 8 {
            world.wait(Duration::from_secs(20));
        }
        let counters = world.server.counters();
        assert_eq!(counters.registrations, 2, "{counters:?}");
        assert!(counters.subscriptions <= 64, "{counters:?}");
        assert!(counters.users <= 2, "{counters:?}");
    }
    for version in 0..2 {
        world.honest(version);
    }
    for index in 0..2 {
        let connection = world.phones[index].connection;
        world.server.handle_closed(world.now, connection);
    }
    world.wait(Duration::from_secs(40));
    assert_eq!(world.server.counters(), Counters::default());
});
