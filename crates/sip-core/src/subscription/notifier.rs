//! The notifier (RFC 3265 3.2, RFC 6665 4.2).

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::once::{ENDED, Options, last_answer, method};
use super::{AUTOEXTEND, Content, EventKey, NotifierPolicy, Reason};
use crate::dialog::{Dialog, Incoming};
use crate::syntax::parse_u32;
use crate::{HeaderName, Message, Method};

/// Why a subscription ended at the notifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotifierEnd {
    /// Expires 0 of the subscriber, or a fetch that is answered.
    Unsubscribed,
    /// It was not refreshed.
    Expired,
    /// [`Notifier::terminate`] or [`Notifier::end`].
    Terminated,
    /// A NOTIFY was refused with this status: the subscriber does not know the subscription any more.
    Refused(u16),
    /// A NOTIFY was not answered.
    NoResponse,
}

/// What the user of a [`Notifier`] must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotifierEvent {
    /// Too many notifications wait ([`NotifierPolicy::waiting`]); they were dropped. Send the full state.
    Overrun,
    /// It is over.
    Ended(NotifierEnd),
}

/// One subscription of another side. See the [module](super).
#[derive(Debug)]
pub struct Notifier {
    policy: Arc<NotifierPolicy>,
    dialog: Dialog,
    event: EventKey,
    /// The Event value as the subscriber wrote it.
    event_text: String,
    benotify: bool,
    piggyback: bool,
    autoextend: bool,
    pending: bool,
    ended: bool,
    interval: Duration,
    expires_at: Instant,
    /// CSeq and content of the NOTIFY that is not answered.
    in_flight: Option<(u32, Content)>,
    retry_at: Option<Instant>,
    waiting: VecDeque<Content>,
    /// The last notification, when its turn comes.
    last: Option<(&'static str, Option<u32>)>,
    transmits: VecDeque<Message>,
    events: VecDeque<NotifierEvent>,
}

impl Notifier {
    /// Takes a SUBSCRIBE outside a dialog and gives the subscription with its 200, or the refusal. `state` is the full state of
    /// the resource.
    ///
    /// Send the response before what [`poll_transmit`](Self::poll_transmit) gives. The caller has authenticated and authorized
    /// the subscriber.
    pub fn accept(
        now: Instant,
        request: &Message,
        local_tag: &str,
        policy: &Arc<NotifierPolicy>,
        state: Content,
    ) -> Result<(Self, Message), Box<Message>> {
        let refuse = |code| Box::new(Message::response_to(request, code, Some(local_tag)));
        if request.method() != Some(&Method::Subscribe) {
            return Err(refuse(405));
        }
        let event = EventKey::of(request)
            .ok()
            .filter(|event| {
                let served = |package: &String| package.eq_ignore_ascii_case(&event.package);
                policy.packages.iter().any(served)
            })
            .ok_or_else(|| Box::new(policy.refuse_package(request, local_tag)))?;
        let seconds = policy
            .grant(request)
            .map_err(|code| Box::new(policy.refuse_expires(*refuse(code), code)))?;
        let dialog = Dialog::uas(request, local_tag).map_err(|_| refuse(400))?;
        let Options {
            benotify,
            piggyback,
        } = Options::of(request, policy);
        let mut notifier = Self {
            policy: Arc::clone(policy),
            dialog,
            event,
            event_text: request
                .header(HeaderName::Event)
                .unwrap_or_default()
                .to_owned(),
            benotify,
            piggyback,
            autoextend: policy.autoextend && request.lists(HeaderName::Supported, AUTOEXTEND),
            pending: false,
            ended: false,
            interval: Duration::ZERO,
            expires_at: now,
            in_flight: None,
            retry_at: None,
            waiting: VecDeque::new(),
            last: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        };
        let response = notifier.grant(now, request, seconds, state);
        Ok((notifier, response))
    }

    /// The dialog.
    #[must_use]
    pub fn dialog(&self) -> &Dialog {
        &self.dialog
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Whether a SUBSCRIBE inside a dialog belongs to this subscription.
    #[must_use]
    pub fn matches(&self, request: &Message) -> bool {
        self.dialog.matches(request) && self.event.matches(request)
    }

    /// Notifications say `pending` instead of `active` until it is taken back: authorization is not decided.
    pub fn set_pending(&mut self, pending: bool) {
        self.pending = pending;
    }

    /// Takes a SUBSCRIBE inside the dialog, a refresh or the end, and gives the response. `state` is the full state.
    pub fn handle_subscribe(&mut self, now: Instant, request: &Message, state: Content) -> Message {
        if self.ended || !self.event.matches(request) {
            return self.dialog.respond(request, 481);
        }
        match self.dialog.handle_request(request) {
            Ok(Incoming::Accepted) => {}
            Ok(Incoming::OutOfOrder) => return self.dialog.respond(request, 500),
            Err(_) => return Message::response_to(request, 481, None),
        }
        match self.policy.grant(request) {
            Ok(seconds) => self.grant(now, request, seconds, state),
            Err(code) => {
                let response = self.dialog.respond(request, code);
                self.policy.refuse_expires(response, code)
            }
        }
    }

    /// The 200, and the notification that follows it or is in it.
    fn grant(&mut self, now: Instant, request: &Message, seconds: u32, state: Content) -> Message {
        let options = Options {
            benotify: self.benotify,
            ..Options::of(request, &self.policy)
        };
        if seconds == 0 {
            return self.grant_nothing(request, options, &state);
        }
        let mut response = self.dialog.respond(request, 200);
        self.interval = Duration::from_secs(u64::from(seconds));
        self.expires_at = now + self.interval;
        response.push(HeaderName::Expires, &seconds.to_string());
        response.push(HeaderName::Event, &self.event_text);
        options.put(&mut response, self.autoextend.then_some(AUTOEXTEND));
        if options.piggyback {
            self.put_state(now, &mut response);
            let cseq = self.dialog.skip_cseq();
            response.push(HeaderName::MsPiggybackCseq, &cseq.to_string());
            state.put_into(&mut response);
            self.waiting.clear();
        } else {
            self.notify(now, state);
        }
        response
    }

    /// A fetch, or the end that the subscriber wishes for.
    ///
    /// Who agreed on `ms-piggyback-first-notify` and does not list it at the end, as SIPE 1.25, knows all from the 200, and no notification comes
    /// behind it (inferred).
    fn grant_nothing(&mut self, request: &Message, options: Options, state: &Content) -> Message {
        if self.piggyback && !options.piggyback {
            let mut response = self.dialog.respond(request, 200);
            response.push(HeaderName::Expires, "0");
            response.push(HeaderName::Event, &self.event_text);
            response.push(HeaderName::SubscriptionState, ENDED);
            self.finish(NotifierEnd::Unsubscribed);
            return response;
        }
        let ended = terminated(self.benotify, Reason::Timeout.as_str());
        let dialog = &mut self.dialog;
        let (response, notify) =
            last_answer(dialog, request, &self.event_text, options, &ended, state);
        self.transmits.extend(notify);
        self.finish(NotifierEnd::Unsubscribed);
        response
    }

    /// The full state has changed. It takes the place of all that still waits.
    pub fn notify(&mut self, now: Instant, state: Content) {
        if self.ended {
            return;
        }
        self.waiting.clear();
        if self.is_free() {
            self.send_now(now, state);
        } else {
            self.waiting.push_back(state);
        }
    }

    /// A partial change, to be sent after what waits.
    pub fn notify_delta(&mut self, now: Instant, delta: Content) {
        if self.ended {
            return;
        }
        if self.is_free() {
            self.send_now(now, delta);
            return;
        }
        if self.waiting.len() >= self.policy.waiting {
            self.waiting.clear();
            self.events.push_back(NotifierEvent::Overrun);
            return;
        }
        self.waiting.push_back(delta);
    }

    /// Ends the subscription with a last notification. The dialog is over at once; an answer to the notification is ignored.
    pub fn terminate(&mut self, now: Instant, reason: Reason, retry_after: Option<u32>) {
        if self.ended {
            return;
        }
        self.waiting.clear();
        self.last = Some((reason.as_str(), retry_after));
        self.advance(now);
        self.finish(NotifierEnd::Terminated);
    }

    /// Ends the subscription without a notification.
    pub fn end(&mut self) {
        if !self.ended {
            self.finish(NotifierEnd::Terminated);
        }
    }

    /// Takes a final response to a NOTIFY of this subscription.
    pub fn handle_response(&mut self, now: Instant, response: &Message) {
        let Some(code) = response.status().filter(|code| *code >= 200) else {
            return;
        };
        let cseq = response.cseq().ok().map(|cseq| cseq.number);
        if self.ended || cseq.is_none() || cseq != self.in_flight.as_ref().map(|(cseq, _)| *cseq) {
            return;
        }
        let Some((_, content)) = self.in_flight.take() else {
            return;
        };
        if code < 300 {
            // Gone if the answer ended the dialog; target refresh otherwise.
            let _ = self.dialog.handle_response(response);
            self.advance(now);
            return;
        }
        let retry_after = response
            .header(HeaderName::RetryAfter)
            .and_then(|value| parse_u32(&value[..crate::syntax::token_len(value)]))
            .filter(|_| code / 100 == 5);
        match retry_after {
            Some(seconds) => {
                self.waiting.push_front(content);
                self.retry_at = Some(now + Duration::from_secs(u64::from(seconds)));
            }
            None => self.finish(NotifierEnd::Refused(code)),
        }
    }

    /// No response came to the NOTIFY: time-out, or its flow was closed.
    pub fn handle_no_response(&mut self) {
        if !self.ended && self.in_flight.is_some() {
            self.finish(NotifierEnd::NoResponse);
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.ended {
            return;
        }
        if self.expires_at <= now {
            self.waiting.clear();
            self.last = Some((Reason::Timeout.as_str(), None));
            self.advance(now);
            self.finish(NotifierEnd::Expired);
        } else if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            self.advance(now);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        (!self.ended).then(|| {
            self.retry_at
                .map_or(self.expires_at, |at| at.min(self.expires_at))
        })
    }

    /// The next NOTIFY or BENOTIFY. A BENOTIFY goes outside transactions:
    /// [`Layer::send`](crate::transaction::Layer::send).
    pub fn poll_transmit(&mut self) -> Option<Message> {
        let message = self.transmits.pop_front();
        if self.transmits.is_empty() {
            // Most subscriptions have nothing to say most of the time, and servers hold many.
            self.transmits = VecDeque::new();
        }
        message
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<NotifierEvent> {
        self.events.pop_front()
    }

    /// `active;expires=n`.
    fn put_state(&self, now: Instant, message: &mut Message) {
        let state = if self.pending { "pending" } else { "active" };
        let left = self.expires_at.saturating_duration_since(now);
        let mut seconds = itoa::Buffer::new();
        message.push_parts(
            HeaderName::SubscriptionState,
            &[state, ";expires=", seconds.format(left.as_secs())],
        );
    }

    /// Sends what waits, as far as it may go now. The last notification does not wait: nothing comes after it.
    fn advance(&mut self, now: Instant) {
        if let Some((reason, retry_after)) = self.last.take() {
            let mut value = terminated(self.benotify, reason);
            if let Some(seconds) = retry_after {
                // Writing to a String cannot fail.
                let _ = write!(value, ";retry-after={seconds}");
            }
            let content = self.waiting.pop_front().unwrap_or_default();
            self.send(&content, |_, message| {
                message.push(HeaderName::SubscriptionState, &value);
            });
            return;
        }
        while self.in_flight.is_none() && self.retry_at.is_none() {
            let Some(content) = self.waiting.pop_front() else {
                self.waiting = VecDeque::new();
                return;
            };
            self.send_now(now, content);
        }
    }

    /// Whether a notification can go out at once.
    fn is_free(&self) -> bool {
        self.in_flight.is_none() && self.retry_at.is_none() && self.waiting.is_empty()
    }

    fn send_now(&mut self, now: Instant, content: Content) {
        if self.autoextend {
            self.expires_at = now + self.interval;
        }
        let cseq = self.send(&content, |notifier, message| {
            notifier.put_state(now, message);
        });
        if !self.benotify {
            self.in_flight = Some((cseq, content));
        }
    }

    fn send(&mut self, content: &Content, put_state: impl FnOnce(&Self, &mut Message)) -> u32 {
        let mut message = self.dialog.request(method(self.benotify));
        message.push(HeaderName::Event, &self.event_text);
        put_state(self, &mut message);
        content.put_into(&mut message);
        self.transmits.push_back(message);
        self.dialog.local_cseq()
    }

    fn finish(&mut self, end: NotifierEnd) {
        self.ended = true;
        self.in_flight = None;
        self.waiting.clear();
        self.dialog.terminate();
        self.events.push_back(NotifierEvent::Ended(end));
    }
}

/// The state of a subscription that is over: in the form of this system for those who know its ways.
fn terminated(benotify: bool, reason: &str) -> String {
    if benotify {
        format!("{ENDED};reason={reason}")
    } else {
        format!("terminated;reason={reason}")
    }
}
