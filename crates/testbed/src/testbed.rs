//! The hosts, the clock, and what moves them.

mod run;

pub use run::Error;

use core::any::Any;
use core::fmt;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};

use ocs_sip_core::{ConnectionId, WallClock};
use rand_chacha::ChaCha12Rng;
use rand_core::SeedableRng;

use crate::clock::{Queue, Ticket};
use crate::datagram::Datagram;
use crate::dissect::Dissector;
use crate::dns::{NAME_SERVER, Question, Reply, Zone};
use crate::host::{ConnectFailure, Host, HostId};
use crate::ladder::Ladder;
use crate::link::{Link, Links};
use crate::nat::Translator;
use crate::record::{Event, Flow, Message, Record, Recorder};
use crate::stream::{Key, Listener, Streams};

/// What waits in the queue.
#[derive(Debug)]
pub(crate) enum Pending {
    Datagram(Datagram),
    Question(Question),
    Reply(Reply),
    AskAgain(Question),
    /// A packet of a handshake arrives, the first of which is number one.
    Handshake {
        key: Key,
        trip: u8,
    },
    /// A connection attempt ends without success.
    Fail {
        key: Key,
        reason: ConnectFailure,
    },
    /// The same where there is no other end.
    Unreachable {
        host: HostId,
        connection: ConnectionId,
        flow: Flow,
    },
    /// The first piece in the inbox of an end may be read.
    Readable {
        key: Key,
        side: usize,
    },
    /// A reset arrives at an end.
    Reset {
        key: Key,
        side: usize,
    },
}

/// One host and its surroundings.
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) addresses: Vec<IpAddr>,
    /// Absent for the name server and for translators, which the testbed plays itself.
    machine: Option<Box<dyn Host>>,
    pub(crate) translator: Option<Translator>,
    /// The translator between this node and the rest.
    pub(crate) behind: Option<HostId>,
    timer: Option<Instant>,
    pub(crate) paused: bool,
    pub(crate) next_port: u16,
}

/// A virtual network with its hosts and its clock. See the [crate] for how to use it.
///
/// Things happen in the order of time. At one moment, arrivals come before timers, arrivals in the order
/// in which they were sent, timers in the order of the hosts. With the same seed and the same commands,
/// two runs are the same to the byte.
pub struct Testbed {
    pub(crate) start: Instant,
    wall_clock: WallClock,
    pub(crate) now: Instant,
    happened_now: usize,
    pub(crate) rng: ChaCha12Rng,
    pub(crate) nodes: Vec<Node>,
    owners: BTreeMap<IpAddr, HostId>,
    timers: BTreeSet<(Instant, HostId)>,
    /// Hosts that the application may have changed since their outputs were last taken.
    touched: Vec<HostId>,
    pub(crate) queue: Queue<Pending>,
    pub(crate) links: Links,
    pub(crate) zone: Zone,
    pub(crate) questions: BTreeMap<(HostId, u64), Ticket>,
    pub(crate) streams: Streams,
    pub(crate) recorder: Recorder,
}

impl fmt::Debug for Testbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts: Vec<&str> = self.nodes.iter().map(|node| node.name.as_str()).collect();
        f.debug_struct("Testbed")
            .field("elapsed", &self.elapsed())
            .field("hosts", &hosts)
            .field("recorder", &self.recorder)
            .finish_non_exhaustive()
    }
}

impl Testbed {
    /// The name server. It has a column in ladder diagrams if it is asked, and links as any host.
    pub const DNS: HostId = HostId(0);

    /// A network without hosts. `start` and `system` are one moment, the beginning of virtual time.
    #[must_use]
    pub fn new(seed: u64, start: Instant, system: SystemTime) -> Self {
        let name_server = Node {
            name: "dns".to_owned(),
            addresses: NAME_SERVER.to_vec(),
            machine: None,
            translator: None,
            behind: None,
            timer: None,
            paused: false,
            next_port: 0,
        };
        Self {
            start,
            wall_clock: WallClock::new(start, system),
            now: start,
            happened_now: 0,
            rng: ChaCha12Rng::seed_from_u64(seed),
            nodes: vec![name_server],
            owners: BTreeMap::new(),
            timers: BTreeSet::new(),
            touched: Vec::new(),
            queue: Queue::new(),
            links: Links::new(),
            zone: Zone::default(),
            questions: BTreeMap::new(),
            streams: Streams::new(),
            recorder: Recorder::new(),
        }
    }

    /// Virtual now.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Virtual time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now.duration_since(self.start)
    }

    /// Civil time of the virtual clock, for machines that need it.
    #[must_use]
    pub const fn wall_clock(&self) -> WallClock {
        self.wall_clock
    }
}

/// Hosts.
impl Testbed {
    /// Adds a host. Its name heads its column in ladder diagrams; its addresses belong to it alone.
    ///
    /// # Panics
    ///
    /// If another host has one of the addresses.
    pub fn add_host(
        &mut self,
        name: impl Into<String>,
        addresses: impl IntoIterator<Item = IpAddr>,
        machine: impl Host,
    ) -> HostId {
        let id = self.add_node(name.into(), addresses, Some(Box::new(machine)), None);
        self.touched.push(id);
        id
    }

    pub(crate) fn add_node(
        &mut self,
        name: String,
        addresses: impl IntoIterator<Item = IpAddr>,
        machine: Option<Box<dyn Host>>,
        translator: Option<Translator>,
    ) -> HostId {
        let id = HostId(self.nodes.len());
        self.nodes.push(Node {
            name,
            addresses: Vec::new(),
            machine,
            translator,
            behind: None,
            timer: None,
            paused: false,
            next_port: 49152,
        });
        for address in addresses {
            self.add_address(id, address);
        }
        id
    }

    /// Gives a host one more address.
    ///
    /// # Panics
    ///
    /// If another host has the address.
    pub fn add_address(&mut self, host: HostId, address: IpAddr) {
        let other = self.owners.insert(address, host);
        assert!(other.is_none(), "{address} is given to two hosts");
        self.nodes[host.0].addresses.push(address);
    }

    /// Replaces the machine of a host, as when a program is restarted: its connections are reset, its
    /// timer and its open questions are forgotten, its listeners stay. Gives the old machine back.
    ///
    /// # Panics
    ///
    /// If the host is the name server or a translator.
    pub fn restart(&mut self, host: HostId, machine: impl Host) -> Box<dyn Host> {
        self.settle();
        for connection in self.connections(host) {
            self.abort(host, connection);
        }
        self.streams.give_up(host);
        while let Some((&key, &ticket)) = self.questions.range((host, 0)..=(host, u64::MAX)).next()
        {
            self.queue.cancel(ticket);
            self.questions.remove(&key);
        }
        let slot = &mut self.nodes[host.0].machine;
        let old = slot.replace(Box::new(machine));
        self.touched.push(host);
        old.expect("the name server and translators have no machine")
    }

    /// The name of a host.
    #[must_use]
    pub fn name(&self, host: HostId) -> &str {
        &self.nodes[host.0].name
    }

    /// A look at the machine of a host.
    ///
    /// # Panics
    ///
    /// If the machine is not a `T`.
    #[must_use]
    pub fn host<T: Host>(&self, host: HostId) -> &T {
        let machine = self.nodes[host.0].machine.as_deref();
        machine
            .and_then(|machine| (machine as &dyn Any).downcast_ref())
            .unwrap_or_else(|| panic!("host `{}` is of another type", self.nodes[host.0].name))
    }

    /// The machine of a host, to give it commands. What it wants to send leaves at the next step, or before
    /// the network is changed.
    ///
    /// # Panics
    ///
    /// If the machine is not a `T`.
    #[must_use]
    pub fn host_mut<T: Host>(&mut self, host: HostId) -> &mut T {
        self.touched.push(host);
        let node = &mut self.nodes[host.0];
        let machine = node.machine.as_deref_mut();
        machine
            .and_then(|machine| (machine as &mut dyn Any).downcast_mut())
            .unwrap_or_else(|| panic!("host `{}` is of another type", node.name))
    }

    /// Gives a command to the machine of a host, together with the time that it happens at; what the machine wants to
    /// send leaves at once.
    ///
    /// # Panics
    ///
    /// If the machine is not a `T`.
    pub fn command<T: Host, R>(
        &mut self,
        host: HostId,
        command: impl FnOnce(&mut T, Instant) -> R,
    ) -> R {
        let now = self.now;
        let result = command(self.host_mut(host), now);
        self.settle();
        result
    }

    pub(crate) fn owner(&self, address: IpAddr) -> Option<HostId> {
        self.owners.get(&address).copied()
    }

    pub(crate) fn local_address(&self, host: HostId, v4: bool) -> Option<IpAddr> {
        let addresses = &self.nodes[host.0].addresses;
        addresses.iter().copied().find(|ip| ip.is_ipv4() == v4)
    }
}

/// The network.
impl Testbed {
    /// The records of the name server.
    pub fn zone_mut(&mut self) -> &mut Zone {
        self.settle();
        &mut self.zone
    }

    /// Sets the link between all hosts that have none of their own.
    pub fn set_default_link(&mut self, link: Link) {
        self.settle();
        self.links.default = link;
    }

    /// Sets the link between two hosts, in both directions.
    pub fn set_link(&mut self, a: HostId, b: HostId, link: Link) {
        self.set_path(a, b, link);
        self.set_path(b, a, link);
    }

    /// Sets one direction of the link between two hosts.
    pub fn set_path(&mut self, from: HostId, to: HostId, link: Link) {
        self.settle();
        self.links.set(from, to, link);
    }

    /// Turns the link between two hosts into a black hole: datagrams are lost, streams stand still,
    /// connection attempts time out.
    pub fn partition(&mut self, a: HostId, b: HostId) {
        self.settle();
        self.links.cut(a, b);
        self.links.cut(b, a);
    }

    /// Ends a partition; what waits in streams comes through after one latency.
    pub fn heal(&mut self, a: HostId, b: HostId) {
        self.settle();
        self.links.heal(a, b);
        self.links.heal(b, a);
        self.revive(a, b);
    }

    /// Lets a host accept connections.
    pub fn listen(&mut self, host: HostId, listener: Listener) {
        self.settle();
        self.streams.listen(host, listener);
    }

    /// Closes the listeners of a host on a port; connections stay.
    pub fn stop_listening(&mut self, host: HostId, port: u16) {
        self.settle();
        self.streams.stop_listening(host, port);
    }
}

/// Records.
impl Testbed {
    /// Everything that happened so far.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.recorder.records
    }

    /// Every message that was sent so far, whatever became of it.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.records()
            .iter()
            .filter_map(|record| match &record.event {
                Event::Message(message) => Some(message),
                _ => None,
            })
    }

    /// Sets how messages are found in streams and datagrams from here on; call it before the first
    /// connection. The default is [`Opaque`](crate::Opaque) for all.
    pub fn set_dissector(&mut self, factory: impl FnMut(&Flow) -> Box<dyn Dissector> + 'static) {
        self.recorder.set_factory(Box::new(factory));
    }

    /// Writes a remark about a host into the record.
    pub fn note(&mut self, host: HostId, text: impl Into<String>) {
        self.settle();
        self.remark(host, text.into());
    }

    pub(crate) fn remark(&mut self, host: HostId, text: String) {
        let at = self.elapsed();
        self.recorder.event(at, Event::Note { host, text });
    }

    /// The record as a ladder diagram, with a column for every host in the order in which they were added, and
    /// one for the name server if it was asked.
    #[must_use]
    pub fn ladder(&self, title: impl Into<String>) -> Ladder {
        let names = self.nodes.iter().map(|node| node.name.clone()).collect();
        Ladder::new(title.into(), names, self.records().to_vec())
    }
}
