//! SDP: an offer of a client of 2019 (1.8 KB, 51 lines), read and written; sdp-types beside us.
//!
//! sdp-types copies every line into strings and leaves attributes untyped. We keep one text and an index; what is typed is typed when it
//! is asked for, so both ends are measured: the index alone, and every line with its type.
#![allow(missing_docs)] // criterion_group! makes a public function.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use ocs_sdpext::attribute::{Attribute, Label};
use ocs_sdpext::line::Line;
use ocs_sdpext::negotiation::{Answer, Config, Session, Stage, Stream, Transport, Verdict};
use ocs_sdpext::{Limits, Name, Sdp, SdpBuilder};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

const OFFER: &str = include_str!("../../crates/sdpext/tests/data/offer-audio-bypassid-no-srtp.sdp");

fn ours(octets: &[u8]) -> Sdp {
    Sdp::parse(Bytes::copy_from_slice(octets), &Limits::default()).expect("valid")
}

/// Both read the same.
fn check() {
    let sdp = ours(OFFER.as_bytes());
    let peer = sdp_types::Session::parse(OFFER.as_bytes()).expect("valid");
    let (media, peer_media) = (sdp.media(0).expect("audio"), &peer.medias[0]);
    let line = media.line().expect("valid");
    assert_eq!(
        (line.port, line.formats),
        (peer_media.port, &*peer_media.fmt)
    );
    assert_eq!(media.attributes().count(), peer_media.attributes.len());
    for (line, attribute) in media.lines().skip(1).zip(&peer_media.attributes) {
        let value = attribute.value.as_deref().unwrap_or_default();
        assert_eq!(line.value(), value.trim());
    }
    assert_eq!(
        media.attribute(Name::Label),
        Some(Label::MainAudio.as_str())
    );
    let mut written = Vec::new();
    peer.write(&mut written).expect("room");
    assert_eq!(written, OFFER.as_bytes());
    assert_eq!(from_lines(&lines(&sdp)).as_str(), OFFER);
}

fn lines(sdp: &Sdp) -> Vec<Line<'_>> {
    sdp.lines()
        .map(|line| line.typed().expect("valid"))
        .collect()
}

fn from_lines(lines: &[Line<'_>]) -> SdpBuilder {
    let mut builder = SdpBuilder::default();
    for line in lines {
        builder.line(line);
    }
    builder
}

fn parse(c: &mut Criterion) {
    check();
    let mut group = c.benchmark_group("SDP parse");
    let octets = OFFER.as_bytes();
    group.bench_function("ocs-sdpext", |b| b.iter(|| ours(black_box(octets))));
    group.bench_function("ocs-sdpext, every line typed", |b| {
        b.iter(|| {
            let sdp = ours(black_box(octets));
            for line in sdp.lines() {
                black_box(line.typed().expect("valid"));
            }
        });
    });
    group.bench_function("sdp-types", |b| {
        b.iter(|| sdp_types::Session::parse(black_box(octets)).expect("valid"));
    });
    group.finish();
}

fn write(c: &mut Criterion) {
    let mut group = c.benchmark_group("SDP encode");
    let sdp = ours(OFFER.as_bytes());
    let lines = lines(&sdp);
    let peer = sdp_types::Session::parse(OFFER.as_bytes()).expect("valid");
    let mut out = Vec::with_capacity(4096);
    group.bench_function("ocs-sdpext, as it was read", |b| {
        b.iter(|| {
            out.clear();
            out.extend_from_slice(black_box(&sdp).as_str().as_bytes());
            black_box(&out);
        });
    });
    group.bench_function("ocs-sdpext, from typed lines", |b| {
        b.iter(|| black_box(from_lines(black_box(&lines))));
    });
    group.bench_function("sdp-types", |b| {
        b.iter(|| {
            out.clear();
            black_box(&peer).write(&mut out).expect("room");
            black_box(&out);
        });
    });
    group.finish();
}

/// What a server with calls does: an offer and its answer, with keys, both sides.
fn negotiate(c: &mut Criterion) {
    let stream = |side: u8, ssrc| {
        let transport = Transport::new(([192, 0, 2, side], 50_000).into());
        let ssrcs = ocs_sdpext::attribute::SsrcRange::new(ssrc, ssrc).expect("in range");
        Stream::audio(transport, ssrcs)
    };
    c.bench_function("SDP offer and answer of audio, both sides", |b| {
        let mut rng = ChaCha12Rng::seed_from_u64(1);
        b.iter(|| {
            let mut one = Session::new(Config::default());
            one.add(stream(1, 1)).expect("stable");
            let offer = one.offer(&mut rng).expect("a stream");
            let mut other = Session::new(Config::default());
            let Verdict::Open(_) = other.handle_offer(offer) else {
                unreachable!("a good offer");
            };
            other.accept(0, stream(2, 2)).expect("audio");
            let Ok(Answer::Accept(answer)) = other.answer(&mut rng) else {
                unreachable!("the same formats");
            };
            one.handle_answer(&answer, Stage::Final).expect("fits");
            let keys = one.negotiated(0).and_then(|agreed| agreed.srtp.as_ref());
            assert!(black_box(keys).is_some());
        });
    });
    let sdp = ours(OFFER.as_bytes());
    c.bench_function("SDP formats of an offer by name", |b| {
        b.iter(|| {
            let media = black_box(&sdp).media(0).expect("audio");
            let maps = media.attributes().filter(|attribute| {
                matches!(attribute, Ok(Attribute::RtpMap(_) | Attribute::Fmtp(_)))
            });
            assert_eq!(black_box(maps.count()), 22);
        });
    });
}

criterion_group! {
    name = benches;
    config = ocs_benches::criterion();
    targets = parse, write, negotiate
}
criterion_main!(benches);
