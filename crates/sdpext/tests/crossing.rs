//! Streams that are added while the peer makes an offer that does not know them.

mod common;

use common::{again, answer, audio, call, connected, host, open, refused, rng, video};
use ocs_sdpext::attribute::{Direction, SharingRole};
use ocs_sdpext::negotiation::{
    Config, Refusal, Session, Stage, Stream, StreamKind, Verdict, Violation,
};
use ocs_sdpext::{Error, Sdp};

fn sharing(side: u8) -> Stream {
    Stream::application_sharing(host(side, 50_040), SharingRole::Sharer)
}

fn data(side: u8) -> Stream {
    Stream::data(host(side, 50_060), Direction::SendOnly)
}

fn pending(session: &Session) -> Vec<usize> {
    session.pending().collect()
}

/// The kinds of all `m=` lines; none where the port is 0.
fn kinds(sdp: &Sdp) -> Vec<Option<StreamKind>> {
    sdp.all_media()
        .map(|media| media.line().unwrap())
        .map(|line| StreamKind::of(line.media).filter(|_| !line.is_rejected()))
        .collect()
}

/// Two of a call where the first has added a stream, and an offer of the other on its way.
fn crossing(added: Stream, offered: Option<Stream>) -> (Session, Session, Sdp) {
    let (mut one, mut other) = connected();
    assert_eq!(one.add(added), Ok(1));
    if let Some(stream) = offered {
        other.add(stream).unwrap();
    }
    let offer = other.offer(&mut rng(2)).unwrap();
    (one, other, offer)
}

#[test]
fn an_added_stream_waits_for_the_answer() {
    let (mut one, mut other, offer) = crossing(video(1), None);
    assert_eq!(pending(&one), [1]);
    let streams = open(&mut one, &offer);
    assert_eq!((streams.len(), streams[0].planned), (1, true));
    assert_eq!((one.len(), pending(&one)), (1, vec![]));
    let sdp = answer(&mut one);
    assert_eq!(kinds(&sdp), [Some(StreamKind::Audio)]);
    other.handle_answer(&sdp, Stage::Final).unwrap();
    // It is back, and with the next offer it is agreed on.
    assert_eq!((one.stream(1), pending(&one)), (Some(&video(1)), vec![1]));
    call(&mut one, &mut other, vec![audio(2), video(2)]);
    assert!(one.negotiated(1).is_some() && other.negotiated(1).is_some());
    assert_eq!(pending(&one), []);
}

#[test]
fn added_streams_move_behind_those_of_the_peer() {
    let (mut one, mut other, offer) = crossing(sharing(1), Some(video(2)));
    assert_eq!(one.add(data(1)), Ok(2));
    let streams = open(&mut one, &offer);
    assert_eq!(streams[1].kind, Some(StreamKind::Video));
    assert!(!streams[1].planned, "ours stood at this place");
    one.accept(1, video(1)).unwrap();
    let sdp = answer(&mut one);
    let (audio, video) = (Some(StreamKind::Audio), Some(StreamKind::Video));
    assert_eq!(kinds(&sdp), [audio, video]);
    other.handle_answer(&sdp, Stage::Final).unwrap();
    assert_eq!(pending(&one), [2, 3]);
    assert_eq!(one.stream(2), Some(&sharing(1)));
    assert_eq!(one.stream(3), Some(&data(1)));
    let (offer, _) = again(&mut one, &mut other);
    let added = [StreamKind::ApplicationSharing, StreamKind::Data].map(Some);
    assert_eq!(kinds(&offer), [audio, video, added[0], added[1]]);
    // They were declined, and are no plans any more.
    assert_eq!((pending(&one), one.stream(2)), (vec![], None));
}

#[test]
fn both_add_the_same() {
    // What we accept of the peer is what we wanted to add.
    let (mut one, mut other, offer) = crossing(video(1), Some(video(2)));
    open(&mut one, &offer);
    one.accept(1, video(1)).unwrap();
    let sdp = answer(&mut one);
    other.handle_answer(&sdp, Stage::Final).unwrap();
    assert_eq!((one.len(), pending(&one)), (2, vec![]));
    // What we do not accept leaves a place for ours.
    let (mut one, mut other, offer) = crossing(video(1), Some(video(2)));
    open(&mut one, &offer);
    let sdp = answer(&mut one);
    assert_eq!(kinds(&sdp), [Some(StreamKind::Audio), None]);
    other.handle_answer(&sdp, Stage::Final).unwrap();
    assert_eq!((one.len(), pending(&one)), (2, vec![1]));
    call(&mut one, &mut other, vec![audio(2), video(2)]);
    assert!(one.negotiated(1).is_some());
}

#[test]
fn a_place_used_again_is_not_known_to_the_peer() {
    let (mut one, mut other) = connected();
    one.add(video(1)).unwrap();
    call(&mut one, &mut other, vec![audio(2), video(2)]);
    one.remove(1).unwrap();
    again(&mut one, &mut other);
    assert_eq!(one.add(video(1)), Ok(1));
    // The peer offers nothing there.
    let offer = other.offer(&mut rng(2)).unwrap();
    let streams = open(&mut one, &offer);
    assert!(streams[1].rejected && !streams[1].planned);
    let sdp = answer(&mut one);
    other.handle_answer(&sdp, Stage::Final).unwrap();
    assert_eq!((one.stream(1), pending(&one)), (Some(&video(1)), vec![1]));
    // The peer offers something else there, and gets it.
    let offer = other.offer(&mut rng(2)).unwrap();
    let text = offer.as_str();
    let (head, _) = text.split_once("m=video 0").unwrap();
    let mut third = Session::new(Config::default());
    third.add(sharing(2)).unwrap();
    let added = third.offer(&mut rng(3)).unwrap();
    let (_, section) = added.as_str().split_once("m=applicationsharing").unwrap();
    let offer = common::parse(&format!("{head}m=applicationsharing{section}"));
    open(&mut one, &offer);
    let plan = Stream::application_sharing(host(1, 50_040), SharingRole::Viewer);
    one.accept(1, plan).unwrap();
    let _ = answer(&mut one);
    let kind = one.negotiated(1).unwrap().kind;
    assert_eq!(kind, StreamKind::ApplicationSharing);
    assert_eq!((one.stream(2), pending(&one)), (Some(&video(1)), vec![2]));
}

#[test]
fn offers_that_cross_are_made_one_after_the_other() {
    let (mut one, mut other, theirs) = crossing(video(1), None);
    let before = one.clone();
    one.offer(&mut rng(1)).unwrap();
    assert_eq!(one.handle_offer(theirs), Verdict::Refused(Refusal::GLARE));
    other.abandon();
    // Our offer got 491 as well: the plans of before, and the other one is the first.
    one = before;
    let theirs = other.offer(&mut rng(2)).unwrap();
    open(&mut one, &theirs);
    let sdp = answer(&mut one);
    other.handle_answer(&sdp, Stage::Final).unwrap();
    call(&mut one, &mut other, vec![audio(2), video(2)]);
    assert!(one.negotiated(1).is_some());
}

#[test]
fn an_offer_that_is_refused_moves_nothing() {
    let (mut one, _, offer) = crossing(sharing(1), Some(video(2)));
    for refuse in [Session::abandon, |session: &mut Session| {
        session.remove(0).unwrap();
        assert_eq!(refused(session), Refusal::NO_COMMON_MEDIA);
    }] {
        open(&mut one, &offer);
        refuse(&mut one);
        assert_eq!((one.stream(1), pending(&one)), (Some(&sharing(1)), vec![1]));
    }
    // Plans of the answer that do not fit each other: it is still to be made.
    open(&mut one, &offer);
    let mut plan = video(1);
    plan.ssrc_range = audio(1).ssrc_range;
    one.accept(1, plan).unwrap();
    let violation = Violation::OverlappingSsrcRange;
    let overlap = Error::Violation {
        stream: 1,
        violation,
    };
    assert_eq!(one.answer(&mut rng(1)), Err(overlap));
    one.stream_mut(1).unwrap().ssrc_range = video(1).ssrc_range;
    let _ = answer(&mut one);
    assert_eq!((one.stream(2), pending(&one)), (Some(&sharing(1)), vec![2]));
}

#[test]
fn plans_of_before_the_first_offer_accept_nothing() {
    let mut caller = common::caller(Config::default());
    let offer = caller.offer(&mut rng(1)).unwrap();
    let mut callee = Session::new(Config::default());
    callee.add(audio(2)).unwrap();
    let streams = open(&mut callee, &offer);
    assert!(!streams[0].planned);
    assert_eq!(refused(&mut callee), Refusal::NO_COMMON_MEDIA);
    assert_eq!(pending(&callee), [0]);
}
