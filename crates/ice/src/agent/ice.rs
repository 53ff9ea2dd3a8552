//! What \[MS-ICE\] has of its own: identifiers and passwords of single candidates (3.1.5.2.1).

use std::time::Instant;

use ocs_stun::{AttributeType, IntegrityKey, Message, TransactionId};
use rand_core::Rng;

use super::arrival::Arrival;
use super::list::Pair;
use super::request::EarlyCheck;
use super::{Agent, Group, Legacy};
use crate::Component;
use crate::binding::Wire;
use crate::sdp::ice::CandidateId;

/// The octets of USERNAME: `<receiver's id> ":" <component> ":" <sender's id> ":" <component>`, and NULs up to a multiple of 4.
fn username(receiver: &CandidateId, sender: &CandidateId, component: Component) -> Vec<u8> {
    let digit = b'0' + component.number();
    let mut text = Vec::with_capacity(receiver.as_bytes().len() + sender.as_bytes().len() + 8);
    text.extend_from_slice(receiver.as_bytes());
    text.extend_from_slice(&[b':', digit, b':']);
    text.extend_from_slice(sender.as_bytes());
    text.extend_from_slice(&[b':', digit]);
    text.resize(text.len().next_multiple_of(4), 0);
    text
}

/// What follows an identifier in USERNAME: the identifier of the sender. Identifiers are any octets, so only one that is known
/// tells where it ends.
fn sender(rest: &[u8], component: Component) -> Option<&[u8]> {
    let digit = b'0' + component.number();
    let end = rest.iter().rposition(|octet| *octet != 0)? + 1;
    let rest = rest[..end].strip_prefix(&[b':', digit, b':'])?;
    rest.strip_suffix(&[b':', digit])
}

impl<R: Rng> Agent<R> {
    /// An invalid request is discarded: that is what peers do, and it tells nobody anything.
    pub(super) fn ice_request(&mut self, now: Instant, arrival: Arrival, request: &Message) {
        let Some(name) = request.raw(AttributeType::USERNAME) else {
            return;
        };
        let component = self.component_of(arrival);
        let Some((group, own, peer)) = self.addressed(name, component) else {
            return;
        };
        let Some(Legacy { key, .. }) = &self.groups[group].legacy else {
            return;
        };
        if request.verify(key).is_err() || request.unknown_attributes().next().is_some() {
            return;
        }
        if self.remote_known && !self.knows(&peer) {
            return;
        }
        let wire = self.writer().success(request, arrival.remote, key);
        self.transmit(arrival.path, wire);
        let check = EarlyCheck {
            arrival,
            use_candidate: false,
            priority: None,
            foundation: None,
            ufrag: None,
            ids: Some((own, peer)),
        };
        self.check_accepted(now, check);
    }

    /// The group whose identifier begins a USERNAME, that identifier, and the sender's. The identifier may be one that the peer
    /// derived for an address that it learned: ours and its own, one behind the other.
    pub(super) fn addressed(
        &self,
        name: &[u8],
        component: Component,
    ) -> Option<(usize, CandidateId, CandidateId)> {
        self.groups.iter().enumerate().find_map(|(index, group)| {
            let own = &group.legacy.as_ref()?.id;
            let rest = name.strip_prefix(own.as_bytes())?;
            if let Some(peer) = sender(rest, component) {
                return Some((index, own.clone(), CandidateId::new(peer.to_vec())));
            }
            self.remotes.iter().find_map(|remote| {
                let (id, _) = remote.legacy.as_ref()?;
                let rest = rest.strip_prefix(id.as_bytes())?;
                let peer = sender(rest, component)?;
                Some((index, own.clone(), CandidateId::new(peer.to_vec())))
            })
        })
    }

    pub(super) fn knows(&self, peer: &CandidateId) -> bool {
        let of = |remote: &super::Remote| matches!(&remote.legacy, Some((id, _)) if id == peer);
        self.remotes.iter().any(of)
    }

    /// The priority of a candidate that the peer announced.
    pub(super) fn priority_of(&self, peer: &CandidateId) -> Option<u32> {
        let of = |remote: &&super::Remote| matches!(&remote.legacy, Some((id, _)) if id == peer);
        self.remotes.iter().find(of).map(|remote| remote.priority)
    }

    /// Identifier and key of a candidate that is learned from a check: the key is that of the candidate which the peer says it
    /// sends from.
    pub(super) fn derived_remote(
        &self,
        own: &CandidateId,
        peer: &CandidateId,
    ) -> Option<(CandidateId, IntegrityKey)> {
        let mut legacy = self
            .remotes
            .iter()
            .filter_map(|remote| remote.legacy.as_ref());
        let (id, key) = legacy.find(|(id, _)| id == peer)?;
        Some((id.derived(own), key.clone()))
    }

    pub(super) fn write_ice_check(
        &self,
        id: TransactionId,
        pair: &Pair,
        group: &Group,
    ) -> Option<(Wire, IntegrityKey)> {
        let (receiver, key) = self.remotes[pair.remote].legacy.as_ref()?;
        let name = username(receiver, &group.legacy.as_ref()?.id, pair.component);
        Some((self.writer().ice_check(id, &name, key), key.clone()))
    }
}
