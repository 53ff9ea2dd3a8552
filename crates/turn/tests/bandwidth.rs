//! \[MS-TURNBWM\]: clients and a server with a policy.

mod common;

use std::net::SocketAddr;

use common::{SERVER, World, address, config, seconds};
use ocs_stun::attribute::{MsServiceQuality, ServiceQuality, StreamType};
use ocs_turn::Prefix;
use ocs_turn::bandwidth::{
    Amount, BandwidthMessage, Capacity, LocationProfile, Outcome, Policy, Request, ReservationId,
    Response, Site, SiteId,
};
use ocs_turn::client::{Config as ClientConfig, Event, Transport};

const LOCAL: &str = "10.1.0.5:12345";
const REMOTE: &str = "10.2.0.5:23456";

/// Two sites: the first with a link for 200 kbit/s of audio, 100 for each session; the second's link is wide.
fn policy() -> Policy {
    let narrow = Site {
        audio: Capacity {
            total: 200,
            session: 100,
        },
        video: Capacity {
            total: 0,
            session: 0,
        },
        pstn_failover: true,
    };
    let wide = Site {
        audio: Capacity::UNLIMITED,
        video: Capacity::UNLIMITED,
        pstn_failover: false,
    };
    let network = |text: &str, len| Prefix::new(text.parse().unwrap(), len);
    Policy::new(
        vec![narrow, wide],
        vec![
            (network("10.0.0.0", 8), SiteId(1)),
            (network("10.1.0.0", 16), SiteId(0)),
        ],
    )
}

fn amount(minimum: u32, maximum: u32) -> Amount {
    Amount {
        minimum_send: minimum,
        maximum_send: maximum,
        minimum_receive: minimum,
        maximum_receive: maximum,
    }
}

fn request(message: BandwidthMessage, minimum: u32, maximum: u32) -> Request {
    Request {
        amount: Some(amount(minimum, maximum)),
        remote_site: Some(address(REMOTE)),
        local_site: Some(address(LOCAL)),
        location: Some(LocationProfile::default()),
        dialog: Some(b"dialog12"[..].into()),
        ..Request::new(message)
    }
}

fn update(id: ReservationId, amount: Option<Amount>) -> Request {
    Request {
        reservation: Some(id),
        amount,
        ..Request::new(BandwidthMessage::Update)
    }
}

fn world() -> (World<Policy>, usize) {
    let mut world = World::with_policy(config(), policy());
    let node = world.client(Transport::Tcp);
    world.nodes[node].allocated();
    (world, node)
}

fn ask(world: &mut World<Policy>, node: usize, request: Request) -> Option<Response> {
    let now = world.now;
    world.nodes[node]
        .client
        .manage_bandwidth(now, request)
        .unwrap();
    world.pump();
    match world.nodes[node].event() {
        Event::Bandwidth(response) => response,
        other => panic!("{other:?}"),
    }
}

#[test]
fn checks() {
    let (mut world, node) = world();
    let answer = ask(&mut world, node, request(BandwidthMessage::Check, 64, 128)).unwrap();
    assert!(answer.direct_is_allowed());
    assert_eq!(
        answer.local_site.unwrap().maximum_send,
        100,
        "one session's share"
    );
    assert_eq!(answer.remote_site.unwrap().maximum_send, 128);
    assert_eq!(answer.remote_relay, None);
    assert!(answer.local_relay.unwrap().valid);

    let answer = ask(&mut world, node, request(BandwidthMessage::Check, 101, 128)).unwrap();
    assert!(!answer.direct_is_allowed() && answer.pstn_failover());
    assert_eq!(answer.local_site.unwrap().maximum_send, 0);

    let mut video = request(BandwidthMessage::Check, 1, 1);
    video.service_quality = Some(MsServiceQuality {
        stream: StreamType::Video,
        quality: ServiceQuality::BestEffort,
    });
    assert!(
        !ask(&mut world, node, video.clone())
            .unwrap()
            .direct_is_allowed()
    );
    // Within a site no link is in use; the Internet has no limit.
    video.remote_site = Some(address("10.1.99.9:5"));
    assert!(
        ask(&mut world, node, video.clone())
            .unwrap()
            .direct_is_allowed()
    );
    let internet: SocketAddr = address("192.0.2.200:5");
    video.remote_site = Some(internet);
    video.local_site = Some(internet);
    video.remote_relay = Some(address(LOCAL));
    let answer = ask(&mut world, node, video).unwrap();
    assert!(answer.direct_is_allowed() && !answer.remote_relay.unwrap().valid);
    assert_eq!(
        world.server.policy_mut().used(SiteId(0)),
        (0, 0),
        "a check reserves nothing"
    );
}

#[test]
fn reservations() {
    use Outcome::{Committed, Denied, Updated};
    let (mut world, node) = world();
    let commit = |world: &mut World<Policy>, minimum, maximum| {
        ask(
            world,
            node,
            request(BandwidthMessage::Commit, minimum, maximum),
        )
        .unwrap()
    };
    let first = commit(&mut world, 64, 128);
    let id = first.reservation.unwrap();
    assert_eq!(first.amount, Some(amount(100, 100)));
    let second = commit(&mut world, 64, 80);
    assert_eq!(second.amount, Some(amount(80, 80)));
    assert_ne!(second.reservation, Some(id));
    let denied = commit(&mut world, 21, 80);
    assert_eq!((denied.reservation, denied.amount), (None, None));
    assert_eq!(world.server.policy_mut().used(SiteId(0)), (180, 0));

    // Less, more than there is, the same again.
    let less = ask(&mut world, node, update(id, Some(amount(40, 40)))).unwrap();
    assert_eq!(
        (less.reservation, less.amount),
        (Some(id), Some(amount(40, 40)))
    );
    let more = ask(&mut world, node, update(id, Some(amount(101, 101)))).unwrap();
    assert_eq!(more.amount, Some(amount(40, 40)));
    let same = ask(&mut world, node, update(id, None)).unwrap();
    assert_eq!(same.amount, Some(amount(40, 40)));
    // One that nobody knows is as if nothing had been asked.
    assert_eq!(
        ask(&mut world, node, update(ReservationId([1; 16]), None)),
        None
    );
    assert_eq!(world.server.policy_mut().used(SiteId(0)), (120, 0));

    // Another user's.
    let config = ClientConfig::new(address(SERVER), Transport::Tcp);
    let other = world.client_with(config, "bob", "other");
    world.nodes[other].allocated();
    assert_eq!(ask(&mut world, other, update(id, Some(Amount::ZERO))), None);

    let outcomes: Vec<_> = std::iter::from_fn(|| world.server.policy_mut().poll_report())
        .map(|report| {
            (
                report.outcome,
                report.dialog.as_deref() == Some(b"dialog12"),
            )
        })
        .collect();
    let expected = [Committed, Committed, Denied, Updated, Denied, Updated];
    assert_eq!(outcomes, expected.map(|outcome| (outcome, true)));
}

#[test]
fn bandwidth_that_is_given_back() {
    let (mut world, node) = world();
    let commit = request(BandwidthMessage::Commit, 64, 128);
    let id = ask(&mut world, node, commit).unwrap().reservation.unwrap();
    let cancelled = ask(&mut world, node, update(id, Some(Amount::ZERO))).unwrap();
    assert_eq!(cancelled.amount, Some(Amount::ZERO));
    assert_eq!(world.server.policy_mut().used(SiteId(0)), (0, 0));
    // Nothing was relayed: the session ends.
    assert_eq!(world.closed.len(), 1);
    assert!(world.server.is_empty());
}

#[test]
fn reservations_end_with_their_allocation_or_in_time() {
    let (mut world, node) = world();
    ask(&mut world, node, request(BandwidthMessage::Commit, 64, 128));
    let now = world.now;
    world.nodes[node].client.release(now);
    world.pump();
    assert_eq!(world.server.policy_mut().used(SiteId(0)), (0, 0));

    let mut world = World::with_policy(config(), policy());
    let node = world.client(Transport::Udp);
    world.nodes[node].allocated();
    ask(&mut world, node, request(BandwidthMessage::Commit, 64, 128));
    // Refreshes keep the allocation, but are no updates.
    world.run(seconds(599));
    assert_eq!(world.server.policy_mut().used(SiteId(0)), (100, 0));
    world.run(seconds(2));
    assert_eq!(world.server.policy_mut().used(SiteId(0)), (0, 0));
    assert_eq!(world.server.len(), 1);
}

#[test]
fn the_relay_holds_a_stream_to_its_reservation() {
    let mut world = World::with_policy(config(), policy());
    let node = world.client(Transport::Udp);
    let relayed = world.nodes[node].allocated().relayed;
    let mut commit = request(BandwidthMessage::Commit, 64, 80);
    commit.local_relay = Some(relayed);
    assert_eq!(
        ask(&mut world, node, commit).unwrap().amount,
        Some(amount(80, 80))
    );
    // 80 kbit/s are ten octets a millisecond; a hundred times that is sent for two seconds.
    let peer = address("198.51.100.9:5");
    for _ in 0..200 {
        world.now += std::time::Duration::from_millis(10);
        for _ in 0..10 {
            world.nodes[node].client.send(peer, &[0; 1000]).unwrap();
        }
        world.pump();
    }
    let passed = world.to_peers.len() * 1000;
    assert!((20_000..=33_000).contains(&passed), "{passed}");
}

#[test]
fn a_server_without_policy() {
    let mut world = World::new(config());
    let node = world.client(Transport::Udp);
    world.nodes[node].allocated();
    let now = world.now;
    let check = request(BandwidthMessage::Check, 1, 2);
    world.nodes[node]
        .client
        .manage_bandwidth(now, check)
        .unwrap();
    world.pump();
    assert_eq!(world.nodes[node].event(), Event::Bandwidth(None));
}

#[test]
fn a_stale_nonce_loses_no_question() {
    let mut server = config();
    server.nonce_life = seconds(10);
    let mut world = World::with_policy(server, policy());
    let node = world.client(Transport::Udp);
    world.nodes[node].allocated();
    world.run(seconds(60));
    assert!(ask(&mut world, node, request(BandwidthMessage::Check, 64, 128)).is_some());
}
