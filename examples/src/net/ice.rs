//! An endpoint of [MS-ICE2] or [MS-ICE] behind its UDP sockets.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use ocs_ice::endpoint::{Action, Endpoint};
use ocs_ice::{Agent, Event};
use rand_chacha::ChaCha12Rng;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::datagram::{receive, send};
use super::wait_until;

/// Datagrams that wait for the machine; readers wait when there are as many.
const INPUTS: usize = 256;

/// A datagram that came to a socket.
#[derive(Debug)]
struct Input {
    base: SocketAddr,
    from: SocketAddr,
    data: Bytes,
}

/// An endpoint that runs while [`next`](Self::next) is awaited. It has no TCP.
#[derive(Debug)]
pub struct IcePeer {
    endpoint: Endpoint<ChaCha12Rng>,
    sockets: HashMap<SocketAddr, Arc<UdpSocket>>,
    inputs: mpsc::Sender<Input>,
    inbox: mpsc::Receiver<Input>,
    reading: JoinSet<()>,
}

impl IcePeer {
    /// A peer with this endpoint, without sockets.
    #[must_use]
    pub fn new(endpoint: Endpoint<ChaCha12Rng>) -> Self {
        let (inputs, inbox) = mpsc::channel(INPUTS);
        Self {
            endpoint,
            sockets: HashMap::new(),
            inputs,
            inbox,
            reading: JoinSet::new(),
        }
    }

    /// Binds a socket for a host candidate, and says where; port 0 takes any.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn bind(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        let socket = Arc::new(UdpSocket::bind(address).await?);
        let base = socket.local_addr()?;
        let input = move |from, data| Input { base, from, data };
        self.reading
            .spawn(receive(Arc::clone(&socket), self.inputs.clone(), input));
        self.sockets.insert(base, socket);
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
            let timeout = self.endpoint.poll_timeout();
            tokio::select! {
                Some(Input { base, from, data }) = self.inbox.recv() => {
                    self.endpoint.handle_datagram(Instant::now(), base, from, data);
                }
                () = wait_until(timeout) => self.endpoint.handle_timeout(Instant::now()),
            }
        }
    }

    /// Sends what waits.
    pub async fn flush(&mut self) {
        while let Some(action) = self.endpoint.poll_action() {
            match action {
                Action::Datagram { base, to, data } => {
                    if let Some(socket) = self.sockets.get(&base) {
                        send(socket, to, &data).await;
                    } else {
                        debug!(%base, "no such socket");
                    }
                }
                Action::Connect { link, .. } => {
                    self.endpoint.handle_closed(Instant::now(), link);
                }
                Action::Stream { .. } | Action::Close { .. } => {}
            }
        }
        while let Some((relay, failure)) = self.endpoint.poll_failure() {
            warn!(%relay, ?failure, "no relayed candidate");
        }
    }
}
