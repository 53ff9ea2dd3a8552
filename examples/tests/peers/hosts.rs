//! A front end and user agents that run beside the test.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use ocs_client::UserAgent;
use ocs_examples::net::{self, Identity, Listeners, Network, Resolver, Session, Trust};
use ocs_server::{Config, Event, FrontEnd, MemoryStore, User};
use ocs_sip_core::{Aor, Transport};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::tap::Tap;

/// The password of every user.
pub(crate) const PASSWORD: &str = "Passw0rd";

/// A user of the domain.
pub(crate) fn user(name: &str) -> Aor {
    format!("{name}@contoso.com").parse().expect("an address")
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().expect("threads"))
}

/// A front end of contoso.com with alice, bob and carol.
pub(crate) struct Server {
    /// On the way to its TCP listener.
    pub(crate) tap: Tap,
    /// Its TLS listener.
    pub(crate) tls: SocketAddr,
    events: Arc<Mutex<Vec<Event>>>,
    running: net::Server,
}

impl Server {
    /// Listens on free ports of the loopback. `adjust` changes configuration and users.
    pub(crate) fn start(adjust: impl FnOnce(&mut Config, &mut MemoryStore)) -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let identity = Identity::self_signed(vec!["fe01.contoso.com".to_owned()]);
        let acceptor = identity
            .and_then(Identity::acceptor)
            .expect("a certificate");
        let mut listeners = Listeners::default();
        runtime().block_on(async {
            listeners.bind_tcp(any).await.expect("a free port");
            listeners
                .bind_tls(any, acceptor)
                .await
                .expect("a free port");
        });
        let tcp = listeners.tcp().expect("a listener");
        let tls = listeners.tls().expect("a listener");

        let (domain, transport) = ("contoso.com", Transport::Tcp);
        let clock = net::wall_clock();
        let mut config = Config::new("fe01.contoso.com", domain, transport, tcp.port(), clock);
        let mut store = MemoryStore::new("CONTOSO");
        for (name, display, line) in [
            ("alice", "Alice \"Al\" Å", "tel:+14255550100"),
            ("bob", "Bob", "tel:+14255550101"),
            ("carol", "Carol", "tel:+14255550102"),
        ] {
            let mut entry = User::new(user(name));
            entry.display_name = Some(display.to_owned());
            entry.line_uri = Some(line.to_owned());
            store.add_user(entry, PASSWORD);
        }
        adjust(&mut config, &mut store);
        let front_end = FrontEnd::new(config, store, net::seed()).expect("a configuration");

        let (sender, mut receiver) = mpsc::unbounded_channel();
        let events = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&events);
        let _inside = runtime().enter();
        let running = net::Server::start(front_end, listeners, Some(sender));
        runtime().spawn(async move {
            while let Some(event) = receiver.recv().await {
                lock(&told).push(event);
            }
        });
        Self {
            tap: Tap::start(tcp, Duration::ZERO),
            tls,
            events,
            running,
        }
    }

    /// What it told, in order.
    pub(crate) fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        lock(&self.events)
    }

    /// Shuts it down; gives what it told.
    pub(crate) fn drain(self) -> Vec<Event> {
        runtime().block_on(self.running.drain());
        std::mem::take(&mut *lock(&self.events))
    }
}

type Command = Box<dyn FnOnce(&mut UserAgent, Instant) + Send>;

/// A user agent of ours.
pub(crate) struct Client {
    commands: mpsc::UnboundedSender<Command>,
    events: Arc<Mutex<Vec<ocs_client::Event>>>,
}

impl Client {
    /// A user agent that signs in.
    pub(crate) fn start(config: ocs_client::Config) -> Self {
        let (commands, mut orders) = mpsc::unbounded_channel::<Command>();
        let events = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&events);
        let _inside = runtime().enter();
        let tls = Trust::Anybody.connector().expect("a configuration of TLS");
        let network = Network {
            tls,
            server_name: None,
            resolver: Resolver::system(),
        };
        let mut session = Session::start(config, network).expect("a configuration");
        runtime().spawn(async move {
            loop {
                tokio::select! {
                    order = orders.recv() => match order {
                        Some(order) => _ = session.command(order).await,
                        None => return,
                    },
                    event = session.next_event() => match event {
                        Some(event) => lock(&told).push(event),
                        None => return,
                    },
                }
            }
        });
        let client = Self { commands, events };
        client.command(UserAgent::sign_in);
        client
    }

    /// What it told, in order.
    pub(crate) fn events(&self) -> MutexGuard<'_, Vec<ocs_client::Event>> {
        lock(&self.events)
    }

    /// Has a command carried out.
    pub(crate) fn command(&self, command: impl FnOnce(&mut UserAgent, Instant) + Send + 'static) {
        let _ = self.commands.send(Box::new(command));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
