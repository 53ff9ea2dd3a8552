//! Allocate requests: new allocations, refreshes, releases, and what rides on them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ocs_stun::attribute::{
    AddressFamily, Bandwidth, Lifetime, MappedAddress, MsAlternateMappedAddress, MsSequenceNumber,
    MsVersion, MsXorMappedAddress, MultiplexedTurnSessionId, RequestedAddressFamily, code,
};
use ocs_stun::{Dialect, IntegrityKey, Message, MessageBuilder, MessageType};
use rand_core::CryptoRng;
use slotmap::{Key, KeyData};

use super::allocation::{Allocation, Exchange, PendingResponse, Relayed, ReplayWindow};
use super::auth::Refusal;
use super::throttle::source;
use super::{
    Action, AllocationId, ClientId, CredentialStore, Event, Reason, RelayId, Reverse, Server,
    Timer, count_down, count_up,
};
use crate::Error;
use crate::bandwidth::{
    Amount, BandwidthMessage, BandwidthPolicy, Context, RateLimit, Request, ReservationId, Response,
};
use crate::client::framed;

/// What an Allocate request asks for.
#[derive(Debug)]
struct Wanted {
    lifetime: Option<u32>,
    bandwidth: Option<u32>,
    family: Option<AddressFamily>,
    version: MsVersion,
    sequence: Option<MsSequenceNumber>,
}

impl Wanted {
    fn read(message: &Message<'_>) -> Result<Self, ocs_stun::Error> {
        Ok(Self {
            lifetime: message.get()?.map(|Lifetime(seconds)| seconds),
            bandwidth: message.get()?.map(|Bandwidth(kbits)| kbits),
            family: message.get()?.map(|RequestedAddressFamily(family)| family),
            version: message.get()?.unwrap_or(MsVersion::ICE),
            sequence: message.get()?,
        })
    }

    /// Which addresses are relayed: clients of versions below 4 know IPv4 only.
    fn families(&self, ipv4: bool, ipv6: bool) -> (bool, bool) {
        match self.family {
            _ if self.version < MsVersion::IPV6 => (ipv4, false),
            Some(AddressFamily::Ipv4) => (ipv4, false),
            Some(AddressFamily::Ipv6) => (false, ipv6),
            None => (ipv4, ipv6),
        }
    }
}

impl<C: CredentialStore, R: CryptoRng, P: BandwidthPolicy> Server<C, R, P> {
    pub(super) fn handle_allocate(
        &mut self,
        now: Instant,
        client: ClientId,
        from: SocketAddr,
        message: &Message<'_>,
    ) -> Result<(), Error> {
        let unknown = message.unknown_attributes().next().is_some();
        if unknown && message.integrity().is_none() {
            let refusal = Refusal::unsigned(code::UNKNOWN_ATTRIBUTE);
            return self.refuse(now, client, from, message, refusal);
        }
        let (username, key) = match self.authenticate(now, from, message) {
            Ok(authenticated) => authenticated,
            Err(code) => {
                return self.refuse(now, client, from, message, Refusal::unsigned(code));
            }
        };
        let wanted = Wanted::read(message);
        let result = match wanted {
            _ if unknown => Err(code::UNKNOWN_ATTRIBUTE),
            Err(_) => Err(code::BAD_REQUEST),
            Ok(wanted) => match self.existing(client, &wanted) {
                Ok(Some(id)) => self.refresh(now, id, client, (username, &key), &wanted, message),
                Ok(None) => self.allocate(now, client, from, (username, &key), &wanted, message),
                Err(code) => Err(code),
            },
        };
        result.or_else(|code| {
            let key = Some(&key);
            self.refuse(now, client, from, message, Refusal { code, key })
        })
    }

    /// The allocation that a request is about: the one that it names, else the one of its sender.
    fn existing(&self, client: ClientId, wanted: &Wanted) -> Result<Option<AllocationId>, u16> {
        let Some(sequence) = wanted.sequence else {
            return Ok(self.clients.get(&client).copied());
        };
        let [k0, k1, k2, k3, k4, k5, k6, k7, ..] = sequence.connection_id;
        let key = u64::from_be_bytes([k0, k1, k2, k3, k4, k5, k6, k7]);
        let id = AllocationId::from(KeyData::from_ffi(key));
        match self.allocations.get(id) {
            Some(allocation) if allocation.connection_id == sequence.connection_id => Ok(Some(id)),
            _ => Err(code::NO_BINDING),
        }
    }

    fn allocate(
        &mut self,
        now: Instant,
        client: ClientId,
        from: SocketAddr,
        (username, key): (&[u8], &IntegrityKey),
        wanted: &Wanted,
        message: &Message<'_>,
    ) -> Result<(), u16> {
        if wanted.lifetime == Some(0) {
            return Err(code::NO_BINDING);
        }
        let (ipv4, ipv6) = wanted.families(self.config.ipv4, self.config.ipv6);
        if !ipv4 && !ipv6 {
            return Err(code::SERVER_ERROR);
        }
        self.admit(username, from)?;
        let stream = client.is_stream();
        let lifetime = self.lifetime(wanted.lifetime);
        let life = self.life(lifetime, stream);
        let session = self.new_session(wanted.version, stream);
        let mut connection_id = [0; 20];
        self.rng.fill_bytes(&mut connection_id[8..]);
        let relayed = |wanted| {
            if wanted {
                Relayed::Pending
            } else {
                Relayed::None
            }
        };
        let pending = PendingResponse {
            id: message.transaction_id(),
            sequence: None,
            bandwidth: wanted.bandwidth,
            policy: Request::read(message),
        };
        let expires = now + life;
        let id = self.allocations.insert_with_key(|id| {
            connection_id[..8].copy_from_slice(&id.data().as_ffi().to_be_bytes());
            Allocation {
                client,
                active: None,
                transition: None,
                permissions: Vec::new(),
                expires,
                life,
                key: key.clone(),
                username: username.into(),
                window: ReplayWindow::default(),
                connection_id,
                ipv4: relayed(ipv4),
                ipv6: relayed(ipv6),
                reflexive: from,
                session,
                multiplexed: false,
                lifetime,
                last: Exchange::Pending(Box::new(pending)),
                peers: Vec::new(),
                rates: None,
                timer: expires,
            }
        });
        self.timers.push(Reverse((expires, Timer::Allocation(id))));
        self.clients.insert(client, id);
        if let Some(session) = session {
            self.sessions.insert(session, id);
        }
        for (family, wanted) in [(AddressFamily::Ipv4, ipv4), (AddressFamily::Ipv6, ipv6)] {
            if wanted {
                let relay = RelayId {
                    allocation: id,
                    family,
                };
                self.actions.push_back(Action::Bind { relay, stream });
            }
        }
        Ok(())
    }

    /// Counts an allocation of an account and of a source, if they may have another.
    fn admit(&mut self, username: &[u8], from: SocketAddr) -> Result<(), u16> {
        let limits = &self.config.limits;
        if self.allocations.len() >= limits.allocations {
            return Err(code::SERVER_ERROR);
        }
        let account = self.store.account(username);
        if !count_up(
            &mut self.accounts,
            account.into(),
            limits.allocations_per_account,
        ) {
            return Err(code::SERVER_ERROR);
        }
        let source = source(from.ip());
        if !count_up(&mut self.sources, source, limits.allocations_per_source) {
            count_down(&mut self.accounts, account);
            return Err(code::SERVER_ERROR);
        }
        Ok(())
    }

    fn lifetime(&self, wanted: Option<u32>) -> Lifetime {
        let seconds = wanted.unwrap_or(self.config.default_lifetime);
        Lifetime(seconds.min(self.config.maximum_lifetime))
    }

    /// How long an allocation lives without traffic. An open connection is reason enough to keep it, for there are clients that do not refresh
    /// over TCP.
    fn life(&self, Lifetime(seconds): Lifetime, stream: bool) -> Duration {
        let seconds = if stream {
            seconds.max(self.config.maximum_lifetime)
        } else {
            seconds
        };
        Duration::from_secs(seconds.into())
    }

    /// A session for clients that know multiplexed TURN over their transport, if the server offers it.
    fn new_session(
        &mut self,
        version: MsVersion,
        stream: bool,
    ) -> Option<MultiplexedTurnSessionId> {
        let least = if stream {
            MsVersion::MULTIPLEXED
        } else {
            MsVersion::MULTIPLEXED_UDP
        };
        if !self.config.multiplex || version < least {
            return None;
        }
        let mut session = [0; 8];
        self.rng.fill_bytes(&mut session);
        Some(MultiplexedTurnSessionId(session))
    }

    fn refresh(
        &mut self,
        now: Instant,
        id: AllocationId,
        client: ClientId,
        (username, key): (&[u8], &IntegrityKey),
        wanted: &Wanted,
        message: &Message<'_>,
    ) -> Result<(), u16> {
        let allocation = &mut self.allocations[id];
        if *allocation.username != *username {
            return Err(code::WRONG_USERNAME);
        }
        match &allocation.last {
            // The answer will come when the ports are bound.
            Exchange::None | Exchange::Pending(_) => return Ok(()),
            Exchange::Answered { id: last, response } => {
                let repeated = *last == message.transaction_id()
                    || wanted.sequence.is_some_and(|sequence| {
                        !allocation.window.accept(sequence.sequence_number)
                    });
                if repeated {
                    self.outbox.push_octets(client.socket(), response);
                    return Ok(());
                }
            }
        }
        if allocation.client != client {
            self.rebind(id, client)?;
        }
        let lifetime = self.lifetime(wanted.lifetime);
        let life = self.life(lifetime, client.is_stream());
        let allocation = &mut self.allocations[id];
        allocation.key = key.clone();
        allocation.lifetime = lifetime;
        allocation.life = life;
        allocation.touch(now);
        if allocation.expires < allocation.timer {
            allocation.timer = allocation.expires;
            let next = (allocation.expires, Timer::Allocation(id));
            self.timers.push(Reverse(next));
        }
        let idle = allocation.permissions.is_empty();
        let pending = PendingResponse {
            id: message.transaction_id(),
            sequence: wanted.sequence.map(|sequence| sequence.sequence_number),
            bandwidth: wanted.bandwidth,
            policy: Request::read(message),
        };
        let policy = self.respond(now, id, &pending);
        let cancelled = policy.is_some_and(|answer| {
            answer.message == BandwidthMessage::Update && answer.amount == Some(Amount::ZERO)
        });
        if wanted.lifetime == Some(0) {
            self.release(id, Reason::Released);
        } else if cancelled && idle {
            self.release(id, Reason::BandwidthCancelled);
        }
        Ok(())
    }

    /// The client's address translator has given it another address; the request names the allocation and is signed.
    fn rebind(&mut self, id: AllocationId, client: ClientId) -> Result<(), u16> {
        let allocation = &mut self.allocations[id];
        let ClientId::Udp(address) = client else {
            return Err(code::NO_BINDING);
        };
        if allocation.client.is_stream() || self.clients.contains_key(&client) {
            return Err(code::NO_BINDING);
        }
        let (former, new) = (source(allocation.reflexive.ip()), source(address.ip()));
        if !count_up(
            &mut self.sources,
            new,
            self.config.limits.allocations_per_source,
        ) {
            return Err(code::SERVER_ERROR);
        }
        count_down(&mut self.sources, &former);
        self.clients.remove(&allocation.client);
        self.clients.insert(client, id);
        allocation.client = client;
        allocation.reflexive = address;
        Ok(())
    }

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
    fn respond(
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
