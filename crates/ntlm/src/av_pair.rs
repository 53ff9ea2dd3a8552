//! AV_PAIR lists, [MS-NLMP] 2.2.2.1.

use crate::Error;
use crate::text::{decode_utf16le, utf16le};

/// `AvId`, [MS-NLMP] 2.2.2.1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AvId(pub u16);

impl AvId {
    /// `MsvAvEOL`: the end of the list; no value.
    pub const EOL: Self = Self(0);
    /// `MsvAvNbComputerName`: NetBIOS name of the server.
    pub const NB_COMPUTER_NAME: Self = Self(1);
    /// `MsvAvNbDomainName`: NetBIOS name of the server's domain.
    pub const NB_DOMAIN_NAME: Self = Self(2);
    /// `MsvAvDnsComputerName`: FQDN of the server.
    pub const DNS_COMPUTER_NAME: Self = Self(3);
    /// `MsvAvDnsDomainName`: FQDN of the domain.
    pub const DNS_DOMAIN_NAME: Self = Self(4);
    /// `MsvAvDnsTreeName`: FQDN of the forest.
    pub const DNS_TREE_NAME: Self = Self(5);
    /// `MsvAvFlags`: see [`AvFlags`].
    pub const FLAGS: Self = Self(6);
    /// `MsvAvTimestamp`: time of the server as FILETIME.
    pub const TIMESTAMP: Self = Self(7);
    /// `MsvAvSingleHost`: see [`SingleHostData`].
    pub const SINGLE_HOST: Self = Self(8);
    /// `MsvAvTargetName`: SPN of the target.
    pub const TARGET_NAME: Self = Self(9);
    /// `MsvAvChannelBindings`: MD5 of the channel bindings, zero where there
    /// are none.
    pub const CHANNEL_BINDINGS: Self = Self(10);

    /// The one size that a value of this id can have, in bytes.
    const fn fixed_len(self) -> Option<usize> {
        match self {
            Self::EOL => Some(0),
            Self::FLAGS => Some(4),
            Self::TIMESTAMP => Some(8),
            Self::CHANNEL_BINDINGS => Some(16),
            _ => None,
        }
    }
}

impl std::fmt::Debug for AvId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match *self {
            Self::EOL => "MsvAvEOL",
            Self::NB_COMPUTER_NAME => "MsvAvNbComputerName",
            Self::NB_DOMAIN_NAME => "MsvAvNbDomainName",
            Self::DNS_COMPUTER_NAME => "MsvAvDnsComputerName",
            Self::DNS_DOMAIN_NAME => "MsvAvDnsDomainName",
            Self::DNS_TREE_NAME => "MsvAvDnsTreeName",
            Self::FLAGS => "MsvAvFlags",
            Self::TIMESTAMP => "MsvAvTimestamp",
            Self::SINGLE_HOST => "MsvAvSingleHost",
            Self::TARGET_NAME => "MsvAvTargetName",
            Self::CHANNEL_BINDINGS => "MsvAvChannelBindings",
            Self(other) => return write!(f, "AvId({other})"),
        };
        f.write_str(name)
    }
}

/// The value of `MsvAvFlags`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AvFlags(pub u32);

impl AvFlags {
    /// The account's authentication is constrained.
    pub const CONSTRAINED: Self = Self(0x1);
    /// The AUTHENTICATE message carries a MIC.
    pub const MIC_PRESENT: Self = Self(0x2);
    /// The target's SPN comes from an untrusted source.
    pub const UNTRUSTED_SPN: Self = Self(0x4);

    /// Whether all flags of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// `Single_Host_Data`, [MS-NLMP] 2.2.2.2: the machine that made the message,
/// for the eyes of that machine only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SingleHostData {
    /// Opaque to everybody else.
    pub custom_data: [u8; 8],
    /// Random at each start of the machine.
    pub machine_id: [u8; 32],
}

impl SingleHostData {
    /// Size of the structure in bytes.
    pub const LEN: usize = 48;

    /// Reads the structure; `None` if its size is not 48.
    pub fn parse(value: &[u8]) -> Option<Self> {
        let value: &[u8; Self::LEN] = value.try_into().ok()?;
        let (size, rest) = value.split_first_chunk::<4>()?;
        let (_z4, rest) = rest.split_first_chunk::<4>()?;
        let (custom_data, machine_id) = rest.split_first_chunk::<8>()?;
        (u32::from_le_bytes(*size) == 48).then_some(())?;
        Some(Self {
            custom_data: *custom_data,
            machine_id: machine_id.try_into().ok()?,
        })
    }

    /// Writes the structure.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        out[0] = 48;
        out[8..16].copy_from_slice(&self.custom_data);
        out[16..].copy_from_slice(&self.machine_id);
        out
    }
}

/// One AV_PAIR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvPair<'a> {
    /// What the value is.
    pub id: AvId,
    /// The value, `AvLen` bytes.
    pub value: &'a [u8],
}

impl AvPair<'_> {
    /// The value as text; `None` where it is not UTF-16LE.
    pub fn text(&self) -> Option<String> {
        decode_utf16le(self.value)
    }
}

/// A well-formed AV_PAIR list, borrowed from the message it came in.
///
/// Ids that are not known are kept. Where an id occurs twice, the first counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AvPairs<'a> {
    /// Up to and with MsvAvEOL.
    bytes: &'a [u8],
}

impl<'a> AvPairs<'a> {
    /// Checks a list. What follows its MsvAvEOL is not part of it.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut offset = 0;
        loop {
            let error = |id| Error::AvPair { id, offset };
            let (pair, next) = split(bytes, offset).ok_or(error(AvId::EOL))?;
            if pair
                .id
                .fixed_len()
                .is_some_and(|len| len != pair.value.len())
            {
                return Err(error(pair.id));
            }
            offset = next;
            if pair.id == AvId::EOL {
                let bytes = &bytes[..offset];
                return Ok(Self { bytes });
            }
        }
    }

    /// The list as received, up to and with MsvAvEOL.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The pairs without MsvAvEOL.
    pub fn iter(&self) -> AvPairsIter<'a> {
        AvPairsIter {
            bytes: self.bytes,
            offset: 0,
        }
    }

    /// The value of the first pair with this id.
    pub fn get(&self, id: AvId) -> Option<&'a [u8]> {
        self.iter()
            .find(|pair| pair.id == id)
            .map(|pair| pair.value)
    }

    /// The value of the first pair with this id as text; `None` too where it
    /// is not UTF-16LE.
    pub fn text(&self, id: AvId) -> Option<String> {
        self.get(id).and_then(decode_utf16le)
    }

    /// `MsvAvFlags`; no flags where the pair is absent.
    pub fn flags(&self) -> AvFlags {
        let value = self.get(AvId::FLAGS).and_then(|v| v.try_into().ok());
        AvFlags(value.map_or(0, u32::from_le_bytes))
    }

    /// `MsvAvTimestamp`: FILETIME, units of 100 ns since 1601-01-01 UTC.
    pub fn timestamp(&self) -> Option<u64> {
        let value = self.get(AvId::TIMESTAMP)?.try_into().ok()?;
        Some(u64::from_le_bytes(value))
    }

    /// `MsvAvSingleHost`.
    pub fn single_host(&self) -> Option<SingleHostData> {
        SingleHostData::parse(self.get(AvId::SINGLE_HOST)?)
    }

    /// `MsvAvChannelBindings`; `None` too for the zero value, which means none.
    pub fn channel_bindings(&self) -> Option<[u8; 16]> {
        let value: [u8; 16] = self.get(AvId::CHANNEL_BINDINGS)?.try_into().ok()?;
        (value != [0; 16]).then_some(value)
    }
}

impl<'a> IntoIterator for &AvPairs<'a> {
    type Item = AvPair<'a>;
    type IntoIter = AvPairsIter<'a>;
    fn into_iter(self) -> AvPairsIter<'a> {
        self.iter()
    }
}

/// Iterator over the pairs of a list, without MsvAvEOL.
#[derive(Clone, Debug)]
pub struct AvPairsIter<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for AvPairsIter<'a> {
    type Item = AvPair<'a>;
    fn next(&mut self) -> Option<AvPair<'a>> {
        let (pair, next) = split(self.bytes, self.offset)?;
        (pair.id != AvId::EOL).then_some(())?;
        self.offset = next;
        Some(pair)
    }
}

/// The pair at `offset` and the offset after it.
fn split(bytes: &[u8], offset: usize) -> Option<(AvPair<'_>, usize)> {
    let (head, rest) = bytes.get(offset..)?.split_first_chunk::<4>()?;
    let len = usize::from(u16::from_le_bytes([head[2], head[3]]));
    let id = AvId(u16::from_le_bytes([head[0], head[1]]));
    let value = rest.get(..len)?;
    Some((AvPair { id, value }, offset + 4 + len))
}

/// Writes an AV_PAIR list.
///
/// ```
/// use ocs_ntlm::{AvId, AvPairs, AvPairsBuilder};
///
/// # fn main() -> Result<(), ocs_ntlm::Error> {
/// let list = AvPairsBuilder::new()
///     .text(AvId::NB_DOMAIN_NAME, "CONTOSO")?
///     .text(AvId::NB_COMPUTER_NAME, "FE01")?
///     .finish();
/// let pairs = AvPairs::parse(&list)?;
/// assert_eq!(pairs.text(AvId::NB_COMPUTER_NAME).as_deref(), Some("FE01"));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct AvPairsBuilder {
    bytes: Vec<u8>,
}

impl AvPairsBuilder {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a pair. A pair with [`AvId::EOL`] is not appended:
    /// [`finish`](Self::finish) does that.
    pub fn pair(mut self, id: AvId, value: &[u8]) -> Result<Self, Error> {
        let len = value.len();
        let short = u16::try_from(len).map_err(|_| Error::AvPairTooLong { len })?;
        if id != AvId::EOL {
            self.bytes.extend_from_slice(&id.0.to_le_bytes());
            self.bytes.extend_from_slice(&short.to_le_bytes());
            self.bytes.extend_from_slice(value);
        }
        Ok(self)
    }

    /// Appends text.
    pub fn text(self, id: AvId, text: &str) -> Result<Self, Error> {
        self.pair(id, &utf16le(text))
    }

    /// Appends `MsvAvFlags`.
    pub fn flags(self, flags: AvFlags) -> Self {
        self.fixed(AvId::FLAGS, &flags.0.to_le_bytes())
    }

    /// Appends `MsvAvTimestamp` (FILETIME).
    pub fn timestamp(self, filetime: u64) -> Self {
        self.fixed(AvId::TIMESTAMP, &filetime.to_le_bytes())
    }

    /// Appends `MsvAvSingleHost`.
    pub fn single_host(self, data: &SingleHostData) -> Self {
        self.fixed(AvId::SINGLE_HOST, &data.to_bytes())
    }

    /// Appends `MsvAvChannelBindings`; zero for `None`.
    pub fn channel_bindings(self, hash: Option<[u8; 16]>) -> Self {
        self.fixed(AvId::CHANNEL_BINDINGS, &hash.unwrap_or_default())
    }

    fn fixed<const N: usize>(mut self, id: AvId, value: &[u8; N]) -> Self {
        const { assert!(N < 256) };
        self.bytes.extend_from_slice(&id.0.to_le_bytes());
        self.bytes.extend_from_slice(&[N as u8, 0]);
        self.bytes.extend_from_slice(value);
        self
    }

    /// Appends MsvAvEOL and hands the list over.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_round_trips() {
        let host = SingleHostData {
            custom_data: [7; 8],
            machine_id: [9; 32],
        };
        let list = AvPairsBuilder::new()
            .text(AvId::NB_COMPUTER_NAME, "FE01")
            .and_then(|b| b.text(AvId::NB_DOMAIN_NAME, "CONTOSO"))
            .and_then(|b| b.text(AvId::DNS_COMPUTER_NAME, "fe01.contoso.com"))
            .and_then(|b| b.text(AvId::DNS_DOMAIN_NAME, "contoso.com"))
            .and_then(|b| b.text(AvId::DNS_TREE_NAME, "contoso.com"))
            .and_then(|b| b.text(AvId::TARGET_NAME, "sip/fe01.contoso.com"))
            .and_then(|b| b.pair(AvId(77), b"unknown"))
            .unwrap()
            .flags(AvFlags::MIC_PRESENT)
            .timestamp(42)
            .single_host(&host)
            .channel_bindings(Some([3; 16]))
            .finish();
        let pairs = AvPairs::parse(&list).unwrap();
        assert_eq!(pairs.as_bytes(), list);
        assert_eq!(pairs.iter().count(), 11);
        assert_eq!(
            pairs.text(AvId::TARGET_NAME).unwrap(),
            "sip/fe01.contoso.com"
        );
        assert_eq!(pairs.get(AvId(77)), Some(&b"unknown"[..]));
        assert_eq!(pairs.flags(), AvFlags::MIC_PRESENT);
        assert_eq!(pairs.timestamp(), Some(42));
        assert_eq!(pairs.single_host(), Some(host));
        assert_eq!(pairs.channel_bindings(), Some([3; 16]));
    }

    #[test]
    fn malformed_lists_are_refused_where_they_break() {
        let list = AvPairsBuilder::new().timestamp(1).finish();
        for len in 0..list.len() {
            assert!(AvPairs::parse(&list[..len]).is_err(), "{len}");
        }
        let parse = |hex| AvPairs::parse(&hex::decode(hex).unwrap()).map(|_| ());
        // MsvAvEOL with a value, flags of 2 bytes, a lying length.
        let eol = Error::AvPair {
            id: AvId::EOL,
            offset: 0,
        };
        assert_eq!(parse("0000010000"), Err(eol));
        assert_eq!(
            parse("0700080000000000000000000600020002000000"),
            Err(Error::AvPair {
                id: AvId::FLAGS,
                offset: 12
            })
        );
        assert_eq!(parse("0100ffff4100000000"), Err(eol));
    }

    #[test]
    fn bytes_after_the_end_are_not_part_of_the_list() {
        let pairs = AvPairs::parse(&[0; 8]).unwrap();
        assert_eq!(pairs.as_bytes(), [0; 4]);
        assert_eq!(pairs.iter().next(), None);
    }
}
