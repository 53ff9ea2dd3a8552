//! Two streams that hand each other what they send, at once and without a network: for what counts time and memory.
#![allow(unreachable_pub, reason = "programs that have no library take it in")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ocs_ice::{Component, Dialect, Role, Transport};
use ocs_media::{Action, Config, Event, ForkId, MediaStream};
use ocs_sdpext::codec::Codec;
use ocs_sdpext::negotiation::{Answer, Session, Stage, Stream, StreamKind, Verdict};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

/// A caller and a callee.
pub struct Pair {
    pub sides: [MediaStream<ChaCha12Rng>; 2],
    pub sessions: [Session; 2],
    pub now: Instant,
}

impl Pair {
    /// Connected: offer, answer, checks, final offer, final answer.
    pub fn connected(seed: u64, now: Instant) -> Self {
        let sides = [Role::Controlling, Role::Controlled].map(|role| {
            let side = u64::from(role == Role::Controlled);
            let mut config = Config::new(StreamKind::Audio, Dialect::Ice2, role);
            // Of what is multiplexed the second component has nothing but keep-alives, which are not what is measured.
            config.ice.timers.keep_alive = Duration::from_secs(3600);
            let rng = ChaCha12Rng::seed_from_u64(2 * seed + side);
            let mut stream = MediaStream::new(now, config, rng).unwrap();
            for (component, port) in [(Component::Rtp, 5000), (Component::Rtcp, 5001)] {
                let address = SocketAddr::from(([192, 0, 2, 1 + side as u8], port));
                stream
                    .add_host(now, component, Transport::Udp, address)
                    .unwrap();
            }
            stream.gather(now).unwrap();
            stream
        });
        let config = ocs_sdpext::negotiation::Config::default;
        let sessions = [Session::new(config()), Session::new(config())];
        let mut pair = Self {
            sides,
            sessions,
            now,
        };
        let plan = pair.plan(0);
        pair.sessions[0].add(plan).unwrap();
        pair.negotiate(seed);
        for _ in 0..10_000 {
            pair.exchange();
            if pair
                .sides
                .iter()
                .all(|side| side.final_transport().is_some())
            {
                break;
            }
            pair.now += Duration::from_millis(1);
        }
        let plan = pair.plan(0);
        pair.sessions[0].stream_mut(0).unwrap().transport = plan.transport;
        pair.negotiate(seed);
        pair.exchange();
        pair
    }

    fn plan(&self, side: usize) -> Stream {
        let stream = &self.sides[side];
        let transport = stream.final_transport().or(stream.transport()).unwrap();
        Stream::audio(transport, stream.ssrc_range()).with_codecs(&[Codec::Pcmu])
    }

    fn negotiate(&mut self, seed: u64) {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let plan = self.plan(1);
        let [caller, callee] = &mut self.sessions;
        let offer = caller.offer(&mut rng).unwrap();
        let Verdict::Open(_) = callee.handle_offer(offer) else {
            panic!("refused");
        };
        match callee.stream_mut(0) {
            Some(known) => known.transport = plan.transport,
            None => callee.accept(0, plan).unwrap(),
        }
        let Answer::Accept(answer) = callee.answer(&mut rng).unwrap() else {
            panic!("refused");
        };
        caller.handle_answer(&answer, Stage::Final).unwrap();
        for (stream, session) in self.sides.iter_mut().zip(&self.sessions) {
            let lines = session.remote().unwrap().media(0).unwrap().ice_lines(true);
            let agreed = session.negotiated(0).unwrap();
            stream
                .handle_negotiated(self.now, ForkId(1), agreed, &lines)
                .unwrap();
            stream.choose(self.now, ForkId(1)).unwrap();
        }
    }

    /// Hands over what is sent until nothing is, does what is due, and drops events.
    pub fn exchange(&mut self) {
        loop {
            let mut idle = true;
            for side in 0..2 {
                while let Some(action) = self.sides[side].poll_action() {
                    idle = false;
                    self.deliver(side, action);
                }
                if self.sides[side]
                    .poll_timeout()
                    .is_some_and(|at| at <= self.now)
                {
                    idle = false;
                    self.sides[side].handle_timeout(self.now);
                }
                while let Some(event) = self.sides[side].poll_event() {
                    assert!(!matches!(event, Event::Failed { .. }), "{event:?}");
                }
            }
            if idle {
                break;
            }
        }
    }

    pub fn deliver(&mut self, from: usize, action: Action) {
        let Action::Datagram { base, to, data } = action else {
            return;
        };
        self.sides[1 - from].handle_datagram(self.now, to, base, data);
    }
}
