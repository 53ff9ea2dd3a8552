//! Sessions on a virtual clock.

use std::time::{Duration, Instant};

use ocs_rtp::payload::Fragment;
use ocs_rtp::rtcp::{Compound, MediaQuality, RtcpPacket, SenderInfo, VideoSourceEntry, item};
use ocs_rtp::session::{Config, Dropped, Event, Outgoing, Received};
use ocs_rtp::{PacketBuilder, Session};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

pub(crate) type Machine = Session<ChaCha20Rng>;

pub(crate) fn machine(now: Instant, seed: u8, config: Config) -> Machine {
    Session::new(now, config, ChaCha20Rng::from_seed([seed; 32])).expect("a good configuration")
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) fn events(session: &mut Machine) -> Vec<Event> {
    std::iter::from_fn(|| session.poll_event()).collect()
}

pub(crate) fn sent(session: &mut Machine) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| session.poll_transmit().map(<[u8]>::to_vec)).collect()
}

pub(crate) fn packet(ssrc: u32, sequence: u16, csrcs: &[u32]) -> Vec<u8> {
    let mut out = Vec::new();
    PacketBuilder::new(
        0,
        sequence,
        u32::from(sequence.wrapping_add(100)) * 160,
        ssrc,
    )
    .csrcs(csrcs)
    .write(&[0; 160], &mut out)
    .unwrap();
    out
}

pub(crate) fn dropped(session: &mut Machine, now: Instant, octets: &[u8]) -> Option<Dropped> {
    match session.handle_datagram(now, octets, octets.len()).unwrap() {
        Received::Dropped(why) => Some(why),
        _ => None,
    }
}

/// Carries everything between two sessions over a path of so many bit/s, until `end`.
pub(crate) fn exchange(
    sessions: &mut [Machine; 2],
    now: Instant,
    end: Instant,
    bits_per_second: u64,
) -> usize {
    let mut carried = 0;
    let mut at = now;
    loop {
        for side in 0..2 {
            let mut arrival = at;
            for octets in sent(&mut sessions[side]) {
                // One packet after the other, as long as the path needs for each.
                let bits = (octets.len() + 28) as u64 * 8;
                arrival += Duration::from_nanos(bits * 1_000_000_000 / bits_per_second);
                sessions[1 - side]
                    .handle_rtcp(arrival, &octets, octets.len())
                    .unwrap();
                carried += 1;
            }
        }
        let due = sessions
            .iter()
            .filter_map(Machine::poll_timeout)
            .min()
            .unwrap();
        if due >= end {
            return carried;
        }
        at = at.max(due);
        for session in &mut *sessions {
            session.handle_timeout(at);
        }
    }
}

pub(crate) fn talk(sessions: &mut [Machine; 2], now: Instant) {
    for side in 0..2 {
        let mut wire = Vec::new();
        let outgoing = Outgoing::default();
        let payload = Fragment::whole(&[0; 160], false);
        sessions[side]
            .send(now, &outgoing, &payload, &mut wire)
            .unwrap();
        sessions[1 - side].handle_rtp(now, &wire).unwrap();
    }
}

pub(crate) fn entry() -> VideoSourceEntry {
    VideoSourceEntry {
        payload_type: 122,
        uc_config_mode: 1,
        flags: 0,
        aspect_ratios: 2,
        max_width: 1280,
        max_height: 720,
        min_bit_rate: 350_000,
        bit_rate_per_level: 10_000,
        bit_rate_histogram: [1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        frame_rates: 0x10,
        must_instances: 1,
        may_instances: 0,
        quality_histogram: [1, 0, 0, 0, 0, 0, 0, 0],
        max_pixels: 1280 * 720,
    }
}

/// The SR of the next report.
pub(crate) fn sender_report(session: &mut Machine, at: Instant) -> SenderInfo {
    session.handle_timeout(at);
    let packets = sent(session);
    let mut infos = packets.iter().filter_map(|octets| {
        match Compound::parse(octets).unwrap().packets().next() {
            Some(Ok(RtcpPacket::SenderReport(report))) => Some(report.info()),
            _ => None,
        }
    });
    infos.next_back().expect("a SR")
}

pub(crate) fn timestamp_of(wire: &[u8]) -> u32 {
    ocs_rtp::Packet::parse(wire).unwrap().timestamp()
}

/// The own chunk of a compound: its CNAME and its media quality.
pub(crate) fn chunk_of(octets: &[u8]) -> Option<(Vec<u8>, Option<MediaQuality>)> {
    let compound = Compound::parse(octets).unwrap();
    let mut packets = compound.packets();
    let description = packets.find_map(|packet| match packet {
        Ok(RtcpPacket::SourceDescription(description)) => Some(description),
        _ => None,
    })?;
    let chunk = description.chunks().next()?.unwrap();
    let name = chunk.text(item::CNAME)?.to_vec();
    Some((name, chunk.media_quality().transpose().unwrap()))
}
