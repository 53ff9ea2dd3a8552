//! A peer that does no ICE: its description has no candidates, and media goes to its default address.

use std::net::SocketAddr;
use std::time::Instant;

use rand_core::Rng;

use super::{Agent, Phase, Remote};
use crate::io::Output;
use crate::{CandidateType, Component, Description, Error, Foundation, PairState, Transport};

impl<R: Rng> Agent<R> {
    /// The default addresses of a peer whose description has no candidate. Our default candidates of UDP are paired with them without a check, so
    /// [`Event::Completed`](crate::Event::Completed) follows at once. Nothing then shows that the peer wants what it is sent: whether that
    /// is allowed is the caller's to decide.
    ///
    /// It may be called again with other addresses.
    ///
    /// # Errors
    /// [`Error::WrongState`] before gathering is over, after the candidates of a peer, and after the end; [`Error::NoPath`] if there is no local
    /// candidate of UDP and of the address family.
    pub fn set_remote_without_ice(
        &mut self,
        now: Instant,
        addresses: &[(Component, SocketAddr)],
    ) -> Result<(), Error> {
        let again = self.phase == Phase::Completed && !self.remote_known;
        if (self.phase != Phase::WaitingForPeer && !again) || self.remote_known {
            let operation = "a peer without ICE";
            return Err(Error::WrongState { operation });
        }
        let defaults: Option<Vec<_>> = addresses
            .iter()
            .map(|(component, address)| {
                let local = self.default_local(*component, *address)?;
                Some((local, *component, *address))
            })
            .collect();
        let defaults = defaults.ok_or(Error::NoPath)?;
        self.pairs.clear();
        self.remotes.clear();
        self.media = Default::default();
        self.phase = Phase::Nominating;
        for (local, component, address) in defaults {
            self.remotes.push(Remote {
                component,
                transport: Transport::Udp,
                kind: CandidateType::Host,
                address,
                priority: 0,
                foundation: Foundation::number(1),
                legacy: None,
            });
            let index = self.add_pair(local, self.remotes.len() - 1);
            self.pairs[index].state = PairState::Succeeded;
            self.pairs[index].received = true;
            if let super::Via::Relay(relay) = self.locals[local].via {
                // What comes first may be the peer's.
                let remote = address;
                self.outputs.push_back(Output::Permit { relay, remote });
            }
            self.became_valid(now, index);
            self.select(now, index);
        }
        self.complete_if_selected();
        Ok(())
    }

    /// The local candidate that the default address of our description stands for, as its base.
    fn default_local(&self, component: Component, to: SocketAddr) -> Option<usize> {
        let address = match self.local_description() {
            Description::Ice(description) => description.default_candidate(component)?.address,
            Description::Ice2(description) => description.default_candidate(component)?.address,
        };
        let fits = |local: &super::Local| {
            local.component == component
                && local.transport == Transport::Udp
                && local.is_base()
                && local.base.is_ipv4() == to.is_ipv4()
        };
        let told = self.locals.iter().find(|local| {
            local.component == component
                && local.transport == Transport::Udp
                && local.address == address
        });
        let of_told = told.and_then(|told| {
            let same = |local: &super::Local| fits(local) && local.base == told.base;
            self.locals.iter().position(same)
        });
        of_told.or_else(|| self.locals.iter().position(fits))
    }
}
