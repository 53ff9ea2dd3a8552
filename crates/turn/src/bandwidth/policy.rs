//! What a bandwidth policy server decides by ([MS-TURNBWM] 3.3), as the relay asks it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

#[cfg(doc)]
use super::Policy;
use super::{Request, ReservationId, Response};

/// What a server knows about an Allocate request besides its attributes.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Where the request came from: the local site, if the request does not name it.
    pub source: SocketAddr,
    /// The address that the server relays for the client.
    pub relay: Option<SocketAddr>,
    /// Who is authenticated.
    pub user: &'a [u8],
    /// Names the allocation; see [`BandwidthPolicy::release`].
    pub allocation: u64,
    /// An identifier for a new reservation, from the server's random generator.
    pub id: ReservationId,
    /// How long a reservation lives without an Update.
    pub lifetime: Duration,
}

/// The part of a server that decides about bandwidth. [`Policy`] is one, [`NoPolicy`] another.
pub trait BandwidthPolicy {
    /// Answers the bandwidth part of an authenticated Allocate request, which is complete. `None` leaves it out of the response.
    fn handle(&mut self, now: Instant, request: &Request, context: Context<'_>)
    -> Option<Response>;

    /// The allocation is gone; what it reserved is free.
    fn release(&mut self, allocation: u64);

    /// Frees what was not updated in time.
    fn handle_timeout(&mut self, now: Instant);

    /// When [`handle_timeout`](Self::handle_timeout) is to be called.
    fn poll_timeout(&self) -> Option<Instant>;
}

/// A server without policy: it answers as one that does not know \[MS-TURNBWM\].
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPolicy;

impl BandwidthPolicy for NoPolicy {
    fn handle(&mut self, _: Instant, _: &Request, _: Context<'_>) -> Option<Response> {
        None
    }

    fn release(&mut self, _: u64) {}

    fn handle_timeout(&mut self, _: Instant) {}

    fn poll_timeout(&self) -> Option<Instant> {
        None
    }
}
