//! What goes into and comes out of a session.

use std::time::Duration;

use ocs_sip_core::header::Warning;
use ocs_sip_core::{HeaderName, Message};

use crate::im::{ImSdp, Limits, Recipient, Reply, RequestId, SessionRequest, Text, Typing};

/// Names a text of this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextId(pub(super) u64);

/// Names a request of the peer: any number of the caller's, by which it finds the server transaction again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransactionId(pub u64);

/// How a session behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The own description; as answer it gets `local_uri` as target.
    pub sdp: ImSdp,
    /// The own address of record, `sip:alice@contoso.com`.
    pub local_uri: String,
    /// Ms-Conversation-ID of an outgoing session; see
    /// [`new_conversation_id`](crate::headers::new_conversation_id).
    pub conversation_id: Option<String>,
    /// Subject of an outgoing session.
    pub subject: Option<String>,
    /// An incoming session is accepted after this time if the user does not react. `None`: never. Default 10 s (SIPE). Zero: at once,
    /// for the most active endpoint of the user.
    pub auto_accept: Option<Duration>,
    /// Take the text of `ms-text-format` as delivered, and say so in the 200. Default false, as servers with archiving want it.
    pub consume_first: bool,
    /// How often typing is told again while it goes on. Default 4 s; 3 to 5 s are usual.
    pub typing_repeat: Duration,
    /// Without a key for so long the user is idle. Default 3 s, at most 30 s.
    pub typing_idle: Duration,
    /// Without news for so long the peer is idle. Default 10 s (inferred).
    pub peer_typing_timeout: Duration,
    /// Without answer for so long a text is not delivered. Default 60 s.
    pub answer_timeout: Duration,
    /// A 200 that is not acknowledged for so long ends the session. Default 32 s, 64*T1 (RFC 3261 13.3.1.4).
    pub ack_timeout: Duration,
    /// Write KeyboardActivity with the blank that SIPE writes. Default false.
    pub spaced_typing: bool,
    /// Bounds on what the peer sends.
    pub limits: Limits,
}

impl Config {
    /// The defaults with this description and address of record.
    #[must_use]
    pub fn new(sdp: ImSdp, local_uri: impl Into<String>) -> Self {
        Self {
            sdp,
            local_uri: local_uri.into(),
            conversation_id: None,
            subject: None,
            auto_accept: Some(Duration::from_secs(10)),
            consume_first: false,
            typing_repeat: Duration::from_secs(4),
            typing_idle: Duration::from_secs(3),
            peer_typing_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_mins(1),
            ack_timeout: Duration::from_secs(32),
            spaced_typing: false,
            limits: Limits::default(),
        }
    }
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// We called; no final answer yet.
    Inviting,
    /// The peer called; we have not answered.
    Offered,
    /// We answered 200; no ACK yet.
    Accepted,
    /// Texts flow.
    Active,
    /// Over.
    Ended,
}

/// What the caller must send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A request in the dialog; for INVITE the one that makes it.
    Request(SessionRequest),
    /// An answer to a request of the peer.
    Respond(Reply),
    /// CANCEL for the INVITE of this id.
    Cancel(RequestId),
}

/// What the user must know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The peer calls. Accept, decline, or let `auto_accept` do it.
    Invited {
        /// The text inside the INVITE, to show in a toast. It comes again as [`Event::Text`].
        preview: Option<Text>,
        /// Subject.
        subject: Option<String>,
        /// Ms-Conversation-ID.
        conversation_id: Option<String>,
    },
    /// A provisional answer, 101 to 199.
    Progress(u16),
    /// The session is there.
    Established,
    /// The peer says something.
    Text {
        /// The text, in the simplest of its forms.
        text: Text,
        /// The other forms, when there are some, the richest last.
        alternatives: Vec<Text>,
        /// Ms-Sender: who said it, when a server speaks for others.
        sender: Option<String>,
    },
    /// The peer started or stopped typing.
    Typing(Typing),
    /// The peer changed the topic of the conversation.
    Topic(String),
    /// The text reached the peer.
    Delivered(TextId),
    /// A server took the text (202); a notice may follow.
    Accepted(TextId),
    /// The text did not reach the peer.
    Failed {
        /// Which.
        text: TextId,
        /// The status of the answer, if there was one.
        status: Option<u16>,
        /// What to tell the user.
        meaning: Meaning,
    },
    /// A delivery notice for a text that a server had accepted.
    Notice {
        /// Which, when the notice names one that is known.
        text: Option<TextId>,
        /// Whom it reached or not; see [`Recipient::is_delivered`].
        recipients: Vec<Recipient>,
    },
    /// The session is over; always the last event.
    Ended(Ended),
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ended {
    /// By our user.
    Local,
    /// By BYE of the peer.
    Remote,
    /// The peer gave up before we answered: CANCEL, perhaps because another endpoint did.
    Cancelled,
    /// The INVITE was refused.
    Refused {
        /// With this status.
        status: u16,
        /// What to tell the user.
        meaning: Meaning,
    },
    /// Our 200 was not acknowledged. When several endpoints of a user answer at once, SIPE 1.25 leaves all but the first 200 without ACK
    /// and BYE.
    Unacknowledged,
    /// A request in the dialog was answered 408, 480 or 481.
    DialogGone {
        /// Which of them.
        status: u16,
    },
}

/// What a failure means to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// 606 with Warning 309: a policy blocks the contents.
    Blocked,
    /// 486, or 480 with Warning 391: do not disturb.
    DoNotDisturb,
    /// 415: the peer cannot show this type.
    UnsupportedType,
    /// 500, 503, 504, 603: the service is not available.
    ServiceUnavailable,
    /// 408, 480, 481 in a dialog: the peer has gone.
    DialogGone,
    /// No answer in time.
    NoAnswer,
    /// The session ended before the answer came.
    SessionEnded,
    /// Anything else: the peer is offline.
    Offline,
}

impl Meaning {
    /// The meaning of an answer of 300 and above.
    #[must_use]
    pub fn of(status: u16, response: &Message) -> Self {
        let warned = |code| {
            response
                .parse_all::<Warning<'_>>(HeaderName::Warning)
                .flatten()
                .any(|warning| warning.code == code)
        };
        match status {
            606 if warned(309) => Self::Blocked,
            480 if warned(391) => Self::DoNotDisturb,
            486 => Self::DoNotDisturb,
            415 => Self::UnsupportedType,
            500 | 503 | 504 | 603 => Self::ServiceUnavailable,
            _ => Self::Offline,
        }
    }
}
