//! Drivers of the machines over real sockets: a front end as a [`Server`], a user agent as a [`Session`].
//!
//! Each has one task that owns the machine, and one task per connection. What goes between them is bounded: a reader
//! waits until its last octets are taken in, so that TCP slows the far end down, and what a far end does not read is counted
//! and told to the machine.

mod connection;
mod resolver;
mod server;
mod session;
mod tls;

pub use server::{Listeners, Server};
pub use session::{Happening, Session};
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
pub fn wall_clock() -> ocs_sip_core::WallClock {
    ocs_sip_core::WallClock::new(std::time::Instant::now(), std::time::SystemTime::now())
}
