//! The composed machine: addresses, certificates, redirects, back-off, giving up.

mod common;

use std::time::{Duration, Instant};

use common::World;
use ocs_conmgmt::{
    AttemptId, CertificateNames, Connection, Connector, ConnectorConfig, DiscoveryConfig, Error,
    Event, FailureReason, NameSet, Output, Peer, Source,
};
use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

struct Bench {
    connector: Connector<ChaCha12Rng>,
    world: World,
    now: Instant,
    closed: Vec<AttemptId>,
}

impl Bench {
    fn new(config: ConnectorConfig) -> Self {
        let world = World::default()
            .srv(
                "_sip._tls.contoso.com",
                &[(0, 0, 443, "a.contoso.com"), (1, 0, 443, "b.contoso.com")],
            )
            .host("a.contoso.com", &["192.0.2.1", "192.0.2.2"])
            .host("b.contoso.com", &["192.0.2.3"])
            .host("home.contoso.com", &["192.0.2.4"]);
        let mut bench = Self {
            connector: Connector::new(config, ChaCha12Rng::seed_from_u64(3)).unwrap(),
            world,
            now: Instant::now(),
            closed: Vec::new(),
        };
        bench.connector.start(bench.now);
        bench
    }

    fn contoso() -> Self {
        Self::new(config())
    }

    /// Resolves until a connection is asked for.
    fn connect(&mut self) -> Option<(AttemptId, String)> {
        let mut connect = None;
        while let Some(output) = self.connector.poll_output() {
            match output {
                Output::Resolve(query) => {
                    let answer = self.world.answer(&query);
                    self.connector
                        .handle_answer(self.now, &query, answer)
                        .unwrap();
                }
                Output::Connect {
                    attempt,
                    address,
                    port,
                    ..
                } => {
                    assert!(connect.is_none(), "one attempt at a time");
                    connect = Some((attempt, format!("{address}:{port}")));
                }
                Output::Close { attempt } => self.closed.push(attempt),
            }
        }
        connect
    }

    fn address(&mut self) -> (AttemptId, String) {
        self.connect().expect("a connection is asked for")
    }

    fn ready(&mut self) -> Connection {
        let (attempt, _) = self.address();
        self.connector
            .handle_connected(self.now, attempt, Peer::Verified)
            .unwrap();
        match self.connector.poll_event() {
            Some(Event::Ready(connection)) => connection,
            other => panic!("{other:?}"),
        }
    }

    fn registered(&mut self) -> Connection {
        let connection = self.ready();
        self.connector.handle_registered(connection.attempt);
        connection
    }

    fn sleep(&mut self) -> Duration {
        let until = self.connector.poll_timeout().expect("a timer");
        let slept = until.saturating_duration_since(self.now);
        self.now = self.now.max(until);
        self.connector.handle_timeout(self.now);
        slept
    }
}

fn config() -> ConnectorConfig {
    ConnectorConfig::new(DiscoveryConfig::new("contoso.com"))
}

fn certificate(name: &str) -> CertificateNames {
    CertificateNames {
        dns_names: vec![name.into()],
        ..CertificateNames::default()
    }
}

#[test]
fn addresses_then_servers_then_gives_up() {
    let mut bench = Bench::contoso();
    for expected in ["192.0.2.1:443", "192.0.2.2:443", "192.0.2.3:443"] {
        let (attempt, address) = bench.address();
        assert_eq!(address, expected);
        bench.connector.handle_connect_failed(bench.now, attempt);
    }
    assert_eq!(bench.connect(), None);
    let Some(Event::GaveUp { failures }) = bench.connector.poll_event() else {
        panic!();
    };
    assert_eq!(failures.len(), 2);
    assert_eq!(failures[0].server.host, "a.contoso.com");
    assert!(bench.closed.is_empty());
    bench.connector.start(bench.now);
    assert_eq!(bench.address().1, "192.0.2.1:443");
}

#[test]
fn certificate_for_another_name_goes_on_to_the_next_server() {
    let mut bench = Bench::contoso();
    let (first, _) = bench.address();
    let names = certificate("b.contoso.com");
    bench
        .connector
        .handle_connected(bench.now, first, Peer::Names(&names))
        .unwrap();
    let (second, address) = bench.address();
    assert_eq!(bench.closed, [first]);
    assert_eq!(
        address, "192.0.2.3:443",
        "not another address of the same name"
    );
    assert_eq!(
        bench.connector.failures()[0].reason,
        FailureReason::CertificateMismatch
    );
    bench
        .connector
        .handle_connected(bench.now, first, Peer::Verified)
        .unwrap();
    assert_eq!(
        bench.connector.poll_event(),
        None,
        "the old attempt is over"
    );
    bench
        .connector
        .handle_connected(bench.now, second, Peer::Names(&names))
        .unwrap();
    assert!(matches!(
        bench.connector.poll_event(),
        Some(Event::Ready(_))
    ));
}

#[test]
fn certificate_refused_by_the_stack_and_plain_peer() {
    let mut bench = Bench::contoso();
    let (first, _) = bench.address();
    assert!(matches!(
        bench
            .connector
            .handle_connected(bench.now, first, Peer::Plain),
        Err(Error::WrongState { .. })
    ));
    bench.connector.handle_certificate_refused(bench.now, first);
    assert_eq!(bench.address().1, "192.0.2.3:443");
    assert_eq!(bench.closed, [first]);
}

#[test]
fn attempts_time_out() {
    let mut bench = Bench::contoso();
    let (first, _) = bench.address();
    assert!(bench.sleep() <= Duration::from_secs(10));
    while bench.connector.attempt() == Some(first) {
        bench.sleep();
    }
    let (_, address) = bench.address();
    assert_eq!(bench.closed, [first]);
    assert_eq!(address, "192.0.2.2:443");
}

#[test]
fn no_dns_at_all_gives_up_in_time() {
    let mut bench = Bench::contoso();
    let start = bench.now;
    let mut asked = 0;
    let event = loop {
        while bench.connector.poll_output().is_some() {
            asked += 1;
        }
        if let Some(event) = bench.connector.poll_event() {
            break event;
        }
        bench.sleep();
    };
    assert!(matches!(event, Event::GaveUp { .. }));
    assert_eq!(asked, 5);
    assert_eq!(bench.now - start, Duration::from_secs(10));
    assert_eq!(bench.connector.poll_timeout(), None);
}

#[test]
fn redirect_is_followed_and_remembered() {
    let mut bench = Bench::contoso();
    let front = bench.ready();
    bench.connector.handle_redirect(
        bench.now,
        front.attempt,
        "Home.contoso.com",
        None,
        Some("tls"),
    );
    let home = bench.registered();
    assert_eq!(bench.closed, [front.attempt]);
    assert_eq!(home.source, Source::Redirect);
    assert_eq!(home.server.to_string(), "TLS home.contoso.com:5061");

    bench
        .connector
        .handle_connection_lost(bench.now, home.attempt);
    assert!(matches!(
        bench.connector.poll_event(),
        Some(Event::Waiting { .. })
    ));
    while bench.connector.attempt().is_none() {
        bench.sleep();
        if let Some((attempt, address)) = bench.connect() {
            assert_eq!(address, "192.0.2.4:5061", "the last good server first");
            assert_eq!(bench.connector.attempt(), Some(attempt));
        }
    }
}

#[test]
fn redirect_loops_and_refusals() {
    let mut bench = Bench::contoso();
    let first = bench.ready();
    bench
        .connector
        .handle_redirect(bench.now, first.attempt, "home.contoso.com", None, None);
    let home = bench.ready();
    bench
        .connector
        .handle_redirect(bench.now, home.attempt, "a.contoso.com", Some(443), None);
    assert_eq!(
        bench.connector.poll_event(),
        Some(Event::RedirectRefused(Error::RedirectLoop {
            host: "a.contoso.com".into()
        }))
    );
    let (attempt, address) = bench.address();
    assert_eq!(address, "192.0.2.3:443");
    bench
        .connector
        .handle_connected(bench.now, attempt, Peer::Verified)
        .unwrap();
    bench.connector.poll_event();
    bench
        .connector
        .handle_redirect(bench.now, attempt, "x", None, Some("tcp"));
    assert_eq!(
        bench.connector.poll_event(),
        Some(Event::RedirectRefused(Error::RedirectTransport))
    );
    assert!(matches!(
        bench.connector.poll_event(),
        Some(Event::GaveUp { .. })
    ));
}

#[test]
fn hostile_redirects_end() {
    let mut bench = Bench::contoso();
    let mut connects = 0;
    while let Some((attempt, _)) = bench.connect() {
        connects += 1;
        bench
            .connector
            .handle_connected(bench.now, attempt, Peer::Verified)
            .unwrap();
        let host = format!("192.0.2.{}", connects % 250 + 1);
        bench
            .connector
            .handle_redirect(bench.now, attempt, &host, None, None);
    }
    assert_eq!(connects, 8, "two servers, three redirects each");
}

#[test]
fn lost_connection_backs_off_and_never_gives_up() {
    let mut bench = Bench::contoso();
    let connection = bench.registered();
    bench
        .connector
        .handle_connection_lost(bench.now, connection.attempt);
    let mut window = 30;
    for _ in 0..12 {
        let Some(Event::Waiting { until }) = bench.connector.poll_event() else {
            panic!();
        };
        assert!(until - bench.now <= Duration::from_secs(window));
        window = (window * 2).min(900);
        assert_eq!(bench.connect(), None);
        assert_eq!(bench.connector.poll_timeout(), Some(until));
        bench.sleep();
        while let Some((attempt, _)) = bench.connect() {
            bench.connector.handle_connect_failed(bench.now, attempt);
        }
    }
    assert!(matches!(
        bench.connector.poll_event(),
        Some(Event::Waiting { .. })
    ));
    bench.sleep();
    bench.registered();
    assert!(bench.closed.is_empty());
}

#[test]
fn lost_before_registration_means_the_next_server() {
    let mut bench = Bench::contoso();
    let connection = bench.ready();
    bench
        .connector
        .handle_connection_lost(bench.now, connection.attempt);
    assert_eq!(bench.address().1, "192.0.2.3:443");
    assert!(bench.closed.is_empty());
    assert_eq!(
        bench.connector.failures()[0].reason,
        FailureReason::ConnectionLost
    );
}

#[test]
fn gateway_timeout_is_retried_on_the_connection() {
    let mut bench = Bench::contoso();
    let connection = bench.ready();
    while bench.connector.poll_timeout().is_some() {
        bench.sleep();
    }
    for _ in 0..5 {
        bench
            .connector
            .handle_unavailable(bench.now, connection.attempt, 504, None);
        assert_eq!(bench.sleep(), Duration::from_mins(1));
        assert_eq!(
            bench.connector.poll_event(),
            Some(Event::RetryRequest {
                attempt: connection.attempt
            })
        );
    }
    bench
        .connector
        .handle_unavailable(bench.now, connection.attempt, 504, None);
    assert_eq!(bench.address().1, "192.0.2.3:443");
    assert_eq!(bench.closed, [connection.attempt]);
}

#[test]
fn unavailable_with_retry_after_comes_back_then() {
    let mut bench = Bench::contoso();
    let connection = bench.ready();
    bench
        .connector
        .handle_unavailable(bench.now, connection.attempt, 503, Some("120"));
    let Some(Event::Waiting { until }) = bench.connector.poll_event() else {
        panic!();
    };
    let wait = until - bench.now;
    assert!(wait >= Duration::from_mins(2) && wait <= Duration::from_secs(150));
    bench.sleep();
    assert_eq!(bench.address().1, "192.0.2.1:443");
    assert_eq!(bench.closed, [connection.attempt]);
}

#[test]
fn close_and_start_again() {
    let mut bench = Bench::contoso();
    let connection = bench.registered();
    bench.connector.close();
    assert_eq!(bench.connect(), None);
    assert_eq!(bench.closed, [connection.attempt]);
    assert_eq!(bench.connector.poll_timeout(), None);
    bench
        .connector
        .handle_connection_lost(bench.now, connection.attempt);
    assert_eq!(bench.connector.poll_event(), None);
    bench.connector.start(bench.now);
    assert_eq!(bench.ready().source, Source::LastGood);
}

#[test]
fn wide_names_go_on_after_a_set_that_failed() {
    let mut wide = config();
    wide.discovery.names = NameSet::Wide;
    let mut bench = Bench::new(wide);
    bench.world = bench.world.clone().host("contoso.com", &["192.0.2.99"]);
    let mut addresses = Vec::new();
    while let Some((attempt, address)) = bench.connect() {
        bench.connector.handle_connect_failed(bench.now, attempt);
        addresses.push(address);
    }
    assert_eq!(
        addresses.last().map(String::as_str),
        Some("192.0.2.99:5061")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever is reported, in whatever order and about whichever attempt: no panic, at most one attempt open.
    #[test]
    fn any_reports(steps in prop::collection::vec((0_u8..12, 0_u64..3, 0_u64..100), 0..80)) {
        let mut bench = Bench::contoso();
        let mut open = None;
        for (step, back, seconds) in steps {
            while let Some(output) = bench.connector.poll_output() {
                match output {
                    Output::Resolve(query) => {
                        let answer = bench.world.answer(&query);
                        bench.connector.handle_answer(bench.now, &query, answer).unwrap();
                    }
                    Output::Connect { attempt, .. } => {
                        prop_assert_eq!(open, None);
                        open = Some(attempt);
                    }
                    Output::Close { attempt } => {
                        prop_assert_eq!(open, Some(attempt));
                        open = None;
                    }
                }
            }
            prop_assert_eq!(open, bench.connector.attempt());
            while bench.connector.poll_event().is_some() {}
            let attempt = AttemptId(open.map_or(1, |attempt| attempt.0).saturating_sub(back / 2));
            let (now, connector) = (bench.now, &mut bench.connector);
            match step {
                0 | 1 => connector.handle_connected(now, attempt, Peer::Verified).unwrap(),
                2 => {
                    let names = certificate("b.contoso.com");
                    connector.handle_connected(now, attempt, Peer::Names(&names)).unwrap();
                }
                3 | 4 => {
                    if open == Some(attempt) {
                        open = None;
                    }
                    if step == 3 {
                        connector.handle_connect_failed(now, attempt);
                    } else {
                        connector.handle_connection_lost(now, attempt);
                    }
                }
                5 => connector.handle_registered(attempt),
                6 => connector.handle_redirect(now, attempt, "home.contoso.com", None, None),
                7 => connector.handle_unavailable(now, attempt, 503, Some("3")),
                8 => connector.handle_unavailable(now, attempt, 504, None),
                9 => connector.handle_certificate_refused(now, attempt),
                10 if back == 0 => connector.start(now),
                _ => {
                    bench.now += Duration::from_secs(seconds);
                    bench.connector.handle_timeout(bench.now);
                }
            }
        }
    }
}
