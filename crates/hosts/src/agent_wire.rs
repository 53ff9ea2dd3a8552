//! What a user agent and the virtual network have to say to each other.

use std::collections::HashMap;
use std::time::Instant;

use ocs_client::{Output, UserAgent};
use ocs_conmgmt::{Answer, CertificateNames, Peer, Query, SrvRecord};
use ocs_sip_core::{ConnectionId, Transport};
use ocs_testbed::{Input, Output as Wire};

/// Translates between a [`UserAgent`] and the network.
#[derive(Debug, Default)]
pub(crate) struct AgentWire {
    questions: HashMap<u64, Query>,
    next_question: u64,
    transports: HashMap<ConnectionId, Transport>,
}

impl AgentWire {
    /// Hands an input to the user agent. What is not for it is ignored.
    pub(crate) fn handle_input(&mut self, agent: &mut UserAgent, now: Instant, input: Input) {
        match input {
            Input::Connected {
                connection,
                local,
                certificate_names,
                ..
            } => {
                let names = CertificateNames {
                    dns_names: certificate_names,
                    ..CertificateNames::default()
                };
                let peer = match self.transports.get(&connection) {
                    Some(Transport::Tls) => Peer::Names(&names),
                    _ => Peer::Plain,
                };
                agent.handle_connected(now, connection, local, peer);
            }
            Input::ConnectFailed { connection, .. } => {
                agent.handle_connect_failed(now, connection);
            }
            Input::Data { connection, data } => agent.handle_data(now, connection, data),
            Input::Closed { connection, .. } => agent.handle_closed(now, connection),
            Input::Resolved { id, answer } => {
                if let Some(query) = self.questions.remove(&id) {
                    let answer = translate(&query, answer);
                    agent.handle_answer(now, &query, answer);
                }
            }
            Input::Accepted { .. } | Input::Datagram { .. } => {}
        }
    }

    /// What the network has to do for the user agent.
    pub(crate) fn output(&mut self, output: Output) -> Wire {
        match output {
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
        }
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
