//! FINGERPRINT and the altered table of its CRC ([MS-ICE2] 3.1.4.8.2).

use crate::{AttributeType, HEADER_LEN};

/// What the CRC is combined with (RFC 5389 15.5).
const XOR: u32 = 0x5354_554E;

/// Octets of the attribute: type, length, value.
pub(crate) const ATTRIBUTE_LEN: usize = 8;

/// What the FINGERPRINT of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fingerprint {
    /// There is none.
    Absent,
    /// It is right by the standard table of CRC-32.
    Standard,
    /// It is right by the altered table only.
    Altered,
    /// It is wrong.
    Wrong,
}

/// The table of CRC-32 with entry 0x5A as the first products of this family have it: 0x08BBE8EA, a digit short of 0x8BBEB8EA.
static ALTERED_TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        let mut entry = index as u32;
        let mut bit = 0;
        while bit < 8 {
            let low = entry & 1;
            entry >>= 1;
            if low == 1 {
                entry ^= 0xEDB8_8320;
            }
            bit += 1;
        }
        table[index] = entry;
        index += 1;
    }
    table[0x5A] = 0x08BB_E8EA;
    table
};

/// CRC-32 with the altered table. About two messages of three have the same value with the standard one.
#[must_use]
pub fn altered_crc(octets: &[u8]) -> u32 {
    !octets.iter().fold(u32::MAX, |crc, octet| {
        ALTERED_TABLE[(crc as u8 ^ octet) as usize] ^ (crc >> 8)
    })
}

/// The value of FINGERPRINT behind these octets.
pub(crate) fn value(octets: &[u8]) -> [u8; 4] {
    (crc32fast::hash(octets) ^ XOR).to_be_bytes()
}

/// Compares the value of FINGERPRINT behind these octets with what it should be.
pub(crate) fn check(octets: &[u8], received: [u8; 4]) -> Fingerprint {
    if value(octets) == received {
        Fingerprint::Standard
    } else if (altered_crc(octets) ^ XOR).to_be_bytes() == received {
        Fingerprint::Altered
    } else {
        Fingerprint::Wrong
    }
}

/// Turns a message that ends with FINGERPRINT into the copy for the first products, whose table is altered. Tells whether
/// it became another message; if not, there is no need to send it. A message without FINGERPRINT stays as it is.
///
/// [MS-ICE2] 3.1.4.8.2: such a copy goes with every check and every response to one, until the peer has shown
/// IMPLEMENTATION-VERSION.
#[must_use]
pub fn alter(message: &mut [u8]) -> bool {
    const HEADER: [u8; 4] = [
        (AttributeType::FINGERPRINT.0 >> 8) as u8,
        AttributeType::FINGERPRINT.0 as u8,
        0,
        4,
    ];
    let Some(at) = message
        .len()
        .checked_sub(ATTRIBUTE_LEN)
        .filter(|&at| at >= HEADER_LEN)
    else {
        return false;
    };
    let (covered, attribute) = message.split_at_mut(at);
    if !attribute.starts_with(&HEADER) {
        return false;
    }
    let altered = (altered_crc(covered) ^ XOR).to_be_bytes();
    let value = &mut attribute[HEADER.len()..];
    let differs = *value != altered;
    value.copy_from_slice(&altered);
    differs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_of_the_digest() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(crc32fast::hash(&all), 0x2905_8C73);
        assert_eq!(altered_crc(&all), 0xD507_13EB);
        assert_eq!(altered_crc(b"123456789"), 0xCBF4_3926);
    }
}
