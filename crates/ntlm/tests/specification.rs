//! Every value of [MS-NLMP] 4.2.

mod common;

use common::{Script, Section, section};
use ocs_ntlm::*;

const DATA: &str = include_str!("data/specification.txt");

struct Common {
    data: Section,
    credential: Credential,
    random: ExportedSessionKey,
    sc: [u8; 8],
    cc: [u8; 8],
}

fn common() -> Common {
    let data = section(DATA, "common");
    Common {
        credential: Credential::from_password(data.text("password")),
        random: ExportedSessionKey::from_bytes(data.array("random_session_key")),
        sc: data.array("server_challenge"),
        cc: data.array("client_challenge"),
        data,
    }
}

impl Common {
    fn plaintext(&self) -> Vec<u8> {
        self.data.hex("plaintext_utf16le")
    }

    fn config(&self, flags: NegotiateFlags) -> ClientConfig {
        let (user, domain) = (self.data.text("user"), self.data.text("user_dom"));
        ClientConfig {
            mode: Mode::Connection,
            workstation: self.data.text("workstation").to_owned(),
            flags: flags.without(NegotiateFlags::OEM | NegotiateFlags::TARGET_TYPE_SERVER),
            required_flags: NegotiateFlags::NONE,
            ..ClientConfig::sip(user, domain, self.credential.clone())
        }
    }

    /// The client's answer to the challenge of the section.
    fn answer(&self, v: &Section, config: ClientConfig) -> (Vec<u8>, Session) {
        let mut rng = Script::new(&[&self.cc, self.random.as_bytes()]);
        let challenge = v.hex("challenge_message");
        let client = Client::new(config);
        client
            .authenticate(&challenge, self.data.time("time"), &mut rng)
            .unwrap()
    }

    /// Seals the plaintext on a new connection.
    fn sealed(&self, session: Session) -> (Vec<u8>, MessageSignature) {
        let mut data = self.plaintext();
        let signature = session.into_stream().seal(&mut data);
        (data, signature)
    }
}

fn reparse(v: &Section) {
    let challenge = v.hex("challenge_message");
    let message = ChallengeMessage::parse(&challenge).unwrap();
    assert_eq!(message.negotiate_flags, v.flags("flags"));
    assert_eq!(message.target_name_text().unwrap(), "Server");
    assert_eq!(message.version, Version::new(6, 0, 6000));
    assert_eq!(message.to_vec().unwrap(), challenge);
    let token = v.hex("authenticate_message");
    let message = AuthenticateMessage::parse(&token).unwrap();
    assert_eq!(message.user_name_text().unwrap(), "User");
    assert_eq!(message.domain_name_text().unwrap(), "Domain");
    assert_eq!(message.workstation_text().unwrap(), "COMPUTER");
    assert_eq!(message.version, Version::WINDOWS_XP);
    assert_eq!(message.mic, None);
    assert_eq!(message.to_vec().unwrap(), token);
}

#[test]
fn v1() {
    let c = common();
    let v = section(DATA, "v1");
    reparse(&v);
    let nt = &c.credential.nt;
    let lm = c.credential.lm.as_ref().unwrap();
    assert_eq!(nt.as_bytes()[..], v.hex("ntowfv1"));
    assert_eq!(lm.as_bytes()[..], v.hex("lmowfv1"));
    assert_eq!(ntlmv1_response(nt, c.sc)[..], v.hex("nt_response"));
    let lm_response = lm_response(lm, c.sc);
    assert_eq!(lm_response[..], v.hex("lm_response"));
    let base = SessionBaseKey::v1(nt);
    assert_eq!(base.as_bytes()[..], v.hex("session_base_key"));

    let exchange = |extra: NegotiateFlags| {
        let exchange = KeyExchange {
            flags: v.flags("flags") | extra,
            version: NtlmVersion::V1,
            lm_response: &lm_response,
            server_challenge: c.sc,
            lm_hash: Some(lm),
        };
        exchange.key(&base).unwrap()
    };
    let plain = exchange(NegotiateFlags::NONE);
    assert_eq!(plain.as_bytes()[..], v.hex("key_exchange_key"));
    assert_eq!(
        plain.encrypt(&c.random)[..],
        v.hex("encrypted_random_session_key")
    );
    assert_eq!(
        plain.decrypt(&v.array("encrypted_random_session_key")),
        c.random
    );
    let non_nt = exchange(NegotiateFlags::REQUEST_NON_NT_SESSION_KEY);
    let encrypted = non_nt.encrypt(&c.random);
    assert_eq!(
        encrypted[..],
        v.hex("encrypted_random_session_key_non_nt_flag")
    );
    let lm_key = exchange(NegotiateFlags::LM_KEY);
    assert_eq!(lm_key.as_bytes()[..], v.hex("key_exchange_key_lm_key_flag"));
    let encrypted = lm_key.encrypt(&c.random);
    assert_eq!(
        encrypted[..],
        v.hex("encrypted_random_session_key_lm_key_flag")
    );
}

#[test]
fn v1_client_and_session() {
    let c = common();
    let v = section(DATA, "v1");
    let config = ClientConfig {
        allow_no_ess: true,
        use_ntlmv1: true,
        send_lm: true,
        ..c.config(v.flags("flags"))
    };
    let (mut token, session) = c.answer(&v, config);
    // The example sets TARGET_INFO in its answer though its challenge does not.
    let printed = v.hex("authenticate_message");
    assert_eq!(token[60..64], [0x35, 0x82, 0x00, 0xe2]);
    token[60..64].copy_from_slice(&printed[60..64]);
    assert_eq!(token, printed);

    assert_eq!(
        crc32fast::hash(&c.plaintext()).to_le_bytes()[..],
        v.hex("crc32_le")
    );
    assert_eq!(session.exported_session_key(), &c.random);
    let (data, signature) = c.sealed(session);
    assert_eq!(data, v.hex("seal_data"));
    assert_eq!(
        signature[..],
        v.hex("signature_with_randompad_zeroed_per_3_4_4_1")
    );
    assert_eq!(signature[8..12], v.hex("rc4_checksum"));
    assert_eq!(signature[12..], v.hex("rc4_seqnum"));

    // The example leaves RandomPad in place: it does not count.
    let mut printed: MessageSignature = v.array("signature_as_printed_by_4_2_2_4");
    assert_eq!(printed[4..8], v.hex("rc4_randompad"));
    let receiver = || {
        let flags = v.flags("flags");
        Session::from_exported_key(c.random.clone(), flags, Role::Server).into_stream()
    };
    let mut opened = data.clone();
    receiver().unseal(&mut opened, &printed).unwrap();
    assert_eq!(opened, c.plaintext());
    printed[8] ^= 1;
    let mut opened = data.clone();
    assert_eq!(
        receiver().unseal(&mut opened, &printed),
        Err(Error::BadSignature)
    );
    assert_eq!(opened, vec![0; data.len()]);
}

#[test]
fn v1_with_extended_session_security() {
    let c = common();
    let v = section(DATA, "v1_ess");
    reparse(&v);
    let nt = ntlm2_session_response(&c.credential.nt, c.sc, c.cc);
    assert_eq!(nt[..], v.hex("nt_response"));
    let lm = ntlm2_session_lm(c.cc);
    assert_eq!(lm[..], v.hex("lm_response"));
    let flags = v.flags("flags");
    let exchange = KeyExchange {
        flags,
        version: NtlmVersion::V1,
        lm_response: &lm,
        server_challenge: c.sc,
        lm_hash: None,
    };
    let key = exchange.key(&SessionBaseKey::v1(&c.credential.nt)).unwrap();
    assert_eq!(key.as_bytes()[..], v.hex("key_exchange_key"));
    let key = key.exported();
    assert_eq!(key.sign_key(Role::Client)[..], v.hex("sign_key"));
    let seal_key = key.seal_key(Role::Client, flags, DatagramSealKey::Whole);
    assert_eq!(seal_key.as_bytes(), v.hex("seal_key_56"));

    let config = ClientConfig {
        require_128: false,
        use_ntlmv1: true,
        ..c.config(flags)
    };
    let (token, session) = c.answer(&v, config);
    assert_eq!(token, v.hex("authenticate_message"));
    let (data, signature) = c.sealed(session);
    assert_eq!(data, v.hex("seal_data"));
    assert_eq!(signature[..], v.hex("signature"));
}

#[test]
fn v2() {
    let c = common();
    let v = section(DATA, "v2");
    reparse(&v);
    let hash = c.credential.nt.v2("User", "Domain");
    assert_eq!(hash.as_bytes()[..], v.hex("ntowfv2"));
    let temp = v.hex("temp");
    let proof = nt_proof_str(&hash, c.sc, &temp);
    assert_eq!(proof[..], v.hex("nt_proof_str"));
    let response = ntlmv2_response(&hash, c.sc, c.cc, 0, &v.hex("av_pairs"));
    assert_eq!(response, [&proof[..], &temp].concat());
    let parsed = NtlmV2Response::parse(&response).unwrap();
    assert_eq!(parsed.challenge_from_client, c.cc);
    assert_eq!(parsed.time_stamp, 0);
    assert_eq!(
        parsed.av_pairs.text(AvId::NB_DOMAIN_NAME).unwrap(),
        "Domain"
    );
    assert_eq!(
        parsed.av_pairs.text(AvId::NB_COMPUTER_NAME).unwrap(),
        "Server"
    );
    assert_eq!(lmv2_response(&hash, c.sc, c.cc)[..], v.hex("lmv2_response"));
    let base = SessionBaseKey::v2(&hash, &proof);
    assert_eq!(base.as_bytes()[..], v.hex("session_base_key"));
    let flags = v.flags("flags");
    let seal_key = c
        .random
        .seal_key(Role::Client, flags, DatagramSealKey::Whole);
    assert_eq!(seal_key.as_bytes(), v.hex("client_seal_key"));
    assert_eq!(
        c.random.sign_key(Role::Client)[..],
        v.hex("client_sign_key")
    );

    let (token, session) = c.answer(&v, c.config(flags));
    assert_eq!(token, v.hex("authenticate_message"));
    let message = AuthenticateMessage::parse(&token).unwrap();
    let encrypted = message.encrypted_random_session_key;
    assert_eq!(encrypted, v.hex("encrypted_random_session_key"));
    let (data, signature) = c.sealed(session);
    assert_eq!(data, v.hex("seal_data"));
    assert_eq!(signature[..], v.hex("signature"));

    // The checksum before RC4 is what a session without KEY_EXCH sends.
    let clear = flags.without(NegotiateFlags::KEY_EXCH);
    let session = Session::from_exported_key(c.random.clone(), clear, Role::Client);
    let (_, signature) = c.sealed(session);
    assert_eq!(signature[4..12], v.hex("checksum_before_rc4"));
}

/// The server of the specification's examples takes all three answers, if it
/// is told to.
#[test]
fn server_accepts_the_examples() {
    let c = common();
    for (name, ess) in [("v1", false), ("v1_ess", true), ("v2", true)] {
        let v = section(DATA, name);
        let token = v.hex("authenticate_message");
        let flags = v.flags("flags");
        let server = Server::new(ServerConfig {
            flags,
            max_lifetime: None,
            require_128: false,
            allow_no_ess: !ess,
            allow_ntlmv1: name != "v2",
            ..ServerConfig::http("Server", "Domain")
        })
        .unwrap();
        let negotiate = NegotiateMessage {
            negotiate_flags: flags,
            ..NegotiateMessage::default()
        };
        let negotiate = negotiate.to_vec().unwrap();
        let mut rng = Script::new(&[&c.sc]);
        let (_, pending) = server.challenge_for(&negotiate, &mut rng, 0).unwrap();
        let accounts = HashVerifier::new(|user: &str, domain: &str| {
            (user == "User" && domain == "Domain").then(|| NtHash::from_password("Password"))
        });
        let peer = pending.authenticate(&token, &accounts, 0).unwrap();
        assert_eq!(peer.workstation, "COMPUTER");
        let mut data = v.hex("seal_data");
        let signature = v
            .all("signature")
            .chain(v.all("signature_as_printed_by_4_2_2_4"));
        let signature = hex::decode(signature.last().unwrap()).unwrap();
        let mut stream = peer.session.into_stream();
        stream
            .unseal(&mut data, &signature.try_into().unwrap())
            .unwrap();
        assert_eq!(data, c.plaintext(), "{name}");
    }
}
