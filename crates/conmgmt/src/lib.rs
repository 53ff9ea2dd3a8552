#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod backoff;
pub mod certificate;
pub mod channel;
pub mod connector;
pub mod discovery;
mod error;
pub mod keep_alive;
pub mod name;
pub mod redirect;

pub use backoff::{Backoff, BackoffConfig, RetryRule};
pub use certificate::CertificateNames;
pub use channel::{Channel, ChannelError};
pub use connector::{AttemptId, Connection, Connector, ConnectorConfig, Event, Output, Peer};
pub use discovery::{
    Access, Answer, AutodiscoverAnswer, Candidate, DhcpServer, Discovery, DiscoveryConfig, Failure,
    FailureReason, Limits, NameSet, Query, Source, SrvRecord,
};
pub use error::Error;
pub use keep_alive::{
    ClientKeepAlive, ClientKeepAliveConfig, CloseReason, KEEP_ALIVE, MsKeepAlive, ServerKeepAlive,
    ServerKeepAliveConfig,
};
pub use name::{NamingPolicy, Server};
pub use redirect::RedirectGuard;
