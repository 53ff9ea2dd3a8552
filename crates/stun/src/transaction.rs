//! Requests that wait for an answer: sent again over UDP, given up after a while, matched with their responses.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::TransactionId;

/// When a request is sent again, and when it is given up: one waiting time after it was sent for the last time. The waiting time doubles
/// from `first` to `longest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retransmission {
    /// The waiting time after the request was sent first.
    pub first: Duration,
    /// The longest waiting time.
    pub longest: Duration,
    /// How often it is sent; at least once.
    pub sends: u8,
}

impl Retransmission {
    /// draft-ietf-behave-rfc3489bis-02 and RFC 3489 (recalled): 9 times within 7.9 s, given up after 9.5 s.
    pub const DRAFT: Self = Self {
        first: Duration::from_millis(100),
        longest: Duration::from_millis(1600),
        sends: 9,
    };

    /// As libnice does: 3 times, after 500 ms and one second more.
    pub const LIBNICE: Self = Self {
        first: Duration::from_millis(500),
        longest: Duration::from_secs(2),
        sends: 3,
    };

    /// Over TCP: once, given up after 9.5 s.
    pub const RELIABLE: Self = Self {
        first: Duration::from_millis(9500),
        longest: Duration::from_millis(9500),
        sends: 1,
    };

    /// RFC 5389 with the first waiting time that RFC 5245 16.1 has for connectivity checks: `ta` for each pair that is checked or waits, at
    /// least 100 ms. 7 times.
    #[must_use]
    pub fn rfc5245(ta: Duration, pairs: u32) -> Self {
        let first = (ta * pairs).max(Duration::from_millis(100));
        Self {
            first,
            longest: first * 16,
            sends: 7,
        }
    }

    /// The time from the first sending until the request is given up.
    #[must_use]
    pub fn patience(&self) -> Duration {
        let mut wait = self.first;
        let mut total = wait;
        for _ in 1..self.sends {
            wait = self.next(wait);
            total += wait;
        }
        total
    }

    fn next(&self, wait: Duration) -> Duration {
        (wait * 2).min(self.longest)
    }
}

/// The client transactions of one program or one agent. `T` says whose a transaction is: a pair, an address, a state.
///
/// [`handle_timeout`](Self::handle_timeout) and [`start`](Self::start) put requests out, which [`poll_transmit`](Self::poll_transmit)
/// hands over, and give up those that nobody answered, which [`poll_event`](Self::poll_event) tells. A response is first looked up with
/// [`get`](Self::get) and checked with the key of its request; only a good one ends the transaction, so that a forged one does nothing.
pub struct Transactions<T> {
    pending: FxHashMap<TransactionId, Pending<T>>,
    timers: BTreeSet<(Instant, TransactionId)>,
    due: VecDeque<TransactionId>,
    given_up: VecDeque<(TransactionId, T)>,
}

struct Pending<T> {
    request: Box<[u8]>,
    context: T,
    rule: Retransmission,
    sent: u8,
    wait: Duration,
    deadline: Instant,
}

/// A request to be sent.
#[derive(Debug)]
pub struct Transmit<'a, T> {
    /// Its transaction.
    pub id: TransactionId,
    /// Its octets; the same each time.
    pub request: &'a [u8],
    /// What it was started with.
    pub context: &'a T,
}

/// What became of a transaction.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<T> {
    /// Nobody answered.
    GivenUp {
        /// The transaction.
        id: TransactionId,
        /// What it was started with.
        context: T,
    },
}

impl<T> Transactions<T> {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            pending: FxHashMap::default(),
            timers: BTreeSet::new(),
            due: VecDeque::new(),
            given_up: VecDeque::new(),
        }
    }

    /// Starts a transaction. The identifier is that of the request; one that is in use already replaces the former transaction.
    pub fn start(
        &mut self,
        now: Instant,
        id: TransactionId,
        request: impl Into<Box<[u8]>>,
        context: T,
        rule: Retransmission,
    ) {
        if self.finish(&id).is_some() {
            self.due.retain(|due| *due != id);
        }
        let deadline = now + rule.first;
        let pending = Pending {
            request: request.into(),
            context,
            rule,
            sent: 1,
            wait: rule.first,
            deadline,
        };
        self.pending.insert(id, pending);
        self.timers.insert((deadline, id));
        self.due.push_back(id);
    }

    /// The transaction that a response may belong to.
    #[must_use]
    pub fn get(&self, id: &TransactionId) -> Option<&T> {
        self.pending.get(id).map(|pending| &pending.context)
    }

    /// Ends a transaction: its response is there, or nobody waits for it any more.
    pub fn finish(&mut self, id: &TransactionId) -> Option<T> {
        let pending = self.pending.remove(id)?;
        self.timers.remove(&(pending.deadline, *id));
        Some(pending.context)
    }

    /// How many transactions wait for a response.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Sends again and gives up what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&(deadline, id)) = self.timers.first()
            && deadline <= now
        {
            self.timers.pop_first();
            let Some(pending) = self.pending.get_mut(&id) else {
                continue;
            };
            if pending.sent < pending.rule.sends {
                pending.sent += 1;
                pending.wait = pending.rule.next(pending.wait);
                pending.deadline = now + pending.wait;
                self.timers.insert((pending.deadline, id));
                self.due.push_back(id);
            } else if let Some(pending) = self.pending.remove(&id) {
                self.given_up.push_back((id, pending.context));
            }
        }
    }

    /// The next request to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit<'_, T>> {
        loop {
            let id = self.due.pop_front()?;
            // It may have been answered in the meantime.
            if self.pending.contains_key(&id) {
                return self.pending.get(&id).map(|pending| Transmit {
                    id,
                    request: &pending.request,
                    context: &pending.context,
                });
            }
        }
    }

    /// The next news.
    pub fn poll_event(&mut self) -> Option<Event<T>> {
        let (id, context) = self.given_up.pop_front()?;
        Some(Event::GivenUp { id, context })
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|&(deadline, _)| deadline)
    }
}

impl<T> Default for Transactions<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Transactions<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transactions")
            .field("pending", &self.pending.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    /// Runs to the end; the times of sending and of giving up.
    fn run(rule: Retransmission) -> (Vec<u128>, u128) {
        let start = Instant::now();
        let mut now = start;
        let mut transactions = Transactions::new();
        transactions.start(now, TransactionId([1; 16]), *b"request", "whose", rule);
        let mut sent = Vec::new();
        loop {
            while let Some(transmit) = transactions.poll_transmit() {
                assert_eq!(
                    (transmit.request, *transmit.context),
                    (&b"request"[..], "whose")
                );
                sent.push((now - start).as_millis());
            }
            if let Some(Event::GivenUp { context, .. }) = transactions.poll_event() {
                assert_eq!(context, "whose");
                assert_eq!(transactions.poll_timeout(), None);
                return (sent, (now - start).as_millis());
            }
            now = transactions.poll_timeout().expect("a timer");
            transactions.handle_timeout(now.checked_sub(ms(1)).unwrap());
            assert!(transactions.poll_transmit().is_none());
            transactions.handle_timeout(now);
        }
    }

    #[test]
    fn times_of_sending() {
        let (sent, end) = run(Retransmission::DRAFT);
        assert_eq!(sent, [0, 100, 300, 700, 1500, 3100, 4700, 6300, 7900]);
        assert_eq!(end, 9500);
        assert_eq!(Retransmission::DRAFT.patience(), ms(9500));
        assert_eq!(run(Retransmission::RELIABLE), (vec![0], 9500));
        assert_eq!(run(Retransmission::LIBNICE), (vec![0, 500, 1500], 3500));
        let rule = Retransmission::rfc5245(ms(20), 10);
        assert_eq!(rule.first, ms(200));
        assert_eq!(run(rule).0.len(), 7);
        assert_eq!(Retransmission::rfc5245(ms(20), 2).first, ms(100));
    }

    #[test]
    fn a_response_ends_it() {
        let now = Instant::now();
        let id = TransactionId([1; 16]);
        let mut transactions = Transactions::default();
        transactions.start(now, id, *b"one", 1, Retransmission::DRAFT);
        assert_eq!(transactions.get(&id), Some(&1));
        assert_eq!(transactions.get(&TransactionId([2; 16])), None);
        assert_eq!(transactions.finish(&id), Some(1));
        assert_eq!(transactions.finish(&id), None);
        assert!(transactions.poll_transmit().is_none());
        assert_eq!(transactions.poll_timeout(), None);
        assert!(transactions.is_empty());
    }

    #[test]
    fn the_same_identifier_again() {
        let now = Instant::now();
        let id = TransactionId([1; 16]);
        let mut transactions = Transactions::new();
        transactions.start(now, id, *b"one", 1, Retransmission::DRAFT);
        transactions.start(now + ms(50), id, *b"two", 2, Retransmission::RELIABLE);
        assert_eq!(transactions.len(), 1);
        assert_eq!(transactions.poll_timeout(), Some(now + ms(9550)));
        assert_eq!(transactions.poll_transmit().unwrap().request, b"two");
        assert!(transactions.poll_transmit().is_none());
    }
}
