//! Attributes of [MS-TURN] 2.2.2.

use super::{
    AddressFamily, Attribute, AttributeType, fixed, integer_attributes, opaque_attributes,
};
use crate::{Error, MS_COOKIE, TransactionId};

integer_attributes! {
    /// Lifetime (\[MS-TURN\] 2.2.2.6) of an allocation in seconds; 0 releases it.
    Lifetime(u32) = LIFETIME;
    /// Bandwidth (\[MS-TURN\] 2.2.2.9) in kbit/s: the peak rate that the client will use (recalled).
    Bandwidth(u32) = BANDWIDTH;
    /// MS-Version (\[MS-TURN\] 2.2.2.17). A message without it counts as one of version 1.
    MsVersion(u32) = MS_VERSION;
    /// App ID (\[MS-TURN\] 2.2.2.19). What it identifies was not read.
    AppId(u32) = APP_ID;
}

impl MsVersion {
    /// A client of \[MS-ICE\].
    pub const ICE: Self = Self(1);
    /// A client of \[MS-ICE2\].
    pub const ICE2: Self = Self(2);
    /// Besides, HMAC-SHA256 in Message Integrity.
    pub const SHA256: Self = Self(3);
    /// Besides, IPv6.
    pub const IPV6: Self = Self(4);
    /// Besides, multiplexed TURN over UDP.
    pub const MULTIPLEXED_UDP: Self = Self(5);
    /// Besides, multiplexed TURN over TCP.
    pub const MULTIPLEXED: Self = Self(6);
}

opaque_attributes! {
    /// Data (\[MS-TURN\] 2.2.2.12): a datagram, or over TCP a piece of the stream.
    Data(u16::MAX as usize) = DATA;
    /// Nonce (\[MS-TURN\] 2.2.2.13), at most 128 octets.
    Nonce(128) = NONCE;
    /// Realm (\[MS-TURN\] 2.2.2.14), at most 128 octets, as it is on the wire: Microsoft's edge has it in double quotes (recalled), which do not
    /// go into the key.
    Realm(128) = REALM;
    /// MS-Alternate Host Name (\[MS-TURN\] 2.2.2.18, the section number is inferred), at most 128 octets: the name of the server.
    MsAlternateHostName(128) = MS_ALTERNATE_HOST_NAME;
    /// Secure Tag (\[MS-TURN\] 2.2.2.20), at most 40 octets.
    SecureTag(40) = SECURE_TAG;
}

/// Magic Cookie ([MS-TURN] 2.2.2.8), the first attribute of every message. [`MessageBuilder`](crate::MessageBuilder) writes it itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MagicCookie;

impl Attribute<'_> for MagicCookie {
    const TYPE: AttributeType = AttributeType::MAGIC_COOKIE;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, Error> {
        if fixed(Self::TYPE, value)? != MS_COOKIE {
            return Err(Error::Cookie);
        }
        Ok(Self)
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(&MS_COOKIE);
    }
}

/// Requested Address Family ([MS-TURN] 2.2.2.15), from MS-Version 4 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestedAddressFamily(pub AddressFamily);

impl Attribute<'_> for RequestedAddressFamily {
    const TYPE: AttributeType = AttributeType::REQUESTED_ADDRESS_FAMILY;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, Error> {
        let [family, _, _, _] = fixed(Self::TYPE, value)?;
        AddressFamily::from_octet(family)
            .map(Self)
            .ok_or(Error::Value {
                attribute: Self::TYPE,
            })
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.0.octet(), 0, 0, 0]);
    }
}

/// MS-Sequence Number ([MS-TURN] 2.2.2.21).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MsSequenceNumber {
    /// Names the allocation; the server chooses it.
    pub connection_id: [u8; 20],
    /// 0 in the first response; the client counts up with each request.
    pub sequence_number: u32,
}

impl Attribute<'_> for MsSequenceNumber {
    const TYPE: AttributeType = AttributeType::MS_SEQUENCE_NUMBER;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, Error> {
        let [connection_id @ .., s0, s1, s2, s3] = fixed::<24>(Self::TYPE, value)?;
        Ok(Self {
            connection_id,
            sequence_number: u32::from_be_bytes([s0, s1, s2, s3]),
        })
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.connection_id);
        out.extend_from_slice(&self.sequence_number.to_be_bytes());
    }
}

/// What a stream carries ([MS-TURN] 2.2.2.22).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StreamType {
    /// 1; also what the absence of the attribute means.
    #[default]
    Audio,
    /// 2.
    Video,
    /// 3.
    SupplementalVideo,
    /// 4.
    Data,
}

/// How a stream is to be delivered ([MS-TURN] 2.2.2.22).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ServiceQuality {
    /// 0; also what the absence of the attribute means.
    #[default]
    BestEffort,
    /// 1.
    Reliable,
}

/// MS-Service Quality ([MS-TURN] 2.2.2.22).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct MsServiceQuality {
    /// What the stream carries.
    pub stream: StreamType,
    /// How it is to be delivered.
    pub quality: ServiceQuality,
}

impl Attribute<'_> for MsServiceQuality {
    const TYPE: AttributeType = AttributeType::MS_SERVICE_QUALITY;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, Error> {
        let [s0, s1, q0, q1] = fixed(Self::TYPE, value)?;
        let unknown = Error::Value {
            attribute: Self::TYPE,
        };
        let stream = match u16::from_be_bytes([s0, s1]) {
            1 => StreamType::Audio,
            2 => StreamType::Video,
            3 => StreamType::SupplementalVideo,
            4 => StreamType::Data,
            _ => return Err(unknown),
        };
        let quality = match u16::from_be_bytes([q0, q1]) {
            0 => ServiceQuality::BestEffort,
            1 => ServiceQuality::Reliable,
            _ => return Err(unknown),
        };
        Ok(Self { stream, quality })
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        let stream = match self.stream {
            StreamType::Audio => 1,
            StreamType::Video => 2,
            StreamType::SupplementalVideo => 3,
            StreamType::Data => 4,
        };
        let quality = match self.quality {
            ServiceQuality::BestEffort => 0,
            ServiceQuality::Reliable => 1,
        };
        out.extend_from_slice(&[0, stream, 0, quality]);
    }
}

/// Multiplexed TURN Session ID ([MS-TURN] 2.2.2.24), which stands before the data in frames of [MS-TURN] 2.2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MultiplexedTurnSessionId(pub [u8; 8]);

impl Attribute<'_> for MultiplexedTurnSessionId {
    const TYPE: AttributeType = AttributeType::MULTIPLEXED_TURN_SESSION_ID;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, Error> {
        fixed(Self::TYPE, value).map(Self)
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}
