//! The sending side: one key, many sources.

use core::fmt;

use rustc_hash::FxHashMap;

use crate::header::{self, RTCP_CLEAR_LEN};
use crate::session::{Protocol, Session};
use crate::window::Window;
use crate::{Error, KeyParams, Lifetime, MAX_PACKET_LEN, Mki, SRTCP_INDEX_LEN, TAG_LEN};

/// Packets of SRTCP that a key protects, and that a source has indices for.
const RTCP_PACKETS: u64 = 1 << 31;

/// Bounds of a [`Sender`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderConfig {
    /// Synchronization sources of SRTP, and of SRTCP; 1,024 unless set. One takes some 150 octets. None is
    /// forgotten, for its indices must not come again.
    pub max_ssrcs: usize,
}

impl Default for SenderConfig {
    fn default() -> Self {
        Self { max_ssrcs: 1024 }
    }
}

/// What protects packets under one key.
struct Key {
    srtp: Session,
    srtcp: Session,
    mki: Option<Mki>,
    srtp_left: u64,
    srtcp_left: u64,
}

impl Key {
    fn new(params: &KeyParams) -> Self {
        let packets = params
            .lifetime
            .map_or(Lifetime::PowerOfTwo(48).packets(), Lifetime::packets);
        Self {
            srtp: Session::new(&params.master, Protocol::Srtp),
            srtcp: Session::new(&params.master, Protocol::Srtcp),
            mki: params.mki,
            srtp_left: packets,
            srtcp_left: packets.min(RTCP_PACKETS),
        }
    }

    fn trailer_len(&self) -> usize {
        TAG_LEN + self.mki.map_or(0, Mki::len)
    }
}

/// Protects what one side sends.
///
/// No packet index of a source is used twice under a key. So all media lines that send with one key must share one `Sender`: two of them would
/// use the same keystream if two lines had a source of the same number.
pub struct Sender {
    config: SenderConfig,
    key: Key,
    rtp: FxHashMap<u32, Window<16>>,
    rtcp: FxHashMap<u32, u32>,
}

impl Sender {
    /// A sender with the key of the line that was chosen: in an offer and an answer alike, the key that this side wrote.
    #[must_use]
    pub fn new(config: SenderConfig, params: &KeyParams) -> Self {
        Self {
            config,
            key: Key::new(params),
            rtp: FxHashMap::default(),
            rtcp: FxHashMap::default(),
        }
    }

    /// Goes on with another key. Sources keep their rollover counters and SRTCP indices (RFC 3711 3.3.1).
    ///
    /// Products are recalled to start again at 0 with a new key: a sender that is made anew does so. A [`Receiver`](crate::Receiver) takes both.
    pub fn set_key(&mut self, params: &KeyParams) {
        self.key = Key::new(params);
    }

    /// Octets that protection adds to an RTP packet.
    #[must_use]
    pub fn rtp_overhead(&self) -> usize {
        self.key.trailer_len()
    }

    /// Octets that protection adds to an RTCP packet.
    #[must_use]
    pub fn rtcp_overhead(&self) -> usize {
        SRTCP_INDEX_LEN + self.key.trailer_len()
    }

    /// RTP packets that the key may still protect: time for another one when they get few.
    #[must_use]
    pub const fn rtp_packets_left(&self) -> u64 {
        self.key.srtp_left
    }

    /// RTCP packets that the key may still protect.
    #[must_use]
    pub const fn rtcp_packets_left(&self) -> u64 {
        self.key.srtcp_left
    }

    /// Protects in place the RTP packet in the first `len` octets of the buffer, and gives its new length.
    ///
    /// Packets of a source may come out of order within 1,024, but each sequence number once: what has to be sent again is sent as it was protected.
    /// A source should begin below 0x8000: receivers that miss what was sent before the first wrap would guess wrongly. After an error
    /// the buffer is as it was.
    ///
    /// # Panics
    /// If the buffer is shorter than `len`.
    pub fn protect_rtp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, Error> {
        let header = header::rtp(&buffer[..len])?;
        let needed = room(buffer, len + self.key.trailer_len())?;
        if self.key.srtp_left == 0 {
            return Err(Error::KeyExpired);
        }
        let index = self.next_rtp_index(header.ssrc, header.seq)?;
        self.key.srtp_left -= 1;
        let (packet, trailer) = buffer[..needed].split_at_mut(len);
        let session = &self.key.srtp;
        session.crypt(header.ssrc, index, &mut packet[header.payload_at..]);
        finish(
            trailer,
            self.key.mki,
            session.tag(packet).with_roc(index).finish(),
        );
        Ok(needed)
    }

    /// Protects in place the RTCP compound in the first `len` octets of the buffer, and gives its new length. After an error the buffer is as it was.
    ///
    /// # Panics
    /// If the buffer is shorter than `len`.
    pub fn protect_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, Error> {
        let ssrc = header::rtcp_ssrc(&buffer[..len])?;
        let needed = room(buffer, len + self.rtcp_overhead())?;
        if self.key.srtcp_left == 0 {
            return Err(Error::KeyExpired);
        }
        let index = self.next_rtcp_index(ssrc)?;
        self.key.srtcp_left -= 1;
        let session = &self.key.srtcp;
        session.crypt(ssrc, index.into(), &mut buffer[RTCP_CLEAR_LEN..len]);
        let (packet, trailer) = buffer[..needed].split_at_mut(len + SRTCP_INDEX_LEN);
        packet[len..].copy_from_slice(&(ENCRYPTED | index).to_be_bytes());
        finish(trailer, self.key.mki, session.tag(packet).finish());
        Ok(needed)
    }

    fn next_rtp_index(&mut self, ssrc: u32, seq: u16) -> Result<u64, Error> {
        if let Some(window) = self.rtp.get_mut(&ssrc) {
            let index = window.guess(seq)?;
            window.check(index, Window::<16>::LEN)?;
            window.mark(index);
            return Ok(index);
        }
        ssrc_room(self.rtp.len(), self.config.max_ssrcs)?;
        self.rtp.insert(ssrc, Window::starting(seq.into()));
        Ok(seq.into())
    }

    fn next_rtcp_index(&mut self, ssrc: u32) -> Result<u32, Error> {
        if let Some(next) = self.rtcp.get_mut(&ssrc) {
            let index = *next;
            if index == ENCRYPTED {
                return Err(Error::IndexExhausted);
            }
            *next += 1;
            return Ok(index);
        }
        ssrc_room(self.rtcp.len(), self.config.max_ssrcs)?;
        self.rtcp.insert(ssrc, 1);
        Ok(0)
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("config", &self.config)
            .field("mki", &self.key.mki)
            .field("rtp_sources", &self.rtp.len())
            .field("rtcp_sources", &self.rtcp.len())
            .finish_non_exhaustive()
    }
}

/// The E flag, and the first number that is no SRTCP index.
pub(crate) const ENCRYPTED: u32 = 1 << 31;

fn room(buffer: &[u8], needed: usize) -> Result<usize, Error> {
    let len = buffer.len();
    if needed > MAX_PACKET_LEN {
        return Err(Error::TooLong { len: needed });
    }
    if needed > len {
        return Err(Error::NoRoom { needed, len });
    }
    Ok(needed)
}

pub(crate) const fn ssrc_room(there: usize, limit: usize) -> Result<(), Error> {
    if there < limit {
        Ok(())
    } else {
        Err(Error::TooManySsrcs { limit })
    }
}

/// Writes MKI and tag.
#[inline]
fn finish(trailer: &mut [u8], mki: Option<Mki>, tag: [u8; TAG_LEN]) {
    let (name, place) = trailer.split_at_mut(trailer.len() - TAG_LEN);
    if let Some(mki) = mki {
        mki.write(name);
    }
    place.copy_from_slice(&tag);
}
