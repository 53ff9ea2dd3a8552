//! Which of the forms of STUN is spoken.

use crate::attribute::AttributeType as A;
use crate::{HEADER_LEN, IntegrityForm, MS_COOKIE, RFC_COOKIE};

/// A form of STUN. The header, the attributes' layout and the XOR of addresses are the same in all of them; what differs is below.
///
/// | | [`MsTurn`](Self::MsTurn) | [`MsIce`](Self::MsIce) | [`MsIce2`](Self::MsIce2) | [`Rfc5389`](Self::Rfc5389) |
/// | --- | --- | --- | --- | --- |
/// | cookie | first attribute | none | in the transaction identifier | in the transaction identifier |
/// | padding of attributes | none | none | none | to 4 octets |
/// | integrity | final length, zero-filled text | final length, zero-filled text | final length with FINGERPRINT, zero-filled text | length up to integrity |
/// | fingerprint | none | none | always | always |
///
/// A received message whose attributes do not end on its last octet is read once more as if they were padded, because some
/// implementations of the unpadded dialects pad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// \[MS-TURN\] 2.2.
    MsTurn,
    /// The connectivity checks of \[MS-ICE\] (draft-ietf-mmusic-ice-06).
    MsIce,
    /// The connectivity checks of \[MS-ICE2\] (draft-ietf-mmusic-ice-19).
    MsIce2,
    /// RFC 5389 as it stands, for peers that are not of this family.
    Rfc5389,
}

impl Dialect {
    /// Whether the transaction identifier begins with the cookie of RFC 5389.
    #[must_use]
    pub const fn has_rfc_cookie(self) -> bool {
        matches!(self, Self::MsIce2 | Self::Rfc5389)
    }

    /// Whether messages end with FINGERPRINT.
    #[must_use]
    pub const fn has_fingerprint(self) -> bool {
        matches!(self, Self::MsIce2 | Self::Rfc5389)
    }

    /// Whether attributes are padded to 4 octets outside their length.
    #[must_use]
    pub const fn pads(self) -> bool {
        matches!(self, Self::Rfc5389)
    }

    /// How MESSAGE-INTEGRITY is computed.
    #[must_use]
    pub const fn integrity_form(self) -> IntegrityForm {
        match self {
            Self::MsTurn | Self::MsIce | Self::MsIce2 => IntegrityForm::Draft,
            Self::Rfc5389 => IntegrityForm::Rfc5389,
        }
    }

    /// Whether the attribute need not be listed in UNKNOWN-ATTRIBUTES: it is optional, or this dialect defines it.
    #[must_use]
    pub const fn understands(self, attribute: A) -> bool {
        if !attribute.is_required() {
            return true;
        }
        let common = matches!(
            attribute,
            A::MAPPED_ADDRESS
                | A::USERNAME
                | A::MESSAGE_INTEGRITY
                | A::ERROR_CODE
                | A::UNKNOWN_ATTRIBUTES
        );
        common
            || match self {
                Self::MsTurn => matches!(
                    attribute,
                    A::LIFETIME
                        | A::ALTERNATE_SERVER
                        | A::MAGIC_COOKIE
                        | A::BANDWIDTH
                        | A::DESTINATION_ADDRESS
                        | A::REMOTE_ADDRESS
                        | A::DATA
                        | A::NONCE
                        | A::REALM
                        | A::REQUESTED_ADDRESS_FAMILY
                ),
                Self::MsIce => matches!(attribute, A::XOR_MAPPED_ADDRESS),
                Self::MsIce2 | Self::Rfc5389 => matches!(
                    attribute,
                    A::XOR_MAPPED_ADDRESS | A::PRIORITY | A::USE_CANDIDATE
                ),
            }
    }

    /// Whether a datagram, or the content of a frame, claims to be a message of this dialect: top bits, length and cookie. What does not is
    /// media or another dialect. The attributes are not looked at.
    ///
    /// [`MsIce`](Self::MsIce) has no cookie: ask it last.
    #[must_use]
    pub fn recognises(self, octets: &[u8]) -> bool {
        let Some((header, rest)) = octets.split_first_chunk::<HEADER_LEN>() else {
            return false;
        };
        header[0] & 0xC0 == 0
            && usize::from(u16::from_be_bytes([header[2], header[3]])) == rest.len()
            && self.has_cookie(header, rest)
    }

    /// Whether the cookie is where this dialect has it.
    pub(crate) fn has_cookie(self, header: &[u8; HEADER_LEN], rest: &[u8]) -> bool {
        const COOKIE: [u8; 8] = {
            let [a, b, c, d] = MS_COOKIE;
            [0x00, 0x0F, 0x00, 0x04, a, b, c, d]
        };
        match self {
            Self::MsTurn => rest.starts_with(&COOKIE),
            Self::MsIce => true,
            Self::MsIce2 | Self::Rfc5389 => header[4..8] == RFC_COOKIE,
        }
    }
}
