//! Fan-out of a publish, and reading of documents. Other parsers stand beside the reader in the package `ocs-benches`, bench `xml`.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ocs_pres::doc::{
    Categories, Change, ContainerChange, ContainerId, ExpireType, Member, MemberChange,
    Publication, Publish, RoamingData, SetContainerMembers, SourceNetwork,
};
use ocs_pres::server::{NameSet, Policy, Presentity, Sender, SubscriptionId, Watcher, Watchers};
use ocs_sip_core::clock::WallClock;
use ocs_sip_core::uri::Aor;
use ocs_xml::{Raw, SmolStr, from_slice, to_string};

const OWN_DATA: &[u8] = include_bytes!("../tests/data/sipe/self-published.xml");
const CONTACT: &[u8] = include_bytes!("../tests/data/vectors/categories-notify.xml");
const CONTAINERS: [u16; 4] = [100, 200, 300, 400];

struct Scene {
    now: Instant,
    user: Aor,
    presentity: Presentity,
    watchers: Watchers,
    version: u32,
}

impl Scene {
    /// Watchers in four containers, half of them with five categories, half with three.
    fn new(watchers: u64) -> Self {
        let now = Instant::now();
        let user = Aor::parse("bob@contoso.com").unwrap();
        let mut policy = Policy {
            category_subscriptions: usize::MAX,
            ..Policy::default()
        };
        policy.limits.members = usize::MAX;
        policy.limits.xml.size = usize::MAX;
        let names = |names: &[&str]| {
            let names: Vec<SmolStr> = names.iter().copied().map(SmolStr::from).collect();
            NameSet::new(&policy, &names)
        };
        let sets = [
            names(&["calendarData", "contactCard", "note", "services", "state"]),
            names(&["contactCard", "note", "state"]),
        ];
        let clock = WallClock::new(now, SystemTime::UNIX_EPOCH);
        let mut presentity = Presentity::new(Arc::new(policy.clone()), user.clone(), clock);
        let sender = Sender {
            user: &user,
            endpoint: None,
            trusted: false,
        };
        let addresses: Vec<_> = (0..watchers)
            .map(|id| format!("user{id}@contoso.com"))
            .collect();
        let containers = CONTAINERS.iter().enumerate().map(|(index, id)| {
            let members = addresses.iter().skip(index).step_by(CONTAINERS.len());
            let members = members.map(|a| MemberChange::new(Change::Add, Member::user(a.as_str())));
            ContainerChange::new(ContainerId::new(*id).unwrap(), 0, members.collect())
        });
        let request = to_string(&SetContainerMembers::new(containers.collect()));
        presentity
            .set_container_members(&sender, request.as_bytes())
            .unwrap();
        let mut index = Watchers::new();
        for (id, address) in (0u64..).zip(&addresses) {
            let watcher = Arc::new(Watcher {
                user: Aor::parse(address).unwrap(),
                network: SourceNetwork::SameEnterprise,
            });
            let set = &sets[usize::from(id % 8 < 4)];
            index
                .subscribe(&presentity, SubscriptionId(id), &watcher, set)
                .unwrap();
        }
        Self {
            now,
            user,
            presentity,
            watchers: index,
            version: 0,
        }
    }

    /// A note in all containers, from the octets of the request to the last body.
    fn publish(&mut self) -> usize {
        let value = Raw::parse(
            br#"<note xmlns="http://schemas.microsoft.com/2006/09/sip/note"><body type="personal" uri="">Back at 3</body></note>"#,
            &ocs_xml::Limits::default(),
        );
        let publication = |id: &u16| {
            let id = ContainerId::new(*id).unwrap();
            Publication::new(
                "note",
                0,
                id,
                self.version,
                ExpireType::Static,
                value.clone().ok(),
            )
        };
        let publications = CONTAINERS.iter().map(publication).collect();
        let body = to_string(&Publish::new("sip:bob@contoso.com", publications));
        self.version += 1;
        let sender = Sender {
            user: &self.user,
            endpoint: None,
            trusted: false,
        };
        let published = self
            .presentity
            .publish(self.now, &sender, body.as_bytes())
            .unwrap();
        let mut octets = 0;
        self.watchers.fan_out(
            &self.presentity,
            &published.changes,
            |subscription, body| {
                black_box(subscription);
                octets += body.clone().len();
            },
        );
        octets
    }
}

fn publish(c: &mut Criterion) {
    let mut group = c.benchmark_group("publish and fan out");
    for watchers in [100, 1_000, 10_000] {
        let mut scene = Scene::new(watchers);
        group.throughput(Throughput::Elements(watchers));
        group.bench_function(BenchmarkId::from_parameter(watchers), |b| {
            b.iter(|| scene.publish());
        });
    }
    group.finish();
}

fn documents(c: &mut Criterion) {
    let limits = ocs_xml::Limits::default();
    for (name, document) in [("own data, 4 KB", OWN_DATA), ("contact, 1.5 KB", CONTACT)] {
        let mut group = c.benchmark_group(name);
        group.throughput(Throughput::Bytes(document.len() as u64));
        group.bench_function("this", |b| {
            if document == OWN_DATA {
                b.iter(|| from_slice::<RoamingData>(black_box(document), &limits).unwrap());
            } else {
                b.iter(|| from_slice::<Categories>(black_box(document), &limits).unwrap());
            }
        });
        group.finish();
    }
}

criterion_group!(benches, publish, documents);
criterion_main!(benches);
