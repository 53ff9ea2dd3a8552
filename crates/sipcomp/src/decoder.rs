//! Packets to bytes.

use core::fmt;
use core::ops::Range;

use bytes::BufMut;

use crate::{Error, Flags, HISTORY_SIZE, Header, MAX_OFFSET};

/// Where the current pass over the history begins in [`Decoder::history`].
const FRONT: usize = HISTORY_SIZE;
/// Copies and literal runs are stored in whole chunks; what they write too much lands here at worst.
const SLACK: usize = 32;
const LINEAR: usize = 2 * HISTORY_SIZE + SLACK;

/// What a [`Decoder`] may be made to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// [`Decoder::decode`] stops once it has produced this many bytes, so that a few hundred bytes
    /// of input cannot fill the memory: five bytes of payload can stand for 8192. One call appends
    /// less than this plus 8192. Default 65,536.
    pub output_per_call: usize,
    /// Whether a Reserved field other than zero is an error. It is the one guard against a lost
    /// packet boundary; switch it off only for a peer that is known to use the field. Default true.
    pub check_reserved: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            output_per_call: 65_536,
            check_reserved: true,
        }
    }
}

/// A harmless peculiarity of the peer, worth a line in a log. See [`Decoder::take_anomaly`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Anomaly {
    /// Type is not that of LZ77-8K. The packet was decoded as LZ77-8K all the same.
    UnexpectedType(u8),
    /// The undefined flag is set.
    UndefinedFlag,
    /// [`Header::nibbles_look_exchanged`]: the peer may lay out the first byte the other way round.
    /// The packet was taken as raw.
    NibblesLookExchanged(u8),
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Collecting a header that arrives in pieces.
    Header {
        bytes: [u8; Header::SIZE],
        filled: usize,
    },
    /// Inside a raw packet.
    Raw { left: usize },
    /// Inside a compressed packet that yields `start..end` of the linear history.
    Compressed { start: usize, end: usize },
    Failed(Error),
}

impl State {
    const START: Self = Self::Header {
        bytes: [0; Header::SIZE],
        filled: 0,
    };
}

/// Where the bytes are that a step produced.
enum Chunk {
    /// The last so many bytes of the input that the step consumed.
    Raw(usize),
    /// A range of the history.
    History(Range<usize>),
}

/// The receiving half of a compressed connection: packets in, bytes of the SIP stream out.
///
/// It takes the input in any pieces and never waits for a bit that the current token does not need.
/// A compressed packet comes out whole, or, if it is damaged, not at all; a raw packet comes out as
/// it arrives. Packets do not delimit SIP messages.
///
/// After an error every further call returns the same error: tear down the connection.
///
/// Memory: 16 KB, fixed. Time: linear in input plus output.
// The history is a ring of 8192 bytes whose whole content is always valid ([MS-RDPBCGR] 3.1.8.1):
// an offset that reaches beyond the front reads what the previous pass left at the end. Here the
// previous pass lies in a buffer directly before the current one, so that no read or write ever
// wraps, and so that storing a few bytes too many does no harm: they lie where nothing is read
// before it is written. PACKET_AT_FRONT moves the current pass over the previous one.
pub struct Decoder {
    history: Box<[u8; LINEAR]>,
    /// HistoryOffset, 0 to 8192, behind the last complete packet.
    history_offset: usize,
    /// The bytes of the previous pass that are not zero for certain.
    previous: usize,
    /// The index behind the last decoded byte of the current packet.
    position: usize,
    state: State,
    /// Bits of an unfinished token, from the most significant down.
    bits: u64,
    bit_count: u32,
    /// Wire bytes consumed before the current call.
    consumed: u64,
    packet_offset: u64,
    anomaly: Option<Anomaly>,
    limits: Limits,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl fmt::Debug for Decoder {
    // Without the history: it holds the messages of the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("history_offset", &self.history_offset)
            .field("state", &self.state)
            .field("packet_offset", &self.packet_offset)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl Decoder {
    /// A decoder with a fresh history, for the first byte after the response to NEGOTIATE.
    pub fn new(limits: Limits) -> Self {
        Self {
            history: Box::new([0; LINEAR]),
            history_offset: 0,
            previous: 0,
            position: FRONT,
            state: State::START,
            bits: 0,
            bit_count: 0,
            consumed: 0,
            packet_offset: 0,
            anomaly: None,
            limits,
        }
    }

    /// The limits given at construction.
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// The wire offset, counted from the first packet, of the header of the current packet; after
    /// an error, of the packet at fault.
    pub const fn packet_offset(&self) -> u64 {
        self.packet_offset
    }

    /// Whether the input ended between two packets. A connection that closes elsewhere was cut.
    pub const fn is_at_boundary(&self) -> bool {
        matches!(self.state, State::Header { filled: 0, .. })
    }

    /// The last peculiarity seen since the previous call of this method.
    pub const fn take_anomaly(&mut self) -> Option<Anomaly> {
        self.anomaly.take()
    }

    /// Decodes `input` and appends the result to `out`, a growing buffer such as `Vec<u8>` or
    /// [`bytes::BytesMut`].
    ///
    /// Returns how many bytes of `input` were consumed. That is all of it, unless
    /// [`Limits::output_per_call`] was reached: then use up `out` and call again with the rest.
    ///
    /// ```
    /// let mut decoder = ocs_sipcomp::Decoder::default();
    /// let mut out = Vec::new();
    /// let consumed = decoder.decode(b"\x60\0\0\0\0\x15Xcd\xf0\xb8\x80", &mut out)?;
    /// assert_eq!((consumed, &out[..]), (12, &b"Xcdcdcdcdcdcdcdcdcdcd"[..]));
    /// # Ok::<(), ocs_sipcomp::Error>(())
    /// ```
    pub fn decode(&mut self, input: &[u8], out: &mut impl BufMut) -> Result<usize, Error> {
        let mut rest = input;
        let mut room = self.limits.output_per_call;
        while room > 0 {
            let Some(chunk) = self.advance(&mut rest, room)? else {
                break;
            };
            out.put_slice(chunk);
            room = room.saturating_sub(chunk.len());
        }
        Ok(input.len() - rest.len())
    }

    /// Decodes up to the next piece of output and returns it without copying: a slice of the
    /// history, or, of a raw packet, of the input itself. Advances `input` behind what was consumed.
    ///
    /// `None` means that all of `input` was consumed and more is needed.
    ///
    /// ```
    /// let mut decoder = ocs_sipcomp::Decoder::default();
    /// let mut input = &b"\x80\0\0\0\0\x02\r\n\x60\0\0\0\0\x03abc\x20\0\0"[..];
    /// assert_eq!(decoder.next_chunk(&mut input)?, Some(&b"\r\n"[..]));
    /// assert_eq!(decoder.next_chunk(&mut input)?, Some(&b"abc"[..]));
    /// assert_eq!(decoder.next_chunk(&mut input)?, None);
    /// assert!(input.is_empty());
    /// # Ok::<(), ocs_sipcomp::Error>(())
    /// ```
    pub fn next_chunk<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<&'a [u8]>, Error> {
        self.advance(input, usize::MAX)
    }

    fn advance<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
        raw_limit: usize,
    ) -> Result<Option<&'a [u8]>, Error> {
        let mut at = 0;
        let step = self.step(input, &mut at, raw_limit);
        self.consumed += at as u64;
        let (taken, rest) = input.split_at(at);
        *input = rest;
        match step {
            Ok(None) => Ok(None),
            Ok(Some(Chunk::Raw(length))) => Ok(Some(&taken[at - length..])),
            Ok(Some(Chunk::History(range))) => Ok(Some(&self.history[range])),
            Err(error) => {
                self.state = State::Failed(error);
                Err(error)
            }
        }
    }

    fn step(
        &mut self,
        input: &[u8],
        at: &mut usize,
        raw_limit: usize,
    ) -> Result<Option<Chunk>, Error> {
        loop {
            match self.state {
                State::Header { bytes, filled } => {
                    if filled == 0 {
                        self.packet_offset = self.consumed + *at as u64;
                        if let Some(&bytes) = input[*at..].first_chunk() {
                            *at += Header::SIZE;
                            self.begin(Header::from_bytes(bytes))?;
                            continue;
                        }
                    }
                    let Some(header) = self.collect_header(bytes, filled, input, at) else {
                        return Ok(None);
                    };
                    self.begin(header)?;
                }
                State::Raw { left } => {
                    let length = left.min(input.len() - *at).min(raw_limit);
                    *at += length;
                    self.state = if length == left {
                        State::START
                    } else {
                        State::Raw {
                            left: left - length,
                        }
                    };
                    if length > 0 {
                        return Ok(Some(Chunk::Raw(length)));
                    }
                    if left > 0 {
                        return Ok(None);
                    }
                }
                State::Compressed { start, end } => {
                    self.decode_tokens(input, at, end)?;
                    if self.position < end {
                        return Ok(None);
                    }
                    self.history_offset = end - FRONT;
                    self.state = State::START;
                    if start < end {
                        return Ok(Some(Chunk::History(start..end)));
                    }
                }
                State::Failed(error) => return Err(error),
            }
        }
    }

    /// Adds to a header that arrives in pieces; the header, once all of it is there.
    #[cold]
    fn collect_header(
        &mut self,
        mut bytes: [u8; Header::SIZE],
        filled: usize,
        input: &[u8],
        at: &mut usize,
    ) -> Option<Header> {
        let taken = (Header::SIZE - filled).min(input.len() - *at);
        bytes[filled..filled + taken].copy_from_slice(&input[*at..*at + taken]);
        *at += taken;
        let filled = filled + taken;
        self.state = State::Header { bytes, filled };
        (filled == Header::SIZE).then(|| Header::from_bytes(bytes))
    }

    /// Applies a header: once per packet, however often the input is cut.
    fn begin(&mut self, header: Header) -> Result<(), Error> {
        if header.reserved != 0 && self.limits.check_reserved {
            return Err(Error::Reserved(header.reserved));
        }
        header.check(self.history_offset as u16)?;
        if header.compression_type != Header::TYPE_LZ77_8K
            || header.flags.contains(Flags::UNDEFINED)
        {
            self.note(header);
        }
        let size = usize::from(header.uncompressed_size);
        if header.flags.contains(Flags::COMPRESSED) {
            if header.flags.contains(Flags::AT_FRONT) {
                self.go_to_front();
            }
            let start = FRONT + self.history_offset;
            self.position = start;
            self.state = State::Compressed {
                start,
                end: start + size,
            };
        } else {
            if header.flags.contains(Flags::FLUSHED) {
                self.flush();
            }
            self.state = State::Raw { left: size };
        }
        Ok(())
    }

    #[cold]
    fn note(&mut self, header: Header) {
        self.anomaly = Some(if header.nibbles_look_exchanged() {
            Anomaly::NibblesLookExchanged(header.compression_type)
        } else if header.compression_type == Header::TYPE_LZ77_8K {
            Anomaly::UndefinedFlag
        } else {
            Anomaly::UnexpectedType(header.compression_type)
        });
    }

    /// HistoryOffset goes back to 0, the content stays: the cost is that of the bytes decoded since
    /// the last time.
    fn go_to_front(&mut self) {
        self.history
            .copy_within(FRONT..FRONT + self.history_offset, 0);
        self.previous = self.previous.max(self.history_offset);
        self.history_offset = 0;
    }

    /// Clears the history. Only what was written since the last time costs anything, so that a
    /// flood of empty flushed packets is cheap.
    fn flush(&mut self) {
        self.history[..self.previous].fill(0);
        self.previous = 0;
        self.history_offset = 0;
    }

    /// Decodes tokens until `position` is `end` or the input is used up. At the end of the packet
    /// the padding is dropped and whole bytes that were read ahead are given back to the input.
    fn decode_tokens(&mut self, input: &[u8], at: &mut usize, end: usize) -> Result<(), Error> {
        const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

        let history = &mut *self.history;
        let mut position = self.position;
        let mut bits = self.bits;
        let mut count = self.bit_count;
        let mut next = *at;
        while position < end {
            if let Some(word) = input[next..].first_chunk() {
                // The bits below `count` may be those of a byte that is not counted yet; it is
                // read again with the same value.
                bits |= u64::from_be_bytes(*word) >> count;
                next += (63 - count as usize) / 8;
                count |= 56;
            } else {
                while count <= 56 && next < input.len() {
                    bits |= u64::from(input[next]) << (56 - count);
                    count += 8;
                    next += 1;
                }
            }

            // Literals below 0x80 are plain bytes: store eight, keep those before the first 1 bit.
            let run = ((bits & HIGH_BITS).leading_zeros() / 8).min(count / 8);
            if run > 0 {
                history[position..position + 8].copy_from_slice(&bits.to_be_bytes());
                let run = (run as usize).min(end - position);
                position += run;
                bits <<= 8 * run;
                count -= 8 * run as u32;
                continue;
            }
            if bits >> 62 == 0b10 {
                if count < 9 {
                    break;
                }
                history[position] = 0x80 | (bits >> 55) as u8;
                position += 1;
                bits <<= 9;
                count -= 9;
                continue;
            }

            // Missing bits read as zero or as themselves, and the token is longer than `count` then.
            let (prefix, width, base) = match bits >> 60 {
                0b1111 => (4, 6, 0),
                0b1110 => (4, 8, 64),
                _ => (3, 13, 320),
            };
            let offset = base + ((bits << prefix) >> (64 - width)) as usize;
            let rest = bits << (prefix + width);
            let ones = rest.leading_ones();
            let (length, length_width) = if ones == 0 {
                (3, 1)
            } else {
                let width = ones + 1;
                (
                    1 << (width & 31) | ((rest << width) >> (64 - width)) as usize,
                    2 * width,
                )
            };
            let used = prefix + width + length_width;
            if ones > 11 {
                return Err(Error::LengthPrefix);
            }
            if used > count {
                break;
            }
            if offset == 0 || offset > MAX_OFFSET {
                return Err(Error::Offset(offset as u16));
            }
            if length > end - position {
                return Err(Error::CopyOvershoots {
                    length: length as u16,
                    left: (end - position) as u16,
                });
            }
            bits = rest << length_width;
            count -= used;
            copy(history, position, offset, length);
            position += length;
        }
        if position == end {
            next -= count as usize / 8;
            bits = 0;
            count = 0;
        }
        *at = next;
        self.position = position;
        self.bits = bits;
        self.bit_count = count;
        Ok(())
    }
}

/// Copies `length` bytes from `offset` before `to`, byte by byte as it were: a source that overlaps
/// the destination repeats itself. May write up to 15 bytes too many.
#[inline]
fn copy(history: &mut [u8; LINEAR], to: usize, offset: usize, length: usize) {
    const CHUNK: usize = 16;

    let from = to - offset;
    if offset >= CHUNK {
        let mut done = 0;
        while done < length {
            let chunk: [u8; CHUNK] = *history[from + done..].first_chunk().expect("slack");
            *history[to + done..].first_chunk_mut().expect("slack") = chunk;
            done += CHUNK;
        }
    } else {
        // What is there repeats with the period `offset`, so each round can copy all of it.
        let mut done = 0;
        while done < length {
            let count = (offset + done).min(length - done);
            history.copy_within(from..from + count, to + done);
            done += count;
        }
    }
}
