//! The side of the outbound proxy ([MS-CONMGMT] 3.5.2, 3.5.6).

use std::time::{Duration, Instant};

use super::{DEFAULT_TIMEOUT, Mechanism, MsKeepAlive, Role};
use crate::Error;

/// The times of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerKeepAliveConfig {
    /// T that is told to clients, in seconds; 300 as the products. Taken as at least
    /// [`MIN_TIMEOUT`](Self::MIN_TIMEOUT) and at most [`MAX_TIMEOUT`](Self::MAX_TIMEOUT).
    pub timeout: u32,
    /// Added to T before the connection is closed; 32 s, one SIP transaction timeout, and never less. It also
    /// covers clients that send only after the full T.
    pub grace: Duration,
    /// How long a connection may stay without an authenticated client; 60 s (inferred: the
    /// specification's value is not known).
    pub connection_timer: Duration,
    /// How long a connection without keep-alive may be silent; 20 min (inferred: likewise).
    pub idle_timer: Duration,
}

impl ServerKeepAliveConfig {
    /// SIPE 1.25 sends its first keep-alive 60 s after it connected whatever T is: a smaller T would close
    /// good connections.
    pub const MIN_TIMEOUT: u32 = 60;
    /// One day: a larger T finds no dead connection.
    pub const MAX_TIMEOUT: u32 = 86_400;
    /// 64*T1 of RFC 3261 17.1.1.2.
    pub const MIN_GRACE: Duration = Duration::from_secs(32);
}

impl Default for ServerKeepAliveConfig {
    fn default() -> Self {
        Self {
            timeout: DEFAULT_TIMEOUT,
            grace: Self::MIN_GRACE,
            connection_timer: Duration::from_mins(1),
            idle_timer: Duration::from_mins(20),
        }
    }
}

/// Why a server closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CloseReason {
    /// The connection timer: no client was authenticated in time. The server must close, or anybody could
    /// occupy its connections.
    NotAuthenticated,
    /// The expiry timer: nothing arrived for T and the grace. Registrations bound to the connection end.
    KeepAliveExpired,
    /// The idle timer: no keep-alive was agreed and nothing arrived for long; the client has crashed.
    Idle,
}

/// What a [`ServerKeepAlive`] asks of its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerEvent {
    /// Close the connection and release its state.
    CloseConnection {
        /// Which timer fired.
        reason: CloseReason,
    },
}

/// The life of one accepted connection: connection timer, expiry timer, idle timer.
#[derive(Debug)]
pub struct ServerKeepAlive {
    config: ServerKeepAliveConfig,
    /// When the connection timer fires; `None` once a client is authenticated, and for trusted servers.
    unauthenticated_until: Option<Instant>,
    last_received: Instant,
    agreed: bool,
    closed: bool,
    event: Option<ServerEvent>,
}

impl ServerKeepAlive {
    /// The connection was accepted at `now`. A `trusted` one, from a server known by its certificate, has no
    /// connection timer (inferred).
    pub fn new(now: Instant, mut config: ServerKeepAliveConfig, trusted: bool) -> Self {
        config.timeout = config.timeout.clamp(
            ServerKeepAliveConfig::MIN_TIMEOUT,
            ServerKeepAliveConfig::MAX_TIMEOUT,
        );
        config.grace = config.grace.max(ServerKeepAliveConfig::MIN_GRACE);
        Self {
            unauthenticated_until: (!trusted).then(|| now + config.connection_timer),
            config,
            last_received: now,
            agreed: false,
            closed: false,
            event: None,
        }
    }

    /// Octets arrived, whatever they are: lone line ends count as well. Cheap: call it for every read.
    pub fn handle_received(&mut self, now: Instant) {
        self.last_received = self.last_received.max(now);
    }

    /// A request came with this `ms-keep-alive` header; gives the header of its response.
    ///
    /// Accepts `hop-hop` when offered and refuses all else. Without a header, or with one of role UAS, the
    /// response has none and nothing changes. A UAC that does not offer `hop-hop` ends the agreement.
    ///
    /// # Errors
    /// Those of [`MsKeepAlive::parse`]; nothing changes. Servers may answer as if there were no header.
    pub fn handle_request(&mut self, header: Option<&str>) -> Result<Option<MsKeepAlive>, Error> {
        let Some(header) = header else {
            return Ok(None);
        };
        let offer: MsKeepAlive = header.parse()?;
        if offer.role != Role::Uac {
            return Ok(None);
        }
        self.agreed = offer.has(Mechanism::HopHop);
        let mut answer = MsKeepAlive::new(Role::Uas);
        answer.tcp = Some(false);
        answer.hop_hop = Some(self.agreed);
        answer.end_end = Some(false);
        answer.timeout = self.agreed.then_some(self.config.timeout);
        Ok(Some(answer))
    }

    /// A client endpoint was authenticated on the connection: the connection timer ends.
    pub fn authenticated(&mut self) {
        self.unauthenticated_until = None;
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        let (silent_until, silence) = self.silence();
        let reason = if self.unauthenticated_until.is_some_and(|until| now >= until) {
            CloseReason::NotAuthenticated
        } else if now >= silent_until {
            silence
        } else {
            return;
        };
        self.closed = true;
        self.event = Some(ServerEvent::CloseConnection { reason });
    }

    /// When silence ends the connection, and how that is called.
    fn silence(&self) -> (Instant, CloseReason) {
        if self.agreed {
            let timeout = Duration::from_secs(u64::from(self.config.timeout));
            (
                self.last_received + timeout + self.config.grace,
                CloseReason::KeepAliveExpired,
            )
        } else {
            (
                self.last_received + self.config.idle_timer,
                CloseReason::Idle,
            )
        }
    }

    /// What to do next.
    pub fn poll_event(&mut self) -> Option<ServerEvent> {
        self.event.take()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout). Needs to be asked again only when it was due: a time
    /// that is too early does no harm.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.closed {
            return None;
        }
        let (silent_until, _) = self.silence();
        Some(
            self.unauthenticated_until
                .map_or(silent_until, |until| until.min(silent_until)),
        )
    }

    /// Whether hop-by-hop keep-alive is agreed on.
    pub fn is_agreed(&self) -> bool {
        self.agreed
    }
}
