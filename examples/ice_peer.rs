//! One end of a connection that finds its way by itself: [MS-ICE2] or [MS-ICE] on real sockets.
//!
//! ```text
//! cargo run --example ice_peer -- --controlling
//! cargo run --example ice_peer
//! ```
//!
//! Each prints a description: lines that begin with `a=`, and an empty line. It is to be typed into the other one. Then each line is one datagram
//! to the peer, which prints it. What begins with `* ` tells what happens. Who is done prints a second description, the final one: with [MS-ICE]
//! that of the controlling side has to be typed into the other one. With `--relay` there are relayed candidates of `edge`, too.

use std::collections::VecDeque;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use ocs_examples::chat::typed_lines;
use ocs_examples::net::{IcePeer, log_to_stderr, seed};
use ocs_ice::endpoint::Endpoint;
use ocs_ice::{
    CandidatePolicy, Carrier, Component, Config, Description, Dialect, Event, Limits, Phase, Role,
    Transport,
};
use ocs_turn::client::Credentials;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

/// Lines that wait for the connection; no more are read when there are as many.
const TEXTS: usize = 64;
/// How long it may take to type a description into the other program.
const TYPING: Duration = Duration::from_secs(120);

/// One of two peers that talk over UDP.
#[derive(Debug, Parser)]
struct Arguments {
    /// Which protocol
    #[arg(long, value_enum, default_value = "ms-ice2")]
    dialect: Version,
    /// Decide, as the caller does
    #[arg(long)]
    controlling: bool,
    /// The address of this end
    #[arg(long, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST.into())]
    address: IpAddr,
    /// A relay of [MS-TURN]
    #[arg(long, value_name = "HOST:PORT", requires = "user")]
    relay: Option<String>,
    /// The credential for the relay
    #[arg(long, value_name = "NAME:PASSWORD", requires = "relay")]
    user: Option<String>,
    /// Use the relay whatever else there is: the peer does not learn this end's address
    #[arg(long, requires = "relay")]
    relay_only: bool,
    /// What to log, as `debug`
    #[arg(long, env = "RUST_LOG", default_value = "warn", value_name = "FILTER")]
    log: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Version {
    MsIce2,
    MsIce,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ice_peer: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    log_to_stderr(&arguments.log)?;
    let mut peer = start(&arguments).await?;
    let mut lines = typed_lines(|line| line);
    let mut typed = Typed::default();
    while !(typed.ended && typed.texts.is_empty()) {
        let reading = !typed.ended
            && typed.texts.len() < TEXTS
            && peer.endpoint().agent().phase() != Phase::Gathering;
        tokio::select! {
            event = peer.next() => tell(&peer, event)?,
            line = lines.recv(), if reading => match line {
                Some(line) => typed.take(line?, &mut peer)?,
                None => typed.ended = true,
            },
        }
        typed.send(&mut peer)?;
    }
    peer.flush().await;
    Ok(())
}

/// Binds the sockets and begins to gather.
async fn start(arguments: &Arguments) -> Result<IcePeer, Box<dyn Error>> {
    let dialect = match arguments.dialect {
        Version::MsIce2 => Dialect::Ice2,
        Version::MsIce => Dialect::Ice,
    };
    let role = if arguments.controlling {
        Role::Controlling
    } else {
        Role::Controlled
    };
    let mut config = Config::new(dialect, role);
    config.timers.checks = TYPING;
    config.timers.nomination = TYPING;
    config.allow_loopback = arguments.address.is_loopback();
    if arguments.relay_only {
        config.candidates = CandidatePolicy::RelayOnly;
    }
    let relay = match &arguments.relay {
        Some(relay) => {
            let mut addresses = tokio::net::lookup_host(relay).await?;
            let v4 = arguments.address.is_ipv4();
            let address = addresses.find(|address| address.is_ipv4() == v4);
            Some(address.ok_or_else(|| format!("--relay {relay}: no such address"))?)
        }
        None => None,
    };
    let endpoint = Endpoint::new(
        config,
        credentials(arguments.user.as_deref())?,
        ChaCha12Rng::from_seed(seed()),
    );
    let mut peer = IcePeer::new(endpoint);
    for component in Component::ALL {
        let base = peer.bind(SocketAddr::new(arguments.address, 0)).await?;
        peer.command(|agent, _| {
            agent.add_host(component, Transport::Udp, base)?;
            relay.map_or(Ok(()), |relay| {
                agent
                    .add_relay(component, Carrier::Udp, base, relay)
                    .map(drop)
            })
        })?;
    }
    peer.command(ocs_ice::Agent::gather)?;
    Ok(peer)
}

fn credentials(user: Option<&str>) -> Result<Credentials, String> {
    let (name, password) = match user {
        Some(user) => user
            .split_once(':')
            .ok_or_else(|| format!("--user {user}: a name and a password are needed"))?,
        // There is no relay that would ask.
        None => ("", ""),
    };
    Ok(Credentials {
        username: name.as_bytes().into(),
        password: password.as_bytes().into(),
    })
}

/// What the user types.
#[derive(Default)]
struct Typed {
    /// Lines of a description whose end has not come.
    description: String,
    /// Texts that wait for the connection.
    texts: VecDeque<String>,
    /// There is no more.
    ended: bool,
}

impl Typed {
    fn take(&mut self, line: String, peer: &mut IcePeer) -> Result<(), ocs_ice::Error> {
        if line.starts_with("a=") {
            self.description.push_str(&line);
            self.description.push_str("\r\n");
        } else if !line.is_empty() {
            self.texts.push_back(line);
        } else if !self.description.is_empty() {
            let description = std::mem::take(&mut self.description);
            let description = Description::parse(&description, &Limits::default())?;
            let first = peer.endpoint().agent().phase() == Phase::WaitingForPeer;
            peer.command(|agent, now| {
                if first {
                    return agent.set_remote(now, &description);
                }
                agent.handle_final(now, &description)?;
                agent.finish()
            })?;
        }
        Ok(())
    }

    /// Sends what waits, once it can be sent.
    fn send(&mut self, peer: &mut IcePeer) -> Result<(), ocs_ice::Error> {
        while peer.endpoint().agent().phase() == Phase::Completed
            && let Some(text) = self.texts.pop_front()
        {
            peer.command(|agent, now| agent.send(now, Component::Rtp, text.into()))?;
        }
        Ok(())
    }
}

fn tell(peer: &IcePeer, event: Event) -> Result<(), Box<dyn Error>> {
    let agent = peer.endpoint().agent();
    match event {
        // The empty line is the end of it.
        Event::Gathered => println!("{}", agent.local_description()),
        Event::Selected { component, pair } => println!("* component {component}: {pair}"),
        Event::Completed => {
            println!("* connected");
            if let Some(description) = agent.final_description() {
                println!("{description}");
            }
        }
        Event::RoleChanged(role) => println!("* now {role:?}"),
        Event::Data {
            component: Component::Rtp,
            data,
        } => println!("{}", String::from_utf8_lossy(&data)),
        Event::Failed(failure) => return Err(format!("no connection: {failure:?}").into()),
        _ => {}
    }
    Ok(())
}
