//! SDES, BYE and APP (RFC 3550 6.5 to 6.7, \[MS-RTP\] 2.2.10).

use super::{HEADER_LEN, MediaQuality, RawPacket};
use crate::Error;
use crate::wire::be32;

/// Types of SDES items.
pub mod item {
    /// Canonical name.
    pub const CNAME: u8 = 1;
    /// Name of the user.
    pub const NAME: u8 = 2;
    /// E-mail address.
    pub const EMAIL: u8 = 3;
    /// Telephone number.
    pub const PHONE: u8 = 4;
    /// Location.
    pub const LOC: u8 = 5;
    /// Name of the program.
    pub const TOOL: u8 = 6;
    /// Notice.
    pub const NOTE: u8 = 7;
    /// Private: a prefix and a value.
    pub const PRIV: u8 = 8;
}

/// A source description. A mixer describes each contributing source in a chunk with its MSI (inferred).
#[derive(Clone, Copy, Debug)]
pub struct SourceDescription<'a> {
    count: u8,
    body: &'a [u8],
}

impl<'a> SourceDescription<'a> {
    pub(super) const fn read(count: u8, body: &'a [u8]) -> Self {
        Self { count, body }
    }

    /// The chunks, in their order. An error ends them.
    pub const fn chunks(&self) -> Chunks<'a> {
        Chunks {
            left: self.count,
            rest: self.body,
        }
    }
}

/// The chunks of a source description.
#[derive(Clone, Debug)]
pub struct Chunks<'a> {
    left: u8,
    rest: &'a [u8],
}

impl<'a> Iterator for Chunks<'a> {
    type Item = Result<Chunk<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let left = std::mem::take(&mut self.left);
        let Some((ssrc, rest)) = self.rest.split_first_chunk::<4>() else {
            return Some(Err(Error::RtcpTooShort {
                packet_type: super::packet_type::SDES,
                count: left,
                len: self.rest.len() + HEADER_LEN,
            }));
        };
        let mut items = Items { rest };
        loop {
            match items.next() {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Some(Err(error)),
                None => break,
            }
        }
        let used = rest.len() - items.rest.len();
        // One terminating octet, then more of them to the next word.
        let padded = (used + 1).next_multiple_of(4);
        let (Some(items), true) = (rest.get(..used), padded <= rest.len()) else {
            return Some(Err(Error::SdesItem { item_type: 0 }));
        };
        self.rest = &rest[padded..];
        self.left = left - 1;
        Some(Ok(Chunk {
            ssrc: u32::from_be_bytes(*ssrc),
            items,
        }))
    }
}

/// What is said of one source.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    ssrc: u32,
    items: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// The source: an SSRC, or the MSI of a source that contributes to a mixer's stream.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The items in their order.
    pub fn items(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        // They were walked over before.
        Items { rest: self.items }.map_while(Result::ok)
    }

    /// The text of the first item of this type, without the zero octet that some products put behind it.
    pub fn text(&self, item_type: u8) -> Option<&'a [u8]> {
        self.items()
            .find(|item| item.item_type == item_type)
            .map(|item| item.text.strip_suffix(b"\0").unwrap_or(item.text))
    }

    /// The media quality item. `None` if there is none.
    pub fn media_quality(&self) -> Option<Result<MediaQuality, Error>> {
        self.items().find_map(|item| item.media_quality())
    }
}

/// One item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Its type.
    pub item_type: u8,
    /// Its octets.
    pub text: &'a [u8],
}

impl<'a> Item<'a> {
    /// Prefix and value of a PRIV item (RFC 3550 6.5.8).
    pub fn private(&self) -> Option<(&'a [u8], &'a [u8])> {
        if self.item_type != item::PRIV {
            return None;
        }
        let (&len, rest) = self.text.split_first()?;
        rest.split_at_checked(usize::from(len))
    }

    /// The media quality, if this is a PRIV item with its prefix.
    pub fn media_quality(&self) -> Option<Result<MediaQuality, Error>> {
        let (prefix, value) = self.private()?;
        (prefix == MediaQuality::PREFIX).then(|| MediaQuality::read(value))
    }
}

/// The items of a chunk up to the terminating octet. An error ends them.
#[derive(Clone, Debug)]
pub struct Items<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<Item<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let &item_type = self.rest.first().filter(|&&item_type| item_type != 0)?;
        let item = self.rest.get(1).and_then(|&len| {
            let (item, rest) = self.rest.split_at_checked(usize::from(len) + 2)?;
            self.rest = rest;
            Some(&item[2..])
        });
        if item.is_none() {
            self.rest = &[];
        }
        Some(
            item.map(|text| Item { item_type, text })
                .ok_or(Error::SdesItem { item_type }),
        )
    }
}

/// A goodbye.
#[derive(Clone, Copy, Debug)]
pub struct Bye<'a> {
    sources: &'a [[u8; 4]],
    reason: Option<&'a [u8]>,
}

impl<'a> Bye<'a> {
    pub(super) fn read(raw: &RawPacket<'a>, body: &'a [u8]) -> Result<Self, Error> {
        let len = usize::from(raw.count()) * 4;
        let (sources, rest) = body.split_at_checked(len).ok_or_else(|| raw.too_short())?;
        let reason = match rest.split_first() {
            Some((&len, rest)) => Some(rest.get(..usize::from(len)).ok_or(Error::ByeReason)?),
            None => None,
        };
        Ok(Self {
            sources: sources.as_chunks().0,
            reason,
        })
    }

    /// Those who leave.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = u32> + use<'a> {
        self.sources.iter().map(|ssrc| u32::from_be_bytes(*ssrc))
    }

    /// Why, if it is said.
    pub const fn reason(&self) -> Option<&'a [u8]> {
        self.reason
    }
}

/// An application-defined packet.
#[derive(Clone, Copy, Debug)]
pub struct App<'a> {
    subtype: u8,
    head: &'a [u8; 8],
    data: &'a [u8],
}

impl<'a> App<'a> {
    pub(super) fn read(raw: &RawPacket<'a>, body: &'a [u8]) -> Result<Self, Error> {
        let (head, data) = body.split_first_chunk().ok_or_else(|| raw.too_short())?;
        Ok(Self {
            subtype: raw.count(),
            head,
            data,
        })
    }

    /// Its subtype.
    pub const fn subtype(&self) -> u8 {
        self.subtype
    }

    /// Its sender.
    pub const fn ssrc(&self) -> u32 {
        be32(self.head, 0)
    }

    /// Its name, four characters.
    pub const fn name(&self) -> [u8; 4] {
        let [.., a, b, c, d] = *self.head;
        [a, b, c, d]
    }

    /// Its data.
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }
}
