//! The computed messages of the specifications' digests, made by agents.

mod script;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_ice::bandwidth::Policy;
use ocs_ice::sdp::{ice, ice2};
use ocs_ice::{
    Agent, Candidate, CandidateType, Component, Config, Credentials, Description, Dialect, Event,
    Foundation, Output, PairState, Password, Role, Transport,
};
use script::Script;
use serde_json::Value;

/// L behind its translator, and R.
const L: &str = "192.168.2.1:50024";
const L_SEEN: &str = "10.107.0.71:53100";
const R: &str = "10.104.0.68:60000";
const TIE: u64 = 0x9E37_79B9_7F4A_7C15;

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn data(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn ice2_checks() -> Value {
    data(include_str!("data/ice2-checks.json"))
}

fn message(vectors: &Value, name: &str) -> Bytes {
    let mut messages = vectors["messages"].as_array().unwrap().iter();
    let found = messages.find(|message| message["name"] == name).unwrap();
    hex::decode(found["hex"].as_str().unwrap()).unwrap().into()
}

fn credentials(side: &str) -> Credentials {
    let vectors = ice2_checks();
    let field = |name: &str| {
        vectors[format!("{name}_{side}")]
            .as_str()
            .unwrap()
            .to_owned()
    };
    Credentials::new(&field("ufrag"), &field("pwd")).unwrap()
}

fn candidate(address: &str, kind: CandidateType, priority: u32) -> Candidate {
    Candidate {
        foundation: Foundation::number(priority as usize),
        component: Component::Rtp,
        transport: Transport::Udp,
        priority,
        address: at(address),
        kind,
        related: None,
    }
}

fn description(side: &str, candidates: Vec<Candidate>) -> Description {
    Description::Ice2(ice2::Description {
        credentials: credentials(side),
        candidates,
        remote_candidates: Vec::new(),
    })
}

fn datagrams<Rand: rand_core::Rng>(agent: &mut Agent<Rand>) -> Vec<Bytes> {
    let outputs = core::iter::from_fn(|| agent.poll_output());
    let data = outputs.filter_map(|output| match output {
        Output::Datagram { data, .. } => Some(data),
        _ => None,
    });
    data.collect()
}

fn side(side: &str, role: Role, address: &str, tie: u64, script: &[u8]) -> Agent<Script> {
    let config = Config::new(Dialect::Ice2, role);
    let script = Script::new(script.to_vec());
    let mut agent = Agent::with_credentials(config, script, credentials(side), tie);
    agent
        .add_host(Component::Rtp, Transport::Udp, at(address))
        .unwrap();
    agent
}

/// The check, its copy for the first products, the answer, and the check that nominates.
#[test]
fn a_whole_exchange_of_ice2() {
    let vectors = ice2_checks();
    let check = message(&vectors, "binding_request_std_crc");
    let nomination = message(&vectors, "binding_request_use_candidate");
    let script = [&check[8..20], &nomination[8..20]].concat();
    let mut left = side("L", Role::Controlling, L, TIE, &script);
    let mut now = Instant::now();
    left.gather(now).unwrap();
    let host = candidate(R, CandidateType::Host, 1);
    left.set_remote(now, &description("R", vec![host])).unwrap();
    let copy = message(&vectors, "binding_request_legacy_crc");
    assert_eq!(datagrams(&mut left), [check.clone(), copy.clone()]);

    let mut right = side("R", Role::Controlled, R, 1, &[]);
    // The copy states a version: it is for others.
    right.handle_datagram(now, at(R), at(L_SEEN), copy);
    assert_eq!(datagrams(&mut right), Vec::<Bytes>::new());
    right.handle_datagram(now, at(R), at(L_SEEN), check);
    let answer = message(&vectors, "binding_response_std_crc");
    assert_eq!(datagrams(&mut right), core::slice::from_ref(&answer));

    left.handle_datagram(
        now,
        at(L),
        at(R),
        message(&vectors, "binding_response_legacy_crc"),
    );
    assert_eq!(left.pairs()[0].state, PairState::InProgress);
    left.handle_datagram(now, at(L), at(R), answer);
    assert_eq!(left.pairs()[0].state, PairState::Succeeded);
    now += Duration::from_millis(20);
    left.handle_timeout(now);
    // The version was seen: no copies any more.
    assert_eq!(datagrams(&mut left), [nomination]);
}

#[test]
fn refusals_of_ice2() {
    let vectors = ice2_checks();
    let check = message(&vectors, "binding_request_std_crc");
    // 487: we control, too, and have the larger tie breaker.
    let mut right = side("R", Role::Controlling, R, u64::MAX, &[]);
    right.handle_datagram(Instant::now(), at(R), at(L_SEEN), check.clone());
    assert_eq!(
        datagrams(&mut right),
        [message(&vectors, "binding_error_487")]
    );
    // 431 and 401: the FINGERPRINT of what was changed has to be right.
    for (name, change) in [("binding_error_431", 72 + 4), ("binding_error_401", 0)] {
        let mut changed = check.to_vec();
        if change == 0 {
            changed.drain(72..96);
            changed[3] -= 24;
        } else {
            changed[change] ^= 1;
        }
        let end = changed.len() - 4;
        let crc = crc32fast::hash(&changed[..end - 4]) ^ 0x5354_554E;
        changed[end..].copy_from_slice(&crc.to_be_bytes());
        let mut right = side("R", Role::Controlled, R, 1, &[]);
        right.handle_datagram(Instant::now(), at(R), at(L_SEEN), changed.into());
        let sent = datagrams(&mut right);
        assert_eq!(hex::encode(&sent[0]), hex::encode(message(&vectors, name)));
    }
}

/// \[MS-ICE2BWM\]: the direct way is denied, the one by the peer's relay is not.
#[test]
fn refusals_by_policy() {
    let vectors = data(include_str!("data/ice2bwm-errors.json"));
    let check = message(&ice2_checks(), "binding_request_std_crc");
    let mut config = Config::new(Dialect::Ice2, Role::Controlled);
    config.bandwidth_management = true;
    let mut right = Agent::with_credentials(config, Script::new([]), credentials("R"), 1);
    right
        .add_host(Component::Rtp, Transport::Udp, at(R))
        .unwrap();
    let now = Instant::now();
    right.gather(now).unwrap();
    let theirs = vec![
        candidate(L_SEEN, CandidateType::ServerReflexive, 1),
        candidate("10.101.0.57:50000", CandidateType::Relayed, 2),
    ];
    right.set_remote(now, &description("L", theirs)).unwrap();
    assert_eq!(
        datagrams(&mut right),
        Vec::<Bytes>::new(),
        "nothing before the policy"
    );
    let policy = Policy {
        local_site: false,
        ..Policy::ALLOWED
    };
    right.handle_policy(now, Some(policy));
    datagrams(&mut right);
    right.handle_datagram(now, at(R), at(L_SEEN), check);
    let refusal = message(&vectors, "binding_error_275_with_integrity");
    assert_eq!(datagrams(&mut right), [refusal]);

    // At the other end: the pair fails for 275, all pairs of the candidate for 274; with integrity or without.
    for (name, failed) in [
        ("binding_error_274", 2),
        ("binding_error_275", 1),
        ("binding_error_275_with_integrity", 1),
    ] {
        let check = message(&ice2_checks(), "binding_request_std_crc");
        let mut left = side("L", Role::Controlling, L, TIE, &check[8..20]);
        left.add_host(Component::Rtp, Transport::Udp, at("192.168.3.1:50024"))
            .unwrap();
        left.gather(now).unwrap();
        let host = candidate(R, CandidateType::Host, 1);
        left.set_remote(now, &description("R", vec![host])).unwrap();
        let base = core::iter::from_fn(|| left.poll_output()).find_map(|output| match output {
            Output::Datagram { base, .. } => Some(base),
            _ => None,
        });
        left.handle_datagram(now, base.unwrap(), at(R), message(&vectors, name));
        let pairs = left.pairs();
        let count = pairs
            .iter()
            .filter(|pair| pair.state == PairState::Failed)
            .count();
        assert_eq!(count, failed, "{name}");
    }
}

/// The check of \[MS-ICE\] and its three forms of answer.
#[test]
fn exchanges_of_ice() {
    let vectors = data(include_str!("data/ice-checks.json"));
    let octets = |name: &str| hex::decode(vectors[name].as_str().unwrap()).unwrap();
    let check = message(&vectors, "binding_request");
    for form in ["xor0020", "xor8020", "mapped_address"] {
        let script = [
            octets("local_id_hex"),
            octets("local_pw_hex"),
            check[4..20].to_vec(),
        ];
        let config = Config::new(Dialect::Ice, Role::Controlling);
        let unused = credentials("L");
        let script = Script::new(script.concat());
        let mut agent = Agent::with_credentials(config, script, unused, 0);
        agent
            .add_host(Component::Rtp, Transport::Udp, at(L))
            .unwrap();
        let now = Instant::now();
        agent.gather(now).unwrap();
        let line = ice::Line {
            id: ice::CandidateId::new(octets("remote_id_hex")),
            component: Component::Rtp,
            password: Password::from(octets("remote_pw_hex")),
            transport: ice::LineTransport::Udp,
            priority: "0.830".parse().unwrap(),
            address: at(R),
        };
        let remote = Description::Ice(ice::Description {
            candidates: vec![line],
            remote_candidate: None,
        });
        agent.set_remote(now, &remote).unwrap();
        assert_eq!(datagrams(&mut agent), core::slice::from_ref(&check));
        let answer = message(&vectors, &format!("binding_response_{form}"));
        agent.handle_datagram(now, at(L), at(R), answer);
        assert_eq!(agent.pairs()[0].state, PairState::Succeeded, "{form}");
        // The peer's own check has not been seen.
        assert!(!core::iter::from_fn(|| agent.poll_event()).any(|e| matches!(e, Event::Usable(_))));
    }
    // And the other side's answer.
    let script = [octets("remote_id_hex"), octets("remote_pw_hex")].concat();
    let config = Config::new(Dialect::Ice, Role::Controlled);
    let mut other = Agent::with_credentials(config, Script::new(script), credentials("R"), 0);
    other
        .add_host(Component::Rtp, Transport::Udp, at(R))
        .unwrap();
    other.handle_datagram(Instant::now(), at(R), at(L_SEEN), check);
    let answer = message(&vectors, "binding_response_xor0020");
    assert_eq!(datagrams(&mut other), [answer]);
}

/// What is cut off is no check, no answer, and before anything was agreed on no media.
#[test]
fn every_truncation_of_every_message_is_ignored() {
    let now = Instant::now();
    let mut right = side("R", Role::Controlled, R, 1, &[]);
    right.gather(now).unwrap();
    assert_eq!(right.poll_event(), Some(Event::Gathered));
    let bandwidth = data(include_str!("data/ice2bwm-errors.json"));
    let older = data(include_str!("data/ice-checks.json"));
    for vectors in [ice2_checks(), bandwidth, older] {
        for vector in vectors["messages"].as_array().unwrap() {
            let whole = Bytes::from(hex::decode(vector["hex"].as_str().unwrap()).unwrap());
            for len in 0..whole.len() {
                right.handle_datagram(now, at(R), at(L_SEEN), whole.slice(..len));
                assert_eq!(right.poll_output(), None, "{}, {len}", vector["name"]);
                assert_eq!(right.poll_event(), None, "{}, {len}", vector["name"]);
            }
        }
    }
}
