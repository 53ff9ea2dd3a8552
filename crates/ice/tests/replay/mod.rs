//! Recorded sessions, replayed.

mod capture;
mod stage;

pub(crate) use capture::{Capture, Line, component_of, stun};
pub(crate) use stage::Stage;
