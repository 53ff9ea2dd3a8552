//! Reading messages.

use std::net::SocketAddr;

use crate::attribute::{
    Attribute, AttributeType, ImplementationVersion, MappedAddress, MsXorMappedAddress,
    XorMappedAddress,
};
use crate::integrity::{Algorithm, IntegrityForm, IntegrityKey};
use crate::{
    Class, Dialect, Error, Fingerprint, HEADER_LEN, MessageType, TransactionId, fingerprint,
};

/// A message as a view over the octets that came in. Making it walks over the attributes once and allocates nothing.
///
/// Of what follows MESSAGE-INTEGRITY only FINGERPRINT is seen: the rest is not protected (RFC 5389 15.4). In the dialects without FINGERPRINT
/// nothing may follow it.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    octets: &'a [u8],
    dialect: Dialect,
    layout: Layout,
}

/// Where things are in a message, as offsets from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    padded: bool,
    /// MESSAGE-INTEGRITY, or 0.
    integrity: u32,
    /// FINGERPRINT, or 0.
    fingerprint: u32,
    /// End of the attributes that are seen, without FINGERPRINT.
    end: u32,
}

/// One attribute as it stands in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawAttribute<'a> {
    /// Its type.
    pub attribute_type: AttributeType,
    /// Its value, without padding.
    pub value: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads a whole message: a datagram, or the content of a frame. Repeated attributes are allowed; the first one counts.
    ///
    /// Values are looked at by [`get`](Self::get) only, except for the lengths of MESSAGE-INTEGRITY and FINGERPRINT.
    pub fn parse(dialect: Dialect, octets: &'a [u8]) -> Result<Self, Error> {
        let (header, rest) = octets
            .split_first_chunk::<HEADER_LEN>()
            .ok_or(Error::Truncated { len: octets.len() })?;
        if header[0] & 0xC0 != 0 {
            return Err(Error::TopBits);
        }
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if length != rest.len() {
            return Err(Error::Length {
                length,
                actual: rest.len(),
            });
        }
        if !dialect.has_cookie(header, rest) {
            return Err(Error::Cookie);
        }
        let layout = Layout::find(dialect, octets, dialect.pads()).or_else(|error| {
            if dialect.pads() {
                return Err(error);
            }
            Layout::find(dialect, octets, true).map_err(|_| error)
        })?;
        Ok(Self {
            octets,
            dialect,
            layout,
        })
    }

    /// The whole message.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.octets
    }

    /// The dialect that it was read as.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The Message Type.
    #[must_use]
    pub const fn message_type(&self) -> MessageType {
        MessageType(u16::from_be_bytes([self.octets[0], self.octets[1]]))
    }

    /// The class of the Message Type.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.message_type().class()
    }

    /// The Transaction ID.
    #[must_use]
    pub fn transaction_id(&self) -> TransactionId {
        let mut id = [0; 16];
        id.copy_from_slice(&self.octets[4..HEADER_LEN]);
        TransactionId(id)
    }

    /// The attributes in their order, those of unknown types too.
    #[must_use]
    pub const fn attributes(&self) -> Attributes<'a> {
        Attributes {
            octets: self.octets,
            at: HEADER_LEN,
            layout: self.layout,
        }
    }

    /// The value of the first attribute of this type.
    #[must_use]
    pub fn raw(&self, attribute_type: AttributeType) -> Option<&'a [u8]> {
        self.attributes()
            .find(|attribute| attribute.attribute_type == attribute_type)
            .map(|attribute| attribute.value)
    }

    /// Whether there is an attribute of this type.
    #[must_use]
    pub fn has(&self, attribute_type: AttributeType) -> bool {
        self.raw(attribute_type).is_some()
    }

    /// The first attribute of this kind. An address of an unknown family counts as absent (\[MS-TURN\] 2.2.2.1).
    pub fn get<A: Attribute<'a>>(&self) -> Result<Option<A>, Error> {
        match self
            .raw(A::TYPE)
            .map(|value| A::decode(value, self.transaction_id()))
        {
            None | Some(Err(Error::AddressFamily { .. })) => Ok(None),
            Some(decoded) => decoded.map(Some),
        }
    }

    /// The address that a binding or Allocate response says the request came from: XOR-MAPPED-ADDRESS, by its new number or its old one. In
    /// the dialects of ICE, MAPPED-ADDRESS in the absence of both; in that of \[MS-TURN\] it is the relayed address.
    pub fn reflexive_address(&self) -> Result<Option<SocketAddr>, Error> {
        if self.dialect != Dialect::MsTurn
            && let Some(XorMappedAddress(address)) = self.get()?
        {
            return Ok(Some(address));
        }
        if let Some(MsXorMappedAddress(address)) = self.get()? {
            return Ok(Some(address));
        }
        if self.dialect == Dialect::MsTurn {
            return Ok(None);
        }
        Ok(self.get()?.map(|MappedAddress(address)| address))
    }

    /// The types that the receiver has to understand and that the dialect does not define, in the order in which they stand. If there is one,
    /// a request is answered with 420 and every other message is ignored.
    pub fn unknown_attributes(&self) -> impl Iterator<Item = AttributeType> + use<'a> {
        let dialect = self.dialect;
        self.attributes()
            .map(|attribute| attribute.attribute_type)
            .filter(move |&attribute_type| !dialect.understands(attribute_type))
    }

    /// The algorithm of MESSAGE-INTEGRITY, if the message has one.
    #[must_use]
    pub fn integrity(&self) -> Option<Algorithm> {
        let (_, value) = self.split_integrity()?;
        Algorithm::of_value_len(value.len())
    }

    /// Checks MESSAGE-INTEGRITY in the form of the dialect.
    pub fn verify(&self, key: &IntegrityKey) -> Result<(), Error> {
        self.verify_form(key, self.dialect.integrity_form())
    }

    /// Checks MESSAGE-INTEGRITY in a form of the caller's choice: a peer of \[MS-ICE2\] that states IMPLEMENTATION-VERSION 3 or more may
    /// sign as RFC 5389 does (inferred).
    pub fn verify_form(&self, key: &IntegrityKey, form: IntegrityForm) -> Result<(), Error> {
        let (text, value) = self.split_integrity().ok_or(Error::NoIntegrity)?;
        if value.len() != key.algorithm().value_len() {
            return Err(Error::IntegrityAlgorithm);
        }
        if key.verify(form, text, value) {
            Ok(())
        } else {
            Err(Error::IntegrityMismatch)
        }
    }

    /// What is before MESSAGE-INTEGRITY, and its value.
    fn split_integrity(&self) -> Option<(&'a [u8], &'a [u8])> {
        let at = self.layout.integrity as usize;
        (at != 0).then(|| {
            let (text, attribute) = self.octets.split_at(at);
            let len = usize::from(u16::from_be_bytes([attribute[2], attribute[3]]));
            (text, &attribute[4..4 + len])
        })
    }

    /// Checks FINGERPRINT.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let at = self.layout.fingerprint as usize;
        if at == 0 {
            return Fingerprint::Absent;
        }
        let (covered, attribute) = self.octets.split_at(at);
        let mut value = [0; 4];
        value.copy_from_slice(&attribute[4..]);
        fingerprint::check(covered, value)
    }

    /// Whether FINGERPRINT lets the message pass (\[MS-ICE2\] 3.1.4.8.2): right by the standard table, or right by the altered one in
    /// a message without IMPLEMENTATION-VERSION. A message that is refused here is no media either.
    #[must_use]
    pub fn fingerprint_is_acceptable(&self) -> bool {
        match self.fingerprint() {
            Fingerprint::Standard => true,
            Fingerprint::Altered => !self.has(ImplementationVersion::TYPE),
            Fingerprint::Absent | Fingerprint::Wrong => false,
        }
    }
}

impl Layout {
    fn find(dialect: Dialect, octets: &[u8], padded: bool) -> Result<Self, Error> {
        let mut layout = Self {
            padded,
            integrity: 0,
            fingerprint: 0,
            end: octets.len() as u32,
        };
        let mut at = HEADER_LEN;
        while at < octets.len() {
            if layout.fingerprint != 0 {
                return Err(Error::NotLast {
                    attribute: AttributeType::FINGERPRINT,
                });
            }
            let (attribute, next) = read(octets, at, padded)?;
            match attribute.attribute_type {
                AttributeType::FINGERPRINT if dialect.has_fingerprint() => {
                    if attribute.value.len() != 4 {
                        return Err(attribute.bad_length());
                    }
                    layout.fingerprint = at as u32;
                    layout.end = layout.end.min(at as u32);
                }
                AttributeType::MESSAGE_INTEGRITY if layout.integrity == 0 => {
                    if Algorithm::of_value_len(attribute.value.len()).is_none() {
                        return Err(attribute.bad_length());
                    }
                    layout.integrity = at as u32;
                    layout.end = next as u32;
                }
                _ if layout.integrity != 0 && !dialect.has_fingerprint() => {
                    return Err(Error::NotLast {
                        attribute: AttributeType::MESSAGE_INTEGRITY,
                    });
                }
                _ => {}
            }
            at = next;
        }
        Ok(layout)
    }
}

/// The attribute at an offset, and the offset of what follows it.
#[inline]
fn read(octets: &[u8], at: usize, padded: bool) -> Result<(RawAttribute<'_>, usize), Error> {
    let cut = Error::AttributeCut { offset: at };
    let Some((&[t0, t1, l0, l1], rest)) = octets[at..].split_first_chunk() else {
        return Err(cut);
    };
    let attribute_type = AttributeType(u16::from_be_bytes([t0, t1]));
    let len = usize::from(u16::from_be_bytes([l0, l1]));
    let Some(value) = rest.get(..len) else {
        return Err(Error::AttributeOverrun {
            attribute: attribute_type,
            offset: at,
        });
    };
    let occupied = if padded { len.next_multiple_of(4) } else { len };
    if occupied > rest.len() {
        return Err(cut);
    }
    Ok((
        RawAttribute {
            attribute_type,
            value,
        },
        at + 4 + occupied,
    ))
}

impl RawAttribute<'_> {
    const fn bad_length(&self) -> Error {
        Error::ValueLength {
            attribute: self.attribute_type,
            len: self.value.len(),
        }
    }
}

/// The attributes of a message, in their order.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    octets: &'a [u8],
    at: usize,
    layout: Layout,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = RawAttribute<'a>;

    #[inline]
    fn next(&mut self) -> Option<RawAttribute<'a>> {
        if self.at >= self.layout.end as usize {
            if self.layout.fingerprint == 0 {
                return None;
            }
            // Whatever stood between MESSAGE-INTEGRITY and FINGERPRINT is passed over.
            self.at = self.layout.fingerprint as usize;
            self.layout.end = self.octets.len() as u32;
            self.layout.fingerprint = 0;
        }
        let (attribute, next) = read(self.octets, self.at, self.layout.padded).ok()?;
        self.at = next;
        Some(attribute)
    }
}
