#![forbid(unsafe_code)]
//! [MS-ICE2] and [MS-ICE].

pub mod candidate;
mod credentials;
mod error;
pub mod framing;
mod limits;
pub mod pair;
pub mod priority;
pub mod sdp;

pub use candidate::{Candidate, CandidateType, Component, Foundation, Transport};
pub use credentials::{Credentials, Password};
pub use error::Error;
pub use limits::Limits;
pub use pair::PairState;
pub use sdp::{Description, Dialect};
