//! The exchanges of the specification's digests, octet by octet: a client whose transaction identifiers are given writes the same requests.

mod common;

use std::time::{Duration, Instant};

use common::Script;

use ocs_stun::attribute::{MsServiceQuality, MsVersion, ServiceQuality, StreamType};
use ocs_stun::{Dialect, IntegrityKey, KeyDerivation, Message, MessageBuilder};
use ocs_turn::bandwidth::{
    Amount, BandwidthMessage, Federation, Location, LocationProfile, Request, ReservationId,
    Response,
};
use ocs_turn::client::{Client, Config, Credentials, Event, Output, Transport};
use serde_json::Value;

const TURN: &str = include_str!("data/ms-turn.json");
const BANDWIDTH: &str = include_str!("data/ms-turnbwm.json");

fn vector(json: &str, name: &str) -> Vec<u8> {
    let json: Value = serde_json::from_str(json).unwrap();
    let list = json["messages"].as_array().unwrap();
    let found = list
        .iter()
        .find(|vector| vector["name"] == name)
        .expect(name);
    hex::decode(found["hex"].as_str().unwrap()).unwrap()
}

fn credentials() -> Credentials {
    let json: Value = serde_json::from_str(TURN).unwrap();
    let field = |name: &str| hex::decode(json["credentials"][name].as_str().unwrap()).unwrap();
    Credentials {
        username: field("username_hex").into(),
        password: field("password_hex").into(),
    }
}

fn sent(client: &mut Client<Script>) -> String {
    match client.poll_output() {
        Some(Output::Send { octets, .. }) => hex::encode(octets),
        other => panic!("{other:?}"),
    }
}

fn config() -> Config {
    let mut config = Config::new("192.0.2.20:3478".parse().unwrap(), Transport::Udp);
    config.lifetime = Some(600);
    config
}

#[test]
fn the_client_of_ms_turn() {
    let message = |name| vector(TURN, name);
    let requests = [
        "allocate_request_1",
        "allocate_request_2",
        "send_request",
        "set_active_destination_request",
        "allocate_refresh",
        "allocate_deallocate_lifetime_0",
    ]
    .map(message);
    let script = Script::ids(&requests.each_ref().map(|request| &request[..]));
    let now = Instant::now();
    let peer = "198.51.100.9:51661".parse().unwrap();
    let payload =
        hex::decode("8000000100000000deadbeef766f6963652d7061796c6f61642d323062797465").unwrap();
    let mut client = Client::new(now, config(), credentials(), script);
    let mut requests = requests.iter().map(hex::encode);
    let mut next = || requests.next().unwrap();

    assert_eq!(sent(&mut client), next());
    client
        .handle_data(now, &message("allocate_error_401"))
        .unwrap();
    assert_eq!(sent(&mut client), next());
    client
        .handle_data(now, &message("allocate_response_ipv4"))
        .unwrap();
    let Some(Event::Allocated(allocation)) = client.poll_event() else {
        panic!("no allocation");
    };
    assert_eq!(allocation.relayed, "192.0.2.20:55667".parse().unwrap());
    assert_eq!(allocation.reflexive, "203.0.113.7:40000".parse().unwrap());
    assert_eq!(
        (allocation.lifetime, allocation.version),
        (600, MsVersion::MULTIPLEXED)
    );

    client.send(peer, &payload).unwrap();
    assert_eq!(sent(&mut client), next());
    client
        .handle_data(now, &message("data_indication"))
        .unwrap();
    assert_eq!(
        client.poll_event(),
        Some(Event::Data {
            peer,
            octets: &payload
        })
    );
    client.set_active_destination(now, peer).unwrap();
    assert_eq!(sent(&mut client), next());
    client
        .handle_data(now, &message("set_active_destination_response"))
        .unwrap();
    assert_eq!(client.poll_event(), Some(Event::ActiveDestination { peer }));

    let due = client.poll_timeout().unwrap();
    assert_eq!(due, now + Duration::from_secs(540));
    client.handle_timeout(due);
    assert_eq!(sent(&mut client), next());
    client.release(due);
    assert_eq!(sent(&mut client), next());
}

#[test]
fn ipv6_and_both() {
    let message = |name| vector(TURN, name);
    let request = message("allocate_request_ipv6_family");
    let mut challenge = message("allocate_error_401");
    let first = [7; 20];
    challenge[4..20].copy_from_slice(&first[4..]);
    let now = Instant::now();
    for (family, response, relayed, alternate) in [
        (
            Some(ocs_stun::attribute::AddressFamily::Ipv6),
            "allocate_response_ipv6",
            "[2001:db8:1::20]:55668",
            None,
        ),
        (
            None,
            "allocate_response_dual",
            "192.0.2.20:55667",
            Some("[2001:db8:1::20]:55668"),
        ),
    ] {
        let response = message(response);
        let mut config = config();
        config.version = MsVersion::IPV6;
        config.family = family;
        let script = Script::ids(&[&first, &response]);
        let mut client = Client::new(now, config, credentials(), script);
        sent(&mut client);
        client.handle_data(now, &challenge).unwrap();
        let second = sent(&mut client);
        if family.is_some() {
            assert_eq!(second, hex::encode(&request));
        }
        client.handle_data(now, &response).unwrap();
        let Some(Event::Allocated(allocation)) = client.poll_event() else {
            panic!("no allocation");
        };
        assert_eq!(allocation.relayed, relayed.parse().unwrap());
        assert_eq!(
            allocation.alternate,
            alternate.map(|address| address.parse().unwrap())
        );
    }
}

fn check() -> Request {
    Request {
        amount: Some(Amount {
            minimum_send: 64,
            maximum_send: 128,
            minimum_receive: 64,
            maximum_receive: 128,
        }),
        remote_site: Some("10.0.1.5:23456".parse().unwrap()),
        service_quality: Some(MsServiceQuality {
            stream: StreamType::Audio,
            quality: ServiceQuality::BestEffort,
        }),
        location: Some(LocationProfile {
            peer: Location::Intranet,
            own: Location::Intranet,
            federation: Federation::None,
        }),
        ..Request::new(BandwidthMessage::Check)
    }
}

/// Everything of a message but its bandwidth part, and then that part written anew.
fn rebuild(octets: &[u8], push: impl FnOnce(&mut MessageBuilder<'_>)) -> String {
    let message = Message::parse(Dialect::MsTurn, octets).unwrap();
    let credentials = credentials();
    let key = IntegrityKey::long_term(
        KeyDerivation::Sha1,
        &credentials.username,
        b"rtcmedia",
        credentials.password.as_bytes(),
    );
    let mut out = Vec::new();
    let mut builder = MessageBuilder::new(
        Dialect::MsTurn,
        message.message_type(),
        message.transaction_id(),
        &mut out,
    );
    for attribute in message.attributes().skip(1) {
        if !(0x8055..=0x8068).contains(&attribute.attribute_type.0)
            && attribute.attribute_type.0 != 8
        {
            builder.push_raw(attribute.attribute_type, attribute.value);
        }
    }
    push(&mut builder);
    builder.sign(&key).unwrap();
    hex::encode(out)
}

#[test]
fn bandwidth_requests() {
    for name in [
        "check_request",
        "commit_request",
        "update_request",
        "update_request_cancel",
    ] {
        let octets = vector(BANDWIDTH, name);
        let message = Message::parse(Dialect::MsTurn, &octets).unwrap();
        let request = Request::read(&message).expect(name);
        assert_eq!(
            rebuild(&octets, |builder| request.push(builder)),
            hex::encode(&octets),
            "{name}"
        );
    }
    let octets = vector(BANDWIDTH, "check_request");
    let request = Request::read(&Message::parse(Dialect::MsTurn, &octets).unwrap()).unwrap();
    let expected = check();
    assert_eq!(request.amount, expected.amount);
    assert_eq!(request.location, expected.location);
    assert_eq!(request.service_quality, expected.service_quality);
    assert_eq!(request.local_site, Some("10.0.0.1:12345".parse().unwrap()));
    let octets = vector(BANDWIDTH, "update_request_cancel");
    let request = Request::read(&Message::parse(Dialect::MsTurn, &octets).unwrap()).unwrap();
    assert_eq!(request.amount, Some(Amount::ZERO));
}

#[test]
fn bandwidth_responses() {
    for name in ["check_response", "commit_response"] {
        let octets = vector(BANDWIDTH, name);
        let message = Message::parse(Dialect::MsTurn, &octets).unwrap();
        let response = Response::read(&message).unwrap().expect(name);
        assert_eq!(
            rebuild(&octets, |builder| response.push(builder)),
            hex::encode(&octets),
            "{name}"
        );
    }
    let octets = vector(BANDWIDTH, "check_response");
    let response = Response::read(&Message::parse(Dialect::MsTurn, &octets).unwrap())
        .unwrap()
        .unwrap();
    assert!(!response.direct_is_allowed() && response.pstn_failover());
    assert_eq!(response.local_relay.unwrap().maximum_send, 64);
    let octets = vector(BANDWIDTH, "commit_response");
    let response = Response::read(&Message::parse(Dialect::MsTurn, &octets).unwrap())
        .unwrap()
        .unwrap();
    let id = hex::decode("00112233445566778899aabbccddeeff").unwrap();
    assert_eq!(
        response.reservation,
        Some(ReservationId(id.try_into().unwrap()))
    );
}

#[test]
fn a_request_that_lacks_something_is_none() {
    let octets = vector(BANDWIDTH, "check_request");
    let message = Message::parse(Dialect::MsTurn, &octets).unwrap();
    for missing in [0x8056, 0x8058, 0x8059, 0x8068] {
        let mut out = Vec::new();
        let mut builder = MessageBuilder::new(
            Dialect::MsTurn,
            message.message_type(),
            message.transaction_id(),
            &mut out,
        );
        for attribute in message.attributes().skip(1) {
            if attribute.attribute_type.0 != missing && attribute.attribute_type.0 != 8 {
                builder.push_raw(attribute.attribute_type, attribute.value);
            }
        }
        builder.finish().unwrap();
        assert_eq!(
            Request::read(&Message::parse(Dialect::MsTurn, &out).unwrap()),
            None
        );
    }
}
