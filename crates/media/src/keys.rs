//! Keys of a stream as they come and go.

use std::time::{Duration, Instant};

use ocs_srtp::{KeyId, KeyParams, Receiver, ReceiverConfig, Sender, SenderConfig};

use crate::Error;

/// How long an old key is kept once packets come under a new one: longer than packets overtake each other (inferred).
const OVERLAP: Duration = Duration::from_secs(5);

/// What opens the packets of one peer. While its key changes it has both.
#[derive(Debug)]
pub(crate) struct Opener {
    receiver: Receiver,
    /// The keys, the one of the last description at the end.
    keys: Vec<(KeyParams, KeyId)>,
    limit: usize,
    /// When the former ones go.
    retire: Option<Instant>,
}

impl Opener {
    pub(crate) fn new(config: ReceiverConfig, params: &KeyParams) -> Result<Self, Error> {
        let mut opener = Self {
            receiver: Receiver::new(config),
            keys: Vec::new(),
            limit: config.max_keys.max(1),
            retire: None,
        };
        opener.set_key(params)?;
        Ok(opener)
    }

    /// The key of a description. A known one may come back with another MKI.
    pub(crate) fn set_key(&mut self, params: &KeyParams) -> Result<(), Error> {
        let known = |(known, _): &(KeyParams, KeyId)| known.master == params.master;
        if let Some(place) = self.keys.iter().position(known) {
            let (_, id) = self.keys.remove(place);
            self.receiver.set_mki(id, params.mki);
            if place < self.keys.len() {
                // What came under the key before says nothing about this one.
                self.retire = None;
            }
            self.keys.push((params.clone(), id));
            return Ok(());
        }
        if self.keys.len() >= self.limit {
            let (_, oldest) = self.keys.remove(0);
            self.receiver.remove_key(oldest);
        }
        let id = self.receiver.add_key(params)?;
        self.keys.push((params.clone(), id));
        self.retire = None;
        Ok(())
    }

    /// Opens a packet in place, and gives its length.
    pub(crate) fn open(
        &mut self,
        now: Instant,
        packet: &mut [u8],
        control: bool,
    ) -> Result<usize, ocs_srtp::Error> {
        let opened = if control {
            self.receiver.unprotect_rtcp(packet)?
        } else {
            self.receiver.unprotect_rtp(packet)?
        };
        if self.keys.len() > 1
            && self.retire.is_none()
            && self.keys.last().is_some_and(|(_, id)| *id == opened.key)
        {
            self.retire = Some(now + OVERLAP);
        }
        Ok(opened.len)
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.retire.is_some_and(|retire| retire <= now) {
            self.retire = None;
            let former = self.keys.len().saturating_sub(1);
            for (_, id) in self.keys.drain(..former) {
                self.receiver.remove_key(id);
            }
        }
    }

    pub(crate) const fn poll_timeout(&self) -> Option<Instant> {
        self.retire
    }
}

/// What closes our packets: one for all forks, because the key of our offer is the same in all of them and no index may be used twice under it.
#[derive(Debug, Default)]
pub(crate) struct Closer {
    sender: Option<(Sender, KeyParams)>,
    /// Whether packets are to be closed now.
    active: bool,
}

impl Closer {
    /// The key of the peer that is spoken to; none: packets go in clear.
    pub(crate) fn set_key(&mut self, params: Option<&KeyParams>) {
        self.active = params.is_some();
        let Some(params) = params else {
            return;
        };
        match &mut self.sender {
            Some((_, known)) if known == params => {}
            Some((sender, known)) => {
                sender.set_key(params);
                known.clone_from(params);
            }
            None => {
                let sender = Sender::new(SenderConfig::default(), params);
                self.sender = Some((sender, params.clone()));
            }
        }
    }

    /// Closes a packet in place.
    pub(crate) fn close(
        &mut self,
        packet: &mut Vec<u8>,
        control: bool,
    ) -> Result<(), ocs_srtp::Error> {
        let Some((sender, _)) = self.sender.as_mut().filter(|_| self.active) else {
            return Ok(());
        };
        let len = packet.len();
        let overhead = if control {
            sender.rtcp_overhead()
        } else {
            sender.rtp_overhead()
        };
        packet.resize(len + overhead, 0);
        let protected = if control {
            sender.protect_rtcp(packet, len)?
        } else {
            sender.protect_rtp(packet, len)?
        };
        packet.truncate(protected);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ocs_srtp::{MasterKey, Mki};

    fn key(number: u8) -> KeyParams {
        KeyParams {
            master: MasterKey::from([number; MasterKey::LEN]),
            lifetime: None,
            mki: Some(Mki::PRODUCTS),
        }
    }

    fn packet(closer: &mut Closer, sequence: u8) -> Vec<u8> {
        let mut packet = vec![0x80, 0, 0, sequence, 0, 0, 0, 0, 0, 0, 0, 7, 1, 2, 3];
        closer.close(&mut packet, false).unwrap();
        packet
    }

    #[test]
    fn an_old_key_is_taken_until_the_new_one_has_been_in_use_for_a_while() {
        let now = Instant::now();
        let mut opener = Opener::new(ReceiverConfig::default(), &key(1)).unwrap();
        let (mut old, mut new) = (Closer::default(), Closer::default());
        old.set_key(Some(&key(1)));
        new.set_key(Some(&key(2)));
        opener.set_key(&key(2)).unwrap();
        assert_eq!(opener.poll_timeout(), None);
        opener.handle_timeout(now + 100 * OVERLAP);
        assert_eq!(opener.open(now, &mut packet(&mut old, 1), false), Ok(15));
        assert_eq!(opener.open(now, &mut packet(&mut new, 2), false), Ok(15));
        assert_eq!(opener.open(now, &mut packet(&mut old, 3), false), Ok(15));
        assert_eq!(opener.poll_timeout(), Some(now + OVERLAP));
        opener.handle_timeout(now + OVERLAP);
        let late = opener.open(now, &mut packet(&mut old, 4), false);
        assert_eq!(late, Err(ocs_srtp::Error::AuthenticationFailed));
        assert_eq!(opener.open(now, &mut packet(&mut new, 5), false), Ok(15));
        assert_eq!(opener.poll_timeout(), None);
    }

    #[test]
    fn keys_come_and_go_within_the_limit() {
        let now = Instant::now();
        let config = ReceiverConfig {
            max_keys: 2,
            ..ReceiverConfig::default()
        };
        let mut opener = Opener::new(config, &key(1)).unwrap();
        for number in 2..200 {
            opener.set_key(&key(number)).unwrap();
        }
        // Back to the one before: it is the key of the description again.
        opener.set_key(&key(198)).unwrap();
        let mut closer = Closer::default();
        closer.set_key(Some(&key(198)));
        assert_eq!(opener.open(now, &mut packet(&mut closer, 1), false), Ok(15));
        assert_eq!(opener.poll_timeout(), Some(now + OVERLAP));
    }

    #[test]
    fn a_known_key_may_come_back_with_another_mki() {
        let now = Instant::now();
        let config = ReceiverConfig {
            max_keys: 2,
            ..ReceiverConfig::default()
        };
        let plain = KeyParams {
            mki: None,
            ..key(2)
        };
        let mut opener = Opener::new(config, &key(1)).unwrap();
        opener.set_key(&plain).unwrap();
        let (mut former, mut closer) = (Closer::default(), Closer::default());
        former.set_key(Some(&key(1)));
        closer.set_key(Some(&plain));
        let mut first = packet(&mut closer, 1);
        let mut again = first.clone();
        assert_eq!(opener.open(now, &mut first, false), Ok(15));
        opener.set_key(&key(2)).unwrap();
        closer.set_key(Some(&key(2)));
        assert_eq!(opener.open(now, &mut packet(&mut closer, 2), false), Ok(15));
        // The key before it is not driven out, and what was received is still known.
        assert_eq!(opener.open(now, &mut packet(&mut former, 9), false), Ok(15));
        opener.set_key(&plain).unwrap();
        let replayed = opener.open(now, &mut again, false);
        assert_eq!(replayed, Err(ocs_srtp::Error::Replayed));
    }

    #[test]
    fn a_key_that_is_set_again_does_not_retire_the_other_before_it_is_in_use() {
        let now = Instant::now();
        let mut opener = Opener::new(ReceiverConfig::default(), &key(1)).unwrap();
        let (mut first, mut second) = (Closer::default(), Closer::default());
        first.set_key(Some(&key(1)));
        second.set_key(Some(&key(2)));
        opener.set_key(&key(2)).unwrap();
        assert_eq!(opener.open(now, &mut packet(&mut second, 1), false), Ok(15));
        // The same description again changes nothing.
        opener.set_key(&key(2)).unwrap();
        assert_eq!(opener.poll_timeout(), Some(now + OVERLAP));
        opener.set_key(&key(1)).unwrap();
        assert_eq!(opener.poll_timeout(), None);
        let now = now + OVERLAP;
        opener.handle_timeout(now);
        assert_eq!(opener.open(now, &mut packet(&mut second, 2), false), Ok(15));
        assert_eq!(opener.open(now, &mut packet(&mut first, 3), false), Ok(15));
        assert_eq!(opener.poll_timeout(), Some(now + OVERLAP));
    }

    #[test]
    fn no_index_is_used_twice_whatever_the_keys() {
        let mut closer = Closer::default();
        closer.set_key(Some(&key(1)));
        let first = packet(&mut closer, 1);
        // A peer in clear in between, and the same key with another form of its packets.
        closer.set_key(None);
        assert_eq!(packet(&mut closer, 2).len(), 15);
        let plain = KeyParams {
            mki: None,
            ..key(1)
        };
        closer.set_key(Some(&plain));
        let mut again = vec![0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 9, 9, 9];
        let refused = closer.close(&mut again, false);
        assert_eq!(refused, Err(ocs_srtp::Error::Replayed));
        assert_eq!(first.len(), packet(&mut closer, 3).len() + 1);
    }

    #[test]
    fn keys_do_not_show() {
        let mut closer = Closer::default();
        closer.set_key(Some(&key(0xab)));
        let opener = Opener::new(ReceiverConfig::default(), &key(0xab)).unwrap();
        let text = format!("{closer:?} {opener:?}");
        assert!(!text.contains("171") && !text.contains("ab, "), "{text}");
    }
}
