//! Networks, and which peers a relay serves.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// A network: the first bits of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    address: IpAddr,
    len: u8,
}

impl Prefix {
    /// The network of an address with so many bits, at most 32 or 128.
    #[must_use]
    pub fn new(address: IpAddr, len: u8) -> Self {
        let bits = if address.is_ipv4() { 32 } else { 128 };
        Self {
            address,
            len: len.min(bits),
        }
    }

    /// How many bits count.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // A prefix of no bits holds every address; it is not empty.
    pub const fn len(&self) -> u8 {
        self.len
    }

    /// Whether an address belongs to it. An IPv4 address is never part of an IPv6 network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differing = network.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= u32::from(self.len)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differing = network.to_bits() ^ address.to_bits();
                differing.leading_zeros() >= u32::from(self.len)
            }
            _ => false,
        }
    }
}

/// Which peers a relay sends to and takes data from. Addresses that are no host's, such as multicast, are refused always, and so is port 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerPolicy {
    /// Whether loopback, link-local, private (RFC 1918, RFC 4193) and shared (RFC 6598) addresses are peers. A relay in the Internet must not reach
    /// into the network that it stands in.
    pub allow_private: bool,
    /// Networks that are refused besides.
    pub refused: Vec<Prefix>,
}

impl PeerPolicy {
    /// Whether there may be a peer at this address.
    #[must_use]
    pub fn allows(&self, peer: SocketAddr) -> bool {
        let ip = peer.ip();
        let hosts = match ip {
            IpAddr::V4(ip) => {
                !(ip.is_multicast()
                    || ip.is_broadcast()
                    || ip.octets()[0] == 0
                    || ip.octets()[0] >= 240)
            }
            // IPv4 in IPv6 would go around the rules of IPv4.
            IpAddr::V6(ip) => !(ip.is_multicast() || ip.is_unspecified() || embeds_ipv4(ip)),
        };
        hosts
            && peer.port() != 0
            && (self.allow_private || !is_private(ip))
            && !self.refused.iter().any(|prefix| prefix.contains(ip))
    }
}

/// Mapped (::ffff:0:0/96), compatible (::/96 but ::1), translated (64:ff9b::/96, 64:ff9b:1::/48), 6to4 (2002::/16) and Teredo (2001::/32) addresses.
fn embeds_ipv4(ip: Ipv6Addr) -> bool {
    let segments = ip.segments();
    ip.to_ipv4().is_some() && !ip.is_loopback()
        || matches!(
            segments,
            [0x0064, 0xff9b, ..] | [0x2002, ..] | [0x2001, 0, ..]
        )
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || a == 100 && b & 0xC0 == 64
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        let prefix = |text: &str, len| Prefix::new(text.parse().unwrap(), len);
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(prefix("10.0.0.0", 8).contains(ip("10.255.0.1")));
        assert!(!prefix("10.0.0.0", 8).contains(ip("11.0.0.1")));
        assert!(prefix("10.0.0.1", 32).contains(ip("10.0.0.1")));
        assert!(prefix("0.0.0.0", 0).contains(ip("255.0.0.1")));
        assert!(prefix("2001:db8::", 32).contains(ip("2001:db8:1::")));
        assert!(!prefix("::", 0).contains(ip("1.2.3.4")));
        assert_eq!(prefix("1.2.3.4", 99).len(), 32);
    }

    #[test]
    fn which_peers_are_served() {
        let strict = PeerPolicy::default();
        let open = PeerPolicy {
            allow_private: true,
            refused: vec![Prefix::new("198.51.100.0".parse().unwrap(), 24)],
        };
        for (peer, by_strict, by_open) in [
            ("192.0.2.1:5000", true, true),
            ("192.0.2.1:0", false, false),
            ("198.51.100.7:5000", true, false),
            ("[2001:db8::1]:5000", true, true),
            ("127.0.0.1:5000", false, true),
            ("10.0.0.1:5000", false, true),
            ("172.31.0.1:5000", false, true),
            ("192.168.0.1:5000", false, true),
            ("169.254.169.254:80", false, true),
            ("100.64.0.1:5000", false, true),
            ("100.128.0.1:5000", true, true),
            ("[::1]:5000", false, true),
            ("[fd00::1]:5000", false, true),
            ("[fe80::1]:5000", false, true),
            ("0.0.0.0:5000", false, false),
            ("224.0.0.1:5000", false, false),
            ("255.255.255.255:5000", false, false),
            ("[::]:5000", false, false),
            ("[ff02::1]:5000", false, false),
            ("[::ffff:127.0.0.1]:5000", false, false),
            ("[::127.0.0.1]:5000", false, false),
            ("[64:ff9b::7f00:1]:5000", false, false),
            ("[2002:7f00:1::]:5000", false, false),
        ] {
            let peer = peer.parse().unwrap();
            assert_eq!(strict.allows(peer), by_strict, "{peer}");
            assert_eq!(open.allows(peer), by_open, "{peer}");
        }
    }
}
