//! The proxy: it forks the INVITE, and moves everything else.

use std::collections::HashMap;

use ocs_sip_core::{HeaderName, Message, Method};

use super::net::{DELAY, Fate, Net, Packet, summary};

/// How the proxy treats the branches of the INVITE.
#[derive(Default)]
pub(super) struct Fork {
    invite: Option<Message>,
    answered: bool,
    failed: HashMap<usize, Message>,
}

impl Net {
    /// The proxy.
    pub(super) fn route(&mut self, from: usize, message: Message) {
        if message.is_request() {
            let outside = message.to_header().unwrap().tag().is_none();
            if outside {
                if message.method() == Some(&Method::Invite) && !self.fork.answered {
                    self.fork.invite = Some(message.clone());
                    self.fork.failed.clear();
                }
                for to in 1..self.ends.len() {
                    self.forward(from, to, message.clone());
                }
            } else if message.method() == Some(&Method::Ack)
                && message.request_uri() == Some("sip:bob@contoso.com")
            {
                // Of a final response to the INVITE that was no 2xx.
                for to in 1..self.ends.len() {
                    self.forward(from, to, message.clone());
                }
            } else {
                let uri = message.request_uri().unwrap();
                let to = (0..self.ends.len())
                    .find(|side| uri.starts_with(&format!("sip:endpoint{side}@")))
                    .unwrap_or_else(|| panic!("nobody is {uri}"));
                self.forward(from, to, message);
            }
            return;
        }
        let via = message.top_via().unwrap();
        let to: usize = via.host().to_string()["end".len()..].parse().unwrap();
        let cseq = message.cseq().unwrap();
        let of_call = self.fork.invite.as_ref().is_some_and(|invite| {
            cseq.method() == Method::Invite && invite.top_via().unwrap().branch() == via.branch()
        });
        if of_call && self.ends.len() > 2 {
            self.branch_answered(from, to, message);
        } else {
            self.forward(from, to, message);
        }
    }

    /// The forking proxy: the first 2xx ends the other branches; a failure waits for all of them.
    fn branch_answered(&mut self, from: usize, to: usize, message: Message) {
        let status = message.status().unwrap();
        if status < 200 {
            return self.forward(from, to, message);
        }
        if status < 300 {
            if !std::mem::replace(&mut self.fork.answered, true) {
                let invite = self.fork.invite.clone().unwrap();
                for other in (1..self.ends.len()).filter(|other| *other != from) {
                    if !self.fork.failed.contains_key(&other) {
                        self.forward(from, other, cancel(&invite));
                    }
                }
            }
            return self.forward(from, to, message);
        }
        self.fork.failed.insert(from, message.clone());
        if !self.fork.answered && self.fork.failed.len() == self.ends.len() - 1 {
            self.forward(from, to, message);
        }
    }

    fn forward(&mut self, from: usize, to: usize, mut message: Message) {
        (self.change)(&mut message);
        self.wire.push((from, to, summary(&message)));
        self.messages.push(message.clone());
        let fate = (self.fate)();
        let mut at = self.now + DELAY;
        if fate == Fate::Late {
            at += 25 * DELAY;
        }
        if self.flow.is_reliable() {
            // In order on each connection.
            let last = self.last.entry((from, to)).or_insert(at);
            at = at.max(*last);
            *last = at;
        }
        let times = match fate {
            Fate::Lose => 0,
            Fate::Twice => 2,
            Fate::Deliver | Fate::Late => 1,
        };
        for _ in 0..times {
            let message = message.clone();
            self.packets.push(Packet { at, to, message });
        }
    }
}

/// What the proxy sends to the branches that lost.
fn cancel(invite: &Message) -> Message {
    let mut cancel = Message::request(Method::Cancel, invite.request_uri().unwrap());
    for name in [
        HeaderName::Via,
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
    ] {
        cancel.push(name, invite.header(name).unwrap());
    }
    let number = invite.cseq().unwrap().number;
    cancel.push(HeaderName::CSeq, &format!("{number} CANCEL"));
    cancel.push(
        HeaderName::Reason,
        "SIP;cause=200;text=\"Call completed elsewhere\"",
    );
    cancel
}
