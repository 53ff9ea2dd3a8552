//! Responses to Allocate requests, which wait until ports are bound.

use std::net::SocketAddr;
use std::time::Instant;

use ocs_stun::attribute::{
    Bandwidth, MappedAddress, MsAlternateMappedAddress, MsXorMappedAddress, code,
};
use ocs_stun::{Dialect, MessageBuilder, MessageType};
use rand_core::CryptoRng;
use slotmap::Key;

#[cfg(doc)]
use super::Action;
use super::allocation::{Exchange, PendingResponse, Relayed};
use super::{AllocationId, CredentialStore, Event, Reason, RelayId, Server};
use crate::Error;
use crate::bandwidth::{
    BandwidthMessage, BandwidthPolicy, Context, RateLimit, Request, ReservationId, Response,
};
use crate::client::framed;

impl<C: CredentialStore, R: CryptoRng, P: BandwidthPolicy> Server<C, R, P> {
    /// Lets the policy answer the bandwidth part of a request, and holds the relay to what is reserved over it.
    fn ask_policy(
        &mut self,
        now: Instant,
        id: AllocationId,
        request: &Request,
    ) -> Option<Response> {
        let mut reservation = [0; 16];
        self.rng.fill_bytes(&mut reservation);
        let allocation = &mut self.allocations[id];
        let relay = allocation.ipv4.address().or(allocation.ipv6.address());
        let context = Context {
            source: allocation.reflexive,
            relay,
            user: &allocation.username,
            allocation: id.data().as_ffi(),
            id: ReservationId(reservation),
            lifetime: allocation.life,
        };
        let response = self.policy.handle(now, request, context)?;
        let over_us = request.local_relay.is_some() && request.local_relay == relay;
        if let Some(amount) = response.amount {
            let rates = || {
                let send = RateLimit::new(now, amount.maximum_send);
                Box::new((send, RateLimit::new(now, amount.maximum_receive)))
            };
            match response.message {
                BandwidthMessage::Commit if over_us => allocation.rates = Some(rates()),
                BandwidthMessage::Update if allocation.rates.is_some() => {
                    allocation.rates = Some(rates());
                }
                _ => {}
            }
        }
        Some(response)
    }

    /// Says which port was bound, or that none could be. A port that is no longer wanted is closed with [`Action::Unbind`], which has been put
    /// out already.
    pub fn handle_bound(
        &mut self,
        now: Instant,
        relay: RelayId,
        bound: Option<SocketAddr>,
    ) -> Result<(), Error> {
        let allocation = self
            .allocations
            .get_mut(relay.allocation)
            .filter(|allocation| allocation.relayed(relay.family) == Relayed::Pending)
            .ok_or(Error::Unknown { what: "relay" })?;
        *allocation.relayed_mut(relay.family) = match bound {
            Some(address) => Relayed::Bound(address),
            None => Relayed::None,
        };
        if !allocation.is_ready() {
            return Ok(());
        }
        allocation.touch(now);
        let Exchange::Pending(pending) = std::mem::take(&mut allocation.last) else {
            return Ok(());
        };
        let (ipv4, ipv6) = (allocation.ipv4.address(), allocation.ipv6.address());
        let client = allocation.client;
        if ipv4.is_none() && ipv6.is_none() {
            return self.no_port(relay.allocation, &pending);
        }
        self.respond(now, relay.allocation, &pending);
        self.tell(Event::Allocated {
            allocation: relay.allocation,
            client,
            ipv4,
            ipv6,
        });
        Ok(())
    }

    fn no_port(&mut self, id: AllocationId, pending: &PendingResponse) -> Result<(), Error> {
        let allocation = &self.allocations[id];
        let client = allocation.client;
        let version = self.config.version;
        self.outbox.push(client.socket(), |out| {
            framed(client.is_stream(), out, |out| {
                let message_type = MessageType::ALLOCATE_ERROR;
                let mut builder =
                    MessageBuilder::new(Dialect::MsTurn, message_type, pending.id, out);
                builder.push_error(code::SERVER_ERROR).push(&version);
                builder.sign(&allocation.key)
            })
        })?;
        self.tell(Event::Refused {
            client,
            code: code::SERVER_ERROR,
        });
        self.release(id, Reason::NoPort);
        Ok(())
    }

    /// Sends an Allocate response, and keeps it for repetitions of its request. Gives what the policy says.
    pub(super) fn respond(
        &mut self,
        now: Instant,
        id: AllocationId,
        pending: &PendingResponse,
    ) -> Option<Response> {
        let request = pending.policy.as_ref();
        let policy = request.and_then(|request| self.ask_policy(now, id, request));
        let config = &self.config;
        let allocation = self.allocations.get_mut(id)?;
        let client = allocation.client;
        let (ipv4, ipv6) = (allocation.ipv4.address(), allocation.ipv6.address());
        let alternate = ipv6.filter(|_| ipv4.is_some());
        let bandwidth = pending.bandwidth.unwrap_or(u32::MAX).min(config.bandwidth);
        let mut response = Box::default();
        let written = self.outbox.push(client.socket(), |out| {
            let start = out.len();
            framed(client.is_stream(), out, |out| {
                let message_type = MessageType::ALLOCATE_RESPONSE;
                let mut builder =
                    MessageBuilder::new(Dialect::MsTurn, message_type, pending.id, out);
                builder
                    .push_some(ipv4.or(ipv6).map(MappedAddress).as_ref())
                    .push_some(alternate.map(MsAlternateMappedAddress).as_ref())
                    .push(&allocation.lifetime)
                    .push(&Bandwidth(bandwidth))
                    .push(&MsXorMappedAddress(allocation.reflexive))
                    .push(&allocation.sequence(pending.sequence))
                    .push(&config.version)
                    .push_some(allocation.session.as_ref());
                if let Some(policy) = &policy {
                    policy.push(&mut builder);
                }
                builder.sign(&allocation.key)
            })?;
            response = out[start..].into();
            Ok::<_, ocs_stun::Error>(())
        });
        // All of it together is some hundred octets.
        debug_assert!(written.is_ok());
        allocation.last = Exchange::Answered {
            id: pending.id,
            response,
        };
        policy
    }
}
