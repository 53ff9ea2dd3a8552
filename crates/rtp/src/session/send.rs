//! What goes out when the application wants it.

use std::time::Instant;

use rand_core::Rng;

use super::Session;
use super::report::describe;
use super::source::RECENT;
use crate::payload::Fragment;
use crate::rtcp::extension::PacketLoss;
use crate::rtcp::{
    ExtendedPli, Extension, MAX_COUNT, MediaQuality, NtpTime, RequestHeader, VideoSourceEntry,
    Writer,
};
use crate::{Error, PacketBuilder};

/// The highest SSRC that is chosen, so that it may stand in a range, too.
const MAX_SSRC: u32 = 0xFFFF_FF00;

/// A stream of ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    pub(super) ssrc: u32,
    sequence: u16,
    /// Added to the timestamps of the application; the same in all streams.
    offset: u32,
    /// Time, timestamp and clock of the first packet of the last timestamp; events count only before all others.
    pub(super) last: Option<(Instant, u32, u32)>,
    packets: u32,
    octets: u32,
}

impl Stream {
    pub(super) fn new(ssrc: u32, offset: u32, rng: &mut impl Rng) -> Self {
        Self {
            ssrc,
            sequence: rng.next_u32() as u16,
            offset,
            last: None,
            packets: 0,
            octets: 0,
        }
    }
}

/// An SSRC that is not taken.
pub(super) fn random_ssrc(rng: &mut impl Rng, taken: impl Fn(u32) -> bool) -> u32 {
    loop {
        let ssrc = rng.next_u32();
        if (1..=MAX_SSRC).contains(&ssrc) && !taken(ssrc) {
            return ssrc;
        }
    }
}

/// What the application says of a packet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outgoing<'a> {
    /// Which of the own streams; 0 is the first one.
    pub stream: usize,
    /// Payload type.
    pub payload_type: u8,
    /// Timestamp on the clock of the payload type, from any beginning. The session adds a random number.
    pub timestamp: u32,
    /// MSIs of those who are in the media, the dominant speaker first. Only mixers have them.
    pub csrcs: &'a [u32],
    /// An intentional repetition, which reports should not count.
    pub duplicate: bool,
    /// A telephone event. Its timestamp is that of its beginning in all of its packets, maybe on another clock than that of the audio: sender reports go
    /// by the other packets.
    pub event: bool,
}

impl<R: Rng> Session<R> {
    /// Adds a stream, and gives its number. It has the next SSRC of the own range, and the timestamps of the first one: layers of one picture share
    /// theirs (\[MS-H264PF\]), and the sender report of the first stream speaks for all.
    pub fn add_stream(&mut self) -> Result<usize, Error> {
        let number = self.streams.len();
        let ssrc = self
            .config
            .local_range
            .as_ref()
            .and_then(|range| {
                let ssrc = range.start().checked_add(u32::try_from(number).ok()?)?;
                range.contains(&ssrc).then_some(ssrc)
            })
            .ok_or(Error::OutOfRange { what: "stream" })?;
        let offset = self.streams[0].offset;
        self.streams.push(Stream::new(ssrc, offset, &mut self.rng));
        Ok(number)
    }

    /// Appends an RTP packet to `out`, ready for SRTP.
    pub fn send(
        &mut self,
        now: Instant,
        outgoing: &Outgoing<'_>,
        payload: &Fragment<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let clock = self.clocks.get(usize::from(outgoing.payload_type));
        let (Some(&clock), Some(stream)) = (clock, self.streams.get_mut(outgoing.stream)) else {
            return Err(Error::OutOfRange {
                what: "payload type or stream",
            });
        };
        let timestamp = outgoing.timestamp.wrapping_add(stream.offset);
        PacketBuilder::new(
            outgoing.payload_type,
            stream.sequence,
            timestamp,
            stream.ssrc,
        )
        .marker(payload.marker)
        .csrcs(outgoing.csrcs)
        .write_with(out, |out| payload.write(out))?;
        stream.sequence = stream.sequence.wrapping_add(1);
        if stream
            .last
            .is_none_or(|(_, last, _)| last != timestamp && !outgoing.event)
        {
            stream.last = Some((now, timestamp, clock));
        }
        if !outgoing.duplicate {
            stream.packets = stream.packets.wrapping_add(1);
            stream.octets = stream.octets.wrapping_add(payload.len() as u32);
        }
        self.recent = RECENT;
        Ok(())
    }

    /// Packets and octets of payload that were sent, without repetitions, modulo 2^32.
    pub fn sent(&self) -> (u32, u32) {
        self.streams
            .iter()
            .fold((0, 0), |(packets, octets), stream| {
                (
                    stream.packets.wrapping_add(packets),
                    stream.octets.wrapping_add(octets),
                )
            })
    }

    /// Puts an extension into every report from now on, in place of one of the same type: limits (types 7, 8, 10, 14), type 12, type 5, or type 9, which
    /// goes into receiver reports only. The others are refused, for they belong to one moment or are the session's own.
    pub fn set_extension(&mut self, extension: Extension<'static>) -> Result<(), Error> {
        match extension {
            Extension::VideoPreference(_)
            | Extension::PolicyBandwidth(_)
            | Extension::TurnBandwidth(_)
            | Extension::AudioHealer(_)
            | Extension::ReceiverLimit(_)
            | Extension::PeerInfo(_)
            | Extension::ModalityLimit(_) => {}
            _ => {
                return Err(Error::OutOfRange {
                    what: "type of extension",
                });
            }
        }
        self.remove_extension(extension.extension_type());
        self.extensions.push(extension);
        Ok(())
    }

    /// Leaves an extension out again.
    pub fn remove_extension(&mut self, extension_type: u16) {
        self.extensions
            .retain(|kept| kept.extension_type() != extension_type);
    }

    /// Sends an extension at once in a receiver report without blocks, such as type 13.
    pub fn send_extension(&mut self, extension: Extension<'_>) -> Result<(), Error> {
        let ssrc = self.ssrc();
        self.transmit(|writer| {
            writer.receiver_report(ssrc, [], [extension])?;
            Ok(())
        })
    }

    /// A video packet is missing: sends a packet loss notification, if none was sent lately. Whether it was sent.
    pub fn report_packet_loss(&mut self, now: Instant, sequence: u16) -> Result<bool, Error> {
        if self.loss_after.is_some_and(|after| now < after) {
            return Ok(false);
        }
        self.loss_after = Some(now + self.config.loss_spacing);
        self.send_extension(Extension::PacketLoss(PacketLoss { sequence }))?;
        Ok(true)
    }

    /// Asks for sync frames of a source, and again until all repetitions are sent. `priorities` has a bit for each Priority Id, and does not count without
    /// `x-pli`.
    pub fn request_key_frame(
        &mut self,
        now: Instant,
        media: u32,
        priorities: u64,
    ) -> Result<(), Error> {
        let ssrc = self.ssrc();
        let request_id = self.next_request_id();
        let extended = self.config.extended_pli;
        let octets = self.repeat_pli.start(now, false, |writer| {
            if extended {
                let pli = ExtendedPli {
                    request_id,
                    priorities,
                };
                writer.extended_pli(ssrc, media, pli)?;
            } else {
                writer.pli(ssrc, media)?;
            }
            Ok(())
        })?;
        self.outbox.push(octets);
        Ok(())
    }

    /// Ends the repetitions of [`request_key_frame`](Self::request_key_frame), when the frame came.
    pub fn key_frame_came(&mut self) {
        self.repeat_pli.stop();
    }

    /// Asks for video of a source by its MSI, or for none, or for any; and again until all repetitions are sent.
    pub fn request_video(
        &mut self,
        now: Instant,
        msi: u32,
        key_frame: bool,
        entries: &[VideoSourceEntry],
    ) -> Result<(), Error> {
        let ssrc = self.ssrc();
        let header = RequestHeader {
            msi,
            request_id: self.next_request_id(),
            key_frame: if key_frame {
                RequestHeader::KEY_FRAME
            } else {
                0
            },
        };
        let octets = self.repeat_request.start(now, true, |writer| {
            writer.video_source_request(ssrc, msi, header, entries)?;
            Ok(())
        })?;
        self.outbox.push(octets);
        Ok(())
    }

    /// Tells who speaks and who spoke before, by MSI, the latest first; and again until all repetitions are sent. A mixer does that at every change.
    pub fn announce_speakers(
        &mut self,
        now: Instant,
        media: u32,
        msis: &[u32],
    ) -> Result<(), Error> {
        let ssrc = self.ssrc();
        let octets = self.repeat_history.start(now, false, |writer| {
            writer.dominant_speaker_history(ssrc, media, msis)?;
            Ok(())
        })?;
        self.outbox.push(octets);
        Ok(())
    }

    /// Tells the states of devices and network with every report from now on, and at once. A host with audio begins with nothing known.
    pub fn set_media_quality(&mut self, quality: MediaQuality) -> Result<(), Error> {
        self.quality = Some(quality);
        let ssrc = self.ssrc();
        let name = std::mem::take(&mut self.config.canonical_name);
        let sent = self.transmit(|writer| {
            writer.receiver_report(ssrc, [], [])?;
            describe(writer, ssrc, &name, Some(quality))
        });
        self.config.canonical_name = name;
        sent
    }

    /// Says goodbye at once and ends the session.
    pub fn leave(&mut self, reason: Option<&[u8]>) -> Result<(), Error> {
        let mut sources = [0; MAX_COUNT];
        let count = self.streams.len().min(MAX_COUNT);
        for (source, stream) in sources.iter_mut().zip(&self.streams) {
            *source = stream.ssrc;
        }
        self.transmit(|writer| {
            writer.bye(&sources[..count], reason)?;
            Ok(())
        })?;
        self.ended = true;
        Ok(())
    }

    pub(super) fn send_bye(&mut self, ssrc: u32) {
        // One source fits.
        let _ = self.transmit(|writer| {
            writer.bye(&[ssrc], None)?;
            Ok(())
        });
    }

    /// Wall-clock time.
    pub(super) fn ntp(&self, now: Instant) -> NtpTime {
        let passed = now.saturating_duration_since(self.begun);
        self.config.ntp.after(passed)
    }

    fn next_request_id(&mut self) -> u16 {
        self.request_id = self.request_id.wrapping_add(1);
        self.request_id
    }

    /// Writes one packet, which may be a compound, and puts it out.
    pub(super) fn transmit(
        &mut self,
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let buffer = self.outbox.buffer();
        let start = buffer.len();
        let written = write(&mut Writer::new(buffer));
        if written.is_err() {
            buffer.truncate(start);
        }
        self.timer
            .handle_packet(buffer.len() - start + self.config.overhead);
        self.outbox.finish(start);
        written
    }
}
