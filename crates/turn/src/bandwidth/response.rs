//! What the server answers.

use ocs_stun::attribute::{AttributeType as A, fixed};
use ocs_stun::{Error, Message, MessageBuilder};

use super::{Amount, BandwidthMessage, Path, ReservationId};

/// The bandwidth part of an Allocate response ([MS-TURNBWM] 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// What is answered.
    pub message: BandwidthMessage,
    /// The reservation, for Commit and Update. A Commit without it reserved nothing (inferred).
    pub reservation: Option<ReservationId>,
    /// What is reserved now.
    pub amount: Option<Amount>,
    /// For a Check: what the policy of the peer's site says.
    pub remote_site: Option<Path>,
    /// For a Check that names the peer's relay: the way between the peer and its relay.
    pub remote_relay: Option<Path>,
    /// For a Check: what the policy of the client's site says.
    pub local_site: Option<Path>,
    /// For a Check: the way between the client and its relay.
    pub local_relay: Option<Path>,
}

impl Response {
    /// An answer with nothing in it but what it answers.
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
        }
    }

    /// Whether media may go without a relay: the policies of both sites have to agree.
    #[must_use]
    pub fn direct_is_allowed(&self) -> bool {
        let valid = |path: Option<Path>| path.is_some_and(|path| path.valid);
        valid(self.remote_site) && valid(self.local_site)
    }

    /// Whether the call may go over the PSTN if the network has no room.
    #[must_use]
    pub fn pstn_failover(&self) -> bool {
        let failover = |path: Option<Path>| path.is_some_and(|path| path.pstn_failover);
        failover(self.remote_site) || failover(self.local_site)
    }

    /// The bandwidth part of a message. `None`: the server has no policy, and everything is allowed (inferred).
    pub fn read(message: &Message<'_>) -> Result<Option<Self>, Error> {
        let Some(kind) = message.get()? else {
            return Ok(None);
        };
        let path = |attribute| match message.raw(attribute) {
            Some(value) => Path::decode(attribute, value).map(Some),
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
            remote_site: path(A::REMOTE_SITE_ADDRESS_RESPONSE)?,
            remote_relay: path(A::REMOTE_RELAY_SITE_ADDRESS_RESPONSE)?,
            local_site: path(A::LOCAL_SITE_ADDRESS_RESPONSE)?,
            local_relay: path(A::LOCAL_RELAY_SITE_ADDRESS_RESPONSE)?,
        }))
    }

    /// Appends the attributes to an Allocate response.
    pub fn push(&self, builder: &mut MessageBuilder<'_>) {
        builder.push(&self.message);
        if let Some(ReservationId(id)) = &self.reservation {
            builder.push_raw(A::BANDWIDTH_RESERVATION_IDENTIFIER, id);
        }
        builder.push_some(self.amount.as_ref());
        for (attribute, path) in [
            (A::REMOTE_SITE_ADDRESS_RESPONSE, self.remote_site),
            (A::REMOTE_RELAY_SITE_ADDRESS_RESPONSE, self.remote_relay),
            (A::LOCAL_SITE_ADDRESS_RESPONSE, self.local_site),
            (A::LOCAL_RELAY_SITE_ADDRESS_RESPONSE, self.local_relay),
        ] {
            if let Some(path) = path {
                builder.push_raw(attribute, &path.encode());
            }
        }
    }
}
