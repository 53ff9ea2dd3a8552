//! What an agent costs: a description, a check and its answer, a packet of media, a whole call.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ocs_ice::{
    Agent, Component, Config, Description, Dialect, Event, Limits, Output, Phase, Role, Transport,
};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

type Agents = [Agent<ChaCha12Rng>; 2];

fn address(side: usize, port: u16) -> SocketAddr {
    ([192, 0, 2, 1 + side as u8], port).into()
}

fn agents(dialect: Dialect, now: Instant) -> Agents {
    let mut agents = [Role::Controlling, Role::Controlled].map(|role| {
        Agent::new(
            Config::new(dialect, role),
            ChaCha12Rng::seed_from_u64(role as u64),
        )
    });
    for (side, agent) in agents.iter_mut().enumerate() {
        for (component, port) in [(Component::Rtp, 5000), (Component::Rtcp, 5001)] {
            agent
                .add_host(component, Transport::Udp, address(side, port))
                .expect("new");
        }
        agent.gather(now).expect("once");
    }
    let [offer, answer] = [0, 1].map(|side: usize| agents[side].local_description());
    agents[1].set_remote(now, &offer).expect("once");
    agents[0].set_remote(now, &answer).expect("once");
    agents
}

/// Carries datagrams to and fro until both have their pairs; gives the last check of the first side.
fn complete(agents: &mut Agents, now: &mut Instant) -> Bytes {
    let mut last = Bytes::new();
    while agents.iter().any(|agent| agent.phase() != Phase::Completed) {
        for side in 0..2 {
            while let Some(output) = agents[side].poll_output() {
                if let Output::Datagram { base, remote, data } = output {
                    if side == 0 && data[1] == 1 && data[0] == 0 && base.port() == 5000 {
                        last = data.clone();
                    }
                    agents[1 - side].handle_datagram(*now, remote, base, data);
                }
            }
            agents[side].handle_timeout(*now);
        }
        *now += Duration::from_millis(1);
    }
    last
}

fn bench(c: &mut Criterion) {
    let now = Instant::now();
    let mut text = agents(Dialect::Ice2, now)[0]
        .local_description()
        .to_string();
    for index in 0..18 {
        let port = 5000 + index;
        writeln!(
            text,
            "a=candidate:{index} 1 UDP {index} 192.0.2.1 {port} typ host\r"
        )
        .unwrap();
    }
    c.bench_function("description/20 candidates", |b| {
        b.iter(|| Description::parse(&text, &Limits::default()));
    });

    c.bench_function("call/ms-ice2", |b| {
        b.iter(|| {
            let mut now = now;
            complete(&mut agents(Dialect::Ice2, now), &mut now)
        });
    });

    let mut time = now;
    let mut pair = agents(Dialect::Ice2, now);
    let check = complete(&mut pair, &mut time);
    let [mut caller, mut callee] = pair;
    c.bench_function("check/answered", |b| {
        b.iter(|| {
            callee.handle_datagram(time, address(1, 5000), address(0, 5000), check.clone());
            callee.poll_output()
        });
    });

    let packet = Bytes::from(vec![0x80; 172]);
    let mut group = c.benchmark_group("media");
    group.throughput(Throughput::Elements(1));
    group.bench_function("sent and received", |b| {
        b.iter(|| {
            caller
                .send(time, Component::Rtp, packet.clone())
                .expect("a pair");
            while let Some(output) = caller.poll_output() {
                if let Output::Datagram { base, remote, data } = output {
                    callee.handle_datagram(time, remote, base, data);
                }
            }
            while let Some(event) = callee.poll_event() {
                if let Event::Data { data, .. } = event {
                    return data.len();
                }
            }
            0
        });
    });
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
