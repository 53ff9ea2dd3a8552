//! Priorities of candidates and pairs (\[MS-ICE2\] after draft-ietf-mmusic-ice-19 4.1.2 and 5.7.2; \[MS-ICE\] q-values).

use core::fmt;
use core::str::FromStr;

use crate::{CandidateType, Component, Error, Transport};

/// The type preferences, 0 to 126. The defaults are those of a peer that interoperates with the products; the
/// products' own seem to be 126, 100 and 0 (recalled). Any will do: they only order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypePreferences {
    /// 120.
    pub host: u8,
    /// 110.
    pub peer_reflexive: u8,
    /// 100.
    pub server_reflexive: u8,
    /// 30: relayed over UDP.
    pub relayed_udp: u8,
    /// 20: relayed over TCP.
    pub relayed_tcp: u8,
    /// Whether TCP candidates have half of their type's preference, as is right for media; true.
    pub halve_tcp: bool,
}

impl Default for TypePreferences {
    fn default() -> Self {
        Self {
            host: 120,
            peer_reflexive: 110,
            server_reflexive: 100,
            relayed_udp: 30,
            relayed_tcp: 20,
            halve_tcp: true,
        }
    }
}

impl TypePreferences {
    /// The preference of a type over a transport.
    pub fn of(&self, kind: CandidateType, transport: Transport) -> u8 {
        let preference = match kind {
            CandidateType::Host => self.host,
            CandidateType::PeerReflexive => self.peer_reflexive,
            CandidateType::ServerReflexive => self.server_reflexive,
            CandidateType::Relayed if transport.is_tcp() => self.relayed_tcp,
            CandidateType::Relayed => self.relayed_udp,
        };
        if self.halve_tcp && transport.is_tcp() {
            preference / 2
        } else {
            preference
        }
    }
}

/// The local preference: bits 12 to 15 the transport (UDP 15, TCP 6), 9 to 11 the direction (active 5, passive 2,
/// simultaneous open 7 (inferred), UDP 0), 6 to 8 the preference among relays (0 to 7, larger is better), 0 to 5 the number of
/// the interface (0 to 63).
pub fn local_preference(transport: Transport, relay: u8, interface: u8) -> u16 {
    let (transport, direction) = match transport {
        Transport::Udp => (15, 0),
        Transport::TcpActive => (6, 5),
        Transport::TcpPassive => (6, 2),
        Transport::TcpSimultaneousOpen => (6, 7),
    };
    transport << 12 | direction << 9 | u16::from(relay & 7) << 6 | u16::from(interface & 63)
}

/// The priority of a candidate: type, local preference, component.
pub const fn candidate(type_preference: u8, local_preference: u16, component: Component) -> u32 {
    (type_preference as u32) << 24
        | (local_preference as u32) << 8
        | (256 - component.number() as u32)
}

/// The priority of a pair, of the priorities of the controlling and the controlled side's candidates.
pub const fn pair(controlling: u32, controlled: u32) -> u64 {
    let (low, high) = if controlling < controlled {
        (controlling, controlled)
    } else {
        (controlled, controlling)
    };
    // Only priorities that RFC 5245 does not allow reach the end of the range.
    ((low as u64) << 32)
        .saturating_add(2 * high as u64)
        .saturating_add((controlling > controlled) as u64)
}

/// The priority of a candidate of \[MS-ICE\], 0 to 1 in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QValue(u16);

impl QValue {
    /// Of a host candidate, as interoperating clients have it.
    pub const HOST: Self = Self(830);
    /// Of a reflexive candidate.
    pub const REFLEXIVE: Self = Self(550);
    /// Of a relayed candidate.
    pub const RELAYED: Self = Self(450);

    /// A value from thousandths, if it is 1000 at most.
    pub const fn from_thousandths(thousandths: u16) -> Option<Self> {
        if thousandths <= 1000 {
            Some(Self(thousandths))
        } else {
            None
        }
    }

    /// The value in thousandths.
    pub const fn thousandths(self) -> u16 {
        self.0
    }
}

impl fmt::Display for QValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

impl FromStr for QValue {
    type Err = Error;

    /// Digits after the third are cut off.
    fn from_str(text: &str) -> Result<Self, Error> {
        const INVALID: Error = Error::InvalidField { field: "qvalue" };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = fraction.bytes().all(|c| c.is_ascii_digit());
        if !digits || fraction.len() > 9 || !matches!(whole, "0" | "1") {
            return Err(INVALID);
        }
        let mut thousandths = u16::from(whole == "1");
        for digit in fraction.bytes().chain(*b"000").take(3) {
            thousandths = thousandths * 10 + u16::from(digit - b'0');
        }
        Self::from_thousandths(thousandths).ok_or(INVALID)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = include_str!("../tests/data/priorities.json");

    /// The vectors name the candidates as the crate does, with `host UDP`.
    #[test]
    fn vectors() {
        let vectors: serde_json::Value = serde_json::from_str(DATA).unwrap();
        let preferences = TypePreferences::default();
        for entry in vectors["candidates"].as_array().unwrap() {
            let name = entry["candidate"].as_str().unwrap();
            let (kind, transport) = name.split_once(' ').unwrap();
            let kind = CandidateType::from_name(kind).unwrap();
            let transport = Transport::from_name(transport).unwrap();
            let preference = preferences.of(kind, transport);
            assert_eq!(entry["type_pref"], preference, "{name}");
            let local = local_preference(transport, 0, 0);
            assert_eq!(entry["local_pref"], local, "{name}");
            assert_eq!(entry["rtp"], candidate(preference, local, Component::Rtp));
            assert_eq!(entry["rtcp"], candidate(preference, local, Component::Rtcp));
        }
        let number = |name: &str| u32::try_from(vectors["pair"][name].as_u64().unwrap()).unwrap();
        assert_eq!(vectors["pair"]["priority"], pair(number("G"), number("D")));
    }

    #[test]
    fn pair_priority_breaks_ties_by_the_controlling_side() {
        assert_eq!(pair(2, 1), (1 << 32) + 5);
        assert_eq!(pair(1, 2), (1 << 32) + 4);
        assert_eq!(pair(u32::MAX, u32::MAX), u64::MAX);
    }

    #[test]
    fn q_values() {
        for (text, value) in [
            ("0.830", 830),
            ("0.83", 830),
            ("1", 1000),
            ("1.000", 1000),
            ("0", 0),
            ("0.0009", 0),
        ] {
            assert_eq!(
                text.parse::<QValue>().unwrap().thousandths(),
                value,
                "{text}"
            );
        }
        for text in [
            "",
            "1.001",
            "2",
            "0.83x",
            "-0.1",
            ".5",
            "0.0000000001",
            "0,5",
        ] {
            assert!(text.parse::<QValue>().is_err(), "{text}");
        }
        assert_eq!(QValue::HOST.to_string(), "0.830");
        assert_eq!(QValue(1000).to_string(), "1.000");
    }
}
