//! What several tests need.
#![allow(
    dead_code,
    unused_macros,
    unused_imports,
    reason = "each test binary needs a part"
)]

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use ocs_pres::doc::{
    Categories, Change, ContainerChange, ContainerId, ExpireType, Member, MemberChange,
    Publication, Publish, RoamingData, SetContainerMembers, SourceNetwork,
};
use ocs_pres::server::{
    Aggregated, Changes, Inputs, NameSet, Parts, Policy, Presentity, Published, Refusal, Sender,
    SubscriptionId, Watcher, Watchers,
};
use ocs_sip_core::clock::WallClock;
use ocs_sip_core::header::{ContentType, HeaderValue};
use ocs_sip_core::uri::Aor;
use ocs_xml::{Raw, SmolStr, from_slice, to_string};

/// A file of `tests/data`.
macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("data/", $name)).as_slice()
    };
}
pub(crate) use data;

/// Content-Type and body of a `.mime` file or of one of the vectors that begin like it.
pub(crate) fn mime(file: &'static [u8]) -> (ContentType<'static>, Bytes) {
    let text = std::str::from_utf8(file).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let value = head.strip_prefix("Content-Type:").unwrap();
    (
        ContentType::parse_value(value.trim()).unwrap(),
        Bytes::from_static(body.as_bytes()),
    )
}

pub(crate) const ENDPOINT: &str = "endpoint-1";

/// 2010-02-04T03:43:49.370Z.
pub(crate) fn wall() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_265_255_029_370)
}

/// Bob's presence and the moment at which it begins; time goes on as the test says.
pub(crate) struct Bob {
    pub(crate) start: Instant,
    pub(crate) now: Instant,
    pub(crate) user: Aor,
    pub(crate) presentity: Presentity,
    pub(crate) watchers: Watchers,
}

/// The availability of the machines in a container, the lowest; offline without.
fn availability(inputs: &Inputs<'_>, container: ContainerId) -> u32 {
    let of = |value: &Raw| {
        let text = value.as_str();
        let at = text.find("<availability>")? + "<availability>".len();
        text[at..].split('<').next()?.parse().ok()
    };
    inputs
        .published(container, "state")
        .filter(|source| source.instance >> 28 == 3)
        .filter_map(|source| of(source.value?))
        .min()
        .unwrap_or(18500)
}

pub(crate) fn state(availability: u32) -> Raw {
    raw(&format!(
        r#"<state xmlns="http://schemas.microsoft.com/2006/09/sip/state" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="aggregateState"><availability>{availability}</availability></state>"#
    ))
}

/// An aggregation that is good enough to see when and with what it runs.
pub(crate) fn simple_aggregation(inputs: &Inputs<'_>) -> Vec<Aggregated> {
    let one = |container: u16, instance, availability| Aggregated {
        name: "state".into(),
        instance,
        container: ContainerId::new(container).unwrap(),
        expire_type: ExpireType::User,
        value: Some(state(availability)),
    };
    let first = availability(inputs, ContainerId::FIRST_AGGREGATION);
    let second = availability(inputs, ContainerId::SECOND_AGGREGATION);
    vec![
        one(2, 1, first),
        one(100, 1, first),
        one(200, 1, first),
        one(300, 1, second),
        one(400, 1, first),
        one(32000, 0, 18500),
    ]
}

pub(crate) fn policy() -> Policy {
    Policy {
        aggregate: Some(Arc::new(simple_aggregation)),
        ..Policy::default()
    }
}

impl Bob {
    pub(crate) fn new() -> Self {
        Self::with(policy())
    }

    pub(crate) fn with(policy: Policy) -> Self {
        let now = Instant::now();
        let user = Aor::parse("bob@contoso.com").unwrap();
        let clock = WallClock::new(now, wall());
        Self {
            start: now,
            now,
            presentity: Presentity::new(Arc::new(policy), user.clone(), clock),
            user,
            watchers: Watchers::new(),
        }
    }

    /// With one registered endpoint.
    pub(crate) fn online() -> Self {
        let mut bob = Self::new();
        bob.presentity.endpoint_registered(bob.now, ENDPOINT);
        bob
    }

    pub(crate) fn after(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    pub(crate) fn publish_body(&mut self, body: &[u8]) -> Result<Published, Refusal> {
        let sender = Sender {
            user: &self.user.clone(),
            endpoint: Some(ENDPOINT),
            trusted: false,
        };
        self.presentity.publish(self.now, &sender, body)
    }

    pub(crate) fn publish(&mut self, publications: Vec<Publication>) -> Result<Published, Refusal> {
        let body = to_string(&Publish::new("sip:bob@contoso.com", publications));
        self.publish_body(body.as_bytes())
    }

    pub(crate) fn set_members(
        &mut self,
        container: u16,
        version: u32,
        changes: &[(Change, Member)],
    ) -> Result<Changes, Refusal> {
        let changes = changes.iter().cloned();
        let changes = changes.map(|(change, member)| MemberChange::new(change, member));
        let body = to_string(&SetContainerMembers::new(vec![ContainerChange::new(
            ContainerId::new(container).unwrap(),
            version,
            changes.collect(),
        )]));
        self.set_members_body(body.as_bytes())
    }

    pub(crate) fn set_members_body(&mut self, body: &[u8]) -> Result<Changes, Refusal> {
        let sender = Sender {
            user: &self.user.clone(),
            endpoint: Some(ENDPOINT),
            trusted: false,
        };
        self.presentity.set_container_members(&sender, body)
    }

    /// Container 200 for colleagues, 100 for federated watchers: what clients do at their first sign-in.
    pub(crate) fn with_default_members(mut self) -> Self {
        self.set_members_body(include_bytes!("../data/sipe/containers-first.xml"))
            .unwrap();
        self
    }

    pub(crate) fn document(&self) -> RoamingData {
        self.presentity.full_document(Parts::ALL)
    }

    /// `name instance container version` of all instances.
    pub(crate) fn instances(&self) -> Vec<String> {
        let categories = self.document().categories.unwrap().categories;
        categories.iter().map(instance).collect()
    }

    pub(crate) fn names(names: &[&str]) -> NameSet {
        let names: Vec<SmolStr> = names.iter().copied().map(SmolStr::from).collect();
        NameSet::new(&Policy::default(), &names)
    }

    pub(crate) fn watch(
        &mut self,
        id: u64,
        watcher: &Arc<Watcher>,
        names: &[&str],
    ) -> Result<Categories, Refusal> {
        let names = Self::names(names);
        self.watchers
            .subscribe(&self.presentity, SubscriptionId(id), watcher, &names)
    }

    /// What goes to whom.
    pub(crate) fn fan_out(&mut self, changes: &Changes) -> Vec<(u64, String)> {
        let mut out = Vec::new();
        self.watchers
            .fan_out(&self.presentity, changes, |subscription, body| {
                out.push((subscription.0, String::from_utf8(body.to_vec()).unwrap()));
            });
        out
    }
}

pub(crate) fn instance(category: &ocs_pres::doc::Category) -> String {
    format!(
        "{} {} {} {}",
        category.name,
        category.instance.unwrap(),
        category.container.unwrap(),
        category.version.unwrap()
    )
}

pub(crate) fn raw(text: &str) -> Raw {
    Raw::parse(text.as_bytes(), &ocs_xml::Limits::default()).unwrap()
}

pub(crate) fn note(text: &str) -> Raw {
    raw(&format!(
        r#"<note xmlns="http://schemas.microsoft.com/2006/09/sip/note"><body type="personal" uri="">{text}</body></note>"#
    ))
}

pub(crate) fn container(id: u16) -> ContainerId {
    ContainerId::new(id).unwrap()
}

/// A static note in a container.
pub(crate) fn note_in(id: u16, version: u32, text: &str) -> Publication {
    Publication::new(
        "note",
        0,
        container(id),
        version,
        ExpireType::Static,
        Some(note(text)),
    )
}

pub(crate) fn watcher(user: &str, network: SourceNetwork) -> Arc<Watcher> {
    Arc::new(Watcher {
        user: Aor::parse(user).unwrap(),
        network,
    })
}

pub(crate) fn colleague(user: &str) -> Arc<Watcher> {
    watcher(user, SourceNetwork::SameEnterprise)
}
