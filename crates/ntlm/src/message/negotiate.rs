use super::{MessageType, Reader, Version, Writer};
use crate::{Error, Field, NegotiateFlags};

/// NEGOTIATE_MESSAGE, [MS-NLMP] 2.2.1.1. Connection mode only.
///
/// | offset | size | field |
/// | --- | --- | --- |
/// | 0 | 12 | signature, type 1 |
/// | 12 | 4 | `NegotiateFlags` |
/// | 16 | 8 | `DomainName` triple |
/// | 24 | 8 | `Workstation` triple |
/// | 32 | 8 | `Version` |
/// | 40 | | payload |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NegotiateMessage<'a> {
    /// What the client is able to do.
    pub negotiate_flags: NegotiateFlags,
    /// Domain of the client in its OEM code page; counts only with
    /// OEM_DOMAIN_SUPPLIED.
    pub domain_name: &'a [u8],
    /// Name of the client's machine in its OEM code page; counts only with
    /// OEM_WORKSTATION_SUPPLIED.
    pub workstation: &'a [u8],
    /// Version of the client; zero where not sent.
    pub version: Version,
}

impl<'a> NegotiateMessage<'a> {
    /// Reads a message. Old senders end it after the flags or before
    /// `Version` (recalled): both are accepted.
    pub fn parse(message: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(message, MessageType::Negotiate, 32)?;
        let flags = NegotiateFlags(reader.u32(12, Field::NegotiateFlags)?);
        let domain_name = if flags.contains(NegotiateFlags::OEM_DOMAIN_SUPPLIED) {
            reader.payload(16, Field::DomainName)?
        } else {
            &[]
        };
        let workstation = if flags.contains(NegotiateFlags::OEM_WORKSTATION_SUPPLIED) {
            reader.payload(24, Field::Workstation)?
        } else {
            &[]
        };
        Ok(Self {
            negotiate_flags: flags,
            domain_name,
            workstation,
            version: reader
                .optional(32)
                .map(Version::from_bytes)
                .unwrap_or_default(),
        })
    }

    /// Writes the message, each name only with its flag. Fails with
    /// [`Error::Length`] for names of more than 65535 bytes.
    pub fn to_vec(&self) -> Result<Vec<u8>, Error> {
        let payload = self.domain_name.len() + self.workstation.len();
        let mut writer = Writer::new(MessageType::Negotiate, 40, payload);
        writer.bytes(12, &self.negotiate_flags.0.to_le_bytes());
        writer.bytes(32, &self.version.to_bytes());
        if self
            .negotiate_flags
            .contains(NegotiateFlags::OEM_DOMAIN_SUPPLIED)
        {
            writer.payload(16, self.domain_name, Field::DomainName)?;
        }
        if self
            .negotiate_flags
            .contains(NegotiateFlags::OEM_WORKSTATION_SUPPLIED)
        {
            writer.payload(24, self.workstation, Field::Workstation)?;
        }
        Ok(writer.message)
    }
}
