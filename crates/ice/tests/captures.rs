//! Sessions of a real agent, libnice 0.1.21, replayed: with our agent in the place of the one that it talked to, and in
//! its own place. `N` is libnice, `P` the other one.

mod replay;
mod script;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use ocs_ice::sdp::ice;
use ocs_ice::{
    Agent, CandidateType, Component, Config, Credentials, Description, Dialect, Nomination, Output,
    PairState, Phase, Role, Transport,
};
use ocs_stun::attribute::ErrorCode;
use ocs_stun::{Class, Message};
use replay::{Capture, Line, Stage, component_of, stun};
use script::Script;

macro_rules! captures {
    ($($name:literal),*) => { [$(($name, include_str!(concat!("data/captures/", $name, ".txt")))),*] };
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
