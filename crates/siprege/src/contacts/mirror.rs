//! The list on one endpoint.

use std::collections::VecDeque;

use ocs_ocer::ErrorId;
use ocs_xml::SmolStr;

use super::contact::Contact;
use super::delta::{Change, ContactDelta};
use super::group::{Group, GroupId};
use super::list::{ContactList, Document};
use super::next_number;
use super::request::{Operation, read_group_answer};

/// How a [`Mirror`] behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorConfig {
    /// How often a command is sent again after a conflict. 3.
    pub retries: u8,
    /// How many new subscriptions follow each other before the application must decide. 3.
    pub resyncs: u8,
    /// How many commands may wait. 256.
    pub queue: usize,
    /// Bounds of the documents that the server sends.
    pub xml: ocs_xml::Limits,
}

impl Default for MirrorConfig {
    fn default() -> Self {
        Self {
            retries: 3,
            resyncs: 3,
            queue: 256,
            xml: ocs_xml::Limits::default(),
        }
    }
}

/// Names a command in the events about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(u64);

/// What the caller must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Subscribe to [`EVENT`](super::EVENT) anew, end the subscription that there may be, and give the answer to
    /// [`Mirror::handle_subscribed`].
    Subscribe,
    /// Send this body to oneself as SERVICE, and give the answer to [`Mirror::handle_answer`]. There is one at a time.
    Service(String),
}

/// What the application must know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Something in the list changed. After the first document all groups and contacts come as added.
    Changed(Change),
    /// The list is the server's again: after the first document, and after each new subscription.
    Synchronized,
    /// A command was carried out. The change itself is told by [`Changed`](Self::Changed), before or after.
    Done {
        /// Which one.
        id: CommandId,
        /// The number that the server gave a new group.
        group: Option<GroupId>,
    },
    /// A command was not carried out.
    Failed {
        /// Which one.
        id: CommandId,
        /// Why.
        failure: Failure,
    },
    /// The contacts are in Exchange: read and change them there (\[MS-PRES\], unified contact store).
    Migrated,
    /// Something changed in the list that is in Exchange: read it again, after a while.
    StoreChanged,
    /// There is no subscription: it was refused, or what came did not fit together again and again. Commands wait until
    /// [`Mirror::resubscribe`].
    Lost {
        /// The status of the refusal.
        status: Option<u16>,
    },
}

/// Why a command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The server refused it.
    Refused {
        /// The status.
        status: u16,
        /// The id of `ms-diagnostics`.
        error_id: Option<ErrorId>,
    },
    /// The contacts are in Exchange.
    Migrated,
    /// [`MirrorConfig::queue`] commands wait already.
    QueueFull,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The whole list is to come.
    Waiting,
    /// The list is as the server's.
    Current,
    /// Nothing is to come.
    Lost,
    /// The list is in Exchange.
    Migrated,
}

#[derive(Debug)]
struct Command {
    id: CommandId,
    operation: Operation,
    conflicts: u8,
}

#[derive(Debug)]
struct Outstanding {
    command: Command,
    /// The number that it was sent with.
    number: u32,
    /// It was refused in a way that can mean a conflict: the next list decides.
    disputed: Option<(u16, Option<ErrorId>)>,
}

/// The copy of a user's list on one endpoint, without SIP around it.
///
/// Drain [`poll_action`](Self::poll_action) and [`poll_event`](Self::poll_event) after every call. Commands are sent one after the other, each with the number that the
/// list has then. A command that met a change of another endpoint is sent again once the new list is known.
///
/// ```
/// use ocs_siprege::contacts::{Action, Contact, Event, GroupId, Limits, Mirror, MirrorConfig, Roster};
/// use ocs_siprege::soap::Call;
///
/// let mut roster = Roster::new();
/// let mut mirror = Mirror::new(MirrorConfig::default());
/// mirror.set_contact(Contact::new("sip:bob@contoso.com", "Bob", GroupId::DEFAULT.into()));
///
/// assert_eq!(mirror.poll_action(), Some(Action::Subscribe));
/// mirror.handle_subscribed(200, roster.subscribe(true).unwrap().as_bytes());
///
/// let Some(Action::Service(body)) = mirror.poll_action() else { panic!() };
/// let Call::Contacts(request) = Call::read(body.as_bytes(), &Default::default())? else { panic!() };
/// let applied = roster.apply(&request, &Limits::default()).unwrap();
/// mirror.handle_notification(applied.delta.as_bytes());
/// mirror.handle_answer(200, None, b"");
///
/// assert_eq!(mirror.list().contact("bob@contoso.com").unwrap().name(), "Bob");
/// assert!(std::iter::from_fn(|| mirror.poll_event()).any(|event| matches!(event, Event::Done { .. })));
/// # Ok::<(), ocs_xml::Error>(())
/// ```
#[derive(Debug)]
pub struct Mirror {
    config: MirrorConfig,
    state: State,
    list: ContactList,
    /// The number that the server's list has, as far as answers tell: it can be ahead of the list here.
    number: u32,
    /// New subscriptions since things last fitted together.
    resyncs: u8,
    queue: VecDeque<Command>,
    outstanding: Option<Outstanding>,
    next_id: u64,
    actions: VecDeque<Action>,
    events: VecDeque<Event>,
}

impl Mirror {
    /// A copy of a list that is not known yet. Its first action is to subscribe.
    #[must_use]
    pub fn new(config: MirrorConfig) -> Self {
        Self {
            config,
            state: State::Waiting,
            list: ContactList::empty(0),
            number: 0,
            resyncs: 0,
            queue: VecDeque::new(),
            outstanding: None,
            next_id: 0,
            actions: [Action::Subscribe].into(),
            events: VecDeque::new(),
        }
    }

    /// The list as it is known.
    #[must_use]
    pub const fn list(&self) -> &ContactList {
        &self.list
    }

    /// Whether the list is the server's.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.state == State::Current
    }

    /// Whether the contacts are in Exchange.
    #[must_use]
    pub fn is_migrated(&self) -> bool {
        self.state == State::Migrated
    }

    /// Adds a contact or changes it.
    pub fn set_contact(&mut self, contact: Contact) -> CommandId {
        self.submit(Operation::SetContact(contact))
    }

    /// Deletes the contact with this address.
    pub fn delete_contact(&mut self, uri: &str) -> CommandId {
        self.submit(Operation::DeleteContact(super::uri::bare(uri).into()))
    }

    /// Adds a group.
    pub fn add_group(&mut self, name: &str) -> CommandId {
        self.submit(Operation::AddGroup {
            name: name.into(),
            external_uri: Some(SmolStr::default()),
        })
    }

    /// Changes a group.
    pub fn modify_group(&mut self, group: Group) -> CommandId {
        self.submit(Operation::ModifyGroup(group))
    }

    /// Deletes a group. Servers of \[MS-PRES\] want it to be empty; of \[MS-SIP\] they take the contacts out themselves.
    pub fn delete_group(&mut self, id: GroupId) -> CommandId {
        self.submit(Operation::DeleteGroup(id))
    }

    /// Any write.
    pub fn submit(&mut self, operation: Operation) -> CommandId {
        let id = CommandId(self.next_id);
        self.next_id += 1;
        if self.state == State::Migrated {
            self.fail(id, Failure::Migrated);
        } else if self.queue.len() >= self.config.queue {
            self.fail(id, Failure::QueueFull);
        } else {
            self.queue.push_back(Command {
                id,
                operation,
                conflicts: 0,
            });
            self.send_next();
        }
        id
    }

    /// Begins anew: after a new registration, or some time after [`Event::Lost`].
    pub fn resubscribe(&mut self) {
        self.resyncs = 0;
        self.subscribe();
    }

    /// The next action.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The answer to SUBSCRIBE. Its body, if it has one, is the first document; without, a NOTIFY follows.
    pub fn handle_subscribed(&mut self, status: u16, body: &[u8]) {
        match status {
            ..200 => {}
            200..300 if body.is_empty() => {}
            200..300 => self.handle_notification(body),
            488 => self.migrate(),
            _ => self.lose(Some(status)),
        }
    }

    /// A document that came by NOTIFY or BENOTIFY.
    pub fn handle_notification(&mut self, body: &[u8]) {
        match Document::read(body, &self.config.xml) {
            _ if self.state == State::Migrated => self.events.push_back(Event::StoreChanged),
            Ok(Document::List(list)) if list.is_migrated() => self.migrate(),
            Ok(Document::List(list)) => self.take_list(list),
            Ok(Document::Delta(delta)) => self.take_delta(delta),
            Err(_) => self.resync(),
        }
    }

    /// The final answer to the SERVICE that is under way, with the id of its `ms-diagnostics`. One that never got an answer counts
    /// as 408.
    pub fn handle_answer(&mut self, status: u16, error_id: Option<ErrorId>, body: &[u8]) {
        if status < 200 {
            return;
        }
        let Some(mut sent) = self.outstanding.take_if(|sent| sent.disputed.is_none()) else {
            return;
        };
        if status < 300 {
            self.resyncs = 0;
            self.advance(next_number(sent.number));
            let group = match sent.command.operation {
                Operation::AddGroup { .. } => read_group_answer(body, &self.config.xml).ok(),
                _ => None,
            };
            let id = sent.command.id;
            self.events.push_back(Event::Done { id, group });
        } else if can_be_conflict(status, error_id) && self.state != State::Migrated {
            if self.state == State::Current && self.number != sent.number {
                // The change that came between is known already.
                self.retry(sent.command, status, error_id);
            } else {
                sent.disputed = Some((status, error_id));
                self.outstanding = Some(sent);
                if self.state != State::Waiting {
                    self.resync();
                }
            }
        } else {
            self.fail(sent.command.id, Failure::Refused { status, error_id });
        }
        self.send_next();
    }

    fn take_list(&mut self, mut list: ContactList) {
        list.remove_duplicates();
        let changes = list.changes_since(&self.list);
        self.events.extend(changes.into_iter().map(Event::Changed));
        self.number = list.delta_num;
        self.list = list;
        self.state = State::Current;
        self.events.push_back(Event::Synchronized);
        if let Some((sent, status, error_id)) = self.take_disputed() {
            // It was the command that asked for the list, and commands are bounded by themselves.
            self.resyncs = 0;
            if sent.number == self.number {
                // The number was right: it was no conflict.
                self.fail(sent.command.id, Failure::Refused { status, error_id });
            } else {
                self.retry(sent.command, status, error_id);
            }
        }
        self.send_next();
    }

    fn take_delta(&mut self, delta: ContactDelta) {
        // Before the whole list is there, a delta says nothing that the list will not say.
        if self.state != State::Current {
            return;
        }
        if delta.prev_delta_num == self.list.delta_num {
            self.resyncs = 0;
            self.list.apply(&delta);
            self.advance(delta.delta_num);
            let changes = delta.changes.into_iter();
            self.events.extend(changes.map(Event::Changed));
            self.send_next();
        } else if is_ahead(delta.delta_num, self.list.delta_num) {
            self.resync();
        }
        // Otherwise it is an old one, for example of a subscription that is ending.
    }

    fn advance(&mut self, number: u32) {
        if is_ahead(number, self.number) {
            self.number = number;
        }
    }

    fn retry(&mut self, mut command: Command, status: u16, error_id: Option<ErrorId>) {
        command.conflicts += 1;
        if command.conflicts > self.config.retries {
            self.fail(command.id, Failure::Refused { status, error_id });
        } else {
            self.queue.push_front(command);
        }
    }

    fn send_next(&mut self) {
        if self.state != State::Current || self.outstanding.is_some() {
            return;
        }
        if let Some(command) = self.queue.pop_front() {
            let body = command.operation.to_body(Some(self.number));
            self.actions.push_back(Action::Service(body));
            self.outstanding = Some(Outstanding {
                command,
                number: self.number,
                disputed: None,
            });
        }
    }

    fn resync(&mut self) {
        if self.resyncs >= self.config.resyncs {
            self.lose(None);
        } else {
            self.resyncs += 1;
            self.subscribe();
        }
    }

    fn subscribe(&mut self) {
        self.state = State::Waiting;
        self.actions.push_back(Action::Subscribe);
    }

    fn lose(&mut self, status: Option<u16>) {
        if self.state == State::Lost {
            return;
        }
        self.state = State::Lost;
        self.fail_disputed();
        self.events.push_back(Event::Lost { status });
    }

    fn migrate(&mut self) {
        if self.state == State::Migrated {
            return;
        }
        self.state = State::Migrated;
        self.fail_disputed();
        for command in std::mem::take(&mut self.queue) {
            self.fail(command.id, Failure::Migrated);
        }
        self.events.push_back(Event::Migrated);
    }

    fn take_disputed(&mut self) -> Option<(Outstanding, u16, Option<ErrorId>)> {
        let sent = self.outstanding.take_if(|sent| sent.disputed.is_some())?;
        let (status, error_id) = sent.disputed?;
        Some((sent, status, error_id))
    }

    fn fail_disputed(&mut self) {
        if let Some((sent, status, error_id)) = self.take_disputed() {
            self.fail(sent.command.id, Failure::Refused { status, error_id });
        }
    }

    fn fail(&mut self, id: CommandId, failure: Failure) {
        self.events.push_back(Event::Failed { id, failure });
    }
}

/// Whether an answer can mean that the number was wrong. Which status a server gives then was not read: 409 and 412 are (inferred), 400 is
/// what is left for a server that knows none of them. An id that names another reason rules it out.
const fn can_be_conflict(status: u16, error_id: Option<ErrorId>) -> bool {
    matches!(status, 400 | 409 | 412)
        && !matches!(
            error_id,
            Some(
                ErrorId::CONTACT_DOES_NOT_EXIST
                    | ErrorId::GROUP_DOES_NOT_EXIST
                    | ErrorId::CONTACT_LIMIT_EXCEEDED
                    | ErrorId::GROUP_LIMIT_EXCEEDED
                    | ErrorId::CONTACT_EXTENSION_TOO_LARGE
                    | ErrorId::DUPLICATE_GROUP_NAME
                    | ErrorId::XML_PARSE_FAILURE
            )
        )
}

/// Whether a number comes after another one, on the circle that they are counted on.
const fn is_ahead(number: u32, of: u32) -> bool {
    let distance = number.wrapping_sub(of);
    distance != 0 && distance < 1 << 31
}
