//! What survives a restart, as one document.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ocs_sip_core::clock::WallClock;
use ocs_sip_core::uri::Aor;
use ocs_xml::{Error, from_slice, to_string};

use super::instances::{Life, Origin, Place, Stored};
use super::{Changes, Parts, Policy, Presentity};
use crate::Time;
use crate::category::CategoryName;
use crate::doc::{Category, ContainerId, ExpireType, RoamingData, Subscribers};
use crate::instance::STATE_OFFLINE;

impl Presentity {
    /// What a store keeps, as a `roamingData` document: instances that are static or bound to time, containers, watchers that wait or had
    /// their answer, delegates. What is bound to endpoints ends with a restart (inferred), and aggregation makes its part anew, but for
    /// the state of a user who is not there: it says since when.
    #[must_use]
    pub fn export(&self) -> String {
        let mut document = self.full_document(Parts::ALL);
        if let Some(categories) = &mut document.categories {
            categories.categories.clear();
            for (name, places) in self.instances.iter() {
                let durable = places
                    .iter()
                    .filter(|(place, stored)| stored.is_durable(name, **place));
                let durable = durable.map(|(place, stored)| stored.to_category(name, *place));
                categories.categories.extend(durable);
            }
        }
        document.subscribers = Some(Subscribers::new(self.subscribers.iter().cloned().collect()));
        to_string(&document)
    }

    /// A user from what [`export`](Self::export) gave. Instances whose time is over are left out.
    pub fn import(
        policy: Arc<Policy>,
        clock: WallClock,
        now: Instant,
        document: &str,
    ) -> Result<Self, Error> {
        let limits = ocs_xml::Limits {
            size: document.len(),
            ..policy.limits.xml
        };
        let document: RoamingData = from_slice(document.as_bytes(), &limits)?;
        let categories = document.categories.ok_or(Error::MissingElement {
            element: "roamingData",
            child: "categories",
        })?;
        let user = Aor::parse(&categories.uri).map_err(|_| Error::Value {
            element: "categories",
            name: "uri",
        })?;
        let mut presentity = Self::new(policy, user, clock);
        let mut changes = Changes::default();
        for category in categories.categories {
            presentity.restore(now, category, &mut changes)?;
        }
        for container in document.containers.into_iter().flat_map(|c| c.containers) {
            presentity.membership.restore(container);
        }
        for subscriber in document.subscribers.into_iter().flat_map(|s| s.subscribers) {
            presentity.subscribers.restore(subscriber);
        }
        if let Some(delegates) = document.delegates {
            presentity.delegates = delegates;
        }
        changes.aggregate = true;
        presentity.aggregate(now, &mut changes);
        Ok(presentity)
    }

    fn restore(
        &mut self,
        now: Instant,
        category: Category,
        changes: &mut Changes,
    ) -> Result<(), Error> {
        let missing = |attribute| Error::MissingAttribute {
            element: "category",
            attribute,
        };
        let instance = category.instance.ok_or(missing("instance"))?;
        let container = category.container.ok_or(missing("container"))?;
        let version = category.version.ok_or(missing("version"))?;
        let published = category.publish_time.ok_or(missing("publishTime"))?;
        let life = match category.expire_type.ok_or(missing("expireType"))? {
            ExpireType::Static => Life::Static,
            ExpireType::Time => {
                let seconds = category.expires.ok_or(missing("expires"))?;
                let seconds = u32::try_from(seconds).unwrap_or_default();
                match self.remaining(now, published, seconds) {
                    Some(left) => Life::Until {
                        at: now + left,
                        seconds,
                    },
                    None => return Ok(()),
                }
            }
            ExpireType::Endpoint | ExpireType::User => return Ok(()),
        };
        let place = (container, instance);
        let origin = if life == Life::Static && is_left_behind(&category.name, place) {
            Origin::Aggregated
        } else {
            Origin::Published
        };
        let stored = Stored {
            version,
            life,
            published,
            endpoint: category.endpoint_id,
            origin,
            value: category.values.into_iter().next(),
        };
        self.instances
            .restore(&category.name, place, stored, changes);
        Ok(())
    }

    /// How long an instance still has.
    fn remaining(&self, now: Instant, published: Time, seconds: u32) -> Option<Duration> {
        let end = published.0 + Duration::from_secs(seconds.into());
        let left = end.duration_since(self.clock.at(now)).ok()?;
        (!left.is_zero()).then_some(left)
    }
}

impl Stored {
    /// Whether it outlives the process.
    pub(super) fn is_durable(&self, name: &str, place: Place) -> bool {
        match self.origin {
            Origin::Published => matches!(self.life, Life::Static | Life::Until { .. }),
            Origin::Aggregated => self.life == Life::Static && is_left_behind(name, place),
        }
    }
}

/// Whether it is what aggregation leaves of a user who goes: when that was is known from nowhere else.
fn is_left_behind(name: &str, (container, instance): Place) -> bool {
    name == CategoryName::State.as_str()
        && instance == STATE_OFFLINE
        && ContainerId::AGGREGATED.contains(&container)
}
