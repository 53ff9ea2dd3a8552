//! The signatures of [MS-SIPAE] with NTLM: one message signed, one verified, one request authenticated by a server.
#![allow(missing_docs)] // criterion_group! makes a public function.

use std::hint::black_box;
use std::time::{Duration, Instant, SystemTime};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ocs_benches::data::INVITE;
use ocs_ntlm::{Credential, HashVerifier, NtHash};
use ocs_sip_core::{ConnectionId, HeaderName, Limits, Message, Method, WallClock};
use ocs_sipae::client::{Client, ClientConfig, Verdict};
use ocs_sipae::ntlm::{NtlmClient, NtlmServer};
use ocs_sipae::server::{AssociationId, Outcome, Server, ServerConfig};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

const CONNECTION: ConnectionId = ConnectionId(1);

/// A client and a server that know each other.
struct Pair {
    now: Instant,
    client: Client,
    server: Server,
    association: AssociationId,
}

fn hash(user: &str, _domain: &str) -> Option<NtHash> {
    (user == "alice").then(|| NtHash::from_password("Passw0rd"))
}

fn register(cseq: u32) -> Message {
    Message::request(Method::Register, "sip:contoso.com")
        .with(
            HeaderName::From,
            "<sip:alice@contoso.com>;tag=1;epid=8248ca9ebb",
        )
        .with(HeaderName::To, "<sip:alice@contoso.com>")
        .with(HeaderName::CallId, "1D1Fg5096a0D6B")
        .with(HeaderName::CSeq, &format!("{cseq} REGISTER"))
}

impl Pair {
    fn new() -> Self {
        let now = Instant::now();
        let clock = WallClock::new(now, SystemTime::now());
        let credential: Credential = NtHash::from_password("Passw0rd").into();
        let scheme = NtlmClient::new(ocs_ntlm::ClientConfig::sip("alice", "CONTOSO", credential));
        let config = ClientConfig::new(vec![Box::new(scheme)]);
        let mut client = Client::new(config, clock, ChaCha12Rng::seed_from_u64(1));
        let scheme = NtlmServer::new(ocs_ntlm::ServerConfig::sip("FE01", "CONTOSO"));
        let config = ServerConfig::new("fe01.contoso.com", vec![Box::new(scheme.expect("names"))]);
        let mut server = Server::new(config, clock, ChaCha12Rng::seed_from_u64(2));
        let directory = HashVerifier::new(hash);
        let mut request = register(1);
        for cseq in 2..5 {
            match server.authenticate(now, CONNECTION, &request, &directory) {
                Outcome::Challenge(response) => {
                    client.on_challenge(now, &response);
                    request = register(cseq);
                    client.authorize(&mut request).expect("a handshake");
                }
                Outcome::Accepted { association, .. } => {
                    let mut answer = Message::response_to(&request, 200, Some("2"));
                    server
                        .sign(now, association, &mut answer)
                        .expect("an association");
                    assert_eq!(client.verify(now, &answer), Verdict::Accepted);
                    return Self {
                        now,
                        client,
                        server,
                        association,
                    };
                }
                other => panic!("{other:?}"),
            }
        }
        panic!("three rounds are enough");
    }
}

fn invite() -> Message {
    let mut message = Message::parse(INVITE.into(), &Limits::default()).expect("an INVITE");
    message.remove(HeaderName::ProxyAuthorization);
    message.remove(HeaderName::Authorization);
    message
}

/// The time of `act` on messages that `prepare` makes, which is not measured.
fn each(
    pair: &mut Pair,
    rounds: u64,
    mut prepare: impl FnMut(&mut Pair) -> Message,
    mut act: impl FnMut(&mut Pair, &mut Message),
) -> Duration {
    // Not more at a time than the replay window takes, and than the caches hold.
    const BATCH: u64 = 64;
    let mut busy = Duration::ZERO;
    let mut left = rounds;
    while left > 0 {
        let count = left.min(BATCH);
        let mut messages: Vec<_> = (0..count).map(|_| prepare(pair)).collect();
        let start = Instant::now();
        for message in &mut messages {
            act(pair, message);
        }
        busy += start.elapsed();
        left -= count;
    }
    busy
}

fn signatures(c: &mut Criterion) {
    let mut pair = Pair::new();
    let request = invite();
    let directory = HashVerifier::new(hash);
    let mut group = c.benchmark_group("MS-SIPAE");
    group.throughput(Throughput::Elements(1));
    group.bench_function("sign an INVITE", |b| {
        b.iter_custom(|rounds| {
            each(
                &mut pair,
                rounds,
                |_| request.clone(),
                |pair, message| {
                    let done = pair.server.sign(pair.now, pair.association, message);
                    assert_eq!(black_box(done), Ok(true));
                },
            )
        });
    });
    group.bench_function("verify a signed INVITE", |b| {
        b.iter_custom(|rounds| {
            each(
                &mut pair,
                rounds,
                |pair| {
                    let mut message = request.clone();
                    let done = pair.server.sign(pair.now, pair.association, &mut message);
                    assert_eq!(done, Ok(true));
                    message
                },
                |pair, message| {
                    assert_eq!(pair.client.verify(pair.now, message), Verdict::Accepted);
                },
            )
        });
    });
    group.bench_function("authenticate an INVITE", |b| {
        b.iter_custom(|rounds| {
            each(
                &mut pair,
                rounds,
                |pair| {
                    let mut message = request.clone();
                    pair.client.sign(&mut message).expect("an association");
                    message
                },
                |pair, message| {
                    let outcome = pair
                        .server
                        .authenticate(pair.now, CONNECTION, message, &directory);
                    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
                },
            )
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = ocs_benches::criterion();
    targets = signatures
}
criterion_main!(benches);
