//! What \[MS-ICE2\] has of its own: its checks, and who is right when both sides control (3.1.5.2.2).

use std::time::Instant;

use ocs_stun::attribute::{ImplementationVersion, code};
use ocs_stun::{Attribute, IntegrityForm, IntegrityKey, Message, TransactionId};
use rand_core::Rng;

use super::Agent;
use super::arrival::Arrival;
use super::request::EarlyCheck;
use crate::binding::{Check, CheckView, Wire};
use crate::io::Event;
use crate::{Credentials, Dialect, Role};

impl<R: Rng> Agent<R> {
    pub(super) fn ice2_request(&mut self, now: Instant, arrival: Arrival, request: &Message) {
        if !request.fingerprint_is_acceptable() {
            return;
        }
        let Some(check) = CheckView::read(request) else {
            return;
        };
        if check.username.receiver != self.credentials.ufrag().as_bytes() {
            return;
        }
        if request.integrity().is_none() {
            return self.refuse(arrival, request, code::UNAUTHORIZED, false);
        }
        if !self.is_signed(request, &self.own_key) {
            return self.refuse(arrival, request, code::INTEGRITY_CHECK_FAILURE, false);
        }
        self.version_seen |= request.has(ImplementationVersion::TYPE);
        if request.unknown_attributes().next().is_some() {
            return self.refuse(arrival, request, code::UNKNOWN_ATTRIBUTE, true);
        }
        if let Some((role, tie_breaker)) = check.role
            && role == self.role
            && !self.yield_role(tie_breaker)
        {
            return self.refuse(arrival, request, code::ROLE_CONFLICT, true);
        }
        if let Some(error) = self.denial(arrival) {
            return self.refuse(arrival, request, error, true);
        }
        let wire = self
            .writer()
            .success(request, arrival.remote, &self.own_key);
        self.transmit(arrival.path, wire);
        let check = EarlyCheck {
            arrival,
            use_candidate: check.use_candidate,
            priority: check.priority,
            foundation: check.foundation,
            ufrag: Credentials::read_ufrag(check.username.sender),
            ids: None,
        };
        self.check_accepted(now, check);
    }

    fn refuse(&mut self, arrival: Arrival, request: &Message, error: u16, signed: bool) {
        let key = signed.then_some(&self.own_key);
        let wire = self.writer().error(request, error, key);
        self.transmit(arrival.path, wire);
    }

    /// MESSAGE-INTEGRITY in the form of the dialect, or, from peers that may use it, in that of RFC 5389.
    pub(super) fn is_signed(&self, message: &Message, key: &IntegrityKey) -> bool {
        let tolerant = self.config.dialect == Dialect::Ice2 && self.config.accept_rfc5389_integrity;
        message.verify(key).is_ok()
            || (tolerant && message.verify_form(key, IntegrityForm::Rfc5389).is_ok())
    }

    /// The peer claims our role. True if it is right: the larger tie breaker controls.
    fn yield_role(&mut self, tie_breaker: u64) -> bool {
        let ours_is_larger = self.tie_breaker >= tie_breaker;
        if ours_is_larger == (self.role == Role::Controlling) {
            return false;
        }
        self.switch_role();
        true
    }

    pub(super) fn switch_role(&mut self) {
        self.role = self.role.other();
        self.recompute_priorities();
        for pair in &mut self.pairs {
            pair.nominating = false;
            pair.nominated = false;
        }
        self.emit(Event::RoleChanged(self.role));
    }

    /// The check of a pair, as a message and with its key.
    pub(super) fn write_check(
        &self,
        id: TransactionId,
        index: usize,
        priority: u32,
        use_candidate: bool,
    ) -> Option<(Wire, IntegrityKey)> {
        let pair = &self.pairs[index];
        let group = &self.groups[self.locals[pair.local].group];
        if self.config.dialect == Dialect::Ice {
            return self.write_ice_check(id, pair, group);
        }
        let peer = self.peer.as_ref()?;
        let check = Check {
            use_candidate,
            priority,
            role: self.role,
            tie_breaker: self.tie_breaker,
            receiver: peer.credentials.ufrag(),
            sender: self.credentials.ufrag(),
            foundation: &group.foundation,
        };
        let wire = self.writer().ice2_check(id, &check, &peer.key);
        Some((wire, peer.key.clone()))
    }
}
