//! The connections of a user agent.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use ocs_client::{Output, UserAgent};
use ocs_conmgmt::{Answer, Peer, Query};
use ocs_sip_core::{ConnectionId, Transport};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::connection::{Outbox, Outgoing, Traffic, carry, outbox};
use super::session::{ConnectFailed, Network};

/// Octets that may wait for a server that does not read; then the connection counts as broken.
const BACKLOG: usize = 1024 * 1024;

/// What happens to the connections of a user agent.
#[derive(Debug)]
pub(super) enum Signal {
    Resolved(Query, Answer),
    Connected(ConnectionId, SocketAddr),
    ConnectFailed(ConnectionId, ConnectFailed),
    Traffic(Traffic),
}

impl From<Traffic> for Signal {
    fn from(traffic: Traffic) -> Self {
        Self::Traffic(traffic)
    }
}

/// A connection, or the attempt at one.
#[derive(Debug)]
struct Link {
    transport: Transport,
    outbox: Outbox,
    connecting: Option<AbortHandle>,
}

/// The connections of a user agent, and the tasks that carry them.
pub(super) struct Links {
    network: Network,
    owner: mpsc::Sender<Signal>,
    open: HashMap<ConnectionId, Link>,
}

impl Links {
    /// No connections yet. What happens to them is sent to `owner`.
    pub(super) fn new(network: Network, owner: mpsc::Sender<Signal>) -> Self {
        Self {
            network,
            owner,
            open: HashMap::new(),
        }
    }

    /// Hands in what has happened. Gives the attempt that failed.
    pub(super) fn handle(
        &mut self,
        agent: &mut UserAgent,
        now: Instant,
        signal: Signal,
    ) -> Option<ConnectFailed> {
        match signal {
            Signal::Resolved(query, answer) => agent.handle_answer(now, &query, answer),
            Signal::Connected(id, local) => {
                let link = self.open.get_mut(&id)?;
                link.connecting = None;
                let peer = match link.transport {
                    Transport::Tls => Peer::Verified,
                    _ => Peer::Plain,
                };
                agent.handle_connected(now, id, local, peer);
            }
            Signal::ConnectFailed(id, failed) => {
                self.open.remove(&id)?;
                agent.handle_connect_failed(now, id);
                return Some(failed);
            }
            Signal::Traffic(Traffic::Data(id, data)) => agent.handle_data(now, id, data),
            Signal::Traffic(Traffic::Closed(id, _)) => {
                self.open.remove(&id)?;
                agent.handle_closed(now, id);
            }
        }
        None
    }

    /// Does what the user agent asks for. Gives the connection that turned out to be broken: it is closed.
    pub(super) fn perform(&mut self, output: Output) -> Option<ConnectionId> {
        match output {
            Output::Resolve(query) => {
                let owner = self.owner.clone();
                let resolver = self.network.resolver.clone();
                tokio::spawn(async move {
                    let answer = resolver.resolve(&query).await;
                    let _ = owner.send(Signal::Resolved(query, answer)).await;
                });
            }
            Output::Connect {
                connection,
                transport,
                host,
                address,
            } => self.connect(connection, transport, host, address),
            Output::Send { connection, data } => {
                let link = self.open.get(&connection)?;
                if link.outbox.waiting() > BACKLOG {
                    self.open.remove(&connection);
                    return Some(connection);
                }
                link.outbox.send(data);
            }
            Output::Close { connection } => {
                if let Some(connecting) = self.open.remove(&connection)?.connecting {
                    connecting.abort();
                }
            }
        }
        None
    }

    fn connect(
        &mut self,
        id: ConnectionId,
        transport: Transport,
        host: String,
        address: SocketAddr,
    ) {
        let (outbox, outgoing) = outbox();
        let owner = self.owner.clone();
        let tls = (transport == Transport::Tls).then(|| {
            let name = self.network.server_name.clone();
            (
                self.network.tls.clone(),
                name.unwrap_or_else(|| host.clone()),
            )
        });
        let connecting = tokio::spawn(async move {
            if let Err(error) = connect(id, address, tls, outgoing, &owner).await {
                let failed = ConnectFailed {
                    host,
                    address,
                    error,
                };
                let _ = owner.send(Signal::ConnectFailed(id, failed)).await;
            }
        });
        let link = Link {
            transport,
            outbox,
            connecting: Some(connecting.abort_handle()),
        };
        self.open.insert(id, link);
    }
}

/// Connects and carries octets until the connection is closed.
async fn connect(
    id: ConnectionId,
    address: SocketAddr,
    tls: Option<(TlsConnector, String)>,
    outgoing: Outgoing,
    owner: &mpsc::Sender<Signal>,
) -> io::Result<()> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    match tls {
        None => {
            let _ = owner.send(Signal::Connected(id, local)).await;
            carry(stream, id, outgoing, owner.clone()).await;
        }
        Some((tls, name)) => {
            let name = ServerName::try_from(name)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
            let stream = tls.connect(name, stream).await?;
            let _ = owner.send(Signal::Connected(id, local)).await;
            carry(stream, id, outgoing, owner.clone()).await;
        }
    }
    Ok(())
}
