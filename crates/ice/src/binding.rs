//! Connectivity checks as messages: what of STUN the two dialects use.

use bytes::Bytes;
use ocs_stun::attribute::{
    CandidateIdentifier, IceControlled, IceControlling, IceUsername, ImplementationVersion,
    Priority, UseCandidate, Username, XorMappedAddress, code,
};
use ocs_stun::{
    Attribute, AttributeType, Dialect, IntegrityKey, Message, MessageBuilder, MessageType,
    TransactionId, fingerprint,
};
use std::net::SocketAddr;

use crate::{Foundation, Role};

/// Octets that most messages of this crate fit into.
const CAPACITY: usize = 160;

/// A message on its way out, and its copy with the altered CRC if that is another one.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    pub(crate) message: Bytes,
    pub(crate) copy: Option<Bytes>,
}

/// Writes messages of one dialect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer {
    pub(crate) dialect: Dialect,
    /// IMPLEMENTATION-VERSION, in \[MS-ICE2\].
    pub(crate) version: Option<ImplementationVersion>,
    /// Whether to make copies with the altered CRC.
    pub(crate) copies: bool,
}

/// A check of \[MS-ICE2\].
#[derive(Debug)]
pub(crate) struct Check<'a> {
    pub(crate) use_candidate: bool,
    pub(crate) priority: u32,
    pub(crate) role: Role,
    pub(crate) tie_breaker: u64,
    pub(crate) receiver: &'a str,
    pub(crate) sender: &'a str,
    pub(crate) foundation: &'a Foundation,
}

impl Writer {
    /// A check of \[MS-ICE2\], its attributes in the order that interoperating agents have.
    pub(crate) fn ice2_check(self, id: TransactionId, check: &Check, key: &IntegrityKey) -> Wire {
        self.build(MessageType::BINDING_REQUEST, id, Some(key), |message| {
            message
                .push_some(check.use_candidate.then_some(&UseCandidate))
                .push(&Priority(check.priority));
            match check.role {
                Role::Controlling => message.push(&IceControlling(check.tie_breaker)),
                Role::Controlled => message.push(&IceControlled(check.tie_breaker)),
            };
            message
                .push(&IceUsername {
                    receiver: check.receiver.as_bytes(),
                    sender: check.sender.as_bytes(),
                })
                .push(&CandidateIdentifier(check.foundation.as_str().as_bytes()))
                .push_some(self.version.as_ref());
        })
    }

    /// A check of \[MS-ICE\].
    pub(crate) fn ice_check(self, id: TransactionId, username: &[u8], key: &IntegrityKey) -> Wire {
        self.build(MessageType::BINDING_REQUEST, id, Some(key), |message| {
            message.push(&Username(username));
        })
    }

    /// The answer to a check that was accepted.
    pub(crate) fn success(self, request: &Message, seen: SocketAddr, key: &IntegrityKey) -> Wire {
        let id = request.transaction_id();
        self.build(MessageType::BINDING_RESPONSE, id, Some(key), |message| {
            message.push(&XorMappedAddress(seen));
            self.echo(request, message);
        })
    }

    /// The answer to a check that was not.
    pub(crate) fn error(self, request: &Message, error: u16, key: Option<&IntegrityKey>) -> Wire {
        let id = request.transaction_id();
        self.build(MessageType::BINDING_ERROR, id, key, |message| {
            message.push_error(error);
            if error == code::UNKNOWN_ATTRIBUTE {
                message.push_unknown(request.unknown_attributes());
            }
            self.echo(request, message);
        })
    }

    /// A keep-alive: an indication that carries nothing but FINGERPRINT, if the dialect has it.
    pub(crate) fn keep_alive(self, id: TransactionId) -> Wire {
        self.build(MessageType::BINDING_INDICATION, id, None, |_| {})
    }

    /// What every answer has: the USERNAME of its request, octet by octet, and the version.
    fn echo(self, request: &Message, message: &mut MessageBuilder) {
        if let Some(username) = request.raw(AttributeType::USERNAME) {
            message.push_raw(AttributeType::USERNAME, username);
        }
        message.push_some(self.version.as_ref());
    }

    fn build(
        self,
        message_type: MessageType,
        id: TransactionId,
        key: Option<&IntegrityKey>,
        fill: impl FnOnce(&mut MessageBuilder),
    ) -> Wire {
        let mut out = Vec::with_capacity(CAPACITY);
        let mut message = MessageBuilder::new(self.dialect, message_type, id, &mut out);
        fill(&mut message);
        let built = match key {
            Some(key) => message.sign(key),
            None => message.finish(),
        };
        debug_assert!(built.is_ok(), "what goes in is short, or was in a message");
        let copy = if self.copies {
            let mut copy = out.clone();
            fingerprint::alter(&mut copy).then(|| copy.into())
        } else {
            None
        };
        Wire {
            message: out.into(),
            copy,
        }
    }
}

/// What a check of \[MS-ICE2\] says.
#[derive(Debug)]
pub(crate) struct CheckView<'a> {
    pub(crate) username: IceUsername<'a>,
    pub(crate) use_candidate: bool,
    pub(crate) priority: Option<u32>,
    /// The role of the sender, and its tie breaker.
    pub(crate) role: Option<(Role, u64)>,
    pub(crate) foundation: Option<Foundation>,
}

impl<'a> CheckView<'a> {
    /// `None` if there is no USERNAME of two parts.
    pub(crate) fn read(request: &Message<'a>) -> Option<Self> {
        let username = request.get::<IceUsername>().ok()??;
        let controlling = request.get::<IceControlling>().ok().flatten();
        let controlled = request.get::<IceControlled>().ok().flatten();
        let role = match (controlling, controlled) {
            (Some(IceControlling(tie)), _) => Some((Role::Controlling, tie)),
            (None, Some(IceControlled(tie))) => Some((Role::Controlled, tie)),
            (None, None) => None,
        };
        let identifier = request.raw(AttributeType::CANDIDATE_IDENTIFIER);
        Some(Self {
            username,
            use_candidate: request.has(UseCandidate::TYPE),
            priority: request.get::<Priority>().ok().flatten().map(|p| p.0),
            role,
            foundation: identifier.and_then(Foundation::from_identifier),
        })
    }
}
