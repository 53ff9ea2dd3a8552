//! A front end on real sockets: registrar, proxy and authentication for the users that the command line names.
//!
//! ```text
//! cargo run --example front_end -- --listen 127.0.0.1:15060 --listen-tls 127.0.0.1:15061 \
//!     --domain contoso.com --user alice:Passw0rd --user bob:Passw0rd
//! ```
//!
//! With `--relay HOST:PORT` and `--relay-secret HEX`, the secret of an `edge`, those who have signed in over TLS get credentials for that relay.
//! With `--data FILE` contacts, access lists and presence outlive it, and clients are asked to report the quality of calls, which is kept there. Runs until Ctrl-C or SIGTERM; then endpoints are told to come back later, and connections are closed.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use ocs_avedgea::document::Location;
use ocs_avedgea::server::{self, Pool, RelayAuthentication};
use ocs_avedgea::token::{Issuer, Key};
use ocs_examples::SqliteStore;
use ocs_examples::net::{
    Identity, Listeners, Server, log_to_stderr, seed, shared_keys, stop_signal, wall_clock,
};
use ocs_server::{Config, FrontEnd, MemoryStore, Store, User};
use tracing::info;

/// A front end of the Skype for Business system.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen for TCP: no TLS, for tests only
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Where to listen for TLS
    #[arg(long, value_name = "ADDRESS:PORT", required_unless_present = "listen")]
    listen_tls: Option<SocketAddr>,
    /// The SIP domain
    #[arg(long, default_value = "contoso.com")]
    domain: String,
    /// The name of this server; fe01.<domain> if absent
    #[arg(long)]
    fqdn: Option<String>,
    /// A user who may sign in; once for each
    #[arg(long = "user", value_name = "NAME:PASSWORD[:DISPLAY NAME]")]
    users: Vec<String>,
    /// The certificate chain, PEM; a self-signed certificate is made if absent
    #[arg(long, value_name = "FILE", requires = "key", requires = "listen_tls")]
    cert: Option<PathBuf>,
    /// The key of the certificate, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Where to write the certificate, for clients to trust
    #[arg(long, value_name = "FILE", requires = "listen_tls")]
    save_cert: Option<PathBuf>,
    /// Let clients compress what they send over TLS ([MS-SIPCOMP])
    #[arg(long)]
    compression: bool,
    /// Where to keep contacts, access lists and presence, a file of SQLite; in memory if absent
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The media relay that users get credentials for: an `edge`, with UDP and TCP on one port
    #[arg(
        long,
        value_name = "HOST:PORT",
        requires = "relay_secret",
        requires = "listen_tls"
    )]
    relay: Option<String>,
    /// The keys that this server shares with the relay, as its --secret
    #[arg(
        long,
        value_name = "HEX",
        env = "OCS_RELAY_SECRET",
        hide_env_values = true
    )]
    relay_secret: Option<String>,
    /// What to log, as `debug` or `ocs_examples=debug`
    #[arg(long, env = "RUST_LOG", default_value = "info", value_name = "FILTER")]
    log: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    log_to_stderr(&arguments.log)?;
    let domain = &arguments.domain;
    let fqdn = arguments.fqdn.clone();
    let fqdn = fqdn.unwrap_or_else(|| format!("fe01.{domain}"));

    let mut listeners = Listeners::default();
    if let Some(address) = arguments.listen {
        listeners.bind_tcp(address).await?;
    }
    if let Some(address) = arguments.listen_tls {
        let identity = match (&arguments.cert, &arguments.key) {
            (Some(cert), Some(key)) => Identity::from_pem_files(cert, key)?,
            _ => Identity::self_signed(vec![fqdn.clone(), format!("sip.{domain}")])?,
        };
        if let Some(file) = &arguments.save_cert {
            std::fs::write(file, identity.certificate_pem())?;
        }
        listeners.bind_tls(address, identity.acceptor()?).await?;
    }
    let (transport, port) = listeners.main().ok_or("nothing to listen for")?;

    let mut config = Config::new(&fqdn, domain, transport, port, wall_clock());
    config.compression.enabled = arguments.compression;
    if let (Some(relay), Some(secret)) = (&arguments.relay, &arguments.relay_secret) {
        config.media_relay = Some(media_relay(domain, relay, secret)?);
    }
    config.quality_agent = arguments.data.is_some().then(|| fqdn.clone());
    let mut store = MemoryStore::new(&config.netbios_domain);
    for user in &arguments.users {
        add_user(&mut store, domain, user)?;
    }
    info!(fqdn, domain, users = store.len(), "starting");
    match &arguments.data {
        Some(file) => {
            let store = SqliteStore::open(file, store)
                .map_err(|error| format!("--data {}: {error}", file.display()))?;
            serve(FrontEnd::new(config, store, seed())?, listeners).await
        }
        None => serve(FrontEnd::new(config, store, seed())?, listeners).await,
    }
}

/// Serves until it is told to stop.
async fn serve<S: Store + Send + 'static>(
    front_end: FrontEnd<S>,
    listeners: Listeners,
) -> Result<(), Box<dyn Error>> {
    for address in [listeners.tcp(), listeners.tls()].into_iter().flatten() {
        info!(%address, "listening");
    }
    // For whoever started this program with port 0, and to wait for.
    let told = |address: Option<SocketAddr>| address.map_or("-".into(), |a| a.to_string());
    println!(
        "ready tcp={} tls={}",
        told(listeners.tcp()),
        told(listeners.tls())
    );

    let server = Server::start(front_end, listeners, None);
    stop_signal().await?;
    server.drain().await;
    info!("stopped");
    Ok(())
}

/// The service that gives credentials for one relay, which is the same from inside and from outside.
fn media_relay(
    domain: &str,
    relay: &str,
    secret: &str,
) -> Result<RelayAuthentication, Box<dyn Error>> {
    let wrong = || format!("--relay {relay}: a name or address and a port are needed");
    let (host, port) = relay.rsplit_once(':').ok_or_else(wrong)?;
    let port = port.parse().map_err(|_| wrong())?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let pool = |location| Pool {
        addresses: host.parse().into_iter().collect(),
        udp_port: Some(port),
        tcp_port: Some(port),
        ..Pool::new(location, host)
    };
    let pools = vec![pool(Location::Internet), pool(Location::Intranet)];
    let config = server::Config::new(&format!("edge.{domain}"), pools);
    let keys = hex::decode(secret).map_err(|error| format!("--relay-secret: {error}"))?;
    let keys = shared_keys(&keys).map_err(|error| format!("--relay-secret: {error}"))?;
    // Relays do not know this key: they see only that one user is not another.
    let own = Key::new(&seed())?;
    Ok(RelayAuthentication::new(config, Issuer::new(own, keys)))
}

/// Takes `NAME:PASSWORD[:DISPLAY NAME]`; the name is one of the domain unless it has its own.
fn add_user(store: &mut MemoryStore, domain: &str, text: &str) -> Result<(), Box<dyn Error>> {
    let mut fields = text.splitn(3, ':');
    let (Some(name), Some(password)) = (fields.next(), fields.next()) else {
        return Err(format!("--user {text}: a name and a password are needed").into());
    };
    let aor = if name.contains('@') {
        name.parse()
    } else {
        format!("{name}@{domain}").parse()
    };
    let mut user = User::new(aor.map_err(|error| format!("--user {name}: {error}"))?);
    user.display_name = fields.next().map(str::to_owned);
    store.add_user(user, password);
    Ok(())
}
