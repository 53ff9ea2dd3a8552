//! An endpoint of [MS-ICE2] or [MS-ICE] behind its sockets.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use ocs_ice::endpoint::{Action, Endpoint, Link};
use ocs_ice::{Agent, Event};
use ocs_sip_core::ConnectionId;
use rand_chacha::ChaCha12Rng;
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;
use tracing::{debug, info, warn};

use super::connection::{LINGER, Outbox, Outgoing, Traffic, carry, outbox};
use super::datagram::{receive, send};
use super::stream::{accept, connect, listen, shared};
use super::wait_until;

/// Inputs that wait for the machine; readers wait when there are as many.
const INPUTS: usize = 256;
/// Octets that may wait for who does not read; then the connection is closed. What is late is worth nothing.
const BACKLOG: usize = 1024 * 1024;

#[derive(Debug)]
enum Input {
    /// A datagram came to a socket.
    Datagram(SocketAddr, SocketAddr, Bytes),
    /// Somebody connected to the socket of a passive candidate.
    Accepted(SocketAddr, TcpStream, SocketAddr),
    /// A connection was made.
    Connected(ConnectionId),
    Traffic(Traffic),
}

impl From<Traffic> for Input {
    fn from(traffic: Traffic) -> Self {
        Self::Traffic(traffic)
    }
}

/// A connection, made or being made.
#[derive(Debug)]
struct Connection {
    id: ConnectionId,
    outbox: Outbox,
    /// While it is being made.
    connecting: Option<AbortHandle>,
}

/// An endpoint that runs while [`next`](Self::next) is awaited.
#[derive(Debug)]
pub struct IcePeer {
    endpoint: Endpoint<ChaCha12Rng>,
    sockets: HashMap<SocketAddr, Arc<UdpSocket>>,
    /// They keep the ports of active candidates, from which others connect.
    reserved: Vec<TcpSocket>,
    connections: HashMap<Link, Connection>,
    next_connection: u64,
    inputs: mpsc::Sender<Input>,
    inbox: mpsc::Receiver<Input>,
    reading: JoinSet<()>,
    carrying: JoinSet<()>,
}

impl IcePeer {
    /// A peer with this endpoint, without sockets.
    #[must_use]
    pub fn new(endpoint: Endpoint<ChaCha12Rng>) -> Self {
        let (inputs, inbox) = mpsc::channel(INPUTS);
        Self {
            endpoint,
            sockets: HashMap::new(),
            reserved: Vec::new(),
            connections: HashMap::new(),
            next_connection: 0,
            inputs,
            inbox,
            reading: JoinSet::new(),
            carrying: JoinSet::new(),
        }
    }

    /// Binds a socket for a host candidate over UDP, and says where; port 0 takes any.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn bind(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        let socket = Arc::new(UdpSocket::bind(address).await?);
        let base = socket.local_addr()?;
        let input = move |from, data| Input::Datagram(base, from, data);
        self.reading
            .spawn(receive(Arc::clone(&socket), self.inputs.clone(), input));
        self.sockets.insert(base, socket);
        Ok(base)
    }

    /// Listens for a passive candidate, and says where.
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn listen(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = listen(address)?;
        let base = listener.local_addr()?;
        let input = move |stream, from| Input::Accepted(base, stream, from);
        self.reading
            .spawn(accept(listener, self.inputs.clone(), input));
        Ok(base)
    }

    /// Keeps a TCP port for an active candidate, or for connections with a relay, and says which.
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn reserve(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        let socket = shared(address)?;
        let base = socket.local_addr()?;
        self.reserved.push(socket);
        Ok(base)
    }

    /// The machine.
    #[must_use]
    pub const fn endpoint(&self) -> &Endpoint<ChaCha12Rng> {
        &self.endpoint
    }

    /// Gives the agent a command. What it wants to send leaves with [`next`](Self::next).
    pub fn command<T>(&mut self, command: impl FnOnce(&mut Agent<ChaCha12Rng>, Instant) -> T) -> T {
        let now = Instant::now();
        self.endpoint.command(now, |agent| command(agent, now))
    }

    /// The next thing to know. It may be given up before it is there.
    pub async fn next(&mut self) -> Event {
        loop {
            self.flush().await;
            if let Some(event) = self.endpoint.poll_event() {
                return event;
            }
            self.step().await;
        }
    }

    /// Gives the allocations back and closes the connections. That takes as long as relay and peer need for their part, but not for ever.
    pub async fn close(mut self) {
        self.command(|agent, _| agent.close());
        let released = async {
            self.flush().await;
            while self.endpoint.poll_timeout().is_some() {
                self.step().await;
                self.flush().await;
            }
        };
        if timeout(LINGER, released).await.is_err() {
            info!("a relay did not confirm the end of its allocation");
        }
        self.connections.clear();
        // Nobody takes what still comes.
        drop(self.inbox);
        let written = async { while self.carrying.join_next().await.is_some() {} };
        let _ = timeout(LINGER, written).await;
    }

    /// Waits for something to happen, and takes it in.
    async fn step(&mut self) {
        let timer = self.endpoint.poll_timeout();
        tokio::select! {
            Some(input) = self.inbox.recv() => self.handle(input),
            () = wait_until(timer) => self.endpoint.handle_timeout(Instant::now()),
        }
    }

    fn handle(&mut self, input: Input) {
        let now = Instant::now();
        match input {
            Input::Datagram(base, from, data) => {
                self.endpoint.handle_datagram(now, base, from, data);
            }
            Input::Accepted(base, stream, from) => {
                // What is not expected is closed.
                if let Ok(link) = self.endpoint.handle_accepted(now, base, from) {
                    let (id, outgoing) = self.open(link);
                    self.carrying
                        .spawn(run(stream, id, outgoing, self.inputs.clone()));
                }
            }
            Input::Connected(id) => {
                if let Some(link) = self.link(id) {
                    if let Some(connection) = self.connections.get_mut(&link) {
                        connection.connecting = None;
                    }
                    self.endpoint.handle_connected(now, link);
                }
            }
            Input::Traffic(Traffic::Data(id, data)) => {
                if let Some(link) = self.link(id) {
                    self.endpoint.handle_stream(now, link, data);
                }
            }
            Input::Traffic(Traffic::Closed(id, cause)) => {
                if let Some(link) = self.link(id) {
                    debug!(?link, ?cause, "closed");
                    self.connections.remove(&link);
                    self.endpoint.handle_closed(now, link);
                }
            }
        }
    }

    /// Of a connection that was not closed or replaced meanwhile.
    fn link(&self, id: ConnectionId) -> Option<Link> {
        let mut all = self.connections.iter();
        all.find(|(_, connection)| connection.id == id)
            .map(|(link, _)| *link)
    }

    /// A new connection of this name; a former one is closed.
    fn open(&mut self, link: Link) -> (ConnectionId, Outgoing) {
        self.shut(link);
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        let (outbox, outgoing) = outbox();
        let connection = Connection {
            id,
            outbox,
            connecting: None,
        };
        self.connections.insert(link, connection);
        (id, outgoing)
    }

    fn connect(&mut self, link: Link, base: SocketAddr, to: SocketAddr) {
        let (id, outgoing) = self.open(link);
        let inputs = self.inputs.clone();
        let connecting = self.carrying.spawn(async move {
            match connect(base, to).await {
                Ok(stream) => {
                    let _ = inputs.send(Input::Connected(id)).await;
                    run(stream, id, outgoing, inputs).await;
                }
                Err(error) => {
                    let closed = Traffic::Closed(id, Some(error));
                    let _ = inputs.send(closed.into()).await;
                }
            }
        });
        if let Some(connection) = self.connections.get_mut(&link) {
            connection.connecting = Some(connecting);
        }
    }

    /// Closes a connection once everything is written, or stops to make it.
    fn shut(&mut self, link: Link) {
        let connection = self.connections.remove(&link);
        if let Some(connecting) = connection.and_then(|connection| connection.connecting) {
            connecting.abort();
        }
    }

    fn write(&mut self, link: Link, data: Bytes) {
        let Some(connection) = self.connections.get(&link) else {
            return;
        };
        connection.outbox.send(data);
        if connection.outbox.waiting() > BACKLOG
            && let Some(slow) = self.connections.remove(&link)
        {
            info!(?link, cause = "does not read", "connection closed");
            slow.outbox.abort();
            self.endpoint.handle_closed(Instant::now(), link);
        }
    }

    /// Sends what waits.
    async fn flush(&mut self) {
        while self.carrying.try_join_next().is_some() {}
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Datagram { base, to, data } => {
                    if let Some(socket) = self.sockets.get(&base) {
                        send(socket, to, &data).await;
                    } else {
                        debug!(%base, "no such socket");
                    }
                }
                Action::Connect { link, base, to } => self.connect(link, base, to),
                Action::Stream { link, data } => self.write(link, data),
                Action::Close { link } => self.shut(link),
            }
        }
        while let Some((relay, failure)) = self.endpoint.poll_failure() {
            warn!(%relay, ?failure, "no relayed candidate");
        }
    }
}

/// Carries the octets of a connection until it is closed.
async fn run(stream: TcpStream, id: ConnectionId, outgoing: Outgoing, inputs: mpsc::Sender<Input>) {
    // Media waits for nothing.
    let _ = stream.set_nodelay(true);
    carry(stream, id, outgoing, inputs).await;
}
