//! RTP or RTCP on one transport (\[MS-RTP\] 2.1, RFC 5761 4).

/// What a packet is, by its first two octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An RTP packet.
    Rtp,
    /// An RTCP compound.
    Rtcp,
}

impl Kind {
    /// Tells what came over a transport that carries both, in datagrams or in frames of a stream. `None` is neither: STUN, for example.
    ///
    /// RTCP has a second octet from 192 to 223: its packet type, which would be payload types 64 to 95 with the marker.
    #[inline]
    pub const fn of(octets: &[u8]) -> Option<Self> {
        match octets {
            [first, second, ..] if *first >> 6 == 2 => Some(match second {
                192..=223 => Self::Rtcp,
                _ => Self::Rtp,
            }),
            _ => None,
        }
    }
}
