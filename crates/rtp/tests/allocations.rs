//! Packets cost no memory: neither on their way out nor on their way in. A program of its own: the
//! harness of tests has threads that allocate, too.

use std::alloc::System;
use std::time::{Duration, Instant};

use ocs_rtp::payload::h264::{
    AccessUnit, Config as H264Config, Depacketizer, Limits, Packetizer, PacsiFields,
};
use ocs_rtp::payload::redundant::{self, Packed, RedundantAudio};
use ocs_rtp::payload::rtvideo;
use ocs_rtp::session::{Config, Outgoing, Received};
use ocs_rtp::{Ordered, Reorder, Session};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    packets_cost_no_memory();
}

fn packets_cost_no_memory() {
    let begin = Instant::now();
    let [mut sender, mut receiver] = [1, 2].map(|seed| {
        let rng = ChaCha20Rng::from_seed([seed; 32]);
        Session::new(begin, Config::default(), rng).unwrap()
    });
    let (mut wire, mut payload) = (Vec::with_capacity(1500), Vec::with_capacity(1500));
    let mut reorder = Reorder::new(Duration::from_millis(60), 32);
    let mut audio = redundant::Packetizer::new(1200);
    audio.set_distance(2);
    let mut video = Packetizer::new(H264Config::default(), 0, 0).unwrap();
    let mut pictures = Depacketizer::new(Limits::default());
    let mut frames = rtvideo::Depacketizer::new(1 << 20);
    let (small, slice) = ([0x68; 20], vec![0x65; 5000]);
    let [mut sequence, mut other] = [0_u16; 2];
    let (mut heard, mut seen, mut reports) = (0, 0, 0);

    let mut round = |n: u32| {
        let now = begin + Duration::from_millis(20) * n;
        // Audio with redundancy through two sessions and a buffer.
        let Packed::Redundant(fragment) = audio.packet(114, n * 320, &[7; 60]) else {
            panic!("redundancy is on");
        };
        let outgoing = Outgoing {
            payload_type: 97,
            timestamp: n * 320,
            csrcs: &[5, 6],
            ..Outgoing::default()
        };
        wire.clear();
        sender.send(now, &outgoing, &fragment, &mut wire).unwrap();
        let Ok(Received::Media(packet)) = receiver.handle_datagram(now, &wire, wire.len()) else {
            panic!("dropped");
        };
        let audio = RedundantAudio::parse(packet.payload(), packet.timestamp()).unwrap();
        reorder.push(now, packet.sequence(), audio.primary().timestamp);
        while let Some(Ordered::Packet { .. }) = reorder.pop(now) {
            heard += 1;
        }
        // Reports.
        sender.handle_timeout(now);
        while let Some(octets) = sender.poll_transmit() {
            receiver.handle_rtcp(now, octets, octets.len()).unwrap();
            reports += 1;
        }
        while receiver.poll_event().or(sender.poll_event()).is_some() {}
        // Video in both formats.
        let units: [&[u8]; 2] = [&small, &slice];
        let unit = AccessUnit {
            units: &units,
            fields: PacsiFields::default(),
            layout: &[],
            update: None,
        };
        for fragment in video.packets(&unit).unwrap() {
            payload.clear();
            fragment.write(&mut payload);
            pictures
                .handle_packet(sequence, n, fragment.marker, &payload)
                .unwrap();
            sequence = sequence.wrapping_add(1);
        }
        while let Some(frame) = pictures.poll_frame() {
            assert!(!frame.damaged);
            seen += 1;
        }
        let kind = rtvideo::FrameKind::default();
        for fragment in rtvideo::packets(kind, &[], &slice, 1200).unwrap() {
            payload.clear();
            fragment.write(&mut payload);
            let frame = frames.handle_packet(other, n, &payload).unwrap();
            assert_eq!(frame.is_some(), fragment.marker);
            other = other.wrapping_add(1);
        }
    };
    // Buffers grow once, the last one when the sender is told that it hears nothing.
    (0..2000).for_each(&mut round);
    let region = Region::new(ALLOCATOR);
    (2000..7000).for_each(&mut round);
    let change = region.change();
    assert_eq!(
        (change.allocations, change.reallocations),
        (0, 0),
        "{change:?}"
    );
    assert_eq!((heard, seen), (7000, 7000));
    assert!(reports > 20);
}
