//! Protocol versions.

/// The version of the protocol, `version` in a challenge (\[MS-SIPAE\] 2.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// LCS 2005 and \[MS-SIP\] clients; the challenge has no `version`. 13 fields are signed.
    V2,
    /// OCS 2007. 16 fields are signed.
    V3,
    /// OCS 2007 R2 and later: as version 3, and the request that completes the handshake is signed too.
    V4,
}

impl Version {
    /// The number on the wire. Version 2 is never written.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
            Self::V4 => 4,
        }
    }

    /// The version of exactly this number.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            2 => Some(Self::V2),
            3 => Some(Self::V3),
            4 => Some(Self::V4),
            _ => None,
        }
    }

    /// What a client uses that is offered `number` and knows versions up to `self`: the highest that is not higher
    /// (recalled from the specification, not confirmed). `None` below 2.
    #[must_use]
    pub fn answer(self, number: u32) -> Option<Self> {
        Self::from_number(number.min(4)).map(|offered| offered.min(self))
    }

    /// Whether the request that carries the last token is signed already.
    #[must_use]
    pub const fn signs_handshake(self) -> bool {
        matches!(self, Self::V4)
    }

    /// Whether To and the asserted identities are signed.
    pub(crate) const fn covers_identities(self) -> bool {
        !matches!(self, Self::V2)
    }
}

#[cfg(test)]
mod tests {
    use super::Version::{self, V2, V3, V4};

    #[test]
    fn the_highest_known_version_that_is_not_higher_is_used() {
        for (own, offered, used) in [
            (V4, 4, Some(V4)),
            (V4, 9, Some(V4)),
            (V4, 3, Some(V3)),
            (V3, 4, Some(V3)),
            (V2, 4, Some(V2)),
            (V4, 2, Some(V2)),
            (V4, 1, None),
        ] {
            assert_eq!(own.answer(offered), used, "{own:?} offered {offered}");
        }
        assert_eq!(Version::from_number(5), None);
    }
}
