//! A client and a hostile server: answers whose transaction identifier is right and whose rest is the fuzzer's.
#![no_main]

use std::time::Instant;

use libfuzzer_sys::fuzz_target;
use ocs_stun::{Dialect, Message, Password};
use ocs_turn::client::{Client, Config, Credentials, Output, Transport};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

fuzz_target!(|data: &[u8]| {
    let Some((&kind, mut input)) = data.split_first() else {
        return;
    };
    let transport = [Transport::Udp, Transport::Tcp, Transport::PseudoTls][usize::from(kind) % 3];
    let mut now = Instant::now();
    let config = Config::new(([192, 0, 2, 20], 3478).into(), transport);
    let credentials = Credentials {
        username: b"alice"[..].into(),
        password: Password::from(*b"secret"),
    };
    let mut client = Client::new(now, config, credentials, ChaCha8Rng::seed_from_u64(1));
    let mut id = None;
    while let [len, rest @ ..] = input {
        let (octets, after) = rest.split_at(usize::from(*len).min(rest.len()));
        input = after;
        let mut connect = false;
        while let Some(output) = client.poll_output() {
            match output {
                Output::Connect(_) => connect = true,
                Output::Send { octets, .. } => {
                    let octets = match octets {
                        [2, 0, _, _, message @ ..] => message,
                        other => other,
                    };
                    if let Ok(message) = Message::parse(Dialect::MsTurn, octets) {
                        id = Some(message.transaction_id());
                    }
                }
                Output::Close => {}
            }
        }
        if connect {
            client.handle_connected(now);
        }
        // Where a message has its identifier, the right one is put.
        let mut octets = octets.to_vec();
        if let (Some(id), Some(field)) = (id, octets.get_mut(4..20)) {
            field.copy_from_slice(&id.0);
        }
        let _ = client.handle_data(now, &octets);
        while client.poll_event().is_some() {}
        if octets.is_empty()
            && let Some(timeout) = client.poll_timeout()
        {
            now = timeout;
            client.handle_timeout(now);
        }
    }
});
