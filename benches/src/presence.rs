//! A front end and thin endpoints that publish and watch: an endpoint is an association with which it signs, and keeps nothing of
//! what it receives.
//!
//! Time is virtual, and only what the front end does is on the clock, as in [`system`](crate::system). The clock is that of the
//! thread: what else the machine does is not counted.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cpu_time::ThreadTime;
use ocs_ntlm::{Credential, NtHash};
use ocs_pres::doc::{
    Action, ActionName, BatchSub, Change, ContainerChange, ContainerId, ExpireType, Member,
    MemberChange, MemberType, Publication, Publish, Resource, SetContainerMembers, content_type,
};
use ocs_server::{Config, DocumentKind, FrontEnd, MemoryStore, Output, Peer, Store};
use ocs_sip_core::{ConnectionId, HeaderName, Limits, Message, Method, Transport, WallClock};
use ocs_sipae::client::{Client, ClientConfig, Next, Verdict};
use ocs_sipae::ntlm::NtlmClient;
use ocs_siprege::contacts::{Contact, ContactList, GroupId};
use ocs_xml::{Raw, to_string};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::system::{DOMAIN, PASSWORD, SERVER_ADDRESS, aor, directory};

/// What watchers ask for.
pub const CATEGORIES: [&str; 5] = ["calendarData", "contactCard", "note", "services", "state"];

/// Containers in which a note is placed: those of the colleagues, the team and the friends.
const NOTE_CONTAINERS: [u16; 3] = [200, 300, 400];

/// Of one's own presence, what SIPE asks for.
const OWN_PARTS: &str = r#"<roamingList xmlns="http://schemas.microsoft.com/2006/09/sip/roaming-self"><roaming type="categories"/><roaming type="containers"/><roaming type="subscribers"/></roamingList>"#;

/// An endpoint of the user of the same number.
#[derive(Debug)]
pub struct Station {
    number: u32,
    connection: ConnectionId,
    authentication: Client,
    cseq: u32,
    /// How often it has published its note.
    notes: u32,
}

/// What came out of the front end while it worked on one request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fanned {
    /// Notifications to other connections.
    pub notifications: u64,
    /// Their octets.
    pub octets: u64,
    /// Time of the processor that the front end took for everything.
    pub busy: Duration,
}

/// A front end with users.
#[derive(Debug)]
pub struct Presence {
    server: FrontEnd<MemoryStore>,
    credential: Credential,
    clock: WallClock,
    now: Instant,
    connections: u64,
    outputs: Vec<(ConnectionId, Bytes)>,
}

impl Presence {
    /// A front end with `users` users, nobody signed in. `adjust` changes its configuration.
    #[must_use]
    pub fn new(users: u32, adjust: impl FnOnce(&mut Config)) -> Self {
        let (mut config, store, clock, now) = directory(users);
        adjust(&mut config);
        Self {
            server: FrontEnd::new(config, store, [7; 32]).expect("a configuration that works"),
            credential: NtHash::from_password(PASSWORD).into(),
            clock,
            now,
            connections: 0,
            outputs: Vec::new(),
        }
    }

    /// The front end.
    #[must_use]
    pub const fn server(&self) -> &FrontEnd<MemoryStore> {
        &self.server
    }

    /// Lets time pass, and does what is due.
    pub fn advance(&mut self, time: Duration) {
        self.now += time;
        if self.server.poll_timeout().is_some_and(|at| at <= self.now) {
            self.timed(FrontEnd::handle_timeout);
        }
    }

    /// Puts a list of contacts into the store, as if its user had made it earlier.
    pub fn store_contacts(&mut self, number: u32, contacts: impl Iterator<Item = u32>) {
        let mut list = ContactList::new();
        list.contacts = contacts
            .map(|contact| {
                let name = format!("User {contact}");
                Contact::new(aor(contact).as_str(), &name, GroupId::DEFAULT.into())
            })
            .collect();
        let text = list.to_document();
        let documents = [(DocumentKind::Contacts, &*text)];
        let store = self.server.store_mut();
        let Ok(()) = store.put_documents(&aor(number), &documents);
    }

    /// Signs an endpoint in: connection, three rounds of REGISTER.
    pub fn sign_in(&mut self, number: u32) -> Station {
        self.connections += 1;
        let connection = ConnectionId(self.connections);
        let [_, a, b, c] = number.to_be_bytes();
        let peer = Peer {
            transport: Transport::Tls,
            local: SERVER_ADDRESS,
            remote: SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, a, b, c)), 50_000),
        };
        self.timed(|server, now| server.handle_accepted(now, connection, peer));
        let ntlm = ocs_ntlm::ClientConfig::sip(
            &format!("user{number}"),
            "CONTOSO",
            self.credential.clone(),
        );
        let config = ClientConfig::new(vec![Box::new(NtlmClient::new(ntlm))]);
        let rng = ChaCha8Rng::seed_from_u64(u64::from(number));
        let mut station = Station {
            number,
            connection,
            authentication: Client::new(config, self.clock, rng),
            cseq: 0,
            notes: 0,
        };
        let mut next = None;
        for _ in 0..3 {
            let mut request = station.register();
            if next == Some(Next::Resend) {
                let done = station.authentication.authorize(&mut request);
                done.expect("a handshake");
            }
            let (response, _) = self.exchange(&mut station, &request);
            if response.status() == Some(200) {
                return station;
            }
            next = Some(station.authentication.on_challenge(self.now, &response));
        }
        panic!("signing in failed");
    }

    /// Signs a request, sends it, and gives its 200 and what else went out.
    pub fn ask(&mut self, station: &mut Station, mut request: Message) -> (Message, Fanned) {
        let done = station.authentication.sign(&mut request);
        done.expect("an association");
        let (response, fanned) = self.exchange(station, &request);
        assert_eq!(response.status(), Some(200), "{request:?}: {response:?}");
        (response, fanned)
    }

    /// Lets all colleagues see what their container holds.
    pub fn admit_colleagues(&mut self, station: &mut Station) {
        let company = ContainerId::new(200).expect("a container");
        let change = MemberChange::new(Change::Add, Member::network(MemberType::SameEnterprise));
        let change = ContainerChange::new(company, 0, vec![change]);
        let body = to_string(&SetContainerMembers::new(vec![change]));
        let request = station.service(content_type::SET_CONTAINER_MEMBERS, body);
        self.ask(station, request);
    }

    /// Publishes another note.
    pub fn publish_note(&mut self, station: &mut Station) -> Fanned {
        let request = station.note();
        self.ask(station, request).1
    }

    /// Publishes what an endpoint publishes first.
    pub fn publish_state(&mut self, station: &mut Station) {
        use ocs_pres::category::Availability;
        let source = ocs_pres::instance::Source::from_name(&station.epid());
        let publications = ocs_pres::publications::machine_state(source, Availability::AVAILABLE);
        let publish = Publish::new(aor(station.number).to_uri(), publications);
        let request = station.service(content_type::PUBLISH, to_string(&publish));
        self.ask(station, request);
    }

    /// Subscribes to the own contacts and to the own presence.
    pub fn subscribe_own(&mut self, station: &mut Station) {
        let own = aor(station.number).to_uri();
        let contacts = station
            .subscribe(&own, "vnd-microsoft-roaming-contacts")
            .with(
                HeaderName::Accept,
                "application/vnd-microsoft-roaming-contacts+xml",
            );
        self.ask(station, contacts);
        let presence = station
            .subscribe(&own, "vnd-microsoft-roaming-self")
            .with(HeaderName::Accept, content_type::ROAMING_SELF)
            .with_body("application/vnd-microsoft-roaming-self+xml", OWN_PARTS);
        self.ask(station, presence);
    }

    /// Watches users, all with one subscription.
    pub fn watch(&mut self, station: &mut Station, users: impl Iterator<Item = u32>) {
        let own = aor(station.number).to_uri();
        let resources = users
            .map(|user| Resource::new(aor(user).to_uri()))
            .collect();
        let action = Action::new(ActionName::Subscribe, "1", resources, CATEGORIES);
        let body = to_string(&BatchSub::new(own.as_str(), vec![action]));
        let request = station
            .subscribe(&own, "presence")
            .with(HeaderName::Require, "adhoclist, categoryList")
            .with(HeaderName::Supported, "eventlist")
            .with(
                HeaderName::Accept,
                "application/msrtc-event-categories+xml, application/rlmi+xml, multipart/related",
            )
            .with_body(content_type::BATCH_SUB, body);
        self.ask(station, request);
    }

    fn exchange(&mut self, station: &mut Station, request: &Message) -> (Message, Fanned) {
        let data = request.to_bytes();
        let connection = station.connection;
        let busy = self.timed(|server, now| server.handle_data(now, connection, data));
        let mut fanned = Fanned {
            busy,
            ..Fanned::default()
        };
        let mut response = None;
        for (to, data) in self.outputs.drain(..) {
            if to != connection {
                fanned.notifications += 1;
                fanned.octets += data.len() as u64;
                continue;
            }
            for message in messages(data) {
                let verdict = station.authentication.verify(self.now, &message);
                assert!(matches!(verdict, Verdict::Accepted | Verdict::Unsigned));
                let is_answer = message.status().is_some_and(|status| status >= 200);
                if is_answer {
                    response = Some(message);
                }
            }
        }
        (response.expect("an answer"), fanned)
    }

    /// Runs the front end on the clock and takes what it puts out.
    fn timed(&mut self, act: impl FnOnce(&mut FrontEnd<MemoryStore>, Instant)) -> Duration {
        self.outputs.clear();
        let start = ThreadTime::now();
        act(&mut self.server, self.now);
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Send { connection, data } => self.outputs.push((connection, data)),
                Output::Close { connection } => panic!("the front end closed {connection:?}"),
            }
        }
        while let Some(event) = self.server.poll_event() {
            drop(event);
        }
        start.elapsed()
    }
}

/// The messages in octets that hold only whole ones.
fn messages(data: Bytes) -> Vec<Message> {
    use ocs_sip_core::framing::{Frame, Framer};
    let mut framer = Framer::new(Limits {
        body: usize::MAX,
        ..Limits::default()
    });
    framer.push_bytes(data);
    let mut messages = Vec::new();
    while let Some(frame) = framer.poll_frame() {
        match frame.expect("the front end writes well-formed streams") {
            Frame::Message(message) => messages.push(message),
            Frame::KeepAlive => {}
            Frame::Malformed { error, .. } => panic!("{error}"),
        }
    }
    messages
}

impl Station {
    fn epid(&self) -> String {
        format!("{:010x}", self.number)
    }

    fn register(&mut self) -> Message {
        let own = aor(self.number).to_uri();
        let instance = ocs_sipre::Instance::from_epid(
            &ocs_sipre::Epid::parse(&self.epid()).expect("ten hexadecimal digits"),
        );
        let contact = format!(
            "<sip:10.0.0.1:50000;transport=tls;ms-opaque=d3470f2e1d>;methods=\"INVITE, MESSAGE, INFO, SUBSCRIBE, OPTIONS, BYE, CANCEL, NOTIFY, ACK, REFER, BENOTIFY\";proxy=replace;+sip.instance=\"<{instance}>\""
        );
        self.request(Method::Register, &format!("sip:{DOMAIN}"), &own)
            .with(HeaderName::Contact, &contact)
            .with(
                HeaderName::Supported,
                "gruu-10, adhoclist, msrtc-event-categories",
            )
            .with(HeaderName::Event, "registration")
            .with(HeaderName::MsKeepAlive, "UAC;hop-hop=yes")
    }

    fn request(&mut self, method: Method, uri: &str, to: &str) -> Message {
        self.cseq += 1;
        let (own, epid, cseq) = (aor(self.number).to_uri(), self.epid(), self.cseq);
        let via = format!("SIP/2.0/TLS 10.0.0.1:50000;branch=z9hG4bK{epid}{cseq}");
        let from = format!("<{own}>;tag={cseq:08x};epid={epid}");
        let numbered = format!("{cseq} {method}");
        Message::request(method, uri)
            .with(HeaderName::Via, &via)
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, &from)
            .with(HeaderName::To, &format!("<{to}>"))
            .with(HeaderName::CallId, &format!("{epid}{cseq:08x}C2E0g1D28a"))
            .with(HeaderName::CSeq, &numbered)
            .with(
                HeaderName::UserAgent,
                "UCCAPI/15.0.4420.1017 OC/15.0.4420.1017 (Microsoft Lync)",
            )
    }

    fn subscribe(&mut self, uri: &str, event: &str) -> Message {
        let contact = format!("<sip:{}@10.0.0.1:50000;transport=tls>", self.number);
        self.request(Method::Subscribe, uri, uri)
            .with(HeaderName::Contact, &contact)
            .with(HeaderName::Event, event)
            .with(HeaderName::Supported, "com.microsoft.autoextend")
            .with(HeaderName::Supported, "ms-benotify")
            .with(HeaderName::ProxyRequire, "ms-benotify")
            .with(HeaderName::Supported, "ms-piggyback-first-notify")
    }

    fn service(&mut self, kind: &str, body: String) -> Message {
        let own = aor(self.number).to_uri();
        self.request(Method::Service, &own, &own)
            .with_body(kind, body)
    }

    fn note(&mut self) -> Message {
        let text = format!(
            r#"<note xmlns="http://schemas.microsoft.com/2006/09/sip/note"><body type="personal" uri="">Back at {}</body></note>"#,
            self.notes
        );
        let value = Raw::parse(text.as_bytes(), &ocs_xml::Limits::default()).expect("a note");
        let publications = NOTE_CONTAINERS.into_iter().map(|container| {
            Publication::new(
                "note",
                0,
                ContainerId::new(container).expect("a container"),
                self.notes,
                ExpireType::Static,
                Some(value.clone()),
            )
        });
        let publish = Publish::new(aor(self.number).to_uri(), publications.collect());
        self.notes += 1;
        self.service(content_type::PUBLISH, to_string(&publish))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_who_watches_is_told() {
        let mut presence = Presence::new(5, |_| {});
        presence.store_contacts(1, [0, 2].into_iter());
        let mut bob = presence.sign_in(0);
        presence.admit_colleagues(&mut bob);
        presence.publish_state(&mut bob);
        for number in 1..5 {
            let mut alice = presence.sign_in(number);
            presence.subscribe_own(&mut alice);
            presence.watch(&mut alice, [0, 1, 2].into_iter());
        }
        assert_eq!(presence.server().counters().subscriptions, 12);
        let first = presence.publish_note(&mut bob);
        let second = presence.publish_note(&mut bob);
        assert_eq!(first.notifications, 4);
        assert_eq!(second.notifications, 4);
        assert!(second.octets > 4 * 1000);
    }
}
