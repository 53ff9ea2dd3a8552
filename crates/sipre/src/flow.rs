//! What is known of the connection on which a message came.

use std::net::SocketAddr;

use ocs_sip_core::{ConnectionId, Transport};

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A user agent: nothing that only servers may say is believed.
    Client,
    /// A server that was authenticated as a part of the trust domain.
    Server,
}

/// The connection on which a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// Its name.
    pub connection: ConnectionId,
    /// TLS or TCP.
    pub transport: Transport,
    /// The far end, as the socket shows it.
    pub remote: SocketAddr,
    /// Who is there.
    pub peer: Peer,
}

/// The connection named by an `ms-received-cid` (\[MS-SIPRE\] 2.2.6): hexadecimal, in either case.
#[must_use]
pub fn parse_cid(text: &str) -> Option<ConnectionId> {
    if text.is_empty() || !text.bytes().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(text, 16).ok().map(ConnectionId)
}
