//! Arbitrary octets as RTP packets, one after the other, into one session: no panic, bounded memory, and what is read can be written again.
//!
//! Each packet has its length in front, in one octet.
#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use ocs_rtp::session::{Config, Received};
use ocs_rtp::{Packet, PacketBuilder, Reorder, Session};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fuzz_target!(|data: &[u8]| {
    let mut now = Instant::now();
    let config = Config {
        max_sources: 8,
        ..Config::default()
    };
    let rng = ChaCha20Rng::from_seed([1; 32]);
    let mut session = Session::new(now, config, rng).expect("a good configuration");
    let mut reorder = Reorder::new(Duration::from_millis(60), 16);
    let mut rest = data;
    while let Some((&len, octets)) = rest.split_first() {
        let (octets, next) = octets.split_at(usize::from(len).min(octets.len()));
        rest = next;
        now += Duration::from_millis(u64::from(len));
        session.handle_timeout(now);
        if let Ok(packet) = Packet::parse(octets) {
            let elements = packet.extension().map(|extension| extension.elements());
            assert!(elements.into_iter().flatten().count() <= octets.len());
            write_again(&packet, octets);
        }
        if let Ok(Received::Media(packet)) = session.handle_datagram(now, octets, octets.len()) {
            reorder.push(now, packet.sequence(), packet.timestamp());
            // Some are left in it.
            while len % 2 == 0 && reorder.pop(now).is_some() {}
            assert!(reorder.len() <= 16);
        }
        while session.poll_transmit().is_some() {}
        while session.poll_event().is_some() {}
        assert!(session.sources().count() <= 8);
    }
});

fn write_again(packet: &Packet<'_>, octets: &[u8]) {
    let csrcs: Vec<_> = packet.csrcs().collect();
    let mut builder = PacketBuilder::new(
        packet.payload_type(),
        packet.sequence(),
        packet.timestamp(),
        packet.ssrc(),
    )
    .marker(packet.marker())
    .csrcs(&csrcs)
    .padding(packet.padding());
    if let Some(extension) = packet.extension() {
        builder = builder.extension(extension);
    }
    let mut out = Vec::new();
    builder
        .write(packet.payload(), &mut out)
        .expect("what was read");
    // What is in the padding counts for nothing.
    let end = octets.len() - usize::from(packet.padding());
    assert_eq!((out.len(), &out[..end]), (octets.len(), &octets[..end]));
}
