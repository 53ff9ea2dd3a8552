//! What signalling has agreed on.

use std::time::Instant;

use ocs_ice::{Description, ForkId, Role};
use ocs_sdpext::attribute::Feedback;
use ocs_sdpext::codec::{Codec, Purpose};
use ocs_sdpext::negotiation::Negotiated;
use rand_core::{CryptoRng, SeedableRng};

use super::{MediaStream, does_ice};
use crate::Error;
use crate::fork::Fork;
use crate::keys::Opener;

impl<R: CryptoRng + SeedableRng> MediaStream<R> {
    /// What is agreed on with a peer, with the lines of ICE of its description
    /// ([`Media::ice_lines`](ocs_sdpext::Media::ice_lines)). Of the first description of a fork the checks begin; later ones change the direction,
    /// the key and the pairs, and with new credentials the way.
    ///
    /// A callee gives what it has answered, and has chosen its only peer with that.
    ///
    /// # Errors
    /// An error leaves the fork as it was, but for a key that may have been added. [`Error::Ice`] with [`TooManyForks`](ocs_ice::Error::TooManyForks): the answer is to be ignored.
    /// [`Error::WithoutIce`], [`Error::Scale`], [`Error::KeysGone`]: the stream is to be removed, or the call ended.
    pub fn handle_negotiated(
        &mut self,
        now: Instant,
        fork: ForkId,
        negotiated: &Negotiated,
        remote_ice: &str,
    ) -> Result<(), Error> {
        if self.closed {
            let operation = "negotiating";
            return Err(Error::WrongState { operation });
        }
        let scale = negotiated.srtp.as_ref().and_then(|srtp| srtp.scale);
        if scale.is_some() {
            return Err(Error::Scale);
        }
        let description = self.read(negotiated, remote_ice)?;
        if self.fork(fork).is_some() {
            self.change(now, fork, negotiated, description.as_ref())?;
        } else {
            self.begin(now, fork, negotiated, description.as_ref())?;
        }
        if self.heard == Some(fork) {
            self.apply(fork);
        }
        self.settle(now);
        Ok(())
    }

    /// The candidates of the peer; none: it does no ICE, which must be allowed.
    fn read(&self, negotiated: &Negotiated, lines: &str) -> Result<Option<Description>, Error> {
        if does_ice(negotiated) {
            return Ok(Some(Description::parse(lines, &self.config.ice.limits)?));
        }
        if self.config.allow_without_ice {
            Ok(None)
        } else {
            Err(Error::WithoutIce)
        }
    }

    fn begin(
        &mut self,
        now: Instant,
        id: ForkId,
        negotiated: &Negotiated,
        description: Option<&Description>,
    ) -> Result<(), Error> {
        if self.chosen.is_some() {
            let operation = "a fork after the choice";
            return Err(Error::WrongState { operation });
        }
        let opener = match &negotiated.srtp {
            Some(srtp) => Some(Opener::new(self.config.srtp, &srtp.remote)?),
            None => None,
        };
        let joined = self.join(now, id, negotiated, description)?;
        self.forks
            .push(Fork::new(id, negotiated.clone(), opener, joined));
        if self.config.ice.role == Role::Controlled {
            self.choose(now, id)?;
        }
        Ok(())
    }

    fn change(
        &mut self,
        now: Instant,
        id: ForkId,
        negotiated: &Negotiated,
        description: Option<&Description>,
    ) -> Result<(), Error> {
        let receiving = self.config.srtp;
        let fork = self.fork_mut(id).ok_or(Error::NoFork(id))?;
        match (&negotiated.srtp, &mut fork.opener) {
            (Some(srtp), Some(opener)) => opener.set_key(&srtp.remote)?,
            (Some(srtp), opener @ None) => *opener = Some(Opener::new(receiving, &srtp.remote)?),
            (None, Some(_)) => return Err(Error::KeysGone),
            (None, None) => {}
        }
        let mut joined = fork.joined;
        // The way first: what cannot be reached is not taken, and is refused again when it comes again.
        if !joined {
            joined = self.join(now, id, negotiated, description)?;
            if joined && self.chosen == Some(id) {
                self.endpoint.choose(now, id)?;
            }
        } else if let Some(description) = description {
            self.change_path(now, id, description)?;
        } else {
            self.change_addresses(now, id, negotiated)?;
        }
        if let Some(fork) = self.fork_mut(id) {
            fork.joined = joined;
            fork.negotiated.clone_from(negotiated);
        }
        Ok(())
    }

    /// Takes over what was agreed on with the fork that is heard.
    pub(super) fn apply(&mut self, id: ForkId) {
        let Some(fork) = self.forks.iter().find(|fork| fork.id == id) else {
            return;
        };
        let negotiated = &fork.negotiated;
        self.closer
            .set_key(negotiated.srtp.as_ref().map(|srtp| &srtp.local));
        let Some(rtp) = &mut self.rtp else {
            return;
        };
        let clock = |codec: Codec| codec.rtp_map().clock;
        let mut codecs = negotiated.formats.iter().map(|format| format.codec);
        let used = codecs.find(|codec| codec.purpose() == Purpose::Media);
        for format in &negotiated.formats {
            // Redundant packets run at the clock of what is in them.
            let clock = clock(match format.codec {
                Codec::Red => used.unwrap_or(Codec::Red),
                codec => codec,
            });
            rtp.set_clock_rate(format.receive, clock);
            rtp.set_clock_rate(format.send, clock);
        }
        let range = negotiated.remote.ssrc_range;
        // A range of a description is one of SSRCs.
        let _ = rtp.set_remote_range(range.map(|range| range.first()..=range.last()));
        rtp.set_extended_pli(negotiated.feedback_send.contains(Feedback::XPli));
    }
}
