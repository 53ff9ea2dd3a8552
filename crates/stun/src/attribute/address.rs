//! Attributes that are a transport address, plain or combined with the Transaction ID.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Attribute, AttributeType};
use crate::{Error, TransactionId};

/// The family octet of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressFamily {
    /// 0x01.
    Ipv4,
    /// 0x02.
    Ipv6,
}

impl AddressFamily {
    /// The family of an address.
    #[must_use]
    pub const fn of(address: &IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    pub(super) const fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            1 => Some(Self::Ipv4),
            2 => Some(Self::Ipv6),
            _ => None,
        }
    }

    pub(super) const fn octet(self) -> u8 {
        match self {
            Self::Ipv4 => 1,
            Self::Ipv6 => 2,
        }
    }
}

/// Reads an address: a reserved octet, the family, the port and 4 or 16 octets ([MS-TURN] 2.2.2.1).
pub fn decode_address(attribute: AttributeType, value: &[u8]) -> Result<SocketAddr, Error> {
    decode(attribute, value, [0; 16])
}

/// Reads an address that is combined with the Transaction ID ([MS-TURN] 2.2.2.16).
///
/// It is the same in all dialects: where RFC 5389 combines with its cookie, that cookie is the beginning of the Transaction ID.
pub fn decode_xor_address(
    attribute: AttributeType,
    value: &[u8],
    id: TransactionId,
) -> Result<SocketAddr, Error> {
    decode(attribute, value, id.0)
}

/// Appends an address.
pub fn encode_address(address: SocketAddr, out: &mut Vec<u8>) {
    encode(address, [0; 16], out);
}

/// Appends an address, combined with the Transaction ID.
pub fn encode_xor_address(address: SocketAddr, id: TransactionId, out: &mut Vec<u8>) {
    encode(address, id.0, out);
}

fn decode(attribute: AttributeType, value: &[u8], mask: [u8; 16]) -> Result<SocketAddr, Error> {
    let len = value.len();
    let Some((&[_, family, p0, p1], address)) = value.split_first_chunk() else {
        return Err(Error::ValueLength { attribute, len });
    };
    let port = u16::from_be_bytes([p0 ^ mask[0], p1 ^ mask[1]]);
    let length = |_| Error::ValueLength { attribute, len };
    let ip = match AddressFamily::from_octet(family) {
        Some(AddressFamily::Ipv4) => {
            let address: [u8; 4] = address.try_into().map_err(length)?;
            IpAddr::V4(Ipv4Addr::from(xor(address, mask)))
        }
        Some(AddressFamily::Ipv6) => {
            let address: [u8; 16] = address.try_into().map_err(length)?;
            IpAddr::V6(Ipv6Addr::from(xor(address, mask)))
        }
        None => return Err(Error::AddressFamily { attribute }),
    };
    Ok(SocketAddr::new(ip, port))
}

fn encode(address: SocketAddr, mask: [u8; 16], out: &mut Vec<u8>) {
    let [p0, p1] = address.port().to_be_bytes();
    let family = AddressFamily::of(&address.ip()).octet();
    out.extend_from_slice(&[0, family, p0 ^ mask[0], p1 ^ mask[1]]);
    match address.ip() {
        IpAddr::V4(ip) => out.extend_from_slice(&xor(ip.octets(), mask)),
        IpAddr::V6(ip) => out.extend_from_slice(&xor(ip.octets(), mask)),
    }
}

fn xor<const N: usize>(mut octets: [u8; N], mask: [u8; 16]) -> [u8; N] {
    for (octet, mask) in octets.iter_mut().zip(mask) {
        *octet ^= mask;
    }
    octets
}

macro_rules! addresses {
    ($($(#[$doc:meta])* $name:ident = $type:ident, $mask:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(pub SocketAddr);

        impl Attribute<'_> for $name {
            const TYPE: AttributeType = AttributeType::$type;

            fn decode(value: &[u8], id: TransactionId) -> Result<Self, Error> {
                let mask: fn(TransactionId) -> [u8; 16] = $mask;
                decode(Self::TYPE, value, mask(id)).map(Self)
            }

            fn encode(&self, id: TransactionId, out: &mut Vec<u8>) {
                let mask: fn(TransactionId) -> [u8; 16] = $mask;
                encode(self.0, mask(id), out);
            }
        }
    )*};
}

addresses! {
    /// Mapped Address (\[MS-TURN\] 2.2.2.1): in an Allocate response the relayed address, in a binding response the address that the request came from.
    MappedAddress = MAPPED_ADDRESS, |_| [0; 16];
    /// XOR-MAPPED-ADDRESS of a binding response (RFC 5389 15.2).
    XorMappedAddress = XOR_MAPPED_ADDRESS, |id| id.0;
    /// XOR Mapped Address of an Allocate response (\[MS-TURN\] 2.2.2.16): the address that the request came from.
    MsXorMappedAddress = MS_XOR_MAPPED_ADDRESS, |id| id.0;
    /// Alternate Server (\[MS-TURN\] 2.2.2.7): the machine that the client should ask instead.
    AlternateServer = ALTERNATE_SERVER, |_| [0; 16];
    /// Destination Address (\[MS-TURN\] 2.2.2.10): the peer that data goes to.
    DestinationAddress = DESTINATION_ADDRESS, |_| [0; 16];
    /// Remote Address (\[MS-TURN\] 2.2.2.11): the peer that data came from.
    RemoteAddress = REMOTE_ADDRESS, |_| [0; 16];
    /// MS-Alternate Mapped Address (\[MS-TURN\] 2.2.2.23): the relayed IPv6 address beside an IPv4 one.
    MsAlternateMappedAddress = MS_ALTERNATE_MAPPED_ADDRESS, |_| [0; 16];
}
