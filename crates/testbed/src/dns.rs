//! The virtual domain name system: one zone, one name server, a resolver in every host.

mod packet;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use ocs_sip_core::Transport;

use crate::dissect::Frame;
use crate::host::{HostId, Input};
use crate::record::{Fate, Flow};
use crate::testbed::{Pending, Testbed};

/// How often the resolver of a host asks before it gives up. It waits one, two and four seconds.
const ATTEMPTS: u32 = 3;

/// Where the name server is, in both families.
pub(crate) const NAME_SERVER: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 53)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x53)),
];

/// A question to the name server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Query {
    /// The SRV records (RFC 2782) of a name such as `_sipinternaltls._tcp.contoso.com`.
    Srv(String),
    /// The A and AAAA records of a name.
    Address(String),
}

impl Query {
    /// The name asked for.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Srv(name) | Self::Address(name) => name,
        }
    }

    fn frame(&self) -> Frame {
        let kind = match self {
            Self::Srv(_) => "SRV",
            Self::Address(_) => "A",
        };
        let label = format!("{kind} {}?", self.name());
        Frame {
            text: Bytes::from(label.clone()),
            label,
            detail: None,
        }
    }
}

/// One server of a service (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SrvRecord {
    /// The lowest is tried first.
    pub priority: u16,
    /// The share of this record among those of its priority.
    pub weight: u16,
    /// The port of the service.
    pub port: u16,
    /// The name of the server.
    pub target: String,
}

/// What comes back for a [`Query`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The records, in the order of the zone: to sort and to choose is the asker's business.
    Srv(Vec<SrvRecord>),
    /// The addresses, in the order of the zone.
    Addresses(Vec<IpAddr>),
    /// The name does not exist, or has no record of the kind.
    NoRecords,
    /// The server reported a failure or never answered.
    Failed,
}

impl Answer {
    fn frame(&self) -> Frame {
        let lines: Vec<String> = match self {
            Self::Srv(records) => records
                .iter()
                .map(|srv| {
                    format!(
                        "{} {} {} {}",
                        srv.priority, srv.weight, srv.port, srv.target
                    )
                })
                .collect(),
            Self::Addresses(addresses) => addresses.iter().map(IpAddr::to_string).collect(),
            Self::NoRecords => vec!["no records".to_owned()],
            Self::Failed => vec!["server failure".to_owned()],
        };
        Frame {
            label: lines.join(", "),
            detail: None,
            text: Bytes::from(lines.join("\n")),
        }
    }
}

/// How a name fails to resolve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outage {
    /// The name server answers SERVFAIL.
    ServerFailure,
    /// The name server does not answer; the resolver of the host gives up after seven seconds.
    Silence,
}

/// The records that the name server knows. Names are compared without regard to case or to a dot at the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Zone {
    services: BTreeMap<String, Vec<SrvRecord>>,
    addresses: BTreeMap<String, Vec<IpAddr>>,
    outages: BTreeMap<String, Outage>,
}

fn normal(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

impl Zone {
    /// Adds an SRV record.
    pub fn srv(
        &mut self,
        name: &str,
        priority: u16,
        weight: u16,
        port: u16,
        target: &str,
    ) -> &mut Self {
        let record = SrvRecord {
            priority,
            weight,
            port,
            target: target.to_owned(),
        };
        self.services.entry(normal(name)).or_default().push(record);
        self
    }

    /// Adds an A or AAAA record.
    pub fn address(&mut self, name: &str, address: impl Into<IpAddr>) -> &mut Self {
        self.addresses
            .entry(normal(name))
            .or_default()
            .push(address.into());
        self
    }

    /// Makes all questions for the name fail, whatever records there are.
    pub fn fail(&mut self, name: &str, outage: Outage) -> &mut Self {
        self.outages.insert(normal(name), outage);
        self
    }

    /// Ends an outage.
    pub fn recover(&mut self, name: &str) -> &mut Self {
        self.outages.remove(&normal(name));
        self
    }

    /// Removes all records of a name.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        let name = normal(name);
        self.services.remove(&name);
        self.addresses.remove(&name);
        self
    }

    /// The answer of the name server; `None` if it keeps silent.
    #[must_use]
    pub fn lookup(&self, query: &Query) -> Option<Answer> {
        let name = normal(query.name());
        match self.outages.get(&name) {
            Some(Outage::Silence) => return None,
            Some(Outage::ServerFailure) => return Some(Answer::Failed),
            None => {}
        }
        let answer = match query {
            Query::Srv(_) => self.services.get(&name).cloned().map(Answer::Srv),
            Query::Address(_) => self.addresses.get(&name).cloned().map(Answer::Addresses),
        };
        Some(answer.unwrap_or(Answer::NoRecords))
    }
}

/// A question on its way.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    host: HostId,
    id: u64,
    query: Query,
    attempt: u32,
    sent: Duration,
}

/// An answer on its way.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    host: HostId,
    id: u64,
    query: Query,
    answer: Answer,
    sent: Duration,
}

impl Testbed {
    fn dns_flow(&self, host: HostId) -> Flow {
        let client = self.nodes[host.0].addresses.first().copied();
        let v4 = client.is_none_or(|ip| ip.is_ipv4());
        let server = NAME_SERVER[usize::from(!v4)];
        Flow {
            from: host,
            to: Some(Self::DNS),
            source: SocketAddr::new(client.unwrap_or(server), 53),
            destination: SocketAddr::new(server, 53),
            transport: Transport::Udp,
        }
    }

    fn dns_flow_back(&self, host: HostId) -> Flow {
        let flow = self.dns_flow(host);
        Flow {
            from: Self::DNS,
            to: Some(host),
            source: flow.destination,
            destination: flow.source,
            ..flow
        }
    }

    pub(crate) fn resolve(&mut self, host: HostId, id: u64, query: Query) {
        let open = self.questions.contains_key(&(host, id));
        assert!(!open, "{id} names two open questions");
        let sent = self.elapsed();
        self.ask(Question {
            host,
            id,
            query,
            attempt: 0,
            sent,
        });
    }

    fn ask(&mut self, question: Question) {
        let again = self.now + Duration::from_secs(1 << question.attempt);
        let ticket = self.queue.push(again, Pending::AskAgain(question.clone()));
        self.questions.insert((question.host, question.id), ticket);
        let pair = (question.host, Self::DNS);
        let length = question.query.name().len();
        match self
            .links
            .datagram(&mut self.rng, self.now, pair, length)
            .first
        {
            Some(arrival) => {
                self.queue.push(arrival, Pending::Question(question));
            }
            None => self.record_question(&question, Fate::Lost),
        }
    }

    fn record_question(&mut self, question: &Question, fate: Fate) {
        let flow = self.dns_flow(question.host);
        let at = self.elapsed();
        let frame = question.query.frame();
        self.recorder
            .messages(at, flow, question.sent, fate, [frame]);
        if fate == Fate::Delivered {
            self.capture_dns(flow, || packet::questions(question.id, &question.query));
        }
    }

    fn record_reply(&mut self, reply: &Reply, fate: Fate) {
        let flow = self.dns_flow_back(reply.host);
        let at = self.elapsed();
        let frame = reply.answer.frame();
        self.recorder.messages(at, flow, reply.sent, fate, [frame]);
        if fate == Fate::Delivered {
            self.capture_dns(flow, || {
                packet::answers(reply.id, &reply.query, &reply.answer)
            });
        }
    }

    fn capture_dns(&mut self, flow: Flow, packets: impl FnOnce() -> Vec<Bytes>) {
        if self.recorder.capture.is_on() {
            let at = self.elapsed();
            for packet in packets() {
                self.recorder.capture.datagram(at, flow, packet);
            }
        }
    }

    pub(crate) fn on_question(&mut self, question: &Question) {
        if self.links.is_cut(question.host, Self::DNS) {
            self.record_question(question, Fate::Lost);
            return;
        }
        self.record_question(question, Fate::Delivered);
        let Some(answer) = self.zone.lookup(&question.query) else {
            return;
        };
        let reply = Reply {
            host: question.host,
            id: question.id,
            query: question.query.clone(),
            answer,
            sent: self.elapsed(),
        };
        let pair = (Self::DNS, reply.host);
        let length = reply.answer.frame().text.len();
        match self
            .links
            .datagram(&mut self.rng, self.now, pair, length)
            .first
        {
            Some(arrival) => {
                self.queue.push(arrival, Pending::Reply(reply));
            }
            None => self.record_reply(&reply, Fate::Lost),
        }
    }

    pub(crate) fn on_reply(&mut self, reply: Reply) {
        if self.links.is_cut(Self::DNS, reply.host) {
            self.record_reply(&reply, Fate::Lost);
            return;
        }
        self.record_reply(&reply, Fate::Delivered);
        // The answer to an earlier attempt may have come already.
        if let Some(ticket) = self.questions.remove(&(reply.host, reply.id)) {
            self.queue.cancel(ticket);
            let (id, answer) = (reply.id, reply.answer);
            self.input(reply.host, Input::Resolved { id, answer });
        }
    }

    pub(crate) fn on_ask_again(&mut self, mut question: Question) {
        question.attempt += 1;
        question.sent = self.elapsed();
        if question.attempt < ATTEMPTS {
            self.ask(question);
        } else {
            let Question { host, id, .. } = question;
            self.questions.remove(&(host, id));
            let answer = Answer::Failed;
            self.input(host, Input::Resolved { id, answer });
        }
    }
}
