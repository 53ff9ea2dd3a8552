//! One security association: keys, sequence numbers, and the two things done with them.

use std::sync::Arc;

use ocs_sip_core::Message;
use ocs_sip_core::header::Scheme;
use rand_core::CryptoRng;

use crate::buffer::{self, Salt, SipsIdentity};
use crate::context::{SecurityContext, Signature};
use crate::headers::SignatureParams;
use crate::replay::{Replay, ReplayWindow};
use crate::{Error, Version};

/// Why a signature does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A covered header is absent or malformed.
    #[error(transparent)]
    Malformed(Error),
    /// The signature is not that of the message, or its parameters are none.
    #[error("signature is wrong")]
    BadSignature,
    /// The signature is right, its sequence number is not.
    #[error(transparent)]
    Replayed(Replay),
}

/// Buffers that signing and verifying use again and again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// The signature buffer.
    pub(crate) buffer: Vec<u8>,
    /// The header value.
    pub(crate) header: String,
}

/// What both sides keep of an association.
#[derive(Debug)]
pub(crate) struct Association {
    pub(crate) scheme: Scheme,
    pub(crate) realm: Arc<str>,
    /// As in the headers, for Kerberos with `sip/`.
    pub(crate) targetname: Arc<str>,
    pub(crate) opaque: Box<str>,
    pub(crate) version: Version,
    pub(crate) context: Box<dyn SecurityContext>,
    /// The last number that was sent.
    sent: u32,
    received: ReplayWindow,
}

/// A fresh signature with its salt, as text.
pub(crate) struct Signed {
    rand: String8,
    num: String10,
    signature: Signature,
}

type String8 = ShortText<8>;
type String10 = ShortText<10>;

/// A few ASCII octets without an allocation.
pub(crate) struct ShortText<const N: usize> {
    octets: [u8; N],
    len: usize,
}

impl<const N: usize> Default for ShortText<N> {
    fn default() -> Self {
        Self {
            octets: [0; N],
            len: 0,
        }
    }
}

impl<const N: usize> ShortText<N> {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.octets[..self.len]).expect("only digits were written")
    }
}

impl String10 {
    fn decimal(mut number: u32) -> Self {
        let mut text = Self::default();
        let mut digits = [0; 10];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        text.len = digits.len() - at;
        text.octets[..text.len].copy_from_slice(&digits[at..]);
        text
    }
}

type Hex = ShortText<{ 2 * Signature::MAX }>;

impl Signed {
    /// The digits of the signature.
    pub(crate) fn hex(&self) -> Hex {
        let mut text = Hex::default();
        text.len = self.signature.write_hex(&mut text.octets);
        text
    }

    /// Salt and signature as parameters; `hex` holds the digits.
    pub(crate) fn params<'a>(&'a self, hex: &'a Hex) -> SignatureParams<'a> {
        SignatureParams {
            rand: self.rand.as_str(),
            num: self.num.as_str(),
            signature: hex.as_str(),
        }
    }
}

impl Association {
    pub(crate) fn new(
        scheme: Scheme,
        realm: Arc<str>,
        targetname: Arc<str>,
        opaque: Box<str>,
        version: Version,
        context: Box<dyn SecurityContext>,
    ) -> Self {
        Self {
            scheme,
            realm,
            targetname,
            opaque,
            version,
            context,
            sent: 0,
            received: ReplayWindow::default(),
        }
    }

    /// Signs `message`, whose covered headers must be final, with the next sequence number.
    pub(crate) fn sign(
        &mut self,
        message: &Message,
        buffer: &mut Vec<u8>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Signed, Error> {
        let number = self.sent.checked_add(1).ok_or(Error::SequenceExhausted)?;
        let mut rand = String8::default();
        hex::encode_to_slice(rng.next_u32().to_be_bytes(), &mut rand.octets)
            .expect("4 octets are 8 digits");
        rand.len = 8;
        let num = String10::decimal(number);
        let salt = Salt {
            scheme: self.scheme.as_str(),
            rand: rand.as_str(),
            num: num.as_str(),
            realm: &self.realm,
            targetname: &self.targetname,
        };
        buffer::write(buffer, self.version, &salt, message, SipsIdentity::Omitted)?;
        // A number is used up only by a message that can be signed: the peer expects no gaps.
        self.sent = number;
        let signature = self.context.sign(buffer);
        Ok(Signed {
            rand,
            num,
            signature,
        })
    }

    /// Checks the signature `params` of `message`, then its sequence number.
    pub(crate) fn verify(
        &mut self,
        message: &Message,
        salt: Option<Salt<'_>>,
        params: &SignatureParams<'_>,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let (Some(salt), Some(number), Some(signature)) = (salt, params.number(), params.decode())
        else {
            return Err(Refusal::BadSignature);
        };
        let signature = signature.as_bytes();
        let write = |buffer: &mut Vec<u8>, sips| {
            buffer::write(buffer, self.version, &salt, message, sips).map_err(Refusal::Malformed)
        };
        write(buffer, SipsIdentity::Omitted)?;
        if self.context.verify(buffer, signature).is_err() {
            if !self.version.covers_identities() || !buffer::has_sips_identity(message) {
                return Err(Refusal::BadSignature);
            }
            write(buffer, SipsIdentity::AsSip)?;
            if self.context.verify(buffer, signature).is_err() {
                return Err(Refusal::BadSignature);
            }
        }
        self.received.accept(number).map_err(Refusal::Replayed)
    }
}
