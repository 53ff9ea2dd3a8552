//! The tables of all transactions: by id, by key, by flow and by time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::FxHashMap;

use super::client::{self, Client};
use super::invite_client::{self, InviteClient};
use super::invite_server::{self, InviteServer};
use super::server::{self, Server};
use super::{ClientId, Flow};
use crate::Message;

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) flow: Flow,
    key: Arc<[u8]>,
    scheduled: Option<Instant>,
    pub(super) machine: Machine,
}

#[derive(Debug)]
pub(super) enum Machine {
    InviteClient {
        machine: InviteClient,
        /// For the ACK, the CANCEL and retransmissions.
        request: Message,
        ack: Option<Message>,
        cancel: Cancel,
    },
    Client {
        machine: Client,
        /// Kept on datagrams only.
        request: Option<Message>,
    },
    InviteServer {
        machine: InviteServer,
        /// The 100 to come, then on datagrams the last response.
        response: Option<Message>,
    },
    Server {
        machine: Server,
        /// The last response; kept on datagrams only.
        response: Option<Message>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cancel {
    No,
    /// To be sent with the first provisional response (RFC 3261 9.1).
    Waiting(ClientId),
    Sent(ClientId),
}

impl Machine {
    fn deadline(&self) -> Option<Instant> {
        match self {
            Self::InviteClient { machine, .. } => machine.deadline(),
            Self::Client { machine, .. } => machine.deadline(),
            Self::InviteServer { machine, .. } => machine.deadline(),
            Self::Server { machine, .. } => machine.deadline(),
        }
    }

    fn is_terminated(&self) -> bool {
        match self {
            Self::InviteClient { machine, .. } => machine.state == invite_client::State::Terminated,
            Self::Client { machine, .. } => machine.state == client::State::Terminated,
            Self::InviteServer { machine, .. } => machine.state == invite_server::State::Terminated,
            Self::Server { machine, .. } => machine.state == server::State::Terminated,
        }
    }

    fn is_server(&self) -> bool {
        matches!(self, Self::InviteServer { .. } | Self::Server { .. })
    }

    /// What the machine repeats. A message that will not be wanted again is given away instead of copied.
    pub(super) fn repeated(&mut self, reliable: bool) -> Option<Message> {
        match self {
            Self::InviteClient { request, ack, .. } => {
                Some(ack.as_ref().unwrap_or(request).clone())
            }
            Self::Client { request, .. } => request.clone(),
            Self::InviteServer { response, .. } if reliable => response.take(),
            Self::InviteServer { response, .. } | Self::Server { response, .. } => response.clone(),
        }
    }
}

/// Every operation costs one hash lookup, or the logarithm of the number of transactions; none scans.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: FxHashMap<u64, Entry>,
    keys: HashMap<Arc<[u8]>, u64>,
    /// Ordered by flow, so that a closed flow finds its own.
    by_flow: BTreeSet<(Flow, u64)>,
    /// Server transactions of each flow.
    served: HashMap<Flow, usize>,
    schedule: BTreeSet<(Instant, u64)>,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many server transactions a flow has.
    pub(super) fn served(&self, flow: Flow) -> usize {
        self.served.get(&flow).copied().unwrap_or(0)
    }

    pub(super) fn find(&self, key: &[u8]) -> Option<u64> {
        self.keys.get(key).copied()
    }

    pub(super) fn get(&self, id: u64) -> Option<&Entry> {
        self.entries.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: u64) -> Option<&mut Entry> {
        self.entries.get_mut(&id)
    }

    pub(super) fn insert(&mut self, key: &[u8], id: u64, flow: Flow, machine: Machine) {
        let key: Arc<[u8]> = key.into();
        self.keys.insert(Arc::clone(&key), id);
        self.by_flow.insert((flow, id));
        if machine.is_server() {
            *self.served.entry(flow).or_default() += 1;
        }
        let scheduled = machine.deadline();
        if let Some(at) = scheduled {
            self.schedule.insert((at, id));
        }
        self.entries.insert(
            id,
            Entry {
                flow,
                key,
                scheduled,
                machine,
            },
        );
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        self.keys.remove(&entry.key);
        self.by_flow.remove(&(entry.flow, id));
        if let Some(at) = entry.scheduled {
            self.schedule.remove(&(at, id));
        }
        if entry.machine.is_server()
            && let Some(count) = self.served.get_mut(&entry.flow)
        {
            *count -= 1;
            if *count == 0 {
                self.served.remove(&entry.flow);
            }
        }
        Some(entry)
    }

    /// Takes out the oldest transaction of a flow.
    pub(super) fn remove_one_of(&mut self, flow: Flow) -> Option<(u64, Entry)> {
        let &(_, id) = self
            .by_flow
            .range((flow, 0)..)
            .next()
            .filter(|(on, _)| *on == flow)?;
        Some((id, self.remove(id)?))
    }

    /// After every input to a machine: drops it, or sets its timer anew.
    pub(super) fn settle(&mut self, id: u64) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        if entry.machine.is_terminated() {
            self.remove(id);
            return;
        }
        let deadline = entry.machine.deadline();
        if deadline != entry.scheduled {
            if let Some(at) = entry.scheduled {
                self.schedule.remove(&(at, id));
            }
            if let Some(at) = deadline {
                self.schedule.insert((at, id));
            }
            entry.scheduled = deadline;
        }
    }

    /// Takes the next transaction whose time has come; [`settle`](Self::settle) it afterwards.
    pub(super) fn due(&mut self, now: Instant) -> Option<u64> {
        self.next_deadline().filter(|at| *at <= now)?;
        let (_, id) = self.schedule.pop_first()?;
        self.entries.get_mut(&id)?.scheduled = None;
        Some(id)
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.schedule.first().map(|&(at, _)| at)
    }
}
