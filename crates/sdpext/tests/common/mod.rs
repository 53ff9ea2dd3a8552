//! What the tests share.
#![allow(dead_code)] // Each test uses its part.

use ocs_sdpext::attribute::{Keying, MasterKey, SsrcRange};
use ocs_sdpext::negotiation::{
    Answer, Answered, Config, OfferedStream, Refusal, Session, Stage, Stream, Transport, Verdict,
};
use ocs_sdpext::{Limits, Sdp};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

pub(crate) const AUDIO_VIDEO: &str = include_str!("../data/offer-audio-video-srtp-required.sdp");
pub(crate) const OPTIONAL_RELAY: &str = include_str!("../data/offer-audio-srtp-optional-relay.sdp");
pub(crate) const BYPASS: &str = include_str!("../data/offer-audio-bypassid-no-srtp.sdp");
pub(crate) const SHARING_OFFER: &str = include_str!("../data/sharing-offer.sdp");
pub(crate) const SHARING_ANSWER: &str = include_str!("../data/sharing-answer.sdp");
pub(crate) const MULTIPART: &str = include_str!("../data/offer-multipart-icev6-icev19.mime");
pub(crate) const MULTIPART_TYPE: &str =
    "multipart/alternative;boundary=\"d38d183e-6415-438f-8ff5-4ed634919226\"";

pub(crate) fn parse(text: &str) -> Sdp {
    Sdp::parse(text.to_owned().into(), &Limits::default()).unwrap()
}

pub(crate) fn rng(seed: u64) -> ChaCha12Rng {
    ChaCha12Rng::seed_from_u64(seed)
}

pub(crate) fn range(first: u32, size: u32) -> SsrcRange {
    SsrcRange::new(first, first + size - 1).unwrap()
}

/// Lines of ICE of one host candidate.
pub(crate) fn host(side: u8, port: u16) -> Transport {
    let ip = format!("192.0.2.{side}");
    let lines = format!(
        "a=ice-ufrag:aB{side}d{port}\r\na=ice-pwd:0123456789abcdefghijAB{side}D\r\n\
         a=candidate:1 1 UDP 2130706431 {ip} {port} typ host\r\n\
         a=candidate:1 2 UDP 2130705918 {ip} {} typ host\r\n",
        port + 1
    );
    Transport::new(format!("{ip}:{port}").parse().unwrap())
        .with_ice(&lines)
        .unwrap()
}

pub(crate) fn audio(side: u8) -> Stream {
    Stream::audio(host(side, 50_000), range(u32::from(side) * 1000, 1))
}

pub(crate) fn video(side: u8) -> Stream {
    Stream::video(host(side, 50_010), range(u32::from(side) * 1000 + 1, 100))
}

/// A session with audio.
pub(crate) fn caller(config: Config) -> Session {
    let mut session = Session::new(config);
    session.add(audio(1)).unwrap();
    session
}

/// The key in all lines of a description.
pub(crate) fn key_of(sdp: &Sdp) -> MasterKey {
    let line = sdp.media(0).unwrap().crypto().unwrap().remove(0);
    match line.keying {
        Keying::AesCm128HmacSha1_80(key) => key.master,
        other @ Keying::Other { .. } => panic!("{other:?}"),
    }
}

pub(crate) fn open(session: &mut Session, offer: &Sdp) -> Vec<OfferedStream> {
    match session.handle_offer(offer.clone()) {
        Verdict::Open(streams) => streams,
        Verdict::Refused(refusal) => panic!("{refusal:?}"),
    }
}

pub(crate) fn answer(session: &mut Session) -> Sdp {
    match session.answer(&mut rng(2)).unwrap() {
        Answer::Accept(sdp) => sdp,
        Answer::Refuse(refusal) => panic!("{refusal:?}"),
    }
}

pub(crate) fn refused(session: &mut Session) -> Refusal {
    match session.answer(&mut rng(2)).unwrap() {
        Answer::Accept(sdp) => panic!("{sdp}"),
        Answer::Refuse(refusal) => refusal,
    }
}

/// Offers, accepts with these streams, and takes the answer.
pub(crate) fn call(caller: &mut Session, callee: &mut Session, streams: Vec<Stream>) -> (Sdp, Sdp) {
    let offer = caller.offer(&mut rng(1)).unwrap();
    open(callee, &offer);
    for (index, stream) in streams.into_iter().enumerate() {
        callee.accept(index, stream).unwrap();
    }
    let answer = answer(callee);
    assert_eq!(
        caller.handle_answer(&answer, Stage::Final),
        Ok(Answered::New)
    );
    (offer, answer)
}

pub(crate) fn connected() -> (Session, Session) {
    let (mut one, mut other) = (caller(Config::default()), Session::new(Config::default()));
    call(&mut one, &mut other, vec![audio(2)]);
    (one, other)
}

/// A re-offer that the other side answers as it stands.
pub(crate) fn again(one: &mut Session, other: &mut Session) -> (Sdp, Sdp) {
    call(one, other, Vec::new())
}

/// Candidates of \[MS-ICE\].
pub(crate) fn old(side: u8, port: u16) -> Transport {
    let line = format!("a=candidate:dXNlcg 1 cGFzc3dvcmQ UDP 0.830 192.0.2.{side} {port}\r\n");
    host(side, port).with_ice(&line).unwrap()
}
