//! Our agent in the place of one side of a recording.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::script::Script;
use bytes::Bytes;
use ocs_ice::sdp::{ice, ice2};
use ocs_ice::{
    Agent, Candidate, Component, Config, Credentials, Description, Dialect, Event, Output, Role,
    Transport,
};
use ocs_stun::{AttributeType, Class, Message};

use super::{Capture, component_of, stun};

/// Who plays, and with what.
pub(crate) struct Stage<'a> {
    pub(crate) capture: &'a Capture,
    pub(crate) dialect: Dialect,
    /// Whether we are libnice.
    pub(crate) as_n: bool,
    /// Of each component: our address, and the other side's.
    pub(crate) sockets: HashMap<Component, (SocketAddr, SocketAddr)>,
    pub(crate) remote: Description,
    pub(crate) agent: Agent<Script>,
    pub(crate) now: Instant,
    /// Everything that we sent.
    pub(crate) sent: BTreeSet<Bytes>,
}

impl<'a> Stage<'a> {
    pub(crate) fn ice2(capture: &'a Capture, as_n: bool, adjust: impl FnOnce(&mut Config)) -> Self {
        let dialect = Dialect::Ice2;
        let first = capture.requests(as_n)[0];
        let message = Message::parse(stun(dialect), &first.data).unwrap();
        let (role, tie_breaker) = match message.raw(AttributeType::ICE_CONTROLLING) {
            Some(tie) => (Role::Controlling, tie),
            None => (
                Role::Controlled,
                message.raw(AttributeType::ICE_CONTROLLED).unwrap(),
            ),
        };
        let tie_breaker = u64::from_be_bytes(tie_breaker.try_into().unwrap());
        let mut config = Config::new(dialect, role);
        config.allow_loopback = true;
        adjust(&mut config);
        let (own, other) = if as_n { ("N", "P") } else { ("P", "N") };
        let script = Script::new(capture.script(as_n, dialect));
        let credentials = capture.credentials(own);
        let agent = Agent::with_credentials(config, script, credentials, tie_breaker);
        let theirs: Vec<Candidate> = capture
            .ice2_candidates()
            .into_iter()
            .map(|candidate| {
                let mine = candidate.clone();
                if as_n {
                    capture.candidate_of_p(mine)
                } else {
                    candidate
                }
            })
            .collect();
        let sockets = capture.ice2_candidates().into_iter().map(|candidate| {
            let of_p = capture.address(false, dialect, candidate.component);
            let pair = if as_n {
                (candidate.address, of_p)
            } else {
                (of_p, candidate.address)
            };
            (candidate.component, pair)
        });
        let sockets = sockets.collect();
        let remote = Description::Ice2(ice2::Description {
            credentials: capture.credentials(other),
            candidates: theirs,
            remote_candidates: Vec::new(),
        });
        Self::new(capture, dialect, as_n, sockets, remote, agent)
    }

    pub(crate) fn new(
        capture: &'a Capture,
        dialect: Dialect,
        as_n: bool,
        sockets: HashMap<Component, (SocketAddr, SocketAddr)>,
        remote: Description,
        mut agent: Agent<Script>,
    ) -> Self {
        for component in Component::ALL {
            let own = sockets[&component].0;
            agent.add_host(component, Transport::Udp, own).unwrap();
        }
        Self {
            capture,
            dialect,
            as_n,
            sockets,
            remote,
            agent,
            now: Instant::now(),
            sent: BTreeSet::new(),
        }
    }

    /// The component of each transaction of the other side, and of ours so far.
    pub(crate) fn drain(&mut self, components: &mut HashMap<Bytes, Component>) {
        while let Some(output) = self.agent.poll_output() {
            if let Output::Datagram { base, data, .. } = output {
                let mut own = self.sockets.iter();
                let (component, _) = own.find(|(_, (local, _))| *local == base).unwrap();
                components.insert(data.slice(4..20), *component);
                self.sent.insert(data);
            }
        }
    }

    /// Feeds what the other side sent, in its order.
    pub(crate) fn play(mut self) -> Self {
        let mut components = HashMap::new();
        for line in self.capture.requests(!self.as_n) {
            components.insert(line.data.slice(4..20), component_of(line, self.dialect));
        }
        self.agent.gather(self.now).unwrap();
        self.agent.set_remote(self.now, &self.remote).unwrap();
        let pace = Duration::from_millis(if self.dialect == Dialect::Ice2 {
            20
        } else {
            50
        });
        for line in &self.capture.lines {
            if line.from_n == self.as_n {
                continue;
            }
            // Time for the checks of both components.
            for _ in 0..2 {
                self.drain(&mut components);
                self.now += pace;
                self.agent.handle_timeout(self.now);
            }
            self.drain(&mut components);
            let component = if line.is_stun() {
                components.get(&line.data[4..20]).copied()
            } else {
                Some(Component::Rtp)
            };
            let (local, remote) = self.sockets[&component.unwrap_or(Component::Rtp)];
            self.agent
                .handle_datagram(self.now, local, remote, line.data.clone());
        }
        self.drain(&mut components);
        self
    }

    /// What this side sent in the capture, of lines with this in their comment.
    pub(crate) fn recorded(&self, comment: &str) -> BTreeSet<Bytes> {
        let own = self
            .capture
            .lines
            .iter()
            .filter(|line| line.from_n == self.as_n);
        own.filter(|line| line.comment.contains(comment))
            .map(|line| line.data.clone())
            .collect()
    }

    pub(crate) fn sent_of(&self, class: Class) -> BTreeSet<Bytes> {
        let of = |data: &&Bytes| {
            Message::parse(stun(self.dialect), data).is_ok_and(|message| message.class() == class)
        };
        self.sent.iter().filter(of).cloned().collect()
    }

    #[track_caller]
    pub(crate) fn assert_same(&self, comment: &str, class: Class) {
        let show = |set: BTreeSet<Bytes>| set.iter().map(hex::encode).collect::<Vec<_>>();
        let (recorded, sent) = (self.recorded(comment), self.sent_of(class));
        assert!(!recorded.is_empty());
        assert_eq!(show(sent), show(recorded));
    }

    /// Media of the other side came through, and nothing else did.
    #[track_caller]
    pub(crate) fn assert_data(&mut self) {
        let mut data = Vec::new();
        while let Some(event) = self.agent.poll_event() {
            if let Event::Data { data: packet, .. } = event {
                data.push(packet);
            }
        }
        let theirs = self
            .capture
            .lines
            .iter()
            .filter(|line| line.from_n != self.as_n);
        let recorded: Vec<Bytes> = theirs
            .filter(|line| line.comment.contains("data"))
            .map(|line| line.data.clone())
            .collect();
        assert_eq!(data, recorded);
    }
}

impl<'a> Stage<'a> {
    pub(crate) fn ice(capture: &'a Capture, as_n: bool, role: Role) -> Self {
        let dialect = Dialect::Ice;
        let mut config = Config::new(dialect, role);
        config.allow_loopback = true;
        let (own, theirs) = (capture.lines(as_n), capture.lines(!as_n));
        let mut script: VecDeque<u8> = own[0].id.as_bytes().to_vec().into();
        script.extend(own[0].password.as_bytes());
        script.extend(capture.script(as_n, dialect));
        let credentials = Credentials::new("unused", "unusedunusedunusedunused").unwrap();
        let agent = Agent::with_credentials(config, Script::new(script), credentials, 0);
        let pairs = own.iter().zip(&theirs);
        let sockets = pairs.map(|(own, other)| (own.component, (own.address, other.address)));
        let sockets = sockets.collect();
        let remote = Description::Ice(ice::Description {
            candidates: theirs,
            remote_candidate: None,
        });
        Self::new(capture, dialect, as_n, sockets, remote, agent)
    }
}
