//! How pieces, ends and resets of streams arrive.

use std::time::Instant;

use ocs_sip_core::ConnectionId;

use super::{CLIENT, Connection, Key, SERVER, State};
use crate::capture::Segment;
use crate::host::{Closed, ConnectFailure, HostId, Input};
use crate::record::{Event, Fate};
use crate::testbed::{Pending, Testbed};

impl Testbed {
    /// Puts the first piece for an end into the queue, unless it is there.
    pub(super) fn arm(&mut self, key: Key, side: usize, earliest: Instant) {
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        let inbox = &mut connection.ends[side].inbox;
        if inbox.armed {
            return;
        }
        if let Some(piece) = inbox.pieces.front() {
            inbox.armed = true;
            let at = piece.arrival.max(earliest);
            self.queue.push(at, Pending::Readable { key, side });
        }
    }

    pub(super) fn arm_end(&mut self, host: HostId, id: ConnectionId) {
        if let Some(&(key, side)) = self.streams.ends.get(&(host, id)) {
            self.arm(key, side, self.now);
        }
    }

    /// Lets everything move again that stood still between two hosts.
    pub(crate) fn revive(&mut self, a: HostId, b: HostId) {
        let between = |connection: &Connection| {
            let (from, to) = connection.link_to(SERVER);
            (from, to) == (a, b) || (from, to) == (b, a)
        };
        let all = self.streams.connections.iter();
        let keys: Vec<Key> = all
            .filter(|(_, c)| between(c))
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            for side in [CLIENT, SERVER] {
                let (from, to) = self.streams.connections[&key].link_to(side);
                let earliest = self.now + self.links.get(from, to).latency;
                self.arm(key, side, earliest);
            }
            let connection = self.streams.connections.get_mut(&key);
            if let Some(trip) = connection.and_then(|connection| connection.stalled.take()) {
                self.continue_handshake(key, trip);
            }
        }
    }

    pub(crate) fn on_readable(&mut self, key: Key, side: usize) {
        let at = self.elapsed();
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        let flow = connection.flow_to(side);
        let (_, to) = connection.hosts_to(side);
        let link = connection.link_to(side);
        let end = &mut connection.ends[side];
        end.inbox.armed = false;
        let state = end.state;
        if self.links.is_cut(link.0, link.1) || state == State::Waiting {
            return;
        }
        if state == State::Gone {
            // The other end does not know yet, or its link was cut when it should have learned.
            self.discard(key, side);
            self.send_reset(key, 1 - side);
            return;
        }
        if end.paused || self.nodes[to.0].paused {
            return;
        }
        let Some(piece) = end.inbox.pieces.pop_front() else {
            return;
        };
        let id = end.id;
        let input = if let Some(data) = piece.data {
            end.inbox.bytes -= data.len();
            let frames = end.inbox.dissector.feed(&data);
            self.recorder
                .messages(at, flow, piece.sent, Fate::Delivered, frames);
            let segment = Segment::Data(data.clone());
            let capture = &mut self.recorder.capture;
            capture.segment(at, flow, (key, side), segment);
            Input::Data {
                connection: id,
                data,
            }
        } else {
            end.finished = true;
            let rest = end.inbox.finish();
            self.recorder
                .messages(at, flow, piece.sent, Fate::Delivered, rest);
            let capture = &mut self.recorder.capture;
            capture.segment(at, flow, (key, side), Segment::Fin);
            let (how, fate) = (Closed::Fin, Fate::Delivered);
            self.recorder.event(at, Event::Closed { flow, how, fate });
            if connection.ends[1 - side].finished {
                self.streams.forget(key);
            }
            Input::Closed {
                connection: id,
                how,
            }
        };
        self.arm(key, side, self.now);
        self.input(to, input);
    }

    /// Throws away what is on the way to an end.
    pub(super) fn discard(&mut self, key: Key, side: usize) {
        let at = self.elapsed();
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        let flow = connection.flow_to(side);
        let inbox = &mut connection.ends[side].inbox;
        inbox.bytes = 0;
        let mut last = at;
        for piece in inbox.pieces.drain(..) {
            last = piece.sent;
            if let Some(data) = piece.data {
                let frames = inbox.dissector.feed(&data);
                self.recorder
                    .messages(at, flow, piece.sent, Fate::Reset, frames);
            }
        }
        let rest = inbox.finish();
        self.recorder.messages(at, flow, last, Fate::Reset, rest);
    }

    /// Sends a reset to an end, behind what is on the way to it.
    pub(super) fn send_reset(&mut self, key: Key, side: usize) {
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        let hosts = connection.link_to(side);
        let arrival = self.links.stream(&mut self.rng, self.now, hosts, 0);
        let arrival = connection.ends[side].inbox.in_order(arrival);
        self.queue.push(arrival, Pending::Reset { key, side });
    }

    pub(crate) fn on_reset(&mut self, key: Key, side: usize) {
        let at = self.elapsed();
        let Some(connection) = self.streams.connections.get(&key) else {
            return;
        };
        if connection.ends[side].state == State::Gone {
            return;
        }
        let flow = connection.flow_to(side);
        let (from, to) = connection.link_to(side);
        let lost = self.links.is_cut(from, to);
        let fate = if lost { Fate::Lost } else { Fate::Delivered };
        if !lost {
            self.discard(key, side);
            let capture = &mut self.recorder.capture;
            capture.segment(at, flow, (key, side), Segment::Reset);
        }
        let how = Closed::Reset;
        self.recorder.event(at, Event::Closed { flow, how, fate });
        if !lost {
            self.break_end(key, side);
        }
    }

    /// An end learns that its connection no longer exists.
    pub(super) fn break_end(&mut self, key: Key, side: usize) {
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        if let Some(deadline) = connection.deadline.take() {
            self.queue.cancel(deadline);
        }
        let end = &mut connection.ends[side];
        let before = core::mem::replace(&mut end.state, State::Gone);
        let (host, id) = (end.host, end.id);
        let alone = connection.ends[1 - side].state == State::Gone;
        self.streams.hide(key, host, id);
        if alone {
            self.streams.forget(key);
        }
        match (before, side) {
            (State::Open, _) => {
                let how = Closed::Reset;
                self.input(
                    host,
                    Input::Closed {
                        connection: id,
                        how,
                    },
                );
            }
            (State::Waiting, CLIENT) => {
                let reason = ConnectFailure::Reset;
                self.input(
                    host,
                    Input::ConnectFailed {
                        connection: id,
                        reason,
                    },
                );
            }
            _ => {}
        }
    }
}
