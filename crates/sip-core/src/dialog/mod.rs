//! Dialogs (RFC 3261 12) and what lives in them: forks, session timers (RFC 4028), reliable provisional responses (RFC 3262),
//! Replaces (RFC 3891), with the epid rules of \[MS-SIPRE\] 3.2.4.1.
//!
//! A [`Dialog`] is a value without timers: it makes the requests and responses of its dialog and keeps book of CSeq, route set,
//! targets and epids. Via and Contact are the caller's to add.
//!
//! | state | by | becomes |
//! |---|---|---|
//! | Early | 101-199 with a To tag; a request that was not answered yet | Confirmed by 2xx, Terminated by 300-699 |
//! | Confirmed | 2xx; the first NOTIFY of a subscription | Terminated by BYE in either direction, by 408 or 481 to any request of this side |
//! | Terminated | | |
//!
//! ```
//! use ocs_sip_core::dialog::Dialog;
//! use ocs_sip_core::{HeaderName, Message, Method};
//!
//! let invite = Message::request(Method::Invite, "sip:bob@contoso.com")
//!     .with(HeaderName::From, "<sip:alice@contoso.com>;tag=1;epid=0101")
//!     .with(HeaderName::To, "<sip:bob@contoso.com>")
//!     .with(HeaderName::CallId, "a")
//!     .with(HeaderName::CSeq, "1 INVITE");
//! let mut ok = Message::response_to(&invite, 200, None)
//!     .with(HeaderName::Contact, "<sip:bob@contoso.com;opaque=user:epid:x;gruu>")
//!     .with(HeaderName::RecordRoute, "<sip:fe.contoso.com;lr>");
//! ok.set(HeaderName::To, "<sip:bob@contoso.com>;tag=2;epid=0202");
//! let mut dialog = Dialog::uac(&invite, &ok)?;
//! let ack = dialog.ack_for_2xx(1);
//! let bye = dialog.request(Method::Bye);
//! assert_eq!(bye.request_uri(), Some("sip:bob@contoso.com;opaque=user:epid:x;gruu"));
//! assert_eq!(bye.header(HeaderName::Route), Some("<sip:fe.contoso.com;lr>"));
//! assert_eq!(bye.header(HeaderName::To), Some("<sip:bob@contoso.com>;tag=2;epid=0202"));
//! assert_eq!(bye.header(HeaderName::CSeq), Some("2 BYE"));
//! # Ok::<(), ocs_sip_core::dialog::DialogError>(())
//! ```
//!
//! # Keys
//!
//! A [`DialogId`] is unique only with the connection or with AOR and epid of the peer: clients of this system draw Call-IDs and
//! tags from unseeded generators (confirmed with SIPE 1.25). A server that answers draws its own tag, which makes the id
//! unique; whoever keys dialogs where the remote side drew both values must add one of those.

mod answer;
mod id;
pub(crate) mod party;
mod reliable;
mod replaces;
mod requests;
mod route;
mod session_timer;
mod set;

use crate::{HeaderName, Message, Method};

pub use answer::{AnswerRepeater, AnswerTimers};
pub use id::DialogId;
pub use reliable::{ProvisionalEvent, ProvisionalReceiver, ProvisionalSender};
pub use replaces::Replacing;
pub use session_timer::{SessionEvent, SessionPolicy, SessionTimer};
pub use set::{DialogSet, ForkOutcome};

use party::Party;
use route::RouteSet;

/// Which side a user agent took in the transaction that made the dialog, or in another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// It sent the request.
    Uac,
    /// It answered.
    Uas,
}

/// The state of a [`Dialog`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DialogState {
    /// Before the final response.
    Early,
    /// After a 2xx, or by a NOTIFY.
    Confirmed,
    /// Over. Requests are still made and answered, so that a BYE can be sent and repeated ones refused.
    Terminated,
}

/// Why a message makes no dialog or does not fit one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialogError {
    /// A header that makes the dialog is missing or malformed.
    #[error(transparent)]
    Message(#[from] crate::Error),
    /// From of the request or To of the response has no tag.
    #[error("{0} has no tag")]
    NoTag(HeaderName),
    /// This method or status makes no dialog.
    #[error("the message makes no dialog")]
    NoDialog,
    /// The message belongs to another dialog.
    #[error("the message is of another dialog")]
    OtherDialog,
}

/// What a user agent does with a request inside a dialog (RFC 3261 12.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Incoming {
    /// Process it.
    Accepted,
    /// Its CSeq is lower than that of an earlier request: answer 500.
    OutOfOrder,
}

/// A dialog (RFC 3261 12).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    id: DialogId,
    role: Role,
    state: DialogState,
    local: Party,
    remote: Party,
    remote_target: String,
    route_set: RouteSet,
    local_cseq: u32,
    remote_cseq: Option<u32>,
    /// CSeq of the request that made the dialog, while it is early.
    creating_cseq: u32,
}

impl Dialog {
    /// The dialog of a client: `response` is a 101 to 299 with a To tag to `request` (12.1.2).
    ///
    /// A response without Contact leaves the Request-URI as the remote target.
    pub fn uac(request: &Message, response: &Message) -> Result<Self, DialogError> {
        let code = response.status().ok_or(DialogError::NoDialog)?;
        if !(101..300).contains(&code) {
            return Err(DialogError::NoDialog);
        }
        let local = Party::new(&request.from_header()?);
        let remote = Party::new(&response.to_header()?);
        let cseq = request.cseq()?.number;
        let target = match response.contact() {
            Ok(contact) => contact.uri_text(),
            Err(_) => request.request_uri().ok_or(DialogError::NoDialog)?,
        };
        Ok(Self {
            id: DialogId::new(
                request.call_id()?,
                local
                    .tag
                    .as_deref()
                    .ok_or(DialogError::NoTag(HeaderName::From))?,
                remote
                    .tag
                    .as_deref()
                    .ok_or(DialogError::NoTag(HeaderName::To))?,
            ),
            role: Role::Uac,
            state: if code < 200 {
                DialogState::Early
            } else {
                DialogState::Confirmed
            },
            local,
            remote,
            remote_target: target.to_owned(),
            route_set: RouteSet::reversed(response),
            local_cseq: cseq,
            remote_cseq: None,
            creating_cseq: cseq,
        })
    }

    /// The dialog of a server (12.1.1), early until [`respond`](Self::respond) gives a 2xx. `local_tag` is a fresh random token.
    ///
    /// A peer without From tag (RFC 2543) is refused; a request without Contact leaves the From URI as the remote target.
    pub fn uas(request: &Message, local_tag: &str) -> Result<Self, DialogError> {
        if !request.method().is_some_and(Method::creates_dialog) {
            return Err(DialogError::NoDialog);
        }
        let mut local = Party::new(&request.to_header()?);
        local.tag = Some(local_tag.to_owned());
        let remote = Party::new(&request.from_header()?);
        let cseq = request.cseq()?.number;
        let target = match request.contact() {
            Ok(contact) => contact.uri_text(),
            Err(_) => &remote.uri,
        };
        Ok(Self {
            id: DialogId::new(
                request.call_id()?,
                local_tag,
                remote
                    .tag
                    .as_deref()
                    .ok_or(DialogError::NoTag(HeaderName::From))?,
            ),
            role: Role::Uas,
            state: DialogState::Early,
            remote_target: target.to_owned(),
            local,
            remote,
            route_set: RouteSet::in_order(request),
            local_cseq: 0,
            remote_cseq: Some(cseq),
            creating_cseq: cseq,
        })
    }

    /// The dialog of a subscriber whose first NOTIFY comes before the response (RFC 6665 4.1.2.4).
    pub fn by_notify(subscribe: &Message, notify: &Message) -> Result<Self, DialogError> {
        let local = Party::new(&subscribe.from_header()?);
        let remote = Party::new(&notify.from_header()?);
        let own_tag = local
            .tag
            .as_deref()
            .ok_or(DialogError::NoTag(HeaderName::From))?;
        if notify.to_header()?.tag() != Some(own_tag) || notify.call_id()? != subscribe.call_id()? {
            return Err(DialogError::OtherDialog);
        }
        let target = match notify.contact() {
            Ok(contact) => contact.uri_text(),
            Err(_) => subscribe.request_uri().ok_or(DialogError::NoDialog)?,
        };
        let cseq = subscribe.cseq()?.number;
        Ok(Self {
            id: DialogId::new(
                subscribe.call_id()?,
                own_tag,
                remote
                    .tag
                    .as_deref()
                    .ok_or(DialogError::NoTag(HeaderName::From))?,
            ),
            role: Role::Uac,
            state: DialogState::Confirmed,
            remote_target: target.to_owned(),
            local,
            remote,
            route_set: RouteSet::in_order(notify),
            local_cseq: cseq,
            remote_cseq: Some(notify.cseq()?.number),
            creating_cseq: cseq,
        })
    }

    /// Call-ID and tags.
    #[must_use]
    pub fn id(&self) -> &DialogId {
        &self.id
    }

    /// Which side made the dialog.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The state.
    #[must_use]
    pub fn state(&self) -> DialogState {
        self.state
    }

    /// The URI of this side, as in From of the requests made here.
    #[must_use]
    pub fn local_uri(&self) -> &str {
        &self.local.uri
    }

    /// The URI of the other side, as in To of the requests made here.
    #[must_use]
    pub fn remote_uri(&self) -> &str {
        &self.remote.uri
    }

    /// The epid of the other side (\[MS-SIPRE\] 3.2.4.1), if it told one.
    #[must_use]
    pub fn remote_epid(&self) -> Option<&str> {
        self.remote.epid.as_deref()
    }

    /// Where requests go: the other side's Contact URI.
    #[must_use]
    pub fn remote_target(&self) -> &str {
        &self.remote_target
    }

    /// The route set, in the order of Route.
    pub fn route_set(&self) -> impl Iterator<Item = &str> {
        self.route_set.iter()
    }

    /// The CSeq number of the last request made here; 0 if there was none.
    #[must_use]
    pub fn local_cseq(&self) -> u32 {
        self.local_cseq
    }

    /// Puts this side's epid into From of requests made here: for a server whose To had none (\[MS-SIPRE\] 3.2.4.1).
    pub fn set_local_epid(&mut self, epid: &str) {
        self.local.epid = Some(epid.to_owned());
    }

    /// Ends the dialog without a message, such as when its flow is lost for good.
    pub fn terminate(&mut self) {
        self.state = DialogState::Terminated;
    }

    /// Whether a request that came is of this dialog (12.2.2).
    #[must_use]
    pub fn matches(&self, request: &Message) -> bool {
        self.id.is_of_request(request)
    }

    /// Takes the Record-Route and the Contact of an UPDATE or of its 200 as new route set and target: dialog route recovery, for
    /// those that list `ms-dialog-route-set-update` (\[MS-SIPRE\]; the form of the exchange is inferred).
    pub fn recover_route(&mut self, message: &Message) {
        self.route_set = if message.is_request() {
            RouteSet::in_order(message)
        } else {
            RouteSet::reversed(message)
        };
        self.refresh_target(message);
    }

    fn refresh_target(&mut self, message: &Message) {
        if let Ok(contact) = message.contact() {
            contact.uri_text().clone_into(&mut self.remote_target);
        }
    }
}

/// Methods whose Contact replaces the remote target (RFC 3261 12.2, RFC 3265 3.1.2, 3311 5.1, 3515 2.2).
fn refreshes_target(method: &Method) -> bool {
    matches!(
        method,
        Method::Invite
            | Method::Update
            | Method::Subscribe
            | Method::Notify
            | Method::Benotify
            | Method::Refer
    )
}
