//! The way to the peer: from its candidates or its default address, and anew.

use std::net::SocketAddr;
use std::time::Instant;

use ocs_ice::{Component, Description, ForkId, Phase};
use ocs_sdpext::negotiation::Negotiated;
use rand_core::{CryptoRng, SeedableRng};

use super::MediaStream;
use crate::Error;

impl<R: CryptoRng + SeedableRng> MediaStream<R> {
    /// Makes the peer of a fork known to ICE. False if it has told no address yet.
    pub(super) fn join(
        &mut self,
        now: Instant,
        id: ForkId,
        negotiated: &Negotiated,
        description: Option<&Description>,
    ) -> Result<bool, Error> {
        if let Some(description) = description {
            self.endpoint.fork(now, id, description)?;
            return Ok(true);
        }
        let addresses = default_addresses(negotiated);
        if addresses.is_empty() {
            return Ok(false);
        }
        self.endpoint.fork_without_ice(now, id, &addresses)?;
        Ok(true)
    }

    /// Other default addresses of a peer without ICE. On hold at 0.0.0.0 the former ones stay.
    pub(super) fn change_addresses(
        &mut self,
        now: Instant,
        id: ForkId,
        negotiated: &Negotiated,
    ) -> Result<(), Error> {
        let addresses = default_addresses(negotiated);
        let former = &self.fork(id).ok_or(Error::NoFork(id))?.negotiated;
        if addresses.is_empty() || addresses == default_addresses(former) {
            return Ok(());
        }
        let changed = self.command_agent(now, id, |agent| {
            agent.set_remote_without_ice(now, &addresses)
        });
        Ok(changed.ok_or(Error::NoFork(id))??)
    }

    /// A later description with candidates: the final one, one of a restart, or the same again.
    pub(super) fn change_path(
        &mut self,
        now: Instant,
        id: ForkId,
        description: &Description,
    ) -> Result<(), Error> {
        if description.dialect() != self.config.ice.dialect {
            return Err(ocs_ice::Error::WrongDialect.into());
        }
        let Some(agent) = self.agent_of(id) else {
            return Ok(());
        };
        let awaited = matches!(agent.phase(), Phase::Gathering | Phase::WaitingForPeer);
        let asks = !awaited && agent.is_restart(description);
        if asks {
            self.restart(now)?;
        }
        if awaited || asks {
            return match self.command_agent(now, id, |agent| agent.set_remote(now, description)) {
                // Of a description that is known already nothing is to be taken.
                None | Some(Ok(()) | Err(ocs_ice::Error::WrongState { .. })) => Ok(()),
                Some(Err(error)) => Err(error.into()),
            };
        }
        let is_final = match description {
            Description::Ice(description) => description.remote_candidate.is_some(),
            Description::Ice2(description) => !description.remote_candidates.is_empty(),
        };
        if is_final && let Some(fork) = self.fork_mut(id) {
            fork.pending = Some(description.clone());
            self.try_final(now, id);
        }
        Ok(())
    }

    /// Whether a description of the peer asks for a restart of ICE: it has other credentials. Then [`restart`](Self::restart) has to come before the
    /// answer, for the answer has our new ones.
    pub fn is_restart(&self, remote_ice: &str) -> bool {
        let description = Description::parse(remote_ice, &self.config.ice.limits);
        let agent = self.chosen.and_then(|id| self.agent_of(id));
        agent
            .zip(description.ok())
            .is_some_and(|(agent, description)| agent.is_restart(&description))
    }

    /// Looks for a new way, with the sockets that are there. After [`Event::Gathered`](crate::Event::Gathered), [`transport`](Self::transport) is for the next offer or answer.
    /// Media goes on over the former way until there is a new one.
    ///
    /// # Errors
    /// [`Error::WrongState`] before a fork is chosen.
    pub fn restart(&mut self, now: Instant) -> Result<(), Error> {
        let Some(id) = self.chosen.filter(|_| !self.closed) else {
            let operation = "a restart";
            return Err(Error::WrongState { operation });
        };
        if let Some(fork) = self.fork_mut(id) {
            fork.connected = false;
            fork.failure = None;
            fork.pending = None;
        }
        self.endpoint.command(now, |agent| agent.restart(now));
        self.settle(now);
        Ok(())
    }
}

/// The default addresses of a peer without ICE. None on hold at 0.0.0.0.
fn default_addresses(negotiated: &Negotiated) -> Vec<(Component, SocketAddr)> {
    let remote = &negotiated.remote;
    let usable = |address: &SocketAddr| !address.ip().is_unspecified() && address.port() != 0;
    let Some(rtp) = remote.rtp.filter(usable) else {
        return Vec::new();
    };
    let rtcp = remote.rtcp.filter(usable);
    let rtcp = rtcp.map(|rtcp| (Component::Rtcp, rtcp));
    core::iter::once((Component::Rtp, rtp))
        .chain(rtcp)
        .collect()
}
