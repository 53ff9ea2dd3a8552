//! Values of the attributes ([MS-TURNBWM] 2.2).

use ocs_stun::attribute::{Attribute, AttributeType, fixed};
use ocs_stun::{Error, TransactionId};

/// Bandwidth Admission Control Message (0x8056): what a message asks for or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BandwidthMessage {
    /// 0: would there be room? Nothing is reserved.
    Check,
    /// 1: reserve.
    Commit,
    /// 2: change, keep or give back a reservation.
    Update,
}

impl Attribute<'_> for BandwidthMessage {
    const TYPE: AttributeType = AttributeType::BANDWIDTH_ADMISSION_CONTROL_MESSAGE;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, Error> {
        match fixed(Self::TYPE, value)? {
            [_, _, 0, 0] => Ok(Self::Check),
            [_, _, 0, 1] => Ok(Self::Commit),
            [_, _, 0, 2] => Ok(Self::Update),
            _ => Err(Error::Value {
                attribute: Self::TYPE,
            }),
        }
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        let number = match self {
            Self::Check => 0,
            Self::Commit => 1,
            Self::Update => 2,
        };
        out.extend_from_slice(&[0, 0, 0, number]);
    }
}

/// Bandwidth Reservation Amount (0x8058), in kbit/s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Amount {
    /// What the client has to send at least.
    pub minimum_send: u32,
    /// What it can make use of in sending.
    pub maximum_send: u32,
    /// What it has to receive at least.
    pub minimum_receive: u32,
    /// What it can make use of in receiving.
    pub maximum_receive: u32,
}

impl Amount {
    /// Nothing: in an Update it gives the reservation back.
    pub const ZERO: Self = Self {
        minimum_send: 0,
        maximum_send: 0,
        minimum_receive: 0,
        maximum_receive: 0,
    };
}

impl Attribute<'_> for Amount {
    const TYPE: AttributeType = AttributeType::BANDWIDTH_RESERVATION_AMOUNT;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, Error> {
        let value: [u8; 16] = fixed(Self::TYPE, value)?;
        let mut amounts = value
            .as_chunks()
            .0
            .iter()
            .map(|&octets| u32::from_be_bytes(octets));
        let mut next = || amounts.next().unwrap_or(0);
        Ok(Self {
            minimum_send: next(),
            maximum_send: next(),
            minimum_receive: next(),
            maximum_receive: next(),
        })
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        for amount in [
            self.minimum_send,
            self.maximum_send,
            self.minimum_receive,
            self.maximum_receive,
        ] {
            out.extend_from_slice(&amount.to_be_bytes());
        }
    }
}

/// What the policy says of a part of the way (0x805D to 0x8060).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Path {
    /// V: there is room for the minimum.
    pub valid: bool,
    /// F: the call may go over the PSTN instead. It means something for the two sites only, not for the ways to the relays.
    pub pstn_failover: bool,
    /// What may be sent at most, in kbit/s; 0 if the path is not valid.
    pub maximum_send: u32,
    /// What may be received at most, in kbit/s; 0 if the path is not valid.
    pub maximum_receive: u32,
}

const VALID: u32 = 1 << 31;
const PSTN_FAILOVER: u32 = 1 << 30;

impl Path {
    pub(super) fn decode(attribute: AttributeType, value: &[u8]) -> Result<Self, Error> {
        let [f0, f1, f2, f3, s0, s1, s2, s3, r0, r1, r2, r3] = fixed(attribute, value)?;
        let flags = u32::from_be_bytes([f0, f1, f2, f3]);
        Ok(Self {
            valid: flags & VALID != 0,
            pstn_failover: flags & PSTN_FAILOVER != 0,
            maximum_send: u32::from_be_bytes([s0, s1, s2, s3]),
            maximum_receive: u32::from_be_bytes([r0, r1, r2, r3]),
        })
    }

    pub(super) fn encode(self) -> [u8; 12] {
        let mut flags = 0;
        if self.valid {
            flags |= VALID;
        }
        if self.pstn_failover {
            flags |= PSTN_FAILOVER;
        }
        let mut value = [0; 12];
        value[..4].copy_from_slice(&flags.to_be_bytes());
        value[4..8].copy_from_slice(&self.maximum_send.to_be_bytes());
        value[8..].copy_from_slice(&self.maximum_receive.to_be_bytes());
        value
    }
}

/// Where an endpoint is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Location {
    /// 0.
    #[default]
    Unknown,
    /// 1.
    Internet,
    /// 2.
    Intranet,
}

/// Whether the peer belongs to a federated organisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Federation {
    /// 0.
    #[default]
    None,
    /// 1.
    Enterprise,
    /// 2.
    PublicCloud,
}

/// Location Profile (0x8068).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LocationProfile {
    /// Where the peer is.
    pub peer: Location,
    /// Where the client is.
    pub own: Location,
    /// Whether the peer is federated.
    pub federation: Federation,
}

impl Attribute<'_> for LocationProfile {
    const TYPE: AttributeType = AttributeType::LOCATION_PROFILE;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, Error> {
        let unknown = Error::Value {
            attribute: Self::TYPE,
        };
        let [peer, own, federation, _] = fixed(Self::TYPE, value)?;
        let location = |octet| match octet {
            0 => Ok(Location::Unknown),
            1 => Ok(Location::Internet),
            2 => Ok(Location::Intranet),
            _ => Err(unknown),
        };
        Ok(Self {
            peer: location(peer)?,
            own: location(own)?,
            federation: match federation {
                0 => Federation::None,
                1 => Federation::Enterprise,
                2 => Federation::PublicCloud,
                _ => return Err(unknown),
            },
        })
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        let location = |location| match location {
            Location::Unknown => 0,
            Location::Internet => 1,
            Location::Intranet => 2,
        };
        let federation = match self.federation {
            Federation::None => 0,
            Federation::Enterprise => 1,
            Federation::PublicCloud => 2,
        };
        out.extend_from_slice(&[location(self.peer), location(self.own), federation, 0]);
    }
}
