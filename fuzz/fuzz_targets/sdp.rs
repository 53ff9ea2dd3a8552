#![no_main]
//! Descriptions: kept octet by octet, typed lines that are written are read as the same, a session takes them as offer and as answer.

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ocs_sdpext::attribute::SsrcRange;
use ocs_sdpext::body::Body;
use ocs_sdpext::negotiation::{Config, Session, Stage, Stream, StreamKind, Transport, Verdict};
use ocs_sdpext::{Limits, Sdp};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

fn stream(kind: StreamKind) -> Stream {
    let transport = Transport::new(([192, 0, 2, 1], 50_000).into());
    match kind {
        StreamKind::Audio => Stream::audio(transport, SsrcRange::new(1, 1).unwrap()),
        _ => Stream::video(transport, SsrcRange::new(2, 101).unwrap()),
    }
}

fuzz_target!(|data: &[u8]| {
    let octets = Bytes::copy_from_slice(data);
    let limits = Limits::default();
    let _ = Body::parse("multipart/alternative;boundary=b", &octets, &limits);
    let Ok(sdp) = Sdp::parse(octets, &limits) else {
        return;
    };
    assert_eq!(sdp.as_str().as_bytes(), data);
    for line in sdp.lines() {
        if let Ok(typed) = line.typed() {
            let text = typed.to_string();
            let again = Sdp::parse(text.clone().into(), &limits).unwrap();
            assert_eq!(again.lines().next().unwrap().typed().unwrap().to_string(), text);
        }
    }
    for media in sdp.all_media() {
        let _ = (media.ice_lines(true), media.rtp_maps(), media.rtcp_address());
    }
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let mut caller = Session::new(Config::default());
    for kind in [StreamKind::Audio, StreamKind::Video] {
        caller.add(stream(kind)).unwrap();
    }
    caller.offer(&mut rng).unwrap();
    let _ = caller.handle_answer(&sdp, Stage::Final);
    let mut callee = Session::new(Config::default());
    if let Verdict::Open(streams) = callee.handle_offer(sdp) {
        for offered in streams {
            if let Some(kind @ (StreamKind::Audio | StreamKind::Video)) = offered.kind {
                callee.accept(offered.index, stream(kind)).unwrap();
            }
        }
        let _ = callee.answer(&mut rng);
    }
});
