//! Sessions of a real agent, libnice 0.1.21, replayed: with our agent in the place of the one that it talked to, and in
//! its own place. `N` is libnice, `P` the other one.

mod script;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_ice::sdp::{ice, ice2};
use ocs_ice::{
    Agent, Candidate, CandidateType, Component, Config, Credentials, Description, Dialect, Event,
    Foundation, Nomination, Output, PairState, Password, Phase, Role, Transport,
};
use ocs_stun::attribute::{ErrorCode, Priority};
use ocs_stun::{AttributeType, Class, Message};
use script::Script;

macro_rules! captures {
    ($($name:literal),*) => { [$(($name, include_str!(concat!("data/captures/", $name, ".txt")))),*] };
}

#[derive(Debug, Clone)]
struct Line {
    /// From libnice.
    from_n: bool,
    data: Bytes,
    comment: String,
}

impl Line {
    fn is_stun(&self) -> bool {
        self.comment.contains("Binding")
    }
}

/// A parsed file.
struct Capture {
    heads: Vec<String>,
    lines: Vec<Line>,
}

impl Capture {
    fn parse(text: &str) -> Self {
        let (mut heads, mut lines) = (Vec::new(), Vec::new());
        for line in text.lines() {
            if let Some(head) = line.strip_prefix("# ") {
                heads.push(head.to_owned());
                continue;
            }
            let (fields, comment) = line.split_once(" # ").unwrap_or((line, ""));
            let mut fields = fields.split(' ');
            let (Some(direction), Some(_), Some(data)) =
                (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            lines.push(Line {
                from_n: direction == "N>P",
                data: hex::decode(data).unwrap().into(),
                comment: comment.to_owned(),
            });
        }
        Self { heads, lines }
    }

    /// The head line of one side that begins so, as words.
    fn words(&self, start: &str) -> Vec<&str> {
        let head = self
            .heads
            .iter()
            .find(|head| head.starts_with(start))
            .unwrap();
        head.split_whitespace().collect()
    }

    fn credentials(&self, side: &str) -> Credentials {
        let words = self.words(&format!("{side} ufrag"));
        Credentials::new(words[2], words[4]).unwrap()
    }

    fn requests(&self, from_n: bool) -> Vec<&Line> {
        let mut seen = BTreeSet::new();
        let requests = self.lines.iter().filter(|line| {
            line.from_n == from_n
                && line.comment.contains("Binding request")
                && seen.insert(line.data[4..20].to_vec())
        });
        requests.collect()
    }

    /// The transaction identifiers of one side's requests, in their order, as the agent will draw them.
    fn script(&self, from_n: bool, dialect: Dialect) -> VecDeque<u8> {
        let skip = if dialect == Dialect::Ice2 { 8 } else { 4 };
        let requests = self.requests(from_n);
        requests
            .iter()
            .flat_map(|line| line.data[skip..20].to_vec())
            .collect()
    }

    /// The address of one side for a component, from what the other side says of it.
    fn address(&self, of_n: bool, dialect: Dialect, component: Component) -> SocketAddr {
        let by_id = |id: &[u8]| {
            let answer = self.lines.iter().find(|line| {
                line.from_n != of_n
                    && line.comment.contains("Binding response")
                    && line.data[4..20] == *id
            });
            let message = Message::parse(stun(dialect), &answer?.data).ok()?;
            message.reflexive_address().ok().flatten()
        };
        let requests = self.requests(of_n);
        let mut own = requests
            .iter()
            .filter(|line| component_of(line, dialect) == component);
        let seen = own.find_map(|line| by_id(&line.data[4..20]));
        seen.unwrap_or_else(|| panic!("address of {of_n} {component}"))
    }
}

fn stun(dialect: Dialect) -> ocs_stun::Dialect {
    match dialect {
        Dialect::Ice => ocs_stun::Dialect::MsIce,
        Dialect::Ice2 => ocs_stun::Dialect::MsIce2,
    }
}

/// The component of a request: of MS-ICE2 in PRIORITY, of MS-ICE at the end of USERNAME.
fn component_of(line: &Line, dialect: Dialect) -> Component {
    let message = Message::parse(stun(dialect), &line.data).unwrap();
    let number = match dialect {
        Dialect::Ice2 => {
            let Priority(priority) = message.get().unwrap().unwrap();
            256 - (priority & 0xFF) as u16
        }
        Dialect::Ice => {
            let name = message.raw(AttributeType::USERNAME).unwrap();
            let digit = name.iter().rev().find(|octet| **octet != 0).unwrap();
            u16::from(digit - b'0')
        }
    };
    Component::from_number(number as u8).unwrap()
}

/// Who plays, and with what.
struct Stage<'a> {
    capture: &'a Capture,
    dialect: Dialect,
    /// Whether we are libnice.
    as_n: bool,
    /// Of each component: our address, and the other side's.
    sockets: HashMap<Component, (SocketAddr, SocketAddr)>,
    remote: Description,
    agent: Agent<Script>,
    now: Instant,
    /// Everything that we sent.
    sent: BTreeSet<Bytes>,
}

impl<'a> Stage<'a> {
    fn ice2(capture: &'a Capture, as_n: bool, adjust: impl FnOnce(&mut Config)) -> Self {
        let dialect = Dialect::Ice2;
        let first = capture.requests(as_n)[0];
        let message = Message::parse(stun(dialect), &first.data).unwrap();
        let (role, tie_breaker) = match message.raw(AttributeType::ICE_CONTROLLING) {
            Some(tie) => (Role::Controlling, tie),
            None => (
                Role::Controlled,
                message.raw(AttributeType::ICE_CONTROLLED).unwrap(),
            ),
        };
        let tie_breaker = u64::from_be_bytes(tie_breaker.try_into().unwrap());
        let mut config = Config::new(dialect, role);
        config.allow_loopback = true;
        adjust(&mut config);
        let (own, other) = if as_n { ("N", "P") } else { ("P", "N") };
        let script = Script::new(capture.script(as_n, dialect));
        let credentials = capture.credentials(own);
        let agent = Agent::with_credentials(config, script, credentials, tie_breaker);
        let theirs: Vec<Candidate> = capture
            .ice2_candidates()
            .into_iter()
            .map(|candidate| {
                let mine = candidate.clone();
                if as_n {
                    capture.candidate_of_p(mine)
                } else {
                    candidate
                }
            })
            .collect();
        let sockets = capture.ice2_candidates().into_iter().map(|candidate| {
            let of_p = capture.address(false, dialect, candidate.component);
            let pair = if as_n {
                (candidate.address, of_p)
            } else {
                (of_p, candidate.address)
            };
            (candidate.component, pair)
        });
        let sockets = sockets.collect();
        let remote = Description::Ice2(ice2::Description {
            credentials: capture.credentials(other),
            candidates: theirs,
            remote_candidates: Vec::new(),
        });
        Self::new(capture, dialect, as_n, sockets, remote, agent)
    }

    fn new(
        capture: &'a Capture,
        dialect: Dialect,
        as_n: bool,
        sockets: HashMap<Component, (SocketAddr, SocketAddr)>,
        remote: Description,
        mut agent: Agent<Script>,
    ) -> Self {
        for component in Component::ALL {
            let own = sockets[&component].0;
            agent.add_host(component, Transport::Udp, own).unwrap();
        }
        Self {
            capture,
            dialect,
            as_n,
            sockets,
            remote,
            agent,
            now: Instant::now(),
            sent: BTreeSet::new(),
        }
    }

    /// The component of each transaction of the other side, and of ours so far.
    fn drain(&mut self, components: &mut HashMap<Bytes, Component>) {
        while let Some(output) = self.agent.poll_output() {
            if let Output::Datagram { base, data, .. } = output {
                let mut own = self.sockets.iter();
                let (component, _) = own.find(|(_, (local, _))| *local == base).unwrap();
                components.insert(data.slice(4..20), *component);
                self.sent.insert(data);
            }
        }
    }

    /// Feeds what the other side sent, in its order.
    fn play(mut self) -> Self {
        let mut components = HashMap::new();
        for line in self.capture.requests(!self.as_n) {
            components.insert(line.data.slice(4..20), component_of(line, self.dialect));
        }
        self.agent.gather(self.now).unwrap();
        self.agent.set_remote(self.now, &self.remote).unwrap();
        let pace = Duration::from_millis(if self.dialect == Dialect::Ice2 {
            20
        } else {
            50
        });
        for line in &self.capture.lines {
            if line.from_n == self.as_n {
                continue;
            }
            // Time for the checks of both components.
            for _ in 0..2 {
                self.drain(&mut components);
                self.now += pace;
                self.agent.handle_timeout(self.now);
            }
            self.drain(&mut components);
            let component = if line.is_stun() {
                components.get(&line.data[4..20]).copied()
            } else {
                Some(Component::Rtp)
            };
            let (local, remote) = self.sockets[&component.unwrap_or(Component::Rtp)];
            self.agent
                .handle_datagram(self.now, local, remote, line.data.clone());
        }
        self.drain(&mut components);
        self
    }

    /// What this side sent in the capture, of lines with this in their comment.
    fn recorded(&self, comment: &str) -> BTreeSet<Bytes> {
        let own = self
            .capture
            .lines
            .iter()
            .filter(|line| line.from_n == self.as_n);
        own.filter(|line| line.comment.contains(comment))
            .map(|line| line.data.clone())
            .collect()
    }

    fn sent_of(&self, class: Class) -> BTreeSet<Bytes> {
        let of = |data: &&Bytes| {
            Message::parse(stun(self.dialect), data).is_ok_and(|message| message.class() == class)
        };
        self.sent.iter().filter(of).cloned().collect()
    }

    #[track_caller]
    fn assert_same(&self, comment: &str, class: Class) {
        let show = |set: BTreeSet<Bytes>| set.iter().map(hex::encode).collect::<Vec<_>>();
        let (recorded, sent) = (self.recorded(comment), self.sent_of(class));
        assert!(!recorded.is_empty());
        assert_eq!(show(sent), show(recorded));
    }

    /// Media of the other side came through, and nothing else did.
    #[track_caller]
    fn assert_data(&mut self) {
        let mut data = Vec::new();
        while let Some(event) = self.agent.poll_event() {
            if let Event::Data { data: packet, .. } = event {
                data.push(packet);
            }
        }
        let theirs = self
            .capture
            .lines
            .iter()
            .filter(|line| line.from_n != self.as_n);
        let recorded: Vec<Bytes> = theirs
            .filter(|line| line.comment.contains("data"))
            .map(|line| line.data.clone())
            .collect();
        assert_eq!(data, recorded);
    }
}

impl Capture {
    /// libnice's UDP candidates.
    fn ice2_candidates(&self) -> Vec<Candidate> {
        let heads = self
            .heads
            .iter()
            .filter_map(|head| head.strip_prefix("N candidate: "));
        let lines = heads.map(|head| head.replace(" host", " typ host"));
        let all = lines.map(|line| line.parse::<Candidate>().unwrap());
        all.filter(|candidate| candidate.transport == Transport::Udp)
            .collect()
    }

    /// What the other side announced, beside a candidate of libnice.
    fn candidate_of_p(&self, of_n: Candidate) -> Candidate {
        let component = of_n.component;
        Candidate {
            address: self.address(false, Dialect::Ice2, component),
            priority: 2_028_994_816 - u32::from(component.number()),
            foundation: Foundation::number(1),
            ..of_n
        }
    }

    /// UDP candidates of MS-ICE: one side's identifier and password, and the addresses of libnice and of the other side.
    fn lines(&self, of_n: bool) -> Vec<ice::Line> {
        let octets = |text: &str| hex::decode(text.trim_end_matches(';')).unwrap();
        let heads = self
            .heads
            .iter()
            .filter_map(|head| head.strip_prefix("N candidate: host UDP "));
        let lines = heads.map(|head| {
            let fields: Vec<&str> = head.split(' ').collect();
            let component: Component = fields[0].parse().unwrap();
            let of_p = self.words("P UDP candidate id");
            let (id, password, address) = if of_n {
                (fields[3], fields[5], fields[1].parse().unwrap())
            } else {
                (
                    of_p[4],
                    of_p[6],
                    self.address(false, Dialect::Ice, component),
                )
            };
            ice::Line {
                id: ice::CandidateId::new(octets(id)),
                component,
                password: Password::from(octets(password)),
                transport: ice::LineTransport::Udp,
                priority: "0.830".parse().unwrap(),
                address,
            }
        });
        lines.collect()
    }
}

impl<'a> Stage<'a> {
    fn ice(capture: &'a Capture, as_n: bool, role: Role) -> Self {
        let dialect = Dialect::Ice;
        let mut config = Config::new(dialect, role);
        config.allow_loopback = true;
        let (own, theirs) = (capture.lines(as_n), capture.lines(!as_n));
        let mut script: VecDeque<u8> = own[0].id.as_bytes().to_vec().into();
        script.extend(own[0].password.as_bytes());
        script.extend(capture.script(as_n, dialect));
        let credentials = Credentials::new("unused", "unusedunusedunusedunused").unwrap();
        let agent = Agent::with_credentials(config, Script::new(script), credentials, 0);
        let pairs = own.iter().zip(&theirs);
        let sockets = pairs.map(|(own, other)| (own.component, (own.address, other.address)));
        let sockets = sockets.collect();
        let remote = Description::Ice(ice::Description {
            candidates: theirs,
            remote_candidate: None,
        });
        Self::new(capture, dialect, as_n, sockets, remote, agent)
    }
}

/// [MS-ICE]: all octets of both sides are determined. The last message of libnice is its keep-alive.
#[test]
fn in_the_place_of_either_ice() {
    for (name, text) in captures![
        "ice/udp-libnice-controlling",
        "ice/udp-libnice-controlled",
        "ice/udp-response-0x8020",
        "ice/udp-response-mapped-address"
    ] {
        for as_n in [false, true] {
            eprintln!("{name} as libnice: {as_n}");
            let capture = Capture::parse(text);
            let n_decides = !name.ends_with("controlled");
            let decides = n_decides == as_n;
            let role = if decides {
                Role::Controlling
            } else {
                Role::Controlled
            };
            let mut stage = Stage::ice(&capture, as_n, role).play();
            stage.assert_same("Binding request", Class::Request);
            if as_n || !name.contains("response") {
                stage.assert_same("Binding response", Class::Success);
            }
            stage.assert_data();
            if !decides {
                assert_eq!(stage.agent.phase(), Phase::Checking);
                let chosen = Description::Ice(ice::Description {
                    candidates: capture.lines(!as_n),
                    remote_candidate: Some(capture.lines(as_n)[0].id.clone()),
                });
                stage.agent.handle_final(stage.now, &chosen).unwrap();
            }
            assert_eq!(stage.agent.phase(), Phase::Completed);
        }
    }
}

/// The files whose other agent did what ours does, to the octet.
#[test]
fn in_the_place_of_the_other_agent_ice2() {
    for (name, text) in captures![
        "ice2/udp-libnice-controlling",
        "ice2/udp-libnice-controlled",
        "ice2/role-conflict-libnice-switches",
        "ice2/udp-peer-reflexive"
    ] {
        eprintln!("{name}");
        let capture = Capture::parse(text);
        let mut stage = Stage::ice2(&capture, false, |_| {}).play();
        stage.assert_same("Binding request", Class::Request);
        stage.assert_same("Binding response", Class::Success);
        stage.assert_data();
        assert_eq!(stage.agent.phase(), Phase::Completed);
    }
}

/// As before, but for the requests, which differ by what the other agent was told to try.
#[test]
fn answers_of_the_other_agent_ice2() {
    for (name, text) in captures![
        "ice2/udp-ufrag5-foundation32",
        "ice2/udp-no-version-legacy-copies"
    ] {
        eprintln!("{name}");
        let capture = Capture::parse(text);
        let version = (!name.contains("no-version")).then_some(2);
        let mut stage = Stage::ice2(&capture, false, |config| {
            config.implementation_version = version;
        })
        .play();
        stage.assert_same("Binding response", Class::Success);
        stage.assert_data();
        assert_eq!(stage.agent.phase(), Phase::Completed);
    }
}

/// In the place of libnice, its answers are ours, to the octet.
#[test]
fn in_the_place_of_libnice_ice2() {
    for (name, text) in captures![
        "ice2/udp-libnice-controlling",
        "ice2/udp-libnice-controlled",
        "ice2/role-conflict-487-by-libnice",
        "ice2/role-conflict-libnice-switches",
        "ice2/udp-ufrag5-foundation32",
        "ice2/udp-no-version-legacy-copies",
        "ice2/udp-altered-crc-accepted",
        "ice2/udp-peer-reflexive",
        "ice2/udp-mapped-address-differs"
    ] {
        eprintln!("{name}");
        let capture = Capture::parse(text);
        let mut stage = Stage::ice2(&capture, true, |config| {
            if config.role == Role::Controlling {
                config.nomination = Nomination::Aggressive;
            }
        })
        .play();
        stage.assert_same("Binding response", Class::Success);
        stage.assert_data();
        assert_eq!(stage.agent.phase(), Phase::Completed);
        if name.ends_with("487-by-libnice") {
            for refusal in stage.sent_of(Class::Error) {
                let message = Message::parse(ocs_stun::Dialect::MsIce2, &refusal).unwrap();
                assert_eq!(message.get::<ErrorCode>().unwrap().unwrap().code, 487);
                assert!(message.integrity().is_some());
            }
            assert_eq!(stage.sent_of(Class::Error).len(), 3);
        }
        if name.ends_with("mapped-address-differs") {
            let selected = stage.agent.selected(Component::Rtp).unwrap();
            assert_eq!(selected.local.kind, CandidateType::PeerReflexive);
            assert_eq!(selected.local.address, "203.0.113.9:55555".parse().unwrap());
            assert_eq!(selected.base, stage.sockets[&Component::Rtp].0);
        }
    }
}

/// Answers with the altered CRC and IMPLEMENTATION-VERSION are no answers, and no media either: libnice never completed, and so do
/// we not in its place.
#[test]
fn altered_crc_with_version_is_refused() {
    let capture = Capture::parse(include_str!(
        "data/captures/ice2/udp-altered-crc-with-version-refused.txt"
    ));
    let mut stage = Stage::ice2(&capture, true, |_| {}).play();
    stage.assert_same("Binding response", Class::Success);
    stage.assert_data();
    assert_eq!(stage.agent.phase(), Phase::Checking);
    assert!(
        stage
            .agent
            .pairs()
            .iter()
            .all(|pair| pair.received && pair.state == PairState::InProgress)
    );
}

#[test]
fn ipv6_answer() {
    let capture = Capture::parse(include_str!("data/captures/ice2/udp-ipv6.txt"));
    let credentials = Credentials::new("q7Fz", "aB3dE5fG7hJ9kL1mN2pQ4rS6").unwrap();
    let config = Config::new(Dialect::Ice2, Role::Controlled);
    let mut agent = Agent::with_credentials(config, Script::new([]), credentials, 1);
    let (local, remote) = (
        "[::1]:1000".parse().unwrap(),
        "[::1]:51209".parse().unwrap(),
    );
    agent
        .add_host(Component::Rtp, Transport::Udp, local)
        .unwrap();
    agent.handle_datagram(Instant::now(), local, remote, capture.lines[0].data.clone());
    let answer = Output::Datagram {
        base: local,
        remote,
        data: capture.lines[1].data.clone(),
    };
    assert_eq!(agent.poll_output(), Some(answer));
    assert_eq!(agent.poll_output(), None);
}

/// What an agent answers to one request.
#[derive(Debug, PartialEq)]
enum Answer {
    /// The octets that libnice sent.
    AsRecorded,
    /// An error, with integrity or without.
    Error(u16, bool),
    Success,
    Nothing,
}

/// Single requests to libnice, which sees some errors otherwise than the specification: see the coverage page.
#[test]
fn probes() {
    const EXPECTED: &[(&str, Answer)] = &[
        ("ok before remote known", Answer::AsRecorded),
        ("no username", Answer::Nothing),
        ("no integrity", Answer::Error(401, false)),
        ("keepalive MI only (OPN form)", Answer::Nothing),
        ("keepalive MI+FP", Answer::Nothing),
        ("binding request no attrs, FP", Answer::Nothing),
        ("binding indication FP", Answer::Nothing),
        ("binding indication MI", Answer::Nothing),
        ("wrong ufrag", Answer::Nothing),
        ("reversed username", Answer::Nothing),
        ("username unpadded 9 bytes", Answer::AsRecorded),
        ("wrong password", Answer::Error(431, false)),
        ("no fingerprint", Answer::Nothing),
        ("no cookie", Answer::Nothing),
        ("unknown mandatory 0x0071", Answer::Error(420, true)),
        ("two unknown mandatory", Answer::Error(420, true)),
        ("unknown optional 0x8056", Answer::AsRecorded),
        ("no priority no role", Answer::AsRecorded),
        ("no version no candidate id", Answer::AsRecorded),
        // Tolerance that libnice does not have.
        (
            "std attr padded rfc (username 9 + 3 outside)",
            Answer::Success,
        ),
        ("raw data", Answer::Nothing),
        ("role conflict", Answer::Error(487, true)),
    ];
    let text = include_str!("data/captures/ice2/probes.txt");
    let capture = Capture::parse(text);
    let config = Config::new(Dialect::Ice2, Role::Controlling);
    let script = Script::new([]);
    let mut agent = Agent::with_credentials(config, script, capture.credentials("N"), u64::MAX);
    let local: SocketAddr = "127.0.0.1:1000".parse().unwrap();
    agent
        .add_host(Component::Rtp, Transport::Udp, local)
        .unwrap();
    let seen = Message::parse(ocs_stun::Dialect::MsIce2, &capture.lines[1].data).unwrap();
    let remote = seen.reflexive_address().unwrap().unwrap();
    let titles = text
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .skip(2);
    let mut lines = capture.lines.iter().peekable();
    let mut count = 0;
    for (title, (expected_title, expected)) in titles.zip(EXPECTED) {
        assert_eq!(title, *expected_title);
        count += 1;
        let request = lines.next().unwrap();
        let recorded = lines.next_if(|line| line.from_n);
        agent.handle_datagram(Instant::now(), local, remote, request.data.clone());
        let sent = core::iter::from_fn(|| agent.poll_output()).last();
        assert_eq!(agent.poll_event(), None, "{title}");
        let answer = match sent {
            Some(Output::Datagram { data, .. }) => {
                let message = Message::parse(ocs_stun::Dialect::MsIce2, &data).unwrap();
                match message.get::<ErrorCode>().unwrap() {
                    Some(error) => Answer::Error(error.code, message.integrity().is_some()),
                    None if recorded.is_some_and(|line| line.data == data) => Answer::AsRecorded,
                    None => Answer::Success,
                }
            }
            _ => Answer::Nothing,
        };
        assert_eq!(answer, *expected, "{title}");
    }
    assert_eq!(count, 22);
}

/// libnice's requests over TCP, octet by octet, on a connection for each of its ports. The answers are those of the capture.
#[test]
fn over_tcp() {
    for (name, text) in captures!["ice2/tcp-libnice-controlling", "ice2/tcp-libnice-active"] {
        eprintln!("{name}");
        let dialect = Dialect::Ice2;
        let capture = Capture::parse(text);
        let mut config = Config::new(dialect, Role::Controlling);
        config.role = if name.ends_with("active") {
            Role::Controlling
        } else {
            Role::Controlled
        };
        let script = Script::new([]);
        let mut agent = Agent::with_credentials(config, script, capture.credentials("P"), u64::MAX);
        let now = Instant::now();
        let mut connections = HashMap::new();
        let mut answered = 0;
        for component in Component::ALL {
            let passive = (
                core::net::Ipv4Addr::LOCALHOST,
                1000 + u16::from(component.number()),
            );
            agent
                .add_host(component, Transport::TcpPassive, passive.into())
                .unwrap();
        }
        for request in capture
            .lines
            .iter()
            .filter(|line| line.comment.contains("request"))
        {
            if !request.from_n {
                continue;
            }
            let bare = Line {
                data: request.data.slice(2..),
                ..request.clone()
            };
            let answer = capture.lines.iter().find(|line| {
                !line.from_n
                    && line.comment.contains("Binding response")
                    && line.data[6..22] == request.data[6..22]
            });
            let answer = answer.unwrap();
            let message = Message::parse(stun(dialect), &answer.data[2..]).unwrap();
            let peer = message.reflexive_address().unwrap().unwrap();
            let component = component_of(&bare, dialect);
            let passive = (
                core::net::Ipv4Addr::LOCALHOST,
                1000 + u16::from(component.number()),
            );
            let id = *connections
                .entry(peer)
                .or_insert_with(|| agent.handle_accepted(now, passive.into(), peer).unwrap());
            for octet in &request.data {
                agent.handle_stream(now, id, Bytes::copy_from_slice(&[*octet]));
            }
            let expected = Output::Stream {
                connection: id,
                data: answer.data.clone(),
            };
            assert_eq!(agent.poll_output(), Some(expected));
            assert_eq!(agent.poll_output(), None);
            answered += 1;
        }
        assert!(answered >= 4, "{answered}");
    }
}
