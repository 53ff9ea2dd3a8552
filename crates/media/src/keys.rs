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

    /// The key of a description.
    pub(crate) fn set_key(&mut self, params: &KeyParams) -> Result<(), Error> {
        if let Some(place) = self.keys.iter().position(|(known, _)| known == params) {
            let key = self.keys.remove(place);
            self.keys.push(key);
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
