//! Media finds its way between two people behind address translators ([MS-ICE2], [MS-ICE], [MS-TURN]).
//!
//! `--caller KIND` and `--callee KIND` choose the translators: `full-cone`, `restricted`, `port-restricted`, `symmetric`,
//! `udp-blocked`, or `none`. `--no-relay` leaves the relay to tell reflexive addresses only, `--dialect ms-ice` takes the older protocol.
//! Prints every packet, the pairs that were checked, and the pair that was selected. `--trace`, `--svg FILE`, `--pcap FILE` and `--seed N`
//! as in `instant_message`.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use clap::{Parser, ValueEnum};
use ocs_examples::{finish, stun_dissectors};
use ocs_hosts::{IceHost, RelayHost};
use ocs_ice::{
    CandidatePolicy, Carrier, Component, Config, Description, Dialect, Event, Limits, Phase, Role,
    Transport,
};
use ocs_testbed::{HostId, Listener, Nat, NatKind, Options, Testbed};

/// What this example knows besides the switches of all examples.
#[derive(Parser)]
struct Arguments {
    /// The translator before the caller
    #[arg(long, default_value = "restricted", value_parser = nat)]
    caller: Translator,
    /// The translator before the callee
    #[arg(long, default_value = "symmetric", value_parser = nat)]
    callee: Translator,
    /// The relay only tells reflexive addresses
    #[arg(long)]
    no_relay: bool,
    /// The protocol
    #[arg(long, value_enum, default_value_t = Protocol::MsIce2)]
    dialect: Protocol,
}

/// A kind of translator, or none.
#[derive(Clone, Copy)]
struct Translator(Option<NatKind>);

#[derive(Clone, Copy, ValueEnum)]
enum Protocol {
    MsIce2,
    MsIce,
}

fn nat(name: &str) -> Result<Translator, String> {
    match (name, NatKind::from_name(name)) {
        ("none", _) => Ok(Translator(None)),
        (_, Some(kind)) => Ok(Translator(Some(kind))),
        (_, None) => Err("no kind of translator".to_owned()),
    }
}

/// Where the relay listens, over UDP and TCP.
const RELAY: ([u8; 4], u16) = ([198, 51, 100, 9], 3478);

/// Adds one side with its sockets, and its translator.
fn add_side(
    testbed: &mut Testbed,
    arguments: &Arguments,
    role: Role,
    seed: u64,
) -> Result<(HostId, Option<HostId>), Box<dyn Error>> {
    let (number, name, Translator(kind)) = match role {
        Role::Controlling => (1, "caller", arguments.caller),
        Role::Controlled => (2, "callee", arguments.callee),
    };
    let dialect = match arguments.dialect {
        Protocol::MsIce2 => Dialect::Ice2,
        Protocol::MsIce => Dialect::Ice,
    };
    let mut config = Config::new(dialect, role);
    if arguments.no_relay {
        config.candidates = CandidatePolicy::NoRelay;
    }
    let ip = match kind {
        Some(_) => IpAddr::from([10, number, 0, 2]),
        None => IpAddr::from([203, 0, 113, 100 + number]),
    };
    let endpoint = IceHost::new(config, seed * 2 + u64::from(number));
    let host = testbed.add_host(name, [ip], endpoint);
    let nat = kind.map(|kind| {
        let outer = IpAddr::from([203, 0, 113, number]);
        let nat = testbed.add_nat(kind.name(), [outer], Nat::new(kind));
        testbed.put_behind(host, nat);
        nat
    });
    testbed.command(host, |host: &mut IceHost, now| {
        host.command(now, |agent| -> Result<(), ocs_ice::Error> {
            for (component, port) in [(Component::Rtp, 20_000_u16), (Component::Rtcp, 20_001)] {
                let at = |offset| SocketAddr::new(ip, port + offset);
                agent.add_host(component, Transport::Udp, at(0))?;
                agent.add_host(component, Transport::TcpActive, at(100))?;
                agent.add_host(component, Transport::TcpPassive, at(200))?;
                agent.add_relay(component, Carrier::Udp, at(0), RELAY.into())?;
                agent.add_relay(component, Carrier::Tcp, at(100), RELAY.into())?;
            }
            Ok(())
        })
    })?;
    for port in [20_200, 20_201] {
        testbed.listen(host, Listener::tcp(SocketAddr::new(ip, port)));
    }
    Ok((host, nat))
}

/// Gathers; gives the lines for the offer or the answer.
fn gather(testbed: &mut Testbed, host: HostId) -> Result<String, Box<dyn Error>> {
    testbed.command(host, |host: &mut IceHost, now| {
        host.command(now, |agent| agent.gather(now))
    })?;
    let gathering = |t: &Testbed| t.host::<IceHost>(host).agent().phase() == Phase::Gathering;
    testbed.run_while(gathering, Duration::from_secs(20))?;
    let agent = testbed.host::<IceHost>(host).agent();
    Ok(agent.local_description().to_string())
}

/// Tells one side what the other has said.
fn tell(testbed: &mut Testbed, host: HostId, lines: &str) -> Result<(), ocs_ice::Error> {
    let description = Description::parse(lines, &Limits::default())?;
    testbed.command(host, |host: &mut IceHost, now| {
        host.command(now, |agent| agent.set_remote(now, &description))
    })
}

fn is_done(testbed: &Testbed, host: HostId) -> bool {
    let phase = testbed.host::<IceHost>(host).agent().phase();
    matches!(phase, Phase::Completed | Phase::Failed)
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let name = "ice_behind_nats".to_owned();
    let arguments = Arguments::parse_from(core::iter::once(name).chain(options.rest.clone()));
    let mut testbed = Testbed::new(options.seed, Instant::now(), SystemTime::now());
    testbed.set_dissector(stun_dissectors(RELAY.into()));
    testbed.capture(options.pcap.is_some());
    let (caller, caller_nat) = add_side(&mut testbed, &arguments, Role::Controlling, options.seed)?;
    let relay = RelayHost::install(&mut testbed, RELAY.into(), options.seed);
    let (callee, callee_nat) = add_side(&mut testbed, &arguments, Role::Controlled, options.seed)?;

    testbed.note(caller, "gathers candidates");
    let offer = gather(&mut testbed, caller)?;
    testbed.note(callee, "has the offer");
    let answer = gather(&mut testbed, callee)?;
    tell(&mut testbed, callee, &offer)?;
    testbed.note(caller, "has the answer");
    let start = testbed.now();
    tell(&mut testbed, caller, &answer)?;
    testbed.run_while(|t| !is_done(t, caller), Duration::from_secs(60))?;
    if let Some(last) = testbed.host::<IceHost>(caller).agent().final_description() {
        testbed.note(callee, "has the final offer");
        testbed.command(callee, |host: &mut IceHost, now| {
            host.command(now, |agent| agent.handle_final(now, &last))
        })?;
        // The first octets of an RTP packet stand for one.
        let media = Bytes::from_static(&[0x80, 0, 0, 1]);
        for host in [caller, callee] {
            testbed.command(host, |host: &mut IceHost, now| {
                host.command(now, |agent| {
                    agent.finish()?;
                    agent.send(now, Component::Rtp, media.clone())
                })
            })?;
        }
        testbed.run_for(Duration::from_secs(1));
    }
    testbed.run_while(|t| !is_done(t, callee), Duration::from_secs(60))?;

    let columns = [
        Some(caller),
        caller_nat,
        Some(relay),
        callee_nat,
        Some(callee),
    ];
    let columns: Vec<HostId> = columns.into_iter().flatten().collect();
    finish(&testbed, "ICE behind NATs", &columns, &options)?;
    for (name, host) in [("Caller", caller), ("Callee", callee)] {
        report(name, testbed.host(host), start);
    }
    Ok(())
}

/// Prints what became of one side.
fn report(name: &str, host: &IceHost, start: Instant) {
    println!("\n{name}'s pairs:");
    for pair in host.agent().pairs() {
        let nominated = if pair.nominated { ", nominated" } else { "" };
        println!(
            "  {} {:11} {} – {}{nominated}",
            pair.component,
            format!("{:?}", pair.state),
            pair.local,
            pair.remote
        );
    }
    for (at, event) in &host.events {
        let seconds = at.saturating_duration_since(start).as_secs_f64();
        match event {
            Event::Selected { component, pair } => {
                println!("{name} selected for component {component} after {seconds:.2} s: {pair}");
            }
            Event::Failed(failure) => println!("{name} failed after {seconds:.2} s: {failure:?}"),
            Event::Data { component, data } => {
                println!(
                    "{name} received on component {component}: {} octets",
                    data.len()
                );
            }
            _ => {}
        }
    }
}
