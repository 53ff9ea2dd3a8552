//! What comes from a network that nobody can trust.

#[path = "common/pair.rs"]
mod pair;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_media::{Action, Event, Statistics};
use ocs_rtp::PacketBuilder;
use ocs_rtp::payload::Fragment;
use ocs_rtp::session::{Event as RtpEvent, Outgoing};
use ocs_srtp::{Sender, SenderConfig};
use pair::Pair;
use proptest::prelude::*;

const CALLER: SocketAddr = address(1);
const CALLEE: SocketAddr = address(2);

const fn address(side: u8) -> SocketAddr {
    let ip = std::net::Ipv4Addr::new(192, 0, 2, side);
    SocketAddr::new(std::net::IpAddr::V4(ip), 5000)
}

fn pair() -> Pair {
    Pair::connected(1, Instant::now())
}

fn say(pair: &mut Pair, side: usize, number: u32) {
    let outgoing = Outgoing {
        timestamp: number * 160,
        ..Outgoing::default()
    };
    let sound = number.to_be_bytes();
    pair.sides[side]
        .send(pair.now, &outgoing, &Fragment::whole(&sound, false))
        .unwrap();
}

/// A packet of the caller on its way.
fn packet(pair: &mut Pair, number: u32) -> Bytes {
    say(pair, 0, number);
    match pair.sides[0].poll_action().unwrap() {
        Action::Datagram { data, .. } => data,
        other => panic!("{other:?}"),
    }
}

fn to_callee(pair: &mut Pair, octets: &[u8]) {
    let now = pair.now;
    pair.sides[1].handle_datagram(now, CALLEE, CALLER, Bytes::copy_from_slice(octets));
}

fn heard(pair: &mut Pair) -> Vec<u32> {
    let packets = core::iter::from_fn(|| pair.sides[1].poll_packet());
    let number = |packet: ocs_media::MediaPacket| {
        u32::from_be_bytes(packet.payload()[..].try_into().unwrap())
    };
    packets.map(number).collect()
}

fn statistics(pair: &Pair) -> Statistics {
    *pair.sides[1].statistics()
}

/// A packet of the callee's peer that its own session would not write.
fn forged(pair: &Pair, write: impl FnOnce(&mut Vec<u8>), control: bool) -> Vec<u8> {
    let srtp = pair.sessions[1].negotiated(0).unwrap().srtp.as_ref();
    let mut sender = Sender::new(SenderConfig::default(), &srtp.unwrap().remote);
    let mut packet = Vec::new();
    write(&mut packet);
    let len = packet.len();
    packet.resize(len + 64, 0);
    let len = if control {
        // Indices that the caller has not reached yet.
        for _ in 0..100 {
            let mut earlier = packet.clone();
            sender.protect_rtcp(&mut earlier, len).unwrap();
        }
        sender.protect_rtcp(&mut packet, len).unwrap()
    } else {
        sender.protect_rtp(&mut packet, len).unwrap()
    };
    packet.truncate(len);
    packet
}

#[test]
fn every_bit_of_a_packet_counts() {
    let mut pair = pair();
    let good = packet(&mut pair, 7);
    for bit in 0..good.len() * 8 {
        let mut bad = good.to_vec();
        bad[bit / 8] ^= 1 << (bit % 8);
        to_callee(&mut pair, &bad);
    }
    for len in 0..good.len() {
        to_callee(&mut pair, &good[..len]);
    }
    assert_eq!(heard(&mut pair), []);
    assert_eq!(statistics(&pair).received.packets, 0);
    to_callee(&mut pair, &good);
    assert_eq!(heard(&mut pair), [7]);
}

#[test]
fn a_packet_is_heard_once() {
    let mut pair = pair();
    let packets: Vec<_> = (0..5).map(|number| packet(&mut pair, number)).collect();
    for _ in 0..3 {
        for packet in packets.iter().rev() {
            to_callee(&mut pair, packet);
        }
    }
    assert_eq!(heard(&mut pair), [4, 3, 2, 1, 0]);
    assert_eq!(statistics(&pair).replayed, 10);
}

#[test]
fn nothing_is_taken_from_elsewhere() {
    let mut pair = pair();
    let good = packet(&mut pair, 1);
    let before = statistics(&pair);
    let now = pair.now;
    for from in [address(3), SocketAddr::from(([192, 0, 2, 1], 5002))] {
        pair.sides[1].handle_datagram(now, CALLEE, from, good.clone());
    }
    for base in [address(9), CALLER] {
        pair.sides[1].handle_datagram(now, base, CALLER, good.clone());
    }
    assert_eq!(heard(&mut pair), []);
    assert_eq!(statistics(&pair), before);
}

#[test]
fn nothing_is_taken_in_clear_where_keys_were_agreed_on() {
    let mut pair = pair();
    let ssrc = pair.sides[0].ssrc_range().first();
    let mut clear = Vec::new();
    PacketBuilder::new(0, 1, 2, ssrc)
        .write(&[0; 4], &mut clear)
        .unwrap();
    to_callee(&mut pair, &clear);
    // A report, and a BYE.
    let report = [&[0x80, 201, 0, 1][..], &ssrc.to_be_bytes()].concat();
    let bye = [&report[..], &[0x81, 203, 0, 1], &ssrc.to_be_bytes()].concat();
    to_callee(&mut pair, &report);
    to_callee(&mut pair, &bye);
    assert_eq!(heard(&mut pair), []);
    assert_eq!(statistics(&pair).undecryptable, 3);
    assert_eq!(pair.sides[1].poll_event(), None);
}

#[test]
fn who_does_not_poll_loses_the_oldest() {
    let mut pair = pair();
    for number in 0..1000 {
        let packet = packet(&mut pair, number);
        to_callee(&mut pair, &packet);
    }
    assert_eq!(statistics(&pair).overflowed, 488);
    let heard = heard(&mut pair);
    assert_eq!(heard, (488..1000).collect::<Vec<_>>());
}

#[test]
fn a_flood_of_garbage_leaves_a_call_alone() {
    let mut pair = pair();
    for number in 0..50_000_u32 {
        let mut octets = [0x80; 100];
        octets[..4].copy_from_slice(&(number.wrapping_mul(0x9e37_79b9)).to_be_bytes());
        to_callee(&mut pair, &octets);
    }
    while pair.sides[1].poll_action().is_some() {}
    assert_eq!(pair.sides[1].poll_event(), None);
    let statistics = statistics(&pair);
    assert!(statistics.malformed + statistics.undecryptable > 45_000);
    assert_eq!(statistics.received.packets, 0);
    let good = packet(&mut pair, 3);
    to_callee(&mut pair, &good);
    assert_eq!(heard(&mut pair), [3]);
}

#[test]
fn sources_that_the_peer_did_not_announce() {
    let mut pair = pair();
    let own = pair.sides[1].ssrc_range().first();
    let theirs = pair.sides[0].ssrc_range().first();
    for ssrc in [theirs.wrapping_add(1), own, 0] {
        let octets = forged(
            &pair,
            |out| {
                let builder = PacketBuilder::new(0, 1, 2, ssrc);
                builder.write(&[0; 4], out).unwrap();
            },
            false,
        );
        to_callee(&mut pair, &octets);
    }
    assert_eq!(heard(&mut pair), []);
    assert_eq!(statistics(&pair).dropped, 3);
    let events: Vec<_> = core::iter::from_fn(|| pair.sides[1].poll_event()).collect();
    // Our SSRC is announced and stays ours; that it comes back is told.
    assert_eq!(events, [Event::Rtp(RtpEvent::Loop)]);
    assert_eq!(pair.sides[1].rtp().unwrap().ssrc(), own);
    let good = packet(&mut pair, 5);
    to_callee(&mut pair, &good);
    assert_eq!(heard(&mut pair), [5]);
}

#[test]
fn reports_that_make_no_sense() {
    let mut pair = pair();
    let ssrc = pair.sides[0].ssrc_range().first();
    let before = statistics(&pair).malformed;
    let octets = forged(
        &pair,
        |out| {
            out.extend_from_slice(&[0x9f, 201, 0, 1]);
            out.extend_from_slice(&ssrc.to_be_bytes());
            out.extend_from_slice(&[0x85; 40]);
        },
        true,
    );
    to_callee(&mut pair, &octets);
    assert_eq!(statistics(&pair).malformed, before + 1);
    assert_eq!(statistics(&pair).undecryptable, 0);
}

#[derive(Debug, Clone)]
enum Step {
    Say,
    Wait(u16),
    Deliver(usize),
    Repeat(usize),
    Lose(usize),
    Spoil(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Say),
        1 => (0..3000_u16).prop_map(Step::Wait),
        4 => any::<usize>().prop_map(Step::Deliver),
        1 => any::<usize>().prop_map(Step::Repeat),
        1 => any::<usize>().prop_map(Step::Lose),
        1 => (any::<usize>(), any::<usize>()).prop_map(|(at, bit)| Step::Spoil(at, bit)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a network does: what is heard was said, and each word once.
    #[test]
    fn what_is_heard_was_said_once(steps in proptest::collection::vec(step(), 0..300)) {
        let mut pair = pair();
        let mut wire: Vec<Bytes> = Vec::new();
        let (mut said, mut words) = (0, BTreeSet::new());
        for step in steps {
            match step {
                Step::Say => {
                    say(&mut pair, 0, said);
                    said += 1;
                }
                Step::Wait(milliseconds) => {
                    pair.now += Duration::from_millis(milliseconds.into());
                    for side in &mut pair.sides {
                        side.handle_timeout(pair.now);
                    }
                }
                Step::Deliver(at) if !wire.is_empty() => {
                    let packet = wire.remove(at % wire.len());
                    to_callee(&mut pair, &packet);
                }
                Step::Repeat(at) if !wire.is_empty() => {
                    let packet = wire[at % wire.len()].clone();
                    to_callee(&mut pair, &packet);
                }
                Step::Lose(at) if !wire.is_empty() => {
                    wire.remove(at % wire.len());
                }
                Step::Spoil(at, bit) if !wire.is_empty() => {
                    let mut packet = wire[at % wire.len()].to_vec();
                    let bit = bit % (packet.len() * 8);
                    packet[bit / 8] ^= 1 << (bit % 8);
                    to_callee(&mut pair, &packet);
                }
                _ => {}
            }
            while let Some(action) = pair.sides[0].poll_action() {
                if let Action::Datagram { data, .. } = action {
                    wire.push(data);
                }
            }
            while pair.sides[1].poll_action().is_some() {}
            for word in heard(&mut pair) {
                prop_assert!(word < said);
                prop_assert!(words.insert(word), "{word} twice");
            }
        }
    }
}
