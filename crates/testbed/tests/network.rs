//! Datagrams, names, time and determinism.

mod common;

use common::{Pair, Puppet, address, ms};
use ocs_testbed::{Answer, Error, Fate, Input, Link, Outage, Output, Query, SrvRecord, Testbed};

fn burst(pair: &mut Pair, count: u32) {
    for number in 0..count {
        let data = number.to_be_bytes().to_vec();
        pair.alice(|alice| alice.datagram(address(1, 5000), address(2, 5000), data));
        pair.testbed.run_for(ms(1));
    }
}

fn script(seed: u64) -> Testbed {
    let mut pair = Pair::new(seed, true);
    pair.testbed.set_default_link(Link {
        jitter: ms(20),
        loss: 0.1,
        duplicate: 0.1,
        reorder: 0.1,
        bandwidth: Some(1_000_000),
        ..Link::default()
    });
    burst(&mut pair, 200);
    pair.testbed.run_until_idle().unwrap();
    pair.testbed
}

#[test]
fn same_seed_same_records() {
    assert_eq!(script(42).records(), script(42).records());
    assert_ne!(script(42).records(), script(43).records());
    assert_eq!(
        script(42).ladder("x").to_svg(),
        script(42).ladder("x").to_svg()
    );
}

#[test]
fn rates_are_kept() {
    let mut pair = Pair::new(7, false);
    pair.testbed.set_default_link(Link {
        loss: 0.2,
        duplicate: 0.1,
        reorder: 0.1,
        ..Link::default()
    });
    burst(&mut pair, 10_000);
    pair.testbed.run_until_idle().unwrap();
    let count = |fate| {
        pair.testbed
            .messages()
            .filter(|message| message.fate == fate)
            .count()
    };
    assert_eq!(count(Fate::Lost) + count(Fate::Delivered), 10_000);
    assert!(
        (1850..2150).contains(&count(Fate::Lost)),
        "{}",
        count(Fate::Lost)
    );
    assert!(
        (700..900).contains(&count(Fate::Duplicated)),
        "{}",
        count(Fate::Duplicated)
    );
    let datagrams = pair.at_bob().datagrams();
    let late = datagrams
        .windows(2)
        .filter(|pair| pair[1] < pair[0])
        .count();
    assert!((500..1600).contains(&late), "{late}");
}

#[test]
fn jitter_delays_but_does_not_reorder() {
    let mut pair = Pair::new(7, false);
    pair.testbed.set_default_link(Link {
        jitter: ms(100),
        ..Link::default()
    });
    burst(&mut pair, 100);
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.at_bob().datagrams().len(), 100);
    assert!(pair.at_bob().datagrams().is_sorted());
    for message in pair.testbed.messages() {
        assert_eq!(message.fate, Fate::Delivered);
    }
}

#[test]
fn partition_and_heal() {
    let mut pair = Pair::new(1, true);
    pair.alice(|alice| alice.datagram(address(1, 1), address(2, 2), "under way"));
    pair.testbed.partition(pair.alice, pair.bob);
    pair.alice(|alice| alice.datagram(address(1, 1), address(2, 2), "cut"));
    pair.testbed.run_until_idle().unwrap();
    pair.testbed.heal(pair.alice, pair.bob);
    pair.alice(|alice| alice.datagram(address(1, 1), address(2, 2), "healed"));
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(pair.at_alice().datagrams(), ["healed"]);
    let fates: Vec<(&str, Fate)> = pair
        .testbed
        .messages()
        .map(|m| (m.label.as_str(), m.fate))
        .collect();
    assert_eq!(
        fates,
        [
            ("cut", Fate::Lost),
            ("under way", Fate::Lost),
            ("healed", Fate::Delivered),
            ("healed", Fate::Delivered)
        ]
    );
}

#[test]
fn datagrams_need_addresses() {
    let mut pair = Pair::new(1, false);
    pair.alice(|alice| {
        alice.datagram("0.0.0.0:7".parse().unwrap(), address(2, 1), "any");
        alice.datagram(address(1, 7), address(9, 1), "nobody");
        alice.datagram(address(2, 7), address(1, 1), "forged");
    });
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(
        pair.at_bob().inputs,
        [Input::Datagram {
            local: address(2, 1),
            peer: address(1, 7),
            data: "any".into()
        }]
    );
    let ladder = pair.testbed.ladder("").to_string();
    assert!(ladder.contains("nobody to 10.0.0.9:1"), "{ladder}");
    assert!(
        ladder.contains("sends from 10.0.0.2:7, which is not its address"),
        "{ladder}"
    );
}

fn resolve(pair: &mut Pair, id: u64, query: Query) -> Option<Answer> {
    pair.alice(|alice| alice.outputs.push_back(Output::Resolve { id, query }));
    pair.testbed.run_until_idle().unwrap();
    pair.at_alice().inputs.iter().find_map(|input| match input {
        Input::Resolved { id: of, answer } if *of == id => Some(answer.clone()),
        _ => None,
    })
}

#[test]
fn names() {
    let mut pair = Pair::new(1, false);
    let service = "_sipinternaltls._tcp.contoso.com";
    let zone = pair.testbed.zone_mut();
    zone.srv(service, 0, 10, 5061, "sip.contoso.com");
    zone.address("sip.contoso.com", [10, 0, 0, 2])
        .address("sip.contoso.com", [10, 0, 0, 3]);
    zone.address("down.contoso.com", [10, 0, 0, 4])
        .fail("down.contoso.com", Outage::ServerFailure);
    zone.fail("silent.contoso.com", Outage::Silence);
    let record = SrvRecord {
        priority: 0,
        weight: 10,
        port: 5061,
        target: "sip.contoso.com".into(),
    };
    let answer = resolve(
        &mut pair,
        1,
        Query::Srv("_SIPinternaltls._tcp.Contoso.com.".into()),
    );
    assert_eq!(answer, Some(Answer::Srv(vec![record])));
    assert_eq!(pair.testbed.elapsed(), ms(20));
    let two = vec![[10, 0, 0, 2].into(), [10, 0, 0, 3].into()];
    let address = |name: &str| Query::Address(name.into());
    assert_eq!(
        resolve(&mut pair, 2, address("sip.contoso.com")),
        Some(Answer::Addresses(two))
    );
    assert_eq!(
        resolve(&mut pair, 3, address("no.contoso.com")),
        Some(Answer::NoRecords)
    );
    assert_eq!(
        resolve(&mut pair, 4, address("down.contoso.com")),
        Some(Answer::Failed)
    );
    pair.testbed
        .zone_mut()
        .recover("down.contoso.com")
        .remove("sip.contoso.com");
    let one = vec![[10, 0, 0, 4].into()];
    assert_eq!(
        resolve(&mut pair, 5, address("down.contoso.com")),
        Some(Answer::Addresses(one))
    );
    assert_eq!(
        resolve(&mut pair, 6, address("sip.contoso.com")),
        Some(Answer::NoRecords)
    );
    let start = pair.testbed.elapsed();
    assert_eq!(
        resolve(&mut pair, 7, address("silent.contoso.com")),
        Some(Answer::Failed)
    );
    assert_eq!(pair.testbed.elapsed(), start + ms(7000));
}

#[test]
fn name_server_can_be_cut_off() {
    let mut pair = Pair::new(1, false);
    pair.testbed.partition(pair.alice, Testbed::DNS);
    pair.testbed.zone_mut().address("a", [10, 0, 0, 4]);
    let question = Query::Address("a".into());
    pair.alice(|alice| {
        alice.outputs.push_back(Output::Resolve {
            id: 1,
            query: question,
        });
    });
    pair.testbed.run_for(ms(500));
    pair.testbed.heal(pair.alice, Testbed::DNS);
    pair.testbed.run_until_idle().unwrap();
    // The second attempt, one second after the first, is answered.
    assert_eq!(pair.testbed.elapsed(), ms(1020));
    assert!(matches!(
        pair.at_alice().inputs[..],
        [Input::Resolved {
            id: 1,
            answer: Answer::Addresses(_)
        }]
    ));
}

#[test]
fn clock_and_timers() {
    let mut pair = Pair::new(1, false);
    let start = pair.testbed.now();
    pair.testbed.host_mut::<Puppet>(pair.alice).timer = Some(start + ms(5));
    pair.testbed.host_mut::<Puppet>(pair.bob).timer = Some(start + ms(10));
    pair.alice(|alice| alice.datagram(address(1, 1), address(2, 2), "x"));
    assert_eq!(pair.testbed.run_until_quiet(), Ok(2));
    // At one moment, arrivals come before timers.
    assert_eq!(pair.testbed.elapsed(), ms(10));
    assert!(pair.at_bob().fired.is_empty());
    assert_eq!(pair.at_alice().fired, [start + ms(5)]);
    assert!(pair.testbed.step());
    assert_eq!(pair.at_bob().fired, [start + ms(10)]);
    assert!(!pair.testbed.step());
    pair.testbed.run_until(start + ms(50));
    assert_eq!(pair.testbed.elapsed(), ms(50));
    let wall = pair.testbed.wall_clock().at(pair.testbed.now());
    assert_eq!(wall, std::time::SystemTime::UNIX_EPOCH + ms(50));
    // A timer in the past fires at once, without turning the clock back.
    pair.alice(|alice| alice.timer = Some(start));
    assert!(pair.testbed.step());
    assert_eq!(pair.testbed.elapsed(), ms(50));
}

#[test]
fn runs_are_bounded() {
    let mut pair = Pair::new(1, true);
    let alice = pair.alice;
    let heard = |testbed: &Testbed| testbed.host::<Puppet>(alice).inputs.len();
    assert_eq!(
        pair.testbed.run_while(|t| heard(t) == 0, ms(100)),
        Err(Error::Idle)
    );
    pair.alice(|alice| alice.datagram(address(1, 1), address(2, 2), "x"));
    let limit = ms(19);
    assert_eq!(
        pair.testbed.run_while(|t| heard(t) == 0, limit),
        Err(Error::TimeLimit { limit })
    );
    assert_eq!(pair.testbed.elapsed(), limit);
    assert_eq!(pair.testbed.run_while(|t| heard(t) == 0, limit), Ok(()));
    assert_eq!(pair.testbed.elapsed(), ms(20));
    // Two hosts that echo each other never rest.
    pair.alice(|alice| {
        alice.echo = true;
        alice.datagram(address(1, 1), address(2, 2), "x");
    });
    assert!(matches!(
        pair.testbed.run_until_idle(),
        Err(Error::Busy { .. })
    ));
}
