//! After the agreement: giving back what is not used, and beginning anew.

use std::time::Instant;

use rand_core::Rng;

use super::{Agent, Path, Phase, RelayState, Remote, key};
use crate::credentials::same_password;
use crate::sdp::ice;
use crate::{CandidateType, Component, Credentials, Description, Error};

impl<R: Rng> Agent<R> {
    /// After the final offer and answer: gives back the allocations and closes the connections that carry nothing.
    ///
    /// # Errors
    /// [`Error::WrongState`] before [`Event::Completed`](crate::Event::Completed).
    pub fn finish(&mut self) -> Result<(), Error> {
        if self.phase != Phase::Completed {
            let operation = "finishing";
            return Err(Error::WrongState { operation });
        }
        for media in &mut self.media {
            media.previous = None;
        }
        self.release_unused();
        Ok(())
    }

    fn release_unused(&mut self) {
        let selected = self.media.iter().filter_map(|media| {
            let path = media
                .selected
                .and_then(|index| self.path(&self.pairs[index]));
            path.or(media.previous)
        });
        let used: Vec<Path> = selected.collect();
        let connection = |id| used.contains(&Path::Stream { connection: id });
        let relay = |id| {
            used.iter().any(|path| match path {
                Path::Relay { relay, .. } | Path::RelayStream { relay, .. } => *relay == id,
                _ => false,
            })
        };
        self.release(|id| !connection(id), |id| !relay(id));
        let relays = &self.relays;
        self.relay_streams
            .retain(|(id, _), _| relays[id.0].state == RelayState::Open);
    }

    /// Whether a description of the peer asks for a restart: both its credentials are new. One of the other dialect asks for nothing that could be
    /// done.
    pub fn is_restart(&self, description: &Description) -> bool {
        if description.dialect() != self.config.dialect {
            return false;
        }
        match (description, &self.peer) {
            (Description::Ice2(description), Some(peer)) => {
                let (new, old) = (&description.credentials, &peer.credentials);
                new.ufrag() != old.ufrag() && !same_password(new.password(), old.password())
            }
            (Description::Ice(description), _) => {
                let known = |line: &ice::Line| {
                    let of =
                        |remote: &Remote| matches!(&remote.legacy, Some((id, _)) if *id == line.id);
                    self.remotes.iter().any(of)
                };
                self.remote_known && !description.candidates.iter().any(known)
            }
            _ => false,
        }
    }

    /// Begins anew: new credentials, new gathering, with the sockets that are there. Media goes on over the old path until the
    /// new one is found.
    pub fn restart(&mut self, now: Instant) {
        for component in Component::ALL {
            let media = &self.media[component.index()];
            let path = media
                .selected
                .and_then(|index| self.path(&self.pairs[index]));
            let previous = path.or(media.previous);
            self.media[component.index()] = super::Media {
                previous,
                sent: previous.map(|_| now),
                ..super::Media::default()
            };
        }
        self.pairs.clear();
        self.remotes.clear();
        self.transactions.clear();
        self.triggered.clear();
        self.early.clear();
        self.peer = None;
        self.remote_known = false;
        self.request_seen = false;
        self.response_seen = false;
        self.policy = super::policy::State::None;
        self.credentials = Credentials::random(&mut self.rng);
        self.own_key = key(self.credentials.password());
        let relays = &self.relays;
        self.locals.retain(|local| {
            let told = local
                .told_by
                .is_none_or(|relay| relays[relay.0].state == RelayState::Open);
            told && local.kind != CandidateType::PeerReflexive
        });
        self.renew_groups();
        let used = |id| {
            let path = Some(Path::Stream { connection: id });
            self.media.iter().any(|media| media.previous == path)
        };
        let closed: Vec<_> = self
            .connections
            .keys()
            .copied()
            .filter(|id| !used(*id))
            .collect();
        for connection in closed {
            self.close_connection(connection);
        }
        self.phase = Phase::Gathering;
        self.deadline = Some(now + self.config.timers.gathering);
        // What was asked for before may still come.
        for index in 0..self.relays.len() {
            if self.relays[index].state == RelayState::Gone {
                self.allocate(index);
            }
        }
        self.gathered_if_done(now);
    }
}
