//! Which of several peers it is.

use std::time::Instant;

use ocs_ice::{Component, ForkId};
use ocs_rtp::Session;
use rand_core::{CryptoRng, SeedableRng};

use super::MediaStream;
use crate::Error;

impl<R: CryptoRng + SeedableRng> MediaStream<R> {
    /// The call was accepted on this fork: the others are over.
    ///
    /// # Errors
    /// [`Error::NoFork`]
    pub fn choose(&mut self, now: Instant, fork: ForkId) -> Result<(), Error> {
        if self.chosen == Some(fork) {
            return Ok(());
        }
        let joined = self.fork(fork).ok_or(Error::NoFork(fork))?.joined;
        for other in self.forks.extract_if(.., |other| other.id != fork) {
            self.endpoint.drop_fork(now, other.id);
        }
        if joined {
            self.endpoint.choose(now, fork)?;
        }
        self.chosen = Some(fork);
        if self.heard != Some(fork) {
            self.heard = None;
            self.prefer(now, fork)?;
        }
        self.settle(now);
        Ok(())
    }

    /// The dialog of a fork has ended.
    pub fn drop_fork(&mut self, now: Instant, fork: ForkId) {
        if self.chosen == Some(fork) {
            return;
        }
        self.forks.retain(|other| other.id != fork);
        self.endpoint.drop_fork(now, fork);
        self.hear_another(now, fork);
        self.settle(now);
    }

    /// Nothing comes of a fork any longer: if it was heard or wanted, the first one that media can flow with is heard.
    pub(super) fn hear_another(&mut self, now: Instant, than: ForkId) {
        self.wanted = self.wanted.filter(|wanted| *wanted != than);
        self.heard = self.heard.filter(|heard| *heard != than);
        if self.heard.or(self.wanted).or(self.chosen).is_some() {
            return;
        }
        let ready = self.forks.iter().find(|fork| fork.is_ready());
        if let Some(other) = ready.map(|fork| fork.id) {
            self.hear(now, other);
        }
    }

    /// Hears this fork and speaks to it, in place of another one: of early media, the one that is to be heard.
    ///
    /// # Errors
    /// [`Error::NoFork`]
    pub fn prefer(&mut self, now: Instant, fork: ForkId) -> Result<(), Error> {
        let wanted = self.fork(fork).ok_or(Error::NoFork(fork))?;
        let usable = wanted.is_usable(Component::Rtp);
        self.wanted = Some(fork);
        // One that nothing can flow with is heard as soon as it can.
        if usable {
            self.hear(now, fork);
        } else {
            self.heard = None;
        }
        Ok(())
    }

    pub(super) fn hear(&mut self, now: Instant, fork: ForkId) {
        self.heard = Some(fork);
        if self.rtp.is_none() {
            let mut config = self.config.rtp.clone();
            config.local_range = Some(self.ssrc_range.first()..=self.ssrc_range.last());
            config.ntp = config.ntp.after(now.saturating_duration_since(self.begun));
            let rng = R::from_rng(&mut self.rng);
            match Session::new(now, config, rng) {
                Ok(session) => self.rtp = Some(session),
                Err(_) => return,
            }
        }
        self.apply(fork);
    }
}
