//! The memory of what went over the network.

use core::fmt;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use ocs_sip_core::Transport;

use crate::capture::Capture;
use crate::dissect::{Dissector, Frame, Opaque};
use crate::host::{Closed, ConnectFailure, HostId};

/// One direction between two addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flow {
    /// The host that sends.
    pub from: HostId,
    /// The host that it goes to, if there is one: the one that has the destination address, or a translator on the way.
    pub to: Option<HostId>,
    /// The address sent from.
    pub source: SocketAddr,
    /// The address sent to.
    pub destination: SocketAddr,
    /// How it travels. Questions to the name server count as [`Transport::Udp`].
    pub transport: Transport,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It arrived.
    Delivered,
    /// It was lost on the way: by chance, by a cut link, or because no host has the address.
    Lost,
    /// It arrived although the same datagram arrived already.
    Duplicated,
    /// It was on the way, or waited to be read, when its connection was reset.
    Reset,
}

/// One message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// From where to where.
    pub flow: Flow,
    /// When it (of a stream: its last byte) was sent, counted from the start of the testbed.
    pub sent: Duration,
    /// The label that the dissector gave.
    pub label: String,
    /// The detail that the dissector gave.
    pub detail: Option<String>,
    /// The whole message.
    pub text: Bytes,
    /// What became of it.
    pub fate: Fate,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A message was delivered or dropped.
    Message(Message),
    /// A connection was made; the flow is that of the host that asked for it.
    Opened {
        /// From the connecting host to the accepting one.
        flow: Flow,
    },
    /// A connection was not made.
    ConnectFailed {
        /// From the connecting host to where it wanted to go.
        flow: Flow,
        /// Why.
        reason: ConnectFailure,
    },
    /// A direction of a connection ended, or both by a reset.
    Closed {
        /// From the host that closed to the one that learns of it.
        flow: Flow,
        /// In order or not.
        how: Closed,
        /// [`Fate::Lost`] if the other end never learned of it.
        fate: Fate,
    },
    /// Somebody made a remark.
    Note {
        /// The host that it is about.
        host: HostId,
        /// The remark.
        text: String,
    },
}

/// One entry of the record, in the order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When it happened (a message: when it arrived or was dropped), counted from the start of the testbed.
    pub at: Duration,
    /// What happened.
    pub event: Event,
}

/// Makes the dissector for a flow.
pub(crate) type Factory = Box<dyn FnMut(&Flow) -> Box<dyn Dissector>>;

/// Collects the records and owns what is needed to label them.
pub(crate) struct Recorder {
    pub(crate) records: Vec<Record>,
    pub(crate) capture: Capture,
    factory: Factory,
    datagrams: BTreeMap<Flow, Box<dyn Dissector>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("records", &self.records.len())
            .finish_non_exhaustive()
    }
}

impl Recorder {
    pub(crate) fn new() -> Self {
        Self {
            records: Vec::new(),
            capture: Capture::default(),
            factory: Box::new(|_| Box::new(Opaque)),
            datagrams: BTreeMap::new(),
        }
    }

    pub(crate) fn set_factory(&mut self, factory: Factory) {
        self.factory = factory;
        self.datagrams.clear();
    }

    /// A dissector for one direction of a new connection.
    pub(crate) fn dissector(&mut self, flow: &Flow) -> Box<dyn Dissector> {
        (self.factory)(flow)
    }

    /// The messages of a datagram; none only if its dissector leaves it out.
    pub(crate) fn dissect_datagram(&mut self, flow: &Flow, data: &[u8]) -> Vec<Frame> {
        let factory = &mut self.factory;
        let dissector = self.datagrams.entry(*flow).or_insert_with(|| factory(flow));
        let frames = dissector.feed(data);
        if frames.is_empty() && !dissector.leaves_out() {
            vec![Opaque::frame(data)]
        } else {
            frames
        }
    }

    pub(crate) fn messages(
        &mut self,
        at: Duration,
        flow: Flow,
        sent: Duration,
        fate: Fate,
        frames: impl IntoIterator<Item = Frame>,
    ) {
        for frame in frames {
            let message = Message {
                flow,
                sent,
                label: frame.label,
                detail: frame.detail,
                text: frame.text,
                fate,
            };
            self.event(at, Event::Message(message));
        }
    }

    pub(crate) fn event(&mut self, at: Duration, event: Event) {
        self.records.push(Record { at, event });
    }
}
