#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod binding;
pub mod contact;
mod error;
pub mod flow;
pub mod fork;
pub mod gruu;
pub mod headers;
pub mod identity;
pub mod im;
pub mod route;
pub mod via;

pub use binding::{Binding, BindingId, Bindings, Registered};
pub use error::{Error, Refusal};
pub use flow::{Flow, Peer};
pub use fork::Fork;
pub use gruu::{Gruu, Opaque};
pub use identity::{EndpointId, EndpointKey, Epid, Identity, Instance, InstanceCheck};
pub use im::ImSession;
pub use route::{Router, Target};
