//! The client's side ([MS-CONMGMT] 3.4.2, 3.4.5).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{DEFAULT_TIMEOUT, Mechanism, MsKeepAlive, Role};
use crate::Error;

/// What a client makes of the T of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientKeepAliveConfig {
    /// A smaller T counts as this; 15 s. Servers give silence a grace of 32 s, so this closes nothing and keeps
    /// a hostile T from making a flood.
    pub min_timeout: u32,
    /// A larger T counts as this; 3600 s. Middleboxes forget silent connections long before.
    pub max_timeout: u32,
}

impl Default for ClientKeepAliveConfig {
    fn default() -> Self {
        Self {
            min_timeout: 15,
            max_timeout: 3600,
        }
    }
}

/// What a [`ClientKeepAlive`] asks of its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientEvent {
    /// Write [`KEEP_ALIVE`](super::KEEP_ALIVE) now, between two messages. The timer is armed again already.
    SendKeepAlive,
    /// The server accepted only `tcp`: switch on the keep-alive of the socket with this interval (inferred).
    EnableTcpKeepAlive(Duration),
}

/// Keep-alive of one connection, client side. Make a new one for every connection.
///
/// The refresh timer runs for 2/3 T and begins again with everything the client sends.
#[derive(Debug)]
pub struct ClientKeepAlive {
    config: ClientKeepAliveConfig,
    interval: Option<Duration>,
    last_sent: Instant,
    events: VecDeque<ClientEvent>,
}

impl ClientKeepAlive {
    /// The connection is up since `now`.
    pub fn new(now: Instant, config: ClientKeepAliveConfig) -> Self {
        Self {
            config,
            interval: None,
            last_sent: now,
            events: VecDeque::new(),
        }
    }

    /// The header for every REGISTER on this connection, from the first on.
    pub fn offer(&self) -> MsKeepAlive {
        MsKeepAlive::offer()
    }

    /// A response to a request with the offer came; `header` is its `ms-keep-alive`.
    ///
    /// Without a header nothing changes: an agreement is of the connection, not of one request. A header of
    /// role UAC is no answer and is ignored. `hop-hop=yes` without `timeout` counts as
    /// [`DEFAULT_TIMEOUT`] (inferred). Any status may carry it: a 401 is harmless (inferred).
    ///
    /// # Errors
    /// Those of [`MsKeepAlive::parse`]; nothing changes then.
    pub fn handle_response(&mut self, header: Option<&str>) -> Result<(), Error> {
        let Some(header) = header else {
            return Ok(());
        };
        let answer: MsKeepAlive = header.parse()?;
        if answer.role != Role::Uas {
            return Ok(());
        }
        let timeout = answer
            .timeout
            .unwrap_or(DEFAULT_TIMEOUT)
            .min(self.config.max_timeout)
            .max(self.config.min_timeout);
        let timeout = Duration::from_secs(u64::from(timeout));
        if answer.has(Mechanism::HopHop) {
            self.interval = Some(refresh_interval(timeout));
            // The timer keeps counting from what the client last sent: that is what the server measures.
        } else {
            self.interval = None;
            if answer.has(Mechanism::Tcp) {
                self.events
                    .push_back(ClientEvent::EnableTcpKeepAlive(timeout));
            }
        }
        Ok(())
    }

    /// Something was sent on the connection, a message or a part of one.
    pub fn handle_sent(&mut self, now: Instant) {
        self.last_sent = self.last_sent.max(now);
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|due| now >= due) {
            self.last_sent = now;
            self.events.push_back(ClientEvent::SendKeepAlive);
        }
    }

    /// What to do next.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&self) -> Option<Instant> {
        Some(self.last_sent + self.interval?)
    }

    /// The refresh time agreed on, if hop-by-hop keep-alive was accepted.
    pub fn interval(&self) -> Option<Duration> {
        self.interval
    }
}

/// 2/3 T ([MS-CONMGMT] 3.4.2).
fn refresh_interval(timeout: Duration) -> Duration {
    timeout * 2 / 3
}
