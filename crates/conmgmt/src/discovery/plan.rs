//! The steps of a discovery, and how each becomes servers to try.

use std::time::Instant;

use ocs_sip_core::Transport;
use rand_core::Rng;

use super::{
    Access, Answer, AutodiscoverAnswer, DhcpServer, Discovery, FailureReason, Query, Source,
    SrvRecord, Target, is_usable, srv,
};
use crate::Server;
use crate::name::parse_ip;

/// One step of the plan; steps are taken in order.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Server(Server, Source),
    Autodiscover {
        url: String,
        access: Access,
    },
    Srv {
        name: String,
        transport: Transport,
    },
    Dhcp(DhcpServer),
    /// Ask for the addresses of all host names that follow, at once.
    AskNames,
    Name {
        host: String,
        ports: &'static [(Transport, u16)],
    },
}

impl<R: Rng> Discovery<R> {
    /// The steps of a discovery without a configured server; asks what can be asked at once.
    pub(super) fn plan(&mut self, now: Instant) {
        let table = self.config.names.table();
        let allow_tcp = self.config.allow_tcp;
        let domain = self.config.domain.clone();
        if self.config.autodiscover {
            for (label, access) in [
                ("lyncdiscoverinternal", Access::Internal),
                ("lyncdiscover", Access::External),
            ] {
                let url = format!("https://{label}.{domain}/");
                self.ask(now, Query::Autodiscover(url.clone()));
                self.steps.push_back(Step::Autodiscover { url, access });
            }
        }
        for row in table.srv {
            if row.transport == Transport::Tls || allow_tcp {
                let name = format!("{}.{domain}", row.prefix);
                self.ask(now, Query::Srv(name.clone()));
                self.steps.push_back(Step::Srv {
                    name,
                    transport: row.transport,
                });
            }
        }
        let dhcp = self
            .config
            .dhcp
            .iter()
            .take(self.config.limits.dhcp_servers);
        self.steps.extend(dhcp.cloned().map(Step::Dhcp));
        self.steps.push_back(Step::AskNames);
        for row in table.names {
            let host = if row.label.is_empty() {
                domain.clone()
            } else {
                format!("{}.{domain}", row.label)
            };
            self.steps.push_back(Step::Name {
                host,
                ports: row.ports,
            });
        }
    }

    /// Turns the first step into targets; false when its answer is missing or no step is left.
    pub(super) fn next_step(&mut self, now: Instant) -> bool {
        let Some(step) = self.steps.pop_front() else {
            return false;
        };
        match step {
            Step::Server(server, source) => self.targets.push_back(Target { server, source }),
            Step::Autodiscover { url, access } => {
                let query = Query::Autodiscover(url.clone());
                let answer = match self.settled(&query) {
                    Some(Answer::Autodiscover(answer)) => answer.clone(),
                    Some(_) => return true,
                    None => {
                        self.steps.push_front(Step::Autodiscover { url, access });
                        return false;
                    }
                };
                self.autodiscovered(now, &answer, access);
            }
            Step::Srv { name, transport } => {
                let query = Query::Srv(name);
                let records = match self.settled(&query) {
                    Some(Answer::Srv(records)) => records.clone(),
                    Some(_) => return true,
                    None => {
                        if let Query::Srv(name) = query {
                            self.steps.push_front(Step::Srv { name, transport });
                        }
                        return false;
                    }
                };
                if let Query::Srv(name) = query {
                    self.srv_found(now, &name, transport, records);
                }
            }
            Step::Dhcp(server) => {
                let (host, named) = match server {
                    DhcpServer::Name(name) => (name, true),
                    DhcpServer::Address(address) => (address.to_string(), is_usable(&address)),
                };
                if named && let Ok(server) = Server::new(Transport::Tls, &host, None) {
                    self.offer(now, server, Source::Dhcp, true);
                }
            }
            Step::AskNames => {
                let hosts: Vec<_> = self
                    .steps
                    .iter()
                    .filter_map(|step| match step {
                        Step::Name { host, .. } => Some(Query::Address(host.clone())),
                        _ => None,
                    })
                    .collect();
                for query in hosts {
                    self.ask(now, query);
                }
            }
            Step::Name { host, ports } => {
                for &(transport, port) in ports {
                    if transport == Transport::Tls || self.config.allow_tcp {
                        let server = Server {
                            transport,
                            host: host.clone(),
                            port,
                        };
                        self.offer(now, server, Source::HostName, false);
                    }
                }
            }
        }
        true
    }

    /// Takes the access points, that of the client's own side first.
    fn autodiscovered(&mut self, now: Instant, answer: &AutodiscoverAnswer, asked: Access) {
        let mut points = [
            (Access::Internal, &answer.internal),
            (Access::External, &answer.external),
        ];
        if answer.access_location.unwrap_or(asked) == Access::External {
            points.reverse();
        }
        for (access, point) in points {
            let Some((host, port)) = point else { continue };
            if let Ok(server) = Server::new(Transport::Tls, host, Some(*port)) {
                self.offer(
                    now,
                    server,
                    Source::Autodiscover(access),
                    !answer.authenticated,
                );
            }
        }
        if !self.targets.is_empty() {
            // The first that answers is used; DNS remains for when its servers fail.
            self.steps
                .retain(|step| !matches!(step, Step::Autodiscover { .. }));
        }
    }

    fn srv_found(
        &mut self,
        now: Instant,
        name: &str,
        transport: Transport,
        records: Vec<SrvRecord>,
    ) {
        if records.is_empty() {
            return;
        }
        if self.config.names.table().first_set_only {
            self.steps.clear();
        }
        for record in srv::order(records, &mut self.rng) {
            let server = Server {
                transport,
                host: record.target,
                port: record.port,
            };
            self.offer(now, server, Source::Srv(name.to_owned()), true);
        }
    }

    /// Adds a target if the naming policy lets it, and asks for its address ahead of its turn.
    fn offer(&mut self, now: Instant, server: Server, source: Source, checked: bool) {
        if checked && !self.config.naming.allows(&server.host, &self.config.domain) {
            self.note(server, source, FailureReason::NameRefused);
            return;
        }
        if parse_ip(&server.host).is_none() {
            self.ask(now, Query::Address(server.host.clone()));
        }
        self.targets.push_back(Target { server, source });
    }
}
