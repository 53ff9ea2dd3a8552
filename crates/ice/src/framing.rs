//! Packets in a stream: RFC 4571, two octets of length before each.

use std::collections::VecDeque;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::Error;

/// Writes a packet with its length.
///
/// # Errors
/// [`Error::PacketTooLong`] beyond 65535 octets.
pub fn frame(packet: &[u8]) -> Result<Bytes, Error> {
    let length = packet.len();
    let prefix = u16::try_from(length).map_err(|_| Error::PacketTooLong { length })?;
    let mut frame = BytesMut::with_capacity(2 + length);
    frame.put_u16(prefix);
    frame.put_slice(packet);
    Ok(frame.freeze())
}

/// Cuts a stream into its packets, whatever the pieces are that it comes in.
///
/// It holds the packet that is not complete, 65537 octets at most, and what of the last piece was not yet taken: drain
/// [`next`](Self::next) after each [`push`](Self::push).
#[derive(Debug, Default)]
pub struct Deframer {
    pieces: VecDeque<Bytes>,
    buffered: usize,
}

impl Deframer {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next octets of the stream.
    pub fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        self.buffered += piece.len();
        // Dribble must not make a piece of each octet: short pieces are joined.
        match self.pieces.pop_back() {
            Some(last) if last.len() + piece.len() <= JOINED => {
                let mut joined = last.try_into_mut().unwrap_or_else(|shared| {
                    let mut copy = BytesMut::with_capacity(JOINED);
                    copy.extend_from_slice(&shared);
                    copy
                });
                joined.extend_from_slice(&piece);
                self.pieces.push_back(joined.freeze());
            }
            last => {
                self.pieces.extend(last);
                self.pieces.push_back(piece);
            }
        }
    }

    /// The next complete packet; without a copy if it came in one piece. Empty packets are skipped.
    #[expect(clippy::should_implement_trait, reason = "it may have more later")]
    pub fn next(&mut self) -> Option<Bytes> {
        loop {
            let length = self.length()?;
            if self.buffered < 2 + length {
                return None;
            }
            self.take(2);
            if length > 0 {
                return Some(self.take(length));
            }
        }
    }

    /// The octets that are held.
    pub const fn buffered(&self) -> usize {
        self.buffered
    }

    fn length(&self) -> Option<usize> {
        let mut octets = self.pieces.iter().flatten();
        let prefix = [*octets.next()?, *octets.next()?];
        Some(usize::from(u16::from_be_bytes(prefix)))
    }

    fn take(&mut self, length: usize) -> Bytes {
        self.buffered -= length;
        let first = self.pieces.front_mut().expect("as many octets are held");
        if first.len() > length {
            return first.split_to(length);
        }
        if first.len() == length {
            return self.pieces.pop_front().unwrap_or_default();
        }
        let mut whole = BytesMut::with_capacity(length);
        while whole.len() < length {
            let Some(piece) = self.pieces.front_mut() else {
                break;
            };
            let part = piece.len().min(length - whole.len());
            whole.extend_from_slice(&piece[..part]);
            piece.advance(part);
            if piece.is_empty() {
                self.pieces.pop_front();
            }
        }
        whole.freeze()
    }
}

/// Up to this many octets, pieces are copied together.
const JOINED: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_piece_is_not_copied() {
        let framed = frame(b"packet").unwrap();
        let inside = framed.as_ptr().wrapping_add(2);
        let mut deframer = Deframer::new();
        deframer.push(framed);
        assert_eq!(deframer.next().unwrap().as_ptr(), inside);
        assert_eq!(deframer.next(), None);
        assert_eq!(deframer.buffered(), 0);
    }

    #[test]
    fn too_long() {
        let length = 65536;
        assert_eq!(
            frame(&vec![0; length]),
            Err(Error::PacketTooLong { length })
        );
    }

    #[test]
    fn dribble_costs_no_more_than_its_octets() {
        let mut deframer = Deframer::new();
        for octet in frame(&vec![7; 65535]).unwrap() {
            assert_eq!(deframer.next(), None);
            deframer.push(Bytes::copy_from_slice(&[octet]));
            assert!(deframer.pieces.len() < 100);
        }
        assert_eq!(deframer.next().unwrap().len(), 65535);
    }

    proptest! {
        #[test]
        fn packets_come_back(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..20),
            cut in 1_usize..700,
        ) {
            let mut stream = Vec::new();
            for packet in &packets {
                stream.extend_from_slice(&frame(packet).unwrap());
            }
            let mut deframer = Deframer::new();
            let mut out = Vec::new();
            for piece in stream.chunks(cut) {
                deframer.push(Bytes::copy_from_slice(piece));
                out.extend(core::iter::from_fn(|| deframer.next()));
            }
            prop_assert_eq!(out, packets);
            prop_assert_eq!(deframer.buffered(), 0);
        }
    }
}
