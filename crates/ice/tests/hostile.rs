//! Peers, and others, that mean no good.

mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use common::{at, config};
use ocs_ice::sdp::ice2;
use ocs_ice::{
    Agent, Candidate, CandidateType, Component, Credentials, Description, Dialect, Event,
    Foundation, Limits, Output, PairState, Phase, Role, Transport, framing,
};
use ocs_stun::attribute::{
    CandidateIdentifier, IceControlling, IceUsername, ImplementationVersion, Priority,
    XorMappedAddress,
};
use ocs_stun::{
    Algorithm, Dialect as Stun, IntegrityKey, Message, MessageBuilder, MessageType, TransactionId,
};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

const OWN: &str = "203.0.113.1:5000";
const PEER: &str = "203.0.113.2:6000";
const OWN_PASSWORD: &str = "aB3dE5fG7hJ9kL1mN2pQ4rS6";
const PEER_PASSWORD: &str = "uR9x0KZ8QpTn3vB6yD2sEfGh";

type Tested = Agent<ChaCha12Rng>;

fn agent(role: Role) -> Tested {
    let credentials = Credentials::new("q7Fz", OWN_PASSWORD).unwrap();
    let rng = ChaCha12Rng::seed_from_u64(1);
    let mut agent = Agent::with_credentials(config(Dialect::Ice2, role), rng, credentials, 7);
    agent
        .add_host(Component::Rtp, Transport::Udp, at(OWN))
        .unwrap();
    agent
        .add_host(Component::Rtp, Transport::TcpPassive, at(OWN))
        .unwrap();
    agent
}

fn candidate(index: u32, address: SocketAddr) -> Candidate {
    Candidate {
        foundation: Foundation::number(index as usize),
        component: Component::Rtp,
        transport: Transport::Udp,
        priority: 2_000_000_000 - index,
        address,
        kind: CandidateType::Host,
        related: None,
    }
}

fn peer(candidates: Vec<Candidate>) -> Description {
    Description::Ice2(ice2::Description {
        credentials: Credentials::new("Wm1K", PEER_PASSWORD).unwrap(),
        candidates,
        remote_candidates: Vec::new(),
    })
}

fn key(password: &str) -> IntegrityKey {
    IntegrityKey::new(Algorithm::Sha1, password.as_bytes())
}

fn id(number: u64) -> TransactionId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&ocs_stun::RFC_COOKIE);
    id[8..].copy_from_slice(&number.to_be_bytes());
    TransactionId(id)
}

/// A check of the peer.
fn request(number: u64, key: &IntegrityKey) -> Bytes {
    let mut out = Vec::new();
    let mut message = MessageBuilder::new(
        Stun::MsIce2,
        MessageType::BINDING_REQUEST,
        id(number),
        &mut out,
    );
    message
        .push(&Priority(1))
        .push(&IceControlling(0))
        .push(&IceUsername {
            receiver: b"q7Fz",
            sender: b"Wm1K",
        })
        .push(&CandidateIdentifier(b"1"))
        .push(&ImplementationVersion(2));
    message.sign(key).unwrap();
    out.into()
}

fn response(id: TransactionId, key: &IntegrityKey) -> Bytes {
    let mut out = Vec::new();
    let mut message =
        MessageBuilder::new(Stun::MsIce2, MessageType::BINDING_RESPONSE, id, &mut out);
    message.push(&XorMappedAddress(at(OWN)));
    message.sign(key).unwrap();
    out.into()
}

fn outputs(agent: &mut Tested) -> Vec<Output> {
    core::iter::from_fn(|| agent.poll_output()).collect()
}

/// The identifier of the first check among outputs.
fn check_id(outputs: &[Output]) -> TransactionId {
    let id = outputs.iter().find_map(|output| match output {
        Output::Datagram { data, .. } => {
            let message = Message::parse(Stun::MsIce2, data).unwrap();
            (message.message_type() == MessageType::BINDING_REQUEST)
                .then(|| message.transaction_id())
        }
        _ => None,
    });
    id.unwrap()
}

fn started(role: Role) -> (Tested, Instant) {
    let (mut agent, now) = (agent(role), Instant::now());
    agent.gather(now).unwrap();
    agent
        .set_remote(now, &peer(vec![candidate(1, at(PEER))]))
        .unwrap();
    (agent, now)
}

#[test]
fn forged_answers_change_nothing() {
    let (mut agent, now) = started(Role::Controlling);
    let genuine = check_id(&outputs(&mut agent));
    let right = key(PEER_PASSWORD);
    let state = |agent: &Tested| agent.pairs()[0].state;
    // Of somebody who does not know the password, or guesses the identifier, or cuts something off.
    agent.handle_datagram(
        now,
        at(OWN),
        at(PEER),
        response(genuine, &key(OWN_PASSWORD)),
    );
    agent.handle_datagram(now, at(OWN), at(PEER), response(id(1), &right));
    let whole = response(genuine, &right);
    for length in 0..whole.len() {
        agent.handle_datagram(now, at(OWN), at(PEER), whole.slice(..length));
        let mut broken = whole.to_vec();
        broken[length] ^= 0x10;
        agent.handle_datagram(now, at(OWN), at(PEER), broken.into());
    }
    assert_eq!(state(&agent), PairState::InProgress);
    // An error from elsewhere.
    let mut error = Vec::new();
    let mut message = MessageBuilder::new(
        Stun::MsIce2,
        MessageType::BINDING_ERROR,
        genuine,
        &mut error,
    );
    message.push_error(420);
    message.finish().unwrap();
    agent.handle_datagram(now, at(OWN), at("198.51.100.66:1"), error.into());
    assert_eq!(state(&agent), PairState::InProgress);
    agent.handle_datagram(now, at(OWN), at(PEER), whole.clone());
    assert_eq!(state(&agent), PairState::Succeeded);
    // Again: the transaction is over.
    agent.handle_datagram(now, at(OWN), at("198.51.100.66:1"), whole);
    assert_eq!(state(&agent), PairState::Succeeded);
}

/// A genuine answer on another path is the end of the pair (RFC 5245 7.1.3.1).
#[test]
fn answers_must_come_back_the_same_way() {
    let (mut agent, now) = started(Role::Controlling);
    let genuine = check_id(&outputs(&mut agent));
    let answer = response(genuine, &key(PEER_PASSWORD));
    agent.handle_datagram(now, at(OWN), at("203.0.113.2:6001"), answer);
    assert_eq!(agent.pairs()[0].state, PairState::Failed);
}

#[test]
fn unreachable_fails_at_once() {
    let (mut agent, now) = started(Role::Controlling);
    agent.handle_unreachable(now, at(OWN), at(PEER));
    assert_eq!(agent.pairs()[0].state, PairState::Failed);
}

/// Before the integrity of a check is seen, it makes no state, and no answer that is larger than it.
#[test]
fn strangers_get_little() {
    let mut agent = agent(Role::Controlled);
    let now = Instant::now();
    agent.gather(now).unwrap();
    let wrong = request(1, &key("somebodyelsesomebodyelse"));
    agent.handle_datagram(now, at(OWN), at(PEER), wrong.clone());
    for output in outputs(&mut agent) {
        let Output::Datagram { data, .. } = output else {
            panic!("{output:?}");
        };
        assert!(data.len() <= wrong.len());
    }
    for length in 0..wrong.len() {
        agent.handle_datagram(now, at(OWN), at(PEER), wrong.slice(..length));
        assert_eq!(agent.poll_output(), None);
    }
    agent
        .set_remote(now, &peer(vec![candidate(1, at(PEER))]))
        .unwrap();
    assert!(!agent.pairs()[0].received);
}

/// A peer with the right password and ten thousand addresses.
#[test]
fn learned_candidates_are_bounded() {
    for early in [false, true] {
        let mut agent = agent(Role::Controlled);
        let now = Instant::now();
        agent.gather(now).unwrap();
        let known = peer(vec![candidate(1, at(PEER))]);
        if !early {
            agent.set_remote(now, &known).unwrap();
        }
        let own = key(OWN_PASSWORD);
        for number in 0..10_000_u16 {
            let source = SocketAddr::from(([198, 51, 100, 1], 1000 + number));
            agent.handle_datagram(now, at(OWN), source, request(number.into(), &own));
        }
        if early {
            agent.set_remote(now, &known).unwrap();
        }
        assert_eq!(agent.pairs().len(), 1 + Limits::default().peer_reflexive);
    }
}

#[test]
fn many_candidates_make_a_hundred_pairs() {
    let mut agent = agent(Role::Controlling);
    let now = Instant::now();
    agent.gather(now).unwrap();
    let many = (0..1_000_000_u32).map(|index| {
        let [_, b, c, d] = index.to_be_bytes();
        candidate(index, SocketAddr::from(([198, b, c, d], 9)))
    });
    agent.set_remote(now, &peer(many.collect())).unwrap();
    assert!(agent.pairs().len() <= 100);
    // And a bounded number of packets in all.
    let mut sent = outputs(&mut agent).len();
    while let Some(timeout) = agent.poll_timeout() {
        agent.handle_timeout(timeout);
        sent += outputs(&mut agent).len();
    }
    assert_eq!(agent.phase(), Phase::Failed);
    assert!(sent <= 100 * 2 * 7, "{sent}");
}

#[test]
fn senseless_addresses_are_not_checked() {
    let mut agent = agent(Role::Controlling);
    let now = Instant::now();
    agent.gather(now).unwrap();
    let senseless = [
        "127.0.0.1:5",
        "0.0.0.0:5",
        "224.0.0.1:5",
        "192.0.2.1:0",
        "[2001:db8::1]:5",
    ];
    let all = senseless
        .iter()
        .zip(0..)
        .map(|(text, index)| candidate(index, at(text)));
    agent.set_remote(now, &peer(all.collect())).unwrap();
    assert_eq!(agent.pairs(), []);
}

/// Connections that show no check: few of them, not for long, and not much in each.
#[test]
fn idle_connections_are_closed() {
    let (mut agent, now) = started(Role::Controlled);
    let mut open = Vec::new();
    for port in 0..1000 {
        let remote = SocketAddr::from(([198, 51, 100, 1], 1000 + port));
        open.extend(agent.handle_accepted(now, at(OWN), remote));
    }
    assert_eq!(open.len(), Limits::default().connections);
    let closed = |agent: &mut Tested| {
        let closed = |output: &Output| matches!(output, Output::Close { .. });
        outputs(agent).into_iter().filter(closed).count()
    };
    // One announces a long packet.
    let long = framing::frame(&vec![0; 60_000]).unwrap();
    agent.handle_stream(now, open[0], long.slice(..1000));
    assert_eq!(closed(&mut agent), 0);
    agent.handle_stream(now, open[0], long.slice(1000..4000));
    assert_eq!(closed(&mut agent), 1);
    // One shows a check, octet by octet.
    for octet in framing::frame(&request(1, &key(OWN_PASSWORD))).unwrap() {
        agent.handle_stream(now, open[1], Bytes::copy_from_slice(&[octet]));
    }
    assert!(agent.pairs().iter().any(|pair| pair.received));
    let end = now + Duration::from_secs(8);
    while let Some(timeout) = agent.poll_timeout().filter(|timeout| *timeout <= end) {
        agent.handle_timeout(timeout);
    }
    assert_eq!(closed(&mut agent), open.len() - 2);
    // Octets of a connection that is closed go nowhere.
    agent.handle_stream(end, open[5], Bytes::from_static(b"x"));
    agent.handle_closed(end, open[5]);
}

/// Media is taken from the peer only, and messages are not media.
#[test]
fn only_the_peer_sends_media() {
    let (mut agent, now) = started(Role::Controlled);
    let data = |agent: &mut Tested| {
        let events = core::iter::from_fn(|| agent.poll_event());
        let data = events.filter(|event| matches!(event, Event::Data { .. }));
        data.count()
    };
    let packet = Bytes::from_static(b"\x80media");
    agent.handle_datagram(now, at(OWN), at(PEER), packet.clone());
    assert_eq!(data(&mut agent), 0);
    agent.handle_datagram(now, at(OWN), at(PEER), request(1, &key(OWN_PASSWORD)));
    agent.handle_datagram(now, at(OWN), at(PEER), packet.clone());
    assert_eq!(data(&mut agent), 1);
    agent.handle_datagram(now, at(OWN), at("198.51.100.1:1"), packet);
    // Whatever has the cookie, right or not.
    let message = request(2, &key(OWN_PASSWORD));
    for length in 8..message.len() {
        agent.handle_datagram(now, at(OWN), at(PEER), message.slice(..length));
    }
    assert_eq!(data(&mut agent), 0);
}

/// An error that asks for another try is obeyed a few times.
#[test]
fn errors_do_not_turn_in_circles() {
    for code in [401, 431, 500, 487] {
        let (mut agent, mut now) = started(Role::Controlling);
        let mut checks = 0;
        for _ in 0..50 {
            let sent = outputs(&mut agent);
            let request = sent.iter().find_map(|output| match output {
                Output::Datagram { data, .. } => Some(data.clone()),
                _ => None,
            });
            if let Some(request) = request {
                checks += 1;
                let request = Message::parse(Stun::MsIce2, &request).unwrap();
                let mut error = Vec::new();
                let id = request.transaction_id();
                let mut message =
                    MessageBuilder::new(Stun::MsIce2, MessageType::BINDING_ERROR, id, &mut error);
                message.push_error(code);
                message.finish().unwrap();
                agent.handle_datagram(now, at(OWN), at(PEER), error.into());
            }
            now += Duration::from_millis(20);
            agent.handle_timeout(now);
        }
        assert_eq!(checks, 1 + u32::from(Limits::default().retries), "{code}");
        assert_eq!(agent.pairs()[0].state, PairState::Failed);
    }
}
