//! From a domain to a connection: discovery, connect, compression, keep-alive.

use std::net::SocketAddr;
use std::time::Instant;

use ocs_conmgmt::connector::{Event as Connecting, Output as Step};
use ocs_conmgmt::keep_alive::ClientEvent;
use ocs_conmgmt::{ChannelError, Peer};
use ocs_sip_core::framing::Frame;
use ocs_sip_core::transaction::Flow;
use ocs_sip_core::{ConnectionId, HeaderName, Message, Method};
use ocs_sipcomp::InitiatorEvent;

use super::{UserAgent, Wish};
use crate::link::{Destination, Link};
use crate::{Event, Failure, Output};

impl UserAgent {
    pub(super) fn connected(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        local: SocketAddr,
        peer: Peer<'_>,
    ) {
        let Some((id, destination)) = self.connecting.take_if(|(id, _)| *id == connection) else {
            return;
        };
        let attempt = destination.attempt;
        self.link = Some(Link::new(now, id, destination, local, &self.config));
        if self.connector.handle_connected(now, attempt, peer).is_err() {
            // Plain where TLS was asked for.
            self.link = None;
            self.outputs.push_back(Output::Close { connection });
            self.connector.handle_connect_failed(now, attempt);
        }
    }

    pub(super) fn drive_connector(&mut self, now: Instant) -> bool {
        let mut busy = false;
        while let Some(step) = self.connector.poll_output() {
            busy = true;
            match step {
                Step::Resolve(query) => self.outputs.push_back(Output::Resolve(query)),
                Step::Connect {
                    attempt,
                    transport,
                    host,
                    address,
                    port,
                } => {
                    let connection = ConnectionId(self.next_connection);
                    self.next_connection += 1;
                    let address = SocketAddr::new(address, port);
                    let destination = Destination {
                        attempt,
                        transport,
                        host: host.clone(),
                        address,
                    };
                    self.connecting = Some((connection, destination));
                    self.outputs.push_back(Output::Connect {
                        connection,
                        transport,
                        host,
                        address,
                    });
                }
                Step::Close { attempt } => {
                    let connecting = self
                        .connecting
                        .take_if(|(_, destination)| destination.attempt == attempt);
                    if let Some((connection, _)) = connecting {
                        self.outputs.push_back(Output::Close { connection });
                    }
                    if let Some(link) = self.link.take_if(|link| link.attempt == attempt) {
                        self.detach(now, link);
                    }
                }
            }
        }
        while let Some(event) = self.connector.poll_event() {
            busy = true;
            match event {
                // Whoever is leaving does not come back.
                Connecting::Ready(_)
                | Connecting::RetryRequest { .. }
                | Connecting::Waiting { .. }
                    if self.wish != Wish::In =>
                {
                    self.signed_out();
                }
                Connecting::Ready(_) => self.ready(now),
                Connecting::RetryRequest { .. } => self.register(now),
                Connecting::Waiting { until } => {
                    self.events
                        .push_back(Event::Reconnecting { until: Some(until) });
                }
                Connecting::GaveUp { failures } => {
                    self.wish = Wish::Out;
                    let failure = match self.refused.take() {
                        Some((status, reason)) => Failure::Refused { status, reason },
                        None => Failure::NoServer {
                            tried: failures.len(),
                        },
                    };
                    self.events.push_back(Event::SignInFailed(failure));
                }
                // The connector goes on to the next server by itself.
                Connecting::RedirectRefused(_) => {}
            }
        }
        busy
    }

    /// Writes what is queued on a connection of ours, then closes it and ends what hangs on it.
    pub(super) fn detach(&mut self, now: Instant, mut link: Link) {
        let connection = link.id;
        let data = link.out.split().freeze();
        if !data.is_empty() {
            self.outputs.push_back(Output::Send { connection, data });
        }
        self.outputs.push_back(Output::Close { connection });
        self.forget(now, connection);
    }

    /// The connection broke.
    pub(super) fn lost(&mut self, now: Instant, link: &Link) {
        self.forget(now, link.id);
        if self.wish == Wish::Leaving {
            self.signed_out();
            return;
        }
        self.events.push_back(Event::Reconnecting { until: None });
        self.connector.handle_connection_lost(now, link.attempt);
    }

    fn forget(&mut self, now: Instant, connection: ConnectionId) {
        self.layer.handle_flow_closed(Flow::Stream(connection));
        self.authentication.reset();
        self.registration = None;
        self.gruu = None;
        self.end_bootstrap();
        self.drop_all_conversations(now);
        self.drop_ringing_calls(now);
    }

    /// A connection is up: ask for compression if that is wanted, else register.
    fn ready(&mut self, now: Instant) {
        let Some(link) = &mut self.link else {
            return;
        };
        if link.initiator.negotiate(now).is_err() {
            self.announce_connection();
            self.register(now);
        }
    }

    fn announce_connection(&mut self) {
        if let Some(link) = &self.link {
            self.events.push_back(Event::Connected {
                host: link.host.clone(),
                address: link.remote,
                transport: link.transport,
                compressed: link.channel.is_compressed(),
            });
        }
    }

    pub(super) fn drive_link(&mut self, now: Instant) -> bool {
        let mut busy = false;
        if let Some(link) = &mut self.link {
            while let Some(event) = link.keep_alive.poll_event() {
                busy = true;
                if event == ClientEvent::SendKeepAlive {
                    link.channel.encode_keep_alive(&mut link.out);
                    link.keep_alive.handle_sent(now);
                }
            }
        }
        let negotiate = self
            .link
            .as_mut()
            .and_then(|link| link.initiator.poll_transmit());
        if let Some(request) = negotiate {
            busy = true;
            self.send_negotiate(now, request);
        }
        while let Some(event) = self
            .link
            .as_mut()
            .and_then(|link| link.initiator.poll_event())
        {
            busy = true;
            match event {
                InitiatorEvent::Accepted(_) => {
                    if let Some(link) = &mut self.link {
                        link.channel.start_compression();
                    }
                    self.announce_connection();
                    self.register(now);
                }
                InitiatorEvent::Refused(_) => {
                    self.announce_connection();
                    self.register(now);
                }
                InitiatorEvent::Close(_) => self.close_broken(now),
            }
        }
        busy
    }

    fn send_negotiate(&mut self, now: Instant, request: ocs_sipcomp::NegotiateRequest) {
        let (tag, call_id) = (self.hex(16), self.hex(16));
        let Some(link) = &mut self.link else {
            return;
        };
        let target = ocs_sipcomp::request_uri(link.remote);
        let mut message = Message::request(Method::Negotiate, &target)
            .with(
                HeaderName::Via,
                &format!("SIP/2.0/{} {}", link.transport, link.sent_by()),
            )
            .with(HeaderName::CSeq, "1 NEGOTIATE")
            .with(HeaderName::CallId, &call_id)
            .with(
                HeaderName::From,
                &format!("<sip:{}>;tag={tag}", link.sent_by()),
            )
            .with(HeaderName::To, &format!("<{target}>"));
        for (name, value) in request.headers() {
            message.push_named(name, value);
        }
        link.send(now, &message);
    }

    /// Takes everything off the connection that is complete.
    pub(super) fn read(&mut self, now: Instant) {
        while let Some(link) = &mut self.link {
            match link.channel.poll_frame() {
                None => break,
                Some(Ok(Frame::Message(message))) => {
                    self.handle_message(now, message);
                    // What the message starts may change how the octets behind it are to be read.
                    self.drive_link(now);
                }
                Some(Ok(Frame::KeepAlive)) => {}
                Some(Ok(Frame::Malformed { answer, .. })) => {
                    self.dropped += 1;
                    if let Some(answer) = answer {
                        self.send_unsigned(now, &answer);
                    }
                }
                Some(Err(error)) => {
                    if let ChannelError::Framing(error) = &error
                        && let Some(answer) = &error.answer
                    {
                        self.send_unsigned(now, answer);
                    }
                    self.close_broken(now);
                }
            }
        }
    }

    /// Closes a connection that cannot be used any more, and makes another.
    pub(super) fn close_broken(&mut self, now: Instant) {
        if let Some(link) = self.link.take() {
            let attempt = link.attempt;
            self.detach(now, link);
            if self.wish == Wish::Leaving {
                self.signed_out();
                return;
            }
            self.events.push_back(Event::Reconnecting { until: None });
            self.connector.handle_connection_lost(now, attempt);
        }
    }
}
