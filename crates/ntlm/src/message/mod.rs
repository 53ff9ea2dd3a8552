//! The three messages, [MS-NLMP] 2.2.1.
//!
//! Each type borrows its variable fields: [`parse`](ChallengeMessage::parse)
//! makes it a view of received bytes, a struct literal and
//! [`to_vec`](ChallengeMessage::to_vec) make it a builder.

mod authenticate;
mod challenge;
mod negotiate;

pub use authenticate::AuthenticateMessage;
pub use challenge::ChallengeMessage;
pub use negotiate::NegotiateMessage;

use crate::{Error, Field};

/// The first eight bytes of every message.
pub const SIGNATURE: [u8; 8] = *b"NTLMSSP\0";

/// `MessageType`, [MS-NLMP] 2.2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum MessageType {
    /// NEGOTIATE_MESSAGE: client to server.
    Negotiate = 1,
    /// CHALLENGE_MESSAGE: server to client.
    Challenge = 2,
    /// AUTHENTICATE_MESSAGE: client to server.
    Authenticate = 3,
}

impl MessageType {
    /// The type of a message, without looking further into it.
    pub fn of(message: &[u8]) -> Result<Option<Self>, Error> {
        Ok(match message_type(message)? {
            1 => Some(Self::Negotiate),
            2 => Some(Self::Challenge),
            3 => Some(Self::Authenticate),
            _ => None,
        })
    }
}

/// `VERSION`, [MS-NLMP] 2.2.2.10: for debugging, decides nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// `ProductMajorVersion`.
    pub major: u8,
    /// `ProductMinorVersion`.
    pub minor: u8,
    /// `ProductBuild`.
    pub build: u16,
    /// `NTLMRevisionCurrent`, 0x0F in all that is in use.
    pub revision: u8,
}

impl Version {
    /// Windows XP SP2 (5.1.2600), which clients of OCS send to this day.
    pub const WINDOWS_XP: Self = Self::new(5, 1, 2600);
    /// Windows Server 2003 SP2 (5.2.3790), which OCS 2007 R2 ran on.
    pub const WINDOWS_SERVER_2003: Self = Self::new(5, 2, 3790);

    /// A version with `NTLMSSP_REVISION_W2K3` (0x0F).
    pub const fn new(major: u8, minor: u8, build: u16) -> Self {
        Self {
            major,
            minor,
            build,
            revision: 0x0F,
        }
    }

    /// Size of the structure in bytes.
    pub const LEN: usize = 8;

    /// Reads the structure.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        let [major, minor, b0, b1, _, _, _, revision] = bytes;
        Self {
            major,
            minor,
            build: u16::from_le_bytes([b0, b1]),
            revision,
        }
    }

    /// Writes the structure.
    pub const fn to_bytes(self) -> [u8; 8] {
        let [b0, b1] = self.build.to_le_bytes();
        [self.major, self.minor, b0, b1, 0, 0, 0, self.revision]
    }
}

/// `Len`, `MaxLen`, `BufferOffset`.
const TRIPLE_LEN: usize = 8;

fn message_type(message: &[u8]) -> Result<u32, Error> {
    let truncated = Error::Truncated {
        field: Field::Header,
        len: message.len(),
    };
    let (signature, rest) = message.split_first_chunk::<8>().ok_or(truncated)?;
    if *signature != SIGNATURE {
        return Err(Error::Signature);
    }
    let (kind, _) = rest.split_first_chunk::<4>().ok_or(truncated)?;
    Ok(u32::from_le_bytes(*kind))
}

/// Reads the fixed part of a message and what it points to.
struct Reader<'a> {
    message: &'a [u8],
    /// Size of the smallest fixed part that a sender of this message writes:
    /// the payload cannot begin before it.
    min_header: usize,
    /// Where the first payload item begins, as far as seen.
    payload_start: usize,
}

impl<'a> Reader<'a> {
    fn new(message: &'a [u8], expected: MessageType, min_header: usize) -> Result<Self, Error> {
        let found = message_type(message)?;
        if found != expected as u32 {
            return Err(Error::MessageType { expected, found });
        }
        Ok(Self {
            message,
            min_header,
            payload_start: message.len(),
        })
    }

    fn bytes<const N: usize>(&self, offset: usize, field: Field) -> Result<[u8; N], Error> {
        self.message
            .get(offset..)
            .and_then(|rest| rest.first_chunk::<N>())
            .copied()
            .ok_or(Error::Truncated {
                field,
                len: self.message.len(),
            })
    }

    fn u32(&self, offset: usize, field: Field) -> Result<u32, Error> {
        self.bytes(offset, field).map(u32::from_le_bytes)
    }

    /// The payload item whose triple stands at `at`. `MaxLen` is ignored, and
    /// so is the offset of an empty item.
    fn payload(&mut self, at: usize, field: Field) -> Result<&'a [u8], Error> {
        let [l0, l1, _, _, o0, o1, o2, o3] = self.bytes::<TRIPLE_LEN>(at, field)?;
        let len = u16::from_le_bytes([l0, l1]);
        if len == 0 {
            return Ok(&[]);
        }
        let offset = u32::from_le_bytes([o0, o1, o2, o3]);
        let bounds = Error::Bounds { field, offset, len };
        let start = usize::try_from(offset).map_err(|_| bounds)?;
        let end = start.checked_add(usize::from(len)).ok_or(bounds)?;
        if start < self.min_header {
            return Err(bounds);
        }
        let item = self.message.get(start..end).ok_or(bounds)?;
        self.payload_start = self.payload_start.min(start);
        Ok(item)
    }

    /// A fixed field of which old senders know nothing: there only if the
    /// payload begins after it. To be called after all [`payload`](Self::payload).
    fn optional<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        let header = self.message.get(..self.payload_start)?;
        header.get(offset..)?.first_chunk::<N>().copied()
    }
}

/// Writes the fixed part of a message and collects its payload.
struct Writer {
    message: Vec<u8>,
}

impl Writer {
    /// A message whose fixed part is `header` bytes long.
    fn new(kind: MessageType, header: usize, payload: usize) -> Self {
        let mut message = Vec::with_capacity(header + payload);
        message.extend_from_slice(&SIGNATURE);
        message.extend_from_slice(&(kind as u32).to_le_bytes());
        message.resize(header, 0);
        Self { message }
    }

    fn bytes(&mut self, offset: usize, value: &[u8]) {
        self.message[offset..offset + value.len()].copy_from_slice(value);
    }

    /// Appends `item` to the payload and writes its triple at `at`.
    fn payload(&mut self, at: usize, item: &[u8], field: Field) -> Result<(), Error> {
        let len = item.len();
        let short = u16::try_from(len).map_err(|_| Error::Length { field, len })?;
        let offset = self.message.len() as u32;
        self.bytes(at, &short.to_le_bytes());
        self.bytes(at + 2, &short.to_le_bytes());
        self.bytes(at + 4, &offset.to_le_bytes());
        self.message.extend_from_slice(item);
        Ok(())
    }
}
