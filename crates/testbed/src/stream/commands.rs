//! What hosts do to their connections.

use bytes::Bytes;
use ocs_sip_core::ConnectionId;

use super::State;
use crate::host::HostId;
use crate::testbed::Testbed;

impl Testbed {
    pub(crate) fn send(&mut self, host: HostId, id: ConnectionId, data: Bytes) {
        let writable = self
            .streams
            .end(host, id)
            .is_some_and(|end| end.state == State::Open && !end.closed);
        let found = self.streams.ends.get(&(host, id)).copied();
        let (true, Some((key, side))) = (writable, found) else {
            let length = data.len();
            self.remark(
                host,
                format!("sends {length} bytes on connection {id}, which is not open"),
            );
            return;
        };
        if data.is_empty() {
            return;
        }
        let sent = self.elapsed();
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        let hosts = connection.link_to(1 - side);
        let inbox = &mut connection.ends[1 - side].inbox;
        self.links
            .pieces(&mut self.rng, self.now, hosts, data, |arrival, piece| {
                inbox.push(arrival, sent, Some(piece));
            });
        self.arm(key, 1 - side, self.now);
    }

    pub(crate) fn close(&mut self, host: HostId, id: ConnectionId) {
        self.streams.doomed.remove(&(host, id));
        let Some(&(key, side)) = self.streams.ends.get(&(host, id)) else {
            return;
        };
        let sent = self.elapsed();
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        if connection.ends[side].state == State::Waiting {
            self.abort(host, id);
        } else if !connection.ends[side].closed {
            connection.ends[side].closed = true;
            let hosts = connection.link_to(1 - side);
            let arrival = self.links.stream(&mut self.rng, self.now, hosts, 0);
            connection.ends[1 - side].inbox.push(arrival, sent, None);
            self.arm(key, 1 - side, self.now);
        }
    }

    /// A host aborts a connection or an attempt to make one.
    pub(crate) fn abort(&mut self, host: HostId, id: ConnectionId) {
        self.streams.doomed.remove(&(host, id));
        let Some((key, side)) = self.streams.ends.remove(&(host, id)) else {
            return;
        };
        let Some(connection) = self.streams.connections.get_mut(&key) else {
            return;
        };
        connection.ends[side].state = State::Gone;
        if let Some(deadline) = connection.deadline.take() {
            self.queue.cancel(deadline);
        }
        let other = connection.ends[1 - side].state;
        self.discard(key, side);
        if other == State::Open {
            self.send_reset(key, 1 - side);
        } else {
            // Nobody else knows the connection; what it still has under way goes with it.
            self.discard(key, 1 - side);
            self.streams.forget(key);
        }
    }
}
