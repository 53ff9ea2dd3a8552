//! A front end behind listeners.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ocs_server::{CloseCause, Event, FrontEnd, Output, Peer, Store};
use ocs_sip_core::{ConnectionId, Transport};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, info, warn};

use super::connection::{LINGER, Outbox, Traffic, carry, outbox};

/// Inputs that wait for the front end; readers wait when there are as many.
const INPUTS: usize = 1024;
/// Inputs that are taken in before outputs are fetched: what goes to one connection is written at once.
const BATCH: usize = 64;
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// TLS handshakes at a time; further connections are closed at once.
const HANDSHAKES: usize = 4096;
/// The pause after an accept that failed: most often there are no file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug)]
enum Input {
    Accepted(ConnectionId, Peer, Outbox),
    Traffic(Traffic),
}

impl From<Traffic> for Input {
    fn from(traffic: Traffic) -> Self {
        Self::Traffic(traffic)
    }
}

/// Sockets that listen.
#[derive(Default)]
pub struct Listeners {
    tcp: Option<TcpListener>,
    tls: Option<(TcpListener, TlsAcceptor)>,
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listeners")
            .field("tcp", &self.tcp())
            .field("tls", &self.tls())
            .finish()
    }
}

impl Listeners {
    /// Listens for plain TCP; port 0 takes any.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn bind_tcp(&mut self, address: SocketAddr) -> io::Result<()> {
        self.tcp = Some(TcpListener::bind(address).await?);
        Ok(())
    }

    /// Listens for TLS; port 0 takes any.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn bind_tls(&mut self, address: SocketAddr, tls: TlsAcceptor) -> io::Result<()> {
        self.tls = Some((TcpListener::bind(address).await?, tls));
        Ok(())
    }

    /// Where plain TCP is listened for.
    #[must_use]
    pub fn tcp(&self) -> Option<SocketAddr> {
        self.tcp.as_ref()?.local_addr().ok()
    }

    /// Where TLS is listened for.
    #[must_use]
    pub fn tls(&self) -> Option<SocketAddr> {
        self.tls.as_ref()?.0.local_addr().ok()
    }

    /// Transport and port that the server is known by: those of TLS, if it listens for it.
    #[must_use]
    pub fn main(&self) -> Option<(Transport, u16)> {
        let tls = self.tls().map(|address| (Transport::Tls, address.port()));
        tls.or_else(|| Some((Transport::Tcp, self.tcp()?.port())))
    }
}

/// A front end that runs.
#[derive(Debug)]
pub struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves these listeners. Everything that happens is logged; `events` gets what the front end tells besides.
    #[must_use]
    pub fn start<S: Store + Send + 'static>(
        front_end: FrontEnd<S>,
        listeners: Listeners,
        events: Option<mpsc::UnboundedSender<Event>>,
    ) -> Self {
        let (owner, inbox) = mpsc::channel(INPUTS);
        let (stop, stopped) = oneshot::channel();
        let ids = Arc::new(AtomicU64::new(1));
        let mut accepting = JoinSet::new();
        if let Some(listener) = listeners.tcp {
            accepting.spawn(listen(listener, None, Arc::clone(&ids), owner.clone()));
        }
        if let Some((listener, tls)) = listeners.tls {
            accepting.spawn(listen(listener, Some(tls), ids, owner));
        }
        let driver = Driver {
            front_end,
            links: HashMap::new(),
            events,
        };
        let task = tokio::spawn(driver.run(inbox, accepting, stopped));
        Self { stop, task }
    }

    /// Tells every endpoint to come back later, closes all connections and waits until they are closed.
    pub async fn drain(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

/// The task that owns the machine.
struct Driver<S> {
    front_end: FrontEnd<S>,
    links: HashMap<ConnectionId, (Outbox, SocketAddr)>,
    events: Option<mpsc::UnboundedSender<Event>>,
}

impl<S: Store> Driver<S> {
    async fn run(
        mut self,
        mut inbox: mpsc::Receiver<Input>,
        accepting: JoinSet<()>,
        mut stopped: oneshot::Receiver<()>,
    ) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut timer = pin!(sleep(Duration::ZERO));
        loop {
            let deadline = self.front_end.poll_timeout();
            if let Some(deadline) = deadline {
                timer.as_mut().reset(deadline.into());
            }
            tokio::select! {
                _ = &mut stopped => break,
                count = inbox.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        // Nobody listens, and nobody is connected.
                        break;
                    }
                    let now = Instant::now();
                    for input in batch.drain(..) {
                        self.handle_input(now, input);
                    }
                }
                () = &mut timer, if deadline.is_some() => self.front_end.handle_timeout(Instant::now()),
            }
            self.flush();
        }
        info!(
            connections = self.front_end.connections(),
            registrations = self.front_end.registrations(),
            "draining"
        );
        drop(accepting);
        self.front_end.drain(Instant::now());
        self.flush();
        self.links.clear();
        // Each connection holds the other end of the inbox until it is closed.
        let closed = async { while inbox.recv().await.is_some() {} };
        if timeout(LINGER + LINGER, closed).await.is_err() {
            warn!("connections were left open");
        }
    }

    fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Accepted(id, peer, outbox) => {
                debug!(connection = %id, remote = %peer.remote, transport = %peer.transport, "connection opened");
                self.links.insert(id, (outbox, peer.remote));
                self.front_end.handle_accepted(now, id, peer);
            }
            Input::Traffic(Traffic::Data(id, data)) => self.front_end.handle_data(now, id, data),
            Input::Traffic(Traffic::Closed(id, cause)) => {
                if let Some((_, remote)) = self.links.remove(&id) {
                    let cause = cause.map_or_else(|| "end of stream".into(), |e| e.to_string());
                    debug!(connection = %id, %remote, cause, "connection closed by peer");
                    self.front_end.handle_closed(now, id);
                }
            }
        }
    }

    /// Does what the front end asks for.
    fn flush(&mut self) {
        let now = Instant::now();
        while let Some(output) = self.front_end.poll_output() {
            match output {
                Output::Send { connection, data } => {
                    if let Some((outbox, _)) = self.links.get(&connection) {
                        let waiting = outbox.waiting();
                        outbox.send(data);
                        self.front_end.handle_backlog(now, connection, waiting);
                    }
                }
                Output::Close { connection } => {
                    // Who did not read so far does not read the rest either.
                    if let Some((outbox, _)) = self.links.remove(&connection)
                        && outbox.waiting() > self.front_end.config().backlog
                    {
                        outbox.abort();
                    }
                }
            }
        }
        while let Some(event) = self.front_end.poll_event() {
            self.log(&event);
            if let Some(events) = &self.events {
                let _ = events.send(event);
            }
        }
    }

    fn remote(&self, connection: ConnectionId) -> Option<tracing::field::DisplayValue<SocketAddr>> {
        let (_, remote) = self.links.get(&connection)?;
        Some(tracing::field::display(*remote))
    }

    fn log(&self, event: &Event) {
        match event {
            Event::Closed {
                connection,
                remote,
                cause,
            } => {
                let cause = describe(cause);
                info!(%connection, %remote, cause, "connection closed");
            }
            Event::Malformed { connection, reason } => {
                info!(%connection, remote = self.remote(*connection), cause = reason, "malformed message");
            }
            Event::Dropped { connection, reason } => {
                info!(%connection, remote = self.remote(*connection), cause = reason, "message dropped");
            }
            Event::LogonFailure {
                connection,
                aor,
                reason,
            } => {
                warn!(%connection, remote = self.remote(*connection), %aor, cause = reason, "logon failed");
            }
            Event::Registered {
                aor,
                connection,
                instance,
                action,
            } => {
                let remote = connection.and_then(|id| self.remote(id));
                let connection = connection.map(tracing::field::display);
                info!(connection, remote, %aor, instance, cause = action, "registered");
            }
            Event::Unregistered {
                aor,
                instance,
                cause,
            } => info!(%aor, instance, ?cause, "unregistered"),
            // What stands in it is private.
            Event::QualityReported { aor, .. } => info!(%aor, "quality reported"),
            _ => debug!(?event, "event"),
        }
    }
}

fn describe(cause: &CloseCause) -> String {
    match cause {
        CloseCause::Timer(reason) => format!("{reason:?}"),
        CloseCause::Stream(reason) => reason.clone(),
        CloseCause::Backlog { octets } => format!("{octets} octets were not read"),
        CloseCause::TooMany => "too many connections".into(),
        CloseCause::Draining => "draining".into(),
        _ => format!("{cause:?}"),
    }
}

/// Accepts until it is dropped, and does TLS handshakes.
async fn listen(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    ids: Arc<AtomicU64>,
    owner: mpsc::Sender<Input>,
) {
    let mut handshakes = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = handshakes.join_next() => continue,
        };
        let (stream, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(cause = %error, "accept failed");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // Small messages that wait for nothing.
        let _ = stream.set_nodelay(true);
        let Ok(local) = stream.local_addr() else {
            continue;
        };
        let id = ConnectionId(ids.fetch_add(1, Ordering::Relaxed));
        let transport = if tls.is_some() {
            Transport::Tls
        } else {
            Transport::Tcp
        };
        let peer = Peer {
            transport,
            local,
            remote,
        };
        match &tls {
            None => _ = tokio::spawn(serve(stream, id, peer, owner.clone())),
            Some(_) if handshakes.len() >= HANDSHAKES => {
                warn!(connection = %id, %remote, cause = "too many handshakes", "connection closed");
            }
            Some(tls) => {
                _ = handshakes.spawn(handshake(stream, tls.clone(), id, peer, owner.clone()));
            }
        }
    }
}

async fn handshake(
    stream: TcpStream,
    tls: TlsAcceptor,
    id: ConnectionId,
    peer: Peer,
    owner: mpsc::Sender<Input>,
) {
    let cause = match timeout(HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => {
            tokio::spawn(serve(stream, id, peer, owner));
            return;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "timeout".to_owned(),
    };
    info!(connection = %id, remote = %peer.remote, cause, "TLS handshake failed");
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite,
    id: ConnectionId,
    peer: Peer,
    owner: mpsc::Sender<Input>,
) {
    let (outbox, outgoing) = outbox();
    if owner.send(Input::Accepted(id, peer, outbox)).await.is_ok() {
        carry(stream, id, outgoing, owner).await;
    }
}
