//! A resolver that knows a few names.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ocs_conmgmt::{Answer, Query, SrvRecord};

/// Answers to the queries that have one.
#[derive(Debug, Clone, Default)]
pub(crate) struct World(BTreeMap<Query, Answer>);

impl World {
    pub(crate) fn srv(self, name: &str, records: &[(u16, u16, u16, &str)]) -> Self {
        let records = records
            .iter()
            .map(|&(priority, weight, port, target)| SrvRecord {
                priority,
                weight,
                port,
                target: target.into(),
            })
            .collect();
        self.with(Query::Srv(name.into()), Answer::Srv(records))
    }

    pub(crate) fn host(self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses
            .iter()
            .map(|text| text.parse::<IpAddr>().unwrap())
            .collect();
        self.with(Query::Address(name.into()), Answer::Address(addresses))
    }

    pub(crate) fn with(mut self, query: Query, answer: Answer) -> Self {
        self.0.insert(query, answer);
        self
    }

    pub(crate) fn answer(&self, query: &Query) -> Answer {
        self.0
            .get(query)
            .cloned()
            .unwrap_or_else(|| Answer::none(query))
    }
}
