//! Whatever the network does, both sides come to the same end, and never to two dialogs.

mod common;

use std::time::Duration;

use common::{ALICE, Fate, Net, call, plan, video};
use ocs_call::{Event, State};
use proptest::prelude::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    Ring,
    Early,
    Accept,
    Decline,
    HangUp,
    Hold(bool),
    AddVideo,
    RemoveVideo,
}

fn step() -> impl Strategy<Value = (usize, Step, u64)> {
    let step = prop_oneof![
        2 => Just(Step::Ring),
        2 => Just(Step::Early),
        3 => Just(Step::Accept),
        1 => Just(Step::Decline),
        1 => Just(Step::HangUp),
        3 => any::<bool>().prop_map(Step::Hold),
        2 => Just(Step::AddVideo),
        1 => Just(Step::RemoveVideo),
    ];
    (0_usize..3, step, 0_u64..1500)
}

fn fates(losing: bool) -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        6 => Just(Fate::Deliver),
        2 => Just(Fate::Late),
        1 => Just(if losing { Fate::Twice } else { Fate::Deliver }),
        2 => Just(if losing { Fate::Lose } else { Fate::Late }),
    ];
    proptest::collection::vec(fate, 0..80)
}

fn one_by_one(fates: Vec<Fate>) -> impl FnMut() -> Fate {
    let mut fates = fates.into_iter();
    move || fates.next().unwrap_or(Fate::Deliver)
}

/// What a program does by itself: it takes every stream.
fn take_offers(net: &mut Net, sides: usize) {
    for side in 0..=sides {
        for event in net.events(side) {
            let Event::Offered { streams } = event else {
                continue;
            };
            for offered in streams {
                if !offered.planned && !offered.rejected {
                    let plan = plan(side, &offered).unwrap();
                    // The peer may have cancelled meanwhile.
                    let _ = net.call(side).accept_stream(offered.index, plan);
                }
            }
            let now = net.now();
            let _ = net.call(side).answer(now);
        }
    }
}

fn pass(net: &mut Net, sides: usize, time: Duration) {
    let slice = Duration::from_millis(100);
    let mut left = time;
    while !left.is_zero() {
        let part = left.min(slice);
        net.advance(part);
        take_offers(net, sides);
        left -= part;
    }
}

fn act(net: &mut Net, side: usize, step: Step) {
    if !net.has_call(side) {
        return;
    }
    let now = net.now();
    let call = net.call(side);
    // What the state does not allow is an error, and nothing else.
    let _ = match step {
        Step::Ring => {
            call.ring(now);
            Ok(())
        }
        Step::Early => call.answer_early(now).map(|_| ()),
        Step::Accept => call.accept(now),
        Step::Decline => {
            call.decline(now, 486, None);
            Ok(())
        }
        Step::HangUp => {
            call.hang_up(now, None);
            Ok(())
        }
        // A hold that waits for the answer to a hold of the peer is one that the peer does not see.
        Step::Hold(_) if call.state() != State::Established => Ok(()),
        Step::Hold(hold) => {
            if hold {
                call.hold();
            } else {
                call.resume();
            }
            call.offer()
        }
        Step::AddVideo => call.add_stream(video(side)).and_then(|_| call.offer()),
        Step::RemoveVideo => {
            call.remove_stream(1);
            call.offer()
        }
    };
}

/// Both sides of an established call think the same of it.
fn agree(net: &mut Net, one: usize, other: usize) {
    let view = |net: &mut Net, side: usize| {
        let session = net.call(side).current().unwrap().1.clone();
        assert!(session.is_stable(), "{side}");
        (0..session.len())
            .map(|index| session.negotiated(index).cloned())
            .collect::<Vec<_>>()
    };
    let (ours, theirs) = (view(net, one), view(net, other));
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours.is_some(), theirs.is_some());
        let (Some(ours), Some(theirs)) = (ours, theirs) else {
            continue;
        };
        assert_eq!(ours.direction, theirs.direction.reversed());
        let key = |side: &ocs_sdpext::negotiation::Negotiated| {
            let srtp = side.srtp.clone().unwrap();
            (srtp.local.master, srtp.remote.master)
        };
        let (local, remote) = key(ours);
        assert_eq!((remote, local), key(theirs));
    }
    for (one, other) in [(one, other), (other, one)] {
        let held = net.call(one).is_held();
        assert_eq!(held, net.call(other).peer_holds(), "{one} holds: {held}");
    }
    let ids = |net: &mut Net, side: usize| net.call(side).dialog().unwrap().id().clone();
    let (ours, theirs) = (ids(net, one), ids(net, other));
    assert_eq!(ours.local_tag, theirs.remote_tag);
    assert_eq!(ours.remote_tag, theirs.local_tag);
}

fn check(mut net: Net, sides: usize, steps: Vec<(usize, Step, u64)>) {
    call(&mut net);
    for (side, step, wait) in steps {
        act(&mut net, side % (sides + 1), step);
        pass(&mut net, sides, Duration::from_millis(wait));
    }
    // Until everything that was under way has come to its end.
    pass(&mut net, sides, Duration::from_secs(100));
    let established: Vec<usize> = (1..=sides)
        .filter(|side| net.has_call(*side) && net.state(*side) == State::Established)
        .collect();
    assert!(
        established.len() <= 1,
        "{established:?} in {:?}",
        net.flow()
    );
    let talks = net.state(ALICE) == State::Established;
    assert_eq!(talks, !established.is_empty(), "{:?}", net.flow());
    if let Some(other) = established.first() {
        agree(&mut net, ALICE, *other);
    }
    // Everybody hangs up.
    for side in 0..=sides {
        act(&mut net, side, Step::HangUp);
    }
    pass(&mut net, sides, Duration::from_secs(70));
    for side in 0..=sides {
        if net.has_call(side) {
            assert_eq!(net.state(side), State::Ended, "{side}");
            assert_eq!(net.call(side).poll_timeout(), None);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn over_datagrams_that_are_lost_doubled_and_late(
        fates in fates(true),
        steps in proptest::collection::vec(step(), 0..12),
    ) {
        check(Net::lossy(one_by_one(fates)), 1, steps);
    }

    #[test]
    fn between_three_over_slow_connections(
        fates in fates(false),
        steps in proptest::collection::vec(step(), 0..12),
    ) {
        check(Net::late(2, one_by_one(fates)), 2, steps);
    }
}
