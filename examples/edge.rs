//! A media relay on real sockets: a server of [MS-TURN] over UDP, TCP and pseudo-TLS.
//!
//! ```text
//! cargo run --example edge -- --listen 127.0.0.1:3478 --user alice:Passw0rd
//! ```
//!
//! `--secret` takes the keys that it shares with a server of [MS-AVEDGEA]: 40 octets in hexadecimal, first the key of usernames, then that of
//! passwords; `front_end --relay-secret` takes the same. Runs until Ctrl-C or SIGTERM.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};

use clap::Parser;
use ocs_examples::net::{
    Accounts, Relay, RelaySockets, log_to_stderr, shared_keys, stop_signal, wall_clock,
};
use ocs_turn::server::Config;
use tracing::info;

/// A media relay of the Skype for Business system.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen, with UDP and TCP; pseudo-TLS is told apart by its first octets
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3478")]
    listen: SocketAddr,
    /// The address of relayed ports, one for each of IPv4 and IPv6; the one of --listen if absent
    #[arg(long = "relay-ip", value_name = "ADDRESS")]
    relay_ips: Vec<IpAddr>,
    /// A long-term credential; once for each
    #[arg(long = "user", value_name = "NAME:PASSWORD")]
    users: Vec<String>,
    /// Keys of tokens to accept; more than once while keys change
    #[arg(long = "secret", value_name = "HEX")]
    secrets: Vec<String>,
    /// The realm; it is sent with double quotes around it
    #[arg(long, default_value = "rtcmedia")]
    realm: String,
    /// Serve peers on loopback and private addresses; implied if --listen is a loopback address
    #[arg(long)]
    allow_private: bool,
    /// What to log, as `debug` or `ocs_examples=debug`
    #[arg(long, env = "RUST_LOG", default_value = "info", value_name = "FILTER")]
    log: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    log_to_stderr(&arguments.log)?;
    let accounts = accounts(&arguments)?;
    if accounts.is_empty() {
        return Err("nobody could use it: --user or --secret is needed".into());
    }
    let mut relay_ips = arguments.relay_ips;
    if relay_ips.is_empty() {
        relay_ips.push(arguments.listen.ip().to_canonical());
    }
    if relay_ips.iter().any(IpAddr::is_unspecified) {
        return Err("peers have to know where relayed ports are: --relay-ip is needed".into());
    }

    let sockets = RelaySockets::bind(arguments.listen).await?;
    let address = sockets.address()?;
    let mut config = Config::new(format!("\"{}\"", arguments.realm).as_bytes());
    config.peers.allow_private = arguments.allow_private || address.ip().is_loopback();
    info!(%address, ?relay_ips, allow_private = config.peers.allow_private, "listening");
    let relay = Relay::start(config, accounts, sockets, relay_ips)?;
    // For whoever started this program with port 0, and to wait for.
    println!("ready udp={address} tcp={address}");
    stop_signal().await?;
    relay.stop().await;
    info!("stopped");
    Ok(())
}

fn accounts(arguments: &Arguments) -> Result<Accounts, Box<dyn Error>> {
    let mut accounts = Accounts::new(wall_clock());
    for user in &arguments.users {
        let (name, password) = user
            .split_once(':')
            .ok_or_else(|| format!("--user {user}: a name and a password are needed"))?;
        accounts.add(name, password);
    }
    for secret in &arguments.secrets {
        let keys = hex::decode(secret).map_err(|error| format!("--secret: {error}"))?;
        accounts.accept_tokens(shared_keys(&keys).map_err(|error| format!("--secret: {error}"))?);
    }
    Ok(accounts)
}
