//! Message types and transaction identifiers.

use core::fmt;

use rand_core::Rng;

use crate::{Dialect, RFC_COOKIE};

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Wants an answer (the Send request of \[MS-TURN\] excepted).
    Request,
    /// Wants none.
    Indication,
    /// The good answer.
    Success,
    /// The bad answer; it carries an ERROR-CODE.
    Error,
}

/// The first two octets of a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageType(pub u16);

impl MessageType {
    /// Binding request: a connectivity check (\[MS-ICE2\] 2.2.2).
    pub const BINDING_REQUEST: Self = Self(0x0001);
    /// Binding indication: a keep-alive.
    pub const BINDING_INDICATION: Self = Self(0x0011);
    /// Binding response.
    pub const BINDING_RESPONSE: Self = Self(0x0101);
    /// Binding error response.
    pub const BINDING_ERROR: Self = Self(0x0111);
    /// Allocate request (\[MS-TURN\] 2.2.1).
    pub const ALLOCATE_REQUEST: Self = Self(0x0003);
    /// Allocate response.
    pub const ALLOCATE_RESPONSE: Self = Self(0x0103);
    /// Allocate error response.
    pub const ALLOCATE_ERROR: Self = Self(0x0113);
    /// Send request. It is never answered.
    pub const SEND_REQUEST: Self = Self(0x0004);
    /// Data Indication. Its class bits are those of an error response.
    pub const DATA_INDICATION: Self = Self(0x0115);
    /// Set Active Destination request.
    pub const SET_ACTIVE_DESTINATION_REQUEST: Self = Self(0x0006);
    /// Set Active Destination response.
    pub const SET_ACTIVE_DESTINATION_RESPONSE: Self = Self(0x0106);
    /// Set Active Destination error response.
    pub const SET_ACTIVE_DESTINATION_ERROR: Self = Self(0x0116);

    /// The class, by the two class bits; a Data Indication is an indication whatever its bits say.
    #[must_use]
    pub const fn class(self) -> Class {
        if self.0 == Self::DATA_INDICATION.0 {
            return Class::Indication;
        }
        match self.0 & 0x0110 {
            0x0000 => Class::Request,
            0x0010 => Class::Indication,
            0x0100 => Class::Success,
            _ => Class::Error,
        }
    }

    /// The type of the success response to a request of this type.
    #[must_use]
    pub const fn success(self) -> Self {
        Self(self.0 & !0x0110 | 0x0100)
    }

    /// The type of the error response to a request of this type.
    #[must_use]
    pub const fn error(self) -> Self {
        Self(self.0 | 0x0110)
    }

    const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::BINDING_REQUEST => "Binding request",
            Self::BINDING_INDICATION => "Binding indication",
            Self::BINDING_RESPONSE => "Binding response",
            Self::BINDING_ERROR => "Binding error response",
            Self::ALLOCATE_REQUEST => "Allocate request",
            Self::ALLOCATE_RESPONSE => "Allocate response",
            Self::ALLOCATE_ERROR => "Allocate error response",
            Self::SEND_REQUEST => "Send request",
            Self::DATA_INDICATION => "Data Indication",
            Self::SET_ACTIVE_DESTINATION_REQUEST => "Set Active Destination request",
            Self::SET_ACTIVE_DESTINATION_RESPONSE => "Set Active Destination response",
            Self::SET_ACTIVE_DESTINATION_ERROR => "Set Active Destination error response",
            _ => return None,
        })
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "message 0x{:04x}", self.0),
        }
    }
}

impl fmt::Debug for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The 16 octets that tie a response to its request. In the dialects of RFC 5389 the first four are the cookie, in the others
/// all are random.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(pub [u8; 16]);

impl TransactionId {
    /// A new identifier.
    pub fn random(dialect: Dialect, rng: &mut (impl Rng + ?Sized)) -> Self {
        let mut id = [0; 16];
        if dialect.has_rfc_cookie() {
            let (cookie, random) = id.split_at_mut(RFC_COOKIE.len());
            cookie.copy_from_slice(&RFC_COOKIE);
            rng.fill_bytes(random);
        } else {
            rng.fill_bytes(&mut id);
        }
        Self(id)
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}
