//! Messages out of a stream (RFC 3261 7.5, 18.3; \[MS-CONMGMT\] 3 for CRLF keep-alives).

use bytes::{Buf, Bytes, BytesMut};

use crate::message::HeadLength;
use crate::rescue::RawHead;
use crate::{Error, Limits, Message};

/// What a stream held next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A well-formed message with its whole body. Whether it can be served is [`Message::check`]'s and
    /// [`crate::admit`]'s to say.
    Message(Message),
    /// CRLF CRLF between messages: the keep-alive of \[MS-CONMGMT\]. Nothing has to be sent back.
    ///
    /// Other line breaks between messages are swallowed without a frame.
    KeepAlive,
    /// A message that is not one, in a stream whose framing still holds: the next frame can be read.
    Malformed {
        /// What is wrong.
        error: Error,
        /// The refusal to send back. `None` for responses, ACK and BENOTIFY, and where the head is too broken
        /// to tell where an answer belongs.
        answer: Option<Box<Message>>,
    },
}

/// How a stream lost its framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FramingFault {
    /// Start line and headers do not end within [`Limits::head`].
    #[error("head has no end within {limit} octets")]
    HeadTooLong {
        /// The bound.
        limit: usize,
    },
    /// No Content-Length, which a stream cannot do without (RFC 3261 18.3).
    #[error("no content-length on a stream")]
    LengthMissing,
    /// A Content-Length that is not a number of 64 bits.
    #[error("malformed content-length on a stream")]
    LengthMalformed,
    /// Two Content-Lengths that differ: peers that take the one or the other see different messages.
    #[error("contradictory content-lengths")]
    LengthContradictory,
}

impl FramingFault {
    /// The status of the last answer.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::HeadTooLong { .. } => 513,
            _ => 400,
        }
    }
}

/// Where the next message starts cannot be known any more: send `answer`, then close the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stream framing lost: {fault}")]
pub struct FramingError {
    /// What happened.
    #[source]
    pub fault: FramingFault,
    /// The refusal of the request that broke the stream, if it was one that can be answered.
    pub answer: Option<Box<Message>>,
}

/// The refusal of a malformed request, for datagrams; a [`Framer`] makes it itself.
///
/// Gives `None` for what is not a request, for ACK and BENOTIFY, and when Via or CSeq cannot be told.
#[must_use]
pub fn refuse(datagram: &[u8], error: &Error) -> Option<Message> {
    RawHead::new(datagram).answer(error.status(), error)
}

/// What a [`Framer`] saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FramerCounters {
    /// Octets taken in.
    pub octets: u64,
    /// Messages given out.
    pub messages: u64,
    /// Malformed messages, those dropped without an answer too.
    pub malformed: u64,
    /// Malformed messages without an answer.
    pub dropped: u64,
    /// CRLF CRLF between messages.
    pub keep_alives: u64,
}

/// Cuts a stream (TCP, or the octets inside TLS or compression) into messages.
///
/// After each [`push`](Self::push) call [`poll_frame`](Self::poll_frame) until it gives `None`. The cost is linear in
/// the octets however they are split: the end of a head is searched for once and a head is parsed once.
///
/// What is held after `poll_frame` gave `None` is at most [`Limits::head`] + [`Limits::body`] octets. Messages are views of
/// the buffer they came in, so a message that is kept keeps its neighbours of the same read.
///
/// ```
/// use ocs_sip_core::{Limits, framing::{Frame, Framer}};
///
/// let mut framer = Framer::new(Limits::default());
/// framer.push(b"\r\n\r\nSIP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nh");
/// assert_eq!(framer.poll_frame().unwrap()?, Frame::KeepAlive);
/// assert!(framer.poll_frame().is_none());
/// framer.push(b"i");
/// let Some(Frame::Message(message)) = framer.poll_frame().transpose()? else { panic!() };
/// assert_eq!(message.body(), "hi");
/// # Ok::<(), ocs_sip_core::framing::FramingError>(())
/// ```
#[derive(Debug)]
pub struct Framer {
    limits: Limits,
    /// What was left of earlier pushes. Stands before `chunk` in the stream.
    buffer: BytesMut,
    /// Octets given by `push_bytes` that messages are cut from without a copy.
    chunk: Bytes,
    /// How far the end of the head was searched for.
    searched: usize,
    /// How much of CRLF CRLF came since the last message or keep-alive.
    line_breaks: u8,
    /// A parsed head and the length of the body that is awaited.
    pending: Option<(Message, usize)>,
    /// Octets of a refused body that are still to be dropped.
    skip: u64,
    lost: bool,
    counters: FramerCounters,
}

impl Framer {
    /// A framer for a new connection.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            buffer: BytesMut::new(),
            chunk: Bytes::new(),
            searched: 0,
            line_breaks: 0,
            pending: None,
            skip: 0,
            lost: false,
            counters: FramerCounters::default(),
        }
    }

    /// Takes octets in by copying them. Ignored after the framing was lost.
    pub fn push(&mut self, data: &[u8]) {
        if self.lost {
            return;
        }
        self.counters.octets += data.len() as u64;
        self.spill(self.chunk.len());
        self.buffer.extend_from_slice(data);
    }

    /// Takes octets in without a copy where messages lie whole in them. Ignored after the framing was lost.
    pub fn push_bytes(&mut self, data: Bytes) {
        if self.lost {
            return;
        }
        self.counters.octets += data.len() as u64;
        if !self.chunk.is_empty() {
            self.spill(self.chunk.len());
        }
        self.chunk = data;
    }

    /// Octets held: input that no frame was made of yet.
    #[must_use]
    pub fn buffered(&self) -> usize {
        let head = self
            .pending
            .as_ref()
            .map_or(0, |(message, _)| message.head_len());
        head + self.buffer.len() + self.chunk.len()
    }

    /// Takes out the octets that no frame was made of yet: what follows belongs to another protocol,
    /// such as the packets of \[MS-SIPCOMP\] after an accepted NEGOTIATE.
    pub fn take_rest(&mut self) -> Bytes {
        self.searched = 0;
        if self.buffer.is_empty() {
            return std::mem::take(&mut self.chunk);
        }
        self.spill(self.chunk.len());
        self.buffer.split().freeze()
    }

    /// Whether the stream stands between two messages: a connection that ends now ends well.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.pending.is_none() && self.skip == 0 && self.buffer.is_empty() && self.chunk.is_empty()
    }

    /// Whether the framing was lost.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.lost
    }

    /// What was seen so far.
    #[must_use]
    pub const fn counters(&self) -> FramerCounters {
        self.counters
    }

    /// The next frame; `None` when more octets are needed, and always after an error.
    pub fn poll_frame(&mut self) -> Option<Result<Frame, FramingError>> {
        loop {
            if self.lost {
                return None;
            }
            if self.skip > 0 {
                self.drop_skipped();
                if self.skip > 0 {
                    return None;
                }
            }
            if let Some((message, length)) = self.pending.take() {
                let Some(body) = self.take(length) else {
                    self.pending = Some((message, length));
                    return None;
                };
                return Some(Ok(self.deliver(message, body)));
            }
            if self.pass_line_breaks() {
                self.counters.keep_alives += 1;
                return Some(Ok(Frame::KeepAlive));
            }
            let head = match self.take_head() {
                Ok(head) => head?,
                Err(error) => return Some(Err(error)),
            };
            self.line_breaks = 0;
            let frame = self.read_head(head);
            match frame {
                Ok(None) => {}
                Ok(Some(frame)) => return Some(Ok(frame)),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn deliver(&mut self, mut message: Message, body: Bytes) -> Frame {
        message.attach_body(body);
        self.counters.messages += 1;
        Frame::Message(message)
    }

    /// Parses a head; leaves the message in `pending` when its body is not there yet.
    fn read_head(&mut self, head: Bytes) -> Result<Option<Frame>, FramingError> {
        let raw = head.clone(); // shares the octets
        let parsed = Message::parse_head(head, &self.limits);
        let length = match &parsed {
            Ok(message) => message.content_length(),
            // What the strict parser refuses may still say where it ends.
            Err(_) => RawHead::new(&raw).content_length(),
        };
        let length = match length {
            Ok(Some(length)) => length,
            Ok(None) => return Err(self.lose(FramingFault::LengthMissing, &raw)),
            Err(Error::Repeated(_)) => {
                return Err(self.lose(FramingFault::LengthContradictory, &raw));
            }
            Err(_) => return Err(self.lose(FramingFault::LengthMalformed, &raw)),
        };
        let error = match parsed {
            Ok(message) if length <= self.limits.body as u64 => {
                let length = length as usize;
                if let Some(body) = self.take(length) {
                    return Ok(Some(self.deliver(message, body)));
                }
                self.pending = Some((message, length));
                return Ok(None);
            }
            Ok(_) => Error::BodyTooLong {
                length,
                limit: self.limits.body,
            },
            Err(error) => error,
        };
        self.skip = length;
        self.counters.malformed += 1;
        let answer = RawHead::new(&raw)
            .answer(error.status(), &error)
            .map(Box::new);
        self.counters.dropped += u64::from(answer.is_none());
        Ok(Some(Frame::Malformed { error, answer }))
    }

    /// Gives up on the stream and lets go of what is held.
    fn lose(&mut self, fault: FramingFault, raw: &[u8]) -> FramingError {
        let answer = RawHead::new(raw)
            .answer(fault.status(), &fault)
            .map(Box::new);
        self.lost = true;
        self.counters.malformed += 1;
        self.counters.dropped += u64::from(answer.is_none());
        self.buffer = BytesMut::new();
        self.chunk = Bytes::new();
        FramingError { fault, answer }
    }

    /// Copies `count` octets of the chunk behind those in the buffer.
    fn spill(&mut self, count: usize) {
        if count > 0 {
            self.buffer.extend_from_slice(&self.chunk.split_to(count));
        }
    }

    /// Takes `count` octets off the stream when they are there.
    fn take(&mut self, count: usize) -> Option<Bytes> {
        if count == 0 {
            return Some(Bytes::new());
        }
        if self.buffer.is_empty() && self.chunk.len() >= count {
            return Some(self.chunk.split_to(count));
        }
        let missing = count.saturating_sub(self.buffer.len());
        self.spill(missing.min(self.chunk.len()));
        (self.buffer.len() >= count).then(|| self.buffer.split_to(count).freeze())
    }

    /// Takes a head with its empty line off the stream when it is there.
    fn take_head(&mut self) -> Result<Option<Bytes>, FramingError> {
        if !self.buffer.is_empty() {
            self.spill(self.chunk.len());
        }
        let input: &[u8] = if self.buffer.is_empty() {
            &self.chunk
        } else {
            &self.buffer
        };
        let (known, end) = match HeadLength::find(input, self.searched) {
            HeadLength::Complete(length) => (length, Some(length)),
            HeadLength::Partial { searched } => {
                self.searched = searched;
                (input.len(), None)
            }
        };
        let limit = self.limits.head;
        if known > limit {
            // The same octets are looked at however the stream was split.
            let raw = Bytes::copy_from_slice(&input[..limit]);
            return Err(self.lose(FramingFault::HeadTooLong { limit }, &raw));
        }
        let Some(length) = end else {
            self.spill(self.chunk.len());
            return Ok(None);
        };
        self.searched = 0;
        Ok(self.take(length))
    }

    fn drop_skipped(&mut self) {
        let mut drop = |length: usize| {
            let count = usize::try_from(self.skip).unwrap_or(usize::MAX).min(length);
            self.skip -= count as u64;
            count
        };
        let from_buffer = drop(self.buffer.len());
        let from_chunk = drop(self.chunk.len());
        self.buffer.advance(from_buffer);
        self.chunk.advance(from_chunk);
    }

    /// Drops line breaks between messages; says whether CRLF CRLF was among them.
    fn pass_line_breaks(&mut self) -> bool {
        if self.searched > 0 {
            return false; // inside a head
        }
        let mut passed = 0;
        let mut keep_alive = false;
        let first = self.buffer.first().or(self.chunk.first());
        if !matches!(first, Some(b'\r' | b'\n')) {
            return false;
        }
        for &octet in self.buffer.iter().chain(self.chunk.iter()) {
            let expected = if self.line_breaks.is_multiple_of(2) {
                b'\r'
            } else {
                b'\n'
            };
            if octet == expected {
                self.line_breaks += 1;
            } else if octet == b'\r' || octet == b'\n' {
                self.line_breaks = u8::from(octet == b'\r');
            } else {
                break;
            }
            passed += 1;
            if self.line_breaks == 4 {
                self.line_breaks = 0;
                keep_alive = true;
                break;
            }
        }
        let from_buffer = passed.min(self.buffer.len());
        self.buffer.advance(from_buffer);
        self.chunk.advance(passed - from_buffer);
        keep_alive
    }
}
