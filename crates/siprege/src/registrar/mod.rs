//! The server's side of registration ([MS-SIPREGE] 3.1.2).

mod check;
mod config;
mod expired;
mod types;

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use ocs_sip_core::{Aor, ConnectionId, HeaderName, Message};
use ocs_sipre::binding::{Binding, BindingId, Bindings, Limits, Registered};
use ocs_sipre::{EndpointId, EndpointKey, Identity, Instance};

use crate::notify::{ImplicitSubscription, RegistrationEvent};
use crate::presence_state::{PresenceState, RegisterAction};

use expired::Expired;

pub(crate) use check::Refusal;
pub use config::{ALLOW_EVENTS, Config};
pub use types::{Context, Event, Notify, Removal};

/// Keeps the bindings of all users of a server.
///
/// The caller has authenticated the request (\[MS-SIPAE\]), done `proxy=replace` (\[MS-SIPRE\] 3.4.5.2) and adds Via-dependent and
/// connection-dependent headers (`ms-keep-alive`, `Server`, the signature) to the answers.
#[derive(Debug)]
pub struct Registrar {
    config: Config,
    bindings: Bindings,
    subscriptions: HashMap<EndpointKey, Implicit>,
    expired: Expired,
    notifies: VecDeque<Notify>,
    events: VecDeque<Event>,
}

#[derive(Debug)]
struct Implicit {
    subscription: ImplicitSubscription,
    tag: String,
    cseq: u32,
}

impl Registrar {
    /// A registrar without bindings.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            bindings: Bindings::new(Limits {
                endpoints_per_user: config.endpoints_per_user,
                bindings: config.bindings,
            }),
            config,
            subscriptions: HashMap::new(),
            expired: Expired::default(),
            notifies: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// The bindings, for routing.
    #[must_use]
    pub const fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    /// Processes a REGISTER and gives the answer.
    pub fn handle_register(
        &mut self,
        now: Instant,
        context: Context<'_>,
        request: &Message,
    ) -> Message {
        let refuse = |status| Message::response_to(request, status, Some(context.tag));
        let own = request
            .to_header()
            .ok()
            .and_then(|to| to.uri().ok()?.as_sip()?.aor())
            .is_some_and(|aor| aor == *context.aor);
        if !own {
            return refuse(403);
        }
        let (identity, warn) = match check::check(&self.config, request) {
            Ok(checked) => checked,
            Err(refusal) => return refusal.response(request, context.tag, &self.config.fqdn),
        };
        let Ok(expires) = Self::requested_expires(request) else {
            return refuse(400);
        };
        let mut response = match (expires, request.header(HeaderName::Contact)) {
            (Some(Duration::ZERO), contact) => {
                self.unregister(context.aor, &identity, contact == Some("*"));
                self.ok(now, request, context, Duration::ZERO)
            }
            (_, None) => self.ok(now, request, context, self.config.expires),
            (wish, Some(_)) => {
                let life = wish
                    .unwrap_or(self.config.expires)
                    .clamp(self.config.min_expires, self.config.expires);
                match self.bind(now, context, request, identity, life) {
                    Ok(action) => {
                        let mut response = self.ok(now, request, context, life);
                        let state = PresenceState {
                            cluster: self.config.cluster,
                            ..PresenceState::new(action)
                        };
                        response.push(HeaderName::PresenceState, &state.to_string());
                        response
                    }
                    Err(status) => return refuse(status),
                }
            }
        };
        if warn {
            response.push(
                HeaderName::Warning,
                "310 lcs.microsoft.com \"You are currently not using the recommended version of the client\"",
            );
        }
        response
    }

    /// The life that the request asks for: `expires` of its Contact, else Expires.
    fn requested_expires(request: &Message) -> Result<Option<Duration>, ocs_sip_core::Error> {
        let header = request.number(HeaderName::Expires)?;
        let contact = request.contact().ok().and_then(|contact| contact.expires());
        Ok(contact
            .or(header)
            .map(|seconds| Duration::from_secs(u64::from(seconds))))
    }

    fn unregister(&mut self, aor: &Aor, identity: &Identity, all: bool) {
        let removed = if all {
            self.bindings.remove_user(aor)
        } else {
            let id = EndpointId::Instance(identity.instance);
            self.bindings
                .remove_endpoint(aor, &id)
                .into_iter()
                .collect()
        };
        for binding in removed {
            self.removed(binding, Removal::Unregistered);
        }
    }

    fn bind(
        &mut self,
        now: Instant,
        context: Context<'_>,
        request: &Message,
        identity: Identity,
        life: Duration,
    ) -> Result<RegisterAction, u16> {
        let instance = identity.instance;
        let connection = Some(context.connection);
        let binding = Binding {
            // The one address that all tables share.
            aor: context.aor.clone(),
            ..Binding::from_register(request, identity, connection, now + life)
                .map_err(|refusal| refusal.status)?
        };
        let outcome = self.insert(context.aor, binding);
        let (id, action) = match outcome {
            Registered::Added(id) if self.expired.remove(&key(context.aor, instance)) => {
                (id, RegisterAction::Fixed)
            }
            Registered::Added(id) => (id, RegisterAction::Added),
            Registered::Refreshed(id, old) => {
                if old.instance != instance {
                    self.removed(*old, Removal::Replaced);
                }
                (id, RegisterAction::Refreshed)
            }
            Registered::Stale => return Err(500),
            Registered::Full => return Err(503),
        };
        self.subscribe(id, key(context.aor, instance), context, request, life);
        self.events.push_back(Event::Registered { id, action });
        Ok(action)
    }

    /// Puts a binding into the table; makes room where that is allowed.
    fn insert(&mut self, aor: &Aor, binding: Binding) -> Registered {
        match self.bindings.insert(binding.clone()) {
            Registered::Full if self.remove_oldest(aor) => self.bindings.insert(binding),
            outcome => outcome,
        }
    }

    /// Remembers what a later NOTIFY needs. The last REGISTER counts: clients draw a new tag for each.
    fn subscribe(
        &mut self,
        id: BindingId,
        key: EndpointKey,
        context: Context<'_>,
        request: &Message,
        life: Duration,
    ) {
        let text = |name| request.header(name).unwrap_or_default().to_owned();
        let contact = self.bindings.get(id).map(|binding| binding.contact.clone());
        let cseq = self.subscriptions.get(&key).map_or(0, |old| old.cseq);
        self.subscriptions.insert(
            key,
            Implicit {
                subscription: ImplicitSubscription {
                    contact: contact.unwrap_or_default(),
                    to: text(HeaderName::To),
                    from: text(HeaderName::From),
                    call_id: text(HeaderName::CallId),
                    expires: u32::try_from(life.as_secs()).unwrap_or(u32::MAX),
                },
                tag: context.tag.to_owned(),
                cseq,
            },
        );
    }

    /// Makes room for one more endpoint of the user (3.1.2.5.1 step 6).
    fn remove_oldest(&mut self, aor: &Aor) -> bool {
        let full = self.bindings.of_user(aor).count() >= self.config.endpoints_per_user;
        let oldest = self.bindings.of_user(aor).next().map(|(id, _)| id);
        match oldest.filter(|_| full) {
            Some(id) => self.deregister(id, RegistrationEvent::Unregistered),
            None => false,
        }
    }

    /// Ends a binding, or tells of survivable mode, and queues the NOTIFY. Says whether there was such a binding.
    pub fn deregister(&mut self, id: BindingId, event: RegistrationEvent) -> bool {
        let Some(binding) = self.bindings.get(id) else {
            return false;
        };
        let key = key(&binding.aor, binding.instance);
        if let (Some(implicit), Some(connection)) =
            (self.subscriptions.get_mut(&key), binding.connection)
        {
            implicit.cseq += 1;
            self.notifies.push_back(Notify {
                connection,
                aor: binding.aor.clone(),
                message: implicit
                    .subscription
                    .notify(event, implicit.cseq, &implicit.tag),
            });
        }
        if event.ends_registration()
            && let Some(binding) = self.bindings.remove(id)
        {
            self.removed(binding, Removal::Deregistered(event));
        }
        true
    }

    /// Ends every binding of a user; says how many there were.
    pub fn deregister_user(&mut self, aor: &Aor, event: RegistrationEvent) -> usize {
        let ids: Vec<_> = self.bindings.of_user(aor).map(|(id, _)| id).collect();
        ids.iter().filter(|&&id| self.deregister(id, event)).count()
    }

    /// The connection is gone: every binding on it ends, without a NOTIFY.
    pub fn handle_closed(&mut self, connection: ConnectionId) {
        for binding in self.bindings.remove_connection(connection) {
            self.removed(binding, Removal::ConnectionClosed);
        }
    }

    fn removed(&mut self, binding: Binding, cause: Removal) {
        self.subscriptions
            .remove(&key(&binding.aor, binding.instance));
        self.events.push_back(Event::Removed {
            binding: Box::new(binding),
            cause,
        });
    }

    /// The 200 with every binding of the user.
    fn ok(&self, now: Instant, request: &Message, context: Context<'_>, life: Duration) -> Message {
        let mut response = Message::response_to(request, 200, Some(context.tag));
        for (_, binding) in self.bindings.of_user(context.aor) {
            response.push(HeaderName::Contact, &binding.to_contact(now));
        }
        response.push(HeaderName::Expires, &life.as_secs().to_string());
        if !self.config.allow_events.is_empty() {
            response.push(HeaderName::AllowEvents, &self.config.allow_events);
        }
        for tag in &self.config.supported {
            response.push(HeaderName::Supported, tag);
        }
        response
    }

    /// The next NOTIFY to send.
    pub fn poll_transmit(&mut self) -> Option<Notify> {
        self.notifies.pop_front()
    }

    /// The next change.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When the next binding or record ends.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let binding = self.bindings.next_expiry();
        let record = self.expired.next();
        binding.into_iter().chain(record).min()
    }

    /// Ends the bindings whose time is over (3.2.2.5). No NOTIFY: the connection is considered dead.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.expired.sweep(now);
        while let Some(binding) = self.bindings.pop_expired(now) {
            if !self.config.revive.is_zero() {
                let key = key(&binding.aor, binding.instance);
                self.expired.insert(key, now + self.config.revive);
            }
            self.removed(binding, Removal::Expired);
        }
    }
}

fn key(aor: &Aor, instance: Instance) -> EndpointKey {
    EndpointKey {
        aor: aor.clone(),
        id: EndpointId::Instance(instance),
    }
}
