//! \[MS-TURNBWM\]: Allocate requests that ask for, take and give back bandwidth between sites, and the server's policy.

mod attributes;
mod policy;
mod rate;
mod request;
mod response;
mod sites;

pub use attributes::{Amount, BandwidthMessage, Federation, Location, LocationProfile, Path};
pub use policy::{BandwidthPolicy, Context, NoPolicy};
pub use rate::RateLimit;
pub use request::Request;
pub use response::Response;
pub use sites::{Capacity, Outcome, Policy, Report, Site, SiteId};

/// Names a reservation: octets that the server chose at random ([MS-TURNBWM] 2.2, 0x8057).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReservationId(pub [u8; 16]);
