//! Reliable provisional responses (RFC 3262).

use std::collections::VecDeque;
use std::time::Instant;

use rand_core::Rng;

use super::answer::{AnswerTimers, Repeat, Repetition};
use crate::header::RAck;
use crate::{HeaderName, Message, Method};

/// What became of the reliable provisional responses of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProvisionalEvent {
    /// The PRACK for this RSeq came.
    Acknowledged(u32),
    /// No PRACK within 64 T1: answer the INVITE with a 5xx (RFC 3262 3).
    Failed,
}

/// The server's side: sends reliable provisional responses one after the other, each until its PRACK.
#[derive(Debug)]
pub struct ProvisionalSender {
    next_rseq: u32,
    timers: AnswerTimers,
    /// The front one is in flight; the others wait for its PRACK.
    queue: VecDeque<(u32, Message)>,
    repetition: Option<Repetition>,
    transmits: VecDeque<Message>,
    events: VecDeque<ProvisionalEvent>,
}

impl ProvisionalSender {
    /// The first RSeq is random, from 1 to 2^31 - 1 (3).
    #[must_use]
    pub fn new(rng: &mut impl Rng, timers: AnswerTimers) -> Self {
        Self {
            next_rseq: rng.next_u32() >> 1 | 1,
            timers,
            queue: VecDeque::new(),
            repetition: None,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Sends a 101 to 199: adds Require and RSeq. While another one is not acknowledged it waits.
    pub fn send(&mut self, now: Instant, mut response: Message) {
        let rseq = self.next_rseq;
        self.next_rseq = self.next_rseq.saturating_add(1);
        response.push(HeaderName::Require, "100rel");
        response.push(HeaderName::RSeq, &rseq.to_string());
        self.queue.push_back((rseq, response));
        if self.queue.len() == 1 {
            self.start(now);
        }
    }

    fn start(&mut self, now: Instant) {
        self.repetition = self.queue.front().map(|(_, response)| {
            self.transmits.push_back(response.clone());
            Repetition::new(now, &self.timers)
        });
    }

    /// Takes a PRACK: gives the status to answer it with, 200, or 481 when it acknowledges nothing.
    pub fn handle_prack(&mut self, now: Instant, prack: &Message) -> u16 {
        let Ok(rack) = prack.parse_first::<RAck<'_>>(HeaderName::RAck) else {
            return 400;
        };
        let mine = self.queue.front().is_some_and(|(rseq, response)| {
            *rseq == rack.rseq
                && response.cseq().is_ok_and(|cseq| {
                    cseq.number == rack.cseq && cseq.method_text == rack.method_text
                })
        });
        if !mine {
            return 481;
        }
        self.queue.pop_front();
        self.events
            .push_back(ProvisionalEvent::Acknowledged(rack.rseq));
        self.start(now);
        200
    }

    /// A final response goes out: nothing is repeated any more. A 2xx has to wait until
    /// [`is_idle`](Self::is_idle) if a session description was in a provisional response (3).
    pub fn stop(&mut self) {
        self.queue.clear();
        self.repetition = None;
    }

    /// Whether everything is acknowledged.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self
            .repetition
            .as_mut()
            .map(|repetition| repetition.poll(now))
        {
            Some(Repeat::Again) => {
                self.transmits
                    .extend(self.queue.front().map(|(_, response)| response.clone()));
            }
            Some(Repeat::GaveUp) => {
                self.stop();
                self.events.push_back(ProvisionalEvent::Failed);
            }
            Some(Repeat::No) | None => {}
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.repetition.as_ref().map(Repetition::deadline)
    }

    /// The next response to send, through [`Layer::respond`](crate::transaction::Layer::respond).
    pub fn poll_transmit(&mut self) -> Option<Message> {
        self.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<ProvisionalEvent> {
        self.events.pop_front()
    }
}

/// The client's side, one for each early dialog: says which provisional responses to acknowledge.
#[derive(Debug, Clone, Default)]
pub struct ProvisionalReceiver {
    last: Option<u32>,
}

impl ProvisionalReceiver {
    /// The RAck value of the PRACK to send for `response`; `None` if it is not reliable, came before, or is out of order (RFC
    /// 3262 4: it will come again).
    pub fn handle_response(&mut self, response: &Message) -> Option<String> {
        if !(101..200).contains(&response.status()?)
            || !response.lists(HeaderName::Require, "100rel")
        {
            return None;
        }
        let rseq = response.number(HeaderName::RSeq).ok()??;
        if self.last.is_some_and(|last| rseq != last.wrapping_add(1)) {
            return None;
        }
        let cseq = response
            .cseq()
            .ok()
            .filter(|cseq| cseq.method() == Method::Invite)?;
        self.last = Some(rseq);
        Some(format!("{rseq} {} {}", cseq.number, cseq.method_text))
    }
}
