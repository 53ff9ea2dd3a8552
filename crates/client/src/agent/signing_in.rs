//! REGISTER with credentials, and what becomes of it.

use std::time::{Duration, Instant};

use ocs_sip_core::Message;
use ocs_sip_core::uri::SipUri;
use ocs_sipae::client::{Event as Authentication, Next};
use ocs_siprege::notify::Reaction;
use ocs_siprege::registration::{self, Event as Registering, Registered, Registration};

use super::{UserAgent, Wish};
use crate::{Event, Failure};

/// How often a client authenticates anew within [`ANEW_WINDOW`] before it pauses (inferred).
const ANEW_LIMIT: u8 = 4;
/// See [`ANEW_LIMIT`].
const ANEW_WINDOW: Duration = Duration::from_secs(30);

/// What the next REGISTER carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credentials {
    /// Nothing: it asks for a challenge.
    None,
    /// The next token of the handshake.
    Handshake,
    /// A signature.
    Signature,
}

impl UserAgent {
    /// Starts to register on the connection that is up.
    pub(super) fn register(&mut self, now: Instant) {
        let ms_opaque = self.hex(5);
        let Some(link) = &self.link else {
            return;
        };
        let config = registration::Config {
            aor: self.config.aor.clone(),
            epid: self.config.epid.to_string(),
            instance: uuid_text(&self.config.epid.instance()),
            sent_by: link.sent_by(),
            transport: link.transport,
            ms_opaque,
            user_agent: self.config.user_agent.clone(),
            gruu: self.config.gruu,
            survivable: false,
            presence: self.config.bootstrap.presence,
        };
        let mut registration = Registration::new(config, &mut self.rng);
        registration.register(now);
        self.registration = Some(registration);
        self.authentication.reset();
        self.credentials = Credentials::None;
    }

    pub(super) fn drive_registration(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(request) = self
            .registration
            .as_mut()
            .and_then(Registration::poll_transmit)
        {
            busy = true;
            self.send_register(now, request);
        }
        while let Some(event) = self
            .registration
            .as_mut()
            .and_then(Registration::poll_event)
        {
            busy = true;
            self.handle_registering(now, event);
        }
        busy
    }

    fn handle_registering(&mut self, now: Instant, event: Registering) {
        match event {
            Registering::Challenged(response) => self.challenged(now, &response),
            Registering::Registered(registered) => self.registered(now, registered),
            Registering::Redirected { contact } => self.redirected(now, &contact),
            Registering::Refused(refusal) => {
                if refusal.is_temporary
                    && let Some(link) = &self.link
                {
                    let attempt = link.attempt;
                    self.refused = Some((refusal.status, refusal.reason));
                    let retry_after = refusal.retry_after.as_deref();
                    self.connector
                        .handle_unavailable(now, attempt, refusal.status, retry_after);
                } else {
                    self.fail(
                        now,
                        Failure::Refused {
                            status: refusal.status,
                            reason: refusal.reason,
                        },
                    );
                }
            }
            Registering::Lost => {
                self.end_bootstrap();
                self.drop_all_conversations(now);
            }
            Registering::Notified {
                event,
                reaction,
                preferred_registrar,
                reason,
            } => {
                self.events.push_back(Event::Registration { event, reason });
                match reaction {
                    // It is as if our own wish had been answered.
                    _ if self.wish == Wish::Leaving && event.ends_registration() => {
                        self.signed_out();
                    }
                    Reaction::Stay => {}
                    Reaction::Stop => self.fail(now, Failure::Deregistered(event)),
                    Reaction::RetryLater => self.retry_later(now),
                    Reaction::MoveToPreferred => match preferred_registrar {
                        Some(registrar) => self.redirected(now, &registrar),
                        None => self.retry_later(now),
                    },
                }
            }
            Registering::Unregistered => self.signed_out(),
            Registering::TimedOut => self.close_broken(now),
            _ => {}
        }
    }

    fn challenged(&mut self, now: Instant, response: &Message) {
        match self.authentication.on_challenge(now, response) {
            Next::Resend => self.credentials = Credentials::Handshake,
            Next::Resign => self.credentials = Credentials::Signature,
            Next::Failed(failure) => {
                self.fail(now, Failure::Authentication(failure.to_string()));
                return;
            }
        }
        if let Some(registration) = &mut self.registration {
            registration.authenticate(now);
        }
    }

    fn registered(&mut self, now: Instant, registered: Registered) {
        self.gruu.clone_from(&registered.gruu);
        self.refused = None;
        if let Some(link) = &mut self.link {
            self.connector.handle_registered(link.attempt);
            // A header that cannot be read is as good as none.
            let _ = link
                .keep_alive
                .handle_response(registered.keep_alive.as_deref());
        }
        if !registered.refresh {
            self.events.push_back(Event::SignedIn {
                gruu: registered.gruu.clone(),
                expires: registered.expires,
                remote_user: registered.remote_user,
            });
            self.begin_bootstrap(now, &registered);
        }
    }

    fn redirected(&mut self, now: Instant, contact: &str) {
        let Some(link) = &self.link else {
            return;
        };
        let attempt = link.attempt;
        match SipUri::parse(contact) {
            Ok(uri) => {
                let host = uri.host().to_string();
                let transport = uri.params().get("transport");
                self.connector
                    .handle_redirect(now, attempt, &host, uri.port(), transport);
            }
            Err(error) => self.fail(now, Failure::Protocol(error.to_string())),
        }
    }

    /// Gives up until the user asks again.
    fn fail(&mut self, _now: Instant, failure: Failure) {
        self.wish = Wish::Out;
        self.connector.close();
        self.events.push_back(Event::SignInFailed(failure));
    }

    pub(super) fn signed_out(&mut self) {
        if self.wish != Wish::Out {
            self.wish = Wish::Out;
            self.connector.close();
            self.events.push_back(Event::SignedOut);
        }
    }

    /// A new handshake begins with a REGISTER that is not signed (\[MS-SIPAE\] 3.2.2).
    pub(super) fn authenticate_anew(&mut self, now: Instant) {
        if let Some(registration) = self.registration.as_mut().filter(|_| self.wish == Wish::In)
            && registration.is_registered()
            && !registration.is_pending()
        {
            let (since, count) = self.anew;
            let recent = since.is_some_and(|since| now < since + ANEW_WINDOW);
            // A server that takes no signature would be asked for ever, without a pause.
            if recent && count == ANEW_LIMIT {
                self.anew = (None, 0);
                self.retry_later(now);
                return;
            }
            self.anew = if recent {
                (since, count + 1)
            } else {
                (Some(now), 1)
            };
            self.credentials = Credentials::None;
            registration.register(now);
        }
    }

    /// Leaves, and comes back after 30 to 60 s (inferred).
    fn retry_later(&mut self, now: Instant) {
        if let Some(link) = &self.link {
            let attempt = link.attempt;
            self.connector
                .handle_unavailable(now, attempt, 503, Some("30"));
        }
    }

    pub(super) fn drive_authentication(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(event) = self.authentication.poll_event() {
            busy = true;
            match event {
                Authentication::Renew { .. } | Authentication::Expired { .. } => {
                    self.authenticate_anew(now);
                }
                _ => {}
            }
        }
        busy
    }
}

/// The UUID of an instance without `urn:uuid:`.
pub(super) fn uuid_text(instance: &ocs_sipre::Instance) -> String {
    let text = instance.to_string();
    text.rsplit(':').next().unwrap_or_default().to_owned()
}
