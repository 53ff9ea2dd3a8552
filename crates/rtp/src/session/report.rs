//! The reports that go out when they are due.

use std::time::Instant;

use rand_core::Rng;

use super::reception::in_units;
use super::source::RECENT;
use super::{Mode, Session};
use crate::Error;
use crate::rtcp::extension::{EstimatedBandwidth, TrainPacket};
use crate::rtcp::{Extension, MAX_COUNT, MediaQuality, SenderInfo, Writer, item};

/// Train packets of a train.
const TRAIN_PACKETS: u8 = 5;
/// Octets of a train packet without its padding: an RR without blocks, and the extension.
const TRAIN_PACKET_LEN: usize = 8 + 12;

impl<R: Rng> Session<R> {
    fn sender_info(&self, now: Instant) -> SenderInfo {
        let (packet_count, octet_count) = self.sent();
        let rtp_timestamp = self.streams.iter().find_map(|stream| stream.last).map_or(
            0,
            |(sent, timestamp, clock)| {
                timestamp.wrapping_add(in_units(now.saturating_duration_since(sent), clock))
            },
        );
        SenderInfo {
            ntp: self.ntp(now),
            rtp_timestamp,
            packet_count,
            octet_count,
        }
    }

    /// Sends the regular report, with a probe before it and a train behind it where that is due.
    pub(super) fn send_report(&mut self, now: Instant) {
        // What is written here fits: 31 blocks, the extensions below, one chunk.
        let _ = self.write_report(now);
        self.recent = self.recent.saturating_sub(1);
        if let Some(period) = self.prober.handle_sent() {
            self.timer.restart_fast(now, period);
        } else {
            let membership = self.membership();
            self.timer.restart(now, membership, &mut self.rng);
        }
    }

    fn write_report(&mut self, now: Instant) -> Result<(), Error> {
        let ssrc = self.ssrc();
        let info = self.sender_info(now);
        let mode = self.prober.mode();
        if mode != Mode::Report {
            self.transmit(|writer| {
                writer.sender_report(ssrc, &info, [], [])?;
                Ok(())
            })?;
        }
        self.collect_blocks(now);
        let is_sender = self.recent > 0;
        let blocks = std::mem::take(&mut self.blocks);
        let extensions = std::mem::take(&mut self.extensions);
        let name = std::mem::take(&mut self.config.canonical_name);
        let estimate = self
            .estimator
            .extension()
            .map(|estimate| EstimatedBandwidth {
                confidence: estimate.confidence.filter(|_| self.config.confidence),
                ..estimate
            });
        let quality = self.quality;
        let mut len = 0;
        let written = self.transmit(|writer| {
            let start = writer.len();
            let (healer, others): (&[_], &[_]) = (&extensions, &extensions);
            let healer = healer.iter().copied().filter(is_healer);
            let others = others.iter().copied().filter(|kept| !is_healer(kept));
            let all = estimate
                .map(Extension::EstimatedBandwidth)
                .into_iter()
                .chain(others);
            let blocks = blocks.iter().copied();
            if is_sender {
                writer.sender_report(ssrc, &info, blocks, all)?;
                // Its extension stands behind receiver reports only (2.2.11.7).
                if healer.clone().next().is_some() {
                    writer.receiver_report(ssrc, [], healer)?;
                }
            } else {
                writer.receiver_report(ssrc, blocks, all.chain(healer))?;
            }
            describe(writer, ssrc, &name, quality)?;
            len = writer.len() - start;
            Ok(())
        });
        self.blocks = blocks;
        self.extensions = extensions;
        self.config.canonical_name = name;
        written?;
        if mode == Mode::PacketTrain {
            self.send_train(ssrc, len)?;
        }
        Ok(())
    }

    /// Five packets of the size of the report before them.
    fn send_train(&mut self, ssrc: u32, len: usize) -> Result<(), Error> {
        let padding = len.saturating_sub(TRAIN_PACKET_LEN);
        let words = (padding / 4).saturating_sub(1);
        let padding = (padding >= 4).then_some(Extension::Padding(words as u16));
        let len = len.max(TRAIN_PACKET_LEN);
        for index in 0..TRAIN_PACKETS {
            let packet = TrainPacket {
                ssrc,
                last: index + 1 == TRAIN_PACKETS,
                index,
                count: TRAIN_PACKETS,
                octets: u16::try_from(len * usize::from(index + 1)).unwrap_or(u16::MAX),
            };
            let extensions = [Extension::TrainPacket(packet)].into_iter().chain(padding);
            self.transmit(|writer| {
                writer.receiver_report(ssrc, [], extensions)?;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Blocks for those whose media came since the last report. If they are more than a report holds, the next one begins with the others.
    fn collect_blocks(&mut self, now: Instant) {
        self.blocks.clear();
        let (blocks, next) = (&mut self.blocks, &mut self.report_from);
        let first = *next;
        let mut full = false;
        self.sources.visit_from(first, |ssrc, source| {
            let is_fresh = source.recent == RECENT;
            if is_fresh && blocks.len() == MAX_COUNT {
                if !full {
                    (full, *next) = (true, ssrc);
                }
                return;
            }
            source.recent = source.recent.saturating_sub(1);
            if is_fresh && let Some(reception) = &mut source.reception {
                blocks.push(reception.report(now, ssrc, source.last_sr));
            }
        });
    }
}

/// The own chunk: the name, and the states if they are told.
pub(super) fn describe(
    writer: &mut Writer<'_>,
    ssrc: u32,
    name: &[u8],
    quality: Option<MediaQuality>,
) -> Result<(), Error> {
    writer.source_description(|chunks| {
        let chunk = chunks.chunk(ssrc).item(item::CNAME, name)?;
        if let Some(quality) = quality {
            chunk.media_quality(quality);
        }
        Ok(())
    })?;
    Ok(())
}

fn is_healer(extension: &Extension<'_>) -> bool {
    matches!(extension, Extension::AudioHealer(_))
}
