//! What the application can see of connections and do to them.

use ocs_sip_core::ConnectionId;

use super::{CLIENT, SERVER};
use crate::capture::Segment;
use crate::host::HostId;
use crate::testbed::Testbed;

impl Testbed {
    /// The connections that a host has or tries to make, in the order of their numbers.
    #[must_use]
    pub fn connections(&self, host: HostId) -> Vec<ConnectionId> {
        let own = (host, ConnectionId(0))..=(host, ConnectionId(u64::MAX));
        self.streams
            .ends
            .range(own)
            .map(|((_, id), _)| *id)
            .collect()
    }

    /// The other end of a connection: its host and the number that it has there.
    #[must_use]
    pub fn peer_of(
        &self,
        host: HostId,
        connection: ConnectionId,
    ) -> Option<(HostId, ConnectionId)> {
        let (key, side) = self.streams.ends.get(&(host, connection))?;
        let peer = &self.streams.connections.get(key)?.ends[1 - side];
        Some((peer.host, peer.id))
    }

    /// How many bytes have been sent to a host on a connection that it has not read: those on the way and
    /// those that wait for a slow reader. `None` if the host has no such connection.
    #[must_use]
    pub fn queued(&self, host: HostId, connection: ConnectionId) -> Option<usize> {
        self.streams
            .end(host, connection)
            .map(|end| end.inbox.bytes)
    }

    /// A host stops to read a connection; what comes in waits. Nothing happens if it has no such connection.
    pub fn pause_reading(&mut self, host: HostId, connection: ConnectionId) {
        self.settle();
        if let Some(end) = self.streams.end_mut(host, connection) {
            end.paused = true;
        }
    }

    /// A host reads a connection again.
    pub fn resume_reading(&mut self, host: HostId, connection: ConnectionId) {
        self.settle();
        if let Some(end) = self.streams.end_mut(host, connection) {
            end.paused = false;
            self.arm_end(host, connection);
        }
    }

    /// A host stops to read all connections that it has or will have.
    pub fn pause_reading_all(&mut self, host: HostId) {
        self.settle();
        self.nodes[host.0].paused = true;
    }

    /// Ends [`pause_reading_all`](Self::pause_reading_all).
    pub fn resume_reading_all(&mut self, host: HostId) {
        self.settle();
        self.nodes[host.0].paused = false;
        for connection in self.connections(host) {
            self.arm_end(host, connection);
        }
    }

    /// The network breaks a connection: both ends learn at once of a reset, what is on the way is lost.
    /// Nothing happens if the host has no such connection.
    pub fn reset_connection(&mut self, host: HostId, connection: ConnectionId) {
        self.settle();
        let Some(&(key, side)) = self.streams.ends.get(&(host, connection)) else {
            return;
        };
        let (peer, _) = self.streams.connections[&key].hosts_to(side);
        self.discard(key, CLIENT);
        self.discard(key, SERVER);
        let at = self.elapsed();
        for side in [CLIENT, SERVER] {
            let flow = self.streams.connections[&key].flow_to(side);
            let capture = &mut self.recorder.capture;
            capture.segment(at, flow, (key, side), Segment::Reset);
        }
        self.remark(host, format!("connection with {} broken", self.name(peer)));
        self.break_end(key, side);
        self.break_end(key, 1 - side);
        // The other end may never have known.
        self.streams.forget(key);
    }
}
