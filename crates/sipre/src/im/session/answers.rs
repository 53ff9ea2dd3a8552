//! Answers to the session's own requests, and what they end.

use std::time::Instant;

use ocs_sip_core::{HeaderName, Message, Method};

use super::{Ended, Event, ImSession, Meaning, RequestId, State, TEXT_FORMAT_TAG, TextId};
use crate::im::ImSdp;

impl ImSession {
    /// The answer to a request of the session. Challenges (401, 407) are the caller's to answer; hand in the answer to the signed
    /// request.
    pub fn handle_response(&mut self, now: Instant, id: RequestId, response: &Message) {
        let Some(status) = response.status() else {
            return;
        };
        if self.invite == Some(id) {
            self.invite_answered(now, status, response);
            return;
        }
        if status < 200 {
            return;
        }
        if let Some(at) = self.typing_requests.iter().position(|sent| *sent == id) {
            self.typing_requests.remove(at);
            if is_dialog_gone(status) {
                self.dialog_gone(status);
            } else if status >= 300 {
                self.typing_refused = true;
            }
        } else if let Some(at) = self.outstanding.iter().position(|sent| sent.request == id)
            && let Some(sent) = self.outstanding.remove(at)
        {
            self.text_answered(sent.text, status, response);
        }
    }

    /// A request of the session got no answer: its transaction timed out, or its connection broke.
    pub fn handle_no_response(&mut self, now: Instant, id: RequestId) {
        self.handle_response(now, id, &Message::response(408));
    }

    fn invite_answered(&mut self, now: Instant, status: u16, response: &Message) {
        match status {
            ..=100 => {}
            101..=199 => self.events.push_back(Event::Progress(status)),
            200..=299 => {
                self.invite = None;
                if self.state != State::Inviting {
                    // The answer crossed our CANCEL.
                    self.request(Method::Bye, Vec::new(), None);
                    return;
                }
                // An answer without usable description still made a dialog, and MESSAGE needs no more.
                self.peer = ImSdp::parse(response.body(), &self.config.limits).ok();
                self.state = State::Active;
                self.events.push_back(Event::Established);
                if let Some((id, text)) = self.first.take() {
                    if response.lists(HeaderName::Supported, TEXT_FORMAT_TAG) {
                        self.events.push_back(Event::Delivered(id));
                    } else {
                        self.send_message(now, id, &text);
                    }
                }
                self.flush(now);
            }
            _ => {
                self.invite = None;
                if self.state == State::Inviting {
                    let meaning = Meaning::of(status, response);
                    self.fail_all(Some(status), meaning);
                    self.finish(Ended::Refused { status, meaning });
                }
            }
        }
    }

    fn text_answered(&mut self, text: TextId, status: u16, response: &Message) {
        match status {
            202 => {
                let message_id = response.header(HeaderName::MessageId).map(Box::from);
                self.events.push_back(Event::Accepted(text));
                if let Some(message_id) = message_id {
                    if self.accepted.len() >= self.config.limits.pending {
                        self.accepted.pop_front();
                    }
                    self.accepted.push_back((message_id, text));
                }
            }
            200..=299 => self.events.push_back(Event::Delivered(text)),
            _ => {
                let meaning = Meaning::of(status, response);
                self.events.push_back(Event::Failed {
                    text,
                    status: Some(status),
                    meaning,
                });
                if is_dialog_gone(status) {
                    self.dialog_gone(status);
                }
            }
        }
    }

    /// The peer does not know the dialog any more, or cannot be reached. BYE clears what servers on the way still hold.
    fn dialog_gone(&mut self, status: u16) {
        if self.state == State::Ended {
            return;
        }
        self.request(Method::Bye, Vec::new(), None);
        self.fail_all(Some(status), Meaning::DialogGone);
        self.finish(Ended::DialogGone { status });
    }

    pub(super) fn fail_all(&mut self, status: Option<u16>, meaning: Meaning) {
        let first = self.first.take().map(|(id, _)| id);
        let outstanding = self.outstanding.drain(..).map(|sent| sent.text);
        let queued = self.queue.drain(..).map(|(id, _)| id);
        for text in first.into_iter().chain(outstanding).chain(queued) {
            self.events.push_back(Event::Failed {
                text,
                status,
                meaning,
            });
        }
    }

    pub(super) fn finish(&mut self, why: Ended) {
        if self.state == State::Ended {
            return;
        }
        self.fail_all(None, Meaning::SessionEnded);
        self.state = State::Ended;
        self.offered = None;
        self.auto_accept_at = None;
        self.ack_until = None;
        self.typing_sent_at = None;
        self.typing_idle_at = None;
        self.peer_idle();
        self.events.push_back(Event::Ended(why));
    }
}

/// 408, 480 and 481 to a request in the dialog: it is dead.
const fn is_dialog_gone(status: u16) -> bool {
    matches!(status, 408 | 480 | 481)
}
