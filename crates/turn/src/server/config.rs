//! What a server is told.

use std::net::SocketAddr;
use std::time::Duration;

use ocs_stun::attribute::MsVersion;

use crate::net::PeerPolicy;

/// Which addresses of a peer a permission opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PermissionRule {
    /// All ports of its IP address: what ICE behind symmetric translators needs (inferred).
    #[default]
    Address,
    /// Its port only, as OfficeSIP has it.
    AddressAndPort,
}

/// Bounds of what clients may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Allocations in all; 200,000.
    pub allocations: usize,
    /// Allocations of one account; 64. A client makes four for each stream of media.
    pub allocations_per_account: usize,
    /// Allocations from one IPv4 address or IPv6 network of 64 bits; 4096, for there are translators with many users.
    pub allocations_per_source: usize,
    /// Permissions of an allocation; 64. Sending to further peers is ignored.
    pub permissions: usize,
    /// TCP connections of clients in all; 100,000.
    pub connections: usize,
    /// TCP connections of clients from one source; 4096.
    pub connections_per_source: usize,
    /// Octets of a frame that are collected for a TCP connection without an allocation; 4096.
    pub opening_frame: u16,
    /// How long a TCP connection may be without an allocation; 30 s.
    pub opening: Duration,
    /// TCP connections with peers for one allocation; 32.
    pub peer_connections: usize,
    /// How long a connection with a peer may wait to be made, or for a permission; 5 s (inferred).
    pub peer_connect: Duration,
    /// Octets that are kept for a connection with a peer that is not made yet, or from one that is not permitted yet; 16 KiB.
    pub peer_buffer: usize,
    /// Octets of answers over UDP to one source in a second while nobody has proved who he is; 4096. An answer is not larger than five times its
    /// request.
    pub unauthenticated_octets: u32,
    /// Sources that get such answers in a second; 65,536.
    pub unauthenticated_sources: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            allocations: 200_000,
            allocations_per_account: 64,
            allocations_per_source: 4096,
            permissions: 64,
            connections: 100_000,
            connections_per_source: 4096,
            opening_frame: 4096,
            opening: Duration::from_secs(30),
            peer_connections: 32,
            peer_connect: Duration::from_secs(5),
            peer_buffer: 16 * 1024,
            unauthenticated_octets: 4096,
            unauthenticated_sources: 65_536,
        }
    }
}

/// Settings of a server.
#[derive(Clone, Debug)]
pub struct Config {
    /// The realm as it goes on the wire: Microsoft's edge has double quotes around it (recalled), which do not go into the key.
    pub realm: Box<[u8]>,
    /// Where clients that come over UDP are to go on: this machine's own address, or another's to send them there. None is told if it is not set.
    pub alternate_udp: Option<SocketAddr>,
    /// The same for clients that come over TCP.
    pub alternate_tcp: Option<SocketAddr>,
    /// Addresses that the server listens on. They are never peers, or relays could be chained in a loop.
    pub listeners: Vec<SocketAddr>,
    /// Whether the caller can bind IPv4 addresses for clients.
    pub ipv4: bool,
    /// The same for IPv6, which clients of MS-Version 4 and more may ask for.
    pub ipv6: bool,
    /// The MS-Version to state. What a client's version allows is given to it, whatever is stated here.
    pub version: MsVersion,
    /// The life of an allocation, in seconds, if the client does not ask for another; 600, the draft's (recalled).
    pub default_lifetime: u32,
    /// The longest that a client gets, in seconds; 3600 (inferred). An allocation over TCP lives so long without traffic.
    pub maximum_lifetime: u32,
    /// The largest Bandwidth to grant, in kbit/s; 750. It is stated, not enforced.
    pub bandwidth: u32,
    /// How long a nonce is good; 10 minutes.
    pub nonce_life: Duration,
    /// Whether a nonce is good for one client address only; by default it is.
    pub bind_nonces: bool,
    /// What a permission opens.
    pub permissions: PermissionRule,
    /// How long after a change of the active destination both the former and the new one get through as indications, and further changes are
    /// refused with 439. The draft has 3 s (recalled); by default there is no such time, as with OfficeSIP.
    pub transition: Duration,
    /// Whether clients of MS-Version 5 (over UDP) and 6 get a session for multiplexed TURN; by default not (inferred).
    pub multiplex: bool,
    /// Which peers there may be.
    pub peers: PeerPolicy,
    /// Bounds.
    pub limits: Limits,
}

impl Config {
    /// Default settings: IPv4 only, MS-Version 2.
    #[must_use]
    pub fn new(realm: &[u8]) -> Self {
        Self {
            realm: realm.into(),
            alternate_udp: None,
            alternate_tcp: None,
            listeners: Vec::new(),
            ipv4: true,
            ipv6: false,
            version: MsVersion::ICE2,
            default_lifetime: 600,
            maximum_lifetime: 3600,
            bandwidth: 750,
            nonce_life: Duration::from_secs(600),
            bind_nonces: true,
            permissions: PermissionRule::default(),
            transition: Duration::ZERO,
            multiplex: false,
            peers: PeerPolicy::default(),
            limits: Limits::default(),
        }
    }
}
