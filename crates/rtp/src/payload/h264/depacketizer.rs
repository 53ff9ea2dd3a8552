//! From payloads to access units.

use std::collections::VecDeque;

use super::{
    BitstreamInfo, LayerDescription, LayerPresence, NalHeader, NalUnits, Pacsi, PacsiFields, Sei,
    StreamLayout, malformed, nal_type,
};
use crate::Error;
use crate::seq::distance;

const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Bounds of a [`Depacketizer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of an access unit with its start codes. The default is 4 MiB.
    pub max_frame: usize,
    /// Frames that wait to be taken; of more the oldest are dropped. The default is 4.
    pub max_ready: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame: 4 << 20,
            max_ready: 4,
        }
    }
}

/// What is collected of a frame.
#[derive(Clone, Debug, Default)]
struct Buffer {
    timestamp: u32,
    annex_b: Vec<u8>,
    layout: Vec<LayerDescription>,
    presence: Option<LayerPresence>,
    pacsi: Option<PacsiFields>,
    info: Option<BitstreamInfo>,
    damaged: bool,
    reference: bool,
    reference_lost: bool,
}

impl Buffer {
    fn clear(&mut self, timestamp: u32) {
        self.annex_b.clear();
        self.layout.clear();
        *self = Self {
            timestamp,
            annex_b: std::mem::take(&mut self.annex_b),
            layout: std::mem::take(&mut self.layout),
            ..Self::default()
        };
    }

    fn keep_layout(&mut self, layout: StreamLayout<'_>) {
        self.presence = Some(layout.presence);
        self.layout.clear();
        self.layout.extend(layout.descriptions());
    }
}

/// An access unit.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Timestamp of its packets.
    pub timestamp: u32,
    /// Its NAL units with start codes, for a decoder. PACSI and the messages of this profile are not in it.
    pub annex_b: &'a [u8],
    /// What its PACSI said.
    pub pacsi: Option<PacsiFields>,
    /// Its Bitstream Info.
    pub info: Option<BitstreamInfo>,
    /// The layers that its Stream Layout says are there.
    pub presence: Option<LayerPresence>,
    /// Their descriptions, if the layout was a full one.
    pub layout: &'a [LayerDescription],
    /// Packets are missing, in it or between it and the former one.
    pub damaged: bool,
    /// The count of reference frames jumped: a frame that this one may need is missing (inferred from the definition of
    /// the count). Ask for an IDR picture.
    pub reference_lost: bool,
}

/// Puts the access units of one layer together. Give it packets in the order of their sequence numbers, as a
/// [`Reorder`](crate::Reorder) does.
#[derive(Clone, Debug)]
pub struct Depacketizer {
    limits: Limits,
    current: Option<Buffer>,
    /// Where in the current frame the NAL unit begins that is put together from FU-As.
    unit_at: Option<usize>,
    next_sequence: Option<u16>,
    /// Something was lost since the last packet that was used.
    lost: bool,
    /// What is wrong with a PACSI or a message of the packet.
    unread: Option<Error>,
    last_info: Option<(BitstreamInfo, bool)>,
    ready: VecDeque<Buffer>,
    spare: Vec<Buffer>,
    taken: Buffer,
}

impl Depacketizer {
    /// A depacketizer.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            current: None,
            unit_at: None,
            next_sequence: None,
            lost: false,
            unread: None,
            last_info: None,
            ready: VecDeque::new(),
            spare: Vec::new(),
            taken: Buffer::default(),
        }
    }

    /// Takes the payload of a packet. [`poll_frame`](Self::poll_frame) says what it completed: a frame ends with the marker, or when
    /// another timestamp comes.
    ///
    /// On error the packet is dropped as if it had been lost. But of a PACSI or a message that cannot be read only what it says is lost: the frame is not
    /// damaged by it.
    pub fn handle_packet(
        &mut self,
        sequence: u16,
        timestamp: u32,
        marker: bool,
        payload: &[u8],
    ) -> Result<(), Error> {
        let missing = self
            .next_sequence
            .map_or(0, |expected| distance(expected, sequence));
        match missing {
            0 => {}
            // It came too late, or twice.
            -100..=-1 => return Ok(()),
            _ => self.lose(),
        }
        self.next_sequence = Some(sequence.wrapping_add(1));
        if self
            .current
            .as_ref()
            .is_some_and(|frame| frame.timestamp != timestamp)
        {
            // Its last packet is missing, or the sender sets no markers.
            self.finish();
            // What is missing may be of both frames, unless it was just the end of the former one.
            self.lost |= missing != 0 && !(missing == 1 && starts_layer(payload));
        }
        if self.current.is_none() {
            let mut frame = self.spare.pop().unwrap_or_default();
            frame.clear(timestamp);
            frame.damaged = std::mem::take(&mut self.lost);
            self.current = Some(frame);
        }
        let taken = self.take(payload);
        if taken.is_err() {
            self.lose();
        }
        if marker {
            self.finish();
        }
        let unread = self.unread.take();
        taken.and(unread.map_or(Ok(()), Err))
    }

    /// The next frame.
    pub fn poll_frame(&mut self) -> Option<Frame<'_>> {
        let next = self.ready.pop_front()?;
        self.spare.push(std::mem::replace(&mut self.taken, next));
        let frame = &self.taken;
        Some(Frame {
            timestamp: frame.timestamp,
            annex_b: &frame.annex_b,
            pacsi: frame.pacsi,
            info: frame.info,
            presence: frame.presence,
            layout: &frame.layout,
            damaged: frame.damaged,
            reference_lost: frame.reference_lost,
        })
    }

    /// Takes note of a loss: a unit that is being put together cannot be completed.
    fn lose(&mut self) {
        match &mut self.current {
            Some(frame) => frame.damaged = true,
            None => self.lost = true,
        }
        self.drop_fragments();
    }

    fn drop_fragments(&mut self) {
        if let (Some(at), Some(frame)) = (self.unit_at.take(), &mut self.current) {
            frame.annex_b.truncate(at);
            frame.damaged = true;
        }
    }

    fn finish(&mut self) {
        self.drop_fragments();
        let Some(mut frame) = self.current.take() else {
            return;
        };
        if frame.annex_b.is_empty() && frame.pacsi.is_none() {
            self.lost |= frame.damaged;
            self.spare.push(frame);
            return;
        }
        if let Some(info) = frame.info {
            frame.reference_lost = self.last_info.is_some_and(|(last, reference)| {
                let expected = last.reference_frames.wrapping_add(u8::from(reference));
                // A constant count, as one client sends it, says nothing.
                info.reference_frames != expected && info.reference_frames != last.reference_frames
            });
            self.last_info = Some((info, frame.reference));
        }
        self.ready.push_back(frame);
        if self.ready.len() > self.limits.max_ready {
            self.spare.extend(self.ready.pop_front());
        }
    }

    fn take(&mut self, payload: &[u8]) -> Result<(), Error> {
        let header = NalHeader(*payload.first().ok_or_else(|| malformed(payload))?);
        if header.forbidden() {
            return Err(malformed(payload));
        }
        if header.kind() == nal_type::FU_A {
            return self.take_fragment(payload);
        }
        self.drop_fragments();
        match header.kind() {
            nal_type::STAP_A => {
                let rest = &payload[1..];
                let mut taken = Ok(());
                for unit in (NalUnits { rest }) {
                    taken = taken.and(unit.and_then(|unit| self.take_unit(unit)));
                }
                taken
            }
            _ => self.take_unit(payload),
        }
    }

    fn take_unit(&mut self, unit: &[u8]) -> Result<(), Error> {
        let header = NalHeader(*unit.first().ok_or_else(|| malformed(unit))?);
        let Some(frame) = &mut self.current else {
            return Ok(());
        };
        match header.kind() {
            nal_type::PACSI => {
                match Pacsi::parse(unit) {
                    Ok(pacsi) => {
                        frame.pacsi = Some(pacsi.fields);
                        for message in pacsi.messages() {
                            keep(frame, message);
                        }
                    }
                    // One of another form, as a Teams client sends it, costs only what it says.
                    Err(error) => self.unread = Some(error),
                }
                return Ok(());
            }
            nal_type::SEI => match Sei::parse(unit) {
                Ok(None) => {}
                Ok(Some(message)) => {
                    keep(frame, message);
                    return Ok(());
                }
                // No decoder needs it.
                Err(error) => {
                    self.unread = Some(error);
                    return Ok(());
                }
            },
            1..=23 => {}
            kind => {
                return Err(Error::PayloadType {
                    format: super::FORMAT,
                    kind,
                });
            }
        }
        append(frame, self.limits.max_frame, &[&START_CODE, unit])?;
        frame.reference |= header.is_reference_slice();
        Ok(())
    }

    fn take_fragment(&mut self, payload: &[u8]) -> Result<(), Error> {
        let [indicator, flags, body @ ..] = payload else {
            return Err(malformed(payload));
        };
        let header = NalHeader(indicator & 0x60 | flags & 0x1F);
        if body.is_empty() || !(1..nal_type::STAP_A).contains(&header.kind()) {
            return Err(malformed(payload));
        }
        if flags & 0x80 != 0 {
            self.drop_fragments();
        }
        let Some(frame) = &mut self.current else {
            return Ok(());
        };
        if flags & 0x80 != 0 {
            self.unit_at = Some(frame.annex_b.len());
            append(
                frame,
                self.limits.max_frame,
                &[&START_CODE, &[header.0], body],
            )?;
        } else if self.unit_at.is_some() {
            append(frame, self.limits.max_frame, &[body])?;
        } else {
            frame.damaged = true;
            return Ok(());
        }
        if flags & 0x40 != 0 {
            self.unit_at = None;
            frame.reference |= header.is_reference_slice();
        }
        Ok(())
    }
}

/// Whether a payload begins with a PACSI that says that the first unit of its layer follows.
fn starts_layer(payload: &[u8]) -> bool {
    let unit = match payload.first() {
        Some(&first) if NalHeader(first).kind() == nal_type::STAP_A => {
            let rest = &payload[1..];
            NalUnits { rest }.next().and_then(Result::ok)
        }
        _ => Some(payload),
    };
    unit.and_then(|unit| Pacsi::parse(unit).ok())
        .is_some_and(|pacsi| pacsi.fields.start)
}

fn keep(frame: &mut Buffer, message: Sei<'_>) {
    match message {
        Sei::StreamLayout(layout) => frame.keep_layout(layout),
        Sei::BitstreamInfo(info) => frame.info = Some(info),
        Sei::CroppingInfo(_) => {}
    }
}

fn append(frame: &mut Buffer, limit: usize, pieces: &[&[u8]]) -> Result<(), Error> {
    let len: usize = pieces.iter().map(|piece| piece.len()).sum();
    if frame.annex_b.len() + len > limit {
        return Err(Error::FrameTooLarge { limit });
    }
    for piece in pieces {
        frame.annex_b.extend_from_slice(piece);
    }
    Ok(())
}
