//! Whose turn it is: early answers, offers that cross, offers that fail.

mod common;

use common::{answer, audio, caller, connected, old, open, parse, range, refused, rng, video};
use ocs_sdpext::attribute::Direction;
use ocs_sdpext::negotiation::{Answered, Config, Refusal, Session, Stage, Verdict};
use ocs_sdpext::{Error, Sdp};

#[test]
fn early_media_and_forks() {
    let mut one = caller(Config::default());
    let offer = one.offer(&mut rng(1)).unwrap();
    let mut branch = one.clone();
    let answers: Vec<Sdp> = [2, 3]
        .map(|side| {
            let mut callee = Session::new(Config::default());
            open(&mut callee, &offer);
            callee.accept(0, audio(side)).unwrap();
            answer(&mut callee)
        })
        .to_vec();
    assert_eq!(
        one.handle_answer(&answers[0], Stage::Provisional),
        Ok(Answered::New)
    );
    assert_eq!(
        branch.handle_answer(&answers[1], Stage::Provisional),
        Ok(Answered::New)
    );
    assert_eq!(
        branch.negotiated(0).unwrap().remote.ssrc_range,
        Some(range(3000, 1))
    );
    // Media may flow, but the one offer and answer is all before the call is answered.
    assert!(one.negotiated(0).is_some());
    assert!(matches!(
        one.offer(&mut rng(1)),
        Err(Error::WrongState { .. })
    ));
    assert_eq!(one.handle_offer(offer), Verdict::Refused(Refusal::GLARE));
    assert_eq!(
        one.handle_answer(&answers[1], Stage::Final),
        Err(Error::AnswerChanged)
    );
    assert_eq!(
        one.handle_answer(&answers[0], Stage::Provisional),
        Ok(Answered::Repeated)
    );
    assert_eq!(
        one.handle_answer(&answers[0], Stage::Final),
        Ok(Answered::Repeated)
    );
    assert!(one.is_stable());
    assert_eq!(
        one.handle_answer(&answers[0], Stage::Final),
        Ok(Answered::Repeated)
    );
    // Only the version is another.
    let text = answers[0].as_str().replace("o=- 0 0 ", "o=- 0 1 ");
    assert_ne!(text, answers[0].as_str());
    assert_eq!(
        one.handle_answer(&parse(&text), Stage::Final),
        Ok(Answered::Repeated)
    );
    let mut early = branch.clone();
    let text = answers[1].as_str().replace("o=- 0 0 ", "o=- 0 1 ");
    assert_eq!(
        early.handle_answer(&parse(&text), Stage::Final),
        Ok(Answered::Repeated)
    );
    assert!(early.is_stable());
    assert_eq!(early.remote(), Some(&answers[1]), "the first stands");
    assert!(one.handle_answer(&answers[1], Stage::Final).is_err());
    // The 200 without description.
    branch.confirm();
    assert!(branch.is_stable());
}

#[test]
fn offers_that_cross_and_offers_that_fail() {
    let (mut one, mut other) = connected();
    let theirs = other.offer(&mut rng(2)).unwrap();
    one.hold();
    one.add(video(1)).unwrap();
    one.offer(&mut rng(1)).unwrap();
    assert_eq!(
        one.handle_offer(theirs.clone()),
        Verdict::Refused(Refusal::GLARE)
    );
    assert!(one.add(video(1)).is_err() && one.remove(0).is_err() && one.rekey(0).is_err());
    assert!(one.stream_mut(0).is_none());
    let agreed = one.negotiated(0).cloned();
    one.abandon();
    assert!(!one.is_held());
    assert_eq!((one.len(), one.negotiated(0).cloned()), (1, agreed));
    open(&mut one, &theirs);
    assert_eq!(
        one.handle_offer(theirs.clone()),
        Verdict::Refused(Refusal::OFFER_PENDING)
    );
    assert!(one.offer(&mut rng(1)).is_err());
    // Refused by the application: all as before.
    one.abandon();
    assert!(one.is_stable() && one.negotiated(0).is_some());
    assert!(matches!(
        one.answer(&mut rng(1)),
        Err(Error::WrongState { .. })
    ));
    assert!(matches!(
        one.accept(0, audio(1)),
        Err(Error::WrongState { .. })
    ));
    let mut empty = Session::new(Config::default());
    assert_eq!(empty.offer(&mut rng(1)), Err(Error::NoDescription));
}

#[test]
fn in_a_dialog_answers_come_in_final_responses_only() {
    let (mut one, mut other) = connected();
    one.hold();
    let offer = one.offer(&mut rng(1)).unwrap();
    open(&mut other, &offer);
    let answer = answer(&mut other);
    let (agreed, remote) = (one.negotiated(0).cloned(), one.remote().cloned());
    assert_eq!(
        one.handle_answer(&answer, Stage::Provisional),
        Err(Error::WrongState {
            operation: "an early answer in a dialog"
        })
    );
    assert_eq!(one.negotiated(0).cloned(), agreed);
    assert_eq!(one.remote().cloned(), remote);
    // The offer may still fail, or be answered.
    let mut refused = one.clone();
    refused.abandon();
    assert!(refused.is_stable() && !refused.is_held());
    assert_eq!(one.handle_answer(&answer, Stage::Final), Ok(Answered::New));
    assert!(one.is_stable());
    assert_ne!(one.negotiated(0).cloned(), agreed);
}

#[test]
fn a_first_offer_that_fails_is_made_again() {
    let mut one = caller(Config::default());
    one.hold();
    let both = one
        .offer_with_fallback(&mut rng(1), &[old(1, 50_004)])
        .unwrap();
    one.abandon();
    assert!(one.is_stable() && one.is_held() && one.stream(0).is_some());
    // After 415: the one description, with the keys that were said.
    let offer = one.offer(&mut rng(7)).unwrap();
    assert_eq!(offer, both.full);
    let mut other = Session::new(Config::default());
    open(&mut other, &offer);
    other.accept(0, audio(2)).unwrap();
    let sdp = answer(&mut other);
    assert_eq!(one.handle_answer(&sdp, Stage::Final), Ok(Answered::New));
}

#[test]
fn plans_survive_an_offer_that_is_refused() {
    let (mut one, mut other) = connected();
    one.stream_mut(0).unwrap().direction = Direction::RecvOnly;
    one.add(video(1)).unwrap();
    one.hold();
    other.add(video(2)).unwrap();
    let offer = other.offer(&mut rng(2)).unwrap();
    for refuse in [Session::abandon, |session: &mut Session| {
        session.remove(0).unwrap();
        session.remove(1).unwrap();
        assert_eq!(refused(session), Refusal::NO_COMMON_MEDIA);
    }] {
        assert_eq!(one.offered(), None);
        open(&mut one, &offer);
        assert_eq!(one.offered(), Some(&offer));
        refuse(&mut one);
        assert_eq!((one.offered(), one.is_held()), (None, true));
        assert_eq!(one.stream(0).unwrap().direction, Direction::RecvOnly);
        assert_eq!(one.stream(1), Some(&video(1)));
        assert!(one.negotiated(0).is_some());
    }
}
