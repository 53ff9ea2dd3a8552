//! Keep-alive of a connection ([MS-CONMGMT] 2.2.1, 3.4, 3.5).
//!
//! The client offers `hop-hop` in its REGISTER, the server accepts with a time T. From then on the
//! client sends [`KEEP_ALIVE`] whenever it has been silent for 2/3 T, and the server closes a connection on
//! which nothing arrived for T and a grace. Both sides are machines without sockets and clocks.

mod client;
mod header;
mod server;

pub use client::{ClientEvent, ClientKeepAlive, ClientKeepAliveConfig};
pub use header::{HEADER_NAME, HeaderLimits, Mechanism, MsKeepAlive, Role};
pub use server::{CloseReason, ServerEvent, ServerKeepAlive, ServerKeepAliveConfig};

/// The octets of a keep-alive: CR LF CR LF between two SIP messages, never inside one. They go through TLS and
/// compression as other data. Nobody answers them; a receiver skips line ends before a start line.
pub const KEEP_ALIVE: &[u8; 4] = b"\r\n\r\n";

/// T of the servers from OCS 2007 to Skype for Business, in seconds (seen in a captured 200).
pub const DEFAULT_TIMEOUT: u32 = 300;
