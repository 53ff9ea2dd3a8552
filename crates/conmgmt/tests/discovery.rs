//! Orders of names, fallbacks, policies, limits, and independence from the order of answers.

mod common;

use std::time::{Duration, Instant};

use common::World;
use ocs_conmgmt::{
    Access, Answer, AutodiscoverAnswer, Candidate, DhcpServer, Discovery, DiscoveryConfig, Error,
    FailureReason, NameSet, NamingPolicy, Query, Server, Source, SrvRecord,
};
use ocs_sip_core::Transport;
use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

type Machine = Discovery<ChaCha12Rng>;

fn machine(config: DiscoveryConfig) -> Machine {
    Discovery::new(config, ChaCha12Rng::seed_from_u64(42)).unwrap()
}

fn contoso() -> DiscoveryConfig {
    DiscoveryConfig::new("contoso.com")
}

/// Runs with every candidate failing; `pick` chooses which of the outstanding things happens next.
fn run(
    discovery: &mut Machine,
    world: &World,
    mut pick: impl FnMut(usize) -> usize,
) -> Vec<Candidate> {
    let now = Instant::now();
    discovery.start(now);
    let (mut open, mut candidates, mut trying) = (Vec::new(), Vec::new(), false);
    loop {
        open.extend(std::iter::from_fn(|| discovery.poll_query()));
        if let Some(candidate) = discovery.poll_candidate() {
            candidates.push(candidate);
            trying = true;
        }
        let choices = open.len() + usize::from(trying);
        if choices == 0 {
            assert!(discovery.is_exhausted());
            return candidates;
        }
        let choice = pick(choices) % choices;
        if choice < open.len() {
            let query: Query = open.swap_remove(choice);
            discovery
                .handle_answer(now, &query, world.answer(&query))
                .unwrap();
        } else {
            trying = false;
            discovery.connect_failed(now);
        }
    }
}

fn servers(config: DiscoveryConfig, world: &World) -> Vec<String> {
    run(&mut machine(config), world, |_| 0)
        .iter()
        .map(|candidate| candidate.server().to_string())
        .collect()
}

fn queries(discovery: &mut Machine) -> Vec<Query> {
    std::iter::from_fn(|| discovery.poll_query()).collect()
}

fn srv(name: &str) -> Query {
    Query::Srv(name.into())
}

fn url(url: &str) -> Query {
    Query::Autodiscover(url.into())
}

fn all_names() -> World {
    ["sipinternal", "sip", "sipexternal"]
        .iter()
        .fold(World::default(), |world, label| {
            world.host(&format!("{label}.contoso.com"), &["192.0.2.1"])
        })
        .host("contoso.com", &["192.0.2.2"])
}

#[test]
fn queries_go_out_in_parallel() {
    let mut discovery = machine(DiscoveryConfig {
        autodiscover: true,
        ..DiscoveryConfig::new("Contoso.COM.")
    });
    discovery.start(Instant::now());
    assert_eq!(
        queries(&mut discovery),
        [
            Query::Autodiscover("https://lyncdiscoverinternal.contoso.com/".into()),
            Query::Autodiscover("https://lyncdiscover.contoso.com/".into()),
            srv("_sipinternaltls._tcp.contoso.com"),
            srv("_sip._tls.contoso.com"),
        ]
    );
    let mut discovery = machine(DiscoveryConfig {
        allow_tcp: true,
        names: NameSet::Wide,
        ..contoso()
    });
    discovery.start(Instant::now());
    assert_eq!(
        queries(&mut discovery),
        [
            srv("_sipinternaltls._tcp.contoso.com"),
            srv("_sipinternal._tcp.contoso.com"),
            srv("_sip._tls.contoso.com"),
            srv("_sip._tcp.contoso.com"),
        ]
    );
}

#[test]
fn first_existing_set_only() {
    let world = all_names()
        .srv("_sip._tls.contoso.com", &[(0, 0, 443, "sip.contoso.com")])
        .srv(
            "_sipinternal._tcp.contoso.com",
            &[(0, 0, 5060, "fe01.contoso.com")],
        )
        .host("fe01.contoso.com", &["192.0.2.9"]);
    assert_eq!(servers(contoso(), &world), ["TLS sip.contoso.com:443"]);
    let tcp = DiscoveryConfig {
        allow_tcp: true,
        ..contoso()
    };
    assert_eq!(servers(tcp.clone(), &world), ["TCP fe01.contoso.com:5060"]);
    let phone = DiscoveryConfig {
        names: NameSet::Phone,
        ..tcp
    };
    assert_eq!(servers(phone, &world), ["TLS sip.contoso.com:443"]);
}

#[test]
fn names_without_srv() {
    assert_eq!(
        servers(contoso(), &all_names()),
        [
            "TLS sipinternal.contoso.com:5061",
            "TLS sipinternal.contoso.com:443",
            "TLS sip.contoso.com:5061",
            "TLS sip.contoso.com:443",
            "TLS sipexternal.contoso.com:5061",
            "TLS sipexternal.contoso.com:443",
        ]
    );
    let wide = DiscoveryConfig {
        names: NameSet::Wide,
        allow_tcp: true,
        ..contoso()
    };
    assert_eq!(
        servers(wide, &all_names()),
        [
            "TLS sipinternal.contoso.com:5061",
            "TLS sipinternal.contoso.com:443",
            "TCP sipinternal.contoso.com:5060",
            "TLS sipexternal.contoso.com:443",
            "TLS sipexternal.contoso.com:5061",
            "TLS sip.contoso.com:443",
            "TLS sip.contoso.com:5061",
            "TLS contoso.com:5061",
        ]
    );
}

#[test]
fn service_declared_absent_is_no_set() {
    let world = all_names().srv("_sipinternaltls._tcp.contoso.com", &[(0, 0, 5061, ".")]);
    assert_eq!(servers(contoso(), &world).len(), 6);
    let world = all_names().srv(
        "_sipinternaltls._tcp.contoso.com",
        &[(0, 0, 0, "fe01.contoso.com")],
    );
    assert_eq!(servers(contoso(), &world).len(), 6);
}

#[test]
fn nothing_at_all() {
    let mut discovery = machine(contoso());
    assert!(run(&mut discovery, &World::default(), |_| 0).is_empty());
    assert!(
        discovery
            .failures()
            .iter()
            .all(|failure| failure.reason == FailureReason::Unresolved)
    );
    assert_eq!(discovery.failures().len(), 6);
}

#[test]
fn no_dns_answers_at_all() {
    let start = Instant::now();
    let mut discovery = machine(contoso());
    discovery.start(start);
    assert_eq!(queries(&mut discovery).len(), 2);
    let due = discovery.poll_timeout().unwrap();
    assert_eq!(due, start + Duration::from_secs(5));
    discovery.handle_timeout(due);
    assert_eq!(queries(&mut discovery).len(), 3);
    assert!(!discovery.is_exhausted());
    discovery.handle_timeout(discovery.poll_timeout().unwrap());
    assert!(discovery.is_exhausted());
    assert_eq!(discovery.poll_timeout(), None);
    let late = srv("_sip._tls.contoso.com");
    assert_eq!(
        discovery.handle_answer(due, &late, Answer::none(&late)),
        Ok(()),
        "too late"
    );
}

#[test]
fn a_slow_answer_does_not_hold_up_later_queries() {
    let start = Instant::now();
    let mut discovery = machine(contoso());
    discovery.start(start);
    let internal = srv("_sipinternaltls._tcp.contoso.com");
    let records = vec![SrvRecord {
        priority: 0,
        weight: 0,
        port: 5061,
        target: "fe01.contoso.com".into(),
    }];
    discovery
        .handle_answer(start, &internal, Answer::Srv(records))
        .unwrap();
    let address = Query::Address("fe01.contoso.com".into());
    discovery
        .handle_answer(
            start,
            &address,
            Answer::Address(vec!["192.0.2.1".parse().unwrap()]),
        )
        .unwrap();
    assert!(
        discovery.poll_candidate().is_some(),
        "_sip._tls is not waited for"
    );
}

#[test]
fn wrong_answers() {
    let now = Instant::now();
    let mut discovery = machine(contoso());
    let query = srv("_sip._tls.contoso.com");
    assert_eq!(
        discovery.handle_answer(now, &query, Answer::none(&query)),
        Err(Error::UnexpectedAnswer)
    );
    discovery.start(now);
    assert_eq!(
        discovery.handle_answer(now, &query, Answer::Address(vec![])),
        Err(Error::MismatchedAnswer)
    );
    let other = srv("_sip._tls.fabrikam.com");
    assert_eq!(
        discovery.handle_answer(now, &other, Answer::none(&other)),
        Err(Error::UnexpectedAnswer)
    );
}

#[test]
fn manual_overrides_all() {
    let manual = |host: &str| DiscoveryConfig {
        manual: Some(Server {
            transport: Transport::Tls,
            host: host.into(),
            port: 443,
        }),
        autodiscover: true,
        ..contoso()
    };
    let world = all_names().host("ocs.fabrikam.com", &["198.51.100.7"]);
    let candidates = run(&mut machine(manual("OCS.fabrikam.com")), &world, |_| 0);
    assert_eq!(candidates.len(), 1);
    assert_eq!(candidates[0].source, Source::Manual);
    assert!(!candidates[0].in_domain);

    let mut discovery = machine(manual("[2001:db8::5]"));
    discovery.start(Instant::now());
    assert_eq!(discovery.poll_query(), None);
    assert_eq!(discovery.poll_candidate().unwrap().host, "2001:db8::5");

    let build = |config| Discovery::new(config, ChaCha12Rng::seed_from_u64(0)).map(|_| ());
    assert_eq!(
        build(manual("a b")),
        Err(Error::InvalidHost { field: "manual" })
    );
    assert_eq!(
        build(DiscoveryConfig::new("")),
        Err(Error::InvalidHost { field: "domain" })
    );
    assert_eq!(
        build(DiscoveryConfig::new("a".repeat(1000))),
        Err(Error::InvalidHost { field: "domain" })
    );
    let mut zero = manual("a.example");
    zero.manual.as_mut().unwrap().port = 0;
    assert_eq!(build(zero), Err(Error::InvalidPort { field: "manual" }));
}

#[test]
fn autodiscover_comes_first_and_dns_remains() {
    let config = DiscoveryConfig {
        autodiscover: true,
        ..contoso()
    };
    let answer = AutodiscoverAnswer {
        access_location: None,
        internal: Some(("pool01.ad.fabrikam.local".into(), 5061)),
        external: Some(("edge.contoso.com".into(), 443)),
        authenticated: true,
    };
    let world = World::default()
        .host("pool01.ad.fabrikam.local", &["10.0.0.1"])
        .host("edge.contoso.com", &["192.0.2.1"])
        .host("sip.contoso.com", &["192.0.2.1"])
        .srv("_sip._tls.contoso.com", &[(0, 0, 443, "sip.contoso.com")]);
    let (inside, outside) = (
        "https://lyncdiscoverinternal.contoso.com/",
        "https://lyncdiscover.contoso.com/",
    );
    let internal = "TLS pool01.ad.fabrikam.local:5061";
    let external = "TLS edge.contoso.com:443";
    let dns = "TLS sip.contoso.com:443";

    let found = world
        .clone()
        .with(url(inside), Answer::Autodiscover(answer.clone()));
    assert_eq!(servers(config.clone(), &found), [internal, external, dns]);
    let found = world
        .clone()
        .with(url(outside), Answer::Autodiscover(answer.clone()));
    assert_eq!(servers(config.clone(), &found), [external, internal, dns]);
    let located = AutodiscoverAnswer {
        access_location: Some(Access::Internal),
        ..answer.clone()
    };
    let found = world
        .clone()
        .with(url(outside), Answer::Autodiscover(located));
    assert_eq!(servers(config.clone(), &found), [internal, external, dns]);
    let plain = AutodiscoverAnswer {
        authenticated: false,
        ..answer
    };
    let found = world.clone().with(url(inside), Answer::Autodiscover(plain));
    assert_eq!(
        servers(config.clone(), &found),
        [external, dns],
        "strict naming"
    );
    assert_eq!(servers(config, &world), [dns]);
}

#[test]
fn dhcp_after_srv_before_names() {
    let config = DiscoveryConfig {
        dhcp: vec![
            DhcpServer::Address("192.0.2.77".parse().unwrap()),
            DhcpServer::Name("evil.example".into()),
            DhcpServer::Name("pool01.contoso.com".into()),
        ],
        ..contoso()
    };
    let world = all_names().host("pool01.contoso.com", &["192.0.2.8"]);
    let strict = servers(config.clone(), &world);
    assert_eq!(
        strict[..2],
        [
            "TLS pool01.contoso.com:5061",
            "TLS sipinternal.contoso.com:5061"
        ]
    );
    let any = DiscoveryConfig {
        naming: NamingPolicy::Any,
        ..config.clone()
    };
    assert_eq!(servers(any, &world)[0], "TLS 192.0.2.77:5061");
    let world = world.srv("_sip._tls.contoso.com", &[(0, 0, 443, "sip.contoso.com")]);
    assert_eq!(servers(config, &world), ["TLS sip.contoso.com:443"]);
}

#[test]
fn strict_naming() {
    let world = all_names()
        .srv(
            "_sip._tls.contoso.com",
            &[
                (0, 0, 443, "sipdir.online.example"),
                (1, 0, 443, "evilcontoso.com"),
                (2, 0, 443, "sip.contoso.com"),
            ],
        )
        .host("sipdir.online.example", &["198.51.100.1"])
        .host("evilcontoso.com", &["198.51.100.2"]);
    let mut discovery = machine(contoso());
    let candidates = run(&mut discovery, &world, |_| 0);
    assert_eq!(candidates.len(), 1);
    assert!(candidates[0].in_domain);
    let refused = discovery
        .failures()
        .iter()
        .filter(|failure| failure.reason == FailureReason::NameRefused);
    assert_eq!(refused.count(), 2);

    let any = DiscoveryConfig {
        naming: NamingPolicy::Any,
        ..contoso()
    };
    let candidates = run(&mut machine(any), &world, |_| 0);
    assert_eq!(
        candidates
            .iter()
            .map(|candidate| candidate.in_domain)
            .collect::<Vec<_>>(),
        [false, false, true]
    );
}

#[test]
fn useless_addresses_are_dropped() {
    let world = World::default().host(
        "sip.contoso.com",
        &["0.0.0.0", "224.0.0.1", "::", "192.0.2.4"],
    );
    let candidates = run(&mut machine(contoso()), &world, |_| 0);
    assert_eq!(
        candidates[0].addresses,
        ["192.0.2.4".parse::<std::net::IpAddr>().unwrap()]
    );
}

#[test]
fn last_good_comes_first() {
    let now = Instant::now();
    let world = World::default()
        .srv(
            "_sip._tls.contoso.com",
            &[(0, 0, 443, "a.contoso.com"), (1, 0, 443, "b.contoso.com")],
        )
        .host("a.contoso.com", &["192.0.2.1"])
        .host("b.contoso.com", &["192.0.2.2"]);
    let mut discovery = machine(contoso());
    discovery.start(now);
    let answer_all = |discovery: &mut Machine| {
        while let Some(query) = discovery.poll_query() {
            discovery
                .handle_answer(now, &query, world.answer(&query))
                .unwrap();
        }
    };
    answer_all(&mut discovery);
    assert_eq!(discovery.poll_candidate().unwrap().host, "a.contoso.com");
    assert_eq!(discovery.poll_candidate(), None, "one at a time");
    discovery.certificate_mismatch(now);
    assert_eq!(discovery.poll_candidate().unwrap().host, "b.contoso.com");
    discovery.connected();
    assert_eq!(discovery.last_good().unwrap().host, "b.contoso.com");

    let again = run(&mut discovery, &world, |_| 0);
    let hosts: Vec<_> = again
        .iter()
        .map(|candidate| candidate.host.as_str())
        .collect();
    assert_eq!(hosts, ["b.contoso.com", "a.contoso.com"], "and not twice");
    assert_eq!(again[0].source, Source::LastGood);
}

#[test]
fn a_flood_of_records_is_cut() {
    let now = Instant::now();
    let records: Vec<_> = (0..100_000_u32)
        .map(|at| SrvRecord {
            priority: (at % 1000) as u16,
            weight: (at % 7) as u16,
            port: 5061,
            target: format!("host{at}.contoso.com"),
        })
        .collect();
    let addresses = vec!["192.0.2.1".parse().unwrap(); 100_000];
    let mut discovery = machine(contoso());
    discovery.start(now);
    let asked = queries(&mut discovery);
    discovery
        .handle_answer(now, &asked[0], Answer::Srv(records))
        .unwrap();
    let asked = queries(&mut discovery);
    assert_eq!(asked.len(), 32);
    let mut tried = 0;
    for query in asked {
        discovery
            .handle_answer(now, &query, Answer::Address(addresses.clone()))
            .unwrap();
        if let Some(candidate) = discovery.poll_candidate() {
            assert_eq!(candidate.addresses.len(), 16);
        }
        while discovery.poll_candidate().is_some() {}
        discovery.connect_failed(now);
        tried += 1;
    }
    assert_eq!(tried, 32);
}

fn rich_world() -> World {
    World::default()
        .srv(
            "_sipinternaltls._tcp.contoso.com",
            &[
                (0, 0, 5061, "outside.example"),
                (5, 0, 5061, "nowhere.contoso.com"),
            ],
        )
        .srv(
            "_sip._tls.contoso.com",
            &[
                (1, 10, 443, "a.contoso.com"),
                (1, 30, 443, "b.contoso.com"),
                (1, 0, 443, "c.contoso.com"),
                (0, 0, 5061, "d.contoso.com"),
                (2, 1, 443, "a.contoso.com"),
            ],
        )
        .srv("_sip._tcp.contoso.com", &[(0, 0, 5060, "a.contoso.com")])
        .host("a.contoso.com", &["192.0.2.1", "2001:db8::1"])
        .host("b.contoso.com", &["192.0.2.2"])
        .host("c.contoso.com", &["192.0.2.3"])
        .host("d.contoso.com", &["192.0.2.4"])
        .host("sip.contoso.com", &["192.0.2.5"])
        .with(
            url("https://lyncdiscover.contoso.com/"),
            Answer::Autodiscover(AutodiscoverAnswer {
                external: Some(("b.contoso.com".into(), 443)),
                authenticated: true,
                ..AutodiscoverAnswer::default()
            }),
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_order_of_answers_gives_the_same_candidates(picks in prop::collection::vec(any::<usize>(), 64)) {
        for names in [NameSet::Product, NameSet::Phone, NameSet::Wide] {
            let config = DiscoveryConfig {
                names,
                autodiscover: true,
                allow_tcp: true,
                dhcp: vec![DhcpServer::Name("c.contoso.com".into())],
                ..contoso()
            };
            let expected = run(&mut machine(config.clone()), &rich_world(), |_| 0);
            prop_assert!(!expected.is_empty());
            let mut picks = picks.iter().cycle();
            let got = run(&mut machine(config), &rich_world(), |_| *picks.next().unwrap());
            prop_assert_eq!(got, expected);
        }
    }

    #[test]
    fn any_records(records in prop::collection::vec((any::<u16>(), any::<u16>(), any::<u16>(), "\\PC{0,20}"), 0..50)) {
        let records: Vec<_> = records.iter().map(|(a, b, c, d)| (*a, *b, *c, d.as_str())).collect();
        let config = DiscoveryConfig { naming: NamingPolicy::Any, ..contoso() };
        let world = World::default().srv("_sip._tls.contoso.com", &records);
        run(&mut machine(config), &world, |_| 0);
    }
}
