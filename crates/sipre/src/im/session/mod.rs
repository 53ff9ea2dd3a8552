//! The machine of one IM session.

mod answers;
mod incoming;
mod types;

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use ocs_sip_core::{HeaderName, Method};

use super::{
    ImSdp, KEYBOARD_TYPE, Reply, RequestId, SDP_TYPE, SessionRequest, Text, Typing,
    write_keyboard_activity,
};
use crate::Error;

pub use types::{Action, Config, Ended, Event, Meaning, State, TextId, TransactionId};

/// The option tag by which a callee says that it took the text of `ms-text-format`.
const TEXT_FORMAT_TAG: &str = "ms-text-format";

/// A MESSAGE that has no answer yet.
#[derive(Debug)]
struct Outstanding {
    request: RequestId,
    text: TextId,
    deadline: Instant,
}

/// One IM session of two parties, either side, over a dialog that the caller keeps.
///
/// The session decides which requests go out with which headers and bodies, what becomes of each text, and how requests of
/// the peer are answered. After every call drain [`poll_action`](Self::poll_action) and [`poll_event`](Self::poll_event),
/// then arm a timer from [`poll_timeout`](Self::poll_timeout).
///
/// When a caller's INVITE carries the first text in `ms-text-format`, callees may or may not take it; if not, it is sent again as MESSAGE.
/// So the text of [`Event::Invited`] is a preview, and comes again as [`Event::Text`].
#[derive(Debug)]
pub struct ImSession {
    config: Config,
    state: State,
    next_request: u64,
    next_text: u64,
    /// The INVITE that the peer has not answered, or the transaction in which the peer waits for us.
    invite: Option<RequestId>,
    offered: Option<TransactionId>,
    auto_accept_at: Option<Instant>,
    /// When the ACK to our 200 must be there.
    ack_until: Option<Instant>,
    /// The text inside the INVITE.
    first: Option<(TextId, Text)>,
    preview: Option<Text>,
    /// Texts that wait for the session.
    queue: VecDeque<(TextId, Text)>,
    outstanding: VecDeque<Outstanding>,
    /// Texts that were accepted by a server, by Message-Id.
    accepted: VecDeque<(Box<str>, TextId)>,
    peer: Option<ImSdp>,
    typing_sent_at: Option<Instant>,
    typing_idle_at: Option<Instant>,
    typing_refused: bool,
    typing_requests: Vec<RequestId>,
    peer_typing_until: Option<Instant>,
    actions: VecDeque<Action>,
    events: VecDeque<Event>,
}

impl ImSession {
    fn new(config: Config, state: State) -> Self {
        Self {
            config,
            state,
            next_request: 0,
            next_text: 0,
            invite: None,
            offered: None,
            auto_accept_at: None,
            ack_until: None,
            first: None,
            preview: None,
            queue: VecDeque::new(),
            outstanding: VecDeque::new(),
            accepted: VecDeque::new(),
            peer: None,
            typing_sent_at: None,
            typing_idle_at: None,
            typing_refused: false,
            typing_requests: Vec::new(),
            peer_typing_until: None,
            actions: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Starts a session as caller. `first` goes inside the INVITE; its id is given back.
    #[must_use]
    pub fn outgoing(config: Config, first: Option<Text>) -> (Self, Option<TextId>) {
        let mut session = Self::new(config, State::Inviting);
        let mut headers = vec![(HeaderName::Supported, "ms-sender".to_owned())];
        if let Some(text) = first {
            headers.push((HeaderName::MsTextFormat, text.to_first_message()));
            session.first = Some((session.new_text_id(), text));
        }
        if let Some(id) = &session.config.conversation_id {
            headers.push((HeaderName::MsConversationId, id.clone()));
        }
        if let Some(subject) = &session.config.subject {
            headers.push((HeaderName::Subject, subject.clone()));
        }
        let offer = ImSdp {
            target: None,
            ..session.config.sdp.clone()
        };
        let content = (SDP_TYPE.to_owned(), Bytes::from(offer.to_string()));
        let invite = session.request(Method::Invite, headers, Some(content));
        session.invite = Some(invite);
        let id = session.first.as_ref().map(|(id, _)| *id);
        (session, id)
    }

    /// Where the session stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// The peer's description, once it is known.
    #[must_use]
    pub const fn peer(&self) -> Option<&ImSdp> {
        self.peer.as_ref()
    }

    /// Sends a text, now or when the session is there. Its fate is told by events with its id.
    pub fn send(&mut self, now: Instant, text: Text) -> Result<TextId, Error> {
        let limit = self.config.limits.pending;
        if self.state == State::Ended {
            return Err(Error::Ended);
        }
        if self.queue.len() + self.outstanding.len() >= limit {
            return Err(Error::TooManyTexts { limit });
        }
        let id = self.new_text_id();
        // A text ends the typing state on both sides; no INFO is needed.
        self.typing_sent_at = None;
        self.typing_idle_at = None;
        if self.state == State::Active {
            self.send_message(now, id, &text);
        } else {
            self.queue.push_back((id, text));
            self.accept_if_offered(now);
        }
        Ok(id)
    }

    /// The user touched a key: sends the typing notification, or repeats it when it is time. A session that waits for the
    /// user's answer is accepted.
    pub fn typing(&mut self, now: Instant) {
        self.accept_if_offered(now);
        if self.state != State::Active || self.typing_refused {
            return;
        }
        self.typing_idle_at = Some(now + self.config.typing_idle);
        let due = self
            .typing_sent_at
            .is_none_or(|at| now.saturating_duration_since(at) >= self.config.typing_repeat);
        if due {
            self.typing_sent_at = Some(now);
            self.send_typing(Typing::Type);
        }
    }

    /// The user stopped typing without sending.
    pub fn stop_typing(&mut self) {
        self.typing_idle_at = None;
        if self.typing_sent_at.take().is_some() && self.state == State::Active {
            self.send_typing(Typing::Idle);
        }
    }

    /// Ends the session: BYE, or CANCEL of an INVITE without answer, or 480 to a peer who waits.
    ///
    /// The dialog holds a BYE back until the ACK has come (RFC 3261 15), and the client transaction a CANCEL until there is a provisional
    /// answer (9.1).
    pub fn end(&mut self) {
        match self.state {
            State::Inviting => {
                if let Some(invite) = self.invite {
                    self.actions.push_back(Action::Cancel(invite));
                }
            }
            State::Offered => return self.decline(480),
            State::Accepted | State::Active => {
                self.request(Method::Bye, Vec::new(), None);
            }
            State::Ended => return,
        }
        self.finish(Ended::Local);
    }

    fn flush(&mut self, now: Instant) {
        while let Some((id, text)) = self.queue.pop_front() {
            self.send_message(now, id, &text);
        }
    }

    fn send_message(&mut self, now: Instant, id: TextId, text: &Text) {
        let content = (text.content_type(), text.to_body());
        let request = self.request(Method::Message, Vec::new(), Some(content));
        self.outstanding.push_back(Outstanding {
            request,
            text: id,
            deadline: now + self.config.answer_timeout,
        });
    }

    fn send_typing(&mut self, state: Typing) {
        let body = write_keyboard_activity(state, self.config.spaced_typing);
        let content = (
            KEYBOARD_TYPE.to_owned(),
            Bytes::from_static(body.as_bytes()),
        );
        let id = self.request(Method::Info, Vec::new(), Some(content));
        // Only answers that come soon matter; a peer that never answers must not make this grow.
        if self.typing_requests.len() >= 8 {
            self.typing_requests.remove(0);
        }
        self.typing_requests.push(id);
    }

    fn request(
        &mut self,
        method: Method,
        headers: Vec<(HeaderName, String)>,
        content: Option<(String, Bytes)>,
    ) -> RequestId {
        let id = RequestId(self.next_request);
        self.next_request += 1;
        self.actions.push_back(Action::Request(SessionRequest {
            id,
            method,
            headers,
            content,
        }));
        id
    }

    fn reply(&mut self, transaction: TransactionId, status: u16) {
        self.actions.push_back(Action::Respond(Reply {
            transaction,
            status,
            headers: Vec::new(),
            content: None,
        }));
    }

    fn new_text_id(&mut self) -> TextId {
        let id = TextId(self.next_text);
        self.next_text += 1;
        id
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.auto_accept_at.is_some_and(|at| at <= now) {
            self.accept(now);
        }
        if self.ack_until.is_some_and(|at| at <= now) {
            self.request(Method::Bye, Vec::new(), None);
            self.fail_all(None, Meaning::NoAnswer);
            self.finish(Ended::Unacknowledged);
        }
        if self.typing_idle_at.is_some_and(|at| at <= now) {
            self.stop_typing();
        }
        if self.peer_typing_until.is_some_and(|at| at <= now) {
            self.peer_idle();
        }
        while let Some(sent) = self.outstanding.pop_front_if(|sent| sent.deadline <= now) {
            self.events.push_back(Event::Failed {
                text: sent.text,
                status: None,
                meaning: Meaning::NoAnswer,
            });
        }
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [
            self.auto_accept_at,
            self.ack_until,
            self.typing_idle_at,
            self.peer_typing_until,
            self.outstanding.front().map(|sent| sent.deadline),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// What to send next.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// What the user must know next.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }
}
