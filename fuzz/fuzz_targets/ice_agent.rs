#![no_main]
//! An agent and whatever comes in: the first octet chooses the dialect, then packets, each behind its length, alternately as datagrams
//! and as a stream.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ocs_ice::{Agent, Component, Config, Credentials, Description, Dialect, Limits, Role, Transport};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

const PEER: &str = "a=ice-ufrag:Wm1K\r\na=ice-pwd:uR9x0KZ8QpTn3vB6yD2sEfGh\r\n\
a=candidate:1 1 UDP 2130706431 192.0.2.2 6000 typ host\r\n";
const OLD_PEER: &str = "a=candidate:EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8 1 \
oKGio6SlpqeoqaqrrK2urw UDP 0.830 192.0.2.2 6000\r\n";

fuzz_target!(|data: &[u8]| {
    let Some((&first, mut data)) = data.split_first() else {
        return;
    };
    let (dialect, peer) = if first & 1 == 0 {
        (Dialect::Ice2, PEER)
    } else {
        (Dialect::Ice, OLD_PEER)
    };
    let role = if first & 2 == 0 { Role::Controlling } else { Role::Controlled };
    let credentials = Credentials::new("q7Fz", "aB3dE5fG7hJ9kL1mN2pQ4rS6").unwrap();
    let rng = ChaCha12Rng::seed_from_u64(1);
    let mut agent = Agent::with_credentials(Config::new(dialect, role), rng, credentials, 7);
    let base = SocketAddr::from(([192, 0, 2, 1], 5000));
    let remote = SocketAddr::from(([192, 0, 2, 2], 6000));
    for transport in [Transport::Udp, Transport::TcpPassive] {
        agent.add_host(Component::Rtp, transport, base).unwrap();
    }
    let mut now = Instant::now();
    agent.gather(now).unwrap();
    let description = Description::parse(peer, &Limits::default()).unwrap();
    if first & 4 == 0 {
        agent.set_remote(now, &description).unwrap();
    }
    let connection = agent.handle_accepted(now, base, remote).unwrap();
    while let Some((length, rest)) = data.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (packet, rest) = rest.split_at(length);
        data = rest;
        agent.handle_datagram(now, base, remote, Bytes::copy_from_slice(packet));
        agent.handle_stream(now, connection, Bytes::copy_from_slice(packet));
        now += Duration::from_millis(20);
        agent.handle_timeout(now);
        while agent.poll_output().is_some() {}
        while agent.poll_event().is_some() {}
    }
    assert!(agent.pairs().len() <= 100 + 2 * 20);
});
