//! Allocate requests: new allocations, refreshes, releases, and what rides on them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ocs_stun::attribute::{
    AddressFamily, Bandwidth, Lifetime, MsSequenceNumber, MsVersion, MultiplexedTurnSessionId,
    RequestedAddressFamily, code,
};
use ocs_stun::{IntegrityKey, Message};
use rand_core::CryptoRng;
use slotmap::{Key, KeyData};

use super::allocation::{Allocation, Exchange, PendingResponse, Relayed, ReplayWindow};
use super::auth::Refusal;
use super::throttle::source;
use super::{
    Action, AllocationId, ClientId, CredentialStore, Reason, RelayId, Server, Timer, count_down,
    count_up,
};
use crate::Error;
use crate::bandwidth::{Amount, BandwidthMessage, BandwidthPolicy, Request};

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
        self.timers.insert((expires, Timer::Allocation(id)));
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
            let timer = Timer::Allocation(id);
            self.timers.remove(&(allocation.timer, timer));
            self.timers.insert((allocation.expires, timer));
            allocation.timer = allocation.expires;
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
        if former != new {
            let limit = self.config.limits.allocations_per_source;
            if !count_up(&mut self.sources, new, limit) {
                return Err(code::SERVER_ERROR);
            }
            count_down(&mut self.sources, &former);
        }
        self.clients.remove(&allocation.client);
        self.clients.insert(client, id);
        allocation.client = client;
        allocation.reflexive = address;
        Ok(())
    }
}
