#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod capture;
mod clock;
mod datagram;
mod dissect;
mod dns;
mod host;
mod ladder;
mod link;
mod nat;
mod options;
mod record;
mod sip;
mod stream;
mod testbed;

pub use dissect::{Dissector, Frame, Opaque};
pub use dns::{Answer, Outage, Query, SrvRecord, Zone};
pub use host::{Closed, ConnectFailure, Host, HostId, Input, Output};
pub use ladder::Ladder;
pub use link::{Chunking, Link, MTU};
pub use nat::{Nat, NatKind};
pub use options::{Options, OptionsError};
pub use record::{Event, Fate, Flow, Message, Record};
pub use sip::sip_dissectors;
pub use stream::Listener;
pub use testbed::{Error, Testbed};
