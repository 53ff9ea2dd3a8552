//! Pictures.

use std::time::{Duration, Instant};

use ocs_media::MediaPacket;
use ocs_rtp::payload::h264::{
    AccessUnit, Config, Depacketizer, LayerDescription, Limits, Packetizer, PacsiFields, annex_b,
};
use ocs_rtp::session::Outgoing;

use super::{Send, moment};
use crate::video::{Decoder, Encoder, test_pattern};

/// Between two pictures: 7.5 a second are the slowest rate that a layout can tell.
const PICTURE: Duration = Duration::from_nanos(133_333_333);
/// Of the clock of video, 90 kHz.
const TICKS: u32 = 12_000;
/// Every so many pictures stand on their own.
const PERIOD: u32 = 15;

/// One stream of H.264: shows the test pattern, and looks at the one that comes.
#[derive(Debug)]
pub struct Show {
    payload_type: u8,
    encoder: Encoder,
    packetizer: Packetizer,
    depacketizer: Depacketizer,
    decoder: Decoder,
    pub(super) start: Option<Instant>,
    index: u32,
    /// The timestamp of the first picture that came.
    first: Option<u32>,
    /// Pictures that are as they were shown.
    pub seen: u32,
    /// Pictures that are not.
    pub spoilt: u32,
}

impl Show {
    pub(super) fn new(payload_type: u8) -> Self {
        Self {
            payload_type,
            encoder: Encoder::new(),
            packetizer: Packetizer::new(Config::default(), 0, 0).expect("a payload that fits"),
            depacketizer: Depacketizer::new(Limits::default()),
            decoder: Decoder::new(),
            start: None,
            index: 0,
            first: None,
            seen: 0,
            spoilt: 0,
        }
    }

    /// Pictures that were shown.
    #[must_use]
    pub const fn shown(&self) -> u32 {
        self.index
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        Some(moment(self.start?, self.index, PICTURE))
    }

    pub(super) fn speak(&mut self, now: Instant, send: Send<'_>) {
        while self.poll_timeout().is_some_and(|due| due <= now) {
            let picture = test_pattern(self.index as usize);
            let (width, height) = (picture.width() as u16, picture.height() as u16);
            let layer = LayerDescription {
                coded_width: width,
                coded_height: height,
                display_width: width,
                display_height: height,
                constrained_baseline: true,
                ..LayerDescription::default()
            };
            let octets = self
                .encoder
                .encode(&picture, self.index.is_multiple_of(PERIOD));
            let units: Vec<&[u8]> = annex_b(&octets).collect();
            let access_unit = AccessUnit {
                units: &units,
                fields: PacsiFields::default(),
                layout: &[layer],
                update: None,
            };
            let outgoing = Outgoing {
                payload_type: self.payload_type,
                timestamp: self.index.wrapping_mul(TICKS),
                ..Outgoing::default()
            };
            let fragments = self.packetizer.packets(&access_unit);
            for fragment in fragments.expect("units of an encoder") {
                send(&outgoing, &fragment);
            }
            self.index += 1;
        }
    }

    pub(super) fn hear(&mut self, packet: &MediaPacket) {
        let rtp = packet.rtp();
        // A packet that cannot be read spoils its picture.
        let _ = self.depacketizer.handle_packet(
            rtp.sequence(),
            rtp.timestamp(),
            rtp.marker(),
            rtp.payload(),
        );
        while let Some(frame) = self.depacketizer.poll_frame() {
            let first = *self.first.get_or_insert(frame.timestamp);
            let index = frame.timestamp.wrapping_sub(first) / TICKS;
            let seen = self.decoder.decode(frame.annex_b);
            if seen == Ok(&test_pattern(index as usize)) {
                self.seen += 1;
            } else {
                self.spoilt += 1;
            }
        }
    }
}
