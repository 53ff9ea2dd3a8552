#![no_main]
//! A connected call, and what a network does with its packets: steps of three octets, some with packets of their own from where the peer is.

#[path = "../../crates/media/tests/common/pair.rs"]
mod pair;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ocs_media::Action;
use ocs_rtp::payload::Fragment;
use ocs_rtp::session::Outgoing;
use pair::Pair;

fuzz_target!(|data: &[u8]| {
    let mut pair = Pair::connected(1, Instant::now());
    let mut wire: Vec<(usize, SocketAddr, SocketAddr, Bytes)> = Vec::new();
    let (mut said, mut heard) = ([0_u32; 2], [0_u32; 2]);
    let mut data = data;
    while let Some(([kind, one, other], rest)) = data.split_first_chunk::<3>() {
        data = rest;
        let side = usize::from(kind >> 7);
        let at = usize::from(*one) % wire.len().max(1);
        match kind & 7 {
            0 => {
                let outgoing = Outgoing {
                    timestamp: said[side] * 160,
                    event: *one > 200,
                    ..Outgoing::default()
                };
                let sound = [*other; 160];
                let payload = Fragment::whole(&sound[..usize::from(*one).min(160)], false);
                if pair.sides[side].send(pair.now, &outgoing, &payload).is_ok() {
                    said[side] += 1;
                }
            }
            1 => {
                pair.now += Duration::from_millis(u64::from(*one) * u64::from(*other));
                for side in &mut pair.sides {
                    side.handle_timeout(pair.now);
                }
            }
            2 if !wire.is_empty() => {
                wire.remove(at);
            }
            3 if !wire.is_empty() => {
                let (side, base, from, data) = wire[at].clone();
                let mut spoilt = data.to_vec();
                let octet = usize::from(*other) % spoilt.len();
                spoilt[octet] ^= kind | 1;
                pair.sides[side].handle_datagram(pair.now, base, from, spoilt.into());
            }
            4 => {
                let (packet, rest) = data.split_at(usize::from(*one).min(data.len()));
                data = rest;
                let port = 5000 + u16::from(other & 1);
                let [to, from] = [side, 1 - side]
                    .map(|side| SocketAddr::from(([192, 0, 2, 1 + side as u8], port)));
                let packet = Bytes::copy_from_slice(packet);
                pair.sides[side].handle_datagram(pair.now, to, from, packet);
            }
            5 if !wire.is_empty() => {
                let (side, base, from, data) = wire[at].clone();
                pair.sides[side].handle_datagram(pair.now, base, from, data);
            }
            6 if !wire.is_empty() => {
                let (side, base, from, data) = wire.remove(at);
                pair.sides[side].handle_datagram(pair.now, base, from, data);
            }
            7 => {
                let ssrc = u32::from(*one);
                let now = pair.now;
                let _ = pair.sides[side].control(now, |rtp| rtp.request_key_frame(now, ssrc, 1));
            }
            _ => {}
        }
        for side in 0..2 {
            while let Some(action) = pair.sides[side].poll_action() {
                if let Action::Datagram { base, to, data } = action {
                    wire.push((1 - side, to, base, data));
                }
            }
            while pair.sides[side].poll_event().is_some() {}
            while let Some(packet) = pair.sides[side].poll_packet() {
                assert!(packet.payload().len() <= 160);
                heard[side] += 1;
            }
        }
        assert!(heard[0] <= said[1] && heard[1] <= said[0]);
        wire.truncate(1000);
    }
    for side in 0..2 {
        assert!(pair.sides[side].quality(side == 0).is_some());
        pair.sides[side].close(pair.now);
    }
});
