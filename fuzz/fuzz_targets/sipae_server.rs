//! Arbitrary messages to a server that authenticates; what it accepts or challenges, a client reads.
#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime};

use libfuzzer_sys::fuzz_target;
use ocs_ntlm::{HashVerifier, NtHash};
use ocs_sip_core::{ConnectionId, Limits, Message, WallClock};
use ocs_sipae::client::{Client, ClientConfig};
use ocs_sipae::ntlm::{NtlmClient, NtlmServer};
use ocs_sipae::server::{Outcome, Server, ServerConfig};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

// The input is a sequence of messages, each ended by a line of its own with a dot.
fuzz_target!(|data: &[u8]| {
    let now = *START;
    let clock = WallClock::new(now, SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000));
    let ntlm = NtlmServer::new(ocs_ntlm::ServerConfig::sip("FE01", "CONTOSO")).unwrap();
    let config = ServerConfig::new("fe01.contoso.com", vec![Box::new(ntlm)]);
    let limits = config.limits;
    let mut server = Server::new(config, clock, ChaCha12Rng::seed_from_u64(1));
    let credential = NtHash::from_password("Passw0rd").into();
    let ntlm = NtlmClient::new(ocs_ntlm::ClientConfig::sip("alice", "CONTOSO", credential));
    let config = ClientConfig::new(vec![Box::new(ntlm)]);
    let mut client = Client::new(config, clock, ChaCha12Rng::seed_from_u64(2));
    let verifier = HashVerifier::new(|_: &str, _: &str| Some(NtHash::from_password("Passw0rd")));
    let connection = ConnectionId(1);
    let text = String::from_utf8_lossy(data);
    for part in text.split("\n.\n").take(16) {
        let Ok(message) = Message::parse(part.to_owned().into(), &Limits::default()) else {
            continue;
        };
        let _ = client.verify(now, &message);
        if matches!(message.status(), Some(401 | 407)) {
            let _ = client.on_challenge(now, &message);
        }
        if !message.is_request() {
            let _ = server.verify_response(now, connection, &message);
            continue;
        }
        match server.authenticate(now, connection, &message, &verifier) {
            Outcome::Challenge(response) => {
                let response = Message::parse(response.to_bytes(), &Limits::default()).unwrap();
                let _ = client.on_challenge(now, &response);
                let mut again = message.clone();
                if client.authorize(&mut again).is_ok() {
                    let _ = server.authenticate(now, connection, &again, &verifier);
                }
            }
            Outcome::Accepted { association, .. } => {
                let mut response = Message::response_to(&message, 200, Some("1"));
                server.sign(now, association, &mut response).unwrap();
                Message::parse(response.to_bytes(), &Limits::default()).unwrap();
            }
            _ => {}
        }
        assert!(server.half_open() <= limits.half_open_per_connection);
    }
    server.handle_timeout(now + Duration::from_secs(9 * 3600));
    assert_eq!((server.half_open(), server.associations()), (0, 0));
    assert_eq!(server.poll_timeout(), None);
});
