//! A telephone on the network.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdSocket};
use std::sync::Arc;
use std::sync::mpsc as std_mpsc;
use std::time::Instant;

use bytes::Bytes;
use ocs_client::phone::{self, Event, Output, Phone};
use ocs_client::{Config, Error, UserAgent};
use ocs_hosts::Person;
use ocs_media::Action;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tracing::debug;

use super::datagram::{receive, send};
use super::links::{Links, Signal};
use super::session::{ConnectFailed, Network};
use super::wait_until;

/// Inputs of a kind that wait for the machine; readers wait when there are as many.
const INPUTS: usize = 256;

/// What a telephone tells.
#[derive(Debug)]
pub enum News {
    /// The machine has something to tell. The person has heard it.
    Event(Box<Event>),
    /// A server could not be connected to; the next one is tried.
    ConnectFailed(ConnectFailed),
}

/// The sockets that a person opens for the telephone, on one address.
#[derive(Debug)]
pub struct Sockets(std_mpsc::Receiver<StdSocket>);

impl Sockets {
    /// Sockets on this address: what opens two of them, and where the telephone gets them.
    #[must_use]
    pub fn new(address: IpAddr) -> (crate::Ports, Self) {
        let (sender, sockets) = std_mpsc::channel();
        let open = move || {
            let socket = StdSocket::bind((address, 0))?;
            socket.set_nonblocking(true)?;
            let at = socket.local_addr()?;
            sender.send(socket).map_err(io::Error::other)?;
            Ok::<_, io::Error>(at)
        };
        (Box::new(move || Ok([open()?, open()?])), Self(sockets))
    }
}

/// A socket and who reads it.
#[derive(Debug)]
struct Socket {
    socket: Arc<UdpSocket>,
    reader: AbortHandle,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

type Datagram = (SocketAddr, SocketAddr, Bytes);

/// A telephone and who uses it. It runs while [`next`](Self::next) is awaited. Media goes over UDP.
pub struct Telephone<P> {
    phone: Phone,
    /// Who uses it.
    pub person: P,
    links: Links,
    signals: mpsc::Receiver<Signal>,
    opened: Sockets,
    sockets: HashMap<SocketAddr, Socket>,
    inbox: mpsc::Receiver<Datagram>,
    inputs: mpsc::Sender<Datagram>,
    news: VecDeque<News>,
}

impl<P> fmt::Debug for Telephone<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telephone")
            .field("phone", &self.phone)
            .field("sockets", &self.sockets)
            .finish_non_exhaustive()
    }
}

impl<P: Person> Telephone<P> {
    /// A telephone that is signed out.
    ///
    /// # Errors
    /// The configuration cannot work.
    pub fn new(
        config: Config,
        phone: phone::Config,
        network: Network,
        opened: Sockets,
        person: P,
    ) -> Result<Self, Error> {
        let (owner, signals) = mpsc::channel(INPUTS);
        let (inputs, inbox) = mpsc::channel(INPUTS);
        let agent = UserAgent::new(config, super::seed())?;
        Ok(Self {
            phone: Phone::new(agent, phone, super::seed()),
            person,
            links: Links::new(network, owner),
            signals,
            opened,
            sockets: HashMap::new(),
            inbox,
            inputs,
            news: VecDeque::new(),
        })
    }

    /// The machine.
    #[must_use]
    pub const fn phone(&self) -> &Phone {
        &self.phone
    }

    /// Has the person do something. What comes of it leaves with [`next`](Self::next).
    pub fn command<T>(&mut self, command: impl FnOnce(Instant, &mut Phone, &mut P) -> T) -> T {
        command(Instant::now(), &mut self.phone, &mut self.person)
    }

    /// The next thing to know. It may be given up before it is there.
    pub async fn next(&mut self) -> News {
        loop {
            self.flush().await;
            if let Some(news) = self.news.pop_front() {
                return news;
            }
            self.step().await;
        }
    }

    /// Waits for something to happen, and takes it in.
    async fn step(&mut self) {
        let timers = [self.phone.poll_timeout(), self.person.poll_timeout()];
        tokio::select! {
            Some(signal) = self.signals.recv() => {
                let links = &mut self.links;
                let now = Instant::now();
                let failed = self.phone.command(now, |agent| links.handle(agent, now, signal));
                self.news.extend(failed.map(News::ConnectFailed));
            }
            Some((base, from, data)) = self.inbox.recv() => {
                self.phone.handle_datagram(Instant::now(), base, from, data);
            }
            () = wait_until(timers.into_iter().flatten().min()) => {
                let now = Instant::now();
                if timers[1].is_some_and(|due| due <= now) {
                    self.person.handle_timeout(now, &mut self.phone);
                }
                self.phone.handle_timeout(now);
            }
        }
    }

    /// Tells the person what there is, and does what the machine asks for.
    async fn flush(&mut self) {
        loop {
            let now = Instant::now();
            let mut idle = true;
            self.take_sockets();
            while let Some((stream, packet)) = self.phone.poll_packet() {
                idle = false;
                self.person
                    .handle_packet(now, &mut self.phone, stream, &packet);
            }
            while let Some(event) = self.phone.poll_event() {
                idle = false;
                self.person.handle_event(now, &mut self.phone, &event);
                if let Event::StreamClosed { sockets, .. } = &event {
                    for base in sockets {
                        self.sockets.remove(base);
                    }
                }
                debug!(?event);
                self.news.push_back(News::Event(Box::new(event)));
            }
            while let Some(output) = self.phone.poll_output() {
                idle = false;
                match output {
                    Output::Agent(output) => {
                        if let Some(broken) = self.links.perform(output) {
                            self.phone
                                .command(now, |agent| agent.handle_closed(now, broken));
                        }
                    }
                    Output::Media {
                        action: Action::Datagram { base, to, data },
                        ..
                    } => {
                        if let Some(socket) = self.sockets.get(&base) {
                            send(&socket.socket, to, &data).await;
                        } else {
                            debug!(%base, "no such socket");
                        }
                    }
                    // Nobody has offered a candidate of TCP.
                    Output::Media { action, .. } => debug!(?action, "not done"),
                }
            }
            if idle {
                break;
            }
        }
    }

    /// Begins to read the sockets that the person has opened.
    fn take_sockets(&mut self) {
        while let Ok(socket) = self.opened.0.try_recv() {
            let Ok((base, socket)) = socket
                .local_addr()
                .and_then(|base| Ok((base, UdpSocket::from_std(socket)?)))
            else {
                continue;
            };
            let socket = Arc::new(socket);
            let input = move |from, data| (base, from, data);
            let reading = receive(Arc::clone(&socket), self.inputs.clone(), input);
            let reader = tokio::spawn(reading).abort_handle();
            self.sockets.insert(base, Socket { socket, reader });
        }
    }
}
