//! A user agent on a host of the virtual network.

use std::collections::HashMap;
use std::time::Instant;

use ocs_client::{Event, Output, UserAgent};
use ocs_conmgmt::{Answer, CertificateNames, Peer, Query, SrvRecord};
use ocs_sip_core::{ConnectionId, Transport};
use ocs_testbed::{Host, Input, Output as Wire};

/// Translates between a [`UserAgent`] and the network.
#[derive(Debug)]
pub struct ClientHost {
    /// The machine.
    pub agent: UserAgent,
    /// Everything that it told, in order.
    pub events: Vec<Event>,
    questions: HashMap<u64, Query>,
    next_question: u64,
    transports: HashMap<ConnectionId, Transport>,
}

impl ClientHost {
    /// A host for this user agent.
    #[must_use]
    pub fn new(agent: UserAgent) -> Self {
        Self {
            agent,
            events: Vec::new(),
            questions: HashMap::new(),
            next_question: 0,
            transports: HashMap::new(),
        }
    }

    /// Whether it has told something like this.
    pub fn told(&self, what: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(what)
    }

    fn connected(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        local: std::net::SocketAddr,
        names: Vec<String>,
    ) {
        let names = CertificateNames {
            dns_names: names,
            ..CertificateNames::default()
        };
        let peer = match self.transports.get(&connection) {
            Some(Transport::Tls) => Peer::Names(&names),
            _ => Peer::Plain,
        };
        self.agent.handle_connected(now, connection, local, peer);
    }
}

impl Host for ClientHost {
    fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Connected {
                connection,
                local,
                certificate_names,
                ..
            } => self.connected(now, connection, local, certificate_names),
            Input::ConnectFailed { connection, .. } => {
                self.agent.handle_connect_failed(now, connection);
            }
            Input::Data { connection, data } => self.agent.handle_data(now, connection, data),
            Input::Closed { connection, .. } => self.agent.handle_closed(now, connection),
            Input::Resolved { id, answer } => {
                if let Some(query) = self.questions.remove(&id) {
                    let answer = translate(&query, answer);
                    self.agent.handle_answer(now, &query, answer);
                }
            }
            Input::Accepted { .. } | Input::Datagram { .. } => {}
        }
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
    }

    fn poll_output(&mut self) -> Option<Wire> {
        while let Some(event) = self.agent.poll_event() {
            self.events.push(event);
        }
        Some(match self.agent.poll_output()? {
            Output::Resolve(query) => {
                let id = self.next_question;
                self.next_question += 1;
                let question = match &query {
                    Query::Srv(name) => ocs_testbed::Query::Srv(name.clone()),
                    Query::Address(name) => ocs_testbed::Query::Address(name.clone()),
                    // The web is not part of this network: the name does not exist.
                    Query::Autodiscover(url) => ocs_testbed::Query::Address(host_of(url)),
                };
                self.questions.insert(id, query);
                Wire::Resolve {
                    id,
                    query: question,
                }
            }
            Output::Connect {
                connection,
                transport,
                host,
                address,
            } => {
                self.transports.insert(connection, transport);
                Wire::Connect {
                    connection,
                    peer: address,
                    transport,
                    server_name: Some(host),
                }
            }
            Output::Send { connection, data } => Wire::Send { connection, data },
            Output::Close { connection } => Wire::Close { connection },
        })
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.agent.poll_timeout()
    }
}

fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest).to_owned()
}

fn translate(query: &Query, answer: ocs_testbed::Answer) -> Answer {
    match (query, answer) {
        (Query::Srv(_), ocs_testbed::Answer::Srv(records)) => Answer::Srv(
            records
                .into_iter()
                .map(|record| SrvRecord {
                    priority: record.priority,
                    weight: record.weight,
                    port: record.port,
                    target: record.target,
                })
                .collect(),
        ),
        (Query::Address(_), ocs_testbed::Answer::Addresses(addresses)) => {
            Answer::Address(addresses)
        }
        _ => Answer::none(query),
    }
}
