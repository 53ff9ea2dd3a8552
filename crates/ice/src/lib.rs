#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod agent;
pub mod bandwidth;
mod binding;
pub mod candidate;
mod config;
mod credentials;
pub mod endpoint;
mod error;
pub mod framing;
mod io;
mod limits;
mod pair;
pub mod priority;
pub mod sdp;

pub use agent::{Agent, PairView, Phase};
pub use candidate::{Candidate, CandidateType, Component, Foundation, Transport};
pub use config::{CandidatePolicy, Config, Consent, Nomination, Role, Timers};
pub use credentials::Credentials;
pub use endpoint::{Endpoint, ForkId};
pub use error::Error;
pub use io::{
    Allocation, Carrier, ConnectionId, End, Event, Failure, Output, RelayId, SelectedPair,
};
pub use limits::Limits;
pub use ocs_stun::Password;
pub use pair::PairState;
pub use sdp::{Description, Dialect};
