//! Client against server, in both modes, and what each refuses.

use ocs_ntlm::*;
use rand_chacha::ChaCha12Rng;
use rand_core::{Rng, SeedableRng};
use std::time::Duration;

const NOW: u64 = 133_500_000_000_000_000;
const SECOND: u64 = 10_000_000;

fn rng() -> ChaCha12Rng {
    ChaCha12Rng::seed_from_u64(7)
}

fn credential() -> Credential {
    Credential::from_password("Passw0rd")
}

fn accounts() -> impl Verifier {
    HashVerifier::new(|user: &str, _: &str| user.eq_ignore_ascii_case("alice").then(credential))
}

fn sip_client() -> ClientConfig {
    ClientConfig::sip("alice", "CONTOSO", credential())
}

fn http_client() -> ClientConfig {
    ClientConfig::http("alice", "CONTOSO", credential())
}

fn sip_server() -> ServerConfig {
    ServerConfig::sip("FE01", "CONTOSO")
}

fn http_server() -> ServerConfig {
    ServerConfig::http("FE01", "CONTOSO")
}

struct Handshake {
    client: Client,
    challenge: Vec<u8>,
    pending: PendingChallenge,
    rng: ChaCha12Rng,
}

impl Handshake {
    fn begin(client: ClientConfig, server: ServerConfig) -> Result<Self, Error> {
        let mut rng = rng();
        let client = Client::new(client);
        let server = Server::new(server)?;
        let (challenge, pending) = match server.config().mode {
            Mode::Connectionless => server.challenge(&mut rng, NOW)?,
            Mode::Connection => server.challenge_for(&client.negotiate(), &mut rng, NOW)?,
        };
        Ok(Self {
            client,
            challenge,
            pending,
            rng,
        })
    }

    fn answer(&mut self) -> Result<(Vec<u8>, Session), Error> {
        self.client
            .authenticate(&self.challenge, NOW, &mut self.rng)
    }

    fn finish(self, token: &[u8]) -> Result<Authenticated, Error> {
        self.pending.authenticate(token, &accounts(), NOW)
    }
}

/// A whole handshake.
fn run(client: ClientConfig, server: ServerConfig) -> Result<(Session, Authenticated), Error> {
    let mut handshake = Handshake::begin(client, server)?;
    let (token, session) = handshake.answer()?;
    let peer = handshake.finish(&token)?;
    assert_eq!(
        session.exported_session_key(),
        peer.session.exported_session_key()
    );
    Ok((session, peer))
}

fn refused(client: ClientConfig, server: ServerConfig) -> Error {
    run(client, server).map(|_| ()).unwrap_err()
}

/// Signs and seals in both directions.
fn exercise(mut a: Session, mut b: Session) {
    for seq in [100, 100, 0, 100, u32::MAX] {
        let signature = a.sign(seq, b"to the server");
        b.verify(seq, b"to the server", &signature).unwrap();
        assert_eq!(a.sign(seq, b"to the server"), signature);
        let signature = b.sign(seq, b"to the client");
        a.verify(seq, b"to the client", &signature).unwrap();
        let mut data = *b"secret";
        if !a.flags().contains(NegotiateFlags::EXTENDED_SESSIONSECURITY) {
            let error = Error::Weak(Weakness::NoExtendedSessionSecurity);
            assert_eq!(a.seal(seq, &mut data), Err(error));
            assert_eq!(b.unseal(seq, &mut data, &[0; 16]), Err(error));
            assert_eq!(&data, b"secret");
            continue;
        }
        let signature = a.seal(seq, &mut data).unwrap();
        assert_ne!(&data, b"secret");
        b.unseal(seq, &mut data, &signature).unwrap();
        assert_eq!(&data, b"secret");
        data[0] ^= 1;
        assert_eq!(
            b.unseal(seq, &mut data, &signature),
            Err(Error::BadSignature)
        );
        assert_eq!(data, [0; 6]);
    }
}

fn exercise_stream(a: Session, b: Session) {
    let (mut a, mut b) = (a.into_stream(), b.into_stream());
    for _ in 0..3 {
        let signature = a.sign(b"signed");
        b.verify(b"signed", &signature).unwrap();
        let mut data = *b"sealed";
        let signature = b.seal(&mut data);
        assert_ne!(&data, b"sealed");
        a.unseal(&mut data, &signature).unwrap();
        assert_eq!(&data, b"sealed");
    }
}

#[test]
fn sip() {
    let (session, peer) = run(sip_client(), sip_server()).unwrap();
    assert_eq!((&*peer.user, &*peer.domain), ("alice", "CONTOSO"));
    assert!(!peer.anonymous);
    assert_eq!(session.flags().0, 0x6298_8255);
    assert_eq!(peer.session.flags(), session.flags());
    exercise(session, peer.session);
}

#[test]
fn sip_with_everything() {
    let bindings = Some(channel_bindings_hash(b"tls-server-end-point:certificate"));
    for lm_policy in [
        LmPolicy::Computed,
        LmPolicy::ZeroIfTimestamp,
        LmPolicy::AbsentIfTargetInfo,
    ] {
        let client = ClientConfig {
            lm_policy,
            mic: true,
            channel_bindings: bindings,
            target_name: Some("sip/fe01.contoso.com".to_owned()),
            ..sip_client()
        };
        let server = ServerConfig {
            timestamp: true,
            require_mic: true,
            channel_bindings: bindings,
            target_type: TargetType::Server,
            ..sip_server()
        };
        let (session, peer) = run(client, server).unwrap();
        exercise(session, peer.session);
    }
}

#[test]
fn http() {
    let (session, peer) = run(http_client(), http_server()).unwrap();
    // Nothing to be signed was negotiated: constant signatures.
    let (mut a, mut b) = (session.into_stream(), peer.session.into_stream());
    let signature = a.sign(b"x");
    assert_eq!(signature[0], 1);
    assert_eq!(signature[1..], [0; 15]);
    b.verify(b"x", &signature).unwrap();
    assert_eq!(b.verify(b"x", &[1; 16]), Err(Error::BadSignature));

    let (session, peer) = run(http_client().with_sign(), http_server()).unwrap();
    exercise_stream(session, peer.session);
    let server = ServerConfig {
        require_mic: true,
        ..http_server()
    };
    let (session, peer) = run(http_client().with_seal(), server).unwrap();
    exercise_stream(session, peer.session);
}

#[test]
fn every_kind_of_session_agrees() {
    use NegotiateFlags as F;
    for extra in [
        F::NONE,
        F::LM_KEY,
        F::NEGOTIATE_56,
        F::REQUEST_NON_NT_SESSION_KEY,
    ] {
        for ess in [F::NONE, F::EXTENDED_SESSIONSECURITY] {
            for use_ntlmv1 in [false, true] {
                for key_exch in [F::NONE, F::KEY_EXCH] {
                    let flags = F::HTTP_CLIENT
                        .without(F::EXTENDED_SESSIONSECURITY | F::NEGOTIATE_128)
                        | F::SIGN
                        | F::SEAL
                        | ess
                        | key_exch
                        | extra;
                    let client = ClientConfig {
                        flags,
                        require_128: false,
                        allow_no_ess: true,
                        use_ntlmv1,
                        send_lm: true,
                        ..http_client()
                    };
                    let server = ServerConfig {
                        flags: flags | F::CONNECTION_SERVER,
                        require_128: false,
                        allow_no_ess: true,
                        allow_ntlmv1: true,
                        ..http_server()
                    };
                    let (session, peer) = run(client, server).unwrap();
                    assert_eq!(session.flags(), peer.session.flags());
                    exercise_stream(session, peer.session);
                }
            }
        }
    }
}

#[test]
fn oem_names() {
    let flags = NegotiateFlags::HTTP_CLIENT.without(NegotiateFlags::UNICODE) | NegotiateFlags::OEM;
    let required_flags = NegotiateFlags::NTLM;
    let client = ClientConfig {
        flags,
        required_flags,
        ..http_client()
    };
    let (_, peer) = run(client.clone(), http_server()).unwrap();
    assert_eq!(peer.user, "alice");
    let client = ClientConfig {
        user: "zoë".to_owned(),
        ..client
    };
    assert_eq!(
        refused(client, http_server()),
        Error::Text {
            field: Field::UserName
        }
    );
}

#[test]
fn wrong_password_and_unknown_user_look_alike() {
    let wrong = ClientConfig::sip("alice", "CONTOSO", Credential::from_password("password"));
    assert_eq!(refused(wrong, sip_server()), Error::LogonFailure);
    let unknown = ClientConfig::sip("mallory", "CONTOSO", credential());
    assert_eq!(refused(unknown, sip_server()), Error::LogonFailure);
    // An unknown user cannot get in with the hash that stands for unknown users.
    let zero = ClientConfig::sip("mallory", "", NtHash::from_bytes([0; 16]).into());
    assert_eq!(refused(zero, sip_server()), Error::LogonFailure);
}

#[test]
fn user_and_domain_in_the_proof() {
    // The user's case does not count.
    let client = ClientConfig::sip("ALICE", "CONTOSO", credential());
    run(client, sip_server()).unwrap();
    // A client may leave the domain out of its computation: the name is
    // written afterwards, over a placeholder of the same length.
    let mut handshake = Handshake::begin(
        ClientConfig {
            workstation: "XX".to_owned(),
            domain: String::new(),
            ..sip_client()
        },
        sip_server(),
    )
    .unwrap();
    let (token, _) = handshake.answer().unwrap();
    let mut message = AuthenticateMessage::parse(&token).unwrap();
    message.domain_name = b"C\0O\0";
    handshake.finish(&message.to_vec().unwrap()).unwrap();
}

#[test]
fn downgrades_are_refused_by_the_server() {
    let weak = |client: ClientConfig| match refused(client, sip_server()) {
        Error::Weak(weakness) => weakness,
        error => panic!("{error}"),
    };
    let without = |flag| ClientConfig {
        flags: NegotiateFlags::SIP_CLIENT.without(flag),
        allow_no_ess: true,
        require_128: false,
        ..sip_client()
    };
    let no_ess = without(NegotiateFlags::EXTENDED_SESSIONSECURITY);
    assert_eq!(weak(no_ess.clone()), Weakness::NoExtendedSessionSecurity);
    assert_eq!(
        weak(without(NegotiateFlags::NEGOTIATE_128)),
        Weakness::No128BitKeys
    );
    let v1 = ClientConfig {
        use_ntlmv1: true,
        ..sip_client()
    };
    assert_eq!(weak(v1.clone()), Weakness::NtlmV1);
    let anonymous = ClientConfig {
        credential: None,
        ..sip_client()
    };
    assert_eq!(weak(anonymous.clone()), Weakness::Anonymous);
    for flag in [
        NegotiateFlags::SIGN,
        NegotiateFlags::KEY_EXCH,
        NegotiateFlags::DATAGRAM,
    ] {
        assert_eq!(
            refused(without(flag), sip_server()),
            Error::MissingFlags(flag)
        );
    }

    // Each with its own permission.
    let (session, peer) = run(
        no_ess,
        ServerConfig {
            allow_no_ess: true,
            ..sip_server()
        },
    )
    .unwrap();
    exercise(session, peer.session);
    run(
        v1,
        ServerConfig {
            allow_ntlmv1: true,
            ..sip_server()
        },
    )
    .unwrap();
    let (session, peer) = run(
        anonymous,
        ServerConfig {
            allow_anonymous: true,
            ..sip_server()
        },
    )
    .unwrap();
    assert!(peer.anonymous && peer.user.is_empty());
    exercise(session, peer.session);
}

#[test]
fn lm_alone_is_refused_unless_allowed() {
    let token = |server: ServerConfig| {
        let mut handshake = Handshake::begin(sip_client(), server).unwrap();
        let (token, _) = handshake.answer().unwrap();
        let mut message = AuthenticateMessage::parse(&token).unwrap();
        message.nt_challenge_response = &[];
        let only_lm = message.to_vec().unwrap();
        handshake.finish(&only_lm).map(|peer| peer.user)
    };
    assert_eq!(token(sip_server()), Err(Error::Weak(Weakness::Lm)));
    let allowed = ServerConfig {
        allow_lm: true,
        ..sip_server()
    };
    assert_eq!(token(allowed).as_deref(), Ok("alice"));
}

#[test]
fn downgrades_are_refused_by_the_client() {
    let weak = |flag, config: ClientConfig| {
        let server = ServerConfig {
            flags: NegotiateFlags::OCS_2007_R2.without(flag),
            require_128: false,
            allow_no_ess: true,
            ..sip_server()
        };
        run(config, server).map(|_| ())
    };
    let ess = NegotiateFlags::EXTENDED_SESSIONSECURITY;
    let error = Err(Error::Weak(Weakness::NoExtendedSessionSecurity));
    assert_eq!(weak(ess, sip_client()), error);
    assert_eq!(
        weak(
            ess,
            ClientConfig {
                allow_no_ess: true,
                ..sip_client()
            }
        ),
        Ok(())
    );
    let n128 = NegotiateFlags::NEGOTIATE_128;
    let error = Err(Error::Weak(Weakness::No128BitKeys));
    assert_eq!(weak(n128, sip_client()), error);
    assert_eq!(
        weak(
            n128,
            ClientConfig {
                require_128: false,
                ..sip_client()
            }
        ),
        Ok(())
    );
    let sign = NegotiateFlags::SIGN;
    assert_eq!(weak(sign, sip_client()), Err(Error::MissingFlags(sign)));
}

#[test]
fn challenge_must_name_server_and_domain() {
    let target_info = AvPairsBuilder::new()
        .text(AvId::NB_DOMAIN_NAME, "CONTOSO")
        .unwrap()
        .finish();
    let challenge = ChallengeMessage {
        negotiate_flags: NegotiateFlags::OCS_2007_R2,
        target_info: &target_info,
        ..ChallengeMessage::default()
    };
    let challenge = challenge.to_vec().unwrap();
    let error = Client::new(sip_client())
        .authenticate(&challenge, NOW, &mut rng())
        .unwrap_err();
    assert_eq!(error, Error::TargetInfoIncomplete);
}

#[test]
fn mic_covers_all_messages() {
    let client = ClientConfig {
        mic: true,
        ..sip_client()
    };
    let server = ServerConfig {
        timestamp: true,
        ..sip_server()
    };
    let mut handshake = Handshake::begin(client.clone(), server.clone()).unwrap();
    let (token, _) = handshake.answer().unwrap();
    let mut message = AuthenticateMessage::parse(&token).unwrap();
    // Flags that the server would follow.
    message.negotiate_flags |= NegotiateFlags::NEGOTIATE_56;
    assert_eq!(
        handshake.finish(&message.to_vec().unwrap()).unwrap_err(),
        Error::Mic
    );

    // The MIC taken away.
    let mut handshake = Handshake::begin(client.clone(), server.clone()).unwrap();
    let (token, _) = handshake.answer().unwrap();
    let mut message = AuthenticateMessage::parse(&token).unwrap();
    message.mic = None;
    assert_eq!(
        handshake.finish(&message.to_vec().unwrap()).unwrap_err(),
        Error::Mic
    );

    // A changed challenge: here its version.
    let mut handshake = Handshake::begin(client, server.clone()).unwrap();
    handshake.challenge[48] ^= 1;
    let (token, _) = handshake.answer().unwrap();
    assert_eq!(handshake.finish(&token).unwrap_err(), Error::Mic);

    let strict = ServerConfig {
        require_mic: true,
        ..server
    };
    assert_eq!(refused(sip_client(), strict), Error::Mic);
}

#[test]
fn channel_bindings_must_be_equal() {
    let server = ServerConfig {
        channel_bindings: Some([1; 16]),
        ..sip_server()
    };
    for channel_bindings in [None, Some([0; 16]), Some([2; 16])] {
        let client = ClientConfig {
            channel_bindings,
            ..sip_client()
        };
        assert_eq!(refused(client, server.clone()), Error::BadBindings);
    }
    let client = ClientConfig {
        channel_bindings: Some([1; 16]),
        ..sip_client()
    };
    run(client.clone(), server).unwrap();
    run(client, sip_server()).unwrap();
}

#[test]
fn responses_have_a_lifetime() {
    let at = |now, max_lifetime| {
        let server = ServerConfig {
            max_lifetime,
            ..sip_server()
        };
        let mut handshake = Handshake::begin(sip_client(), server).unwrap();
        let (token, _) = handshake.answer().unwrap();
        handshake
            .pending
            .authenticate(&token, &accounts(), now)
            .map(|_| ())
    };
    let day_and_half = Some(Duration::from_hours(36));
    let limit = 36 * 3600 * SECOND;
    assert_eq!(at(NOW + limit, day_and_half), Ok(()));
    assert_eq!(at(NOW + limit + 1, day_and_half), Err(Error::Expired));
    assert_eq!(at(NOW - limit - 1, day_and_half), Err(Error::Expired));
    assert_eq!(at(0, None), Ok(()));
}

#[test]
fn hostile_answers() {
    let mut rng = rng();
    for at in 0..300 {
        let mut handshake = Handshake::begin(sip_client(), sip_server()).unwrap();
        let (mut token, _) = handshake.answer().unwrap();
        let at = at % token.len();
        token[at] ^= 1 + (rng.next_u32() % 255) as u8;
        // Whatever is accepted has been proven.
        if let Ok(peer) = handshake.finish(&token) {
            assert!(peer.user.eq_ignore_ascii_case("alice"));
        }
    }
    let mut handshake = Handshake::begin(sip_client(), sip_server()).unwrap();
    let (mut token, _) = handshake.answer().unwrap();
    token.resize(16385, 0);
    let error = Error::TooLong {
        len: 16385,
        max: 16384,
    };
    assert_eq!(handshake.finish(&token).unwrap_err(), error);

    let mut handshake = Handshake::begin(sip_client(), sip_server()).unwrap();
    let (token, _) = handshake.answer().unwrap();
    let mut message = AuthenticateMessage::parse(&token).unwrap();
    message.encrypted_random_session_key = &message.encrypted_random_session_key[..15];
    let token = message.to_vec().unwrap();
    assert_eq!(
        handshake.finish(&token).unwrap_err(),
        Error::SessionKeyMissing
    );
}

#[test]
fn modes_do_not_mix() {
    let server = Server::new(sip_server()).unwrap();
    let negotiate = Client::new(http_client()).negotiate();
    let error = server
        .challenge_for(&negotiate, &mut rng(), NOW)
        .unwrap_err();
    assert_eq!(error, Error::Mode);
    let server = Server::new(http_server()).unwrap();
    assert_eq!(server.challenge(&mut rng(), NOW).unwrap_err(), Error::Mode);
}

#[test]
fn a_stream_refuses_messages_out_of_order() {
    let (session, peer) = run(http_client().with_seal(), http_server()).unwrap();
    let (mut a, mut b) = (session.into_stream(), peer.session.into_stream());
    let first = a.sign(b"first");
    let mut data = *b"second";
    let second = a.seal(&mut data);
    let early = Error::OutOfSequence {
        expected: 0,
        found: 1,
    };
    assert_eq!(b.unseal(&mut data, &second), Err(early));
    // Nothing has moved.
    b.verify(b"first", &first).unwrap();
    let replay = Error::OutOfSequence {
        expected: 1,
        found: 0,
    };
    assert_eq!(b.verify(b"first", &first), Err(replay));
    b.unseal(&mut data, &second).unwrap();
    assert_eq!(&data, b"second");
}

/// Without extended session security one keystream serves both directions.
#[test]
fn a_weak_stream_is_half_duplex() {
    let flags = NegotiateFlags::HTTP_CLIENT.without(NegotiateFlags::EXTENDED_SESSIONSECURITY)
        | NegotiateFlags::SIGN;
    let stream = |role| {
        Session::from_exported_key(ExportedSessionKey::from_bytes([5; 16]), flags, role)
            .into_stream()
    };
    let (mut client, mut server) = (stream(Role::Client), stream(Role::Server));
    let request = client.sign(b"message");
    server.verify(b"message", &request).unwrap();
    let response = server.sign(b"message");
    assert_ne!(request, response);
    client.verify(b"message", &response).unwrap();
    // Its own signature does not come back.
    let request = client.sign(b"message");
    assert_eq!(
        client.verify(b"message", &request),
        Err(Error::BadSignature)
    );
}

/// A verifier that forwards: what a domain controller would get is enough.
#[test]
fn forwarding_verifier() {
    struct DomainController;
    impl Verifier for DomainController {
        fn verify(&self, attempt: &Attempt<'_>) -> Option<Verified> {
            let local = HashVerifier::new(|_: &str, _: &str| Some(credential()));
            let key = local.verify(attempt)?.session_base_key;
            Some(Verified::new(attempt, key))
        }
    }
    let mut handshake = Handshake::begin(sip_client(), sip_server()).unwrap();
    let (token, session) = handshake.answer().unwrap();
    let peer = handshake
        .pending
        .authenticate(&token, &DomainController, NOW)
        .unwrap();
    exercise(session, peer.session);
}

#[test]
fn what_the_sip_crate_stores() {
    fn is_send<T: Send>() {}
    is_send::<Session>();
    is_send::<Stream>();
    is_send::<PendingChallenge>();
    assert!(size_of::<PendingChallenge>() <= 48);
    let (session, _) = run(sip_client(), sip_server()).unwrap();
    let text = format!("{session:?}");
    assert!(
        text.starts_with("Session { role: Client, flags: 0x62988255"),
        "{text}"
    );
}
