//! What a server pays for an answer, a relay for a look at a username, and a client for reading what it got.

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use ocs_avedgea::client::{Config as ClientConfig, RelayClient};
use ocs_avedgea::document::{Location, Response};
use ocs_avedgea::server::{Config, Pool, RelayAuthentication, Requester};
use ocs_avedgea::token::{Issuer, Key, SharedKeys, Verifier};
use ocs_avedgea::{Limits, Password};
use ocs_sip_core::Message;
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

const NOW: u64 = 0x01DB_0000_0000_0000;

fn keys() -> SharedKeys {
    let key = |octet| Key::new(&[octet; 20]).unwrap();
    SharedKeys::new(key(1), key(2))
}

fn request() -> Message {
    let config = ClientConfig::new(
        "sip:alice@contoso.com",
        "sip:edge@contoso.com;gruu;opaque=srvr:MRAS:tmsOHGdb9lGxCPJSi2p6eAAA",
        Location::Internet,
    );
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let mut client = RelayClient::new(config, Limits::default(), &mut rng).unwrap();
    client.request(Instant::now());
    let service = client.poll_transmit().unwrap();
    service.into_message("<sip:alice@contoso.com>;tag=1;epid=01010101")
}

fn bench(c: &mut Criterion) {
    let pool = Pool::new(Location::Internet, "av.contoso.com");
    let issuer = Issuer::new(Key::new(&[3; 20]).unwrap(), keys());
    let server = RelayAuthentication::new(Config::new("edge.contoso.com", vec![pool]), issuer);
    let alice = "alice@contoso.com".parse().unwrap();
    let request = request();
    c.bench_function("answer", |b| {
        let requester = Requester::User(&alice);
        b.iter(|| server.answer(black_box(&request), requester, NOW, "1"));
    });

    let answer = server.answer(&request, Requester::User(&alice), NOW, "1");
    let limits = Limits::default();
    c.bench_function("read the answer", |b| {
        b.iter(|| Response::parse(black_box(answer.body()), &limits).unwrap());
    });

    let response = Response::parse(answer.body(), &limits).unwrap();
    let username = response.credentials[0].credentials.username.as_bytes();
    let verifier = Verifier::new(keys());
    c.bench_function("verify a username", |b| {
        b.iter(|| -> Password { verifier.verify(NOW, black_box(username)).unwrap().1 });
    });
    let mut forged = username.to_vec();
    forged[40] ^= 1;
    c.bench_function("refuse a forged username", |b| {
        b.iter(|| verifier.verify(NOW, black_box(&forged)).unwrap_err());
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
