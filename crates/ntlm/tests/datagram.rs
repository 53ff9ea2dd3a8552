//! Connectionless sessions: captured from OCS 2007 and OCS 2007 R2, and one
//! computed with MIC.

mod common;

use common::{Script, Section, section};
use ocs_ntlm::*;

const DATA: &str = include_str!("data/datagram.txt");

/// The server that sent the challenge of the section.
fn server_of(v: &Section, target_type: TargetType, version: Version) -> Server {
    let challenge = v.hex("challenge_message");
    let message = ChallengeMessage::parse(&challenge).unwrap();
    let pairs = message.av_pairs().unwrap().unwrap();
    let name = |id| pairs.text(id).unwrap();
    let config = ServerConfig {
        flags: message.negotiate_flags,
        target_type,
        timestamp: pairs.timestamp().is_some(),
        version,
        ..ServerConfig::sip(&name(AvId::NB_COMPUTER_NAME), &name(AvId::NB_DOMAIN_NAME))
    };
    let config = config.with_dns_names(
        &name(AvId::DNS_COMPUTER_NAME),
        &name(AvId::DNS_DOMAIN_NAME),
        &name(AvId::DNS_TREE_NAME),
    );
    Server::new(config).unwrap()
}

/// Lets client and server repeat the handshake of the section.
fn replay(v: &Section, server: &Server, client: ClientConfig, time: u64) -> (Session, Session) {
    let challenge = v.hex("challenge_message");
    let sc = ChallengeMessage::parse(&challenge)
        .unwrap()
        .server_challenge;
    let (sent, pending) = server.challenge(&mut Script::new(&[&sc]), time).unwrap();
    assert_eq!(hex::encode(sent), hex::encode(&challenge));

    let mut rng = Script::new(&[&v.hex("client_challenge"), &v.hex("exported_session_key")]);
    let client = ClientConfig {
        workstation: v.text("workstation").to_owned(),
        ..client
    };
    let (token, session) = Client::new(client)
        .authenticate(&challenge, time, &mut rng)
        .unwrap();
    assert_eq!(hex::encode(&token), v.text("authenticate_message"));
    assert_eq!(
        AuthenticateMessage::parse(&token)
            .unwrap()
            .to_vec()
            .unwrap(),
        token
    );

    let verifier =
        HashVerifier::new(|_: &str, _: &str| Some(NtHash::from_password(v.text("password"))));
    let peer = pending.authenticate(&token, &verifier, time).unwrap();
    assert_eq!(
        (&*peer.user, &*peer.domain),
        (v.text("user"), v.text("domain"))
    );
    let key = peer.session.exported_session_key();
    assert_eq!(key.as_bytes()[..], v.hex("exported_session_key"));
    assert_eq!(peer.session.flags(), v.flags("authenticate_flags"));
    (session, peer.session)
}

fn client_of(v: &Section) -> ClientConfig {
    let credential = Credential::from_password(v.text("password"));
    ClientConfig::sip(v.text("user"), v.text("domain"), credential)
}

fn keys(v: &Section) {
    let key = ExportedSessionKey::from_bytes(v.array("exported_session_key"));
    let flags = v.flags("authenticate_flags");
    for (role, sign, seal) in [
        (Role::Client, "client_sign_key", "client_seal_key"),
        (Role::Server, "server_sign_key", "server_seal_key"),
    ] {
        assert_eq!(key.sign_key(role)[..], v.hex(sign));
        let seal_key = key.seal_key(role, flags, DatagramSealKey::Whole);
        assert_eq!(seal_key.as_bytes(), v.hex(seal));
    }
    let hash = NtHash::from_password(v.text("password")).v2(v.text("user"), v.text("domain"));
    assert_eq!(hash.as_bytes()[..], v.hex("ntowfv2"));
    let base = SessionBaseKey::v2(&hash, &v.array("nt_proof_str"));
    assert_eq!(base.as_bytes()[..], v.hex("session_base_key"));
}

#[test]
fn ocs_2007_r2() {
    let v = section(DATA, "ocs2007r2");
    keys(&v);
    let server = server_of(&v, TargetType::None, Version::WINDOWS_SERVER_2003);
    let client = ClientConfig {
        version: Version::WINDOWS_SERVER_2003,
        ..client_of(&v)
    };
    let (mut client, mut server) = replay(&v, &server, client, v.time("time"));

    let (buffer, signature) = (
        v.text("client_buffer").as_bytes(),
        v.array("client_signature"),
    );
    assert_eq!(client.sign(100, buffer), signature);
    server.verify(100, buffer, &signature).unwrap();
    let parts = buffer.chunks(7);
    assert_eq!(client.sign_parts(100, parts.clone()), signature);
    server.verify_parts(100, parts, &signature).unwrap();

    let (buffer, signature) = (
        v.text("server_buffer").as_bytes(),
        v.array("server_signature"),
    );
    assert_eq!(server.sign(100, buffer), signature);
    client.verify(100, buffer, &signature).unwrap();

    // Direction, number and every bit of the signature count.
    assert_eq!(
        server.verify(100, buffer, &signature),
        Err(Error::BadSignature)
    );
    assert_eq!(
        client.verify(101, buffer, &signature),
        Err(Error::BadSignature)
    );
    assert_eq!(
        client.verify(100, &buffer[1..], &signature),
        Err(Error::BadSignature)
    );
    for bit in 0..128 {
        let mut wrong = signature;
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(client.verify(100, buffer, &wrong), Err(Error::BadSignature));
    }
    client.verify(100, buffer, &signature).unwrap();
}

#[test]
fn ocs_2007_without_extended_session_security() {
    let v = section(DATA, "ocs2007");
    let key = ExportedSessionKey::from_bytes(v.array("exported_session_key"));
    let flags = NegotiateFlags::SIP_CLIENT.without(NegotiateFlags::EXTENDED_SESSIONSECURITY);
    let buffer = v.text("server_buffer").as_bytes();
    let signature = v.array("server_signature");
    let mut server = Session::from_exported_key(key.clone(), flags, Role::Server);
    assert_eq!(server.sign(100, buffer), signature);
    // The keystream does not depend on the number, the signature does.
    assert_eq!(server.sign(101, buffer)[..12], signature[..12]);
    assert_ne!(server.sign(101, buffer), signature);
    let mut client = Session::from_exported_key(key.clone(), flags, Role::Client);
    client.verify(100, buffer, &signature).unwrap();
    assert_eq!(
        client.verify(101, buffer, &signature),
        Err(Error::BadSignature)
    );

    // What the specification says is not what this server did.
    let mut weak = Session::with_seal_key(key, flags, Role::Client, DatagramSealKey::Weakened);
    assert_eq!(
        weak.verify(100, buffer, &signature),
        Err(Error::BadSignature)
    );
}

#[test]
fn mic_channel_bindings_and_target_name() {
    let v = section(DATA, "computed_datagram_mic");
    keys(&v);
    let time = v.time("timestamp");
    let vista = Version::new(6, 3, 9600);
    let server = server_of(&v, TargetType::Domain, vista);
    let config = ClientConfig {
        version: vista,
        lm_policy: LmPolicy::ZeroIfTimestamp,
        mic: true,
        target_name: Some("sip/fe01.contoso.com".to_owned()),
        ..client_of(&v)
    };
    // The time of the challenge counts, not that of the client.
    let (mut client, mut server) = replay(&v, &server, config, time);

    let (challenge, token) = (v.hex("challenge_message"), v.hex("authenticate_message"));
    let key = client.exported_session_key();
    let mic = handshake_mic(key, &[], &challenge, &token).unwrap();
    assert_eq!(mic[..], v.hex("mic"));
    assert_eq!(AuthenticateMessage::parse(&token).unwrap().mic, Some(mic));

    let buffer = v.text("buffer").as_bytes();
    assert_eq!(client.sign(100, buffer)[..], v.hex("client_signature"));
    assert_eq!(
        server.sign(100, buffer)[..],
        v.hex("server_signature_of_same_bytes")
    );
}
