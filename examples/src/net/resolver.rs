//! What a user agent asks of the DNS.

use std::net::SocketAddr;

use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{ResolverBuilder, TokioResolver};
use ocs_conmgmt::{Answer, Query, SrvRecord};
use tracing::debug;

/// Looks names up.
#[derive(Clone)]
pub struct Resolver {
    /// Absent where the system has no name servers.
    resolver: Option<TokioResolver>,
    /// Whether addresses are looked up the system's own way, with its hosts file.
    system: bool,
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver")
            .field("system", &self.system)
            .finish_non_exhaustive()
    }
}

impl Resolver {
    /// Asks whom the system asks.
    #[must_use]
    pub fn system() -> Self {
        let resolver = TokioResolver::builder_tokio().and_then(ResolverBuilder::build);
        if let Err(error) = &resolver {
            debug!(cause = %error, "no name servers");
        }
        Self {
            resolver: resolver.ok(),
            system: true,
        }
    }

    /// Asks this name server.
    #[must_use]
    pub fn at(server: SocketAddr) -> Self {
        let mut name_server = NameServerConfig::udp_and_tcp(server.ip());
        for connection in &mut name_server.connections {
            connection.port = server.port();
        }
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![name_server]);
        let resolver =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).build();
        Self {
            resolver: resolver.ok(),
            system: false,
        }
    }

    /// Looks something up. What cannot be found is the empty answer.
    pub(super) async fn resolve(&self, query: &Query) -> Answer {
        let answer = match query {
            Query::Srv(name) => self.services(name).await.map(Answer::Srv),
            Query::Address(name) => self.addresses(name).await.map(Answer::Address),
            Query::Autodiscover(_) => return Answer::none(query),
        };
        answer.unwrap_or_else(|error| {
            debug!(?query, cause = %error, "not found");
            Answer::none(query)
        })
    }

    async fn services(&self, name: &str) -> Result<Vec<SrvRecord>, NetError> {
        let Some(resolver) = &self.resolver else {
            return Ok(Vec::new());
        };
        // The final dot keeps the search list out.
        let found = resolver.srv_lookup(format!("{name}.")).await?;
        let records = found
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::SRV(srv) => Some(SrvRecord {
                    priority: srv.priority,
                    weight: srv.weight,
                    port: srv.port,
                    target: srv.target.to_utf8(),
                }),
                _ => None,
            });
        Ok(records.collect())
    }

    async fn addresses(&self, name: &str) -> Result<Vec<std::net::IpAddr>, NetError> {
        match &self.resolver {
            Some(resolver) if !self.system => {
                let found = resolver.lookup_ip(format!("{name}.")).await?;
                Ok(found.iter().collect())
            }
            _ => {
                let found = tokio::net::lookup_host((name, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            }
        }
    }
}
