//! What goes into and comes out of a call.

use ocs_ocer::ErrorId;
use ocs_sdpext::negotiation::OfferedStream;
use ocs_sip_core::Message;

/// Names a request that a call wants sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub(crate) u64);

/// Names a request of the peer: any number of the caller's, by which it finds the server transaction again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(pub u64);

/// Names a dialog of a call. The INVITE of an outgoing call makes one for each endpoint that answers it; an incoming call has one only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ForkId(pub(crate) u32);

impl ForkId {
    /// The number: forks count from 0 in the order in which they are heard of.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// Who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The peer.
    Incoming,
    /// We.
    Outgoing,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Outgoing: the INVITE is on its way, and nothing rings. Incoming: the INVITE came, and nothing was answered.
    Calling,
    /// It rings: 180.
    Ringing,
    /// An answer was in a 183: media flows before the call is answered.
    Early,
    /// Answered by 200.
    Established,
    /// Over, [`Event::Ended`] was told; messages of its end are still on their way. The call still wants its inputs.
    Ending,
    /// Over. It needs nothing more and can be dropped.
    Ended,
}

/// What the caller of the machine must send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A request, without Via.
    Request {
        /// By which its answers are handed in.
        id: RequestId,
        /// The request.
        message: Message,
    },
    /// An ACK of a 2xx: without Via, a transaction of its own, without answer.
    Ack(Message),
    /// A CANCEL for the INVITE of this id. The client transaction holds it back until there is a provisional response (RFC 3261 9.1).
    Cancel(RequestId),
    /// A response to a request of the peer. A reliable provisional response and a 2xx to INVITE come again until they are acknowledged.
    Respond {
        /// To which.
        id: TransactionId,
        /// The response.
        message: Message,
    },
}

/// What the application must know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// It rings at an endpoint of the peer; without fork if the response makes no dialog.
    Ringing {
        /// Where.
        fork: Option<ForkId>,
    },
    /// Another provisional response to our INVITE, 101 to 199.
    Progress {
        /// Its status.
        status: u16,
        /// Its phrase.
        reason: String,
    },
    /// An endpoint of the peer has answered our offer, not yet the call: media may flow.
    EarlyMedia {
        /// Which.
        fork: ForkId,
    },
    /// The peer has answered our call. [`Event::ForkEnded`] of all other forks comes before it.
    Answered {
        /// Which fork is the call.
        fork: ForkId,
    },
    /// A fork is not the call, or no longer one: its media ends.
    ForkEnded {
        /// Which.
        fork: ForkId,
    },
    /// The peer has acknowledged our answer to its call.
    Established,
    /// An offer of the peer waits for an answer: accept or remove streams, then answer. First event of an incoming call.
    Offered {
        /// Its streams.
        streams: Vec<OfferedStream>,
    },
    /// A round of offer and answer is over, of ours or of the peer's: look at the streams.
    Changed,
    /// Our offer was refused, or the peer's could not be answered. Everything is as it was.
    ChangeRefused {
        /// The status, ours or the peer's; 408 without answer.
        status: u16,
        /// Its phrase.
        reason: String,
    },
    /// The peer has put the call on hold, or has taken it back.
    PeerHolds(bool),
    /// The peer asks us to call somebody else. Accept or decline.
    Referred {
        /// Whom.
        transfer: Transfer,
        /// Referred-By as it stands; copy it into the INVITE.
        referred_by: Option<String>,
    },
    /// How far the peer is with our transfer.
    TransferProgress {
        /// The status that the peer got.
        status: u16,
        /// Its phrase.
        reason: String,
    },
    /// Our transfer is over. It has succeeded with a 2xx: hang up. Otherwise the call goes on.
    TransferEnded {
        /// The status that the peer got, or with which it refused; 408 if nothing more came.
        status: u16,
        /// Its phrase.
        reason: String,
    },
    /// The call is over. Always the last event.
    Ended(Ended),
}

/// Whom to call instead (RFC 3515, RFC 3891).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The URI, without brackets and without embedded headers.
    pub target: String,
    /// The dialog that the new call replaces at its target: the value of Replaces, as of
    /// [`Dialog::replaces_value`](ocs_sip_core::dialog::Dialog::replaces_value).
    pub replaces: Option<String>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Why.
    pub cause: Cause,
    /// The final status of the INVITE, or the cause that a BYE or CANCEL names in Reason.
    pub status: Option<u16>,
    /// The phrase that goes with it.
    pub reason: Option<String>,
    /// What the peer or a server says of it.
    pub diagnostics: Option<Diagnostics>,
    /// Whether another endpoint of the user has taken the call: it is not missed.
    pub elsewhere: bool,
    /// Whether the call had been answered.
    pub was_established: bool,
}

/// Why a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// By our command.
    Local,
    /// By BYE or CANCEL of the peer.
    Remote,
    /// The INVITE was refused.
    Refused,
    /// The INVITE had no answer in time.
    NoAnswer,
    /// No stream could be agreed on.
    NotAcceptable,
    /// Our answer was not acknowledged.
    Unacknowledged,
    /// A request in the dialog was answered 408 or 481, or not at all.
    DialogGone,
    /// Nobody refreshed the session (RFC 4028).
    SessionExpired,
}

/// The first diagnostics of a message that could be read (\[MS-OCER\] 2.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    /// The number.
    pub error_id: ErrorId,
    /// The reason, for people.
    pub reason: Option<String>,
}
