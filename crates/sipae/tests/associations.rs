//! How associations begin, are renewed and end.

mod common;

use std::time::{Duration, Instant};

use common::pair::{Pair, half_way, request, server, server_config, tamper, wire};
use common::verifier;
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method};
use ocs_sipae::client::{Event, Next, Verdict};
use ocs_sipae::server::{End, Outcome};
use ocs_sipae::{Error, server};

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn renewal_keeps_the_old_association_until_the_new_one_stands() {
    let now = Instant::now();
    let mut server = server(now, server_config());
    let mut pair = Pair::new(now, "alice", "01", 1);
    pair.register(&mut server).unwrap();
    let old = pair.association.unwrap();
    let renew_at = pair.client.poll_timeout().unwrap();
    assert_eq!(renew_at + 5 * MINUTE, now + 8 * HOUR);
    pair.client.handle_timeout(now + 7 * HOUR);
    assert_eq!(pair.client.poll_event(), None);
    // Messages keep the association from becoming idle.
    while pair.now + 10 * MINUTE < renew_at {
        pair.now += 10 * MINUTE;
        server.handle_timeout(pair.now);
        pair.accepted(&mut server, Method::Info);
    }
    pair.now = renew_at;
    server.handle_timeout(pair.now);
    pair.client.handle_timeout(renew_at);
    assert!(matches!(
        pair.client.poll_event(),
        Some(Event::Renew { .. })
    ));
    let request = pair.request(Method::Register);
    let Outcome::Challenge(response) = pair.submit(&mut server, &request) else {
        panic!("no challenge")
    };
    assert_eq!(
        pair.client.on_challenge(pair.now, &wire(&response)),
        Next::Resend
    );
    // In the middle of it.
    pair.accepted(&mut server, Method::Message);
    let message = pair.delivered(&mut server, 3);
    assert_eq!(pair.client.verify(pair.now, &message), Verdict::Accepted);
    pair.client.reset();
    assert!(!pair.client.is_established());
    pair.register(&mut server).unwrap();
    assert_ne!(pair.association, Some(old));
    assert_eq!(server.associations(), 1);
    let event = server.poll_event();
    assert!(
        matches!(event, Some(server::Event::Ended { association, reason: End::Replaced, .. })
            if association == old),
        "{event:?}"
    );
    assert_eq!(
        server.sign(pair.now, old, &mut pair.request(Method::Info)),
        Err(Error::NoAssociation)
    );
}

#[test]
fn renewal_without_a_break() {
    let now = Instant::now();
    let mut server = server(now, server_config());
    let mut pair = Pair::new(now, "alice", "01", 1);
    pair.register(&mut server).unwrap();
    let old = pair.association;
    assert_eq!(pair.register(&mut server), Ok(3));
    assert_ne!(pair.association, old);
    pair.accepted(&mut server, Method::Message);
    let message = pair.delivered(&mut server, 3);
    assert_eq!(pair.client.verify(now, &message), Verdict::Accepted);
    pair.client.handle_timeout(now + 8 * HOUR);
    let event = pair.client.poll_event();
    assert!(matches!(event, Some(Event::Expired { .. })), "{event:?}");
    assert_eq!(pair.client.poll_timeout(), None);
    assert_eq!(
        pair.client.sign(&mut pair.cseq_less()),
        Err(Error::NoAssociation)
    );
}

trait CseqLess {
    fn cseq_less(&self) -> Message;
}

impl CseqLess for Pair {
    fn cseq_less(&self) -> Message {
        request(Method::Info, self.user, self.epid, 1)
    }
}

#[test]
fn associations_expire_on_the_server() {
    let now = Instant::now();
    for (registered, ends, reason) in [
        (false, now + 15 * MINUTE, End::Idle),
        (true, now + 2 * HOUR + Duration::from_secs(30), End::Idle),
    ] {
        let mut server = server(now, server_config());
        let mut pair = Pair::new(now, "alice", "01", 1);
        if registered {
            pair.register(&mut server).unwrap();
        } else {
            half_way(&mut pair, &mut server);
            let mut request = pair.request(Method::Register);
            pair.client.authorize(&mut request).unwrap();
            let outcome = pair.submit(&mut server, &request);
            assert!(matches!(outcome, Outcome::Accepted { .. }));
        }
        server.handle_timeout(now + (ends - now) / 2);
        assert_eq!(server.associations(), 1);
        assert_eq!(server.poll_timeout(), Some(ends));
        server.handle_timeout(ends);
        assert_eq!(server.associations(), 0);
        let event = server.poll_event();
        assert!(
            matches!(&event, Some(server::Event::Ended { reason: found, .. }) if *found == reason),
            "{event:?}"
        );
        assert_eq!(server.poll_timeout(), None);
    }
    // Eight hours end it, whatever was sent.
    let mut config = server_config();
    config.lifetime = 20 * MINUTE;
    let mut server = server(now, config);
    let mut pair = Pair::new(now, "alice", "01", 1);
    pair.register(&mut server).unwrap();
    pair.now += 19 * MINUTE;
    pair.accepted(&mut server, Method::Info);
    pair.now += MINUTE;
    let mut request = pair.request(Method::Info);
    pair.client.sign(&mut request).unwrap();
    assert!(matches!(
        pair.submit(&mut server, &request),
        Outcome::Challenge(_)
    ));
    server.handle_timeout(pair.now);
    let event = server.poll_event();
    assert!(matches!(
        event,
        Some(server::Event::Ended {
            reason: End::Lifetime,
            ..
        })
    ));
}

#[test]
fn a_half_open_association_serves_one_answer_on_its_connection_in_its_time() {
    let now = Instant::now();
    let mut server = server(now, server_config());
    let mut pair = Pair::new(now, "alice", "01", 1);
    half_way(&mut pair, &mut server);
    let mut request = pair.request(Method::Register);
    pair.client.authorize(&mut request).unwrap();
    // Elsewhere, or from another endpoint.
    let elsewhere = server.authenticate(now, ConnectionId(2), &wire(&request), &verifier());
    assert!(matches!(elsewhere, Outcome::Challenge(_)));
    let other = tamper(&request, "epid=01", "epid=02");
    assert!(matches!(
        pair.submit(&mut server, &other),
        Outcome::Challenge(_)
    ));
    assert_eq!(server.half_open(), 1);
    // Too late.
    let late = now + 60 * Duration::from_secs(1);
    let outcome = server.authenticate(late, pair.connection, &wire(&request), &verifier());
    assert!(matches!(outcome, Outcome::Challenge(_)));
    // In time, but only once.
    assert!(matches!(
        pair.submit(&mut server, &request),
        Outcome::Accepted { .. }
    ));
    assert!(matches!(
        pair.submit(&mut server, &request),
        Outcome::Challenge(_)
    ));
}

#[test]
fn a_flood_of_handshakes_is_bounded() {
    let now = Instant::now();
    let mut config = server_config();
    config.limits.half_open = 50;
    let mut server = server(now, config);
    let start = "NTLM qop=\"auth\", realm=\"SIP Communications Service\", targetname=\"fe01.contoso.com\", gssapi-data=\"\", version=4";
    for n in 0..1000_u64 {
        let message = request(Method::Register, "alice", &n.to_string(), 1)
            .with(HeaderName::Authorization, start);
        let connection = ConnectionId(n % 10);
        let outcome = server.authenticate(now, connection, &wire(&message), &verifier());
        assert!(matches!(
            outcome,
            Outcome::Challenge(_) | Outcome::Overloaded(_)
        ));
        assert!(server.half_open() <= 50);
    }
    assert_eq!(server.half_open(), 50);
    server.connection_closed(ConnectionId(3));
    assert!(server.half_open() < 50);
    server.handle_timeout(now + MINUTE);
    assert_eq!(server.half_open(), 0);
    assert_eq!(server.poll_timeout(), None);
    // One connection alone gets no more than its share.
    for n in 0..100 {
        let message = request(Method::Register, "alice", &n.to_string(), 1)
            .with(HeaderName::Authorization, start);
        let _ = server.authenticate(now, ConnectionId(1), &wire(&message), &verifier());
    }
    assert_eq!(server.half_open(), 8);
}
