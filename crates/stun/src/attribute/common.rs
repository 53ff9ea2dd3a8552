//! Attributes of all dialects.

use super::{Attribute, AttributeType, opaque_attributes};
use crate::{Error, TransactionId};

opaque_attributes! {
    /// Username (\[MS-TURN\] 2.2.2.2): the binary token of \[MS-AVEDGEA\]; in \[MS-ICE\] and \[MS-ICE2\] the two ends of a check, filled with
    /// NULs to a multiple of 4 octets, which a response copies as it is.
    Username(u16::MAX as usize) = USERNAME;
}

/// The codes that the specifications of this family use ([MS-TURN] 2.2.2.4, [MS-ICE2], [MS-ICE2BWM]).
pub mod code {
    macro_rules! codes {
        ($($(#[$doc:meta])* $name:ident = $number:literal, $phrase:literal;)*) => {
            $($(#[$doc])* pub const $name: u16 = $number;)*

            /// The usual phrase of a code; empty if the code is not of this list.
            #[must_use]
            pub const fn phrase(code: u16) -> &'static str {
                match code {
                    $($number => $phrase,)*
                    _ => "",
                }
            }
        };
    }

    codes! {
        /// The responder's policy forbids the candidate that was addressed (\[MS-ICE2BWM\]).
        DISABLE_CANDIDATE = 274, "Disable Candidate";
        /// The responder's policy forbids this pair of candidates (\[MS-ICE2BWM\]).
        DISABLE_CANDIDATE_PAIR = 275, "Disable Candidate Pair";
        /// Go to the Alternate Server.
        TRY_ALTERNATE = 300, "Try Alternate";
        /// Malformed.
        BAD_REQUEST = 400, "Bad Request";
        /// The challenge, or wrong credentials.
        UNAUTHORIZED = 401, "Unauthorized";
        /// With UNKNOWN-ATTRIBUTES.
        UNKNOWN_ATTRIBUTE = 420, "Unknown Attribute";
        /// The token has expired.
        STALE_CREDENTIALS = 430, "Stale Credentials";
        /// MESSAGE-INTEGRITY does not match.
        INTEGRITY_CHECK_FAILURE = 431, "Integrity Check Failure";
        /// Credentials without Username.
        MISSING_USERNAME = 432, "Missing Username";
        /// Credentials without Realm, or with one that is not the server's.
        MISSING_REALM = 434, "Missing Realm";
        /// Credentials without Nonce.
        MISSING_NONCE = 435, "Missing Nonce";
        /// The token is not one of this server.
        UNKNOWN_USER = 436, "Unknown User";
        /// There is no allocation.
        NO_BINDING = 437, "No Binding";
        /// The Nonce has expired or is unknown.
        STALE_NONCE = 438, "Stale Nonce";
        /// A change of the active destination is in progress.
        TRANSITIONING = 439, "Transitioning";
        /// No destination.
        NO_DESTINATION = 440, "No Destination";
        /// The allocation belongs to another user.
        WRONG_USERNAME = 441, "Wrong Username";
        /// Both agents take the same role (RFC 5245 19.2).
        ROLE_CONFLICT = 487, "Role Conflict";
        /// The server could not do what it was asked for.
        SERVER_ERROR = 500, "Server Error";
        /// No server can.
        GLOBAL_FAILURE = 600, "Global Failure";
    }
}

/// Error Code ([MS-TURN] 2.2.2.4): a code from 100 to 699 and a phrase for people.
///
/// The phrase is written with spaces up to a multiple of 4 octets and read without them, because the dialects do not pad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ErrorCode<'a> {
    /// The code; [`code`] has names for those in use.
    pub code: u16,
    /// The phrase. One that is not UTF-8 is read up to the first wrong octet.
    pub phrase: &'a str,
}

impl ErrorCode<'_> {
    /// A code with its usual phrase.
    #[must_use]
    pub const fn new(code: u16) -> Self {
        Self {
            code,
            phrase: code::phrase(code),
        }
    }
}

impl<'a> Attribute<'a> for ErrorCode<'a> {
    const TYPE: AttributeType = AttributeType::ERROR_CODE;

    fn decode(value: &'a [u8], _: TransactionId) -> Result<Self, Error> {
        let Some((&[_, _, class, number], phrase)) = value.split_first_chunk() else {
            return Err(Error::ValueLength {
                attribute: Self::TYPE,
                len: value.len(),
            });
        };
        // The bits above the class are reserved.
        let class = class & 0x07;
        if !(1..=6).contains(&class) || number > 99 {
            return Err(Error::Value {
                attribute: Self::TYPE,
            });
        }
        let phrase = phrase
            .utf8_chunks()
            .next()
            .map_or("", |chunk| chunk.valid());
        Ok(Self {
            code: u16::from(class) * 100 + u16::from(number),
            phrase: phrase.trim_end_matches(' '),
        })
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(&[0, 0, (self.code / 100) as u8, (self.code % 100) as u8]);
        out.extend_from_slice(self.phrase.as_bytes());
        let fill = self.phrase.len().next_multiple_of(4) - self.phrase.len();
        out.extend_from_slice(&b"   "[..fill]);
    }
}

/// Unknown Attributes ([MS-TURN] 2.2.2.5): the value, a list of types. It is written with
/// [`MessageBuilder::push_unknown`](crate::MessageBuilder::push_unknown).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnknownAttributes<'a>(&'a [u8]);

impl<'a> UnknownAttributes<'a> {
    /// The types. The last one may be there twice.
    pub fn types(self) -> impl Iterator<Item = AttributeType> + use<'a> {
        let (types, _) = self.0.as_chunks();
        types
            .iter()
            .map(|&octets| AttributeType(u16::from_be_bytes(octets)))
    }
}

impl<'a> Attribute<'a> for UnknownAttributes<'a> {
    const TYPE: AttributeType = AttributeType::UNKNOWN_ATTRIBUTES;

    fn decode(value: &'a [u8], _: TransactionId) -> Result<Self, Error> {
        if !value.len().is_multiple_of(2) {
            return Err(Error::ValueLength {
                attribute: Self::TYPE,
                len: value.len(),
            });
        }
        Ok(Self(value))
    }

    fn encode(&self, _: TransactionId, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0);
    }
}
