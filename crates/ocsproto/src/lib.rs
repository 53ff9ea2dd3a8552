//! Libraries for the protocols of the Skype for Business, Lync and OCS system.
//!
//! One feature for each crate; `client` and `server`, the composed roles, are on by default and bring
//! in what they are made of. A program that needs one protocol turns the default off:
//!
//! ```toml
//! ocsproto = { version = "0.1", default-features = false, features = ["ntlm"] }
//! ```
//!
//! Nothing lives here but re-exports.
#![forbid(unsafe_code)]

#[cfg(feature = "client")]
pub use ocs_client as client;
#[cfg(feature = "conmgmt")]
pub use ocs_conmgmt as conmgmt;
#[cfg(feature = "ntlm")]
pub use ocs_ntlm as ntlm;
#[cfg(feature = "server")]
pub use ocs_server as server;
#[cfg(feature = "sip-core")]
pub use ocs_sip_core as sip_core;
#[cfg(feature = "sipae")]
pub use ocs_sipae as sipae;
#[cfg(feature = "sipcomp")]
pub use ocs_sipcomp as sipcomp;
#[cfg(feature = "sipre")]
pub use ocs_sipre as sipre;
#[cfg(feature = "siprege")]
pub use ocs_siprege as siprege;
