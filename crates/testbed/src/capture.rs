//! Packet captures of a run: what was delivered, in the form that other programs read.

mod write;

use std::time::Duration;

use bytes::Bytes;

use crate::record::Flow;
use crate::stream::Key;
use crate::testbed::Testbed;

/// A packet of a connection.
#[derive(Debug)]
pub(crate) enum Segment {
    /// The first packet of the handshake.
    Syn,
    /// The second one.
    SynAck,
    /// The third one.
    Ack,
    /// Bytes that a host has read, more than fit into one packet maybe.
    Data(Bytes),
    /// The end of a direction.
    Fin,
    /// The end of the connection, or the refusal of one.
    Reset,
}

#[derive(Debug)]
enum Content {
    Datagram(Bytes),
    Segment {
        key: Key,
        /// The end that it goes to.
        side: usize,
        segment: Segment,
    },
}

#[derive(Debug)]
struct Packet {
    at: Duration,
    flow: Flow,
    content: Content,
}

/// The packets so far. Payload is shared with what the hosts got, not copied.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    on: bool,
    packets: Vec<Packet>,
}

impl Capture {
    pub(crate) const fn is_on(&self) -> bool {
        self.on
    }

    pub(crate) fn datagram(&mut self, at: Duration, flow: Flow, data: Bytes) {
        self.push(at, flow, Content::Datagram(data));
    }

    /// A segment arrives at an end; the flow is the one towards it.
    pub(crate) fn segment(
        &mut self,
        at: Duration,
        flow: Flow,
        (key, side): (Key, usize),
        segment: Segment,
    ) {
        let content = Content::Segment { key, side, segment };
        self.push(at, flow, content);
    }

    fn push(&mut self, at: Duration, flow: Flow, content: Content) {
        if self.on {
            self.packets.push(Packet { at, flow, content });
        }
    }
}

/// Packet captures.
impl Testbed {
    /// Starts or stops to keep packets for [`pcap`](Self::pcap); they are not kept unless this is called, for they
    /// hold on to the payload of the whole run. Call it before the first connection: a capture that begins in the
    /// middle of a stream shows the rest of it, one with a gap is wrong. The run itself is the same with and without.
    pub fn capture(&mut self, on: bool) {
        self.settle();
        self.recorder.capture.on = on;
    }

    /// The packets kept since [`capture`](Self::capture) as a file in the pcap format (link type Ethernet, time stamps
    /// of the virtual wall clock in nanoseconds), to open in Wireshark or to check with tshark.
    ///
    /// The capture shows what was delivered, at the moment at which it was:
    ///
    /// - A datagram that was lost is absent, one that was duplicated is there twice. What no single IP packet can carry
    ///   is absent as well.
    /// - A stream has its handshake, its bytes in order in segments of at most [`MTU`](crate::MTU) bytes, and its FIN or
    ///   RST. Chunks are separate segments. An acknowledgement follows each segment at once. Retransmissions and closed
    ///   windows are not shown: a segment that was late, or waited for a slow reader, is there when it was read.
    /// - Streams with TLS carry plain text, as TLS is modelled and not performed. Tell the decoder what they are where
    ///   the port says otherwise: `tshark -d tcp.port==5061,sip`, and the same for 443.
    /// - Questions to the name server are real ones, a query for addresses as a pair of A and AAAA.
    ///
    /// Ethernet addresses are `02:00:00:00:00:00` plus the number of the host. Times before 1970 or after
    /// 2106 become the nearest of these.
    #[must_use]
    pub fn pcap(&self) -> Vec<u8> {
        let wall_clock = self.wall_clock();
        write::file(&self.recorder.capture.packets, |at| {
            wall_clock.at(self.start + at)
        })
    }
}
