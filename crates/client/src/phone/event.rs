//! What a phone asks for and what it tells.

use std::net::SocketAddr;

use ocs_call::{Ended, Transfer};
use ocs_media::{Action, Statistics};
use ocs_sdpext::negotiation::{OfferedStream, StreamKind};

use crate::{Event as AgentEvent, Output as AgentOutput};

/// Names a call of a phone. It has its name before its INVITE is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineId(pub(super) u64);

/// Names a stream of a phone: one `m=` line of one call, with the sockets of its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub(super) u64);

/// What a stream has counted in a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Which.
    pub stream: StreamId,
    /// What it was.
    pub kind: StreamKind,
    /// Its packets.
    pub statistics: Statistics,
    /// Packets of media that the peer sent and that did not come, as reports count them: negative when some came twice.
    pub lost: i64,
}

/// What the caller must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Signalling.
    Agent(AgentOutput),
    /// Use the sockets of a stream.
    Media {
        /// Whose: connections are named anew in each stream.
        stream: StreamId,
        /// How.
        action: Action,
    },
}

/// What the application must know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// What has nothing to do with the calls of the phone.
    Agent(AgentEvent),
    /// Somebody calls. [`Phone::answer`](super::Phone::answer), [`Phone::prepare`](super::Phone::prepare) or
    /// [`Phone::decline`](super::Phone::decline).
    Incoming {
        /// The call.
        line: LineId,
        /// Who, as the server asserts: a URI.
        from: String,
        /// His display name.
        display_name: Option<String>,
        /// What he offers.
        streams: Vec<OfferedStream>,
        /// The call that this one takes the place of: to be answered without asking the user.
        replaces: Option<LineId>,
    },
    /// It rings at the other side.
    Ringing {
        /// Where.
        line: LineId,
    },
    /// Another provisional response.
    Progress {
        /// Of which call.
        line: LineId,
        /// The status.
        status: u16,
        /// Its phrase.
        reason: String,
    },
    /// An endpoint of the peer is ready for media, before somebody has answered.
    EarlyMedia {
        /// Of which call.
        line: LineId,
    },
    /// The call is answered.
    Answered {
        /// Which.
        line: LineId,
    },
    /// All streams have found their way: media flows. It comes again for streams that are added.
    MediaUp {
        /// Of which call.
        line: LineId,
    },
    /// The peer wants further streams: [`Phone::accept_streams`](super::Phone::accept_streams), or without plans to refuse them.
    Offered {
        /// In which call.
        line: LineId,
        /// Those that are new.
        streams: Vec<OfferedStream>,
    },
    /// Both sides have agreed on something new: streams, directions, hold.
    Changed {
        /// In which call.
        line: LineId,
    },
    /// A change was not taken. Everything is as it was.
    ChangeRefused {
        /// In which call.
        line: LineId,
        /// The status.
        status: u16,
        /// Its phrase.
        reason: String,
    },
    /// The peer has put the call on hold, or has taken it back.
    PeerHolds {
        /// Which.
        line: LineId,
        /// Whether it is on hold.
        holds: bool,
    },
    /// The peer asks us to call somebody else: [`Phone::follow_transfer`](super::Phone::follow_transfer) or
    /// [`Phone::decline_transfer`](super::Phone::decline_transfer).
    Referred {
        /// In which call.
        line: LineId,
        /// Whom.
        transfer: Transfer,
    },
    /// How far the peer is with our transfer.
    TransferProgress {
        /// Of which call.
        line: LineId,
        /// The status that it got.
        status: u16,
        /// Its phrase.
        reason: String,
    },
    /// Our transfer is over; with a 2xx it has succeeded, and the call is to be hung up.
    TransferEnded {
        /// Of which call.
        line: LineId,
        /// The status that the peer got.
        status: u16,
        /// Its phrase.
        reason: String,
    },
    /// A stream has something to tell.
    Media {
        /// Which.
        stream: StreamId,
        /// What.
        event: ocs_media::Event,
    },
    /// A call is over. Its report on quality is sent if the server wants one.
    Ended {
        /// Which.
        line: LineId,
        /// How.
        ended: Ended,
        /// What its streams have counted.
        streams: Vec<Summary>,
    },
    /// A call could not be made: there was no candidate, or the user agent refused it.
    CouldNotCall {
        /// Which.
        line: LineId,
        /// Why.
        error: super::Error,
    },
    /// Nothing more is sent from the sockets of a stream: they may be closed.
    StreamClosed {
        /// Which.
        stream: StreamId,
        /// Their addresses.
        sockets: Vec<SocketAddr>,
    },
}
