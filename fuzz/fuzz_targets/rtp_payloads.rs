//! Arbitrary octets as payloads of every format. The first octet of the input is the length of the packets that the rest is cut into; the first two octets
//! of each are its sequence number and flags.
#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use ocs_rtp::payload::h264::{
    AccessUnit, Config, Depacketizer, Limits, Packetizer, PacsiFields, Sei, annex_b,
};
use ocs_rtp::payload::{dtmf, redundant::RedundantAudio, rtvideo, x_data};

const MAX_FRAME: usize = 4096;

fuzz_target!(|data: &[u8]| {
    let Some((&len, rest)) = data.split_first() else {
        return;
    };
    let limits = Limits {
        max_frame: MAX_FRAME,
        max_ready: 2,
    };
    let mut h264 = Depacketizer::new(limits);
    let mut rtvideo = rtvideo::Depacketizer::new(MAX_FRAME);
    let mut events = dtmf::Receiver::new();
    let mut stream = x_data::Receiver::new();
    let mut now = Instant::now();
    for packet in rest.chunks(usize::from(len) + 3) {
        let [sequence, flags, payload @ ..] = packet else {
            break;
        };
        let (sequence, timestamp) = (u16::from(*sequence), u32::from(flags >> 1));
        now += Duration::from_millis(u64::from(*flags));
        let _ = h264.handle_packet(sequence, timestamp, flags & 1 != 0, payload);
        while let Some(frame) = h264.poll_frame() {
            assert!(frame.annex_b.len() <= MAX_FRAME);
            send_again(frame.annex_b);
        }
        if let Ok(Some(frame)) = rtvideo.handle_packet(sequence, timestamp, payload) {
            assert!(frame.data.len() <= MAX_FRAME);
        }
        let _ = events.handle_packet(now, timestamp, payload);
        while events.poll_event().is_some() {}
        let _ = stream.handle_packet(sequence, payload);
        let _ = x_data::pdu_len(payload);
        if let Ok(audio) = RedundantAudio::parse(payload, timestamp) {
            let len: usize = audio.redundant(97).map(|block| block.data.len()).sum();
            assert!(len + audio.primary().data.len() < payload.len());
        }
    }
});

/// What came out goes in again, and comes out the same.
fn send_again(stream: &[u8]) {
    let units: Vec<_> = annex_b(stream).collect();
    // A start code in a unit can uncover a message of this profile, which does not come out.
    if units
        .iter()
        .any(|unit| !matches!(Sei::parse(unit), Ok(None)))
    {
        return;
    }
    let config = Config {
        max_payload: 150,
        aggregate: stream.len() % 2 == 0,
    };
    let mut packetizer = Packetizer::new(config, 0, 0).expect("a good configuration");
    let unit = AccessUnit {
        units: &units,
        fields: PacsiFields::default(),
        layout: &[],
        update: None,
    };
    let Ok(fragments) = packetizer.packets(&unit) else {
        return;
    };
    let limits = Limits {
        max_frame: 2 * MAX_FRAME,
        ..Limits::default()
    };
    let mut depacketizer = Depacketizer::new(limits);
    let mut out = Vec::new();
    for (at, fragment) in fragments.enumerate() {
        out.clear();
        fragment.write(&mut out);
        depacketizer
            .handle_packet(at as u16, 0, fragment.marker, &out)
            .expect("our own payload");
    }
    let frame = depacketizer.poll_frame().expect("a frame");
    assert!(annex_b(frame.annex_b).eq(units));
}
