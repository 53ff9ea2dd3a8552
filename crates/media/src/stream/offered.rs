//! An offer of the peer, before it is answered.

use std::time::Instant;

use ocs_ice::Description;
use rand_core::{CryptoRng, SeedableRng};

use super::MediaStream;
use crate::Error;

impl<R: CryptoRng + SeedableRng> MediaStream<R> {
    /// The lines of ICE of a later offer of the peer, which is to be answered: the final one tells the pairs, and in \[MS-ICE\] nothing
    /// else does; one with other credentials restarts ICE, and is answered after the next [`Event::Gathered`](crate::Event::Gathered).
    /// [`handle_negotiated`](Self::handle_negotiated) follows with what was agreed on. Gives whether it restarts.
    ///
    /// There is no way back from a restart: if the offer is refused afterwards, the next offer or answer has the new credentials.
    ///
    /// # Errors
    /// [`Error::Ice`] if the lines cannot be read, or are of the other dialect: nothing has changed then, and the offer is to be refused. [`Error::WrongState`] before a fork is chosen.
    pub fn handle_offer(&mut self, now: Instant, remote_ice: &str) -> Result<bool, Error> {
        let Some(id) = self.chosen.filter(|_| !self.closed) else {
            let operation = "a later offer";
            return Err(Error::WrongState { operation });
        };
        let description = Description::parse(remote_ice, &self.config.ice.limits)?;
        let restarts = self.is_restart(remote_ice);
        self.change_path(now, id, &description)?;
        self.settle(now);
        Ok(restarts)
    }
}
