//! What leaves: signed, encoded, queued.

use std::time::Instant;

use ocs_sip_core::transaction::Flow;
use ocs_sip_core::{ConnectionId, HeaderName, Message};
use ocs_sipae::server::Event as Authentication;
use ocs_siprege::presence_state::RegisterAction;
use ocs_siprege::registrar;

use super::FrontEnd;
use crate::{EndpointRecord, Event, Store};

impl<S: Store> FrontEnd<S> {
    /// Signs a message for the client at the end of a connection and queues it.
    pub(super) fn send(&mut self, now: Instant, id: ConnectionId, mut message: Message) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        // A response that is forwarded says itself who made it.
        let anonymous = [HeaderName::Server, HeaderName::UserAgent]
            .into_iter()
            .all(|name| message.header(name).is_none());
        if anonymous && !message.is_request() {
            message.push(HeaderName::Server, &self.config.server);
        }
        if let Some(association) = connection.association_for(&message) {
            // It may have ended just now: then the message goes unsigned, and the client authenticates anew.
            let _ = self.authentication.sign(now, association, &mut message);
        }
        if connection.out.is_empty() {
            self.writable.push_back(id);
        }
        connection.channel.encode(&message, &mut connection.out);
    }

    /// Lets every part finish what the last input started.
    pub(super) fn settle(&mut self, now: Instant) {
        loop {
            let mut idle = true;
            while let Some(event) = self.layer.poll_event() {
                self.handle_transaction(now, None, event);
                idle = false;
            }
            idle &= !self.send_all(now);
            while let Some(notify) = self.registrar.poll_transmit() {
                self.notify(now, notify);
                idle = false;
            }
            while let Some(event) = self.registrar.poll_event() {
                self.handle_registrar(now, event);
                idle = false;
            }
            idle &= !self.drive_subscriptions(now);
            if idle {
                break;
            }
        }
        while let Some(event) = self.authentication.poll_event() {
            self.handle_authentication(event);
        }
    }

    /// Sends what the transactions have; says whether there was something.
    pub(super) fn send_all(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(transmit) = self.layer.poll_transmit() {
            busy = true;
            if let Flow::Stream(id) = transmit.flow {
                let message = self.finish_cancel(transmit.message);
                self.send(now, id, message);
            }
        }
        busy
    }

    fn handle_registrar(&mut self, now: Instant, event: registrar::Event) {
        match event {
            registrar::Event::Registered { id, action } => {
                let Some(binding) = self.registrar.bindings().get(id) else {
                    return;
                };
                let instance = binding.instance.to_string();
                let aor = binding.aor.clone();
                self.events.push_back(Event::Registered {
                    aor: aor.clone(),
                    connection: binding.connection,
                    instance: instance.clone(),
                    action: action.as_str(),
                });
                if action != RegisterAction::Refreshed || binding.expires_at > now {
                    self.store.put_endpoint(EndpointRecord {
                        aor: binding.aor.clone(),
                        epid: binding.epid.as_ref().map(ToString::to_string),
                        instance: instance.clone(),
                        gruu: binding.gruu.clone(),
                        expires_at: self.config.clock.at(binding.expires_at),
                        user_agent: binding.user_agent.clone(),
                    });
                }
                self.endpoint_registered(now, id);
            }
            registrar::Event::Removed { binding, cause } => {
                let instance = binding.instance.to_string();
                self.store.remove_endpoint(&binding.aor, &instance);
                if let Some(connection) = binding.connection {
                    let epid = binding.epid.as_ref();
                    self.end_subscriptions_of_endpoint(&binding.aor, connection, epid);
                }
                self.endpoint_gone(now, &binding.aor, &instance);
                self.events.push_back(Event::Unregistered {
                    aor: binding.aor,
                    instance,
                    cause,
                });
            }
            _ => {}
        }
    }

    fn handle_authentication(&mut self, event: Authentication) {
        if let Authentication::LogonFailure {
            connection,
            aor,
            error,
        } = event
        {
            self.events.push_back(Event::LogonFailure {
                connection,
                aor,
                reason: error.to_string(),
            });
        }
    }
}
