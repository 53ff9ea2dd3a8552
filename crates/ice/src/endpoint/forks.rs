//! The branches of a call that forks (\[MS-ICE2\] 3.1.4.3): the caller has one offer out, and each endpoint of the callee answers it for itself.
//!
//! Each answer gets a copy of the agent: a peer, checks, pairs and a role of its own. Local candidates, credentials, sockets and allocations are
//! shared. Which copy a packet is for is told by the packet: a check has the sender's `ice-ufrag` in USERNAME (in \[MS-ICE\] its candidate's
//! identifier), an answer the identifier of a transaction, media comes from an address that a check has passed with. A connection belongs
//! to the first copy that one of its packets is for. What is for none of them goes to the agent itself, which answers a check in time and keeps it
//! for the answer that is still to come.

use core::fmt;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use rand_core::{CryptoRng, SeedableRng};

use super::Endpoint;
use crate::agent::Path;
use crate::io::{ConnectionId, Event, Output, RelayId};
use crate::{Agent, Component, Description, Error};

/// Names a fork, as the owner of the call counts its early dialogs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ForkId(pub u32);

impl fmt::Display for ForkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fork {}", self.0)
    }
}

#[derive(Debug)]
struct Branch<R> {
    id: ForkId,
    agent: Agent<R>,
}

#[derive(Debug)]
pub(super) struct Forks<R> {
    branches: Vec<Branch<R>>,
    /// How many there were.
    made: u32,
    chosen: bool,
    events: VecDeque<(ForkId, Event)>,
}

impl<R> Default for Forks<R> {
    fn default() -> Self {
        Self {
            branches: Vec::new(),
            made: 0,
            chosen: false,
            events: VecDeque::new(),
        }
    }
}

impl<R: CryptoRng> Forks<R> {
    fn position(&self, id: ForkId) -> Option<usize> {
        self.branches.iter().position(|branch| branch.id == id)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let timers = self.branches.iter();
        timers
            .filter_map(|branch| branch.agent.poll_timeout())
            .min()
    }

    /// The branch that a packet is for.
    fn whose(&self, path: Path, data: &[u8]) -> Option<usize> {
        let content = self.branches.first()?.agent.read(data);
        let mut branches = self.branches.iter();
        branches.position(|branch| branch.agent.is_of_peer(path, &content))
    }
}

impl<R: CryptoRng + SeedableRng> Endpoint<R> {
    /// One more answer to the offer: a fork, whose checks begin. A former one of this name is dropped, but not by an error.
    ///
    /// # Errors
    /// [`Error::TooManyForks`]: the answer is to be ignored. [`Error::WrongDialect`]. [`Error::WrongState`] before gathering is over, after
    /// [`choose`](Self::choose), where the agent itself has a peer, and with bandwidth that is managed.
    pub fn fork(&mut self, now: Instant, id: ForkId, remote: &Description) -> Result<(), Error> {
        let mut agent = self.branch(id, Some(remote))?;
        agent.set_remote(now, remote)?;
        self.add_fork(now, id, agent);
        Ok(())
    }

    /// The same for an answer without candidates; see [`Agent::set_remote_without_ice`].
    ///
    /// # Errors
    /// As [`fork`](Self::fork); [`Error::NoPath`].
    pub fn fork_without_ice(
        &mut self,
        now: Instant,
        id: ForkId,
        addresses: &[(Component, SocketAddr)],
    ) -> Result<(), Error> {
        let mut agent = self.branch(id, None)?;
        agent.set_remote_without_ice(now, addresses)?;
        self.add_fork(now, id, agent);
        Ok(())
    }

    fn branch(&mut self, id: ForkId, remote: Option<&Description>) -> Result<Agent<R>, Error> {
        let limit = self.agent.limits().forks;
        let others = self.forks.branches.iter();
        let others = others.filter(|branch| branch.id != id).count();
        if others >= limit {
            return Err(Error::TooManyForks { limit });
        }
        if self.forks.chosen || self.manager.is_some() {
            let operation = "a fork";
            return Err(Error::WrongState { operation });
        }
        self.agent.may_branch(remote)?;
        self.forks.made += 1;
        let rng = self.relays.derive_rng();
        Ok(self.agent.branch(rng, self.forks.made, remote))
    }

    fn add_fork(&mut self, now: Instant, id: ForkId, agent: Agent<R>) {
        self.drop_fork(now, id);
        self.forks.branches.push(Branch { id, agent });
        self.settle(now);
    }

    /// The agent of a fork. After [`choose`](Self::choose) there is none: it is [`agent`](Self::agent).
    pub fn forked(&self, id: ForkId) -> Option<&Agent<R>> {
        let place = self.forks.position(id)?;
        Some(&self.forks.branches[place].agent)
    }

    /// Gives the agent of a fork a command. `None` if there is no such fork.
    pub fn command_fork<T>(
        &mut self,
        now: Instant,
        id: ForkId,
        command: impl FnOnce(&mut Agent<R>) -> T,
    ) -> Option<T> {
        let place = self.forks.position(id)?;
        let result = command(&mut self.forks.branches[place].agent);
        self.settle(now);
        Some(result)
    }

    /// A fork is over: its dialog has ended.
    pub fn drop_fork(&mut self, now: Instant, id: ForkId) {
        if let Some(place) = self.forks.position(id) {
            self.forks.branches[place].agent.close();
            self.settle(now);
            self.forks.branches.swap_remove(place);
            self.forks.events.retain(|(fork, _)| *fork != id);
        }
    }

    /// The call has been accepted on this fork: its agent takes the place of [`agent`](Self::agent), all others end. What it tells comes from
    /// [`poll_event`](Self::poll_event) from now on, and relays make its peer the active destination.
    ///
    /// # Errors
    /// [`Error::WrongState`] if there is no such fork.
    pub fn choose(&mut self, now: Instant, id: ForkId) -> Result<(), Error> {
        let Some(place) = self.forks.position(id) else {
            let operation = "choosing";
            return Err(Error::WrongState { operation });
        };
        self.forks.chosen = true;
        self.agent
            .hand_over_unproven(&mut self.forks.branches[place].agent);
        self.agent.close();
        for (other, branch) in self.forks.branches.iter_mut().enumerate() {
            if other != place {
                branch.agent.close();
            }
        }
        self.settle(now);
        self.agent = self.forks.branches.swap_remove(place).agent;
        self.forks.branches.clear();
        for (fork, event) in core::mem::take(&mut self.forks.events) {
            if fork == id {
                self.events.push_back(event);
            }
        }
        let active: Vec<_> = self.agent.active_destinations().collect();
        for (relay, remote) in active {
            let output = Output::SetActiveDestination { relay, remote };
            self.relays.handle_output(now, output);
        }
        self.settle(now);
        Ok(())
    }

    /// The next thing to know of a fork.
    pub fn poll_fork_event(&mut self) -> Option<(ForkId, Event)> {
        self.forks.events.pop_front()
    }

    pub(super) fn each_agent(&mut self, mut act: impl FnMut(&mut Agent<R>)) {
        act(&mut self.agent);
        for branch in &mut self.forks.branches {
            act(&mut branch.agent);
        }
    }

    pub(super) fn is_held(&self, relay: RelayId) -> bool {
        let mut branches = self.forks.branches.iter();
        self.agent.holds(relay) || branches.any(|branch| branch.agent.holds(relay))
    }

    pub(super) fn with_connection(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        act: impl FnOnce(&mut Agent<R>),
    ) {
        act(self.owner(Path::Stream { connection }));
        self.settle(now);
    }

    /// The agent that has a stream; if nobody has it, the one that is not of a fork.
    fn owner(&mut self, path: Path) -> &mut Agent<R> {
        let mut branches = self.forks.branches.iter_mut();
        let owner = branches.find(|branch| branch.agent.has_stream(path));
        owner.map_or(&mut self.agent, |branch| &mut branch.agent)
    }

    /// Gives octets of peers to the agent that they are for.
    pub(super) fn deliver(&mut self, now: Instant, path: Path, data: Bytes) {
        if self.forks.branches.is_empty() {
            self.agent.handle_octets(now, path, data);
        } else if !path.is_stream() {
            let agent = match self.forks.whose(path, &data) {
                Some(place) => &mut self.forks.branches[place].agent,
                None => &mut self.agent,
            };
            agent.handle_octets(now, path, data);
        } else if self
            .forks
            .branches
            .iter()
            .any(|branch| branch.agent.has_stream(path))
        {
            self.owner(path).handle_octets(now, path, data);
        } else {
            let Self { agent, forks, .. } = self;
            let whose = |packet: &[u8]| forks.whose(path, packet);
            if let Some((place, packet)) = agent.handle_piece(now, path, data, whose) {
                let branch = &mut forks.branches[place].agent;
                agent.hand_over(path, branch);
                branch.take_over(now, path, packet);
            }
        }
    }

    /// Does what a fork wants and passes on what it tells. False if there is nothing.
    pub(super) fn settle_fork(&mut self, now: Instant) -> bool {
        let events = &mut self.forks.events;
        let output = self.forks.branches.iter_mut().find_map(|branch| {
            while let Some(event) = branch.agent.poll_event() {
                events.push_back((branch.id, event));
            }
            branch.agent.poll_output()
        });
        match output {
            // An allocation has one active destination: it is set for the fork that is chosen.
            Some(Output::SetActiveDestination { .. }) => true,
            Some(output) => {
                self.perform(now, output);
                true
            }
            None => false,
        }
    }
}
