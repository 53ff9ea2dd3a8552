//! Packet captures, read back with the crates that wrote them; `tshark.rs` has an independent reader.

mod common;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use common::{Pair, Puppet, address, ms};
use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use ocs_sip_core::{ConnectionId, Transport};
use ocs_testbed::{Chunking, Link, Listener, MTU, Output, Query, Testbed};
use pcap_file::pcap::PcapReader;
use proptest::prelude::*;

#[derive(Debug, PartialEq)]
struct Packet {
    time: Duration,
    source: u16,
    flags: String,
    sequence: u32,
    acknowledged: u32,
    payload: Vec<u8>,
}

/// All packets; checks checksums, and that nobody acknowledges what was not there.
fn read(pcap: &[u8]) -> Vec<Packet> {
    let mut reader = PcapReader::new(pcap).unwrap();
    let mut packets = Vec::new();
    while let Some(packet) = reader.next_packet() {
        let packet = packet.unwrap();
        let sliced = SlicedPacket::from_ethernet(&packet.data).unwrap();
        let net = sliced.net.unwrap();
        let (flags, ports, sequence, acknowledged, payload, sums) = match sliced.transport.unwrap()
        {
            TransportSlice::Tcp(tcp) => {
                let flags = [
                    (tcp.syn(), 'S'),
                    (tcp.fin(), 'F'),
                    (tcp.rst(), 'R'),
                    (tcp.psh(), 'P'),
                    (tcp.ack(), 'A'),
                ];
                let flags = flags.iter().filter(|(on, _)| *on).map(|(_, flag)| *flag);
                let header = tcp.to_header();
                let sum = match &net {
                    NetSlice::Ipv4(ip) => {
                        header.calc_checksum_ipv4(&ip.header().to_header(), tcp.payload())
                    }
                    NetSlice::Ipv6(ip) => {
                        header.calc_checksum_ipv6(&ip.header().to_header(), tcp.payload())
                    }
                    NetSlice::Arp(_) => unreachable!(),
                };
                (
                    flags.collect::<String>(),
                    tcp.source_port(),
                    tcp.sequence_number(),
                    tcp.acknowledgment_number(),
                    tcp.payload().to_vec(),
                    (tcp.checksum(), sum.unwrap()),
                )
            }
            TransportSlice::Udp(udp) => (
                "U".to_owned(),
                udp.source_port(),
                0,
                0,
                udp.payload().to_vec(),
                (0, 0),
            ),
            other => panic!("{other:?}"),
        };
        assert_eq!(sums.0, sums.1);
        packets.push(Packet {
            time: packet.timestamp,
            source: ports,
            flags,
            sequence,
            acknowledged,
            payload,
        });
    }
    packets
}

/// The streams of the only connection by the port that they come from; checks sequence numbers.
fn streams(packets: &[Packet]) -> BTreeMap<u16, Vec<u8>> {
    let mut streams: BTreeMap<u16, Vec<u8>> = BTreeMap::new();
    let mut next: BTreeMap<u16, u32> = BTreeMap::new();
    for packet in packets.iter().filter(|packet| packet.flags != "U") {
        let fresh = packet.flags.contains('S');
        let expected = next.entry(packet.source).or_insert(packet.sequence);
        assert_eq!(packet.sequence, *expected, "{packet:?}");
        let counted = usize::from(fresh || packet.flags.contains('F')) + packet.payload.len();
        *expected = expected.wrapping_add(counted as u32);
        streams
            .entry(packet.source)
            .or_default()
            .extend(&packet.payload);
        if packet.flags.contains('A') {
            // Unknown at the first packet of a capture that began late.
            if let Some((_, seen)) = next.iter().find(|(port, _)| **port != packet.source) {
                assert_eq!(*seen, packet.acknowledged);
            }
        }
    }
    streams
}

fn captured(link: Link) -> Pair {
    let mut pair = Pair::new(1, true);
    pair.testbed.capture(true);
    pair.testbed.set_default_link(link);
    pair.alice(|alice| alice.connect(1, address(2, 5060), Transport::Tcp));
    pair.testbed.run_until_idle().unwrap();
    pair
}

fn flags(pair: &Pair) -> Vec<String> {
    let packets = read(&pair.testbed.pcap());
    packets.into_iter().map(|packet| packet.flags).collect()
}

#[test]
fn a_connection_from_beginning_to_end() {
    let mut pair = captured(Link::default());
    pair.alice(|alice| {
        alice.send(1, vec![7; MTU + 1]);
        alice.outputs.push_back(Output::Close {
            connection: ConnectionId(1),
        });
    });
    pair.testbed.run_until_idle().unwrap();
    let packets = read(&pair.testbed.pcap());
    let shown: Vec<(u64, u16, &str, usize)> = packets
        .iter()
        .map(|p| {
            let ms = p.time.as_millis() as u64;
            (ms, p.source, p.flags.as_str(), p.payload.len())
        })
        .collect();
    let (alice, bob) = (49152, 5060);
    assert_eq!(
        shown,
        [
            (10, alice, "S", 0),
            (20, bob, "SA", 0),
            (30, alice, "A", 0),
            (40, alice, "A", MTU),
            (40, bob, "A", 0),
            (40, alice, "PA", 1),
            (40, bob, "A", 0),
            (40, alice, "FA", 0),
            (40, bob, "A", 0),
            (50, bob, "A", MTU),
            (50, alice, "A", 0),
            (50, bob, "PA", 1),
            (50, alice, "A", 0),
            (50, bob, "FA", 0),
            (50, alice, "A", 0),
        ]
    );
    let streams = streams(&packets);
    assert_eq!(streams[&alice], streams[&bob]);
}

#[test]
fn nothing_is_kept_unless_asked_for() {
    let mut pair = Pair::connected(1, true);
    assert!(read(&pair.testbed.pcap()).is_empty());
    // The rest of a stream is a stream.
    pair.testbed.capture(true);
    pair.alice(|alice| alice.send(1, "late"));
    pair.testbed.run_until_idle().unwrap();
    let streams = streams(&read(&pair.testbed.pcap()));
    assert_eq!(streams[&5060], b"late");
}

#[test]
fn refusals_and_resets() {
    let mut pair = Pair::new(1, false);
    pair.testbed.capture(true);
    pair.alice(|alice| alice.connect(1, address(2, 9), Transport::Tcp));
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(flags(&pair), ["S", "RA"]);

    let mut pair = captured(Link::default());
    pair.alice(|alice| {
        alice.outputs.push_back(Output::Reset {
            connection: ConnectionId(1),
        });
    });
    pair.testbed.run_until_idle().unwrap();
    assert_eq!(flags(&pair), ["S", "SA", "A", "RA"]);

    let mut pair = captured(Link::default());
    pair.testbed.reset_connection(pair.alice, ConnectionId(1));
    assert_eq!(flags(&pair), ["S", "SA", "A", "RA", "RA"]);
}

#[test]
fn datagrams_arrive_or_do_not() {
    for (loss, duplicate, count) in [(0.0, 0.0, 1), (1.0, 0.0, 0), (0.0, 1.0, 2)] {
        let mut pair = Pair::new(1, false);
        pair.testbed.capture(true);
        pair.testbed.set_default_link(Link {
            loss,
            duplicate,
            ..Link::default()
        });
        pair.alice(|alice| {
            alice.datagram(address(1, 4000), address(2, 4001), "media");
            // No packet can carry these.
            alice.datagram(address(1, 4000), address(2, 4001), vec![0; 65_508]);
        });
        pair.testbed.run_until_idle().unwrap();
        let packets = read(&pair.testbed.pcap());
        assert_eq!(packets.len(), count);
        assert!(packets.iter().all(|packet| packet.payload == b"media"));
    }
}

#[test]
fn both_families_and_the_name_server() {
    let system = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let mut testbed = Testbed::new(1, Instant::now(), system);
    testbed.capture(true);
    let [a, b]: [SocketAddr; 2] =
        ["[2001:db8::1]:0", "[2001:db8::2]:5061"].map(|text| text.parse().unwrap());
    let alice = testbed.add_host("alice", [a.ip()], Puppet::default());
    let bob = testbed.add_host("bob", [b.ip()], Puppet::echo());
    testbed.listen(bob, Listener::tls(b, ["sip.contoso.com"]));
    testbed.zone_mut().address("sip.contoso.com", b.ip());
    let query = Query::Address("sip.contoso.com".into());
    testbed.command(alice, |alice: &mut Puppet, _| {
        alice.outputs.push_back(Output::Resolve { id: 1, query });
        alice.connect(1, b, Transport::Tls);
    });
    testbed.run_until_idle().unwrap();
    testbed.command(alice, |alice: &mut Puppet, _| alice.send(1, "hello"));
    testbed.run_until_idle().unwrap();
    let packets = read(&testbed.pcap());
    let sources = packets.iter().filter(|packet| packet.flags == "U");
    assert_eq!(sources.count(), 4, "two questions, two answers");
    assert_eq!(streams(&packets)[&5061], b"hello");
    assert_eq!(packets[0].time, Duration::from_secs(1_700_000_000) + ms(10));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever the link does, the capture holds the streams, and makes no difference to the run.
    #[test]
    fn captures_hold_what_was_delivered(
        seed: u64,
        jitter in 0u64..50,
        loss in 0.0..0.5f64,
        chunking in prop_oneof![
            Just(Chunking::Whole), Just(Chunking::Segments), Just(Chunking::Random), Just(Chunking::Bytes)
        ],
        sends in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..3000), 1..4),
    ) {
        let run = |capture| {
            let mut pair = Pair::new(seed, true);
            pair.testbed.capture(capture);
            pair.testbed.set_default_link(Link { jitter: ms(jitter), loss, chunking, ..Link::default() });
            pair.alice(|alice| alice.connect(1, address(2, 5060), Transport::Tcp));
            pair.testbed.run_until_idle().unwrap();
            for data in &sends {
                pair.alice(|alice| alice.send(1, data.clone()));
                pair.testbed.run_for(ms(7));
            }
            pair.testbed.run_until_idle().unwrap();
            pair
        };
        let pair = run(true);
        let packets = read(&pair.testbed.pcap());
        prop_assert!(packets.is_sorted_by_key(|packet| packet.time));
        let streams = streams(&packets);
        prop_assert_eq!(&streams[&5060], &sends.concat());
        prop_assert_eq!(&streams[&49152], &sends.concat());
        prop_assert!(run(false).testbed.records() == pair.testbed.records());
    }
}
