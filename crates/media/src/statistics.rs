//! What a stream counts.

/// Packets of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// Packets of RTP.
    pub packets: u64,
    /// Octets of them, headers of RTP and protection included.
    pub octets: u64,
    /// Packets of RTCP.
    pub control: u64,
}

/// What a stream has counted since it was made. Packets that do not come from a peer are not seen here: ICE drops them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// What was sent.
    pub sent: Flow,
    /// What came and was taken.
    pub received: Flow,
    /// Packets that are neither RTP nor RTCP, not where they belong, or malformed once they are in clear.
    pub malformed: u64,
    /// Packets that no key opened: forged, damaged, or in clear where keys were agreed on.
    pub undecryptable: u64,
    /// Packets that were there before, or so late that nobody can tell.
    pub replayed: u64,
    /// Packets of forks that are not the one that is heard.
    pub unheard: u64,
    /// Media that came although this side does not want to receive.
    pub unwanted: u64,
    /// Packets of media that RTP dropped: SSRCs out of range or throttled.
    pub dropped: u64,
    /// Packets of media that the application did not poll in time.
    pub overflowed: u64,
}
