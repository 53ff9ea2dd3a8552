//! Writing messages.

use std::net::SocketAddr;

use crate::attribute::{Attribute, AttributeType, ErrorCode, MagicCookie, encode_xor_address};
use crate::{Dialect, Error, HEADER_LEN, IntegrityKey, MessageType, TransactionId, fingerprint};

/// Appends a message to a buffer of the caller, attribute by attribute. With enough capacity in the buffer nothing is allocated.
///
/// Dropped without [`finish`](Self::finish) or [`sign`](Self::sign), it leaves a piece of a message in the buffer.
#[derive(Debug)]
#[must_use = "a message is complete only after `finish` or `sign`"]
pub struct MessageBuilder<'b> {
    out: &'b mut Vec<u8>,
    start: usize,
    dialect: Dialect,
    id: TransactionId,
}

impl<'b> MessageBuilder<'b> {
    /// Begins a message at the end of `out`. In the dialect of \[MS-TURN\] that includes the Magic Cookie.
    pub fn new(
        dialect: Dialect,
        message_type: MessageType,
        id: TransactionId,
        out: &'b mut Vec<u8>,
    ) -> Self {
        let start = out.len();
        let mut header = [0; HEADER_LEN];
        header[..2].copy_from_slice(&message_type.0.to_be_bytes());
        header[4..].copy_from_slice(&id.0);
        out.extend_from_slice(&header);
        let mut builder = Self {
            out,
            start,
            dialect,
            id,
        };
        if dialect == Dialect::MsTurn {
            builder.push(&MagicCookie);
        }
        builder
    }

    /// Appends an attribute.
    pub fn push<'a, A: Attribute<'a>>(&mut self, attribute: &A) -> &mut Self {
        let id = self.id;
        self.push_with(A::TYPE, |out| attribute.encode(id, out))
    }

    /// Appends an attribute, if there is one.
    pub fn push_some<'a, A: Attribute<'a>>(&mut self, attribute: Option<&A>) -> &mut Self {
        if let Some(attribute) = attribute {
            self.push(attribute);
        }
        self
    }

    /// Appends an attribute of any type, such as the USERNAME that a response copies from its request.
    pub fn push_raw(&mut self, attribute_type: AttributeType, value: &[u8]) -> &mut Self {
        self.push_with(attribute_type, |out| out.extend_from_slice(value))
    }

    /// Appends an address that is combined with the Transaction ID, under any type.
    pub fn push_xor_address(
        &mut self,
        attribute_type: AttributeType,
        address: SocketAddr,
    ) -> &mut Self {
        let id = self.id;
        self.push_with(attribute_type, |out| encode_xor_address(address, id, out))
    }

    /// Appends ERROR-CODE with the usual phrase.
    pub fn push_error(&mut self, code: u16) -> &mut Self {
        self.push(&ErrorCode::new(code))
    }

    /// Appends UNKNOWN-ATTRIBUTES. The last type of an odd number is there twice, so that the length is a multiple of 4 (RFC 3489 11.2.10).
    pub fn push_unknown(&mut self, types: impl IntoIterator<Item = AttributeType>) -> &mut Self {
        self.push_with(AttributeType::UNKNOWN_ATTRIBUTES, |out| {
            let start = out.len();
            for attribute_type in types {
                out.extend_from_slice(&attribute_type.0.to_be_bytes());
            }
            if (out.len() - start) % 4 == 2 {
                out.extend_from_within(out.len() - 2..);
            }
        })
    }

    fn push_with(
        &mut self,
        attribute_type: AttributeType,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> &mut Self {
        let at = self.out.len();
        let [t0, t1] = attribute_type.0.to_be_bytes();
        self.out.extend_from_slice(&[t0, t1, 0, 0]);
        encode(self.out);
        // A value that is too long makes the message too long, which `finish` refuses.
        let len = self.out.len() - at - 4;
        self.out[at + 2..at + 4].copy_from_slice(&(len as u16).to_be_bytes());
        if self.dialect.pads() {
            self.out.resize(at + 4 + len.next_multiple_of(4), 0);
        }
        self
    }

    /// Ends a message without MESSAGE-INTEGRITY; with FINGERPRINT, if the dialect has it.
    ///
    /// A message that is too long is removed from the buffer.
    pub fn finish(self) -> Result<(), Error> {
        self.end(None)
    }

    /// Ends a message with MESSAGE-INTEGRITY in the form of the dialect, and with FINGERPRINT, if the dialect has it.
    ///
    /// A message that is too long is removed from the buffer.
    pub fn sign(self, key: &IntegrityKey) -> Result<(), Error> {
        self.end(Some(key))
    }

    fn end(mut self, key: Option<&IntegrityKey>) -> Result<(), Error> {
        let integrity_len = key.map_or(0, |key| 4 + key.algorithm().value_len());
        let fingerprint_len = if self.dialect.has_fingerprint() {
            fingerprint::ATTRIBUTE_LEN
        } else {
            0
        };
        // Both computations cover the header with its final length.
        let length = self.out.len() - self.start - HEADER_LEN + integrity_len + fingerprint_len;
        let Ok(length) = u16::try_from(length) else {
            self.out.truncate(self.start);
            return Err(Error::TooLong);
        };
        self.out[self.start + 2..self.start + 4].copy_from_slice(&length.to_be_bytes());
        if let Some(key) = key {
            let form = self.dialect.integrity_form();
            let (start, at) = (self.start, self.out.len());
            self.push_with(AttributeType::MESSAGE_INTEGRITY, |out| {
                out.resize(at + integrity_len, 0);
                let (text, attribute) = out[start..].split_at_mut(at - start);
                key.sign(form, text, &mut attribute[4..]);
            });
        }
        if fingerprint_len != 0 {
            let value = fingerprint::value(&self.out[self.start..]);
            self.push_raw(AttributeType::FINGERPRINT, &value);
        }
        Ok(())
    }
}
