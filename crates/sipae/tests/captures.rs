//! Sessions of other programs: every signature, every buffer, and the server's part played again.

mod common;

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use common::{Capture, credentials, data, infos, parse, verifier};
use ocs_ntlm::{DatagramSealKey, ExportedSessionKey, NegotiateFlags, Role, Session};
use ocs_sip_core::header::HttpDate;
use ocs_sip_core::{ConnectionId, HeaderName, Message, WallClock};
use ocs_sipae::buffer::{self, SipsIdentity};
use ocs_sipae::headers::Credentials;
use ocs_sipae::ntlm::{NtlmContext, NtlmServer};
use ocs_sipae::replay::ReplayWindow;
use ocs_sipae::server::{Outcome, Server, ServerConfig};
use ocs_sipae::{SecurityContext, Signature, Version};
use rand_core::{TryCryptoRng, TryRng};

#[test]
fn buffers_of_the_vectors() {
    for (name, version) in [
        ("ocs2007r2-request-v4", Version::V4),
        ("ocs2007r2-response-v4", Version::V4),
        ("ocs2007-response-v2", Version::V2),
        ("identities-request-v4", Version::V4),
    ] {
        let path = data().join("buffers").join(name);
        let message = parse(fs::read(path.with_extension("sip")).unwrap());
        let expected = fs::read_to_string(path.with_extension("txt")).unwrap();
        let salt = credentials(&message)
            .iter()
            .find_map(Credentials::salt)
            .or_else(|| infos(&message)[0].salt())
            .unwrap();
        let mut out = Vec::new();
        buffer::write(&mut out, version, &salt, &message, SipsIdentity::Omitted).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{name}");
    }
}

#[test]
fn signatures_of_ocs_servers() {
    let session = |key: &str, flags, role, seal| {
        let mut octets = [0; 16];
        hex::decode_to_slice(key, &mut octets).unwrap();
        let key = ExportedSessionKey::from_bytes(octets);
        NtlmContext::new(Session::with_seal_key(
            key,
            NegotiateFlags(flags),
            role,
            seal,
        ))
    };
    let read = |name: &str| fs::read(data().join("buffers").join(name)).unwrap();
    let r2 = "6742FBE37BB1946B49D86A525BD29A9B";
    let mut server = session(r2, 0x6298_8255, Role::Server, DatagramSealKey::Whole);
    let signature = Signature::from_hex("0100000029618e9651b65a7764000000").unwrap();
    let buffer = read("ocs2007r2-request-v4.txt");
    assert_eq!(server.verify(&buffer, signature.as_bytes()), Ok(()));
    let buffer = read("ocs2007r2-response-v4.txt");
    let signature = server.sign(&buffer);
    assert_eq!(signature.to_string(), "01000000E615438A917661BE64000000");

    // OCS 2007 without extended session security.
    let r1 = "5f029153bc025058969548615e7099ba";
    let flags = NegotiateFlags::SIP_CLIENT.without(NegotiateFlags::EXTENDED_SESSIONSECURITY);
    let mut server = session(r1, flags.0, Role::Server, DatagramSealKey::Whole);
    let signature = server.sign(&read("ocs2007-response-v2.txt"));
    assert_eq!(signature.to_string(), "0100000000000000BF2E52667DDF6DED");
}

fn verify_all(capture: &Capture) -> usize {
    let mut contexts: HashMap<(String, bool), (NtlmContext, ReplayWindow)> = HashMap::new();
    let mut count = 0;
    for recorded in &capture.messages {
        let message = &recorded.message;
        let signed = credentials(message)
            .into_iter()
            .filter_map(|all| Some((all.opaque, all.salt(), all.signature?)))
            .chain(
                infos(message)
                    .into_iter()
                    .map(|all| (all.opaque, all.salt(), all.signature)),
            );
        for (opaque, salt, params) in signed {
            let place = format!("{}/{}", capture.name, recorded.name);
            let keys = &capture.keys[opaque.unwrap()];
            let role = if recorded.from_client {
                Role::Server
            } else {
                Role::Client
            };
            let (context, window) = contexts
                .entry((opaque.unwrap().to_owned(), recorded.from_client))
                .or_insert_with(|| {
                    (
                        NtlmContext::new(keys.session(role)),
                        ReplayWindow::default(),
                    )
                });
            let mut buffer = Vec::new();
            let sips = SipsIdentity::Omitted;
            buffer::write(&mut buffer, capture.version, &salt.unwrap(), message, sips).unwrap();
            let signature = params.decode().unwrap();
            context
                .verify(&buffer, signature.as_bytes())
                .unwrap_or_else(|_| panic!("{place}: {}", String::from_utf8_lossy(&buffer)));
            window.accept(params.number().unwrap()).unwrap();
            count += 1;
            // The other side would have written the same digits.
            let mut signer = NtlmContext::new(keys.session(role.peer()));
            assert_eq!(signer.sign(&buffer), signature, "{place}");
        }
    }
    assert!(count > 0, "{}", capture.name);
    count
}

#[test]
fn every_signature_verifies() {
    let count: usize = Capture::committed().iter().map(verify_all).sum();
    assert_eq!(count, 142);
}

#[test]
fn every_signature_of_the_collection_verifies() {
    for capture in Capture::shared() {
        verify_all(&capture);
    }
}

/// Gives the server the random numbers that the recorded one drew.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Drawn>>);

#[derive(Default)]
struct Drawn {
    opaques: VecDeque<u32>,
    challenges: VecDeque<[u8; 8]>,
}

impl TryRng for Script {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.lock().unwrap().opaques.pop_front().unwrap_or(0))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        match <&mut [u8; 8]>::try_from(&mut *out) {
            Ok(out) => *out = self.0.lock().unwrap().challenges.pop_front().unwrap(),
            Err(_) => out.fill(0),
        }
        Ok(())
    }
}

impl TryCryptoRng for Script {}

/// The answer of the recorded server to `request`.
fn answer(capture: &Capture, at: usize) -> Option<&Message> {
    let request = &capture.messages[at].message;
    let same = |name| move |other: &&Message| other.header(name) == request.header(name);
    capture.messages[at..]
        .iter()
        .map(|recorded| &recorded.message)
        .filter(|message| message.status() == Some(401))
        .filter(same(HeaderName::CallId))
        .filter(same(HeaderName::CSeq))
        .find(same(HeaderName::From))
}

/// Plays the server's part again: every handshake must give the recorded keys, every signed message of the client must be accepted.
fn play_server(capture: &Capture) {
    let now = Instant::now();
    let date = capture.messages.iter().find_map(|recorded| {
        recorded
            .message
            .parse_first::<HttpDate>(HeaderName::Date)
            .ok()
    });
    let Some(HttpDate(date)) = date else { return };
    let mut ntlm = ocs_ntlm::ServerConfig::sip("FE01", "CONTOSO").with_dns_names(
        "fe01.contoso.com",
        "contoso.com",
        "contoso.com",
    );
    ntlm.require_128 = false;
    ntlm.timestamp = capture.name == "timestamp";
    ntlm.flags = match &*capture.name {
        "flags-429882F3" => NegotiateFlags(0x4298_82F3),
        "flags-629882F3" => NegotiateFlags(0x6298_82F3),
        _ => ntlm.flags,
    };
    let scheme = NtlmServer::new(ntlm).unwrap();
    let mut config = ServerConfig::new("fe01.contoso.com", vec![Box::new(scheme)]);
    config.version = capture.version;
    let script = Script::default();
    let mut server = Server::new(config, WallClock::new(now, date), script.clone());
    let connection = ConnectionId(1);
    let verifier = verifier();
    let (mut handshakes, mut signed) = (0, 0);
    for (at, recorded) in capture.messages.iter().enumerate() {
        if !recorded.from_client {
            continue;
        }
        let message = &recorded.message;
        let place = format!("{}/{}", capture.name, recorded.name);
        let all = credentials(message);
        let Some(theirs) = all.first() else { continue };
        if !message.is_request() {
            server
                .verify_response(now, connection, message)
                .expect(&place);
            signed += 1;
            continue;
        }
        if theirs.gssapi_data == Some("") {
            let recorded = answer(capture, at).expect(&place);
            let header = recorded
                .auth(HeaderName::WwwAuthenticate)
                .next()
                .unwrap()
                .unwrap();
            let opaque = header.get("opaque").unwrap();
            // A handshake that was never finished has no keys.
            let challenge = capture
                .keys
                .get(opaque)
                .map_or([0; 8], |keys| keys.server_challenge);
            let mut drawn = script.0.lock().unwrap();
            drawn
                .opaques
                .push_back(u32::from_str_radix(opaque, 16).unwrap());
            drawn.challenges.push_back(challenge);
        }
        match server.authenticate(now, connection, message, &verifier) {
            Outcome::Challenge(_) => {
                assert_eq!(theirs.gssapi_data, Some(""), "{place}");
                handshakes += 1;
            }
            Outcome::Accepted {
                identity,
                established,
                association,
            } => {
                assert_eq!(established, theirs.gssapi_data.is_some(), "{place}");
                assert_eq!(identity.account.domain, "CONTOSO");
                assert_eq!(identity.account.user, identity.aor.user());
                assert_eq!(server.version(association), Some(capture.version));
                signed += 1;
            }
            other => panic!("{place}: {other:?}"),
        }
    }
    assert!(handshakes > 0 && signed > 0, "{}", capture.name);
}

#[test]
fn the_server_accepts_recorded_clients() {
    for capture in Capture::committed().iter().chain(&Capture::shared()) {
        play_server(capture);
    }
}
