//! Credentials for the relay: no panic; every request has an answer that can be read; documents are written and read again the same; nobody
//! gets in without a token.
#![no_main]

use std::sync::LazyLock;
use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use ocs_avedgea::client::{self, RelayClient};
use ocs_avedgea::document::{Location, ReasonPhrase, Request, Response};
use ocs_avedgea::server::{Config, Pool, RelayAuthentication, Requester};
use ocs_avedgea::token::{Issuer, Key, SharedKeys, Verifier};
use ocs_avedgea::{CONTENT_TYPE, Limits};
use ocs_sip_core::{Aor, Message, Method};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

const NOW: u64 = 0x01DB_0000_0000_0000;
const MRAS: &str = "sip:mras@contoso.com";

fn key(octet: u8) -> Key {
    Key::new(&[octet; 20]).expect("20 octets are enough")
}

static SERVER: LazyLock<RelayAuthentication> = LazyLock::new(|| {
    let relays = [Location::Intranet, Location::Internet].map(|place| Pool::new(place, "av.contoso.com"));
    let issuer = Issuer::new(key(3), SharedKeys::new(key(1), key(2)));
    RelayAuthentication::new(Config::new("edge.contoso.com", relays.to_vec()), issuer)
});
static ALICE: LazyLock<Aor> = LazyLock::new(|| "alice@contoso.com".parse().expect("an address"));

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    if let Ok(request) = Request::parse(data, &limits) {
        let text = ocs_xml::to_string(&request);
        // Namespaces that are declared for one prefix each can make the text longer.
        if text.len() <= limits.document.size {
            assert_eq!(Request::parse(text.as_bytes(), &limits).as_ref(), Ok(&request));
        }
    }
    if let Ok(response) = Response::parse(data, &limits) {
        let text = ocs_xml::to_string(&response);
        if text.len() <= limits.document.size {
            assert_eq!(Response::parse(text.as_bytes(), &limits).as_ref(), Ok(&response));
        }
    }

    let request = Message::request(Method::Service, MRAS).with_body(CONTENT_TYPE, data.to_vec());
    for requester in [Requester::User(&ALICE), Requester::Server, Requester::Stranger] {
        let answer = SERVER.answer(&request, requester, NOW, "1");
        let read = Response::parse(answer.body(), &limits).expect("an answer is one");
        assert_eq!(answer.status(), Some(read.reason_phrase.status()));
        assert_eq!(read.credentials.is_empty(), read.reason_phrase != ReasonPhrase::Ok);
        if let Requester::Stranger = requester {
            assert!(read.credentials.is_empty());
        }
    }

    let config = client::Config::new("sip:alice@contoso.com", MRAS, Location::Internet);
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let mut client = RelayClient::new(config, limits, &mut rng).expect("settings are good");
    let now = Instant::now();
    client.request(now);
    client.poll_transmit().expect("a request");
    let answer = Message::response(200).with_body(CONTENT_TYPE, data.to_vec());
    client.handle_response(now, Some(&answer));
    assert!(client.poll_event().is_some() || client.poll_transmit().is_some());
    if let Some(access) = client.access() {
        assert!(!access.relays.is_empty());
    }

    let verifier = Verifier::new(SharedKeys::new(key(4), key(5)));
    assert!(verifier.verify(NOW, data).is_err());
});
