//! Each race of a forked request.

use std::time::{Duration, Instant};

use ocs_sip_core::{HeaderName, Message, Method};
use ocs_sipre::Fork;
use ocs_sipre::fork::{Action, BranchId, CancelReason, Config};

const A: BranchId = BranchId(0);
const B: BranchId = BranchId(1);
const C: BranchId = BranchId(2);

#[derive(Debug, PartialEq)]
enum Did {
    Start(BranchId),
    Forward(u16, String),
    Respond(u16),
    Cancel(BranchId, CancelReason),
}

fn drain(fork: &mut Fork) -> Vec<Did> {
    std::iter::from_fn(|| fork.poll_action())
        .map(|action| match action {
            Action::Start(branch) => Did::Start(branch),
            Action::Forward(message) => Did::Forward(
                message.status().unwrap(),
                message.header(HeaderName::To).unwrap_or("").to_owned(),
            ),
            Action::Respond(status) => Did::Respond(status),
            Action::Cancel(branch, reason) => Did::Cancel(branch, reason),
        })
        .collect()
}

fn answer(status: u16, to: &str) -> Message {
    Message::response(status).with(HeaderName::To, to)
}

fn forward(status: u16, to: &str) -> Did {
    Did::Forward(status, to.to_owned())
}

fn invite(now: Instant, preferences: &[u16]) -> Fork {
    let mut fork = Fork::new(now, &Method::Invite, preferences, Config::default());
    let started = drain(&mut fork);
    assert!(started.iter().all(|did| matches!(did, Did::Start(_))));
    fork
}

#[test]
fn the_first_answer_wins_and_the_others_are_cancelled() {
    let now = Instant::now();
    let mut fork = invite(now, &[1000, 1000]);
    assert!(fork.is_branched());
    fork.handle_response(now, A, answer(100, "a"));
    fork.handle_response(now, A, answer(180, "a"));
    fork.handle_response(now, B, answer(180, "b"));
    assert_eq!(drain(&mut fork), [forward(180, "a"), forward(180, "b")]);
    fork.handle_response(now, A, answer(200, "a"));
    let cancel = Did::Cancel(B, CancelReason::CompletedElsewhere);
    assert_eq!(drain(&mut fork), [forward(200, "a"), cancel]);
    assert!(!fork.is_finished());
    fork.handle_response(now, B, answer(487, "b"));
    assert_eq!(drain(&mut fork), []);
    assert!(fork.is_finished() && fork.poll_timeout().is_none());
}

#[test]
fn both_answers_reach_the_caller_when_they_cross() {
    let now = Instant::now();
    let mut fork = invite(now, &[1000, 1000]);
    fork.handle_response(now, B, answer(180, "b"));
    fork.handle_response(now, A, answer(200, "a"));
    fork.handle_response(now, B, answer(200, "b"));
    let cancel = Did::Cancel(B, CancelReason::CompletedElsewhere);
    let expected = [
        forward(180, "b"),
        forward(200, "a"),
        cancel,
        forward(200, "b"),
    ];
    assert_eq!(drain(&mut fork), expected);
    // Repeated 2xx go through until the ACK comes.
    fork.handle_response(now, B, answer(200, "b"));
    assert_eq!(drain(&mut fork), [forward(200, "b")]);
    assert!(fork.is_finished());
}

#[test]
fn cancel_waits_for_a_provisional_answer() {
    let now = Instant::now();
    let mut fork = invite(now, &[1000, 1000]);
    fork.handle_response(now, A, answer(200, "a"));
    assert_eq!(drain(&mut fork), [forward(200, "a")]);
    fork.handle_response(now, B, answer(100, "b"));
    assert_eq!(
        drain(&mut fork),
        [Did::Cancel(B, CancelReason::CompletedElsewhere)]
    );
    // Late ringing is not shown any more, and CANCEL goes once.
    fork.handle_response(now, B, answer(180, "b"));
    assert_eq!(drain(&mut fork), []);
}

#[test]
fn the_best_refusal_is_chosen_when_all_have_refused() {
    for (first, second, best) in [
        (486, 480, 486),
        (480, 486, 486),
        (404, 408, 404),
        (408, 487, 408),
        (503, 486, 486),
        (486, 302, 302),
        (486, 603, 603),
        (500, 503, 500),
        (484, 486, 484),
    ] {
        let now = Instant::now();
        let mut fork = invite(now, &[1000, 1000]);
        fork.handle_response(now, A, answer(first, "x"));
        assert_eq!(drain(&mut fork), []);
        fork.handle_response(now, B, answer(second, "x"));
        assert_eq!(drain(&mut fork), [forward(best, "x")], "{first} {second}");
        assert!(fork.is_finished());
    }
}

#[test]
fn a_decline_for_all_stops_everything() {
    let now = Instant::now();
    let mut fork = invite(now, &[1000, 1000, 500]);
    fork.handle_response(now, B, answer(180, "b"));
    drain(&mut fork);
    fork.handle_response(now, A, answer(603, "a"));
    assert_eq!(
        drain(&mut fork),
        [Did::Cancel(B, CancelReason::Declined(603))]
    );
    fork.handle_response(now, B, answer(487, "b"));
    assert_eq!(drain(&mut fork), [forward(603, "a")]);
    assert!(fork.is_finished());
    assert_eq!(fork.add_branch(now), None);
}

#[test]
fn a_2xx_after_a_decline_still_wins() {
    let now = Instant::now();
    let mut fork = invite(now, &[1000, 1000]);
    fork.handle_response(now, A, answer(603, "a"));
    fork.handle_response(now, B, answer(200, "b"));
    assert_eq!(drain(&mut fork), [forward(200, "b")]);
    assert!(fork.is_finished());
}

#[test]
fn groups_ring_one_after_the_other() {
    let now = Instant::now();
    let mut fork = Fork::new(now, &Method::Invite, &[500, 1000, 500], Config::default());
    assert_eq!(drain(&mut fork), [Did::Start(B)]);
    fork.handle_response(now, B, answer(180, "b"));
    drain(&mut fork);
    let later = now + Duration::from_secs(20);
    assert_eq!(fork.poll_timeout(), Some(later));
    fork.handle_timeout(later);
    assert_eq!(drain(&mut fork), [Did::Cancel(B, CancelReason::NoAnswer)]);
    fork.handle_response(later, B, answer(487, "b"));
    assert_eq!(drain(&mut fork), [Did::Start(A), Did::Start(C)]);
    fork.handle_branch_timeout(later, A);
    fork.handle_unreachable(later, C);
    assert_eq!(drain(&mut fork), [Did::Respond(480)]);
    assert!(fork.is_finished());
}

#[test]
fn an_answer_that_crosses_the_end_of_its_group_counts() {
    let now = Instant::now();
    let mut fork = invite(now, &[1000, 500]);
    fork.handle_response(now, A, answer(180, "a"));
    fork.handle_timeout(now + Duration::from_secs(20));
    drain(&mut fork);
    fork.handle_response(now, A, answer(200, "a"));
    assert_eq!(drain(&mut fork), [forward(200, "a")]);
    assert!(fork.is_finished());
}

#[test]
fn the_caller_gives_up() {
    let now = Instant::now();
    let mut fork = invite(now, &[1000, 1000, 500]);
    fork.handle_response(now, A, answer(180, "a"));
    fork.handle_response(now, B, answer(486, "b"));
    drain(&mut fork);
    fork.cancel(now);
    assert_eq!(drain(&mut fork), [Did::Cancel(A, CancelReason::Caller)]);
    fork.handle_response(now, A, answer(487, "a"));
    // B was busy, but the caller asked for 487.
    assert_eq!(drain(&mut fork), [Did::Respond(487)]);
    assert!(fork.is_finished());
    fork.cancel(now);
    assert_eq!(drain(&mut fork), []);
}

#[test]
fn an_answer_crosses_the_callers_cancel() {
    let now = Instant::now();
    let mut fork = invite(now, &[1000]);
    assert!(!fork.is_branched());
    fork.handle_response(now, A, answer(180, "a"));
    fork.cancel(now);
    fork.handle_response(now, A, answer(200, "a"));
    let cancel = Did::Cancel(A, CancelReason::Caller);
    assert_eq!(
        drain(&mut fork),
        [forward(180, "a"), cancel, forward(200, "a")]
    );
    assert!(fork.is_finished());
}

#[test]
fn a_cancelled_branch_that_stays_silent_is_given_up() {
    let now = Instant::now();
    let mut fork = invite(now, &[1000]);
    fork.handle_response(now, A, answer(180, "a"));
    fork.cancel(now);
    drain(&mut fork);
    let at = fork.poll_timeout().unwrap();
    assert_eq!(at, now + Duration::from_secs(32));
    fork.handle_timeout(at);
    assert_eq!(drain(&mut fork), [Did::Respond(487)]);
    assert!(fork.is_finished());
}

#[test]
fn timer_c_ends_endless_ringing_and_starts_anew_with_each_ringing() {
    let now = Instant::now();
    let mut fork = invite(now, &[1000]);
    let ring = now + Duration::from_secs(100);
    fork.handle_response(ring, A, answer(180, "a"));
    let at = ring + Duration::from_secs(185);
    assert_eq!(fork.poll_timeout(), Some(at));
    fork.handle_timeout(ring + Duration::from_secs(184));
    fork.handle_timeout(at);
    let cancel = Did::Cancel(A, CancelReason::NoAnswer);
    assert_eq!(drain(&mut fork), [forward(180, "a"), cancel]);
    fork.handle_response(at, A, answer(487, "a"));
    assert_eq!(drain(&mut fork), [Did::Respond(480)]);
}

#[test]
fn challenges_of_all_branches_reach_the_caller() {
    let now = Instant::now();
    let mut fork = invite(now, &[1000, 1000]);
    let challenge = |realm: &str| {
        answer(407, realm).with(
            HeaderName::ProxyAuthenticate,
            &format!("NTLM realm=\"{realm}\""),
        )
    };
    fork.handle_response(now, A, challenge("a"));
    fork.handle_response(now, B, challenge("b"));
    let Some(Action::Forward(best)) = fork.poll_action() else {
        panic!()
    };
    let lines: Vec<_> = best.lines(HeaderName::ProxyAuthenticate).collect();
    assert_eq!(lines, ["NTLM realm=\"a\"", "NTLM realm=\"b\""]);
}

#[test]
fn overload_of_a_branch_is_not_overload_of_the_proxy() {
    let now = Instant::now();
    let mut fork = invite(now, &[1000]);
    let busy = answer(503, "a")
        .with(HeaderName::RetryAfter, "5")
        .with_body("text/plain", "x");
    fork.handle_response(now, A, busy);
    let Some(Action::Forward(best)) = fork.poll_action() else {
        panic!()
    };
    assert_eq!(best.status(), Some(500));
    assert_eq!(best.header(HeaderName::RetryAfter), Some("5"));
    assert_eq!(best.body().as_ref(), b"x");
    assert_eq!(best.lines(HeaderName::ContentLength).count(), 1);
}

#[test]
fn other_requests_have_one_answer_and_no_cancel() {
    let now = Instant::now();
    let mut fork = Fork::new(now, &Method::Message, &[1000, 1000], Config::default());
    assert_eq!(drain(&mut fork).len(), 2);
    assert_eq!(fork.poll_timeout(), None);
    fork.cancel(now);
    fork.handle_response(now, A, answer(200, "a"));
    fork.handle_response(now, B, answer(200, "b"));
    fork.handle_response(now, B, answer(200, "b"));
    assert_eq!(drain(&mut fork), [forward(200, "a")]);
    assert!(fork.is_finished());
}

#[test]
fn targets_can_join_while_others_ring_and_none_is_480() {
    let now = Instant::now();
    let mut fork = invite(now, &[1000]);
    assert_eq!(fork.add_branch(now), Some(B));
    assert_eq!(drain(&mut fork), [Did::Start(B)]);
    fork.handle_response(now, BranchId(9), answer(200, "z"));
    fork.handle_response(now, B, answer(200, "b"));
    assert_eq!(drain(&mut fork), [forward(200, "b")]);
    let mut none = Fork::new(now, &Method::Invite, &[], Config::default());
    assert_eq!(drain(&mut none), [Did::Respond(480)]);
    assert!(none.is_finished());
}
