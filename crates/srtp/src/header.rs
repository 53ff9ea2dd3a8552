//! The little that protection needs to know of RTP and RTCP.
//!
//! `ocs_rtp::Packet` is a view over a packet in clear: it takes the padding off, whose count is the last octet. In a protected packet that
//! octet is of the tag, and only the header is in clear, so the view would refuse packets that are right. What the two read alike is tested.

use crate::{Error, MAX_PACKET_LEN};

/// Octets of the fixed part of an RTP header.
const RTP_FIXED_LEN: usize = 12;

/// Octets in front of what is encrypted in RTCP: the header of the first packet and its SSRC.
pub(crate) const RTCP_CLEAR_LEN: usize = 8;

/// What an RTP header says to the transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rtp {
    pub(crate) seq: u16,
    pub(crate) ssrc: u32,
    /// Where the payload begins, behind the list of CSRCs and the extension.
    pub(crate) payload_at: usize,
}

fn big_endian<const N: usize>(octets: &[u8], at: usize) -> Result<[u8; N], Error> {
    let len = octets.len();
    let rest = octets.get(at..).and_then(<[u8]>::first_chunk);
    rest.copied().ok_or(Error::TooShort { len })
}

fn version(octets: &[u8]) -> Result<u8, Error> {
    let first = *octets.first().ok_or(Error::TooShort { len: 0 })?;
    match first >> 6 {
        2 if octets.len() > MAX_PACKET_LEN => Err(Error::TooLong { len: octets.len() }),
        2 => Ok(first),
        other => Err(Error::Version(other)),
    }
}

/// Reads the header of an RTP packet (RFC 3550 5.1, 5.3.1).
#[inline]
pub(crate) fn rtp(packet: &[u8]) -> Result<Rtp, Error> {
    let len = packet.len();
    let first = version(packet)?;
    let fixed: [u8; RTP_FIXED_LEN] = big_endian(packet, 0)?;
    let mut payload_at = RTP_FIXED_LEN + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let words = u16::from_be_bytes(big_endian(packet, payload_at + 2)?);
        payload_at += 4 + 4 * usize::from(words);
    }
    if payload_at > len {
        return Err(Error::TooShort { len });
    }
    Ok(Rtp {
        seq: u16::from_be_bytes([fixed[2], fixed[3]]),
        ssrc: u32::from_be_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]),
        payload_at,
    })
}

/// The SSRC of the first packet of an RTCP compound (RFC 3550 6.4.1).
#[inline]
pub(crate) fn rtcp_ssrc(packet: &[u8]) -> Result<u32, Error> {
    version(packet)?;
    Ok(u32::from_be_bytes(big_endian(packet, 4)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocs_rtp::Packet;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        /// Without padding, the one takes what the other takes.
        #[test]
        fn headers_are_those_of_ocs_rtp(
            first in any::<u8>(),
            rest in vec(prop_oneof![3 => Just(0_u8), 1 => Just(1), 1 => any::<u8>()], 0..120),
        ) {
            let mut octets = vec![first & !0x20];
            octets.extend(rest);
            match (rtp(&octets), Packet::parse(&octets)) {
                (Ok(header), Ok(packet)) => {
                    prop_assert_eq!(header.seq, packet.sequence());
                    prop_assert_eq!(header.ssrc, packet.ssrc());
                    prop_assert_eq!(&octets[header.payload_at..], packet.payload());
                }
                (Err(_), Err(_)) => {}
                (ours, theirs) => prop_assert!(false, "{ours:?}, {theirs:?}"),
            }
        }
    }

    #[test]
    fn lists_and_extensions_are_passed_over() {
        let mut packet = vec![0x80; 12];
        packet[2..4].copy_from_slice(&[0x12, 0x34]);
        packet[8..12].copy_from_slice(&[0xca, 0xfe, 0xba, 0xbe]);
        let header = rtp(&packet).unwrap();
        assert_eq!((header.seq, header.ssrc), (0x1234, 0xcafe_babe));
        assert_eq!(header.payload_at, 12);
        packet[0] = 0x92;
        packet.extend([0; 8]);
        packet.extend([0xbe, 0xde, 0, 1, 1, 2, 3, 4, 9]);
        assert_eq!(rtp(&packet).unwrap().payload_at, 28);
        for len in 0..28 {
            assert_eq!(rtp(&packet[..len]), Err(Error::TooShort { len }), "{len}");
        }
    }

    #[test]
    fn versions_and_lengths() {
        assert_eq!(rtp(&[0x40; 12]), Err(Error::Version(1)));
        assert_eq!(rtcp_ssrc(&[0; 12]), Err(Error::Version(0)));
        assert_eq!(rtcp_ssrc(&[0x80; 7]), Err(Error::TooShort { len: 7 }));
        assert_eq!(rtcp_ssrc(&[0x80; 8]), Ok(0x8080_8080));
        assert_eq!(
            rtp(&vec![0x80; 65_535]).map(|header| header.payload_at),
            Ok(12)
        );
        assert_eq!(
            rtp(&vec![0x80; 65_536]),
            Err(Error::TooLong { len: 65_536 })
        );
    }
}
