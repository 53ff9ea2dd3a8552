//! The header extension (RFC 3550 5.3.1) and its two forms of RFC 5285.

use crate::Error;
use crate::wire::be16;

/// The profile of the form with headers of one octet (RFC 5285 4.2).
const ONE_BYTE: u16 = 0xBEDE;

/// The header extension of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderExtension<'a> {
    /// What the first 16 bits say: the form, 0xBEDE or 0x1000 to 0x100F, or something private.
    pub profile: u16,
    /// What follows the length; a multiple of four octets.
    pub data: &'a [u8],
}

impl<'a> HeaderExtension<'a> {
    /// Takes the extension from the front of what follows the CSRCs.
    pub(super) fn split(octets: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        let Some((head, rest)) = octets.split_first_chunk::<4>() else {
            return Err(Error::HeaderExtension { len: 4 });
        };
        let len = usize::from(be16(head, 2)) * 4;
        let Some((data, rest)) = rest.split_at_checked(len) else {
            return Err(Error::HeaderExtension { len: len + 4 });
        };
        let profile = be16(head, 0);
        Ok((Self { profile, data }, rest))
    }

    /// The elements of RFC 5285. There are none if the extension is of another form.
    pub const fn elements(&self) -> Elements<'a> {
        Elements {
            rest: match self.profile {
                ONE_BYTE | 0x1000..=0x100F => self.data,
                _ => &[],
            },
            one_byte: self.profile == ONE_BYTE,
        }
    }
}

/// One element of a header extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Its local identifier, as mapped by `a=extmap`.
    pub id: u8,
    /// Its data.
    pub data: &'a [u8],
}

/// The elements of a header extension, in their order. After an error there are no more.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
    one_byte: bool,
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let padding = self.rest.iter().take_while(|&&octet| octet == 0).count();
        let (&first, rest) = self.rest[padding..].split_first()?;
        self.rest = &[];
        let (id, len, rest) = if self.one_byte {
            // Identifier 15 ends the list, whatever follows it (RFC 5285 4.2).
            if first >> 4 == 15 {
                return None;
            }
            (first >> 4, usize::from(first & 0x0F) + 1, rest)
        } else if let Some((&len, rest)) = rest.split_first() {
            (first, usize::from(len), rest)
        } else {
            return Some(Err(Error::HeaderExtensionElement { id: first }));
        };
        let Some((data, rest)) = rest.split_at_checked(len) else {
            return Some(Err(Error::HeaderExtensionElement { id }));
        };
        self.rest = rest;
        Some(Ok(Element { id, data }))
    }
}
