//! Handshakes and signatures of SIPE 1.25, byte for byte.

mod common;

use common::{Script, sections};
use ocs_ntlm::*;

const DATA: &str = include_str!("data/sipe.txt");
const PASSWORD: &str = "Passw0rd";

#[test]
fn every_handshake() {
    let sections = sections(DATA);
    assert_eq!(sections.len(), 8);
    for v in &sections {
        let name = &*v.name;
        let challenge = v.hex("challenge_message");
        let captured = v.hex("authenticate_message");
        let offer = ChallengeMessage::parse(&challenge).unwrap();
        let pairs = offer.av_pairs().unwrap().unwrap();
        let message = AuthenticateMessage::parse(&captured).unwrap();
        let response = NtlmV2Response::parse(message.nt_challenge_response).unwrap();
        let time = response.time_stamp;

        // The server makes the same challenge and accepts the answer.
        let config = ServerConfig {
            flags: offer.negotiate_flags,
            require_128: offer
                .negotiate_flags
                .contains(NegotiateFlags::NEGOTIATE_128),
            timestamp: pairs.timestamp().is_some(),
            ..ServerConfig::sip("FE01", "CONTOSO")
        };
        let config = config.with_dns_names("fe01.contoso.com", "contoso.com", "contoso.com");
        let require_128 = config.require_128;
        let server = Server::new(config).unwrap();
        let mut rng = Script::new(&[&v.hex("server_challenge")]);
        let (sent, pending) = server.challenge(&mut rng, time).unwrap();
        assert_eq!(hex::encode(sent), hex::encode(&challenge), "{name}");
        let accounts = HashVerifier::new(|user: &str, domain: &str| {
            let known = user == v.text("user") && domain == "CONTOSO";
            known.then(|| NtHash::from_password(PASSWORD))
        });
        let peer = pending.authenticate(&captured, &accounts, time).unwrap();
        let key = v.hex("exported_session_key");
        assert_eq!(
            peer.session.exported_session_key().as_bytes()[..],
            key,
            "{name}"
        );
        assert_eq!(peer.session.flags(), v.flags("flags"), "{name}");

        // The client makes the same answer.
        let client = Client::new(ClientConfig {
            workstation: message.workstation_text().unwrap(),
            require_128,
            ..ClientConfig::sip(
                v.text("user"),
                "CONTOSO",
                Credential::from_password(PASSWORD),
            )
        });
        let mut rng = Script::new(&[&response.challenge_from_client, &key]);
        let (token, mut session) = client.authenticate(&challenge, time, &mut rng).unwrap();
        assert_eq!(hex::encode(token), hex::encode(&captured), "{name}");

        // Both sign as the peers did.
        let mut server = peer.session;
        let signed = |who| {
            v.all(who).map(|line| {
                let (signature, text) = line.split_once(' ').unwrap();
                let signature: MessageSignature =
                    hex::decode(signature).unwrap().try_into().unwrap();
                (signature, text.as_bytes())
            })
        };
        let mut count = 0;
        for (signature, text) in signed("client") {
            assert_eq!(session.sign(100, text), signature, "{name}");
            server.verify(100, text, &signature).unwrap();
            count += 1;
        }
        for (signature, text) in signed("server") {
            assert_eq!(server.sign(100, text), signature, "{name}");
            session.verify(100, text, &signature).unwrap();
            count += 1;
        }
        assert!(count >= 3, "{name}");
    }
}
