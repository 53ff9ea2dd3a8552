//! What comes in.

use std::time::{Duration, Instant};

use rand_core::Rng;

use super::send::{Stream, random_ssrc};
use super::source::RECENT;
use super::throttle::Verdict;
use super::{Dropped, Event, PeerReport, Received, Session};
use crate::rtcp::extension::{BandwidthEstimate, Modality};
use crate::rtcp::{
    Compound, Extension, Extensions, Feedback, FeedbackMessage, ReportBlock, RtcpPacket,
    SenderInfo, SourceDescription, item, ntp_from_compact,
};
use crate::{Error, Kind, Packet};

/// The own SSRCs should not change again within this time.
const SSRC_LIFETIME: Duration = Duration::from_secs(2);
/// A PLI without FCI has no Request Id: those that come within this time are repetitions, which end after 760 ms (inferred).
const PLI_SPACING: Duration = Duration::from_secs(1);

impl<R: Rng> Session<R> {
    /// Takes what came over a transport that carries RTP and RTCP. `wire_len` is the number of octets that it had there, with what SRTP added.
    pub fn handle_datagram<'a>(
        &mut self,
        now: Instant,
        octets: &'a [u8],
        wire_len: usize,
    ) -> Result<Received<'a>, Error> {
        match Kind::of(octets) {
            Some(Kind::Rtp) => self.handle_rtp(now, octets),
            Some(Kind::Rtcp) => self
                .handle_rtcp(now, octets, wire_len)
                .map(|()| Received::Control),
            None => Ok(Received::Dropped(Dropped::Foreign)),
        }
    }

    /// Takes an RTP packet. It is given back if it is for the application.
    pub fn handle_rtp<'a>(
        &mut self,
        now: Instant,
        octets: &'a [u8],
    ) -> Result<Received<'a>, Error> {
        let packet = Packet::parse(octets)?;
        Ok(match self.receive(now, &packet) {
            Ok(()) => Received::Media(packet),
            Err(dropped) => Received::Dropped(dropped),
        })
    }

    fn receive(&mut self, now: Instant, packet: &Packet<'_>) -> Result<(), Dropped> {
        let ssrc = packet.ssrc();
        self.hear(now);
        if self.owns(ssrc) {
            self.collide(now);
            return Err(Dropped::Own);
        }
        let deliver_first = self.config.deliver_first;
        match &self.config.remote_range {
            Some(range) if range.contains(&ssrc) => {}
            None if ssrc != 0 => match self.throttle.check_ssrc(now, ssrc) {
                Verdict::Starts if deliver_first => {}
                Verdict::Good | Verdict::Changes => {}
                _ => return Err(Dropped::SsrcThrottled),
            },
            _ => return Err(Dropped::OutOfRange),
        }
        let source = self
            .sources
            .hear(now, ssrc)
            .ok_or(Dropped::TooManySources)?;
        if source.has_left() {
            return Err(Dropped::Left);
        }
        let verdict = self
            .throttle
            .check_sequence(now, &mut source.sequence, packet.sequence());
        if verdict == Verdict::Dropped || verdict == Verdict::Starts && !deliver_first {
            return Err(Dropped::SequenceThrottled);
        }
        source.recent = RECENT;
        let is_new = source.reception.is_none();
        source.reception.get_or_insert_default().handle_packet(
            now,
            verdict,
            packet.sequence(),
            packet.timestamp(),
            self.clocks[usize::from(packet.payload_type())],
        );
        if is_new {
            self.tell(Event::Source(ssrc));
        }
        let speaker = packet.dominant_speaker();
        if self.speaker.handle_packet(now, speaker) {
            self.tell(Event::DominantSpeaker(speaker));
        }
        Ok(())
    }

    /// Takes an RTCP compound. `wire_len` is the number of octets that it had on the network, with what SRTCP added.
    ///
    /// The error is the first one of several; the packets of the compound that are in order were used all the same.
    pub fn handle_rtcp(
        &mut self,
        now: Instant,
        octets: &[u8],
        wire_len: usize,
    ) -> Result<(), Error> {
        let compound = Compound::parse(octets)?;
        self.hear(now);
        let wire_len = wire_len.max(octets.len()) + self.config.overhead;
        self.timer.handle_packet(wire_len);
        let is_probe = compound.is_probe();
        let mut result = Ok(());
        let mut measured = false;
        for packet in compound.packets() {
            let handled = packet.and_then(|packet| match packet {
                RtcpPacket::SenderReport(report) if is_probe => {
                    self.estimator.handle_probe(now, report.ssrc());
                    self.handle_sender_info(now, report.ssrc(), report.info());
                    Ok(())
                }
                RtcpPacket::SenderReport(report) => {
                    let ssrc = report.ssrc();
                    self.handle_sender_info(now, ssrc, report.info());
                    let (blocks, extensions) = (report.blocks(), report.extensions());
                    let first = !std::mem::replace(&mut measured, true);
                    let measured = first.then_some(wire_len);
                    self.handle_report(now, ssrc, blocks, extensions, measured)
                }
                RtcpPacket::ReceiverReport(report) => {
                    let (blocks, extensions) = (report.blocks(), report.extensions());
                    let first = !std::mem::replace(&mut measured, true);
                    let measured = first.then_some(wire_len);
                    self.handle_report(now, report.ssrc(), blocks, extensions, measured)
                }
                RtcpPacket::SourceDescription(description) => {
                    self.handle_description(now, description)
                }
                RtcpPacket::Bye(bye) => {
                    for ssrc in bye.sources() {
                        self.handle_bye(now, ssrc, bye.reason());
                    }
                    Ok(())
                }
                RtcpPacket::Feedback(feedback) => self.handle_feedback(now, feedback),
                RtcpPacket::App(_) | RtcpPacket::Unknown(_) => Ok(()),
            });
            result = result.and(handled);
        }
        result
    }

    fn hear(&mut self, now: Instant) {
        self.heard = now;
        self.inactive_told = false;
    }

    fn owns(&self, ssrc: u32) -> bool {
        self.streams.iter().any(|stream| stream.ssrc == ssrc)
    }

    /// Our SSRC came from elsewhere (RFC 3550 8.2): the first time we take another one; if it happens again, our packets come back.
    fn collide(&mut self, now: Instant) {
        let again = self.conflict.is_some_and(|until| now < until);
        if again || self.config.local_range.is_some() {
            self.conflict = Some(now + self.config.participant_timeout);
            if !std::mem::replace(&mut self.loop_told, true) {
                self.tell(Event::Loop);
            }
            return;
        }
        if now.saturating_duration_since(self.chosen) < SSRC_LIFETIME {
            return;
        }
        self.conflict = Some(now + self.config.participant_timeout);
        self.loop_told = false;
        self.chosen = now;
        let from = self.ssrc();
        self.send_bye(from);
        let sources = &self.sources;
        let to = random_ssrc(&mut self.rng, |ssrc| ssrc == from || sources.contains(ssrc));
        let offset = self.rng.next_u32();
        self.streams[0] = Stream::new(to, offset, &mut self.rng);
        self.tell(Event::OwnSsrcChanged { from, to });
    }

    fn handle_sender_info(&mut self, now: Instant, ssrc: u32, info: SenderInfo) {
        if !self.owns(ssrc)
            && let Some(source) = self.sources.hear(now, ssrc)
        {
            source.last_sr = Some((info.ntp, now));
        }
    }

    /// `measured` is the length of the compound if this is its first report.
    fn handle_report(
        &mut self,
        now: Instant,
        ssrc: u32,
        blocks: impl Iterator<Item = ReportBlock>,
        extensions: Extensions<'_>,
        measured: Option<usize>,
    ) -> Result<(), Error> {
        if self.owns(ssrc) {
            self.collide(now);
            return Ok(());
        }
        if self.sources.hear(now, ssrc).is_none() {
            return Ok(());
        }
        for block in blocks {
            if self.owns(block.ssrc) {
                self.handle_block(now, block);
            }
        }
        let mut result = Ok(());
        let mut train = None;
        for extension in extensions {
            match extension {
                Ok(Extension::TrainPacket(packet)) => train = Some(packet),
                Ok(extension) => self.handle_extension(now, extension),
                Err(error) => result = result.and(Err(error)),
            }
        }
        match (train, measured) {
            (Some(packet), _) => self.estimator.handle_train_packet(now, packet),
            (None, Some(octets)) => self.estimator.handle_report(now, ssrc, octets),
            (None, None) => {}
        }
        result
    }

    fn handle_block(&mut self, now: Instant, block: ReportBlock) {
        let ntp = self.ntp(now).middle();
        let travelled = ntp
            .wrapping_sub(block.last_sr)
            .wrapping_sub(block.delay_since_last_sr);
        // Clocks that are out of step make it negative.
        let round_trip = (block.last_sr != 0 && travelled.cast_signed() >= 0)
            .then(|| ntp_from_compact(travelled));
        self.peer_report = Some(PeerReport {
            block,
            at: now,
            round_trip,
        });
        if let Some(period) = self.prober.handle_report() {
            self.timer.restart_fast(now, period);
        }
    }

    fn handle_extension(&mut self, now: Instant, extension: Extension<'_>) {
        match extension {
            Extension::EstimatedBandwidth(estimate) => match estimate.bandwidth {
                BandwidthEstimate::BitsPerSecond(0) | BandwidthEstimate::Other(_) => {}
                BandwidthEstimate::BitsPerSecond(bits_per_second) => {
                    self.prober.handle_estimate();
                    self.tell(Event::EstimatedBandwidth {
                        bits_per_second,
                        confidence: estimate.confidence,
                    });
                }
                BandwidthEstimate::PairsPending | BandwidthEstimate::TrainsPending => {
                    self.prober.handle_pending();
                }
                BandwidthEstimate::TrainsWanted => {
                    if let Some(period) = self.prober.handle_trains_wanted() {
                        self.timer.restart_fast(now, period);
                    }
                }
            },
            Extension::PacketLoss(loss) => self.tell(Event::PacketLost(loss.sequence)),
            Extension::VideoPreference(preference) => {
                self.tell(Event::VideoPreference(preference));
            }
            Extension::PolicyBandwidth(limit) => self.limit(|limits| limits.policy = Some(limit)),
            Extension::TurnBandwidth(limit) => self.limit(|limits| limits.turn = Some(limit)),
            Extension::ReceiverLimit(limit) => self.limit(|limits| limits.receiver = Some(limit)),
            Extension::ModalityLimit(limit) => {
                if limit.modality == Modality::Video {
                    self.limit(|limits| limits.modality = Some(limit.limit));
                }
            }
            Extension::AudioHealer(healer) => self.tell(Event::AudioHealer(healer)),
            Extension::PeerInfo(info) => self.tell(Event::PeerInfo(info)),
            Extension::Congestion(congestion) => self.tell(Event::Congestion(congestion)),
            Extension::Padding(_) | Extension::TrainPacket(_) | Extension::Unknown { .. } => {}
        }
    }

    fn limit(&mut self, change: impl FnOnce(&mut super::PeerLimits)) {
        change(&mut self.peer_limits);
        let limit = self
            .peer_limits
            .least()
            .map(|limit| limit.max(self.config.min_bandwidth));
        if limit != self.send_limit
            && let Some(limit) = limit
        {
            self.send_limit = Some(limit);
            self.tell(Event::SendLimit(limit));
        }
    }

    fn handle_description(
        &mut self,
        now: Instant,
        description: SourceDescription<'_>,
    ) -> Result<(), Error> {
        let mut result = Ok(());
        for chunk in description.chunks() {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) => return result.and(Err(error)),
            };
            let ssrc = chunk.ssrc();
            if self.owns(ssrc) {
                continue;
            }
            let Some(source) = self.sources.hear_of(now, ssrc) else {
                continue;
            };
            if let Some(name) = chunk.text(item::CNAME)
                && source.name.as_deref() != Some(name)
            {
                source.name = Some(name.into());
            }
            match chunk.media_quality() {
                Some(Ok(quality)) if source.quality != Some(quality) => {
                    source.quality = Some(quality);
                    self.tell(Event::MediaQuality { ssrc, quality });
                }
                Some(Err(error)) => result = result.and(Err(error)),
                _ => {}
            }
        }
        result
    }

    fn handle_bye(&mut self, now: Instant, ssrc: u32, reason: Option<&[u8]>) {
        if self.sources.leave(now, ssrc) {
            self.timer.handle_leave(now, self.sources.count().0 + 1);
            let reason = reason.unwrap_or_default().to_vec();
            self.tell(Event::Left { ssrc, reason });
        }
    }

    fn handle_feedback(&mut self, now: Instant, feedback: Feedback<'_>) -> Result<(), Error> {
        let (sender, media) = (feedback.sender(), feedback.media());
        let message = feedback.message()?;
        if self.owns(sender) {
            return Ok(());
        }
        let Some(source) = self.sources.hear(now, sender) else {
            return Ok(());
        };
        match message {
            FeedbackMessage::Pli => {
                let last = source.plain_pli.about(media);
                if last.is_none_or(|told| now >= told + PLI_SPACING) {
                    *last = Some(now);
                    self.tell(Event::KeyFrameWanted {
                        media,
                        priorities: u64::MAX,
                    });
                }
            }
            FeedbackMessage::ExtendedPli(pli) => {
                if source.extended_pli.about(media).replace(pli.request_id) != Some(pli.request_id)
                {
                    self.tell(Event::KeyFrameWanted {
                        media,
                        priorities: pli.priorities,
                    });
                }
            }
            FeedbackMessage::VideoSourceRequest(request) => {
                let header = request.header();
                if source.request.about(header.msi).replace(header.request_id)
                    != Some(header.request_id)
                {
                    self.tell(Event::VideoRequested {
                        sender,
                        header,
                        entries: request.entries().collect(),
                    });
                }
            }
            FeedbackMessage::DominantSpeakerHistory(history) => {
                if !history.msis().eq(self.history.iter().copied()) {
                    self.history = history.msis().collect();
                    let history = self.history.clone();
                    self.tell(Event::SpeakerHistory(history));
                }
            }
            FeedbackMessage::Remb | FeedbackMessage::Unknown => {}
        }
        Ok(())
    }
}
