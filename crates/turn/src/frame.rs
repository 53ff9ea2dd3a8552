//! What stands around messages: the frames of TCP ([MS-TURN] 2.1.4) and of multiplexed TURN ([MS-TURN] 2.2.3).

use ocs_stun::attribute::MultiplexedTurnSessionId;

use crate::Error;

/// Octets before the content of a frame of TCP.
pub const HEADER_LEN: usize = 4;

/// What a frame of TCP carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FrameType {
    /// 0x02: a message of \[MS-TURN\].
    Control,
    /// 0x03: end-to-end data, a piece of the stream from or to the active destination.
    Data,
}

impl FrameType {
    /// The header of a frame: type, a zero octet, length.
    #[must_use]
    pub const fn header(self, len: u16) -> [u8; HEADER_LEN] {
        let [l0, l1] = len.to_be_bytes();
        let number = match self {
            Self::Control => 2,
            Self::Data => 3,
        };
        [number, 0, l0, l1]
    }
}

/// A frame of TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it carries.
    pub frame_type: FrameType,
    /// What stands behind the header, at most 65535 octets.
    pub content: &'a [u8],
}

/// Finds the frames in a TCP stream, however it is cut.
///
/// A frame that lies whole in the input is lent from there; one that is cut is collected first: as much as has arrived, and no frame that is
/// longer than the limit.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// A frame of which a part is there; or one that was lent with the last call.
    partial: Vec<u8>,
    lent: bool,
    limit: Option<u16>,
}

impl FrameReader {
    /// Sets the longest content that is collected from several pieces; by default any, up to 65535 octets.
    pub fn set_limit(&mut self, limit: Option<u16>) {
        self.limit = limit;
    }

    /// Takes octets from the front of `input` until a frame is complete. `None` when the input is used up.
    ///
    /// An error is final: there is no way to find the next frame, so the connection is to be closed (\[MS-TURN\] 3.1.10).
    pub fn next<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
    ) -> Result<Option<Frame<'a>>, Error> {
        if self.lent {
            self.lent = false;
            self.partial.clear();
        }
        if self.partial.is_empty()
            && let Some((header, rest)) = input.split_first_chunk()
        {
            let (frame_type, len) = parse_header(*header)?;
            if let Some((content, rest)) = rest.split_at_checked(len) {
                *input = rest;
                return Ok(Some(Frame {
                    frame_type,
                    content,
                }));
            }
        }
        if !self.fill(HEADER_LEN, input) {
            return Ok(None);
        }
        let mut header = [0; HEADER_LEN];
        header.copy_from_slice(&self.partial[..HEADER_LEN]);
        let (frame_type, len) = parse_header(header)?;
        if self.limit.is_some_and(|limit| len > usize::from(limit)) {
            return Err(Error::FrameTooLong { len });
        }
        if !self.fill(HEADER_LEN + len, input) {
            return Ok(None);
        }
        self.lent = true;
        Ok(Some(Frame {
            frame_type,
            content: &self.partial[HEADER_LEN..],
        }))
    }

    /// Moves octets until `len` are collected, and tells whether they are.
    fn fill(&mut self, len: usize, input: &mut &[u8]) -> bool {
        let missing = len.saturating_sub(self.partial.len()).min(input.len());
        let (taken, rest) = input.split_at(missing);
        self.partial.extend_from_slice(taken);
        *input = rest;
        self.partial.len() >= len
    }
}

fn parse_header([number, reserved, l0, l1]: [u8; HEADER_LEN]) -> Result<(FrameType, usize), Error> {
    let frame_type = match (number, reserved) {
        (2, 0) => FrameType::Control,
        (3, 0) => FrameType::Data,
        _ => return Err(Error::Frame { number, reserved }),
    };
    Ok((frame_type, usize::from(u16::from_be_bytes([l0, l1]))))
}

/// The Channel_ID of multiplexed TURN. Its first octet is neither that of a message nor that of media.
const CHANNEL_ID: [u8; 2] = [0xFF, 0x10];

/// Octets before the data of a multiplexed frame.
pub const MULTIPLEXED_HEADER_LEN: usize = 12;

/// End-to-end data with the session that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MultiplexedFrame<'a> {
    /// The server's name for the allocation.
    pub session: MultiplexedTurnSessionId,
    /// The data.
    pub data: &'a [u8],
}

impl<'a> MultiplexedFrame<'a> {
    /// Reads a datagram, or the content of a frame of TCP. `None` if it is something else or its length does not fit.
    #[must_use]
    pub fn parse(octets: &'a [u8]) -> Option<Self> {
        let (&[l0, l1], rest) = octets.strip_prefix(&CHANNEL_ID)?.split_first_chunk()?;
        if usize::from(u16::from_be_bytes([l0, l1])) != rest.len() {
            return None;
        }
        let (session, data) = rest.split_first_chunk()?;
        Some(Self {
            session: MultiplexedTurnSessionId(*session),
            data,
        })
    }

    /// The octets before `len` octets of data; `None` if that is too much for a frame.
    #[must_use]
    pub fn header(
        session: MultiplexedTurnSessionId,
        len: usize,
    ) -> Option<[u8; MULTIPLEXED_HEADER_LEN]> {
        let length = u16::try_from(session.0.len() + len).ok()?;
        let mut header = [0; MULTIPLEXED_HEADER_LEN];
        header[..2].copy_from_slice(&CHANNEL_ID);
        header[2..4].copy_from_slice(&length.to_be_bytes());
        header[4..].copy_from_slice(&session.0);
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pieces: &[&[u8]]) -> Result<Vec<(FrameType, Vec<u8>)>, Error> {
        let mut reader = FrameReader::default();
        let mut frames = Vec::new();
        for mut piece in pieces.iter().copied() {
            while let Some(frame) = reader.next(&mut piece)? {
                frames.push((frame.frame_type, frame.content.to_vec()));
            }
            assert!(piece.is_empty());
        }
        Ok(frames)
    }

    #[test]
    fn frames_of_the_digest() {
        let message = hex::decode("0003001866b3fa1fe6442e7f771fb1136b30f59e000f000472c64bc68008000400000002000d000400000258").unwrap();
        let wire = [&hex::decode("0200002c").unwrap()[..], &message].concat();
        assert_eq!(read(&[&wire]), Ok(vec![(FrameType::Control, message)]));
        let data = hex::decode("0300000200ff").unwrap();
        assert_eq!(read(&[&data]), Ok(vec![(FrameType::Data, vec![0, 0xff])]));
        assert_eq!(FrameType::Data.header(2), data[..4]);
    }

    #[test]
    fn long_frames_are_collected_up_to_the_limit() {
        let mut reader = FrameReader::default();
        reader.set_limit(Some(3));
        let wire = [2, 0, 0, 4, 1, 2, 3, 4];
        assert!(reader.next(&mut &wire[..]).unwrap().is_some(), "whole");
        assert_eq!(
            reader.next(&mut &wire[..7]),
            Err(Error::FrameTooLong { len: 4 })
        );
    }

    #[test]
    fn other_types_are_final() {
        for bad in [[0, 0, 0, 0], [4, 0, 0, 0], [2, 1, 0, 0], [0x16, 3, 1, 0]] {
            let error = Error::Frame {
                number: bad[0],
                reserved: bad[1],
            };
            assert_eq!(read(&[&bad]), Err(error));
            assert_eq!(read(&[&bad[..1], &bad[1..]]), Err(error));
        }
    }

    #[test]
    fn multiplexed_frames() {
        let wire = hex::decode("ff10002801020304050607088000000100000000deadbeef766f6963652d7061796c6f61642d323062797465").unwrap();
        let frame = MultiplexedFrame::parse(&wire).unwrap();
        assert_eq!(frame.session.0, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(frame.data, &wire[12..]);
        let header = MultiplexedFrame::header(frame.session, frame.data.len()).unwrap();
        assert_eq!(header, wire[..12]);
        for len in 0..wire.len() {
            assert_eq!(MultiplexedFrame::parse(&wire[..len]), None);
        }
        assert_eq!(MultiplexedFrame::header(frame.session, 65_528), None);
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_frames(
            frames in proptest::collection::vec((any::<bool>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..8),
            sizes in proptest::collection::vec(1usize..9, 1..20),
        ) {
            let mut wire = Vec::new();
            let mut expected = Vec::new();
            for (control, content) in frames {
                let frame_type = if control { FrameType::Control } else { FrameType::Data };
                wire.extend_from_slice(&frame_type.header(content.len() as u16));
                wire.extend_from_slice(&content);
                expected.push((frame_type, content));
            }
            prop_assert_eq!(read(&[&wire]).unwrap(), expected.clone());
            let mut sizes = sizes.into_iter().cycle();
            let mut pieces = Vec::new();
            let mut rest = &wire[..];
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(sizes.next().unwrap().min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            prop_assert_eq!(read(&pieces).unwrap(), expected);
        }
    }
}
