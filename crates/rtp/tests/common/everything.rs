//! Reads everything there is to read.

use std::time::Instant;

use ocs_rtp::Session;
use ocs_rtp::payload::h264::{Depacketizer, Pacsi, Sei};
use ocs_rtp::payload::redundant::RedundantAudio;
use ocs_rtp::payload::{dtmf, h264, rtvideo, x_data};
use ocs_rtp::rtcp::{Compound, RtcpPacket};
use ocs_rtp::session::Config;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

pub(crate) fn session(now: Instant) -> Session<ChaCha20Rng> {
    Session::new(now, Config::default(), ChaCha20Rng::from_seed([3; 32])).unwrap()
}

/// Looks at everything in a compound.
pub(crate) fn read_all(octets: &[u8]) {
    let Ok(compound) = Compound::parse(octets) else {
        return;
    };
    let _ = compound.is_probe();
    for packet in compound.packets().flatten() {
        match packet {
            RtcpPacket::SenderReport(report) => {
                assert!(report.extensions().count() <= 20);
                let _ = report.blocks().count();
            }
            RtcpPacket::ReceiverReport(report) => {
                assert!(report.extensions().count() <= 20);
                let _ = report.blocks().count();
            }
            RtcpPacket::SourceDescription(description) => {
                for chunk in description.chunks().flatten() {
                    let _ = (chunk.media_quality(), chunk.items().count());
                }
            }
            RtcpPacket::Feedback(feedback) => {
                let _ = feedback.message();
            }
            _ => {}
        }
    }
}

/// A payload in every format.
pub(crate) fn read_payload(payload: &[u8]) {
    if let Ok(audio) = RedundantAudio::parse(payload, 5) {
        let len: usize = audio.redundant(97).map(|block| block.data.len()).sum();
        assert!(len + audio.primary().data.len() < payload.len());
    }
    let _ = dtmf::TelephoneEvent::parse(payload);
    let _ = rtvideo::Payload::parse(payload);
    let _ = x_data::pdu_len(payload);
    let _ = Sei::parse(payload);
    if let Ok(pacsi) = Pacsi::parse(payload) {
        let _ = (pacsi.messages().count(), pacsi.units().count());
    }
    let mut depacketizer = Depacketizer::new(h264::Limits::default());
    let _ = depacketizer.handle_packet(0, 0, true, payload);
    if let Some(frame) = depacketizer.poll_frame() {
        assert!(frame.annex_b.len() <= payload.len() * 4 + 4);
    }
}
