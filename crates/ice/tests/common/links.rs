//! A bandwidth policy of the relay that does what a test wants.

use std::net::IpAddr;
use std::time::Instant;

use ocs_turn::bandwidth::{
    BandwidthMessage, BandwidthPolicy, Context, Path, Policy, Request, Response,
};

/// A bandwidth policy without limits, but for what a test wants.
#[derive(Default)]
pub struct Links {
    pub policy: Policy,
    /// There is no policy.
    pub absent: bool,
    /// The way between the sites is full; those by the relay are not.
    pub direct_is_full: bool,
    /// The next reservation for this site is denied.
    pub deny: Option<IpAddr>,
    /// What was asked.
    pub seen: Vec<Request>,
}

impl BandwidthPolicy for Links {
    fn handle(
        &mut self,
        now: Instant,
        request: &Request,
        context: Context<'_>,
    ) -> Option<Response> {
        self.seen.push(request.clone());
        if self.absent {
            return None;
        }
        let site = request.local_site.map(|site| site.ip());
        if request.message == BandwidthMessage::Commit && self.deny.is_some() && self.deny == site {
            self.deny = None;
            return Some(Response::new(BandwidthMessage::Commit));
        }
        let mut response = self.policy.handle(now, request, context)?;
        if request.message == BandwidthMessage::Check && self.direct_is_full {
            response.local_site = Some(Path::default());
        }
        Some(response)
    }

    fn release(&mut self, allocation: u64) {
        self.policy.release(allocation);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.policy.handle_timeout(now);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.policy.poll_timeout()
    }
}
