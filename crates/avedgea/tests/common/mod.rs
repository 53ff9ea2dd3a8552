//! A deployment for the tests.
#![allow(dead_code, unreachable_pub)]

use std::time::Instant;

use ocs_avedgea::client::{Config as ClientConfig, RelayClient};
use ocs_avedgea::document::Location;
use ocs_avedgea::server::{Config, Pool, RelayAuthentication};
use ocs_avedgea::token::{Issuer, Key, SharedKeys, Verifier};
use ocs_avedgea::{CONTENT_TYPE, Limits};
use ocs_sip_core::{HeaderName, Message, Method};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

/// A FILETIME of 2024.
pub const NOW: u64 = 0x01DA_B000_0000_0000;
/// As a FILETIME counts it.
pub const MINUTE: u64 = 60 * 10_000_000;

pub const FROM: &str = "<sip:alice@contoso.com>;tag=1;epid=01010101";

/// As Lync Server 2010 names its service.
pub const MRAS_URI: &str =
    "sip:edge.contoso.com@contoso.com;gruu;opaque=srvr:MRAS:tmsOHGdb9lGxCPJSi2p6eAAA";

pub fn keys(octet: u8) -> SharedKeys {
    let key = |octet| Key::new(&[octet; 20]).unwrap();
    SharedKeys::new(key(octet), key(octet + 1))
}

pub fn issuer() -> Issuer {
    Issuer::new(Key::new(&[9; 20]).unwrap(), keys(1))
}

pub fn verifier() -> Verifier {
    Verifier::new(keys(1))
}

/// One pool inside, one outside.
pub fn config() -> Config {
    let mut inside = Pool::new(Location::Intranet, "edge-int.contoso.com");
    inside.addresses = vec!["10.0.0.7".parse().unwrap(), "fd00::7".parse().unwrap()];
    let outside = Pool::new(Location::Internet, "av.contoso.com");
    Config::new("edge.contoso.com", vec![inside, outside])
}

pub fn server() -> RelayAuthentication {
    RelayAuthentication::new(config(), issuer())
}

pub fn client(config: ClientConfig) -> RelayClient {
    let mut rng = ChaCha12Rng::seed_from_u64(7);
    RelayClient::new(config, Limits::default(), &mut rng).unwrap()
}

pub fn alice() -> ClientConfig {
    ClientConfig::new("sip:alice@contoso.com", MRAS_URI, Location::Internet)
}

/// What a user agent adds.
pub fn complete(message: Message) -> Message {
    message
        .with(
            HeaderName::Via,
            "SIP/2.0/TLS 192.0.2.1:5061;branch=z9hG4bK1",
        )
        .with(HeaderName::CallId, "1")
        .with(HeaderName::CSeq, "1 SERVICE")
}

/// The request that a client has ready.
pub fn sent(client: &mut RelayClient) -> Message {
    let request = complete(client.poll_transmit().unwrap().into_message(FROM));
    assert!(client.poll_transmit().is_none());
    request.check().unwrap();
    request
}

/// A request with any body.
pub fn service(body: &str) -> Message {
    let request = Message::request(Method::Service, MRAS_URI)
        .with(HeaderName::From, FROM)
        .with(HeaderName::To, &format!("<{MRAS_URI}>"));
    complete(request).with_body(CONTENT_TYPE, body.to_owned())
}

pub fn asked(client: &mut RelayClient, now: Instant) -> Message {
    client.request(now);
    sent(client)
}
