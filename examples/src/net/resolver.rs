//! What a user agent asks of the DNS.

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::RData;
use ocs_conmgmt::{Answer, Query, SrvRecord};
use tracing::debug;

/// Looks something up. What cannot be found is the empty answer.
pub(super) async fn resolve(query: &Query) -> Answer {
    match query {
        Query::Srv(name) => match services(name).await {
            Ok(records) => Answer::Srv(records),
            Err(error) => {
                debug!(name, cause = %error, "no service record");
                Answer::none(query)
            }
        },
        // The system's own way, with its hosts file.
        Query::Address(name) => match tokio::net::lookup_host((name.as_str(), 0)).await {
            Ok(addresses) => Answer::Address(addresses.map(|address| address.ip()).collect()),
            Err(error) => {
                debug!(name, cause = %error, "no address");
                Answer::none(query)
            }
        },
        Query::Autodiscover(_) => Answer::none(query),
    }
}

async fn services(name: &str) -> Result<Vec<SrvRecord>, hickory_resolver::net::NetError> {
    let resolver = TokioResolver::builder_tokio()?.build()?;
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
