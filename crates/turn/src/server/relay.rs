//! Data: Send requests, the active destination, and what peers send.

use std::net::SocketAddr;
use std::time::Instant;

use ocs_stun::attribute::{
    AddressFamily, AttributeType, Data, DestinationAddress, MsSequenceNumber, RemoteAddress, code,
};
use ocs_stun::{Dialect, Message, MessageBuilder, MessageType, TransactionId};
use rand_core::CryptoRng;

use super::allocation::{Allocation, Exchange, Relayed};
use super::auth::{Refusal, username};
use super::{AllocationId, ClientId, Config, CredentialStore, RelayId, Server, Socket};
use crate::Error;
use crate::bandwidth::BandwidthPolicy;
use crate::client::framed;
use crate::frame::{FrameType, MultiplexedFrame};

impl<C: CredentialStore, R: CryptoRng, P: BandwidthPolicy> Server<C, R, P> {
    /// A Send request is never answered: whatever is wrong with it, it is dropped.
    pub(super) fn handle_send(
        &mut self,
        now: Instant,
        client: ClientId,
        message: &Message<'_>,
    ) -> Result<(), Error> {
        let id = self.find(client)?;
        let allocation = &mut self.allocations[id];
        verify(allocation, message)?;
        if message.unknown_attributes().next().is_some() {
            return Err(Error::Unexpected { what: "attribute" });
        }
        let missing = |attribute| Error::Missing { attribute };
        let DestinationAddress(peer) = message
            .get()?
            .ok_or(missing(AttributeType::DESTINATION_ADDRESS))?;
        let Data(data) = message.get()?.ok_or(missing(AttributeType::DATA))?;
        if !is_new(allocation, message.get()?) {
            return Err(Error::Unexpected {
                what: "sequence number that was there before",
            });
        }
        permit(&self.config, allocation, peer)?;
        allocation.touch(now);
        self.admit_held(now, id);
        self.forward(now, id, peer, data)
    }

    /// Data without a message around it goes to the active destination.
    pub(super) fn relay_raw(
        &mut self,
        now: Instant,
        id: AllocationId,
        data: &[u8],
    ) -> Result<(), Error> {
        let allocation = &mut self.allocations[id];
        let peer = allocation.active.ok_or(Error::Unexpected {
            what: "data without an active destination",
        })?;
        allocation.touch(now);
        self.forward(now, id, peer, data)
    }

    /// A frame of multiplexed TURN: the session tells whose it is, and it has to come from where the allocation belongs (inferred).
    pub(super) fn relay_multiplexed(
        &mut self,
        now: Instant,
        client: ClientId,
        id: AllocationId,
        data: &[u8],
    ) -> Result<(), Error> {
        let allocation = &mut self.allocations[id];
        if allocation.client != client {
            return Err(Error::Unexpected {
                what: "session of another client",
            });
        }
        allocation.multiplexed = true;
        self.relay_raw(now, id, data)
    }

    /// Sends to a peer that is permitted.
    fn forward(
        &mut self,
        now: Instant,
        id: AllocationId,
        peer: SocketAddr,
        data: &[u8],
    ) -> Result<(), Error> {
        let allocation = &mut self.allocations[id];
        if let Some(rates) = &mut allocation.rates
            && !rates.0.admit(now, data.len())
        {
            return Err(Error::Unexpected {
                what: "more data than is reserved",
            });
        }
        let relay = RelayId {
            allocation: id,
            family: AddressFamily::of(&peer.ip()),
        };
        if allocation.client.is_stream() {
            return self.forward_stream(now, relay, peer, data);
        }
        self.outbox
            .push_octets(Socket::Relay { relay, to: peer }, data);
        Ok(())
    }

    pub(super) fn handle_set_active_destination(
        &mut self,
        now: Instant,
        client: ClientId,
        from: SocketAddr,
        message: &Message<'_>,
    ) -> Result<(), Error> {
        let Ok(id) = self.find(client) else {
            let refusal = Refusal::unsigned(code::NO_BINDING);
            return self.refuse(now, client, from, message, refusal);
        };
        let allocation = &mut self.allocations[id];
        if let Err(error) = verify(allocation, message) {
            let code = match error {
                Error::Message(_) => code::INTEGRITY_CHECK_FAILURE,
                Error::Unknown { .. } => code::NO_BINDING,
                _ => code::WRONG_USERNAME,
            };
            return self.refuse(now, client, from, message, Refusal::unsigned(code));
        }
        if let Exchange::Answered { id, response } = &allocation.last
            && *id == message.transaction_id()
        {
            self.outbox.push_octets(client.socket(), response);
            return Ok(());
        }
        allocation.touch(now);
        match Self::activate(&self.config, now, allocation, message) {
            Ok(sequence) => {
                self.respond_active(id, message, sequence)?;
                self.admit_held(now, id);
                Ok(())
            }
            Err(code) => {
                let key = Some(&allocation.key.clone());
                self.refuse(now, client, from, message, Refusal { code, key })
            }
        }
    }

    fn activate(
        config: &Config,
        now: Instant,
        allocation: &mut Allocation,
        message: &Message<'_>,
    ) -> Result<Option<MsSequenceNumber>, u16> {
        if message.unknown_attributes().next().is_some() {
            return Err(code::UNKNOWN_ATTRIBUTE);
        }
        let malformed = |_| code::BAD_REQUEST;
        let sequence = message.get().map_err(malformed)?;
        let DestinationAddress(peer) =
            message.get().map_err(malformed)?.ok_or(code::BAD_REQUEST)?;
        if !is_new(allocation, sequence) {
            return Err(code::BAD_REQUEST);
        }
        permit(config, allocation, peer).map_err(|_| code::BAD_REQUEST)?;
        if !allocation.activate(now, config.transition, peer) {
            return Err(code::TRANSITIONING);
        }
        Ok(sequence)
    }

    fn respond_active(
        &mut self,
        id: AllocationId,
        message: &Message<'_>,
        sequence: Option<MsSequenceNumber>,
    ) -> Result<(), Error> {
        let allocation = &mut self.allocations[id];
        let client = allocation.client;
        let transaction = message.transaction_id();
        let mut response = Box::default();
        self.outbox.push(client.socket(), |out| {
            let start = out.len();
            framed(client.is_stream(), out, |out| {
                let message_type = MessageType::SET_ACTIVE_DESTINATION_RESPONSE;
                let mut builder =
                    MessageBuilder::new(Dialect::MsTurn, message_type, transaction, out);
                builder.push_some(sequence.as_ref());
                builder.sign(&allocation.key)
            })?;
            response = out[start..].into();
            Ok::<_, Error>(())
        })?;
        allocation.last = Exchange::Answered {
            id: transaction,
            response,
        };
        Ok(())
    }

    /// Takes a datagram that a peer sent to a relayed port.
    ///
    /// An error says why it was dropped.
    pub fn handle_peer_datagram(
        &mut self,
        now: Instant,
        relay: RelayId,
        from: SocketAddr,
        octets: &[u8],
    ) -> Result<(), Error> {
        let allocation = self
            .allocations
            .get_mut(relay.allocation)
            .ok_or(Error::Unknown { what: "relay" })?;
        if !allocation.permits(self.config.permissions, from) {
            return Err(Error::Unexpected {
                what: "data from a peer without permission",
            });
        }
        self.deliver(now, relay.allocation, from, octets)
    }

    /// Sends what a permitted peer sent to the client.
    pub(super) fn deliver(
        &mut self,
        now: Instant,
        id: AllocationId,
        peer: SocketAddr,
        octets: &[u8],
    ) -> Result<(), Error> {
        let allocation = &mut self.allocations[id];
        if let Some(rates) = &mut allocation.rates
            && !rates.1.admit(now, octets.len())
        {
            return Err(Error::Unexpected {
                what: "more data than is reserved",
            });
        }
        allocation.touch(now);
        let client = allocation.client;
        if allocation.is_active(now, peer) {
            let session = allocation.session.filter(|_| allocation.multiplexed);
            return self.outbox.push(client.socket(), |out| {
                let frame =
                    session.and_then(|session| MultiplexedFrame::header(session, octets.len()));
                let frame = frame.as_ref().map_or(&[][..], |header| &header[..]);
                if client.is_stream() {
                    let len = u16::try_from(frame.len() + octets.len())
                        .map_err(|_| Error::Message(ocs_stun::Error::TooLong))?;
                    out.extend_from_slice(&FrameType::Data.header(len));
                }
                out.extend_from_slice(frame);
                out.extend_from_slice(octets);
                Ok(())
            });
        }
        let transaction = TransactionId::random(Dialect::MsTurn, &mut self.rng);
        self.outbox.push(client.socket(), |out| {
            framed(client.is_stream(), out, |out| {
                let message_type = MessageType::DATA_INDICATION;
                let mut builder =
                    MessageBuilder::new(Dialect::MsTurn, message_type, transaction, out);
                builder.push(&RemoteAddress(peer)).push(&Data(octets));
                builder.finish()
            })
        })?;
        Ok(())
    }
}

/// Whether a request on an allocation is from whom it belongs to. It has neither Realm nor Nonce; the key is that of the allocation.
fn verify(allocation: &Allocation, message: &Message<'_>) -> Result<(), Error> {
    if !allocation.is_ready() {
        return Err(Error::Unknown { what: "allocation" });
    }
    if *username(message)? != *allocation.username {
        return Err(Error::Unexpected {
            what: "username of another client",
        });
    }
    message.verify(&allocation.key)?;
    Ok(())
}

/// Whether a request repeats none. Clients may leave the number out; then nobody can tell.
fn is_new(allocation: &mut Allocation, sequence: Option<MsSequenceNumber>) -> bool {
    sequence.is_none_or(|sequence| {
        sequence.connection_id == allocation.connection_id
            && allocation.window.accept(sequence.sequence_number)
    })
}

/// Opens an allocation for a peer, if there may be such a peer and the allocation can reach it.
fn permit(config: &Config, allocation: &mut Allocation, peer: SocketAddr) -> Result<(), Error> {
    let refused = Error::Unexpected {
        what: "peer at that address",
    };
    if !matches!(
        allocation.relayed(AddressFamily::of(&peer.ip())),
        Relayed::Bound(_)
    ) {
        return Err(refused);
    }
    // Whatever is permitted was checked before.
    if allocation.permissions.contains(&peer) {
        return Ok(());
    }
    if !config.peers.allows(peer) || config.listeners.contains(&peer) {
        return Err(refused);
    }
    if !allocation.permit(config.permissions, config.limits.permissions, peer) {
        return Err(Error::Unexpected {
            what: "permission for so many peers",
        });
    }
    Ok(())
}
