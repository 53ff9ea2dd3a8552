//! One end of a connection that finds its way by itself: [MS-ICE2] or [MS-ICE] on real sockets.
//!
//! ```text
//! cargo run --example ice_peer -- --controlling
//! cargo run --example ice_peer
//! ```
//!
//! Each prints a description: lines that begin with `a=`, and an empty line. It is to be typed into the other one. Then each line is one datagram
//! to the peer, which prints it. What begins with `* ` tells what happens. Who is done prints a second description, the final one: with [MS-ICE]
//! that of the controlling side has to be typed into the other one. With `--relay` there are relayed candidates of `edge`, too. At the end of the
//! input, or on Ctrl-C or SIGTERM, it gives its allocations back.

use std::collections::VecDeque;
use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use ocs_examples::chat::typed_lines;
use ocs_examples::net::{IcePeer, exit_code, log_to_stderr, seed, stop_signal};
use ocs_ice::endpoint::Endpoint;
use ocs_ice::{
    CandidatePolicy, Carrier, Component, Config, Description, Dialect, Event, Failure, Limits,
    Phase, Role, Transport,
};
use ocs_turn::client::Credentials;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

/// Lines that wait for the connection; no more are read when there are as many.
const TEXTS: usize = 64;
/// How long it may take to type a description into the other program.
const TYPING: Duration = Duration::from_secs(120);

/// One of two peers that find a way to each other.
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
    /// Over what the peer may reach that address
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["udp", "tcp"])]
    transport: Vec<HostTransport>,
    /// A relay of [MS-TURN]
    #[arg(long, value_name = "HOST:PORT", requires = "user")]
    relay: Option<String>,
    /// Over what to reach the relay: it relays datagrams over UDP, streams over TCP and pseudo-TLS
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["udp", "tcp"])]
    relay_transport: Vec<RelayTransport>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HostTransport {
    Udp,
    Tcp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RelayTransport {
    Udp,
    Tcp,
    PseudoTls,
}

impl RelayTransport {
    const fn carrier(self) -> Carrier {
        match self {
            Self::Udp => Carrier::Udp,
            Self::Tcp => Carrier::Tcp,
            Self::PseudoTls => Carrier::PseudoTls,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    exit_code("ice_peer", run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    log_to_stderr(&arguments.log)?;
    let mut peer = start(&arguments).await?;
    let result = converse(&mut peer).await;
    peer.close().await;
    result
}

/// Until the input ends, or somebody stops it.
async fn converse(peer: &mut IcePeer) -> Result<(), Box<dyn Error>> {
    let mut lines = typed_lines(|line| line);
    let mut typed = Typed::default();
    let mut stopped = pin!(stop_signal());
    while !(typed.ended && typed.texts.is_empty()) {
        let reading = !typed.ended
            && typed.texts.len() < TEXTS
            && peer.endpoint().agent().phase() != Phase::Gathering;
        tokio::select! {
            event = peer.next() => match event {
                // Only connections tell that the peer is gone.
                Event::Failed(Failure::PathLost) => {
                    println!("* disconnected");
                    return Ok(());
                }
                event => tell(peer, event)?,
            },
            line = lines.recv(), if reading => match line {
                Some(line) => typed.take(line?, peer)?,
                None => typed.ended = true,
            },
            stopped = &mut stopped => return Ok(stopped?),
        }
        typed.send(peer)?;
    }
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
        Some(relay) => Some(resolve(relay, arguments.address).await?),
        None => None,
    };
    let endpoint = Endpoint::new(
        config,
        credentials(arguments.user.as_deref())?,
        ChaCha12Rng::from_seed(seed()),
    );
    let mut peer = IcePeer::new(endpoint);
    for component in Component::ALL {
        add_candidates(&mut peer, component, arguments, relay).await?;
    }
    peer.command(ocs_ice::Agent::gather)?;
    Ok(peer)
}

async fn resolve(relay: &str, own: IpAddr) -> Result<SocketAddr, Box<dyn Error>> {
    let mut addresses = tokio::net::lookup_host(relay).await?;
    let address = addresses.find(|address| address.is_ipv4() == own.is_ipv4());
    Ok(address.ok_or_else(|| format!("--relay {relay}: no such address"))?)
}

/// The sockets of a component, and what the relay is to add.
async fn add_candidates(
    peer: &mut IcePeer,
    component: Component,
    arguments: &Arguments,
    relay: Option<SocketAddr>,
) -> Result<(), Box<dyn Error>> {
    let any = SocketAddr::new(arguments.address, 0);
    let relays = relay.map(|_| &arguments.relay_transport[..]);
    let relays = relays.unwrap_or_default();
    let host = |transport| arguments.transport.contains(&transport);
    let mut bases = [None; 2];
    if host(HostTransport::Udp) || relays.contains(&RelayTransport::Udp) {
        bases[0] = Some(peer.bind(any).await?);
    }
    let over_tcp = |transport: &RelayTransport| transport.carrier().is_tcp();
    if host(HostTransport::Tcp) || relays.iter().any(over_tcp) {
        bases[1] = Some(peer.reserve(any)?);
    }
    let [udp, active] = bases;
    let mut hosts = Vec::new();
    if host(HostTransport::Udp) {
        hosts.extend(udp.map(|base| (Transport::Udp, base)));
    }
    if host(HostTransport::Tcp) {
        hosts.extend(active.map(|base| (Transport::TcpActive, base)));
        hosts.push((Transport::TcpPassive, peer.listen(any)?));
    }
    peer.command(|agent, _| {
        for (transport, base) in hosts {
            agent.add_host(component, transport, base)?;
        }
        for carrier in relays.iter().map(|transport| transport.carrier()) {
            let base = if carrier.is_tcp() { active } else { udp };
            if let (Some(base), Some(relay)) = (base, relay) {
                agent.add_relay(component, carrier, base, relay)?;
            }
        }
        Ok::<_, ocs_ice::Error>(())
    })?;
    Ok(())
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
