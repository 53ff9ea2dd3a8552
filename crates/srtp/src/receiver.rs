//! The receiving side: a few keys at once, many sources under each.

use core::fmt;

use rustc_hash::FxHashMap;

use crate::header::{self, RTCP_CLEAR_LEN, Rtp};
use crate::sender::{ENCRYPTED, ssrc_room};
use crate::session::{Protocol, Session, Tag};
use crate::window::Window;
use crate::{Error, KeyParams, Mki, SRTCP_INDEX_LEN, TAG_LEN};

/// Replay window of SRTCP (RFC 3711 asks for 64 at least).
const RTCP_WINDOW: u64 = Window::<2>::LEN;

/// Bounds and leniency of a [`Receiver`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiverConfig {
    /// Synchronization sources of SRTP, and of SRTCP, for each key; 1,024 unless set. Only a packet with a good tag adds one. One takes some
    /// 150 octets.
    pub max_ssrcs: usize,
    /// Keys at one time; 8 unless set. A packet costs up to one tag for each key of its MKI, or without MKI.
    pub max_keys: usize,
    /// How many packets of SRTP behind the newest may still come: 64 to 1,024, and 1,024 unless set (inferred: the size that products have was not
    /// read). SRTCP has 128.
    pub replay_window: u16,
    /// Rollover counters up to this one are tried with the first packet of a source, for a receiver that joins late and was not told
    /// ([`Receiver::set_roc`]); 0 unless set. At 50 packets a second the counter grows by one in 22 minutes. Each one costs two blocks of SHA-1.
    pub late_join: u16,
    /// Whether a source may start over with a rollover counter of 0 under the same key. Senders that do so use a keystream twice, and who recorded the
    /// packets of the first round can send them again, so it is off unless set. Under a new key a source may always start over.
    pub accept_restart: bool,
}

impl Default for ReceiverConfig {
    fn default() -> Self {
        Self {
            max_ssrcs: 1024,
            max_keys: 8,
            replay_window: 1024,
            late_join: 0,
            accept_restart: false,
        }
    }
}

/// Names a key of a [`Receiver`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(u64);

/// What a packet turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unprotected {
    /// Octets of the RTP or RTCP packet at the start of the buffer.
    pub len: usize,
    /// The key that it came under. When packets come under a new key, it is time to take the old one away some seconds later.
    pub key: KeyId,
    /// The packet index: rollover counter and sequence number in 48 bits for SRTP, 31 bits for SRTCP.
    pub index: u64,
}

/// A key, and what was received under it.
struct Key {
    id: KeyId,
    mki: Option<Mki>,
    srtp: Session,
    srtcp: Session,
    rtp: FxHashMap<u32, Window<16>>,
    rtcp: FxHashMap<u32, Window<2>>,
}

impl Key {
    fn mki_len(&self) -> usize {
        self.mki.map_or(0, Mki::len)
    }

    /// What stands in front of MKI and tag, if the packet is long enough and has the MKI of this key.
    #[inline]
    fn body_len(&self, packet: &[u8], least: usize) -> Option<usize> {
        let (named, _) = packet.split_last_chunk::<TAG_LEN>()?;
        let len = named.len().checked_sub(self.mki_len())?;
        let good = len >= least && self.mki.is_none_or(|mki| mki.is(&named[len..]));
        good.then_some(len)
    }
}

/// Unprotects what one side receives.
///
/// Its keys are those that the peers wrote in their descriptions; more than one stands there while keys change, or while several
/// answers to one offer are alive. Sources are told apart by their number alone, because ICE may move the transport addresses (inferred).
pub struct Receiver {
    config: ReceiverConfig,
    keys: Vec<Key>,
    /// Place of the key that the last packet came under.
    last: usize,
    next_id: u64,
    /// Counters that were told.
    told: FxHashMap<u32, u32>,
}

impl Receiver {
    /// A receiver without keys.
    #[must_use]
    pub fn new(config: ReceiverConfig) -> Self {
        let replay_window = config.replay_window.clamp(64, Window::<16>::LEN as u16);
        Self {
            config: ReceiverConfig {
                replay_window,
                ..config
            },
            keys: Vec::new(),
            last: 0,
            next_id: 0,
            told: FxHashMap::default(),
        }
    }

    /// Adds a key beside those that are there: nothing is lost while the peer changes from one to the other.
    ///
    /// Several keys may have one MKI, for products write `1:1` whatever the key: those are told apart by the tag, as keys without MKI are.
    pub fn add_key(&mut self, params: &KeyParams) -> Result<KeyId, Error> {
        let limit = self.config.max_keys;
        if self.keys.len() >= limit {
            return Err(Error::TooManyKeys { limit });
        }
        let srtp = Session::new(&params.master, Protocol::Srtp);
        if self.keys.iter().any(|key| key.srtp.is(&srtp)) {
            return Err(Error::SameKey);
        }
        let id = KeyId(self.next_id);
        self.next_id += 1;
        self.keys.push(Key {
            id,
            mki: params.mki,
            srtp,
            srtcp: Session::new(&params.master, Protocol::Srtcp),
            rtp: FxHashMap::default(),
            rtcp: FxHashMap::default(),
        });
        Ok(id)
    }

    /// The packets of a key have another MKI from now on, or none: the peer has written its key once more with it. What is known of its sources
    /// stays. Gives whether the key is there.
    pub fn set_mki(&mut self, id: KeyId, mki: Option<Mki>) -> bool {
        let key = self.keys.iter_mut().find(|key| key.id == id);
        key.map(|key| key.mki = mki).is_some()
    }

    /// Takes a key away, and what is known of its sources. Gives whether it was there.
    ///
    /// A source that did not come under another key meanwhile is new when it comes again: its rollover counter is forgotten.
    pub fn remove_key(&mut self, id: KeyId) -> bool {
        let before = self.keys.len();
        self.keys.retain(|key| key.id != id);
        self.last = 0;
        self.keys.len() < before
    }

    /// Says that a source that was not heard yet has this rollover counter (RFC 3711 3.3.1: for who joins late). Told counters have the
    /// bound of sources.
    pub fn set_roc(&mut self, ssrc: u32, roc: u32) -> Result<(), Error> {
        if !self.told.contains_key(&ssrc) {
            ssrc_room(self.told.len(), self.config.max_ssrcs)?;
        }
        self.told.insert(ssrc, roc);
        Ok(())
    }

    /// Forgets a source that has gone, to make room. Its packets would be taken once more if somebody sent them again.
    pub fn forget(&mut self, ssrc: u32) {
        self.told.remove(&ssrc);
        for key in &mut self.keys {
            key.rtp.remove(&ssrc);
            key.rtcp.remove(&ssrc);
        }
    }

    /// Unprotects an SRTP packet in place. A packet that is refused is left as it was, and so is what is known of its source.
    pub fn unprotect_rtp(&mut self, packet: &mut [u8]) -> Result<Unprotected, Error> {
        let header = header::rtp(packet)?;
        self.with_key(packet, header.payload_at, |this, place, packet, len| {
            let index = this.accept_rtp(place, header, packet, len)?;
            let payload = &mut packet[header.payload_at..len];
            this.keys[place].srtp.crypt(header.ssrc, index, payload);
            Ok((len, index))
        })
    }

    /// Unprotects an SRTCP packet in place. A packet that is refused is left as it was, and so is what is known of its source.
    pub fn unprotect_rtcp(&mut self, packet: &mut [u8]) -> Result<Unprotected, Error> {
        let ssrc = header::rtcp_ssrc(packet)?;
        let least = RTCP_CLEAR_LEN + SRTCP_INDEX_LEN;
        self.with_key(packet, least, |this, place, packet, signed_len| {
            let (index, len) = this.accept_rtcp(place, ssrc, packet, signed_len)?;
            let body = &mut packet[RTCP_CLEAR_LEN..len];
            this.keys[place].srtcp.crypt(ssrc, index, body);
            Ok((len, index))
        })
    }

    /// Tries the keys that a packet may belong to, the last one first. `least` octets must stand in front of MKI and tag.
    #[inline]
    fn with_key(
        &mut self,
        packet: &mut [u8],
        least: usize,
        mut open: impl FnMut(&mut Self, usize, &mut [u8], usize) -> Result<(usize, u64), Error>,
    ) -> Result<Unprotected, Error> {
        let len = packet.len();
        if len < least + TAG_LEN {
            return Err(Error::TooShort { len });
        }
        if self.keys.is_empty() {
            return Err(Error::NoKey);
        }
        let mut refusal = None;
        for turn in 0..self.keys.len() {
            // The last key, then the others in their order.
            let place = match turn {
                0 => self.last,
                turn if turn <= self.last => turn - 1,
                turn => turn,
            };
            let Some(body_len) = self.keys[place].body_len(packet, least) else {
                continue;
            };
            match open(self, place, packet, body_len) {
                Ok((len, index)) => {
                    self.last = place;
                    let key = self.keys[place].id;
                    return Ok(Unprotected { len, key, index });
                }
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        Err(refusal.unwrap_or(Error::UnknownMki))
    }

    /// Finds the index under which the tag is right, and remembers it.
    #[inline]
    fn accept_rtp(
        &mut self,
        place: usize,
        header: Rtp,
        packet: &[u8],
        len: usize,
    ) -> Result<u64, Error> {
        let Rtp { ssrc, seq, .. } = header;
        let key = &mut self.keys[place];
        let received = &packet[packet.len() - TAG_LEN..];
        if let Some(window) = key.rtp.get_mut(&ssrc) {
            let guess = window.guess(seq);
            let fresh = guess.and_then(|index| {
                window.check(index, self.config.replay_window.into())?;
                Ok(index)
            });
            if self.config.accept_restart {
                // A source that starts over looks like one whose packets are late.
                return restartable(window, fresh, seq, &key.srtp.tag(&packet[..len]), received);
            }
            let index = fresh?;
            let tag = key.srtp.tag(&packet[..len]).with_roc(index);
            if !tag.is(received) {
                return Err(Error::AuthenticationFailed);
            }
            window.mark(index);
            return Ok(index);
        }
        self.accept_new_rtp(place, header, &packet[..len], received)
    }

    /// The first packet of a source under a key. Its rollover counter goes on from another key, or was told, or is 0, or is looked for.
    #[cold]
    fn accept_new_rtp(
        &mut self,
        place: usize,
        Rtp { ssrc, seq, .. }: Rtp,
        signed: &[u8],
        received: &[u8],
    ) -> Result<u64, Error> {
        let told = self.told.get(&ssrc);
        let told = told.map(|&roc| u64::from(roc) << 16 | u64::from(seq));
        let others = self.keys.iter().filter_map(|key| key.rtp.get(&ssrc));
        let going_on = others.filter_map(|window| window.guess(seq).ok());
        let from_zero =
            (0..=u64::from(self.config.late_join)).map(|roc| roc << 16 | u64::from(seq));
        let tag = self.keys[place].srtp.tag(signed);
        let index = told
            .into_iter()
            .chain(going_on)
            .chain(from_zero)
            .find(|&index| tag.clone().with_roc(index).is(received))
            .ok_or(Error::AuthenticationFailed)?;
        let sources = &mut self.keys[place].rtp;
        ssrc_room(sources.len(), self.config.max_ssrcs)?;
        sources.insert(ssrc, Window::starting(index));
        self.told.remove(&ssrc);
        Ok(index)
    }

    /// Checks an SRTCP packet and remembers its index. Gives the index and the length without it.
    fn accept_rtcp(
        &mut self,
        place: usize,
        ssrc: u32,
        packet: &[u8],
        len: usize,
    ) -> Result<(u64, usize), Error> {
        let key = &mut self.keys[place];
        let (signed, received) = (&packet[..len], &packet[packet.len() - TAG_LEN..]);
        let (body, word) = signed
            .split_last_chunk::<SRTCP_INDEX_LEN>()
            .ok_or(Error::TooShort { len })?;
        let word = u32::from_be_bytes(*word);
        if word & ENCRYPTED == 0 {
            return Err(Error::NotEncrypted);
        }
        let index = u64::from(word & !ENCRYPTED);
        let window = key.rtcp.get_mut(&ssrc);
        if let Some(window) = &window {
            window.check(index, RTCP_WINDOW)?;
        }
        if !key.srtcp.tag(signed).is(received) {
            return Err(Error::AuthenticationFailed);
        }
        if let Some(window) = window {
            window.mark(index);
        } else {
            ssrc_room(key.rtcp.len(), self.config.max_ssrcs)?;
            key.rtcp.insert(ssrc, Window::starting(index));
        }
        Ok((index, body.len()))
    }
}

/// As for any packet; but if the tag is not right, the source may have started over with a rollover counter of 0.
#[cold]
fn restartable(
    window: &mut Window<16>,
    fresh: Result<u64, Error>,
    seq: u16,
    tag: &Tag,
    received: &[u8],
) -> Result<u64, Error> {
    if let Ok(index) = fresh
        && tag.clone().with_roc(index).is(received)
    {
        window.mark(index);
        return Ok(index);
    }
    let index = u64::from(seq);
    if window.newest() > u64::from(u16::MAX) && tag.clone().with_roc(index).is(received) {
        *window = Window::starting(index);
        return Ok(index);
    }
    fresh.and(Err(Error::AuthenticationFailed))
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.keys.iter().map(|key| (key.id, key.mki)).collect();
        f.debug_struct("Receiver")
            .field("config", &self.config)
            .field("keys", &keys)
            .finish_non_exhaustive()
    }
}
