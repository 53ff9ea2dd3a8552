#![no_main]
//! Attribute lines of both dialects: what is read is written and read again as the same, and an agent takes it.

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use ocs_ice::{Agent, Component, Config, Description, Error, Limits, Role, Transport};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

fuzz_target!(|text: &str| {
    let limits = Limits::default();
    let Ok(description) = Description::parse(text, &limits) else {
        return;
    };
    let written = description.to_string();
    match Description::parse(&written, &limits) {
        Ok(again) => assert_eq!(again, description),
        // Every line was of a transport that is not known.
        Err(error) => {
            assert_eq!(error, Error::NoCandidate);
            assert!(!written.contains("a=candidate"));
        }
    }
    let config = Config::new(description.dialect(), Role::Controlling);
    let mut agent = Agent::new(config, ChaCha12Rng::seed_from_u64(1));
    let address = ([192, 0, 2, 1], 5000).into();
    for transport in [Transport::Udp, Transport::TcpActive, Transport::TcpPassive] {
        agent.add_host(Component::Rtp, transport, address).unwrap();
    }
    let mut now = Instant::now();
    agent.gather(now).unwrap();
    agent.set_remote(now, &description).unwrap();
    let end = now + Duration::from_secs(60);
    while let Some(timeout) = agent.poll_timeout().filter(|timeout| *timeout < end) {
        now = timeout.max(now);
        agent.handle_timeout(now);
        while agent.poll_output().is_some() {}
    }
    let _ = agent.handle_final(now, &description);
});
