//! The subscriber (RFC 3265 3.1, RFC 6665 4.1).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{
    AUTOEXTEND, Action, EndCause, EventKey, MS_BENOTIFY, SubscriberEvent, SubscriberTimers,
    SubscriptionError,
};
use crate::dialog::party::Party;
use crate::dialog::{Dialog, Incoming};
use crate::header::{SubscriptionState, Substate};
use crate::syntax::parse_u32;
use crate::{HeaderName, Message, Method};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Subscribing,
    Active,
    Ending,
    Ended,
}

/// One subscription of this side. See the [module](super).
#[derive(Debug)]
pub struct Subscriber {
    /// The first SUBSCRIBE: what later ones are made after.
    template: Message,
    event: EventKey,
    timers: SubscriberTimers,
    state: State,
    dialog: Option<Dialog>,
    /// CSeq of the SUBSCRIBE that is not answered yet.
    in_flight: Option<u32>,
    /// To be sent when it is: a SUBSCRIBE like the template, or the end.
    refresh_waits: bool,
    /// Bodies to be sent once, each in a SUBSCRIBE of its own.
    once: VecDeque<(String, Bytes)>,
    end_waits: bool,
    wanted: Option<u32>,
    /// What the last 2xx granted; with autoextend each notification gives it again.
    granted: Duration,
    /// The end was wished for here.
    asked_end: bool,
    autoextend: bool,
    notified: bool,
    refresh_at: Option<Instant>,
    expires_at: Option<Instant>,
    notify_by: Option<Instant>,
    transmits: VecDeque<Message>,
    events: VecDeque<SubscriberEvent>,
}

impl Subscriber {
    /// Subscribes with `request`: a SUBSCRIBE outside a dialog with everything but Via: From with tag, Event, Contact, Accept, Supported,
    /// body. Expires 0 makes it a fetch. Refreshes repeat its headers and body.
    pub fn new(request: Message, timers: SubscriberTimers) -> Result<Self, SubscriptionError> {
        let initial = request.method() == Some(&Method::Subscribe)
            && request.from_header()?.tag().is_some()
            && request.to_header()?.tag().is_none();
        if !initial {
            return Err(SubscriptionError::NotInitial);
        }
        request.call_id()?;
        let mut subscriber = Self {
            event: EventKey::of(&request)?,
            wanted: request.number(HeaderName::Expires)?,
            in_flight: Some(request.cseq()?.number),
            timers,
            state: State::Subscribing,
            dialog: None,
            refresh_waits: false,
            once: VecDeque::new(),
            end_waits: false,
            granted: Duration::ZERO,
            asked_end: false,
            autoextend: false,
            notified: false,
            refresh_at: None,
            expires_at: None,
            notify_by: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            template: request,
        };
        subscriber.send_template();
        Ok(subscriber)
    }

    /// The dialog, once there is one.
    #[must_use]
    pub fn dialog(&self) -> Option<&Dialog> {
        self.dialog.as_ref()
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Whether a NOTIFY or BENOTIFY belongs to this subscription: by its dialog, before that by Call-ID and own tag, and by Event.
    #[must_use]
    pub fn matches(&self, message: &Message) -> bool {
        if !self.event.matches(message) {
            return false;
        }
        match &self.dialog {
            Some(dialog) => dialog.matches(message),
            None => self.is_mine(message),
        }
    }

    fn is_mine(&self, message: &Message) -> bool {
        let own_tag = self.template.from_header().ok().and_then(|from| from.tag());
        message.call_id() == self.template.call_id()
            && own_tag.is_some()
            && message.to_header().ok().and_then(|to| to.tag()) == own_tag
    }

    /// Refreshes now.
    pub fn refresh(&mut self) {
        if matches!(self.state, State::Subscribing | State::Active) {
            self.refresh_waits = true;
            self.advance();
        }
    }

    /// Refreshes now with another body, which later refreshes repeat: for lists that grow or shrink in their dialog.
    pub fn update(&mut self, content_type: &str, body: impl Into<Bytes>) {
        self.set_body(content_type, body);
        self.refresh();
    }

    /// What later refreshes and a restart carry; nothing is sent now.
    pub fn set_body(&mut self, content_type: &str, body: impl Into<Bytes>) {
        self.template.set_body(content_type, body);
    }

    /// Sends a body that is not repeated, in a SUBSCRIBE of its own as soon as nothing else is on its way: what is added to a list of
    /// \[MS-PRES\] or taken off it.
    pub fn send_once(&mut self, content_type: &str, body: impl Into<Bytes>) {
        if matches!(self.state, State::Subscribing | State::Active) && !self.end_waits {
            self.once.push_back((content_type.to_owned(), body.into()));
            self.advance();
        }
    }

    /// Ends the subscription: SUBSCRIBE with Expires 0 in the dialog, as soon as there is one.
    pub fn unsubscribe(&mut self) {
        if matches!(self.state, State::Subscribing | State::Active) {
            self.end_waits = true;
            self.refresh_waits = false;
            self.once.clear();
            self.advance();
        }
    }

    /// Subscribes anew after the end, in a new dialog: `call_id` and `from_tag` are fresh random tokens.
    pub fn restart(&mut self, call_id: &str, from_tag: &str) -> Result<(), SubscriptionError> {
        if self.state != State::Ended {
            return Err(SubscriptionError::NotInitial);
        }
        let mut from = Party::new(&self.template.from_header()?);
        from.tag = Some(from_tag.to_owned());
        let from = from.with_parts(|parts| parts.concat());
        self.template.set(HeaderName::From, &from);
        self.template.set(HeaderName::CallId, call_id);
        self.template.set(HeaderName::CSeq, "1 SUBSCRIBE");
        self.state = State::Subscribing;
        self.dialog = None;
        self.notified = false;
        self.autoextend = false;
        self.asked_end = false;
        self.in_flight = Some(1);
        self.send_template();
        Ok(())
    }

    /// Takes a response to a SUBSCRIBE of this subscription; others are ignored. A 401 or 407 that is being answered with
    /// credentials does not belong here.
    pub fn handle_response(&mut self, now: Instant, response: Message) {
        let Some(code) = response.status().filter(|code| *code >= 200) else {
            return;
        };
        let mine = response.call_id() == self.template.call_id()
            && response.cseq().is_ok_and(|cseq| {
                Some(cseq.number) == self.in_flight && cseq.method() == Method::Subscribe
            });
        if !mine || self.state == State::Ended {
            return;
        }
        self.in_flight = None;
        if code < 300 {
            self.accepted(now, response);
        } else {
            self.refused(now, code, &response);
        }
        self.advance();
    }

    /// No response came to the SUBSCRIBE: time-out, or its flow was closed.
    pub fn handle_no_response(&mut self) {
        if self.state == State::Ended || self.in_flight.take().is_none() {
            return;
        }
        match self.state {
            State::Subscribing => self.finish(EndCause::NoResponse, Action::MayResubscribe),
            State::Ending => self.finish_ending(),
            _ => self.finish(EndCause::NoResponse, Action::ResubscribeNow),
        }
    }

    /// Takes a NOTIFY or BENOTIFY and gives the response to send; `None` for a BENOTIFY, which is never answered.
    ///
    /// What belongs to no subscription is answered 481, or dropped: nobody can inject state.
    pub fn handle_notify(&mut self, now: Instant, message: Message) -> Option<Message> {
        let code = self.check_notify(&message);
        let response = message
            .method()
            .is_some_and(Method::is_answered)
            .then(|| Message::response_to(&message, code, None));
        if code == 200 {
            self.notified(now, message);
        }
        response
    }

    /// The status that answers the notification.
    fn check_notify(&mut self, message: &Message) -> u16 {
        if self.state == State::Ended {
            return 481;
        }
        if !self.event.matches(message) {
            return 489;
        }
        if message.subscription_state().is_err() {
            return 400;
        }
        match &mut self.dialog {
            Some(dialog) => match dialog.handle_request(message) {
                Ok(Incoming::Accepted) => 200,
                Ok(Incoming::OutOfOrder) => 500,
                Err(_) => 481,
            },
            None => match Dialog::by_notify(&self.template, message) {
                Ok(dialog) => {
                    self.dialog = Some(dialog);
                    200
                }
                Err(_) => 481,
            },
        }
    }

    fn notified(&mut self, now: Instant, message: Message) {
        let state = message.subscription_state().ok().flatten();
        self.notified = true;
        if self.state != State::Ending {
            self.notify_by = None;
        }
        let end = state
            .filter(|state| state.state == Substate::Terminated)
            .map(|state| Action::of(&state));
        if end.is_none() {
            let seconds = state.and_then(|state| state.expires());
            self.lifetime_by_notify(now, seconds);
            if self.state == State::Subscribing {
                self.state = State::Active;
            }
        }
        self.events.push_back(SubscriberEvent::Notification {
            message,
            piggybacked: false,
        });
        match end {
            Some(_) if self.state == State::Ending => self.finish_ending(),
            Some(action) => self.finish(EndCause::Terminated, action),
            None => self.advance(),
        }
    }

    /// A notification may shorten the lifetime; with autoextend it starts it anew.
    fn lifetime_by_notify(&mut self, now: Instant, seconds: Option<u32>) {
        if self.state == State::Ending {
            return;
        }
        let named = seconds.map(|seconds| Duration::from_secs(u64::from(seconds)));
        if self.autoextend {
            let granted = named.map_or(self.granted, |named| named.min(self.granted));
            self.set_lifetime(now, granted);
        } else if let Some(named) = named
            && self.expires_at.is_none_or(|end| now + named < end)
        {
            self.set_lifetime(now, named);
        }
    }

    fn accepted(&mut self, now: Instant, response: Message) {
        let known = match &mut self.dialog {
            Some(dialog) => dialog.handle_response(&response).is_ok(),
            None => match Dialog::uac(&self.template, &response) {
                Ok(dialog) => {
                    self.dialog = Some(dialog);
                    true
                }
                Err(_) => false,
            },
        };
        if !known {
            // The dialog came from a NOTIFY of another fork, or the 2xx makes none.
            if self.dialog.is_none() {
                self.finish(EndCause::Refused(500), Action::MayResubscribe);
            }
            return;
        }
        let state = response.subscription_state().ok().flatten();
        let granted = self.granted_by(&response, state.as_ref());
        let end = state
            .filter(|state| state.state == Substate::Terminated)
            .map(|state| Action::of(&state));
        let piggybacked = response.header(HeaderName::MsPiggybackCseq).is_some();
        self.autoextend = self.template.lists(HeaderName::Supported, AUTOEXTEND)
            && response.lists(HeaderName::Supported, AUTOEXTEND);
        let ending = self.state == State::Ending || granted.is_zero();
        let fetch = self.state == State::Subscribing && self.wanted == Some(0);
        if piggybacked {
            self.notified = true;
            self.events.push_back(SubscriberEvent::Notification {
                message: response,
                piggybacked,
            });
        }
        if ending {
            self.state = State::Ending;
            self.asked_end |= self.wanted == Some(0);
            self.refresh_at = None;
            self.expires_at = None;
            match end {
                Some(action) if !self.asked_end => self.finish(EndCause::Terminated, action),
                // Also where the 200 says that it is over: what was asked for comes behind it (RFC 6665 4.4.3, \[MS-SIPREGE\] 2.2.2.2).
                _ if fetch && !self.notified => self.await_last(now),
                None if !piggybacked => self.await_last(now),
                _ => self.finish_ending(),
            }
            return;
        }
        if let Some(action) = end {
            self.finish(EndCause::Terminated, action);
            return;
        }
        self.state = State::Active;
        self.granted = granted;
        self.set_lifetime(now, granted);
        self.events
            .push_back(SubscriberEvent::Active { expires: granted });
        if !self.notified {
            self.notify_by = Some(now + self.timers.notify);
        }
    }

    /// One more notification is to come.
    fn await_last(&mut self, now: Instant) {
        self.notify_by = Some(now + self.timers.notify);
    }

    /// The smaller of Expires and `subscription-state;expires`, never more than was asked for.
    fn granted_by(&self, response: &Message, state: Option<&SubscriptionState<'_>>) -> Duration {
        let named = [
            response.header(HeaderName::Expires).and_then(parse_u32),
            state.and_then(SubscriptionState::expires),
            self.wanted,
        ];
        let seconds = named.into_iter().flatten().min();
        Duration::from_secs(u64::from(seconds.unwrap_or(self.timers.default_expires)))
    }

    fn set_lifetime(&mut self, now: Instant, granted: Duration) {
        self.expires_at = Some(now + granted);
        self.refresh_at = Some(now + refresh_after(granted));
    }

    fn refused(&mut self, now: Instant, code: u16, response: &Message) {
        let retry_after = response
            .header(HeaderName::RetryAfter)
            .and_then(|value| parse_u32(&value[..crate::syntax::token_len(value)]));
        if self.state == State::Ending {
            self.finish_ending();
            return;
        }
        if code == 423
            && let Ok(Some(least)) = response.number(HeaderName::MinExpires)
            && self.wanted.is_none_or(|wanted| wanted < least)
        {
            self.wanted = Some(least);
            self.template.set(HeaderName::Expires, &least.to_string());
            self.again();
            return;
        }
        if code == 420 && self.drop_benotify() {
            self.again();
            return;
        }
        match self.state {
            State::Subscribing => {
                self.finish(
                    EndCause::Refused(code),
                    Action::of_refusal(code, retry_after),
                );
            }
            _ if matches!(code, 408 | 481) => {
                self.finish(EndCause::Refused(code), Action::ResubscribeNow);
            }
            _ => {
                self.refresh_at = retry_after
                    .map(|seconds| now + Duration::from_secs(u64::from(seconds)))
                    .filter(|at| self.expires_at.is_none_or(|end| *at < end));
                self.events
                    .push_back(SubscriberEvent::RefreshFailed { code });
            }
        }
    }

    /// A proxy that does not know BENOTIFY refuses: do without. False if it was not asked for.
    fn drop_benotify(&mut self) -> bool {
        if !self.template.lists(HeaderName::ProxyRequire, MS_BENOTIFY) {
            return false;
        }
        for name in [HeaderName::ProxyRequire, HeaderName::Supported] {
            let others: Vec<String> = self
                .template
                .values(name)
                .filter(|tag| !tag.eq_ignore_ascii_case(MS_BENOTIFY))
                .map(str::to_owned)
                .collect();
            self.template.remove(name);
            for tag in others {
                self.template.push(name, &tag);
            }
        }
        true
    }

    /// Sends the SUBSCRIBE once more with what was changed in the template.
    fn again(&mut self) {
        if self.dialog.is_some() {
            self.refresh_waits = true;
            return;
        }
        let number = self.template.cseq().map_or(0, |cseq| cseq.number) + 1;
        self.template
            .set(HeaderName::CSeq, &format!("{number} SUBSCRIBE"));
        self.in_flight = Some(number);
        self.send_template();
    }

    fn send_template(&mut self) {
        self.transmits.push_back(self.template.clone());
    }

    /// Sends what waits, if nothing is in flight.
    fn advance(&mut self) {
        if self.in_flight.is_some() || !matches!(self.state, State::Active | State::Subscribing) {
            return;
        }
        let Some(dialog) = &mut self.dialog else {
            return;
        };
        let end = self.end_waits;
        let once = self.once.pop_front();
        if !end && !self.refresh_waits && once.is_none() {
            return;
        }
        self.end_waits = false;
        // Both wait: the refresh comes after what was to be sent once.
        self.refresh_waits &= once.is_some();
        let mut request = dialog.request(Method::Subscribe);
        self.in_flight = Some(dialog.local_cseq());
        for header in self.template.headers_iter() {
            if is_repeated(header.name) {
                request.push_named(header.text, header.value);
            }
        }
        if end {
            request.push(HeaderName::Expires, "0");
            self.asked_end = true;
            self.state = State::Ending;
            self.refresh_at = None;
            self.expires_at = None;
        } else {
            if let Some(wanted) = self.wanted {
                request.push(HeaderName::Expires, &wanted.to_string());
            }
            if let Some((content_type, body)) = once {
                request.set_body(&content_type, body);
            } else if let Some(content_type) = self.template.header(HeaderName::ContentType) {
                request.set_body(content_type, self.template.body().clone());
            }
        }
        self.transmits.push_back(request);
    }

    /// The end that was waited for is here.
    fn finish_ending(&mut self) {
        if self.asked_end {
            self.finish(EndCause::Unsubscribed, Action::Never);
        } else {
            self.finish(EndCause::Terminated, Action::MayResubscribe);
        }
    }

    fn finish(&mut self, cause: EndCause, action: Action) {
        self.state = State::Ended;
        self.in_flight = None;
        self.refresh_waits = false;
        self.once.clear();
        self.end_waits = false;
        self.refresh_at = None;
        self.expires_at = None;
        self.notify_by = None;
        if let Some(dialog) = &mut self.dialog {
            dialog.terminate();
        }
        self.events
            .push_back(SubscriberEvent::Ended { cause, action });
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.notify_by) {
            if self.state == State::Ending {
                self.finish_ending();
            } else {
                self.finish(EndCause::NoNotify, Action::MayResubscribe);
            }
        } else if due(self.expires_at) {
            self.finish(EndCause::Expired, Action::ResubscribeNow);
        } else if due(self.refresh_at) {
            self.refresh_at = None;
            self.refresh();
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.refresh_at, self.expires_at, self.notify_by]
            .into_iter()
            .flatten()
            .min()
    }

    /// The next SUBSCRIBE to send.
    pub fn poll_transmit(&mut self) -> Option<Message> {
        self.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<SubscriberEvent> {
        self.events.pop_front()
    }
}

/// When to refresh: 120 s before the end of a lifetime above 240 s (as SIPE 1.25 does), half-way of a shorter one (inferred; SIPE waits to
/// the very end, which leaves a gap).
fn refresh_after(granted: Duration) -> Duration {
    if granted > Duration::from_mins(4) {
        granted.saturating_sub(Duration::from_mins(2))
    } else {
        granted / 2
    }
}

/// What a later SUBSCRIBE takes over from the first one. Routing, identity and body come from elsewhere, credentials are made anew.
fn is_repeated(name: HeaderName) -> bool {
    !matches!(
        name,
        HeaderName::Via
            | HeaderName::Route
            | HeaderName::MaxForwards
            | HeaderName::From
            | HeaderName::To
            | HeaderName::CallId
            | HeaderName::CSeq
            | HeaderName::Expires
            | HeaderName::ContentLength
            | HeaderName::ContentType
            | HeaderName::Authorization
            | HeaderName::ProxyAuthorization
    )
}
