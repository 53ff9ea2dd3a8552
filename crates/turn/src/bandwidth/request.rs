//! What a client asks for.

use std::net::SocketAddr;

use ocs_stun::attribute::{
    AttributeType as A, MsServiceQuality, at_most, decode_xor_address, fixed,
};
use ocs_stun::{Error, Message, MessageBuilder};

use super::{Amount, BandwidthMessage, LocationProfile, ReservationId};

/// The bandwidth part of an Allocate request ([MS-TURNBWM] 2.2): which attributes a message has to have is told by
/// [`is_complete`](Self::is_complete).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Check, Commit or Update.
    pub message: BandwidthMessage,
    /// The reservation that an Update is about.
    pub reservation: Option<ReservationId>,
    /// How much. An Update without it keeps the amount.
    pub amount: Option<Amount>,
    /// The peer's host or reflexive address.
    pub remote_site: Option<SocketAddr>,
    /// The peer's relay: in a Check if it has one, in a Commit if the path goes over it.
    pub remote_relay: Option<SocketAddr>,
    /// The client's address as the policy knows it; without it, the one that the request comes from.
    pub local_site: Option<SocketAddr>,
    /// The client's relay, in a Commit whose path goes over it.
    pub local_relay: Option<SocketAddr>,
    /// What the stream is; audio if it is not said.
    pub service_quality: Option<MsServiceQuality>,
    /// SIP Dialog Identifier, at most 256 octets; for logs. Best a multiple of 4 octets, for it is not padded.
    pub dialog: Option<Box<[u8]>>,
    /// SIP Call Identifier, as the former.
    pub call: Option<Box<[u8]>>,
    /// Where the two are.
    pub location: Option<LocationProfile>,
}

/// The longest SIP Dialog Identifier and SIP Call Identifier.
const IDENTIFIER_LIMIT: usize = 256;

impl Request {
    /// A request with nothing in it but what it is.
    #[must_use]
    pub const fn new(message: BandwidthMessage) -> Self {
        Self {
            message,
            reservation: None,
            amount: None,
            remote_site: None,
            remote_relay: None,
            local_site: None,
            local_relay: None,
            service_quality: None,
            dialog: None,
            call: None,
            location: None,
        }
    }

    /// Whether all is there that the message has to have.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        match self.message {
            BandwidthMessage::Check => {
                self.amount.is_some() && self.remote_site.is_some() && self.location.is_some()
            }
            BandwidthMessage::Commit => {
                self.amount.is_some()
                    && self.remote_site.is_some()
                    && self.local_site.is_some()
                    && self.location.is_some()
            }
            BandwidthMessage::Update => self.reservation.is_some(),
        }
    }

    /// The bandwidth part of a message. `None` if it has none, if one of the attributes is malformed, or if one is missing that has to be
    /// there: the server then goes on as if it knew nothing of bandwidth ([MS-TURNBWM] 3.3.5).
    #[must_use]
    pub fn read(message: &Message<'_>) -> Option<Self> {
        Self::try_read(message)
            .ok()
            .flatten()
            .filter(Self::is_complete)
    }

    fn try_read(message: &Message<'_>) -> Result<Option<Self>, Error> {
        let Some(kind) = message.get()? else {
            return Ok(None);
        };
        let address = |attribute| match message.raw(attribute) {
            Some(value) => decode_xor_address(attribute, value, message.transaction_id()).map(Some),
            None => Ok(None),
        };
        let identifier = |attribute| match message.raw(attribute) {
            Some(value) => {
                at_most(IDENTIFIER_LIMIT, attribute, value).map(|value| Some(value.into()))
            }
            None => Ok(None),
        };
        let reservation = match message.raw(A::BANDWIDTH_RESERVATION_IDENTIFIER) {
            Some(value) => Some(ReservationId(fixed(
                A::BANDWIDTH_RESERVATION_IDENTIFIER,
                value,
            )?)),
            None => None,
        };
        Ok(Some(Self {
            message: kind,
            reservation,
            amount: message.get()?,
            remote_site: address(A::REMOTE_SITE_ADDRESS)?,
            remote_relay: address(A::REMOTE_RELAY_SITE_ADDRESS)?,
            local_site: address(A::LOCAL_SITE_ADDRESS)?,
            local_relay: address(A::LOCAL_RELAY_SITE_ADDRESS)?,
            service_quality: message.get()?,
            dialog: identifier(A::SIP_DIALOG_IDENTIFIER)?,
            call: identifier(A::SIP_CALL_IDENTIFIER)?,
            location: message.get()?,
        }))
    }

    /// Appends the attributes to an Allocate request.
    pub fn push(&self, builder: &mut MessageBuilder<'_>) {
        builder.push(&self.message);
        if let Some(ReservationId(id)) = &self.reservation {
            builder.push_raw(A::BANDWIDTH_RESERVATION_IDENTIFIER, id);
        }
        builder.push_some(self.amount.as_ref());
        for (attribute, address) in [
            (A::REMOTE_SITE_ADDRESS, self.remote_site),
            (A::REMOTE_RELAY_SITE_ADDRESS, self.remote_relay),
            (A::LOCAL_SITE_ADDRESS, self.local_site),
            (A::LOCAL_RELAY_SITE_ADDRESS, self.local_relay),
        ] {
            if let Some(address) = address {
                builder.push_xor_address(attribute, address);
            }
        }
        builder.push_some(self.service_quality.as_ref());
        for (attribute, identifier) in [
            (A::SIP_DIALOG_IDENTIFIER, &self.dialog),
            (A::SIP_CALL_IDENTIFIER, &self.call),
        ] {
            if let Some(identifier) = identifier {
                builder.push_raw(attribute, identifier);
            }
        }
        builder.push_some(self.location.as_ref());
    }
}
