//! Messages that are cut, changed or made up: no panic, bounded state, and nobody gets in.

mod common;

use std::time::{Duration, Instant};

use common::pair::{Pair, request, server, server_config};
use common::{data, verifier};
use ocs_sip_core::{ConnectionId, HeaderName, Limits, Message, Method};
use ocs_sipae::server::Outcome;
use proptest::prelude::*;

#[test]
fn every_truncation_and_every_changed_octet() {
    let now = Instant::now();
    let mut config = server_config();
    config.limits.refusals = u32::MAX;
    let mut server = server(now, config);
    let mut pair = Pair::new(now, "alice", "01", 1);
    pair.register(&mut server).unwrap();
    let mut signed = pair.request(Method::Message);
    pair.client.sign(&mut signed).unwrap();
    let signed = signed.to_bytes().to_vec();
    let sign_in = std::fs::read(data().join("v4/009-C2S-new-REGISTER.sip")).unwrap();
    let verifier = verifier();
    let mut accepted = 0;
    for octets in [&signed, &sign_in] {
        for at in 0..octets.len() {
            let mut cut = octets[..at].to_vec();
            cut.extend_from_slice(b"\r\n\r\n");
            let mut changed = octets.clone();
            changed[at] ^= 0x11;
            for octets in [cut, changed] {
                let Ok(message) = Message::parse(octets.into(), &Limits::default()) else {
                    continue;
                };
                let outcome = server.authenticate(now, pair.connection, &message, &verifier);
                let _ = server.verify_response(now, pair.connection, &message);
                accepted += usize::from(matches!(outcome, Outcome::Accepted { .. }));
            }
        }
    }
    // What is not covered by the signature may change; once, because the number is then used.
    assert_eq!(accepted, 1);
    assert!(server.half_open() <= 8);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn made_up_credentials(
        lines in prop::collection::vec(
            "(NTLM|Kerberos|ntlm) (qop=\"auth\", )?(opaque=\"[0-9A-F]{8}\", )?realm=\"SIP Communications Service\", targetname=\"fe01.contoso.com\"(, gssapi-data=\"(|TlRMTVNTUAADAAAA[A-Z]{8})\")?(, version=[1-5])?(, crand=\"[0-9a-f]{8}\", cnum=\"[0-9]{1,12}\", response=\"[0-9A-F]{0,40}\")?",
            0..6),
    ) {
        let now = Instant::now();
        let mut server = server(now, server_config());
        for (n, line) in lines.iter().enumerate() {
            let message = request(Method::Register, "alice", "01", n as u32)
                .with(HeaderName::Authorization, line);
            let outcome = server.authenticate(now, ConnectionId(1), &message, &verifier());
            prop_assert!(matches!(outcome, Outcome::Challenge(_)), "{:?}", outcome);
        }
        server.handle_timeout(now + Duration::from_mins(1));
        prop_assert_eq!(server.half_open(), 0);
        prop_assert_eq!(server.poll_timeout(), None);
    }
}
