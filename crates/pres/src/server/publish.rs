//! The publish transaction.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use ocs_sip_core::uri::Aor;
use ocs_xml::{SmolStr, from_slice};

use super::instances::{Life, Origin, Stored};
use super::{Changes, OwnChange, Presentity, Refusal, Sender};
use crate::category::CategoryName;
use crate::doc::{ContainerId, ExpireType, Operation, Publication, Publish, RoamingData};
use crate::{Time, instance};

/// Seconds of an instance with `time` that does not say how many: those that \[MS-PRES\] gives a busy user (inferred).
const DEFAULT_EXPIRES: u32 = 86_400;

/// What a publish did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What changed: by the request, and by the aggregation after it.
    pub changes: Changes,
    /// Categories that the request named. The answer holds them whole.
    pub touched: BTreeSet<SmolStr>,
}

impl Published {
    /// What the endpoint that published is to be told beside the answer: what the aggregation changed.
    #[must_use]
    pub fn for_sender(&self) -> OwnChange {
        let mut own = self.changes.own().clone();
        own.categories.retain(|name| !self.touched.contains(name));
        own
    }
}

impl Presentity {
    /// A publish request: all of it is done, or nothing.
    ///
    /// Checks in their order (inferred): the sender, the body, whose presence it is, whether the user may, names of categories, what is
    /// read-only, limits, versions. The first that fails decides.
    ///
    /// The 200 carries [`answer`](Self::answer); the other endpoints are told [`Changes::own`], the sender
    /// [`Published::for_sender`].
    pub fn publish(
        &mut self,
        now: Instant,
        sender: &Sender<'_>,
        body: &[u8],
    ) -> Result<Published, Refusal> {
        if self.check_owner(sender).is_err() && !self.is_publishing_delegate(sender.user) {
            return Err(Refusal::new(403, "publication on behalf of another user"));
        }
        let request: Publish =
            from_slice(body, &self.policy.limits.xml).map_err(Refusal::malformed)?;
        if Aor::parse(&request.publications.uri).as_ref() != Ok(&self.user) {
            return Err(Refusal::new(403, "publication for another user"));
        }
        if !self.is_enabled() {
            return Err(Refusal::new(403, "user is not enabled for presence"));
        }
        let publications = request.publications.publications;
        self.check_names(&publications)?;
        if !sender.trusted {
            check_read_only(&publications)?;
        }
        self.check_limits(sender, &publications)?;
        self.check_versions(&publications)?;
        Ok(self.apply(now, sender.endpoint, publications))
    }

    /// Publications that the server makes itself: from the directory, for endpoints of 2005, for a mailbox. Nothing is checked but that
    /// what is bound to an endpoint has one; versions are not looked at. What is there already with the same value and life is not touched.
    pub fn install(
        &mut self,
        now: Instant,
        endpoint: Option<&str>,
        publications: Vec<Publication>,
    ) -> Changes {
        let publications = publications
            .into_iter()
            .filter(|publication| publication.is_removal() || self.can_live(publication, endpoint))
            .filter(|publication| !self.has(publication))
            .collect();
        self.apply(now, endpoint, publications).changes
    }

    /// Whether a static value is there as it would be published.
    fn has(&self, publication: &Publication) -> bool {
        let old = self
            .instances
            .get(&publication.category_name, place(publication));
        publication.expire_type == ExpireType::Static
            && !publication.is_removal()
            && old.is_some_and(|old| old.life == Life::Static && old.value == publication.value)
    }

    /// The body of the 200 to a publish.
    #[must_use]
    pub fn answer(&self, published: &Published) -> RoamingData {
        self.categories_document(&published.touched)
    }

    fn check_names(&self, publications: &[Publication]) -> Result<(), Refusal> {
        if publications.is_empty() {
            return Err(Refusal::new(400, "no publication"));
        }
        let is_registered = |p: &Publication| self.policy.is_registered(&p.category_name);
        if publications.iter().all(is_registered) {
            Ok(())
        } else {
            Err(Refusal::new(400, "unknown category"))
        }
    }

    fn check_limits(
        &self,
        sender: &Sender<'_>,
        publications: &[Publication],
    ) -> Result<(), Refusal> {
        let limits = &self.policy.limits;
        let mut places = BTreeSet::new();
        let mut new = 0usize;
        for publication in publications {
            let place = place(publication);
            if !places.insert((&publication.category_name, place)) {
                return Err(Refusal::new(400, "instance twice"));
            }
            if publication.is_removal() {
                continue;
            }
            let value = publication.value.as_ref();
            if value.is_some_and(|value| value.as_str().len() > limits.value) {
                return Err(Refusal::with_id(
                    413,
                    Refusal::CATEGORY_SIZE,
                    "category value too long",
                ));
            }
            if !self.can_live(publication, sender.endpoint) {
                return Err(Refusal::new(403, "endpoint is not registered"));
            }
            let there = self.instances.get(&publication.category_name, place);
            new += usize::from(there.is_none());
        }
        if new > 0 && self.instances.len() + new > limits.instances {
            return Err(Refusal::new(413, "too many category instances"));
        }
        Ok(())
    }

    /// Whether there is what an instance is bound to.
    fn can_live(&self, publication: &Publication, endpoint: Option<&str>) -> bool {
        match publication.expire_type {
            ExpireType::Endpoint => endpoint.is_some_and(|endpoint| self.is_registered(endpoint)),
            ExpireType::User => !self.endpoints().is_empty(),
            ExpireType::Static | ExpireType::Time => true,
        }
    }

    fn check_versions(&self, publications: &[Publication]) -> Result<(), Refusal> {
        let mut conflicts = Vec::new();
        for (index, publication) in (1u32..).zip(publications) {
            let current = self
                .instances
                .version(&publication.category_name, place(publication));
            let unversioned = self.policy.unversioned_removals
                && publication.is_removal()
                && publication.version == 0;
            if publication.version != current && !unversioned {
                conflicts.push(Operation::new(index, publication.version, current));
            }
        }
        if conflicts.is_empty() {
            Ok(())
        } else {
            Err(Refusal::conflict(conflicts))
        }
    }

    fn apply(
        &mut self,
        now: Instant,
        endpoint: Option<&str>,
        publications: Vec<Publication>,
    ) -> Published {
        let mut changes = Changes::default();
        let mut touched = BTreeSet::new();
        let published = Time(self.clock.at(now)).to_millis();
        for publication in publications {
            let place = place(&publication);
            let name = publication.category_name.clone();
            if publication.is_removal() {
                self.instances.remove(&name, place, &mut changes);
            } else {
                let stored = Stored {
                    version: 0,
                    life: life(now, &publication),
                    published,
                    endpoint: endpoint.map(Into::into),
                    origin: Origin::Published,
                    value: publication.value,
                };
                self.instances.put(&name, place, stored, &mut changes);
            }
            touched.insert(name);
        }
        self.aggregate(now, &mut changes);
        Published { changes, touched }
    }
}

const fn place(publication: &Publication) -> (ContainerId, u32) {
    (publication.container, publication.instance)
}

fn life(now: Instant, publication: &Publication) -> Life {
    match publication.expire_type {
        ExpireType::Static => Life::Static,
        ExpireType::Endpoint => Life::Endpoint,
        ExpireType::User => Life::User,
        ExpireType::Time => {
            let seconds = publication.expires.unwrap_or(DEFAULT_EXPIRES.into());
            let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
            Life::Until {
                at: now + Duration::from_secs(seconds.into()),
                seconds,
            }
        }
    }
}

/// What only the server and trusted applications publish.
fn check_read_only(publications: &[Publication]) -> Result<(), Refusal> {
    if publications.iter().any(is_read_only) {
        Err(Refusal::with_id(
            403,
            Refusal::READ_ONLY,
            "category is read-only",
        ))
    } else {
        Ok(())
    }
}

fn is_read_only(publication: &Publication) -> bool {
    match CategoryName::from(publication.category_name.as_str()) {
        CategoryName::UserProperties
        | CategoryName::Mwi
        | CategoryName::LegacyInterop
        | CategoryName::Services => true,
        CategoryName::ContactCard => publication.instance == instance::CONTACT_CARD_IDENTITY,
        CategoryName::State => {
            matches!(
                publication.instance,
                instance::STATE_OFFLINE
                    | instance::STATE_AGGREGATE
                    | instance::STATE_AGGREGATE_MACHINE
            ) && (matches!(
                publication.container,
                ContainerId::FIRST_AGGREGATION | ContainerId::SECOND_AGGREGATION
            ) || ContainerId::AGGREGATED.contains(&publication.container))
        }
        _ => false,
    }
}
