//! Aggregation: one state and one list of services out of what all endpoints of a user publish.
//!
//! [`states`] combines the states of one container of raw states, [`services()`] the capabilities of devices, [`place`] says what of the results
//! is seen by whom. All three are pure functions of what the server holds; [`Standard`] joins them to the server, which
//! takes another function in its place.
//!
//! Microsoft's own aggregation is a script that is not public. Its outline is (the machine states, the ranges of activities, what goes
//! where); how availabilities are combined in [`combine`] is inferred.

mod combine;
mod place;
mod services;
mod standard;
mod state;

pub use combine::{Availabilities, Options, combine};
pub use place::{Results, place};
pub use services::{DeviceInstance, public_services, services};
pub use standard::Standard;
pub use state::{Aggregate, StateInstance, states};
