//! The tables of a server: handshakes by opaque, associations by opaque and endpoint, both by connection and by time.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use ocs_sip_core::ConnectionId;
use ocs_sip_core::header::Scheme;
use rustc_hash::FxHashMap;

use super::endpoint::{Endpoint, EndpointKey};
use super::{AssociationId, Identity};
use crate::Version;
use crate::association::Association;
use crate::context::{Account, SecurityContext, ServerHandshake};

/// A handshake under way.
pub(super) struct HalfOpen {
    pub(super) scheme: Scheme,
    pub(super) version: Version,
    pub(super) connection: ConnectionId,
    pub(super) endpoint: Endpoint,
    pub(super) state: Stage,
    pub(super) deadline: Instant,
}

/// How far a handshake is.
pub(super) enum Stage {
    /// The client's next token is awaited.
    Tokens(Box<dyn ServerHandshake>),
    /// The last token went out in a 401; a signed request is awaited.
    Confirmation {
        account: Account,
        context: Box<dyn SecurityContext>,
        not_after: Option<std::time::SystemTime>,
    },
}

/// An association that stands.
#[derive(Debug)]
pub(super) struct Established {
    pub(super) id: AssociationId,
    pub(super) association: Association,
    pub(super) connection: ConnectionId,
    pub(super) endpoint: Endpoint,
    pub(super) identity: Arc<Identity>,
    /// From URI as written in the last verified request: most requests repeat it.
    pub(super) from_text: Box<str>,
    /// The end of its life.
    pub(super) expires_at: Instant,
    /// The end of its life without another message.
    pub(super) idle_at: Instant,
    /// The entry in the timer table: never later than needed, often earlier.
    timer: Instant,
}

/// An association to be added.
pub(super) struct New<'a> {
    pub(super) association: Association,
    pub(super) connection: ConnectionId,
    pub(super) endpoint: Endpoint,
    pub(super) identity: Arc<Identity>,
    pub(super) from_text: &'a str,
    pub(super) expires_at: Instant,
    pub(super) idle_at: Instant,
}

impl Established {
    fn deadline(&self) -> Instant {
        self.expires_at.min(self.idle_at)
    }
}

/// What hangs on a connection.
#[derive(Debug, Default)]
pub(super) struct Connection {
    /// Oldest first.
    half_open: Vec<u32>,
    associations: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    HalfOpen(u32),
    Association(u32),
}

/// Opaques are random and connections are numbered on this side: only what clients name needs a hash that they cannot aim at.
#[derive(Default)]
pub(super) struct Tables {
    half_open: FxHashMap<u32, HalfOpen>,
    associations: FxHashMap<u32, Established>,
    endpoints: HashMap<EndpointKey, u32>,
    connections: FxHashMap<ConnectionId, Connection>,
    /// Refused signatures in a row. Nearly always there are none anywhere.
    refusals: FxHashMap<ConnectionId, u32>,
    timers: BTreeSet<(Instant, Timer)>,
    serial: u32,
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables")
            .field("half_open", &self.half_open.len())
            .field("associations", &self.associations.len())
            .field("endpoints", &self.endpoints.len())
            .field("connections", &self.connections.len())
            .finish_non_exhaustive()
    }
}

impl Tables {
    /// The first free opaque from a random one on.
    pub(super) fn free_opaque(&self, random: u32) -> u32 {
        let mut opaque = random;
        while self.half_open.contains_key(&opaque) || self.associations.contains_key(&opaque) {
            opaque = opaque.wrapping_add(1);
        }
        opaque
    }

    pub(super) fn half_open_len(&self) -> usize {
        self.half_open.len()
    }

    pub(super) fn len(&self) -> usize {
        self.associations.len()
    }

    pub(super) fn half_open_on(&self, connection: ConnectionId) -> usize {
        self.connections
            .get(&connection)
            .map_or(0, |connection| connection.half_open.len())
    }

    pub(super) fn associations_on(&self, connection: ConnectionId) -> usize {
        self.connections
            .get(&connection)
            .map_or(0, |connection| connection.associations.len())
    }

    fn connection(&mut self, connection: ConnectionId) -> &mut Connection {
        self.connections.entry(connection).or_default()
    }

    /// Counts a refused signature; gives how many there were in a row.
    pub(super) fn refuse(&mut self, connection: ConnectionId) -> u32 {
        let refusals = self.refusals.entry(connection).or_default();
        *refusals = refusals.saturating_add(1);
        *refusals
    }

    pub(super) fn reset_refusals(&mut self, connection: ConnectionId) {
        if !self.refusals.is_empty() {
            self.refusals.remove(&connection);
        }
    }

    pub(super) fn insert_half_open(&mut self, opaque: u32, half_open: HalfOpen) {
        self.timers
            .insert((half_open.deadline, Timer::HalfOpen(opaque)));
        self.connection(half_open.connection).half_open.push(opaque);
        self.half_open.insert(opaque, half_open);
    }

    pub(super) fn half_open(&self, opaque: u32) -> Option<&HalfOpen> {
        self.half_open.get(&opaque)
    }

    pub(super) fn remove_half_open(&mut self, opaque: u32) -> Option<HalfOpen> {
        let half_open = self.half_open.remove(&opaque)?;
        self.timers
            .remove(&(half_open.deadline, Timer::HalfOpen(opaque)));
        if let Some(connection) = self.connections.get_mut(&half_open.connection) {
            connection.half_open.retain(|other| *other != opaque);
        }
        Some(half_open)
    }

    pub(super) fn remove_oldest_half_open(&mut self, connection: ConnectionId) {
        let oldest = self
            .connections
            .get(&connection)
            .and_then(|connection| connection.half_open.first().copied());
        if let Some(opaque) = oldest {
            self.remove_half_open(opaque);
        }
    }

    /// Adds an association. Those of the same endpoint are removed and returned.
    pub(super) fn insert(
        &mut self,
        opaque: u32,
        new: New<'_>,
    ) -> (AssociationId, Vec<Established>) {
        let known: Vec<u32> = new
            .endpoint
            .keys()
            .filter_map(|key| self.endpoints.get(&key).copied())
            .collect();
        let replaced = known
            .into_iter()
            .filter_map(|old| self.remove(old))
            .collect();
        self.serial = self.serial.wrapping_add(1);
        let id = AssociationId(u64::from(self.serial) << 32 | u64::from(opaque));
        let timer = new.expires_at.min(new.idle_at);
        self.timers.insert((timer, Timer::Association(opaque)));
        self.connection(new.connection).associations.push(opaque);
        for key in new.endpoint.keys() {
            self.endpoints.insert(key, opaque);
        }
        self.associations.insert(
            opaque,
            Established {
                id,
                association: new.association,
                connection: new.connection,
                endpoint: new.endpoint,
                identity: new.identity,
                from_text: new.from_text.into(),
                expires_at: new.expires_at,
                idle_at: new.idle_at,
                timer,
            },
        );
        (id, replaced)
    }

    pub(super) fn get(&self, id: AssociationId) -> Option<&Established> {
        self.associations
            .get(&id.opaque())
            .filter(|established| established.id == id)
    }

    pub(super) fn get_mut(&mut self, id: AssociationId) -> Option<&mut Established> {
        self.associations
            .get_mut(&id.opaque())
            .filter(|established| established.id == id)
    }

    pub(super) fn by_opaque(&mut self, opaque: u32) -> Option<&mut Established> {
        self.associations.get_mut(&opaque)
    }

    pub(super) fn find(&self, key: &EndpointKey) -> Option<AssociationId> {
        let opaque = self.endpoints.get(key)?;
        Some(self.associations.get(opaque)?.id)
    }

    /// Adds a key to an association, such as the GRUU that its registration was given.
    pub(super) fn alias(&mut self, id: AssociationId, key: EndpointKey) -> bool {
        use super::endpoint::EndpointId;
        let Some(established) = self
            .associations
            .get_mut(&id.opaque())
            .filter(|e| e.id == id && e.endpoint.aor == key.aor)
        else {
            return false;
        };
        let endpoint = &mut established.endpoint;
        let (slot, value) = match &key.id {
            EndpointId::Epid(value) => (&mut endpoint.epid, value),
            EndpointId::Instance(value) => (&mut endpoint.instance, value),
            EndpointId::Gruu(value) => (&mut endpoint.gruu, value),
        };
        let old = slot.replace(value.clone()).filter(|old| old != value);
        if let Some(old) = old {
            let id = match &key.id {
                EndpointId::Epid(_) => EndpointId::Epid(old),
                EndpointId::Instance(_) => EndpointId::Instance(old),
                EndpointId::Gruu(_) => EndpointId::Gruu(old),
            };
            let aor = key.aor.clone();
            self.endpoints.remove(&EndpointKey { aor, id });
        }
        self.endpoints.insert(key, id.opaque());
        true
    }

    pub(super) fn remove(&mut self, opaque: u32) -> Option<Established> {
        let established = self.associations.remove(&opaque)?;
        self.timers
            .remove(&(established.timer, Timer::Association(opaque)));
        for key in established.endpoint.keys() {
            if self.endpoints.get(&key) == Some(&opaque) {
                self.endpoints.remove(&key);
            }
        }
        if let Some(connection) = self.connections.get_mut(&established.connection) {
            connection.associations.retain(|other| *other != opaque);
        }
        Some(established)
    }

    /// Removes everything of a connection; returns its associations.
    pub(super) fn remove_connection(&mut self, connection: ConnectionId) -> Vec<Established> {
        self.reset_refusals(connection);
        let Some(all) = self.connections.remove(&connection) else {
            return Vec::new();
        };
        for opaque in all.half_open {
            self.remove_half_open(opaque);
        }
        all.associations
            .into_iter()
            .filter_map(|opaque| self.remove(opaque))
            .collect()
    }

    /// When [`expire`](Self::expire) has something to look at: not before any true deadline.
    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Removes handshakes whose time has come, up to the next such association, which is returned; `None` when nothing is left.
    ///
    /// Messages move the deadline of an association without touching the table; its entry is moved when it comes up.
    pub(super) fn expire(&mut self, now: Instant) -> Option<Established> {
        while let Some(&(at, timer)) = self.timers.first().filter(|(at, _)| *at <= now) {
            match timer {
                Timer::HalfOpen(opaque) => {
                    self.remove_half_open(opaque);
                }
                Timer::Association(opaque) => {
                    let Some(established) = self.associations.get_mut(&opaque) else {
                        self.timers.remove(&(at, timer));
                        continue;
                    };
                    let deadline = established.deadline();
                    if deadline > now {
                        self.timers.remove(&(at, timer));
                        established.timer = deadline;
                        self.timers.insert((deadline, timer));
                        continue;
                    }
                    return self.remove(opaque);
                }
            }
        }
        None
    }
}
