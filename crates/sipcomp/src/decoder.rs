//! Packets to bytes.

use core::fmt;
use core::ops::Range;

use bytes::BufMut;

use crate::history::{FRONT, History};
use crate::tokens::Reader;
use crate::{Error, Flags, Header};

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
    Raw {
        left: usize,
    },
    /// Inside a compressed packet that yields `start..end` of the history bytes, of which those
    /// before `position` are there.
    Compressed {
        start: usize,
        position: usize,
        end: usize,
    },
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
pub struct Decoder {
    /// As it was before the current packet, as far as HistoryOffset goes.
    history: History,
    state: State,
    reader: Reader,
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
            .field("history_offset", &self.history.offset)
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
            history: History::new(),
            state: State::START,
            reader: Reader::default(),
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
            Ok(Some(Chunk::History(range))) => Ok(Some(&self.history.bytes[range])),
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
                    if *at == input.len() {
                        return Ok(None);
                    }
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
                State::Compressed {
                    start,
                    position,
                    end,
                } => {
                    let position =
                        self.reader
                            .read(input, at, &mut self.history.bytes, position, end)?;
                    if position < end {
                        self.state = State::Compressed {
                            start,
                            position,
                            end,
                        };
                        return Ok(None);
                    }
                    self.history.offset = end - FRONT;
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
        header.check(self.history.offset as u16)?;
        if header.compression_type != Header::TYPE_LZ77_8K
            || header.flags.contains(Flags::UNDEFINED)
        {
            self.note(header);
        }
        let size = usize::from(header.uncompressed_size);
        if header.flags.contains(Flags::COMPRESSED) {
            if header.flags.contains(Flags::AT_FRONT) {
                self.history.go_to_front();
            }
            let start = FRONT + self.history.offset;
            self.state = State::Compressed {
                start,
                position: start,
                end: start + size,
            };
        } else {
            if header.flags.contains(Flags::FLUSHED) {
                self.history.flush();
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
}
