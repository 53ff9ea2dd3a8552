//! Both sides change a call at random moments: in the end they agree.

mod common;

use std::time::Duration;

use common::telephones::{Ends, SECOND, Telephones};
use ocs_sdpext::negotiation::StreamKind;
use ocs_testbed::HostId;
use proptest::prelude::*;

/// What somebody does to the call; what its state does not allow is refused.
#[derive(Debug, Clone, Copy)]
enum Order {
    Hold,
    Resume,
    AddVideo,
    /// The last stream, unless it is the only one.
    Remove,
    /// Whether further streams are taken from here on.
    Takes(bool),
}

fn order() -> impl Strategy<Value = Order> {
    prop_oneof![
        Just(Order::Hold),
        Just(Order::Resume),
        Just(Order::AddVideo),
        Just(Order::Remove),
        any::<bool>().prop_map(Order::Takes),
    ]
}

fn carry_out(all: &mut Telephones, ends: Ends, by_caller: bool, order: Order) {
    let (by, line) = if by_caller {
        (ends.alice, ends.line)
    } else {
        (ends.bob, ends.other)
    };
    let streams = all.streams(by, line);
    all.command(by, |phone, talker, now| match order {
        Order::Hold => phone.hold(now, line).unwrap(),
        Order::Resume => phone.resume(now, line).unwrap(),
        Order::AddVideo if streams.len() < 4 => {
            let plan = talker.plan(StreamKind::Video);
            phone.add_stream(now, line, &plan).unwrap();
        }
        Order::Remove if streams.len() > 1 => {
            phone
                .remove_stream(now, streams[streams.len() - 1])
                .unwrap();
        }
        Order::Takes(takes) => talker.takes_streams = Some(takes),
        Order::AddVideo | Order::Remove => {}
    });
}

/// The streams that packets came on in the last second.
fn streams_heard(all: &mut Telephones, phones: [HostId; 2]) -> [usize; 2] {
    let counts = |all: &Telephones| {
        phones.map(|phone| {
            let streams = all.talker(phone).streams.iter();
            let counted = streams.map(|(id, heard)| (*id, heard.from.values().sum::<usize>()));
            counted.collect::<std::collections::BTreeMap<_, _>>()
        })
    };
    let before = counts(all);
    all.run(SECOND);
    let after = counts(all);
    [0, 1].map(|side| {
        let grown = after[side].iter();
        grown
            .filter(|(id, count)| **count > before[side].get(id).copied().unwrap_or(0))
            .count()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn they_agree_in_the_end(
        orders in prop::collection::vec((any::<bool>(), 0_u64..400, order()), 1..12)
    ) {
        let (mut all, ends) = Telephones::in_call();
        for (by_caller, after, order) in orders {
            all.run(Duration::from_millis(after));
            carry_out(&mut all, ends, by_caller, order);
        }
        all.run(40 * SECOND);
        let sides = [(ends.alice, ends.line), (ends.bob, ends.other)];
        let counts = sides.map(|(phone, line)| all.streams(phone, line).len());
        prop_assert_eq!(counts[0], counts[1]);
        // When nobody holds any more, everything flows.
        for (phone, line) in sides {
            all.order(phone, |phone, now| phone.resume(now, line));
            all.run(20 * SECOND);
        }
        let heard = streams_heard(&mut all, [ends.alice, ends.bob]);
        prop_assert_eq!(heard, counts);
        all.order(ends.alice, |phone, now| phone.hang_up(now, ends.line));
        all.run(40 * SECOND);
        for (phone, _) in sides {
            prop_assert_eq!(all.at(phone).phone.lines().count(), 0);
            prop_assert_eq!(all.talker(phone).spoilt(), 0);
        }
    }
}
