//! Address translators.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::host::HostId;
use crate::link::Link;
use crate::record::Flow;
use crate::testbed::Testbed;

/// What a translator does with datagrams, by the names of RFC 3489 5. Connections over TCP pass all kinds outwards and none
/// inwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NatKind {
    /// One outer port for each inner one; everybody may send to it.
    FullCone,
    /// One outer port for each inner one; only from addresses that were sent to.
    Restricted,
    /// One outer port for each inner one; only from addresses and ports that were sent to.
    PortRestricted,
    /// One outer port for each inner one and destination; only from that destination.
    Symmetric,
    /// Datagrams do not pass at all.
    UdpBlocked,
}

impl NatKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::FullCone,
        Self::Restricted,
        Self::PortRestricted,
        Self::Symmetric,
        Self::UdpBlocked,
    ];

    /// A name for command lines and tables: `full-cone`, `restricted`, `port-restricted`, `symmetric`, `udp-blocked`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FullCone => "full-cone",
            Self::Restricted => "restricted",
            Self::PortRestricted => "port-restricted",
            Self::Symmetric => "symmetric",
            Self::UdpBlocked => "udp-blocked",
        }
    }

    /// The kind of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether a packet from `peer` may pass to a port from which `sent_to` was sent to.
    fn admits(self, peer: SocketAddr, sent_to: SocketAddr) -> bool {
        match self {
            Self::FullCone => true,
            Self::Restricted => peer.ip() == sent_to.ip(),
            Self::PortRestricted | Self::Symmetric => peer == sent_to,
            Self::UdpBlocked => false,
        }
    }
}

/// How a translator behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nat {
    /// What it does with datagrams.
    pub kind: NatKind,
    /// A mapping, and the leave for a peer to use it, end when nothing was sent outwards for so long; 60 s. What comes in
    /// prolongs nothing (RFC 4787 REQ-6).
    pub mapping_timeout: Duration,
    /// Whether inner hosts reach each other by their outer addresses; false, as with most translators.
    pub hairpin: bool,
}

impl Nat {
    /// A translator of this kind.
    #[must_use]
    pub const fn new(kind: NatKind) -> Self {
        Self {
            kind,
            mapping_timeout: Duration::from_secs(60),
            hairpin: false,
        }
    }
}

/// The ports that mappings get, one after the other.
const PORTS: core::ops::RangeInclusive<u16> = 30_000..=49_151;

/// What a mapping is found by: the inner address, and the destination if the translator is symmetric.
type Key = (SocketAddr, Option<SocketAddr>);

#[derive(Debug)]
struct Mapping {
    key: Key,
    /// Whom the inner host sent to, and when last.
    peers: BTreeMap<SocketAddr, Instant>,
}

/// A translator at work.
#[derive(Debug)]
pub(crate) struct Translator {
    pub(crate) config: Nat,
    outer: BTreeMap<Key, SocketAddr>,
    mappings: BTreeMap<SocketAddr, Mapping>,
    next_port: u16,
}

impl Translator {
    pub(crate) const fn new(config: Nat) -> Self {
        Self {
            config,
            outer: BTreeMap::new(),
            mappings: BTreeMap::new(),
            next_port: *PORTS.start(),
        }
    }

    /// A datagram goes out: its outer source, or `None` if it does not pass.
    pub(crate) fn outwards(
        &mut self,
        now: Instant,
        inner: SocketAddr,
        peer: SocketAddr,
        address: IpAddr,
    ) -> Option<SocketAddr> {
        if self.config.kind == NatKind::UdpBlocked {
            return None;
        }
        self.expire(now);
        let symmetric = self.config.kind == NatKind::Symmetric;
        let key = (inner, symmetric.then_some(peer));
        let outer = match self.outer.get(&key) {
            Some(outer) => *outer,
            None => self.map(key, address)?,
        };
        let mapping = self.mappings.get_mut(&outer)?;
        mapping.peers.insert(peer, now);
        Some(outer)
    }

    /// A datagram comes in: the inner destination, or `None` if it does not pass.
    pub(crate) fn inwards(
        &mut self,
        now: Instant,
        outer: SocketAddr,
        peer: SocketAddr,
    ) -> Option<SocketAddr> {
        self.expire(now);
        let mapping = self.mappings.get(&outer)?;
        let mut sent_to = mapping.peers.keys();
        let kind = self.config.kind;
        sent_to
            .any(|sent_to| kind.admits(peer, *sent_to))
            .then_some(mapping.key.0)
    }

    /// The outer address of a connection; connections are not looked up again.
    pub(crate) fn connection(&mut self, address: IpAddr) -> SocketAddr {
        SocketAddr::new(address, self.port())
    }

    fn port(&mut self) -> u16 {
        let port = self.next_port;
        self.next_port = if port == *PORTS.end() {
            *PORTS.start()
        } else {
            port + 1
        };
        port
    }

    fn map(&mut self, key: Key, address: IpAddr) -> Option<SocketAddr> {
        let outer = PORTS.into_iter().find_map(|_| {
            let outer = SocketAddr::new(address, self.port());
            (!self.mappings.contains_key(&outer)).then_some(outer)
        })?;
        self.outer.insert(key, outer);
        let peers = BTreeMap::new();
        self.mappings.insert(outer, Mapping { key, peers });
        Some(outer)
    }

    fn expire(&mut self, now: Instant) {
        let timeout = self.config.mapping_timeout;
        let outer = &mut self.outer;
        self.mappings.retain(|_, mapping| {
            mapping
                .peers
                .retain(|_, last| now.duration_since(*last) < timeout);
            let alive = !mapping.peers.is_empty();
            if !alive {
                outer.remove(&mapping.key);
            }
            alive
        });
    }
}

/// Address translators.
impl Testbed {
    /// Adds a translator with its outer addresses. It has a column in ladder diagrams, and links as any host: datagrams are
    /// recorded on both sides of it. A connection over TCP appears once, with the addresses of its outer side; its link is the one
    /// between the outermost translators of its ends.
    ///
    /// # Panics
    ///
    /// If a host has one of the addresses.
    pub fn add_nat(
        &mut self,
        name: impl Into<String>,
        addresses: impl IntoIterator<Item = IpAddr>,
        nat: Nat,
    ) -> HostId {
        self.add_node(name.into(), addresses, None, Some(Translator::new(nat)))
    }

    /// Puts a host, or another translator, behind a translator. Its addresses can then be reached from behind the same
    /// translator only. The link between the two becomes [`Link::PERFECT`].
    ///
    /// # Panics
    ///
    /// If `nat` is no translator, or is behind `host` itself.
    pub fn put_behind(&mut self, host: HostId, nat: HostId) {
        self.set_link(host, nat, Link::PERFECT);
        assert!(
            self.nodes[nat.0].translator.is_some(),
            "host `{}` is no translator",
            self.nodes[nat.0].name
        );
        let mut outside = Some(nat);
        while let Some(node) = outside {
            assert_ne!(node, host, "a translator is behind itself");
            outside = self.nodes[node.0].behind;
        }
        self.nodes[host.0].behind = Some(nat);
    }

    /// The translator that a host is behind.
    #[must_use]
    pub fn behind(&self, host: HostId) -> Option<HostId> {
        self.nodes[host.0].behind
    }

    /// The node that a packet of this host goes to first.
    pub(crate) fn next_hop(&self, from: HostId, destination: IpAddr) -> Option<HostId> {
        let behind = self.nodes[from.0].behind;
        self.owner(destination)
            .filter(|owner| self.nodes[owner.0].behind == behind)
            .or(behind)
    }

    /// The node that a connection ends at as seen by its client, and the node and address that the client seems to be; `None` if
    /// no packet gets there.
    pub(crate) fn outside(
        &mut self,
        from: HostId,
        source: SocketAddr,
        destination: IpAddr,
    ) -> Option<(HostId, HostId, SocketAddr)> {
        let (mut node, mut source) = (from, source);
        loop {
            let hop = self.next_hop(node, destination)?;
            if self.owner(destination) == Some(hop) {
                return Some((hop, node, source));
            }
            let address = self.local_address(hop, source.is_ipv4())?;
            source = self.nodes[hop.0].translator.as_mut()?.connection(address);
            node = hop;
        }
    }

    /// A datagram has come to a translator: sends it on, or drops it.
    pub(crate) fn translate(&mut self, nat: HostId, flow: Flow, data: Bytes) {
        let now = self.now;
        let outer = self.local_address(nat, flow.destination.is_ipv4());
        let from_inside = self.nodes[flow.from.0].behind == Some(nat);
        let Some(translator) = self.nodes[nat.0].translator.as_mut() else {
            return;
        };
        let (mut source, destination) = (flow.source, flow.destination);
        let mut enters = !from_inside;
        if from_inside {
            let mapped = outer.and_then(|ip| translator.outwards(now, source, destination, ip));
            let Some(mapped) = mapped else {
                self.travel(nat, None, source, destination, data);
                return;
            };
            source = mapped;
            if outer != Some(destination.ip()) {
                self.route(nat, source, destination, data);
                return;
            }
            enters = translator.config.hairpin;
        }
        let inner = enters
            .then(|| translator.inwards(now, destination, source))
            .flatten();
        let to = inner.and_then(|inner| self.owner(inner.ip()));
        self.travel(nat, to, source, inner.unwrap_or(destination), data);
    }
}
