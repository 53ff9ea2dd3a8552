//! The user agent: finds its server, signs in, talks.

mod bootstrap;
mod call;
mod connecting;
mod contacts;
mod conversation;
mod incoming;
mod presence;
mod quality;
mod relay;
mod sending;
mod services;
mod signing_in;
mod subscriptions;
mod topics;
mod watching;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bootstrap::Bootstrap;
use bytes::Bytes;
use ocs_conmgmt::{Answer, Connector, Peer, Query};
use ocs_pres::client::{SelfPresence, Watch};
use ocs_sip_core::admit::Capabilities;
use ocs_sip_core::transaction::{ClientId, Layer, Timers};
use ocs_sip_core::{Aor, ConnectionId};
use ocs_sipae::client as sipae;
use ocs_sipae::ntlm::NtlmClient;
use ocs_siprege::contacts::Mirror;
use ocs_siprege::registration::Registration;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use crate::link::{Destination, Link};
use crate::{Config, Event, Output};
use call::Calls;
use conversation::Conversation;
use presence::Chosen;
use quality::Quality;
use relay::Relay;
use sending::Pending;
use subscriptions::Subscriptions;

#[cfg(feature = "phone")]
pub(crate) use call::by_user;
pub use call::{CallId, CallOptions};

/// A configuration or command that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// How servers are found.
    #[error("discovery: {0}")]
    Discovery(#[from] ocs_conmgmt::Error),
    /// The user is not signed in.
    #[error("not signed in")]
    NotSignedIn,
    /// The conversation does not take the text.
    #[error("conversation: {0}")]
    Conversation(#[from] ocs_sipre::Error),
    /// There are as many conversations as [`Config::conversations`] allows.
    #[error("more than {limit} conversations")]
    TooManyConversations {
        /// The bound.
        limit: usize,
    },
    /// A call cannot do what is asked of it.
    #[error("call: {0}")]
    Call(#[from] ocs_call::Error),
    /// There are as many calls as [`Calls::limit`](crate::Calls::limit) allows.
    #[error("more than {limit} calls")]
    TooManyCalls {
        /// The bound.
        limit: usize,
    },
    /// There is no such call, or no longer.
    #[error("no such call")]
    NoCall,
    /// The peer of the call has asked for no other call.
    #[error("no transfer was asked for")]
    NoTransfer,
    /// A report of the quality of a call cannot be sent.
    #[error("report of quality: {0}")]
    Quality(#[from] ocs_qoe::Error),
    /// There is no conversation with this user.
    #[error("no conversation with {0}")]
    NoConversation(Aor),
    /// The server does not offer what the command needs, refused it, or [`Config::bootstrap`] leaves it out.
    #[error("not offered by the server")]
    NotOffered,
    /// A target is no SIP URI.
    #[error("not a SIP URI")]
    Target,
}

/// Whether the user wants to be signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Out,
    In,
    /// Signing out: unregistering.
    Leaving,
}

/// One endpoint of one user as one state machine.
///
/// The caller owns sockets, TLS, DNS and clock. It does what [`poll_output`](Self::poll_output) asks for, hands in what happens, drains
/// [`poll_output`](Self::poll_output) and [`poll_event`](Self::poll_event) after each call, and arms one timer for
/// [`poll_timeout`](Self::poll_timeout).
pub struct UserAgent {
    config: Config,
    rng: ChaCha20Rng,
    wish: Wish,
    connector: Connector<ChaCha20Rng>,
    connecting: Option<(ConnectionId, Destination)>,
    next_connection: u64,
    link: Option<Link>,
    capabilities: Capabilities,
    layer: Layer,
    authentication: sipae::Client,
    /// What the next REGISTER carries.
    credentials: signing_in::Credentials,
    /// Since when, and how often, it authenticated anew.
    anew: (Option<Instant>, u8),
    registration: Option<Registration>,
    gruu: Option<String>,
    pending: HashMap<ClientId, Pending>,
    subscriptions: Subscriptions,
    bootstrap: Bootstrap,
    own: SelfPresence,
    contacts: Mirror,
    watch: Watch,
    /// Whom the application watches, contact or not.
    watched: BTreeSet<Aor>,
    chosen: Chosen,
    relay: Option<Relay>,
    /// How many there were.
    relays: u64,
    next_service: u64,
    conversations: BTreeMap<Aor, Conversation>,
    next_conversation: u64,
    calls: Calls,
    quality: Option<Quality>,
    /// Why the last server that was tried did not take the registration.
    refused: Option<(u16, String)>,
    next_text: u64,
    next_transaction: u64,
    outputs: VecDeque<Output>,
    events: VecDeque<Event>,
    dropped: u64,
}

impl std::fmt::Debug for UserAgent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserAgent")
            .field("aor", &self.config.aor)
            .field("wish", &self.wish)
            .field("link", &self.link)
            .field("conversations", &self.conversations.len())
            .finish_non_exhaustive()
    }
}

impl UserAgent {
    /// A user agent that is signed out. `seed` is 32 octets from a source of randomness; two agents with the same seed and the same
    /// inputs do the same.
    pub fn new(config: Config, seed: [u8; 32]) -> Result<Self, Error> {
        let mut rng = ChaCha20Rng::from_seed(seed);
        let connector = Connector::new(config.connector.clone(), ChaCha20Rng::from_rng(&mut rng))?;
        let mut ntlm =
            ocs_ntlm::ClientConfig::sip(&config.user, &config.domain, config.credential.clone());
        ntlm.workstation.clone_from(&config.workstation);
        let schemes = sipae::ClientConfig::new(vec![Box::new(NtlmClient::new(ntlm))]);
        let authentication =
            sipae::Client::new(schemes, config.clock, ChaCha20Rng::from_rng(&mut rng));
        Ok(Self {
            connector,
            authentication,
            rng,
            wish: Wish::Out,
            connecting: None,
            next_connection: 1,
            link: None,
            capabilities: incoming::capabilities(&config),
            layer: Layer::new(Timers::default()),
            credentials: signing_in::Credentials::None,
            anew: (None, 0),
            registration: None,
            gruu: None,
            pending: HashMap::new(),
            subscriptions: Subscriptions::default(),
            bootstrap: Bootstrap::default(),
            own: SelfPresence::new(config.aor.to_uri()),
            contacts: bootstrap::new_mirror(),
            watch: bootstrap::new_watch(&config),
            watched: BTreeSet::new(),
            chosen: Chosen::default(),
            relay: None,
            relays: 0,
            next_service: 0,
            conversations: BTreeMap::new(),
            next_conversation: 0,
            calls: Calls::default(),
            quality: None,
            refused: None,
            next_text: 0,
            next_transaction: 0,
            outputs: VecDeque::new(),
            events: VecDeque::new(),
            dropped: 0,
            config,
        })
    }

    /// The configuration.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Whether the endpoint is registered.
    #[must_use]
    pub fn is_signed_in(&self) -> bool {
        self.registration
            .as_ref()
            .is_some_and(Registration::is_registered)
    }

    /// The GRUU of this endpoint, while it is registered and has one.
    #[must_use]
    pub fn gruu(&self) -> Option<&str> {
        self.gruu.as_deref()
    }

    /// Messages of the server that were not processed because their signature does not count.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Finds a server, connects, registers, and stays registered until [`sign_out`](Self::sign_out).
    pub fn sign_in(&mut self, now: Instant) {
        if self.wish != Wish::In {
            self.wish = Wish::In;
            self.refused = None;
            self.connector.start(now);
            self.settle(now);
        }
    }

    /// Ends all conversations, calls and subscriptions, unregisters and closes the connection.
    pub fn sign_out(&mut self, now: Instant) {
        if self.wish == Wish::Out {
            return;
        }
        self.end_all_conversations(now);
        self.end_all_calls(now);
        self.unsubscribe_all(now);
        self.wish = Wish::Leaving;
        match &mut self.registration {
            Some(registration) if registration.is_registered() => registration.unregister(now),
            _ => self.signed_out(),
        }
        self.settle(now);
    }

    /// The answer to [`Output::Resolve`].
    pub fn handle_answer(&mut self, now: Instant, query: &Query, answer: Answer) {
        // An answer to a question of an earlier round means nothing any more.
        let _ = self.connector.handle_answer(now, query, answer);
        self.settle(now);
    }

    /// [`Output::Connect`] succeeded. `local` is the own end; `peer` says what is known of the server's certificate.
    pub fn handle_connected(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        local: SocketAddr,
        peer: Peer<'_>,
    ) {
        self.connected(now, connection, local, peer);
        self.settle(now);
    }

    /// [`Output::Connect`] failed.
    pub fn handle_connect_failed(&mut self, now: Instant, connection: ConnectionId) {
        if let Some((_, destination)) = self.connecting.take_if(|(id, _)| *id == connection) {
            self.connector
                .handle_connect_failed(now, destination.attempt);
            self.settle(now);
        }
    }

    /// Octets arrived.
    pub fn handle_data(&mut self, now: Instant, connection: ConnectionId, data: Bytes) {
        if let Some(link) = self.link.as_mut().filter(|link| link.id == connection) {
            link.channel.push(data);
            self.read(now);
            self.settle(now);
        }
    }

    /// The server closed the connection, or it broke.
    pub fn handle_closed(&mut self, now: Instant, connection: ConnectionId) {
        if let Some(link) = self.link.take_if(|link| link.id == connection) {
            self.lost(now, &link);
            self.settle(now);
        } else {
            self.handle_connect_failed(now, connection);
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.connector.handle_timeout(now);
        self.authentication.handle_timeout(now);
        self.layer.handle_timeout(now);
        if let Some(registration) = &mut self.registration {
            registration.handle_timeout(now);
        }
        if let Some(link) = &mut self.link {
            link.keep_alive.handle_timeout(now);
            link.initiator.handle_timeout(now);
        }
        for conversation in self.conversations.values_mut() {
            conversation.handle_timeout(now);
        }
        self.calls.handle_timeout(now);
        if let Some(quality) = &mut self.quality {
            quality.handle_timeout(now);
        }
        self.subscriptions.handle_timeout(now);
        self.watch.handle_timeout(now);
        if let Some(relay) = &mut self.relay {
            relay.handle_timeout(now);
        }
        self.settle(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let link = self.link.iter().flat_map(|link| {
            [
                link.keep_alive.poll_timeout(),
                link.initiator.poll_timeout(),
            ]
        });
        let conversations = self.conversations.values().map(Conversation::poll_timeout);
        [
            self.connector.poll_timeout(),
            self.authentication.poll_timeout(),
            self.layer.poll_timeout(),
            self.registration
                .as_ref()
                .and_then(Registration::poll_timeout),
            self.calls.poll_timeout(),
            self.quality.as_ref().and_then(Quality::poll_timeout),
            self.subscriptions.poll_timeout(),
            self.watch.poll_timeout(),
            self.relay.as_ref().and_then(Relay::poll_timeout),
        ]
        .into_iter()
        .chain(link)
        .chain(conversations)
        .flatten()
        .min()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        if let Some(link) = self.link.as_mut().filter(|link| !link.out.is_empty()) {
            return Some(Output::Send {
                connection: link.id,
                data: link.out.split().freeze(),
            });
        }
        self.outputs.pop_front()
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Lets every part finish what the last input started.
    fn settle(&mut self, now: Instant) {
        loop {
            let busy = self.drive_connector(now)
                | self.drive_link(now)
                | self.drive_registration(now)
                | self.drive_authentication(now)
                | self.drive_transactions(now)
                | self.drive_conversations(now)
                | self.drive_calls(now)
                | self.drive_quality(now)
                | self.drive_subscriptions(now)
                | self.drive_own_presence(now)
                | self.drive_contacts(now)
                | self.drive_watch(now)
                | self.drive_relay(now);
            if !busy {
                break;
            }
        }
    }

    fn hex(&mut self, octets: usize) -> String {
        let mut random = vec![0; octets];
        self.rng.fill_bytes(&mut random);
        hex::encode(random)
    }
}
