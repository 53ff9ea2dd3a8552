//! Who is watched, through which subscriptions, and what came of it (\[MS-PRES\] 3.4, client behaviour).
//!
//! | status | event | becomes |
//! |---|---|---|
//! | Idle | a list takes it | Subscribing |
//! | Subscribing | its list is accepted, or says `active` | Subscribed |
//! | Subscribing, Subscribed | `resubscribe`, the first one | Idle, for a list at the pool or the user |
//! | | `resubscribe` again, `terminated`, its list ended | Waiting, or Terminated when it is for good |
//! | Waiting | 10 s, doubled each time | Idle |
//! | Polling | its interval | Polling |

mod documents;
mod list;
mod place;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use ocs_sip_core::Aor;
use ocs_xml::SmolStr;

use super::presence::Presence;
use crate::doc::Limits;
use list::List;

/// How presence is subscribed to.
#[derive(Debug, Clone)]
pub struct WatchConfig {
    /// The watcher.
    pub own: Aor,
    /// The categories that are watched. Default: those of Microsoft's clients.
    pub categories: Vec<SmolStr>,
    /// Whether the server takes one subscription for many users (`adhoclist` in its Supported). Default true.
    pub batched: bool,
    /// How long to wait before the next try, doubled with each that fails (UCMA). Default 10 s.
    pub retry: Duration,
    /// How often those are asked that are not subscribed to (UCMA). Default 5 min.
    pub poll_interval: Duration,
    /// Bounds of the documents.
    pub limits: Limits,
}

/// The longest wait before the next try.
const LONGEST_RETRY: Duration = Duration::from_mins(15);
/// Subscriptions a second to a server that does not take one for many (SIPE).
const SINGLES_A_SECOND: u32 = 25;

impl WatchConfig {
    /// The defaults.
    #[must_use]
    pub fn new(own: Aor) -> Self {
        let categories = ["calendarData", "contactCard", "note", "services", "state"];
        Self {
            own,
            categories: categories.into_iter().map(SmolStr::new_static).collect(),
            batched: true,
            retry: Duration::from_secs(10),
            poll_interval: Duration::from_mins(5),
            limits: Limits::default(),
        }
    }
}

/// Names a subscription of a [`Watch`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListId(pub u64);

/// Where a subscription goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// To oneself: the own server subscribes at all the others.
    Home,
    /// To a pool, named by SIP URI.
    Pool(SmolStr),
    /// To the user himself.
    User(Aor),
}

/// What is to be done with SIP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Subscribe to the event package `presence`.
    Subscribe {
        /// Names the subscription from now on.
        list: ListId,
        /// Where to.
        target: Target,
        /// The body, of type [`content_type::BATCH_SUB`](crate::doc::content_type::BATCH_SUB).
        body: String,
        /// The body of later requests that only extend it.
        repeat: String,
        /// Ask once (Expires 0).
        fetch: bool,
    },
    /// Change a subscription in its dialog.
    Amend {
        /// Which.
        list: ListId,
        /// The body of this request.
        body: String,
        /// The body of later requests that only extend it.
        repeat: String,
    },
    /// End a subscription.
    End {
        /// Which.
        list: ListId,
    },
}

/// Whether a user's presence is known to be up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Not subscribed yet.
    Idle,
    /// The subscription is on its way.
    Subscribing,
    /// Changes come by themselves.
    Subscribed,
    /// Asked from time to time.
    Polling,
    /// Tried again later.
    Waiting,
    /// Not to be had.
    Terminated,
}

/// What the application must know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchEvent {
    /// Presence changed.
    Changed {
        /// Whose.
        of: Aor,
        /// Which categories.
        categories: Vec<SmolStr>,
    },
    /// The subscription to a user changed.
    Status {
        /// To whom.
        of: Aor,
        /// How it stands.
        status: Status,
    },
    /// A user's presence came in a format that is not made of categories.
    Foreign {
        /// Where it came from: the list, whose only member it is about.
        list: ListId,
        /// The type of the document.
        content_type: String,
        /// The document.
        body: bytes::Bytes,
    },
}

/// A user who is watched.
#[derive(Debug)]
struct Contact {
    status: Status,
    list: Option<ListId>,
    /// It was just added: its user is to be prompted.
    added: bool,
    /// Where to subscribe instead of home, said by the server.
    redirect: Option<Target>,
    /// Asked from time to time only.
    polled: bool,
    /// When it is tried or asked again.
    at: Option<Instant>,
    /// Tries that failed, one after the other.
    failures: u32,
    /// A list with it was refused: it goes alone, so that it does not spoil others.
    suspect: bool,
    presence: Presence,
}

/// All users who are watched.
///
/// Drain [`poll_order`](Self::poll_order) and [`poll_event`](Self::poll_event) after each call.
#[derive(Debug)]
pub struct Watch {
    config: WatchConfig,
    contacts: BTreeMap<Aor, Contact>,
    lists: BTreeMap<ListId, List>,
    next_list: u64,
    /// Whether there is a server to subscribe at.
    online: bool,
    /// When the next subscription for one user may go out.
    next_single: Option<Instant>,
    orders: VecDeque<Order>,
    events: VecDeque<WatchEvent>,
}

impl Watch {
    /// Watches nobody yet.
    #[must_use]
    pub fn new(config: WatchConfig) -> Self {
        Self {
            config,
            contacts: BTreeMap::new(),
            lists: BTreeMap::new(),
            next_list: 0,
            online: false,
            next_single: None,
            orders: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// There is a server to subscribe at: everybody who is watched is subscribed to. `batched` says whether it lists `adhoclist`.
    pub fn start(&mut self, now: Instant, batched: bool) {
        self.online = true;
        self.config.batched = batched;
        self.place(now);
    }

    /// The connection is gone and all subscriptions with it. What is known stays.
    pub fn stop(&mut self) {
        self.online = false;
        self.lists.clear();
        self.orders.clear();
        self.next_single = None;
        for (of, contact) in &mut self.contacts {
            contact.list = None;
            contact.redirect = None;
            contact.at = None;
            contact.failures = 0;
            contact.suspect = false;
            let status = if contact.polled {
                Status::Polling
            } else {
                Status::Idle
            };
            contact.become_status(of, status, &mut self.events);
        }
    }

    /// Watches these users besides those who are watched already. `added`: the watcher has just put them into his contact list, so they
    /// are to be prompted for him.
    pub fn watch(&mut self, now: Instant, users: impl IntoIterator<Item = Aor>, added: bool) {
        let users: Vec<Aor> = users.into_iter().collect();
        for user in &users {
            let contact = self
                .contacts
                .entry(user.clone())
                .or_insert_with(|| Contact {
                    status: Status::Idle,
                    list: None,
                    added: false,
                    redirect: None,
                    polled: false,
                    at: None,
                    failures: 0,
                    suspect: false,
                    presence: Presence::default(),
                });
            contact.added |= added;
            contact.polled = false;
            if matches!(contact.status, Status::Polling | Status::Terminated) {
                contact.status = Status::Idle;
            }
        }
        if added {
            self.prompt_again(&users);
        }
        self.place(now);
    }

    /// Asks for a user's presence from time to time instead of subscribing to it: for those whose presence hardly changes, and for very
    /// many. Not for federated users, who can only be subscribed to.
    pub fn poll(&mut self, now: Instant, user: &Aor) {
        self.watch(now, [user.clone()], false);
        self.leave(user);
        if let Some(contact) = self.contacts.get_mut(user) {
            contact.polled = true;
            contact.at = Some(now);
            contact.become_status(user, Status::Polling, &mut self.events);
        }
        self.place(now);
    }

    /// Watches a user no longer, and forgets what is known.
    pub fn unwatch(&mut self, now: Instant, user: &Aor) {
        self.leave(user);
        self.contacts.remove(user);
        self.place(now);
    }

    /// Who is watched.
    pub fn users(&self) -> impl Iterator<Item = &Aor> {
        self.contacts.keys()
    }

    /// What is known of a user who is watched.
    #[must_use]
    pub fn presence(&self, of: &Aor) -> Option<&Presence> {
        self.contacts.get(of).map(|contact| &contact.presence)
    }

    /// How the subscription to a user stands.
    #[must_use]
    pub fn status(&self, of: &Aor) -> Option<Status> {
        self.contacts.get(of).map(|contact| contact.status)
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if !self.online {
            return None;
        }
        let contacts = self.contacts.values().filter_map(|contact| contact.at);
        contacts.chain(self.next_single()).min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|at| at <= now) {
            self.place(now);
        }
    }

    /// The next thing to do.
    pub fn poll_order(&mut self) -> Option<Order> {
        self.orders.pop_front()
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<WatchEvent> {
        self.events.pop_front()
    }
}

impl Contact {
    fn become_status(&mut self, of: &Aor, status: Status, events: &mut VecDeque<WatchEvent>) {
        if self.status != status {
            self.status = status;
            events.push_back(WatchEvent::Status {
                of: of.clone(),
                status,
            });
        }
    }
}
