//! The three NTLM messages, AV pairs, a server that is given an arbitrary
//! AUTHENTICATE message and a client that is given an arbitrary CHALLENGE.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocs_ntlm::{
    AuthenticateMessage, AvPairs, ChallengeMessage, Client, ClientConfig, Credential, HashVerifier,
    MessageType, NegotiateFlags, NegotiateMessage, NtlmV2Response, Server, ServerConfig,
};
use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;

const NOW: u64 = 133_500_000_000_000_000;

/// Makes the challenge constant, so that an input can answer it.
struct Constant;

impl TryRng for Constant {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0xAAAA_AAAA)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0xAAAA_AAAA_AAAA_AAAA)
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.fill(0xAA);
        Ok(())
    }
}

impl TryCryptoRng for Constant {}

fn messages(data: &[u8]) {
    let _ = MessageType::of(data);
    if let Ok(message) = NegotiateMessage::parse(data) {
        let again = message.to_vec().expect("what was read can be written");
        assert_eq!(NegotiateMessage::parse(&again), Ok(message));
    }
    if let Ok(message) = ChallengeMessage::parse(data) {
        let again = message.to_vec().expect("what was read can be written");
        assert_eq!(ChallengeMessage::parse(&again), Ok(message));
        let _ = message.target_name_text();
        if let Ok(Some(pairs)) = message.av_pairs() {
            av_pairs(pairs);
        }
    }
    if let Ok(message) = AuthenticateMessage::parse(data) {
        let again = message.to_vec().expect("what was read can be written");
        assert_eq!(AuthenticateMessage::parse(&again), Ok(message));
        if let Ok(response) = NtlmV2Response::parse(message.nt_challenge_response) {
            av_pairs(response.av_pairs);
        }
    }
    if let Ok(pairs) = AvPairs::parse(data) {
        av_pairs(pairs);
    }
}

fn av_pairs(pairs: AvPairs<'_>) {
    let total: usize = pairs.iter().map(|pair| pair.value.len() + 4).sum();
    assert_eq!(total + 4, pairs.as_bytes().len());
    for pair in &pairs {
        let _ = pair.text();
    }
    let _ = (
        pairs.flags(),
        pairs.timestamp(),
        pairs.single_host(),
        pairs.channel_bindings(),
    );
}

fn server(data: &[u8], config: ServerConfig) {
    let server = Server::new(config).expect("short names");
    let (_, pending) = server
        .challenge(&mut Constant, NOW)
        .expect("connectionless");
    let verifier = HashVerifier::new(|user: &str, _: &str| {
        (user == "alice").then(|| Credential::from_password("Passw0rd"))
    });
    if let Ok(mut peer) = pending.authenticate(data, &verifier, NOW) {
        assert!(peer.anonymous || peer.user == "alice");
        let signature = peer.session.sign(100, data);
        let _ = peer.session.verify(100, data, &signature);
        let _ = peer.session.unseal(100, &mut data.to_vec(), &signature);
    }
}

fn client(data: &[u8], config: ClientConfig) {
    let client = Client::new(config);
    if let Ok((token, _)) = client.authenticate(data, NOW, &mut Constant) {
        AuthenticateMessage::parse(&token).expect("what was written can be read");
    }
}

fuzz_target!(|data: &[u8]| {
    messages(data);

    let strict = ServerConfig::sip("FE01", "CONTOSO");
    server(data, strict.clone());
    server(
        data,
        ServerConfig {
            required_flags: NegotiateFlags::NONE,
            require_128: false,
            allow_no_ess: true,
            allow_ntlmv1: true,
            allow_lm: true,
            allow_anonymous: true,
            max_lifetime: None,
            ..strict
        },
    );

    let strict = ClientConfig::sip("alice", "CONTOSO", Credential::from_password("Passw0rd"));
    client(data, strict.clone());
    let lax = ClientConfig {
        flags: !NegotiateFlags::NONE,
        required_flags: NegotiateFlags::NONE,
        require_128: false,
        allow_no_ess: true,
        mic: true,
        ..strict
    };
    client(data, lax.clone());
    client(
        data,
        ClientConfig {
            use_ntlmv1: true,
            send_lm: true,
            ..lax
        },
    );
});
