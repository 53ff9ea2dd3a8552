//! Requests, and what their responses mean.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ocs_stun::attribute::{
    AlternateServer, Bandwidth, DestinationAddress, ErrorCode, Lifetime, MappedAddress,
    MsAlternateMappedAddress, MsSequenceNumber, MsVersion, Nonce, Realm, RequestedAddressFamily,
    Username, code,
};
use ocs_stun::{
    Class, Dialect, KeyDerivation, Message, MessageBuilder, MessageType, TransactionId, unquoted,
};
use rand_core::CryptoRng;

use super::{
    Allocation, Challenge, Client, DEFAULT_LIFETIME, Event, Failure, Purpose, State, TRANSITION,
    framed, next_sequence,
};
use crate::{Error, bandwidth};

impl<R: CryptoRng> Client<R> {
    /// Makes the peer the active destination: media has settled on it.
    pub fn set_active_destination(&mut self, now: Instant, peer: SocketAddr) -> Result<(), Error> {
        if self.allocation().is_none() {
            return Err(Error::WrongState {
                operation: "set active destination",
            });
        }
        self.active.wanted = Some(peer);
        self.request_active_destination(now, peer);
        Ok(())
    }

    /// Asks the policy server about bandwidth, takes it or gives it back (\[MS-TURNBWM\]). The request also refreshes the allocation.
    /// Only one is out at a time: a new one takes the place of the former, whose answer is not told.
    pub fn manage_bandwidth(
        &mut self,
        now: Instant,
        request: bandwidth::Request,
    ) -> Result<(), Error> {
        if self.allocation().is_none() {
            return Err(Error::WrongState {
                operation: "manage bandwidth",
            });
        }
        self.bandwidth = Some(request);
        self.bandwidth_number += 1;
        let purpose = Purpose::Bandwidth(self.bandwidth_number);
        self.request_allocation(now, purpose);
        Ok(())
    }

    /// Gives the allocation back. Without one the machine simply ends.
    pub fn release(&mut self, now: Instant) {
        if self.allocation().is_some() {
            self.refresh_at = None;
            self.active = super::ActiveDestination::default();
            self.request_allocation(now, Purpose::Release);
            self.state = State::Releasing;
        } else {
            self.end(Event::Released);
        }
    }

    pub(super) fn request_challenge(&mut self, now: Instant) {
        self.challenge = None;
        self.sequence = None;
        self.state = State::Allocating;
        self.request_allocation(now, Purpose::Challenge);
    }

    /// Sends an Allocate request; with credentials, unless its purpose is to be challenged.
    pub(super) fn request_allocation(&mut self, now: Instant, purpose: Purpose) {
        let lifetime = match purpose {
            Purpose::Release => Some(0),
            _ => self.config.lifetime,
        };
        let sequence = match purpose {
            Purpose::Challenge => None,
            _ => next_sequence(&mut self.sequence),
        };
        let (config, credentials) = (&self.config, &self.credentials);
        let challenge = self
            .challenge
            .as_ref()
            .filter(|_| purpose != Purpose::Challenge);
        let id = TransactionId::random(Dialect::MsTurn, &mut self.rng);
        self.scratch.clear();
        let written = framed(config.transport.is_stream(), &mut self.scratch, |out| {
            let mut builder =
                MessageBuilder::new(Dialect::MsTurn, MessageType::ALLOCATE_REQUEST, id, out);
            builder
                .push(&config.version)
                .push_some(lifetime.map(Lifetime).as_ref())
                .push_some(config.bandwidth.map(Bandwidth).as_ref());
            if let Some(challenge) = challenge {
                builder
                    .push(&Realm(&challenge.realm))
                    .push(&Nonce(&challenge.nonce))
                    .push(&Username(&credentials.username));
            }
            builder
                .push_some(config.family.map(RequestedAddressFamily).as_ref())
                .push_some(sequence.as_ref());
            match &self.bandwidth {
                Some(request) if matches!(purpose, Purpose::Bandwidth(_)) => {
                    request.push(&mut builder);
                }
                _ => {
                    builder.push_some(config.service_quality.as_ref());
                }
            }
            match challenge {
                Some(challenge) => builder.sign(&challenge.key),
                None => builder.finish(),
            }
        });
        self.start(now, id, purpose, written);
    }

    pub(super) fn request_active_destination(&mut self, now: Instant, peer: SocketAddr) {
        let Some(challenge) = &self.challenge else {
            return;
        };
        let id = TransactionId::random(Dialect::MsTurn, &mut self.rng);
        let sequence = next_sequence(&mut self.sequence);
        self.scratch.clear();
        let written = framed(
            self.config.transport.is_stream(),
            &mut self.scratch,
            |out| {
                let message_type = MessageType::SET_ACTIVE_DESTINATION_REQUEST;
                let mut builder = MessageBuilder::new(Dialect::MsTurn, message_type, id, out);
                builder
                    .push(&self.config.version)
                    .push(&Username(&self.credentials.username))
                    .push_some(sequence.as_ref())
                    .push(&DestinationAddress(peer));
                builder.sign(&challenge.key)
            },
        );
        self.start(now, id, Purpose::SetActiveDestination(peer), written);
    }

    /// Starts the transaction of the request in `scratch`.
    fn start(
        &mut self,
        now: Instant,
        id: TransactionId,
        purpose: Purpose,
        written: Result<(), ocs_stun::Error>,
    ) {
        match written {
            Ok(()) => {
                let rule = self.config.rule();
                self.transactions
                    .start(now, id, self.scratch.as_slice(), purpose, rule);
            }
            Err(error) => self.fail(Failure::Protocol(error.into())),
        }
    }

    /// A response. One that belongs to no transaction or that is not signed as it has to be changes nothing.
    pub(super) fn handle_response(
        &mut self,
        now: Instant,
        message: &Message<'_>,
    ) -> Result<(), Error> {
        let id = message.transaction_id();
        let Some(&purpose) = self.transactions.get(&id) else {
            return Err(Error::Unexpected { what: "response" });
        };
        let request_type = match purpose {
            Purpose::SetActiveDestination(_) => MessageType::SET_ACTIVE_DESTINATION_REQUEST,
            _ => MessageType::ALLOCATE_REQUEST,
        };
        if message.unknown_attributes().next().is_some() {
            return Err(Error::Unexpected { what: "attribute" });
        }
        let success = message.class() == Class::Success;
        let right_type = if success {
            request_type.success()
        } else {
            request_type.error()
        };
        if message.message_type() != right_type {
            return Err(Error::Unexpected { what: "response" });
        }
        // Errors go unsigned when the server has no key yet; what is signed has to be right.
        if success || message.integrity().is_some() {
            let challenge = self
                .challenge
                .as_ref()
                .ok_or(ocs_stun::Error::IntegrityMismatch)?;
            message.verify(&challenge.key)?;
        }
        if success {
            self.handle_success(now, id, purpose, message)
        } else {
            let error = message.get()?.ok_or(Error::Missing {
                attribute: ocs_stun::AttributeType::ERROR_CODE,
            })?;
            self.transactions.finish(&id);
            self.handle_refusal(now, purpose, error, message)
        }
    }

    fn handle_success(
        &mut self,
        now: Instant,
        id: TransactionId,
        purpose: Purpose,
        message: &Message<'_>,
    ) -> Result<(), Error> {
        let lifetime = message
            .get()?
            .map_or(DEFAULT_LIFETIME, |Lifetime(seconds)| seconds);
        match purpose {
            Purpose::Challenge | Purpose::Allocate => {
                self.transactions.finish(&id);
                match self.read_allocation(message, lifetime)? {
                    Some(allocation) => {
                        self.sequence = message.get::<MsSequenceNumber>()?;
                        self.state = State::Allocated(allocation);
                        self.schedule_refresh(now, lifetime);
                        self.tell(Event::Allocated(allocation));
                    }
                    None => self.fail(Failure::Malformed),
                }
            }
            Purpose::Refresh => {
                self.transactions.finish(&id);
                self.schedule_refresh(now, lifetime);
                self.tell(Event::Refreshed { lifetime });
            }
            Purpose::Bandwidth(number) => {
                let response = bandwidth::Response::read(message)?;
                self.transactions.finish(&id);
                self.schedule_refresh(now, lifetime);
                if number == self.bandwidth_number {
                    self.bandwidth = None;
                    self.tell(Event::Bandwidth(response));
                }
            }
            Purpose::Release => {
                self.transactions.finish(&id);
                self.end(Event::Released);
            }
            Purpose::SetActiveDestination(peer) => {
                self.transactions.finish(&id);
                // An answer about a peer that is no longer wanted is out of date.
                if self.active.wanted == Some(peer) {
                    self.active.wanted = None;
                    self.active.current = Some(peer);
                    self.tell(Event::ActiveDestination { peer });
                }
            }
        }
        if !matches!(purpose, Purpose::SetActiveDestination(_)) {
            self.stale_nonces = 0;
        }
        Ok(())
    }

    fn read_allocation(
        &self,
        message: &Message<'_>,
        lifetime: u32,
    ) -> Result<Option<Allocation>, Error> {
        let (Some(MappedAddress(relayed)), Some(reflexive)) =
            (message.get()?, message.reflexive_address()?)
        else {
            return Ok(None);
        };
        let alternate = message
            .get()?
            .map(|MsAlternateMappedAddress(address)| address);
        Ok(Some(Allocation {
            server: self.server,
            relayed,
            alternate,
            reflexive,
            lifetime,
            version: message.get()?.unwrap_or(MsVersion::ICE),
            session: message.get()?,
        }))
    }

    /// A minute before the end, half-way of a short life.
    fn schedule_refresh(&mut self, now: Instant, lifetime: u32) {
        let wait = if lifetime > 120 {
            lifetime - 60
        } else {
            lifetime / 2
        };
        self.refresh_at = Some(now + Duration::from_secs(wait.max(1).into()));
    }

    fn handle_refusal(
        &mut self,
        now: Instant,
        purpose: Purpose,
        error: ErrorCode<'_>,
        message: &Message<'_>,
    ) -> Result<(), Error> {
        if let Purpose::SetActiveDestination(peer) = purpose {
            match error.code {
                code::TRANSITIONING if self.active.wanted == Some(peer) => {
                    self.active.retry = Some(now + TRANSITION);
                }
                code => self.active_refused(peer, Some(code)),
            }
            return Ok(());
        }
        let alternate = message
            .get()?
            .map(|AlternateServer(address)| address)
            .filter(|&address| address != self.server);
        match (error.code, alternate) {
            (code::UNAUTHORIZED | code::TRY_ALTERNATE, Some(server))
                if matches!(purpose, Purpose::Challenge | Purpose::Allocate) =>
            {
                self.redirect(now, server);
            }
            (code::UNAUTHORIZED, _) => {
                let again = match (&self.challenge, message.get()?) {
                    // The realm differs from the one that was sent.
                    (Some(challenge), Some(Realm(realm))) => {
                        purpose != Purpose::Challenge
                            && unquoted(&challenge.realm) != unquoted(realm)
                    }
                    (None, _) => true,
                    _ => false,
                };
                if again {
                    self.answer_challenge(now, purpose, message)?;
                } else {
                    self.fail(Failure::Credentials { code: error.code });
                }
            }
            (code::STALE_NONCE, _) => {
                self.stale_nonces += 1;
                if self.stale_nonces > self.config.stale_nonces {
                    self.fail(Failure::StaleNonces);
                } else {
                    self.answer_challenge(now, purpose, message)?;
                }
            }
            (
                code @ (code::STALE_CREDENTIALS
                | code::INTEGRITY_CHECK_FAILURE
                | code::UNKNOWN_USER
                | code::WRONG_USERNAME),
                _,
            ) => self.fail(Failure::Credentials { code }),
            (_, _) if purpose == Purpose::Release => self.end(Event::Released),
            (code, _) => self.fail(Failure::Refused { code }),
        }
        Ok(())
    }

    fn redirect(&mut self, now: Instant, server: SocketAddr) {
        if self.redirects == self.config.redirects || server.ip().is_unspecified() {
            self.fail(Failure::Redirects);
            return;
        }
        self.redirects += 1;
        self.server = server;
        self.close = self.config.transport.is_stream();
        self.tell(Event::Redirected { server });
        self.begin(now);
    }

    /// Takes Realm and Nonce, and sends the request again with credentials.
    fn answer_challenge(
        &mut self,
        now: Instant,
        purpose: Purpose,
        message: &Message<'_>,
    ) -> Result<(), Error> {
        let nonce = message.get()?.map(|Nonce(nonce)| nonce.into());
        let realm: Option<Box<[u8]>> = message.get()?.map(|Realm(realm)| realm.into());
        let former = self.challenge.take();
        let realm = realm.or_else(|| former.map(|challenge| challenge.realm));
        let (Some(realm), Some(nonce)) = (realm, nonce) else {
            self.fail(Failure::Malformed);
            return Ok(());
        };
        if let Some(version) = message.get()? {
            self.server_version = version;
        }
        let derivation = self
            .config
            .sha256
            .filter(|_| {
                self.config.version >= MsVersion::SHA256 && self.server_version >= MsVersion::SHA256
            })
            .unwrap_or(KeyDerivation::Sha1);
        let key = self.credentials.key(derivation, &realm, self.config.trim);
        self.challenge = Some(Challenge { realm, nonce, key });
        match purpose {
            Purpose::Challenge => self.request_allocation(now, Purpose::Allocate),
            purpose => self.request_allocation(now, purpose),
        }
        Ok(())
    }
}
