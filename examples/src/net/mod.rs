//! Drivers of the machines over real sockets: a front end as a [`Server`], a user agent as a [`Session`], a telephone as a [`Telephone`], a media relay as a [`Relay`],
//! an endpoint of ICE as an [`IcePeer`].
//!
//! Each has one task that owns the machine, and one task per connection. What goes between them is bounded: a reader
//! waits until its last octets are taken in, so that TCP slows the far end down, and what a far end does not read is counted
//! and told to the machine.

use std::error::Error;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::{Instant, SystemTime};

use ocs_sip_core::WallClock;

mod connection;
mod datagram;
mod ice;
mod links;
mod relay;
mod resolver;
mod server;
mod session;
mod stream;
mod telephone;
mod tls;

pub use ice::IcePeer;
pub use relay::{Accounts, Relay, RelaySockets, shared_keys};
pub use resolver::Resolver;
pub use server::{Listeners, Server};
pub use session::{ConnectFailed, Happening, Network, Session};
pub use telephone::{News, Sockets, Telephone};
pub use tls::{Identity, TlsError, Trust};

/// 32 octets of the system's randomness, the seed of a machine.
///
/// # Panics
/// If the system has none.
#[must_use]
pub fn seed() -> [u8; 32] {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).expect("randomness of the system");
    seed
}

/// This moment on both clocks.
#[must_use]
pub fn wall_clock() -> WallClock {
    WallClock::new(Instant::now(), SystemTime::now())
}

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// The system does not tell.
pub async fn stop_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// How a program ends: an error is told on standard error behind its name, as users read it.
pub fn exit_code(program: &str, result: Result<(), Box<dyn Error>>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{program}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Waits for the timer of a machine; for ever if there is none.
async fn wait_until(timeout: Option<Instant>) {
    match timeout {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Writes what is logged to standard error, one event per line. `filter` is like `info` or `ocs_examples=debug`.
///
/// # Errors
/// The filter cannot be read.
pub fn log_to_stderr(filter: &str) -> Result<(), tracing_subscriber::filter::ParseError> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_new(filter)?)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}
