//! Credentials for the media relay ([MS-AVEDGEA]): asked for in the bootstrap, renewed as long as the registration lasts.

use std::time::Instant;

use ocs_avedgea::client::{Access, Config, Event as Told, Failure, RelayClient, Service};
use ocs_avedgea::document::Location;
use ocs_avedgea::{CONTENT_TYPE, Limits};
use ocs_sip_core::Message;

use super::bootstrap::UNREADABLE;
use super::services::Job;
use super::{Error, UserAgent};
use crate::{Event, Step};

/// The service that this registration was told of.
#[derive(Debug)]
pub(super) struct Relay {
    client: RelayClient,
    /// Which one it is, so that answers to an earlier one are not its.
    serial: u64,
}

impl Relay {
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.client.handle_timeout(now);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.client.poll_timeout()
    }
}

impl UserAgent {
    /// The credentials for the media relay, while they are valid and the endpoint is registered.
    #[must_use]
    pub fn relay_access(&self) -> Option<&Access> {
        self.relay.as_ref()?.client.access()
    }

    /// Asks for other credentials, when a relay refuses those that there are (430, 436, 441 of \[MS-TURN\]). They come as
    /// [`Event::RelayGranted`]. Does nothing while a request is on its way.
    ///
    /// # Errors
    /// [`Error::NotOffered`] where there is no relay.
    pub fn request_relay_access(&mut self, now: Instant) -> Result<(), Error> {
        let relay = self.relay.as_mut().ok_or(Error::NotOffered)?;
        relay.client.request(now);
        self.settle(now);
        Ok(())
    }

    /// Asks the service at this address for the first time.
    pub(super) fn ask_relay(&mut self, now: Instant, mras_uri: &str, remote: bool) {
        let location = if remote {
            Location::Internet
        } else {
            Location::Intranet
        };
        let config = Config::new(&self.config.aor.to_uri(), mras_uri, location);
        match RelayClient::new(config, Limits::default(), &mut self.rng) {
            Ok(mut client) => {
                client.request(now);
                self.relays += 1;
                self.relay = Some(Relay {
                    client,
                    serial: self.relays,
                });
            }
            Err(error) => self.refuse_step(Step::MediaRelay, UNREADABLE, error.to_string()),
        }
    }

    pub(super) fn relay_answered(&mut self, now: Instant, serial: u64, answer: Option<&Message>) {
        // Who is challenged in vain is about to authenticate anew, and asks again after that.
        let answer = answer.filter(|answer| !matches!(answer.status(), Some(401 | 407)));
        let relay = self.relay.as_mut().filter(|relay| relay.serial == serial);
        if let Some(relay) = relay {
            relay.client.handle_response(now, answer);
        }
    }

    pub(super) fn drive_relay(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some((serial, service)) = self.poll_relay_service() {
            busy = true;
            let job = Job::Relay(serial);
            match self.new_service(&service.uri) {
                Some(request) => {
                    self.service(now, request.with_body(CONTENT_TYPE, service.body), job);
                }
                None => self.service_answered(now, job, None),
            }
        }
        while let Some(told) = self.relay.as_mut().and_then(|r| r.client.poll_event()) {
            busy = true;
            match told {
                Told::Granted => self.relay_granted(),
                Told::Failed(failure) => self.relay_refused(failure),
                Told::Expired => self.events.push_back(Event::RelayExpired),
                _ => {}
            }
        }
        busy
    }

    fn poll_relay_service(&mut self) -> Option<(u64, Service)> {
        let relay = self.relay.as_mut()?;
        Some((relay.serial, relay.client.poll_transmit()?))
    }

    fn relay_granted(&mut self) {
        if let Some(access) = self.relay_access() {
            let access = Box::new(access.clone());
            self.events.push_back(Event::RelayGranted(access));
        }
        self.finish_step(Step::MediaRelay);
    }

    fn relay_refused(&mut self, failure: Failure) {
        if !self.waits_for(Step::MediaRelay) {
            self.events.push_back(Event::RelayRefused(failure));
            return;
        }
        // Some servers refuse with 200 and a document that says why.
        let status = match (failure.status, &failure.reason) {
            (Some(200), Some(reason)) => reason.status(),
            (Some(200), None) => UNREADABLE,
            (status, _) => status.unwrap_or(408),
        };
        self.refuse_step(Step::MediaRelay, status, failure.explanation);
    }
}
