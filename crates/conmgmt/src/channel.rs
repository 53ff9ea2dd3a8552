//! One connection's octets: SIP messages in and out, with the compression of \[MS-SIPCOMP\] once it was agreed on.

use bytes::{Bytes, BytesMut};
use ocs_sip_core::framing::{Frame, Framer, FramingError};
use ocs_sip_core::{Limits, Message};
use ocs_sipcomp::{Decoder, Encoder};

use crate::keep_alive::KEEP_ALIVE;

/// Why a connection has to be closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The stream lost its framing; there may be a last answer to send.
    #[error(transparent)]
    Framing(#[from] FramingError),
    /// The compressed stream is broken (\[MS-SIPCOMP\] 3.1.5).
    #[error("compressed stream is broken: {0}")]
    Compression(#[from] ocs_sipcomp::Error),
}

/// The stream of one connection, both directions.
///
/// Put in what arrives with [`push`](Self::push), then take [`poll_frame`](Self::poll_frame) until `None`. What
/// [`encode`](Self::encode) appends goes to the socket as it is.
#[derive(Debug)]
pub struct Channel {
    framer: Framer,
    compression: Option<Box<Compression>>,
    /// Compressed octets that were not decoded yet: one call decodes a bounded amount.
    waiting: Bytes,
}

#[derive(Debug)]
struct Compression {
    encoder: Encoder,
    decoder: Decoder,
    plain: BytesMut,
}

impl Channel {
    /// A new connection, uncompressed.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            framer: Framer::new(limits),
            compression: None,
            waiting: Bytes::new(),
        }
    }

    /// Whether compression is on.
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        self.compression.is_some()
    }

    /// Octets that are held because a message is not complete.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.framer.buffered() + self.waiting.len()
    }

    /// Takes in what arrived.
    pub fn push(&mut self, data: Bytes) {
        if self.compression.is_none() {
            self.framer.push_bytes(data);
        } else if self.waiting.is_empty() {
            self.waiting = data;
        } else {
            let mut joined = BytesMut::from(&self.waiting[..]);
            joined.extend_from_slice(&data);
            self.waiting = joined.freeze();
        }
    }

    /// The next frame. After an error the connection must be closed, and nothing more comes.
    pub fn poll_frame(&mut self) -> Option<Result<Frame, ChannelError>> {
        loop {
            if let Some(frame) = self.framer.poll_frame() {
                return Some(frame.map_err(ChannelError::from));
            }
            let compression = self.compression.as_mut()?;
            if self.waiting.is_empty() || self.framer.is_lost() {
                return None;
            }
            match compression
                .decoder
                .decode(&self.waiting, &mut compression.plain)
            {
                Ok(taken) => drop(self.waiting.split_to(taken)),
                Err(error) => {
                    self.waiting = Bytes::new();
                    return Some(Err(error.into()));
                }
            }
            self.framer.push_bytes(compression.plain.split().freeze());
        }
    }

    /// Both directions are compressed from here on: the 2xx to NEGOTIATE was the last plain message.
    pub fn start_compression(&mut self) {
        if self.compression.is_none() {
            self.waiting = self.framer.take_rest();
            self.compression = Some(Box::new(Compression {
                encoder: Encoder::new(),
                decoder: Decoder::default(),
                plain: BytesMut::new(),
            }));
        }
    }

    /// Appends a message as it goes onto the wire.
    pub fn encode(&mut self, message: &Message, out: &mut BytesMut) {
        match &mut self.compression {
            None => message.encode(out),
            Some(compression) => {
                message.encode(&mut compression.plain);
                compression.encoder.encode(&compression.plain, out);
                compression.plain.clear();
            }
        }
    }

    /// Appends the keep-alive between messages.
    pub fn encode_keep_alive(&mut self, out: &mut BytesMut) {
        match &mut self.compression {
            None => out.extend_from_slice(KEEP_ALIVE),
            Some(compression) => compression.encoder.encode(KEEP_ALIVE, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocs_sip_core::{HeaderName, Method};

    fn message(call_id: &str) -> Message {
        Message::request(Method::Options, "sip:a@contoso.com")
            .with(HeaderName::CallId, call_id)
            .with_body("text/plain", "hello ".repeat(200))
    }

    #[test]
    fn compression_starts_between_two_messages_of_one_read() {
        let mut sender = Channel::new(Limits::default());
        let mut receiver = Channel::new(Limits::default());
        let mut wire = BytesMut::new();
        sender.encode(&message("plain"), &mut wire);
        sender.start_compression();
        let plain = wire.len();
        for index in 0..20 {
            sender.encode(&message(&index.to_string()), &mut wire);
        }
        sender.encode_keep_alive(&mut wire);
        assert!(wire.len() < plain * 3, "twenty messages in {}", wire.len());
        receiver.push(wire.freeze());
        let mut frames = Vec::new();
        while let Some(frame) = receiver.poll_frame() {
            if frames.is_empty() {
                receiver.start_compression();
            }
            frames.push(frame.unwrap());
        }
        assert_eq!(frames.len(), 22);
        assert!(matches!(&frames[20], Frame::Message(m) if m.call_id() == Ok("19")));
        assert_eq!(frames[21], Frame::KeepAlive);
        assert_eq!(receiver.buffered(), 0);
    }

    #[test]
    fn a_broken_compressed_stream_is_an_error() {
        let mut channel = Channel::new(Limits::default());
        channel.start_compression();
        channel.push(Bytes::from_static(&[0xFF; 64]));
        assert!(matches!(
            channel.poll_frame(),
            Some(Err(ChannelError::Compression(_)))
        ));
    }
}
