//! Attributes of connectivity checks ([MS-ICE2] 2.2.2).

use super::{Attribute, AttributeType, integer_attributes, nul_fill, without_nul_fill};
use crate::{Error, TransactionId};

integer_attributes! {
    /// PRIORITY: that of a peer reflexive candidate which the receiver may learn from this check.
    Priority(u32) = PRIORITY;
    /// ICE-CONTROLLED, with the tie breaker.
    IceControlled(u64) = ICE_CONTROLLED;
    /// ICE-CONTROLLING, with the tie breaker.
    IceControlling(u64) = ICE_CONTROLLING;
    /// IMPLEMENTATION-VERSION: up to 2 for the integrity of [`Dialect::MsIce2`](crate::Dialect::MsIce2), which is what is sent; what peers
    /// that state 3 or more change is not known (inferred from the names that Wireshark has for the values).
    ImplementationVersion(u32) = IMPLEMENTATION_VERSION;
}

/// USE-CANDIDATE: the controlling agent nominates the pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UseCandidate;

impl Attribute<'_> for UseCandidate {
    const TYPE: AttributeType = AttributeType::USE_CANDIDATE;

    fn decode(value: &[u8], _: TransactionId) -> Result<Self, Error> {
        super::fixed::<0>(Self::TYPE, value).map(|[]| Self)
    }

    fn encode(&self, _: TransactionId, _: &mut Vec<u8>) {}
}

/// CANDIDATE-IDENTIFIER: the foundation of the candidate that the check is sent from. It is written with NULs up to a multiple
/// of 4 octets and read without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CandidateIdentifier<'a>(pub &'a [u8]);

impl<'a> Attribute<'a> for CandidateIdentifier<'a> {
    const TYPE: AttributeType = AttributeType::CANDIDATE_IDENTIFIER;

    fn decode(value: &'a [u8], _: TransactionId) -> Result<Self, Error> {
        Ok(Self(without_nul_fill(value)))
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(self.0);
        nul_fill(start, out);
    }
}

/// The USERNAME of a check of \[MS-ICE2\], `<receiver's ufrag>:<sender's ufrag>`. It is written with NULs up to a multiple of 4 octets and
/// read without them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IceUsername<'a> {
    /// `ice-ufrag` of whom the request is for.
    pub receiver: &'a [u8],
    /// `ice-ufrag` of whom the request is from.
    pub sender: &'a [u8],
}

impl<'a> Attribute<'a> for IceUsername<'a> {
    const TYPE: AttributeType = AttributeType::USERNAME;

    fn decode(value: &'a [u8], _: TransactionId) -> Result<Self, Error> {
        let value = without_nul_fill(value);
        let colon = value
            .iter()
            .position(|&octet| octet == b':')
            .ok_or(Error::Value {
                attribute: Self::TYPE,
            })?;
        Ok(Self {
            receiver: &value[..colon],
            sender: &value[colon + 1..],
        })
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(self.receiver);
        out.push(b':');
        out.extend_from_slice(self.sender);
        nul_fill(start, out);
    }
}
