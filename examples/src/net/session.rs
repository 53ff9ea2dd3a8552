//! A user agent on the network.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::{Duration, Instant};

use ocs_client::{Config, Error, Event, Output, UserAgent};
use ocs_conmgmt::{Answer, Peer, Query};
use ocs_sip_core::{ConnectionId, Transport};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::sleep;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::connection::{Outbox, Outgoing, Traffic, carry, outbox};
use super::resolver::resolve;

/// Inputs that wait for the user agent; readers wait when there are as many.
const INPUTS: usize = 64;
/// Events that wait for the application. When there are as many, nothing more is read from the server.
const EVENTS: usize = 256;

/// What a session tells.
#[derive(Debug)]
pub enum Happening {
    /// The user agent has something to tell.
    Event(Event),
    /// A server could not be connected to; the next one is tried.
    ConnectFailed {
        /// The server's name.
        host: String,
        /// Its address.
        address: SocketAddr,
        /// What went wrong.
        error: io::Error,
    },
}

type Command = Box<dyn FnOnce(&mut UserAgent, Instant) + Send>;

/// A user agent with its network. It ends, without a farewell, when it is dropped: sign out first.
#[derive(Debug)]
pub struct Session {
    commands: mpsc::Sender<Command>,
    happenings: mpsc::Receiver<Happening>,
}

impl Session {
    /// A session that is signed out. `server_name` is the name that the server's certificate must have, if
    /// it is not the one it is connected to by.
    ///
    /// # Errors
    /// The configuration cannot work.
    pub fn start(
        config: Config,
        tls: TlsConnector,
        server_name: Option<String>,
    ) -> Result<Self, Error> {
        let (commands, orders) = mpsc::channel(16);
        let (sender, happenings) = mpsc::channel(EVENTS);
        let (owner, inbox) = mpsc::channel(INPUTS);
        let driver = Driver {
            agent: UserAgent::new(config, super::seed())?,
            tls,
            server_name,
            owner,
            links: HashMap::new(),
            happenings: sender,
        };
        tokio::spawn(driver.run(orders, inbox));
        Ok(Self {
            commands,
            happenings,
        })
    }

    /// Has a command carried out and gives its answer; `None` when the session is over.
    pub async fn command<R: Send + 'static>(
        &self,
        command: impl FnOnce(&mut UserAgent, Instant) -> R + Send + 'static,
    ) -> Option<R> {
        let (answer, answered) = oneshot::channel();
        let command = Box::new(move |agent: &mut UserAgent, now| {
            let _ = answer.send(command(agent, now));
        });
        self.commands.send(command).await.ok()?;
        answered.await.ok()
    }

    /// What happens next; `None` when the session is over. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Happening> {
        self.happenings.recv().await
    }

    /// The next event of the user agent.
    pub async fn next_event(&mut self) -> Option<Event> {
        loop {
            if let Happening::Event(event) = self.next().await? {
                return Some(event);
            }
        }
    }
}

#[derive(Debug)]
enum Input {
    Resolved(Query, Answer),
    Connected(ConnectionId, SocketAddr),
    ConnectFailed(ConnectionId, Happening),
    Traffic(Traffic),
}

impl From<Traffic> for Input {
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

/// The task that owns the machine.
struct Driver {
    agent: UserAgent,
    tls: TlsConnector,
    server_name: Option<String>,
    owner: mpsc::Sender<Input>,
    links: HashMap<ConnectionId, Link>,
    happenings: mpsc::Sender<Happening>,
}

impl Driver {
    async fn run(mut self, mut orders: mpsc::Receiver<Command>, mut inbox: mpsc::Receiver<Input>) {
        let mut timer = pin!(sleep(Duration::ZERO));
        let happenings = self.happenings.clone();
        loop {
            self.flush();
            let full = happenings.capacity() == 0;
            let deadline = self.agent.poll_timeout();
            if let Some(deadline) = deadline {
                timer.as_mut().reset(deadline.into());
            }
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => order(&mut self.agent, Instant::now()),
                    None => return,
                },
                Some(input) = inbox.recv(), if !full => self.handle_input(Instant::now(), input),
                () = &mut timer, if deadline.is_some() => self.agent.handle_timeout(Instant::now()),
                _ = happenings.reserve(), if full => {}
            }
        }
    }

    fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Resolved(query, answer) => self.agent.handle_answer(now, &query, answer),
            Input::Connected(id, local) => {
                let Some(link) = self.links.get_mut(&id) else {
                    return;
                };
                link.connecting = None;
                let peer = match link.transport {
                    Transport::Tls => Peer::Verified,
                    _ => Peer::Plain,
                };
                self.agent.handle_connected(now, id, local, peer);
            }
            Input::ConnectFailed(id, happening) => {
                if self.links.remove(&id).is_some() {
                    let _ = self.happenings.try_send(happening);
                    self.agent.handle_connect_failed(now, id);
                }
            }
            Input::Traffic(Traffic::Data(id, data)) => self.agent.handle_data(now, id, data),
            Input::Traffic(Traffic::Closed(id, _)) => {
                if self.links.remove(&id).is_some() {
                    self.agent.handle_closed(now, id);
                }
            }
        }
    }

    /// Does what the user agent asks for.
    fn flush(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Resolve(query) => {
                    let owner = self.owner.clone();
                    tokio::spawn(async move {
                        let answer = resolve(&query).await;
                        let _ = owner.send(Input::Resolved(query, answer)).await;
                    });
                }
                Output::Connect {
                    connection,
                    transport,
                    host,
                    address,
                } => self.connect(connection, transport, host, address),
                Output::Send { connection, data } => {
                    if let Some(link) = self.links.get(&connection) {
                        link.outbox.send(data);
                    }
                }
                Output::Close { connection } => {
                    if let Some(link) = self.links.remove(&connection)
                        && let Some(connecting) = link.connecting
                    {
                        connecting.abort();
                    }
                }
            }
        }
        while self.happenings.capacity() > 0
            && let Some(event) = self.agent.poll_event()
        {
            let _ = self.happenings.try_send(Happening::Event(event));
        }
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
            let name = self.server_name.clone().unwrap_or_else(|| host.clone());
            (self.tls.clone(), name)
        });
        let connecting = tokio::spawn(async move {
            if let Err(error) = connect(id, address, tls, outgoing, &owner).await {
                let happening = Happening::ConnectFailed {
                    host,
                    address,
                    error,
                };
                let _ = owner.send(Input::ConnectFailed(id, happening)).await;
            }
        });
        let link = Link {
            transport,
            outbox,
            connecting: Some(connecting.abort_handle()),
        };
        self.links.insert(id, link);
    }
}

/// Connects and carries octets until the connection is closed.
async fn connect(
    id: ConnectionId,
    address: SocketAddr,
    tls: Option<(TlsConnector, String)>,
    outgoing: Outgoing,
    owner: &mpsc::Sender<Input>,
) -> io::Result<()> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    match tls {
        None => {
            let _ = owner.send(Input::Connected(id, local)).await;
            carry(stream, id, outgoing, owner.clone()).await;
        }
        Some((tls, name)) => {
            let name = ServerName::try_from(name)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
            let stream = tls.connect(name, stream).await?;
            let _ = owner.send(Input::Connected(id, local)).await;
            carry(stream, id, outgoing, owner.clone()).await;
        }
    }
    Ok(())
}
