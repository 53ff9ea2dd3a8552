//! Repeating what the other side has not acknowledged yet.

use std::time::{Duration, Instant};

use crate::transaction::Timers;
use crate::{Message, Method};

/// The intervals of a repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerTimers {
    /// First interval; it doubles. Default T1, 500 ms.
    pub first: Duration,
    /// Longest interval. Default T2, 4 s.
    pub longest: Duration,
    /// When to give up. Default 64 T1, 32 s.
    pub total: Duration,
}

impl Default for AnswerTimers {
    fn default() -> Self {
        let timers = Timers::default();
        Self {
            first: timers.t1,
            longest: timers.t2,
            total: timers.t1_64(),
        }
    }
}

/// When the next repetition is due and when to give up.
#[derive(Debug, Clone)]
pub(super) struct Repetition {
    next: Instant,
    interval: Duration,
    longest: Duration,
    end: Instant,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    No,
    Again,
    GaveUp,
}

impl Repetition {
    pub(super) fn new(now: Instant, timers: &AnswerTimers) -> Self {
        let first = timers.first.max(Duration::from_millis(1));
        Self {
            next: now + first,
            interval: first,
            longest: timers.longest.max(first),
            end: now + timers.total,
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.next.min(self.end)
    }

    pub(super) fn poll(&mut self, now: Instant) -> Repeat {
        if now >= self.end {
            return Repeat::GaveUp;
        }
        if now < self.next {
            return Repeat::No;
        }
        self.interval = (self.interval * 2).min(self.longest);
        self.next = now + self.interval;
        Repeat::Again
    }
}

/// Repeats the 2xx to an INVITE until its ACK is there (RFC 3261 13.3.1.4).
///
/// The transaction layer leaves that to the user agent. It is meant for every transport, because the hops between may differ;
/// a server that has only streams to all its peers may do without.
#[derive(Debug)]
pub struct AnswerRepeater {
    response: Message,
    cseq: u32,
    repetition: Option<Repetition>,
    transmit: bool,
    failed: bool,
}

impl AnswerRepeater {
    /// For a 2xx that was sent at `now`. `None` if it has no CSeq.
    #[must_use]
    pub fn new(now: Instant, response: Message, timers: &AnswerTimers) -> Option<Self> {
        Some(Self {
            cseq: response.cseq().ok()?.number,
            response,
            repetition: Some(Repetition::new(now, timers)),
            transmit: false,
            failed: false,
        })
    }

    /// Takes an ACK of the dialog. True if it was this response's.
    pub fn handle_ack(&mut self, ack: &Message) -> bool {
        let mine = ack.method() == Some(&Method::Ack)
            && ack.cseq().is_ok_and(|cseq| cseq.number == self.cseq);
        if mine {
            self.repetition = None;
            self.transmit = false;
        }
        mine
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self
            .repetition
            .as_mut()
            .map(|repetition| repetition.poll(now))
        {
            Some(Repeat::Again) => self.transmit = true,
            Some(Repeat::GaveUp) => {
                self.repetition = None;
                self.failed = true;
            }
            Some(Repeat::No) | None => {}
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.repetition.as_ref().map(Repetition::deadline)
    }

    /// The response to send again, through [`Layer::respond`](crate::transaction::Layer::respond).
    pub fn poll_transmit(&mut self) -> Option<Message> {
        std::mem::take(&mut self.transmit).then(|| self.response.clone())
    }

    /// Whether the ACK never came: the dialog stands, but send BYE in it.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed
    }
}
