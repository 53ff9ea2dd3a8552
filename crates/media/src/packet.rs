//! Packets of media as the application gets them.

use bytes::Bytes;
use ocs_rtp::Packet;

/// A packet of media that came in: of the peer, decrypted, and with a header that is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPacket {
    octets: Bytes,
}

impl MediaPacket {
    /// Of octets that have been read as a packet.
    pub(crate) const fn new(octets: Bytes) -> Self {
        Self { octets }
    }

    /// The packet.
    #[must_use]
    pub fn rtp(&self) -> Packet<'_> {
        Packet::parse(&self.octets).expect("it was read when it came")
    }

    /// Its octets in clear.
    #[must_use]
    pub const fn octets(&self) -> &Bytes {
        &self.octets
    }

    /// Its payload, without padding, as octets of its own.
    #[must_use]
    pub fn payload(&self) -> Bytes {
        self.octets.slice_ref(self.rtp().payload())
    }
}
