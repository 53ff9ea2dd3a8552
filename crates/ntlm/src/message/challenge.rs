use super::{MessageType, Reader, Version, Writer};
use crate::{AvPairs, Error, Field, NegotiateFlags, text};

/// CHALLENGE_MESSAGE, [MS-NLMP] 2.2.1.2.
///
/// | offset | size | field |
/// | --- | --- | --- |
/// | 0 | 12 | signature, type 2 |
/// | 12 | 8 | `TargetName` triple |
/// | 20 | 4 | `NegotiateFlags` |
/// | 24 | 8 | `ServerChallenge` |
/// | 32 | 8 | reserved, zero |
/// | 40 | 8 | `TargetInfo` triple |
/// | 48 | 8 | `Version` |
/// | 56 | | payload |
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChallengeMessage<'a> {
    /// Name of the server or its domain in the negotiated character set.
    pub target_name: &'a [u8],
    /// What the server chose (connection mode) or offers (connectionless).
    pub negotiate_flags: NegotiateFlags,
    /// Random, for one use.
    pub server_challenge: [u8; 8],
    /// An AV_PAIR list; counts only with TARGET_INFO.
    pub target_info: &'a [u8],
    /// Version of the server; zero where not sent.
    pub version: Version,
}

impl<'a> ChallengeMessage<'a> {
    /// Reads a message. Old senders end it before `TargetInfo` or before
    /// `Version` (recalled): both are accepted. The AV pairs are not looked at.
    pub fn parse(message: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(message, MessageType::Challenge, 32)?;
        let target_name = reader.payload(12, Field::TargetName)?;
        let flags = NegotiateFlags(reader.u32(20, Field::NegotiateFlags)?);
        let server_challenge = reader.bytes(24, Field::ServerChallenge)?;
        let target_info = if flags.contains(NegotiateFlags::TARGET_INFO) {
            reader.min_header = 48;
            reader.payload(40, Field::TargetInfo)?
        } else {
            &[]
        };
        Ok(Self {
            target_name,
            negotiate_flags: flags,
            server_challenge,
            target_info,
            version: reader
                .optional(48)
                .map(Version::from_bytes)
                .unwrap_or_default(),
        })
    }

    /// `TargetName` as text.
    pub fn target_name_text(&self) -> Result<String, Error> {
        let unicode = self.negotiate_flags.contains(NegotiateFlags::UNICODE);
        text::decode(self.target_name, unicode).ok_or(Error::Text {
            field: Field::TargetName,
        })
    }

    /// `TargetInfo` as a list; `None` where the message has none.
    pub fn av_pairs(&self) -> Result<Option<AvPairs<'a>>, Error> {
        if self.target_info.is_empty() {
            return Ok(None);
        }
        AvPairs::parse(self.target_info).map(Some)
    }

    /// Writes the message, `TargetInfo` only with TARGET_INFO. Fails with
    /// [`Error::Length`] for a field of more than 65535 bytes.
    pub fn to_vec(&self) -> Result<Vec<u8>, Error> {
        let payload = self.target_name.len() + self.target_info.len();
        let mut writer = Writer::new(MessageType::Challenge, 56, payload);
        writer.bytes(20, &self.negotiate_flags.0.to_le_bytes());
        writer.bytes(24, &self.server_challenge);
        writer.bytes(48, &self.version.to_bytes());
        writer.payload(12, self.target_name, Field::TargetName)?;
        if self.negotiate_flags.contains(NegotiateFlags::TARGET_INFO) {
            writer.payload(40, self.target_info, Field::TargetInfo)?;
        }
        Ok(writer.message)
    }
}
