//! Copies of an agent for the branches of a call that forks: each answer to the offer has a peer, checks and pairs of its own; candidates,
//! credentials and allocations are those of the offer in all of them.

use std::time::Instant;

use bytes::Bytes;
use ocs_stun::attribute::IceUsername;
use ocs_stun::{AttributeType, Message};
use rand_core::Rng;

use super::request::EarlyCheck;
use super::{Agent, Content, Path, Phase, RelayState};
use crate::io::RelayId;
use crate::sdp::ice;
use crate::{Component, Description, Dialect, Error};

/// Connections of a branch are counted in a range of its own.
const CONNECTIONS_OF_A_BRANCH: u32 = 32;

impl EarlyCheck {
    /// Whether it is from the peer that wrote a description.
    fn is_from(&self, description: &Description) -> bool {
        match description {
            Description::Ice2(description) => {
                self.ufrag.as_deref() == Some(description.credentials.ufrag())
            }
            Description::Ice(description) => {
                let of =
                    |line: &ice::Line| matches!(&self.ids, Some((_, peer)) if *peer == line.id);
                description.candidates.iter().any(of)
            }
        }
    }
}

impl<R: Rng> Agent<R> {
    /// Whether there may be a copy for one more peer.
    pub(crate) fn may_branch(&self, remote: Option<&Description>) -> Result<(), Error> {
        if self.phase != Phase::WaitingForPeer || self.remote_known {
            let operation = "a fork";
            return Err(Error::WrongState { operation });
        }
        if remote.is_some_and(|remote| remote.dialect() != self.config.dialect) {
            return Err(Error::WrongDialect);
        }
        Ok(())
    }

    /// A copy for one more peer: with the local candidates, and with the checks that came from this peer already. `number` is 1 for the first
    /// one, and so on.
    pub(crate) fn branch(&mut self, rng: R, number: u32, remote: Option<&Description>) -> Self {
        let config = self.config.clone();
        let mut branch =
            Self::with_credentials(config, rng, self.credentials.clone(), self.tie_breaker);
        branch.phase = self.phase;
        branch.locals.clone_from(&self.locals);
        branch.groups.clone_from(&self.groups);
        branch.relays.clone_from(&self.relays);
        branch.interfaces.clone_from(&self.interfaces);
        branch.next_connection = u64::from(number) << CONNECTIONS_OF_A_BRANCH;
        let early = core::mem::take(&mut self.early);
        for check in early {
            if remote.is_some_and(|remote| check.is_from(remote)) {
                self.hand_over(check.arrival.path, &mut branch);
                branch.early.push(check);
            } else {
                self.early.push(check);
            }
        }
        branch
    }

    /// What is held of a stream goes to the branch that it turns out to belong to.
    pub(crate) fn hand_over(&mut self, path: Path, branch: &mut Self) {
        match path {
            Path::Stream { connection } => {
                if let Some(entry) = self.connections.remove(&connection) {
                    branch.connections.insert(connection, entry);
                }
            }
            Path::RelayStream { relay, remote } => {
                let key = (relay, remote);
                if let Some(stream) = self.relay_streams.remove(&key) {
                    branch.relay_streams.insert(key, stream);
                }
            }
            Path::Datagram { .. } | Path::Relay { .. } => {}
        }
    }

    /// Hands over all streams that have not shown whose they are: those of the chosen peer may be among them, and the others end when they
    /// show nothing in time. What is too much stays.
    pub(crate) fn hand_over_unproven(&mut self, branch: &mut Self) {
        let limit = self.config.limits.connections;
        let unproven = self.connections.iter();
        let unproven = unproven.filter(|(_, entry)| entry.deadline.is_some());
        let mut connections: Vec<_> = unproven.map(|(id, _)| *id).collect();
        connections.sort_unstable();
        for connection in connections {
            if branch.connections.len() < limit {
                self.hand_over(Path::Stream { connection }, branch);
            }
        }
        let mut streams: Vec<_> = self.relay_streams.keys().copied().collect();
        streams.sort_unstable();
        for (relay, remote) in streams {
            let path = Path::RelayStream { relay, remote };
            if branch.relay_streams.len() < limit && !branch.has_stream(path) {
                self.hand_over(path, branch);
            }
        }
    }

    /// Takes the packet that showed whose a stream is, and the rest of what is held of it.
    pub(crate) fn take_over(&mut self, now: Instant, path: Path, packet: Bytes) {
        if let Some(arrival) = self.arrival(path) {
            self.handle_packet(now, arrival, packet);
        }
        self.handle_octets(now, path, Bytes::new());
    }

    /// Whether a stream is this agent's.
    pub(crate) fn has_stream(&self, path: Path) -> bool {
        match path {
            Path::Stream { connection } => self.connections.contains_key(&connection),
            Path::RelayStream { relay, remote } => {
                self.relay_streams.contains_key(&(relay, remote))
            }
            Path::Datagram { .. } | Path::Relay { .. } => false,
        }
    }

    /// Whether a packet is of this agent's peer: a check says it by its USERNAME, an answer by its transaction, media by where it comes
    /// from.
    pub(crate) fn is_of_peer(&self, path: Path, content: &Content<'_>) -> bool {
        match content {
            Content::Check(request) => {
                let component = self.arrival(path).map(|arrival| self.component_of(arrival));
                component.is_some_and(|component| self.is_named_by(request, component))
            }
            Content::Answer(answer) => {
                let id = answer.transaction_id();
                self.transactions
                    .iter()
                    .any(|transaction| transaction.id == id)
            }
            Content::Media => self
                .arrival(path)
                .is_some_and(|arrival| self.is_media_of(arrival)),
            Content::Nothing => false,
        }
    }

    fn is_named_by(&self, request: &Message<'_>, component: Component) -> bool {
        if self.config.dialect == Dialect::Ice2 {
            let name = request.get::<IceUsername>().ok().flatten();
            let sender = name.map(|name| name.sender);
            let peer = self.peer.as_ref();
            return peer.is_some_and(|peer| sender == Some(peer.credentials.ufrag().as_bytes()));
        }
        let name = request.raw(AttributeType::USERNAME);
        let addressed = name.and_then(|name| self.addressed(name, component));
        addressed.is_some_and(|(_, _, peer)| self.knows(&peer))
    }

    /// Whether it still wants an allocation.
    pub(crate) fn holds(&self, relay: RelayId) -> bool {
        let entry = self.relays.get(relay.0);
        entry.is_some_and(|entry| entry.state != RelayState::Gone)
    }

    /// The relays that carry what was selected, with the peers there.
    pub(crate) fn active_destinations(
        &self,
    ) -> impl Iterator<Item = (RelayId, std::net::SocketAddr)> + use<'_, R> {
        self.media.iter().filter_map(|media| {
            let pair = &self.pairs[media.selected?];
            match self.path(pair)? {
                Path::Relay { relay, remote } | Path::RelayStream { relay, remote } => {
                    Some((relay, remote))
                }
                Path::Datagram { .. } | Path::Stream { .. } => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use rand_chacha::ChaCha12Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::io::{Allocation, Carrier};
    use crate::{Config, Role, Transport};

    #[test]
    fn streams_that_showed_nothing_go_to_the_chosen_branch() {
        let now = Instant::now();
        let mut config = Config::new(Dialect::Ice2, Role::Controlling);
        config.limits.connections = 2;
        let rng = ChaCha12Rng::seed_from_u64;
        let mut agent = Agent::new(config, rng(1));
        let base = SocketAddr::from(([192, 0, 2, 1], 20000));
        let peer = SocketAddr::from(([192, 0, 2, 2], 40000));
        agent
            .add_host(Component::Rtp, Transport::TcpPassive, base)
            .unwrap();
        let server = SocketAddr::from(([198, 51, 100, 9], 3478));
        let relay = agent.add_relay(Component::Rtp, Carrier::Tcp, base, server);
        let relay = relay.unwrap();
        agent.gather(now).unwrap();
        let allocation = Allocation {
            relayed: Some(SocketAddr::from(([198, 51, 100, 9], 50000))),
            relayed_alternate: None,
            reflexive: None,
        };
        agent.handle_allocated(now, relay, allocation);
        let mut branch = agent.branch(rng(2), 1, None);
        let [proven, unproven] = [0, 1].map(|_| {
            let connection = agent.handle_accepted(now, base, peer).unwrap();
            Path::Stream { connection }
        });
        let Path::Stream { connection } = proven else {
            unreachable!()
        };
        agent.prove(connection);
        // The first octets of a packet.
        agent.handle_relayed(now, relay, peer, Bytes::from_static(b"\0\x40"));
        agent.hand_over_unproven(&mut branch);
        let relayed = Path::RelayStream {
            relay,
            remote: peer,
        };
        assert!(branch.has_stream(unproven) && branch.has_stream(relayed));
        assert!(!branch.has_stream(proven));
        assert!(agent.has_stream(proven));
        assert!(!agent.has_stream(unproven) && !agent.has_stream(relayed));
    }
}
