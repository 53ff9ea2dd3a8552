//! What goes into and comes out of a registrar.

use ocs_sip_core::{Aor, ConnectionId, Message};
use ocs_sipre::binding::{Binding, BindingId};

use crate::notify::RegistrationEvent;
use crate::presence_state::RegisterAction;

/// What became of a binding, for logs and stores.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A REGISTER made or extended the binding.
    Registered {
        /// Which.
        id: BindingId,
        /// What was done.
        action: RegisterAction,
    },
    /// The binding is gone.
    Removed {
        /// What it was.
        binding: Box<Binding>,
        /// Why.
        cause: Removal,
    },
}

/// Why a binding ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// A REGISTER with Expires 0.
    Unregistered,
    /// Its time was over.
    Expired,
    /// Its connection closed.
    ConnectionClosed,
    /// The same epid registered with another instance.
    Replaced,
    /// The server ended it and said so.
    Deregistered(RegistrationEvent),
}

/// A `registration-notify` to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// Where to.
    pub connection: ConnectionId,
    /// The user and endpoint that it is for.
    pub aor: Aor,
    /// The request without Via and signature.
    pub message: Message,
}

/// What is known of a REGISTER besides its text.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The authenticated user: owner of the address of record in To.
    pub aor: &'a Aor,
    /// The connection on which it came.
    pub connection: ConnectionId,
    /// The tag to put into To, and later into From of a NOTIFY.
    pub tag: &'a str,
}
