//! What a client writes: one request at a time, with the versions that the server has.

use std::collections::VecDeque;

use ocs_xml::{Limits, SmolStr, from_slice, to_string};

use super::membership;
use super::own::{InstanceKey, OwnEvent, SelfPresence};
use crate::doc::{
    Change, ContainerChange, ContainerId, Fault, Member, Publication, Publish, RoamingData,
    SetContainerMembers, SetSubscribers, SourceNetwork, content_type,
};

/// How often a request is sent again with the versions that a conflict told (\[MS-PRES\], client behaviour; the number is inferred).
const TRIES: u8 = 3;

/// Names a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WriteId(pub u64);

/// A SERVICE request to oneself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteRequest {
    /// Which write it is for.
    pub id: WriteId,
    /// The type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

#[derive(Debug, Clone)]
enum Write {
    Publish(Vec<Publication>),
    /// A user comes into a container, or back to where he belongs.
    Move {
        user: SmolStr,
        network: SourceNetwork,
        to: Option<ContainerId>,
    },
    /// The members of the first sign-in.
    FirstMembers,
    Acknowledge(SmolStr),
}

/// The request that is out.
#[derive(Debug)]
pub(super) struct Outstanding {
    id: WriteId,
    write: Write,
    sent: Sent,
    conflicts: u8,
}

/// What it asked for, in its order.
#[derive(Debug)]
enum Sent {
    Instances(Vec<InstanceKey>),
    Containers(Vec<ContainerChange>),
    Nothing,
}

#[derive(Debug, Default)]
pub(super) struct Writes {
    queue: VecDeque<(WriteId, Write, u8)>,
    pub(super) out: Option<Outstanding>,
    next: u64,
}

impl Writes {
    fn push(&mut self, write: Write) -> WriteId {
        let id = WriteId(self.next);
        self.next += 1;
        self.queue.push_back((id, write, 0));
        id
    }

    pub(super) fn reset(&mut self) {
        if let Some(out) = self.out.take() {
            self.queue.push_front((out.id, out.write, 0));
        }
    }
}

impl SelfPresence {
    /// Publishes: all of it, or nothing is applied. It waits until the first document is here. Then the versions are put in, and what the
    /// server has already is left out: equal values, and removals of what is not there.
    pub fn publish(&mut self, publications: Vec<Publication>) -> WriteId {
        self.writes.push(Write::Publish(publications))
    }

    /// Moves a watcher, by address without scheme, into a container; with none, back to where it belongs without an entry of its own.
    pub fn move_to(
        &mut self,
        user: impl Into<SmolStr>,
        network: SourceNetwork,
        to: Option<ContainerId>,
    ) -> WriteId {
        let user = user.into();
        self.writes.push(Write::Move { user, network, to })
    }

    /// Adds the members that every user has from the first sign-in on, where they lack. A server that showed no containers is left alone.
    pub fn add_first_members(&mut self) -> WriteId {
        self.writes.push(Write::FirstMembers)
    }

    /// Acknowledges a watcher, by address without scheme: it is not prompted for again.
    pub fn acknowledge(&mut self, user: impl Into<SmolStr>) -> WriteId {
        self.writes.push(Write::Acknowledge(user.into()))
    }

    /// The next request to send, when none is out.
    pub fn poll_request(&mut self) -> Option<WriteRequest> {
        while self.is_loaded() && self.writes.out.is_none() {
            let (id, write, conflicts) = self.writes.queue.pop_front()?;
            if let Some((content_type, body, sent)) = self.encode(&write) {
                self.writes.out = Some(Outstanding {
                    id,
                    write,
                    sent,
                    conflicts,
                });
                return Some(WriteRequest {
                    id,
                    content_type,
                    body,
                });
            }
            // There is nothing to change.
            self.events.push_back(OwnEvent::Written(id));
        }
        None
    }

    fn encode(&self, write: &Write) -> Option<(&'static str, String, Sent)> {
        match write {
            Write::Publish(publications) => {
                let publications: Vec<Publication> = publications
                    .iter()
                    .filter(|publication| self.differs(publication))
                    .map(|publication| self.with_version(publication))
                    .collect();
                if publications.is_empty() {
                    return None;
                }
                let keys = publications.iter().map(InstanceKey::of).collect();
                Some((
                    content_type::PUBLISH,
                    to_string(&Publish::new(self.uri(), publications)),
                    Sent::Instances(keys),
                ))
            }
            Write::Move { user, network, to } => {
                let containers: Vec<_> = self.containers().collect();
                let all = containers.iter().copied();
                Self::members(membership::moves(all, user, network, *to))
            }
            Write::FirstMembers if self.has_containers() => {
                let containers: Vec<_> = self.containers().collect();
                Self::members(membership::first_members(containers.iter().copied()))
            }
            Write::FirstMembers => None,
            Write::Acknowledge(user) => Some((
                content_type::SET_SUBSCRIBERS,
                to_string(&SetSubscribers::new(user.clone())),
                Sent::Nothing,
            )),
        }
    }

    fn members(changes: Vec<ContainerChange>) -> Option<(&'static str, String, Sent)> {
        if changes.is_empty() {
            return None;
        }
        let body = to_string(&SetContainerMembers::new(changes.clone()));
        Some((
            content_type::SET_CONTAINER_MEMBERS,
            body,
            Sent::Containers(changes),
        ))
    }

    /// Whether the server has something else. What lives for a time begins that time anew.
    fn differs(&self, publication: &Publication) -> bool {
        let key = InstanceKey::of(publication);
        if publication.is_removal() {
            return self.version(&key) != 0;
        }
        publication.expires.is_some()
            || self.instance(&key).is_none_or(|known| {
                known.expire_type != Some(publication.expire_type)
                    || known.value() != publication.value.as_ref()
            })
    }

    /// With the version that the server has. An instance is removed with the life that it was published with.
    fn with_version(&self, publication: &Publication) -> Publication {
        let key = InstanceKey::of(publication);
        let mut publication = publication.clone();
        publication.version = self.version(&key);
        if publication.is_removal()
            && let Some(known) = self.instance(&key).and_then(|known| known.expire_type)
        {
            publication.expire_type = known;
        }
        publication
    }

    /// Takes the answer to the request that is out, with its body; a status of `None` says that there is none.
    pub fn handle_answer(&mut self, id: WriteId, status: Option<u16>, body: &[u8]) {
        let Some(out) = self.outstanding().take_if(|out| out.id == id) else {
            return;
        };
        match status {
            Some(200..300) => self.written(&out, body),
            Some(409) if out.conflicts < TRIES && self.learn_versions(&out, body) => {
                let again = (out.id, out.write, out.conflicts + 1);
                self.writes.queue.push_front(again);
            }
            _ => self.events.push_back(OwnEvent::Refused {
                id,
                status: status.unwrap_or(408),
            }),
        }
    }

    fn written(&mut self, out: &Outstanding, body: &[u8]) {
        match (&out.write, &out.sent) {
            (Write::Acknowledge(user), _) => self.set_acknowledged(user),
            (_, Sent::Containers(changes)) => self.members_written(changes),
            // An answer that cannot be read is as good as none: the notification says it too.
            _ => {
                if let Ok(data) = from_slice::<RoamingData>(body, &Limits::default()) {
                    self.apply(&data);
                }
            }
        }
        self.events.push_back(OwnEvent::Written(out.id));
    }

    /// The answer has no body and the notification may be on its way still: what was asked for is so, with the next version.
    fn members_written(&mut self, changes: &[ContainerChange]) {
        for change in changes {
            let container = self.container_mut(change.id);
            if container.version != change.version {
                continue;
            }
            container.version += 1;
            for member in &change.members {
                let is = |known: &Member| known.kind == member.kind && known.value == member.value;
                container.members.retain(|known| !is(known));
                if member.action == Change::Add {
                    container.members.push(Member {
                        kind: member.kind.clone(),
                        value: member.value.clone(),
                    });
                }
            }
        }
    }

    /// Takes over the versions of a conflict; false when it names none.
    fn learn_versions(&mut self, out: &Outstanding, body: &[u8]) -> bool {
        let Ok(fault) = from_slice::<Fault>(body, &Limits::default()) else {
            return false;
        };
        let mut learned = false;
        for operation in fault.operations() {
            let Some(at) = (operation.index as usize).checked_sub(1) else {
                continue;
            };
            match &out.sent {
                Sent::Instances(keys) => {
                    if let Some(key) = keys.get(at) {
                        self.set_version(key, operation.current_version);
                        learned = true;
                    }
                }
                Sent::Containers(changes) => {
                    if let Some(change) = changes.get(at) {
                        self.container_mut(change.id).version = operation.current_version;
                        learned = true;
                    }
                }
                Sent::Nothing => {}
            }
        }
        learned
    }
}
