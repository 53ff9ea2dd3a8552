//! A user agent on the network.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::{Duration, Instant};

use ocs_client::{Config, Error, Event, UserAgent};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tokio_rustls::TlsConnector;

use super::links::{Links, Signal};
use super::resolver::Resolver;

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
    ConnectFailed(ConnectFailed),
}

/// A server that could not be connected to.
#[derive(Debug)]
pub struct ConnectFailed {
    /// The server's name.
    pub host: String,
    /// Its address.
    pub address: SocketAddr,
    /// What went wrong.
    pub error: io::Error,
}

impl fmt::Display for ConnectFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            address,
            error,
        } = self;
        write!(f, "cannot connect to {host} ({address}): {error}")
    }
}

impl From<ConnectFailed> for Happening {
    fn from(failed: ConnectFailed) -> Self {
        Self::ConnectFailed(failed)
    }
}

/// How a session reaches its server.
#[derive(Clone)]
pub struct Network {
    /// The client of TLS, with whom it trusts.
    pub tls: TlsConnector,
    /// The name that the server's certificate must have, if it is not the one that the server is connected to by.
    pub server_name: Option<String>,
    /// Who knows names.
    pub resolver: Resolver,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network")
            .field("server_name", &self.server_name)
            .field("resolver", &self.resolver)
            .finish_non_exhaustive()
    }
}

type Command = Box<dyn FnOnce(&mut UserAgent, Instant) + Send>;

/// A user agent with its network. It ends, without a farewell, when it is dropped: sign out first.
#[derive(Debug)]
pub struct Session {
    commands: mpsc::Sender<Command>,
    happenings: mpsc::Receiver<Happening>,
}

impl Session {
    /// A session that is signed out.
    ///
    /// # Errors
    /// The configuration cannot work.
    pub fn start(config: Config, network: Network) -> Result<Self, Error> {
        let (commands, orders) = mpsc::channel(16);
        let (sender, happenings) = mpsc::channel(EVENTS);
        let (owner, inbox) = mpsc::channel(INPUTS);
        let driver = Driver {
            agent: UserAgent::new(config, super::seed())?,
            links: Links::new(network, owner),
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

/// The task that owns the machine.
struct Driver {
    agent: UserAgent,
    links: Links,
    happenings: mpsc::Sender<Happening>,
}

impl Driver {
    async fn run(mut self, mut orders: mpsc::Receiver<Command>, mut inbox: mpsc::Receiver<Signal>) {
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

    fn handle_input(&mut self, now: Instant, signal: Signal) {
        if let Some(failed) = self.links.handle(&mut self.agent, now, signal) {
            let _ = self.happenings.try_send(failed.into());
        }
    }

    /// Does what the user agent asks for.
    fn flush(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            if let Some(broken) = self.links.perform(output) {
                self.agent.handle_closed(Instant::now(), broken);
            }
        }
        while self.happenings.capacity() > 0
            && let Some(event) = self.agent.poll_event()
        {
            let _ = self.happenings.try_send(Happening::Event(event));
        }
    }
}
