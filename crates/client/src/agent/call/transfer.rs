//! Transfers: one call leads to another (RFC 3515, RFC 3891).

use std::time::Instant;

use ocs_call::{Event as Told, Transfer};
use ocs_sdpext::negotiation::Stream;

use super::{CallId, CallOptions};
use crate::agent::{Error, UserAgent};

/// What the peer of a call is told of the call that it asked for.
const RINGING: (u16, &str) = (180, "Ringing");
const OK: (u16, &str) = (200, "OK");
const UNAVAILABLE: (u16, &str) = (503, "Service Unavailable");

impl UserAgent {
    /// Asks the peer of a call to call somebody else. How far it is comes as
    /// [`TransferProgress`](ocs_call::Event::TransferProgress) and [`TransferEnded`](ocs_call::Event::TransferEnded); the call goes on
    /// until it is hung up.
    ///
    /// # Errors
    /// [`Error::NoCall`]; [`Error::Call`] if the call is not up, or another transfer is under way.
    pub fn transfer_call(&mut self, now: Instant, call: CallId, to: &str) -> Result<(), Error> {
        let transfer = Transfer {
            target: to.to_owned(),
            replaces: None,
        };
        self.command_call(now, call, |call| call.refer(now, &transfer))
    }

    /// Asks the peer of a call to take our place in another call.
    ///
    /// # Errors
    /// As [`transfer_call`](Self::transfer_call).
    pub fn transfer_call_to(
        &mut self,
        now: Instant,
        call: CallId,
        other: CallId,
    ) -> Result<(), Error> {
        let consulted = self.call(other).and_then(|other| other.dialog());
        let dialog = consulted.ok_or(Error::NoCall)?;
        let transfer = Transfer {
            target: dialog.remote_target().to_owned(),
            replaces: Some(dialog.replaces_value()),
        };
        self.command_call(now, call, |call| call.refer(now, &transfer))
    }

    /// Calls whom the peer of a call has named in [`Referred`](ocs_call::Event::Referred), and tells the peer how that goes.
    ///
    /// # Errors
    /// [`Error::NoCall`]; [`Error::NoTransfer`] if the peer has named nobody; and those of [`place_call`](Self::place_call), of which the peer hears too.
    pub fn follow_transfer(
        &mut self,
        now: Instant,
        call: CallId,
        streams: Vec<Stream>,
        options: CallOptions,
    ) -> Result<CallId, Error> {
        let line = self.calls.lines.get_mut(&call).ok_or(Error::NoCall)?;
        let referral = line.referral.take().ok_or(Error::NoTransfer)?;
        let (transfer, referred_by) = referral;
        line.call.accept_refer();
        let options = CallOptions {
            replaces: transfer.replaces,
            referred_by,
            ..options
        };
        let placed = self.place_call(now, &transfer.target, streams, options);
        match &placed {
            Ok(new) => {
                if let Some(line) = self.calls.lines.get_mut(new) {
                    line.referrer = Some(call);
                }
            }
            Err(_) => self.tell_referrer(call, UNAVAILABLE),
        }
        self.settle(now);
        placed
    }

    /// Does not call whom the peer of a call has named: the peer gets this status, 603 as a rule.
    ///
    /// # Errors
    /// [`Error::NoCall`]; [`Error::NoTransfer`] if the peer has named nobody.
    pub fn decline_transfer(
        &mut self,
        now: Instant,
        call: CallId,
        status: u16,
    ) -> Result<(), Error> {
        let line = self.calls.lines.get_mut(&call).ok_or(Error::NoCall)?;
        line.referral.take().ok_or(Error::NoTransfer)?;
        line.call.decline_refer(status);
        self.settle(now);
        Ok(())
    }

    /// Does what an event of a call means for another call.
    pub(super) fn transfer_follows(&mut self, now: Instant, id: CallId, told: &Told) {
        let Some(line) = self.calls.lines.get_mut(&id) else {
            return;
        };
        match told {
            Told::Ringing { .. } | Told::EarlyMedia { .. } => {
                if let Some(referrer) = line.referrer {
                    self.tell_referrer(referrer, RINGING);
                }
            }
            Told::Answered { .. } => {
                if let Some(referrer) = line.referrer.take() {
                    self.tell_referrer(referrer, OK);
                }
            }
            Told::Referred {
                transfer,
                referred_by,
            } => line.referral = Some((transfer.clone(), referred_by.clone())),
            Told::Established => {
                let replaced = line.replaces.take();
                let replaced = replaced.and_then(|id| self.calls.lines.get_mut(&id));
                if let Some(replaced) = replaced {
                    replaced.call.hang_up(now, None);
                }
            }
            Told::Ended(ended) => {
                if let Some(referrer) = line.referrer.take() {
                    let status = ended.status.filter(|status| *status >= 300).unwrap_or(487);
                    let reason = ended.reason.as_deref().unwrap_or_default();
                    self.tell_referrer(referrer, (status, reason));
                }
            }
            _ => {}
        }
    }

    fn tell_referrer(&mut self, referrer: CallId, (status, reason): (u16, &str)) {
        if let Some(line) = self.calls.lines.get_mut(&referrer) {
            line.call.refer_progress(status, reason);
        }
    }
}
