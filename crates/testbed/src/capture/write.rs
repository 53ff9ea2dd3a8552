//! The pcap file.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use etherparse::{IpHeaders, PacketBuilder, PacketBuilderStep, TcpHeader};
use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};
use pcap_file::{DataLink, TsResolution};

use super::{Content, Packet, Segment};
use crate::host::HostId;
use crate::link::MTU;
use crate::record::Flow;
use crate::stream::{CLIENT, Key, SERVER};

/// The largest packet that readers of the format accept.
const SNAP_LENGTH: u32 = 262_144;

/// The time to live of all packets.
const HOP_LIMIT: u8 = 64;

/// The window of all receivers; never exceeded, as every segment is acknowledged at once.
const WINDOW: u16 = u16::MAX;

pub(super) fn file(packets: &[Packet], clock: impl Fn(Duration) -> SystemTime) -> Vec<u8> {
    let header = PcapHeader {
        snaplen: SNAP_LENGTH,
        datalink: DataLink::ETHERNET,
        ts_resolution: TsResolution::NanoSecond,
        ..PcapHeader::default()
    };
    let mut file = File {
        writer: PcapWriter::with_header(Vec::new(), header).expect("memory takes all"),
        streams: BTreeMap::new(),
        frame: Vec::new(),
    };
    for packet in packets {
        file.packet(packet, clock(packet.at));
    }
    file.writer.into_writer()
}

struct File {
    writer: PcapWriter<Vec<u8>>,
    /// The next sequence number of each end.
    streams: BTreeMap<Key, [u32; 2]>,
    frame: Vec<u8>,
}

impl File {
    fn packet(&mut self, packet: &Packet, time: SystemTime) {
        let flow = &packet.flow;
        match &packet.content {
            Content::Datagram(data) => {
                let Some(ip) = ip(flow) else {
                    return;
                };
                let udp = ip.udp(flow.source.port(), flow.destination.port());
                self.frame.clear();
                // Fails where the length does not fit into the headers.
                if udp.write(&mut self.frame, data).is_ok() {
                    self.frame(time);
                }
            }
            Content::Segment { key, side, segment } => {
                self.segment(flow, time, (*key, *side), segment);
            }
        }
    }

    fn segment(
        &mut self,
        flow: &Flow,
        time: SystemTime,
        (key, side): (Key, usize),
        segment: &Segment,
    ) {
        let (own, peer) = (1 - side, side);
        // A stream whose handshake was not captured begins somewhere.
        let mut next = self.streams.get(&key).copied().unwrap_or([1; 2]);
        let plain = |next: &[u32; 2]| {
            let ports = (flow.source.port(), flow.destination.port());
            let mut header = TcpHeader::new(ports.0, ports.1, next[own], WINDOW);
            header.ack = true;
            header.acknowledgment_number = next[peer];
            header
        };
        match segment {
            Segment::Syn => {
                next = [0; 2];
                next[CLIENT] = initial_sequence_number(time);
                let mut header = plain(&next);
                header.syn = true;
                header.ack = false;
                self.tcp(flow, time, header, &[]);
                next[own] = next[own].wrapping_add(1);
            }
            Segment::SynAck => {
                next[SERVER] = initial_sequence_number(time);
                let mut header = plain(&next);
                header.syn = true;
                self.tcp(flow, time, header, &[]);
                next[own] = next[own].wrapping_add(1);
            }
            Segment::Ack => self.tcp(flow, time, plain(&next), &[]),
            Segment::Data(data) => {
                let mut rest = data.len();
                for payload in data.chunks(MTU) {
                    rest -= payload.len();
                    let mut header = plain(&next);
                    header.psh = rest == 0;
                    self.tcp(flow, time, header, payload);
                    next[own] = next[own].wrapping_add(payload.len() as u32);
                    self.acknowledge(flow, time, next[peer], next[own]);
                }
            }
            Segment::Fin => {
                let mut header = plain(&next);
                header.fin = true;
                self.tcp(flow, time, header, &[]);
                next[own] = next[own].wrapping_add(1);
                self.acknowledge(flow, time, next[peer], next[own]);
            }
            Segment::Reset => {
                let mut header = plain(&next);
                header.rst = true;
                self.tcp(flow, time, header, &[]);
            }
        }
        self.streams.insert(key, next);
    }

    /// The answer to a segment of this flow.
    fn acknowledge(&mut self, flow: &Flow, time: SystemTime, sequence: u32, acknowledged: u32) {
        let back = Flow {
            from: flow.to.unwrap_or(flow.from),
            to: Some(flow.from),
            source: flow.destination,
            destination: flow.source,
            ..*flow
        };
        let ports = (back.source.port(), back.destination.port());
        let mut header = TcpHeader::new(ports.0, ports.1, sequence, WINDOW);
        header.ack = true;
        header.acknowledgment_number = acknowledged;
        self.tcp(&back, time, header, &[]);
    }

    fn tcp(&mut self, flow: &Flow, time: SystemTime, header: TcpHeader, payload: &[u8]) {
        let Some(ip) = ip(flow) else {
            return;
        };
        self.frame.clear();
        let tcp = ip.tcp_header(header);
        tcp.write(&mut self.frame, payload)
            .expect("a segment fits into a packet");
        self.frame(time);
    }

    fn frame(&mut self, time: SystemTime) {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        let latest = Duration::from_secs(u32::MAX.into());
        let timestamp = since.unwrap_or_default().min(latest);
        let packet = PcapPacket::new(timestamp, self.frame.len() as u32, &self.frame);
        self.writer
            .write_packet(&packet)
            .expect("memory takes all, the length is below the limit");
    }
}

/// The headers below TCP and UDP; none if the addresses are of two families.
fn ip(flow: &Flow) -> Option<PacketBuilderStep<IpHeaders>> {
    let link = PacketBuilder::ethernet2(ethernet(flow.from), ethernet(flow.to?));
    match (flow.source.ip(), flow.destination.ip()) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            Some(link.ipv4(source.octets(), destination.octets(), HOP_LIMIT))
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            Some(link.ipv6(source.octets(), destination.octets(), HOP_LIMIT))
        }
        _ => None,
    }
}

/// A locally administered address.
const fn ethernet(host: HostId) -> [u8; 6] {
    let [a, b, c, d] = (host.0 as u32).to_be_bytes();
    [2, 0, a, b, c, d]
}

/// The clock of RFC 9293 3.4.1, which ticks every four microseconds.
fn initial_sequence_number(time: SystemTime) -> u32 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    (since.unwrap_or_default().as_micros() / 4) as u32
}
