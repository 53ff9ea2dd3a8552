//! Telephones and a front end on the virtual network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use ocs_call::Ended;
use ocs_client::phone::{Config as PhoneConfig, Error, Event, LineId, Phone, Plan, StreamId};
use ocs_client::{Bootstrap, CallOptions, Config, Event as AgentEvent, UserAgent};
use ocs_hosts::{PhoneHost, ServerHost};
use ocs_ntlm::Credential;
use ocs_sdpext::negotiation::StreamKind;
use ocs_server::{FrontEnd, MemoryStore, User};
use ocs_sip_core::{Limits, Message, Method, Transport};
use ocs_sipre::Epid;
use ocs_siprege::provisioning::ServerConfiguration;
use ocs_testbed::{Dissector, HostId, Listener, Opaque, Testbed, sip_dissectors};

use super::network::{NAMES, SERVER};
use super::talker::{Manner, Talker};
use super::{PASSWORD, aor};

pub(crate) type Host = PhoneHost<Talker>;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// What is told apart between telephones of one user, and between programs.
pub(crate) struct Habits {
    pub(crate) agent: fn(&mut Config),
    pub(crate) phone: fn(&mut PhoneConfig),
    /// The relay that plans ask.
    pub(crate) relay: Option<SocketAddr>,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            agent: |_| {},
            phone: |_| {},
            relay: None,
        }
    }
}

/// contoso.com: one front end, and the telephones of its users.
pub(crate) struct Telephones {
    pub(crate) testbed: Testbed,
    pub(crate) server: HostId,
    start: Instant,
    count: u8,
}

impl Telephones {
    pub(crate) fn new() -> Self {
        Self::with(1, |_| {})
    }

    /// The front end takes reports on quality unless `adjust` says otherwise.
    pub(crate) fn with(seed: u64, adjust: fn(&mut ocs_server::Config)) -> Self {
        let system = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let mut testbed = Testbed::new(seed, Instant::now(), system);
        let mut sip = sip_dissectors();
        testbed.set_dissector(move |flow| match flow.transport {
            Transport::Udp => Box::new(Opaque) as Box<dyn Dissector>,
            _ => sip(flow),
        });
        let clock = testbed.wall_clock();
        let (host, domain) = ("fe01.contoso.com", "contoso.com");
        let mut config = ocs_server::Config::new(host, domain, Transport::Tls, 5061, clock);
        config.provisioning.groups = vec![ServerConfiguration::default().into()];
        config.quality_agent = Some("1".to_owned());
        adjust(&mut config);
        let mut store = MemoryStore::new("CONTOSO");
        for name in NAMES {
            store.add_user(User::new(aor(name)), PASSWORD);
        }
        let front_end = FrontEnd::new(config, store, [3; 32]).unwrap();
        let server = testbed.add_host("fe01", [IpAddr::V4(SERVER)], ServerHost::new(front_end));
        testbed.listen(server, Listener::tls((SERVER, 5061).into(), [host]));
        let zone = testbed.zone_mut();
        zone.srv("_sipinternaltls._tcp.contoso.com", 0, 0, 5061, host);
        zone.address(host, SERVER);
        Self {
            start: testbed.now(),
            testbed,
            server,
            count: 0,
        }
    }

    /// Two telephones, of alice and of bob, who does so when it rings.
    pub(crate) fn pair(manner: Manner) -> (Self, HostId, HostId) {
        let mut all = Self::new();
        let alice = all.signed_in("alice", Manner::Waits);
        let bob = all.signed_in("bob", manner);
        (all, alice, bob)
    }

    /// Two telephones in a call with sound.
    pub(crate) fn in_call() -> (Self, Ends) {
        let (mut all, alice, bob) = Self::pair(Manner::Answers(SECOND));
        let line = all.talk(alice, "bob");
        let ends = Ends {
            alice,
            bob,
            line,
            other: all.line(bob),
        };
        all.run(SECOND);
        (all, ends)
    }

    pub(crate) fn add(&mut self, name: &str, manner: Manner, habits: Habits) -> HostId {
        self.count += 1;
        let count = self.count;
        let mut config = Config::new(
            aor(name),
            Credential::from_password(PASSWORD),
            Epid::parse(&format!("{count:08x}")).unwrap(),
            self.testbed.wall_clock(),
        );
        config.bootstrap = Bootstrap::none();
        config.bootstrap.provisioning = true;
        config.calls.accept = true;
        (habits.agent)(&mut config);
        let mut of_phone = PhoneConfig::default();
        (habits.phone)(&mut of_phone);
        let agent = UserAgent::new(config, [count; 32]).unwrap();
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 100 + count));
        let talker = Talker::new(count, address, manner, habits.relay);
        let host = PhoneHost::new(agent, of_phone, [count ^ 0x80; 32], talker);
        self.testbed
            .add_host(format!("{name}{count}"), [address], host)
    }

    pub(crate) fn sign_in(&mut self, phone: HostId) {
        self.command(phone, |phone, _, now| {
            phone.command(now, |agent| agent.sign_in(now));
        });
        self.until(phone, |event| {
            *event == Event::Agent(AgentEvent::Bootstrapped)
        });
    }

    pub(crate) fn signed_in(&mut self, name: &str, manner: Manner) -> HostId {
        self.signed_in_as(name, manner, Habits::default())
    }

    pub(crate) fn signed_in_as(&mut self, name: &str, manner: Manner, habits: Habits) -> HostId {
        let phone = self.add(name, manner, habits);
        self.sign_in(phone);
        phone
    }

    pub(crate) fn command<R>(
        &mut self,
        phone: HostId,
        command: impl FnOnce(&mut Phone, &mut Talker, Instant) -> R,
    ) -> R {
        self.testbed.command(phone, |host: &mut Host, now| {
            host.command(now, |phone, talker| command(phone, talker, now))
        })
    }

    /// A command that succeeds.
    pub(crate) fn order<R>(
        &mut self,
        phone: HostId,
        order: impl FnOnce(&mut Phone, Instant) -> Result<R, Error>,
    ) -> R {
        self.command(phone, |phone, _, now| order(phone, now))
            .unwrap()
    }

    pub(crate) fn run(&mut self, time: Duration) {
        self.testbed.run_for(time);
    }

    /// Runs until a telephone tells something like this.
    pub(crate) fn until(&mut self, phone: HostId, what: impl Fn(&Event) -> bool) {
        let pending = |testbed: &Testbed| !testbed.host::<Host>(phone).told(&what);
        let ran = self.testbed.run_while(pending, 600 * SECOND);
        assert!(ran.is_ok(), "{ran:?} {:#?}", self.at(phone).events);
    }

    pub(crate) fn at(&self, phone: HostId) -> &Host {
        self.testbed.host(phone)
    }

    pub(crate) fn talker(&self, phone: HostId) -> &Talker {
        &self.at(phone).person
    }

    /// Calls a user with sound.
    pub(crate) fn call(&mut self, phone: HostId, to: &str) -> LineId {
        let to = aor(to).to_uri();
        self.command(phone, |phone, talker, now| {
            let plan = talker.plan(StreamKind::Audio);
            phone.call(now, &to, &[plan], CallOptions::default())
        })
        .unwrap()
    }

    /// The same, until they talk.
    pub(crate) fn talk(&mut self, phone: HostId, to: &str) -> LineId {
        let line = self.call(phone, to);
        self.until(phone, |event| *event == Event::MediaUp { line });
        line
    }

    /// The only call of a telephone.
    pub(crate) fn line(&self, phone: HostId) -> LineId {
        let lines: Vec<_> = self.at(phone).phone.lines().collect();
        assert_eq!(lines.len(), 1, "{:#?}", self.at(phone).events);
        lines[0]
    }

    pub(crate) fn streams(&self, phone: HostId, line: LineId) -> Vec<StreamId> {
        self.at(phone).phone.streams(line).collect()
    }

    pub(crate) fn plan(&mut self, phone: HostId, kind: StreamKind) -> Plan {
        self.command(phone, |_, talker, _| talker.plan(kind))
    }

    /// How a call ended.
    pub(crate) fn ended(&self, phone: HostId, line: LineId) -> &Ended {
        let mut events = self.at(phone).events.iter();
        let ended = events.find_map(|(_, event)| match event {
            Event::Ended {
                line: of, ended, ..
            } if *of == line => Some(ended),
            _ => None,
        });
        ended.unwrap_or_else(|| panic!("{:#?}", self.at(phone).events))
    }

    pub(crate) fn count(&self, phone: HostId, what: impl Fn(&Event) -> bool) -> usize {
        let events = self.at(phone).events.iter();
        events.filter(|(_, event)| what(event)).count()
    }

    /// The SIP messages between a telephone and the server, in order.
    pub(crate) fn sip(&self, phone: HostId) -> Vec<Message> {
        let messages = self.testbed.messages().filter(|message| {
            let ends = (message.flow.from, message.flow.to);
            message.flow.transport == Transport::Tls
                && (ends == (phone, Some(self.server)) || ends == (self.server, Some(phone)))
        });
        messages
            .filter_map(|message| Message::parse(message.text.clone(), &Limits::default()).ok())
            .collect()
    }

    /// The requests with this method between a telephone and the server.
    pub(crate) fn requests(&self, phone: HostId, method: Method) -> Vec<Message> {
        let mut messages = self.sip(phone);
        messages.retain(|message| message.method() == Some(&method));
        messages
    }

    /// The responses with this status to this method.
    pub(crate) fn responses(&self, phone: HostId, status: u16, method: &str) -> Vec<Message> {
        let mut messages = self.sip(phone);
        messages.retain(|message| {
            message.status() == Some(status)
                && message.cseq().is_ok_and(|cseq| cseq.method_text == method)
        });
        messages
    }

    /// What goes with RTP and RTCP from one telephone to the other, without STUN: when it was sent, and the octets.
    pub(crate) fn media(&self, from: HostId, to: HostId) -> Vec<(Duration, bytes::Bytes)> {
        let messages = self.testbed.messages().filter(|message| {
            (message.flow.from, message.flow.to) == (from, Some(to))
                && message.flow.transport == Transport::Udp
                && matches!(message.text[..], [128..=191, ..])
        });
        messages
            .map(|message| (message.sent, message.text.clone()))
            .collect()
    }

    /// When a telephone told something first.
    pub(crate) fn told_at(&self, phone: HostId, what: impl Fn(&Event) -> bool) -> Duration {
        let mut events = self.at(phone).events.iter();
        let (at, _) = events.find(|(_, event)| what(event)).unwrap();
        at.duration_since(self.start)
    }

    /// Packets of RTP that each heard of the other in the next second.
    pub(crate) fn heard_in_a_second(&mut self, a: HostId, b: HostId) -> (usize, usize) {
        let before = [a, b].map(|phone| self.talker(phone).heard());
        self.run(SECOND);
        let after = [a, b].map(|phone| self.talker(phone).heard());
        (after[0] - before[0], after[1] - before[1])
    }
}

/// alice and bob, who talk: alice has called.
#[derive(Clone, Copy)]
pub(crate) struct Ends {
    pub(crate) alice: HostId,
    pub(crate) bob: HostId,
    /// The call at alice's.
    pub(crate) line: LineId,
    /// The call at bob's.
    pub(crate) other: LineId,
}

/// The values of the lines of a description that begin so.
pub(crate) fn lines<'d>(description: &'d str, start: &str) -> Vec<&'d str> {
    let lines = description.lines();
    lines.filter_map(|line| line.strip_prefix(start)).collect()
}
