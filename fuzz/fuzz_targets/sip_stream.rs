//! A stream: the first octet tells how it is split; however that is, the frames are the same and little is held.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ocs_sip_core::Limits;
use ocs_sip_core::framing::{Frame, Framer, FramingError};

fn drain(framer: &mut Framer, frames: &mut Vec<Result<Frame, FramingError>>) {
    while let Some(frame) = framer.poll_frame() {
        frames.push(frame);
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&seed, stream)) = data.split_first() else {
        return;
    };
    let limits = Limits {
        head: 2000,
        body: 1000,
        ..Limits::default()
    };
    let mut whole = Framer::new(limits);
    whole.push_bytes(Bytes::copy_from_slice(stream));
    let mut expected = Vec::new();
    drain(&mut whole, &mut expected);

    let mut framer = Framer::new(limits);
    let mut frames = Vec::new();
    let mut state = u32::from(seed) | 0x100;
    let mut rest = stream;
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let size = (1 + (state >> 24) as usize % 40).min(rest.len());
        let (piece, after) = rest.split_at(size);
        rest = after;
        if state & 0x1_0000 == 0 {
            framer.push(piece);
        } else {
            framer.push_bytes(Bytes::copy_from_slice(piece));
        }
        drain(&mut framer, &mut frames);
        assert!(framer.buffered() <= limits.head + limits.body);
    }
    assert_eq!(frames, expected);
    assert_eq!(framer.is_lost(), whole.is_lost());
    assert_eq!(framer.is_idle(), whole.is_idle());
});
