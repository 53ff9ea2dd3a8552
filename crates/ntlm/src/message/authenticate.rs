use super::{MessageType, Reader, Version, Writer};
use crate::{Error, Field, NegotiateFlags, text};

/// AUTHENTICATE_MESSAGE, [MS-NLMP] 2.2.1.3.
///
/// | offset | size | field |
/// | --- | --- | --- |
/// | 0 | 12 | signature, type 3 |
/// | 12 | 8 | `LmChallengeResponse` triple |
/// | 20 | 8 | `NtChallengeResponse` triple |
/// | 28 | 8 | `DomainName` triple |
/// | 36 | 8 | `UserName` triple |
/// | 44 | 8 | `Workstation` triple |
/// | 52 | 8 | `EncryptedRandomSessionKey` triple |
/// | 60 | 4 | `NegotiateFlags` |
/// | 64 | 8 | `Version` |
/// | 72 | 16 | `MIC`, if any |
/// | 72 or 88 | | payload |
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct AuthenticateMessage<'a> {
    /// LM or LMv2 response; 24 bytes, or none, or one zero byte.
    pub lm_challenge_response: &'a [u8],
    /// NTLM response (24 bytes), NTLMv2 response (longer), or none.
    pub nt_challenge_response: &'a [u8],
    /// Domain of the user in the negotiated character set.
    pub domain_name: &'a [u8],
    /// The user in the negotiated character set.
    pub user_name: &'a [u8],
    /// The client's machine in the negotiated character set.
    pub workstation: &'a [u8],
    /// The session key under the key exchange key: 16 bytes with KEY_EXCH.
    pub encrypted_random_session_key: &'a [u8],
    /// What the client chose.
    pub negotiate_flags: NegotiateFlags,
    /// Version of the client; zero where not sent.
    pub version: Version,
    /// The room for the message integrity code. That there is room does not
    /// say that there is a code: `MsvAvFlags` says so.
    pub mic: Option<[u8; 16]>,
}

/// Names the parts that are no secret; the responses can be attacked offline.
impl std::fmt::Debug for AuthenticateMessage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthenticateMessage")
            .field("domain_name", &self.domain_name)
            .field("user_name", &self.user_name)
            .field("workstation", &self.workstation)
            .field("negotiate_flags", &self.negotiate_flags)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl<'a> AuthenticateMessage<'a> {
    /// Where `MIC` stands, if any, in bytes from the start of the message.
    pub const MIC_OFFSET: usize = 72;

    /// Reads a message. `Version` and `MIC` are there only if the payload
    /// begins after them.
    pub fn parse(message: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(message, MessageType::Authenticate, 64)?;
        Ok(Self {
            lm_challenge_response: reader.payload(12, Field::LmChallengeResponse)?,
            nt_challenge_response: reader.payload(20, Field::NtChallengeResponse)?,
            domain_name: reader.payload(28, Field::DomainName)?,
            user_name: reader.payload(36, Field::UserName)?,
            workstation: reader.payload(44, Field::Workstation)?,
            encrypted_random_session_key: reader.payload(52, Field::EncryptedRandomSessionKey)?,
            negotiate_flags: NegotiateFlags(reader.u32(60, Field::NegotiateFlags)?),
            version: reader
                .optional(64)
                .map(Version::from_bytes)
                .unwrap_or_default(),
            mic: reader.optional(Self::MIC_OFFSET),
        })
    }

    /// Whether the client asks to be ANONYMOUS ([MS-NLMP] 3.2.5.1.2): no user,
    /// no NT response and an LM response that is empty or one zero byte.
    pub fn is_anonymous(&self) -> bool {
        self.user_name.is_empty()
            && self.nt_challenge_response.is_empty()
            && matches!(self.lm_challenge_response, [] | [0])
    }

    /// `DomainName` as text.
    pub fn domain_name_text(&self) -> Result<String, Error> {
        self.text(self.domain_name, Field::DomainName)
    }

    /// `UserName` as text.
    pub fn user_name_text(&self) -> Result<String, Error> {
        self.text(self.user_name, Field::UserName)
    }

    /// `Workstation` as text.
    pub fn workstation_text(&self) -> Result<String, Error> {
        self.text(self.workstation, Field::Workstation)
    }

    fn text(&self, bytes: &[u8], field: Field) -> Result<String, Error> {
        let unicode = self.negotiate_flags.contains(NegotiateFlags::UNICODE);
        text::decode(bytes, unicode).ok_or(Error::Text { field })
    }

    /// Writes the message; names first, so that UTF-16 stays at even offsets.
    /// Fails with [`Error::Length`] for a field of more than 65535 bytes.
    pub fn to_vec(&self) -> Result<Vec<u8>, Error> {
        let items = [
            (28, self.domain_name, Field::DomainName),
            (36, self.user_name, Field::UserName),
            (44, self.workstation, Field::Workstation),
            (12, self.lm_challenge_response, Field::LmChallengeResponse),
            (20, self.nt_challenge_response, Field::NtChallengeResponse),
            (
                52,
                self.encrypted_random_session_key,
                Field::EncryptedRandomSessionKey,
            ),
        ];
        let header = Self::MIC_OFFSET + self.mic.map_or(0, |mic| mic.len());
        let payload = items.iter().map(|(_, item, _)| item.len()).sum();
        let mut writer = Writer::new(MessageType::Authenticate, header, payload);
        writer.bytes(60, &self.negotiate_flags.0.to_le_bytes());
        writer.bytes(64, &self.version.to_bytes());
        if let Some(mic) = self.mic {
            writer.bytes(Self::MIC_OFFSET, &mic);
        }
        for (at, item, field) in items {
            writer.payload(at, item, field)?;
        }
        Ok(writer.message)
    }
}
