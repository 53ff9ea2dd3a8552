//! All presence of one user.

use std::sync::Arc;
use std::time::Instant;

use ocs_sip_core::clock::WallClock;
use ocs_sip_core::uri::Aor;
use ocs_xml::SmolStr;

use super::instances::{Instances, Life, Origin, Stored};
use super::membership::Membership;
use super::subscribers::Queue;
use super::{Changes, Inputs, Policy, Refusal};
use crate::Time;
use crate::doc::{ContainerId, Delegates, ExpireType};

/// All presence of one user: category instances, containers, watchers that wait, delegates. No SIP, no clock, no I/O.
///
/// A clone costs little, whatever there is of the user: it shares members and instances until one of the two is changed. Who has to take a change
/// back, because it could not be kept, clones before it.
#[derive(Debug, Clone)]
pub struct Presentity {
    pub(super) policy: Arc<Policy>,
    pub(super) user: Aor,
    /// The user as documents name it.
    pub(super) uri: SmolStr,
    pub(super) clock: WallClock,
    enabled: bool,
    pub(super) instances: Instances,
    /// Registered endpoints.
    endpoints: Vec<SmolStr>,
    pub(super) membership: Membership,
    pub(super) subscribers: Queue,
    pub(super) delegates: Delegates,
}

/// Who sends a request. The caller has verified the identity, and that From, To and Request-URI name the user of the presentity.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// The identity.
    pub user: &'a Aor,
    /// The endpoint, by the name under which it was registered with [`Presentity::endpoint_registered`].
    pub endpoint: Option<&'a str>,
    /// A server of the same operator: may publish for any user, and what is read-only for clients.
    pub trusted: bool,
}

impl Presentity {
    /// A user without presence.
    #[must_use]
    pub fn new(policy: Arc<Policy>, user: Aor, clock: WallClock) -> Self {
        Self {
            policy,
            uri: user.to_uri().into(),
            user,
            clock,
            enabled: true,
            instances: Instances::default(),
            endpoints: Vec::new(),
            membership: Membership::default(),
            subscribers: Queue::default(),
            delegates: Delegates::new(0, Vec::new()),
        }
    }

    /// The user.
    #[must_use]
    pub const fn user(&self) -> &Aor {
        &self.user
    }

    /// The user as documents name it, with `sip:`.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Whether the user may publish. A user who may not has the presence that is there.
    pub const fn set_enabled(&mut self, enabled: bool) {
        self.enabled = enabled;
    }

    /// The system's clock was set.
    pub const fn set_clock(&mut self, clock: WallClock) {
        self.clock = clock;
    }

    /// Endpoints that are registered.
    #[must_use]
    pub fn endpoints(&self) -> &[SmolStr] {
        &self.endpoints
    }

    pub(super) const fn is_enabled(&self) -> bool {
        self.enabled
    }

    pub(super) fn is_registered(&self, endpoint: &str) -> bool {
        self.endpoints.iter().any(|known| known == endpoint)
    }

    pub(super) fn check_owner(&self, sender: &Sender<'_>) -> Result<(), Refusal> {
        if sender.trusted || *sender.user == self.user {
            Ok(())
        } else {
            Err(Refusal::new(403, "request on behalf of another user"))
        }
    }

    /// Runs the aggregation for a user who is new in memory, so that there is a state to be seen of one who never published. A user from
    /// [`import`](Self::import) has it already.
    pub fn begin(&mut self, now: Instant) {
        let mut changes = Changes::default();
        changes.aggregate = true;
        self.aggregate(now, &mut changes);
    }

    /// An endpoint has registered. One that is registered already changes nothing.
    pub fn endpoint_registered(&mut self, now: Instant, endpoint: &str) -> Changes {
        let mut changes = Changes::default();
        if !self.is_registered(endpoint) {
            self.endpoints.push(endpoint.into());
            changes.aggregate = self.endpoints.len() == 1;
        }
        self.aggregate(now, &mut changes);
        changes
    }

    /// An endpoint has unregistered, or its registration lapsed: what was bound to it ends, and with the last endpoint what was bound to the
    /// user's being there.
    pub fn endpoint_gone(&mut self, now: Instant, endpoint: &str) -> Changes {
        let mut changes = Changes::default();
        let before = self.endpoints.len();
        self.endpoints.retain(|known| known != endpoint);
        let last = before > 0 && self.endpoints.is_empty();
        self.instances.remove_where(
            |_, _, stored| match stored.life {
                Life::Endpoint => stored.endpoint.as_deref() == Some(endpoint),
                Life::User => last && stored.origin == Origin::Published,
                Life::Static | Life::Until { .. } => false,
            },
            &mut changes,
        );
        changes.aggregate |= last;
        self.aggregate(now, &mut changes);
        changes
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.instances.next_end()
    }

    /// Ends instances whose time is over.
    pub fn handle_timeout(&mut self, now: Instant) -> Changes {
        let mut changes = Changes::default();
        self.instances.remove_where(
            |_, _, stored| matches!(stored.life, Life::Until { at, .. } if at <= now),
            &mut changes,
        );
        self.aggregate(now, &mut changes);
        changes
    }

    /// Runs the aggregation when its input has changed.
    pub(super) fn aggregate(&mut self, now: Instant, changes: &mut Changes) {
        if !std::mem::take(&mut changes.aggregate) {
            return;
        }
        let online = !self.endpoints.is_empty();
        let wall = self.clock.at(now);
        let made = self.policy.aggregate.as_ref().map(|aggregate| {
            aggregate.aggregate(&Inputs {
                uri: &self.uri,
                now: wall,
                online,
                instances: &self.instances,
            })
        });
        let mut made = made.unwrap_or_default();
        for one in &mut made {
            if one.container == ContainerId::BLOCKED {
                one.expire_type = ExpireType::Static;
            }
        }
        made.retain(|one| online || one.expire_type == ExpireType::Static);
        self.instances.remove_where(
            |name, place, stored| {
                let kept = |one: &super::Aggregated| {
                    one.name == *name && (one.container, one.instance) == place
                };
                stored.origin == Origin::Aggregated && !made.iter().any(kept)
            },
            changes,
        );
        for one in made {
            let place = (one.container, one.instance);
            let life = match one.expire_type {
                ExpireType::Static => Life::Static,
                _ => Life::User,
            };
            let is_there = self.instances.get(&one.name, place).is_some_and(|old| {
                old.origin == Origin::Aggregated && old.life == life && old.value == one.value
            });
            if !is_there {
                let stored = Stored {
                    version: 0,
                    life,
                    published: Time(wall).to_millis(),
                    endpoint: None,
                    origin: Origin::Aggregated,
                    value: one.value,
                };
                self.instances.put(&one.name, place, stored, changes);
            }
        }
        // What aggregation makes does not go into it.
        changes.aggregate = false;
    }
}
