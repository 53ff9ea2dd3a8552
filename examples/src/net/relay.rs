//! A relay of [MS-TURN] behind its sockets.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use ocs_avedgea::token::{Key, Refused, SharedKeys, Token, Verifier};
use ocs_sip_core::{ConnectionId, WallClock};
use ocs_stun::Password;
use ocs_stun::attribute::AddressFamily;
use ocs_turn::server::{
    self, Action, Config, CredentialStore, Event, Lookup, PeerConnectionId, RelayId, Socket,
};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};
use tracing::{debug, info, warn};

use super::connection::{Outbox, Traffic, carry, outbox};
use super::datagram::{receive, send};
use super::stream::{accept, connect, listen};
use super::{seed, wait_until};

/// Inputs that wait for the relay; readers wait when there are as many.
const INPUTS: usize = 1024;
/// Octets that may wait for who does not read; then the connection is closed. What is relayed is worth nothing later.
const BACKLOG: usize = 1024 * 1024;
/// How often a port is looked for that is free for both UDP and TCP.
const ATTEMPTS: usize = 16;

/// Who may use a relay: those on a list, and who has a token of \[MS-AVEDGEA\].
#[derive(Debug)]
pub struct Accounts {
    passwords: HashMap<Vec<u8>, Password>,
    verifier: Option<Verifier>,
    clock: WallClock,
}

impl Accounts {
    /// Nobody yet. `clock` tells when tokens end.
    #[must_use]
    pub fn new(clock: WallClock) -> Self {
        Self {
            passwords: HashMap::new(),
            verifier: None,
            clock,
        }
    }

    /// Adds a long-term credential.
    pub fn add(&mut self, name: &str, password: &str) {
        self.passwords
            .insert(name.into(), Password::from(password.as_bytes()));
    }

    /// Accepts tokens that were made under these keys, besides those of former calls.
    pub fn accept_tokens(&mut self, keys: SharedKeys) {
        match &mut self.verifier {
            Some(verifier) => verifier.add_keys(keys),
            None => self.verifier = Some(Verifier::new(keys)),
        }
    }

    /// Whether nobody may use the relay.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.passwords.is_empty() && self.verifier.is_none()
    }
}

impl CredentialStore for Accounts {
    fn lookup(&self, now: Instant, username: &[u8]) -> Lookup {
        if let Some(password) = self.passwords.get(username) {
            return Lookup::Password(password.clone());
        }
        let Some(verifier) = &self.verifier else {
            return Lookup::Unknown;
        };
        match verifier.verify(self.clock.filetime(now), username) {
            Ok((_, password)) => Lookup::Password(password.as_bytes().into()),
            Err(Refused::Expired) => Lookup::Expired,
            Err(_) => Lookup::Unknown,
        }
    }

    fn account<'a>(&'a self, username: &'a [u8]) -> &'a [u8] {
        Token::client_id_in(username).unwrap_or(username)
    }
}

/// The two keys in a secret, one after the other, of the same length: that of usernames and that of passwords.
///
/// # Errors
/// One of them is too short.
pub fn shared_keys(secret: &[u8]) -> Result<SharedKeys, ocs_avedgea::Error> {
    let (username, password) = secret.split_at(secret.len() / 2);
    Ok(SharedKeys::new(Key::new(username)?, Key::new(password)?))
}

#[derive(Debug)]
enum Input {
    /// A datagram of a client.
    Datagram(SocketAddr, Bytes),
    /// A datagram of a peer.
    PeerDatagram(RelayId, SocketAddr, Bytes),
    /// A client has connected.
    Accepted(TcpStream, SocketAddr),
    /// A peer has connected.
    PeerAccepted(RelayId, TcpStream, SocketAddr),
    /// A connection with a peer was made, or not.
    PeerConnected(PeerConnectionId, io::Result<TcpStream>),
    Traffic(Traffic),
}

impl From<Traffic> for Input {
    fn from(traffic: Traffic) -> Self {
        Self::Traffic(traffic)
    }
}

/// A UDP and a TCP socket on one port.
#[derive(Debug)]
pub struct RelaySockets {
    udp: Arc<UdpSocket>,
    tcp: TcpListener,
}

impl RelaySockets {
    /// Binds both; port 0 takes any that is free.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let mut attempt = 1;
        loop {
            let tcp = TcpListener::bind(address).await?;
            match UdpSocket::bind(tcp.local_addr()?).await {
                Ok(udp) => {
                    let udp = Arc::new(udp);
                    return Ok(Self { udp, tcp });
                }
                // Another port may be free for both.
                Err(_) if address.port() == 0 && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Where they are.
    ///
    /// # Errors
    /// As the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// A relay that runs.
#[derive(Debug)]
pub struct Relay {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Serves clients at these sockets. Relayed ports are bound at the address of `at` that has the family asked for; the configuration is made
    /// to fit both.
    ///
    /// # Errors
    /// The address of the sockets is not known.
    pub fn start(
        mut config: Config,
        accounts: Accounts,
        sockets: RelaySockets,
        at: Vec<IpAddr>,
    ) -> io::Result<Self> {
        let listen = sockets.address()?;
        config.ipv4 = at.iter().any(IpAddr::is_ipv4);
        config.ipv6 = at.iter().any(IpAddr::is_ipv6);
        let own = at.iter().map(|ip| SocketAddr::new(*ip, listen.port()));
        config.listeners.extend(own.chain([listen]));
        let rng = ChaCha12Rng::from_seed(seed());
        let (inputs, inbox) = mpsc::channel(INPUTS);
        let (stop, stopped) = oneshot::channel();
        let mut listening = JoinSet::new();
        let udp = Arc::clone(&sockets.udp);
        listening.spawn(receive(udp, inputs.clone(), Input::Datagram));
        listening.spawn(accept(sockets.tcp, inputs.clone(), Input::Accepted));
        let driver = Driver {
            server: server::Server::new(Instant::now(), config, accounts, rng),
            udp: sockets.udp,
            at,
            inputs,
            ports: HashMap::new(),
            links: HashMap::new(),
            peers: HashMap::new(),
            next: 0,
        };
        let task = tokio::spawn(async move {
            driver.run(inbox, stopped).await;
            drop(listening);
        });
        Ok(Self { stop, task })
    }

    /// Stops; all allocations end.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// A relayed port: closed when it is dropped.
struct Port {
    address: SocketAddr,
    /// Of UDP.
    socket: Option<Arc<UdpSocket>>,
    reading: AbortHandle,
}

impl Drop for Port {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy)]
enum Whose {
    Client,
    Peer(PeerConnectionId),
}

/// Owns the machine.
struct Driver {
    server: server::Server<Accounts, ChaCha12Rng>,
    udp: Arc<UdpSocket>,
    at: Vec<IpAddr>,
    inputs: mpsc::Sender<Input>,
    ports: HashMap<RelayId, Port>,
    links: HashMap<ConnectionId, (Outbox, Whose)>,
    peers: HashMap<PeerConnectionId, ConnectionId>,
    next: u64,
}

impl Driver {
    async fn run(mut self, mut inbox: mpsc::Receiver<Input>, mut stopped: oneshot::Receiver<()>) {
        loop {
            let timeout = self.server.poll_timeout();
            tokio::select! {
                input = inbox.recv() => match input {
                    Some(input) => self.handle(input),
                    None => return,
                },
                () = wait_until(timeout) => self.server.handle_timeout(Instant::now()),
                _ = &mut stopped => return,
            }
            self.flush().await;
        }
    }

    /// What the machine ignores is no fault of ours, and worth a line for who looks for one.
    fn handle(&mut self, input: Input) {
        let now = Instant::now();
        let result = match input {
            Input::Datagram(from, data) => self.server.handle_datagram(now, from, &data),
            Input::PeerDatagram(relay, from, data) => {
                self.server.handle_peer_datagram(now, relay, from, &data)
            }
            Input::Accepted(stream, from) => {
                let id = self.name();
                if self.server.handle_connected(now, client(id), from) {
                    self.link(id, stream, Whose::Client);
                }
                Ok(())
            }
            Input::PeerAccepted(relay, stream, from) => {
                if let Some(peer) = self.server.handle_peer_accepted(now, relay, from) {
                    self.link_peer(peer, stream);
                }
                Ok(())
            }
            Input::PeerConnected(peer, Ok(stream)) => {
                let result = self.server.handle_peer_connected(peer);
                if result.is_ok() {
                    self.link_peer(peer, stream);
                }
                result
            }
            Input::PeerConnected(peer, Err(error)) => {
                debug!(cause = %error, "peer not reached");
                self.server.handle_peer_closed(peer);
                Ok(())
            }
            Input::Traffic(Traffic::Data(id, data)) => match self.links.get(&id) {
                Some((_, Whose::Client)) => self.server.handle_data(now, client(id), &data),
                Some(&(_, Whose::Peer(peer))) => self.server.handle_peer_data(now, peer, &data),
                None => Ok(()),
            },
            Input::Traffic(Traffic::Closed(id, _)) => {
                self.closed(id);
                Ok(())
            }
        };
        if let Err(error) = result {
            debug!(cause = %error, "ignored");
        }
    }

    fn name(&mut self) -> ConnectionId {
        self.next += 1;
        ConnectionId(self.next)
    }

    fn link(&mut self, id: ConnectionId, stream: TcpStream, whose: Whose) {
        // Media waits for nothing.
        let _ = stream.set_nodelay(true);
        let (outbox, outgoing) = outbox();
        self.links.insert(id, (outbox, whose));
        tokio::spawn(carry(stream, id, outgoing, self.inputs.clone()));
    }

    fn link_peer(&mut self, peer: PeerConnectionId, stream: TcpStream) {
        let id = self.name();
        self.peers.insert(peer, id);
        self.link(id, stream, Whose::Peer(peer));
    }

    /// A connection has ended; gives what is left of it.
    fn closed(&mut self, id: ConnectionId) -> Option<Outbox> {
        let (outbox, whose) = self.links.remove(&id)?;
        match whose {
            Whose::Client => self.server.handle_closed(client(id)),
            Whose::Peer(peer) => {
                self.peers.remove(&peer);
                self.server.handle_peer_closed(peer);
            }
        }
        Some(outbox)
    }

    /// Does what the machine asks for. What is to be sent comes first: a connection may be closed behind it.
    async fn flush(&mut self) {
        loop {
            self.transmit().await;
            let Some(action) = self.server.poll_action() else {
                break;
            };
            self.act(action);
        }
        while let Some(event) = self.server.poll_event() {
            log(&event);
        }
    }

    async fn transmit(&mut self) {
        let mut slow = Vec::new();
        while let Some(transmit) = self.server.poll_transmit() {
            let octets = transmit.octets;
            let id = match transmit.socket {
                Socket::Udp { to } => {
                    send(&self.udp, to, octets).await;
                    continue;
                }
                Socket::Relay { relay, to } => {
                    let port = self.ports.get(&relay);
                    if let Some(socket) = port.and_then(|port| port.socket.as_deref()) {
                        send(socket, to, octets).await;
                    }
                    continue;
                }
                Socket::Connection(server::ConnectionId(id)) => ConnectionId(id),
                Socket::Peer(peer) => match self.peers.get(&peer) {
                    Some(id) => *id,
                    None => continue,
                },
            };
            if let Some((outbox, _)) = self.links.get(&id) {
                outbox.send(Bytes::copy_from_slice(octets));
                if outbox.waiting() > BACKLOG {
                    slow.push(id);
                }
            }
        }
        for id in slow {
            if let Some(outbox) = self.closed(id) {
                info!(cause = "does not read", "connection closed");
                outbox.abort();
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Bind { relay, stream } => {
                let port = self.bind(relay, stream);
                let port = port.inspect_err(|error| warn!(cause = %error, "no port"));
                let address = port.as_ref().ok().map(|port| port.address);
                let bound = self.server.handle_bound(Instant::now(), relay, address);
                if let (Ok(()), Ok(port)) = (bound, port) {
                    self.ports.insert(relay, port);
                }
            }
            Action::Unbind(relay) => _ = self.ports.remove(&relay),
            Action::Connect {
                connection,
                relay,
                peer,
            } => {
                let from = self.ports.get(&relay).map(|port| port.address);
                let inputs = self.inputs.clone();
                tokio::spawn(async move {
                    let result = match from {
                        Some(from) => connect(from, peer).await,
                        None => Err(io::ErrorKind::AddrNotAvailable.into()),
                    };
                    let _ = inputs.send(Input::PeerConnected(connection, result)).await;
                });
            }
            Action::ClosePeer(peer) => {
                if let Some(id) = self.peers.remove(&peer) {
                    self.links.remove(&id);
                }
            }
            Action::Close(server::ConnectionId(id)) => {
                self.links.remove(&ConnectionId(id));
            }
        }
    }

    fn bind(&self, relay: RelayId, stream: bool) -> io::Result<Port> {
        let v4 = relay.family == AddressFamily::Ipv4;
        let ip = self.at.iter().find(|ip| ip.is_ipv4() == v4);
        let ip = ip.ok_or(io::ErrorKind::AddrNotAvailable)?;
        let any = SocketAddr::new(*ip, 0);
        let inputs = self.inputs.clone();
        if stream {
            let listener = listen(any)?;
            return Ok(Port {
                address: listener.local_addr()?,
                socket: None,
                reading: tokio::spawn(accept(listener, inputs, move |stream, from| {
                    Input::PeerAccepted(relay, stream, from)
                }))
                .abort_handle(),
            });
        }
        let socket = std::net::UdpSocket::bind(any)?;
        socket.set_nonblocking(true)?;
        let socket = Arc::new(UdpSocket::from_std(socket)?);
        Ok(Port {
            address: socket.local_addr()?,
            socket: Some(Arc::clone(&socket)),
            reading: tokio::spawn(receive(socket, inputs, move |from, data| {
                Input::PeerDatagram(relay, from, data)
            }))
            .abort_handle(),
        })
    }
}

const fn client(id: ConnectionId) -> server::ConnectionId {
    server::ConnectionId(id.0)
}

fn log(event: &Event) {
    match event {
        Event::Allocated {
            client, ipv4, ipv6, ..
        } => info!(?client, ?ipv4, ?ipv6, "allocated"),
        Event::Released { reason, .. } => info!(?reason, "released"),
        Event::Refused { client, code } => debug!(?client, code, "refused"),
        _ => debug!(?event, "event"),
    }
}
