//! What holds for all documents, and for all sequences of requests.

mod common;

use common::*;
use ocs_pres::Time;
use ocs_pres::doc::{
    Action, ActionName, BatchSub, Categories, Category, Change, Container, ContainerId, Containers,
    Delegate, Delegates, ExpireType, Fault, List, ListResource, Member, MemberType, Operation,
    Publication, Publish, Resource, RoamingData, SourceNetwork, Subscriber, Subscribers,
};
use ocs_pres::server::{Changes, Policy, Presentity};
use ocs_sip_core::clock::WallClock;
use ocs_xml::{Element, Extra, Raw, SmolStr, from_slice, to_string};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

fn same<T: Element + PartialEq + std::fmt::Debug>(document: &T) {
    let text = to_string(document);
    let again: T = from_slice(text.as_bytes(), &ocs_xml::Limits::default()).unwrap();
    assert_eq!(&again, document, "{text}");
    assert_eq!(to_string(&again), text);
}

fn text() -> impl Strategy<Value = SmolStr> {
    "[ -~\u{e4}\u{1f600}\t\n]{0,30}".prop_map(SmolStr::from)
}

fn value() -> impl Strategy<Value = Raw> {
    ("[a-z]{1,8}", text(), "(urn:[a-z]{1,5})?").prop_map(|(name, text, namespace)| {
        let mut writer = ocs_xml::Writer::new();
        writer.open(&namespace, &name);
        writer.attr("a", &text);
        writer.leaf(&namespace, "b", &text);
        writer.close();
        raw(&writer.finish())
    })
}

fn container_id() -> impl Strategy<Value = ContainerId> {
    (0u16..32768).prop_map(container)
}

fn expire() -> impl Strategy<Value = ExpireType> {
    prop_oneof![
        Just(ExpireType::Static),
        Just(ExpireType::Endpoint),
        Just(ExpireType::User),
        Just(ExpireType::Time)
    ]
}

fn time() -> impl Strategy<Value = Time> {
    (0u64..4_000_000_000_000)
        .prop_map(|ms| Time(SystemTime::UNIX_EPOCH + Duration::from_millis(ms)))
}

prop_compose! {
    fn publication()(name in text(), instance: u32, container in container_id(), version: u32,
        expire in expire(), expires: Option<i64>, value in proptest::option::of(value())) -> Publication {
        let mut publication = Publication::new(name, instance, container, version, expire, value);
        publication.expires = expires;
        publication
    }
}

prop_compose! {
    fn category()(name in text(), instance: Option<u32>, container in proptest::option::of(container_id()),
        version: Option<u32>, expire in proptest::option::of(expire()), expires: Option<i64>,
        time in proptest::option::of(time()), endpoint in proptest::option::of(text()),
        values in proptest::collection::vec(value(), 0..3)) -> Category {
        let mut category = Category::none(name);
        category.instance = instance;
        category.container = container;
        category.version = version;
        category.expire_type = expire;
        category.expires = expires;
        category.publish_time = time;
        category.endpoint_id = endpoint;
        category.values = values;
        category
    }
}

fn member() -> impl Strategy<Value = Member> {
    prop_oneof![
        "[a-z]{1,5}@[a-z]{1,5}\\.org".prop_map(Member::user),
        "[a-z]{1,5}\\.org".prop_map(Member::domain),
        Just(Member::network(MemberType::SameEnterprise)),
        Just(Member::network(MemberType::Federated)),
        Just(Member::network(MemberType::PublicCloud)),
        Just(Member::network(MemberType::Everyone)),
    ]
}

prop_compose! {
    fn roaming()(categories in proptest::option::of((text(), proptest::collection::vec(category(), 0..4))),
        containers in proptest::option::of(proptest::collection::vec(
            (container_id(), any::<u32>(), proptest::collection::vec(member(), 0..4)), 0..3)),
        subscribers in proptest::option::of(proptest::collection::vec((text(), text(), any::<bool>()), 0..3)),
        delegates in proptest::option::of((any::<u32>(), proptest::collection::vec((text(), any::<bool>()), 0..3)))
    ) -> RoamingData {
        let mut data = RoamingData::new();
        data.categories = categories.map(|(uri, categories)| Categories::new(uri, categories));
        data.containers = containers.map(|containers| Containers {
            containers: containers.into_iter()
                .map(|(id, version, members)| Container { id, version, members }).collect(),
        });
        data.subscribers = subscribers.map(|subscribers| Subscribers::new(subscribers.into_iter()
            .map(|(user, name, acknowledged)| Subscriber {
                user, display_name: Some(name), acknowledged,
                network: Some(SourceNetwork::Federated), extra: Extra::default(),
            }).collect()));
        data.delegates = delegates.map(|(version, delegates)| Delegates::new(version, delegates.into_iter()
            .map(|(uri, publish)| Delegate::new(uri, publish, !publish)).collect()));
        data
    }
}

/// What may happen to a user.
#[derive(Debug, Clone)]
enum Step {
    Publish(Vec<(usize, u16, u8, u32, bool)>),
    Members(u16, bool, Member),
    Endpoint(u8, bool),
    Wait(u64),
    Watch(u64, usize, u8),
    Unwatch(u64),
}

const NAMES: [&str; 6] = [
    "note",
    "state",
    "device",
    "routing",
    "contactCard",
    "calendarData",
];
const CONTAINERS: [u16; 8] = [0, 1, 2, 3, 100, 200, 300, 32000];

fn step() -> impl Strategy<Value = Step> {
    let id = || (0..CONTAINERS.len()).prop_map(|index| CONTAINERS[index]);
    prop_oneof![
        4 => proptest::collection::vec((0..NAMES.len(), id(), 0u8..4, 0u32..3, proptest::bool::weighted(0.7)), 1..4)
            .prop_map(Step::Publish),
        2 => (id(), any::<bool>(), member()).prop_map(|(id, add, member)| Step::Members(id, add, member)),
        2 => (0u8..2, any::<bool>()).prop_map(|(endpoint, comes)| Step::Endpoint(endpoint, comes)),
        1 => (0u64..200).prop_map(Step::Wait),
        3 => (0u64..6, 0usize..6, 1u8..64).prop_map(|(id, user, names)| Step::Watch(id, user, names)),
        1 => (0u64..6).prop_map(Step::Unwatch),
    ]
}

fn watcher_of(index: usize) -> Arc<ocs_pres::server::Watcher> {
    let network = [
        SourceNetwork::SameEnterprise,
        SourceNetwork::Federated,
        SourceNetwork::None,
    ];
    watcher(
        &format!("{}@{}.org", ["a", "b"][index % 2], ["c", "d"][index / 3]),
        network[index % 3].clone(),
    )
}

/// A watcher as it follows: what it was told, put together.
#[derive(Default)]
struct Follower {
    user: usize,
    known: std::collections::BTreeMap<SmolStr, Vec<Category>>,
}

impl Follower {
    fn told(&mut self, document: &Categories) {
        for category in &document.categories {
            self.known.insert(category.name.clone(), Vec::new());
        }
        for category in &document.categories {
            if category.instance.is_some() {
                self.known
                    .get_mut(&category.name)
                    .unwrap()
                    .push(category.clone());
            }
        }
    }
}

fn run(steps: Vec<Step>) {
    let mut bob = Bob::with(Policy {
        category_subscriptions: 20,
        ..policy()
    });
    let mut followers = std::collections::BTreeMap::<u64, Follower>::new();
    for step in steps {
        let before = bob.presentity.export();
        let (changes, refused) = take(&mut bob, &mut followers, step);
        if refused {
            assert_eq!(bob.presentity.export(), before, "nothing is half applied");
        }
        for (id, body) in bob.fan_out(&changes) {
            let document = from_slice(body.as_bytes(), &ocs_xml::Limits::default()).unwrap();
            followers.get_mut(&id).unwrap().told(&document);
        }
        check(&bob, &followers);
    }
    let again = Presentity::import(
        Arc::new(policy()),
        WallClock::new(bob.now, bob.presentity_wall()),
        bob.now,
        &bob.presentity.export(),
    );
    assert_eq!(again.unwrap().export(), bob.presentity.export());
}

fn take(
    bob: &mut Bob,
    followers: &mut std::collections::BTreeMap<u64, Follower>,
    step: Step,
) -> (Changes, bool) {
    match step {
        Step::Publish(publications) => {
            let known = bob.document().categories.unwrap().categories;
            let current = |name: &str, id: u16| {
                let of = |c: &&Category| {
                    c.name == name && c.container == Some(container(id)) && c.instance == Some(2)
                };
                known.iter().find(of).and_then(|c| c.version).unwrap_or(0)
            };
            let publications = publications
                .into_iter()
                .map(|(name, id, text, kind, keep)| {
                    let expire = [ExpireType::Static, ExpireType::Endpoint, ExpireType::Time];
                    // Now and then with a version that may not fit.
                    let version = if text == 3 {
                        kind
                    } else {
                        current(NAMES[name], id)
                    };
                    let value = Some(note(&text.to_string()));
                    let expire = expire[kind as usize % 3];
                    let publication =
                        Publication::new(NAMES[name], 2, container(id), version, expire, value);
                    publication.expires(if keep { 100 } else { 0 })
                });
            match bob.publish(publications.collect()) {
                Ok(published) => (published.changes, false),
                Err(_) => (Changes::default(), true),
            }
        }
        Step::Members(id, add, member) => {
            let containers = bob.document().containers.unwrap().containers;
            let version = containers
                .iter()
                .find(|c| c.id.get() == id)
                .map_or(0, |c| c.version);
            let change = if add { Change::Add } else { Change::Remove };
            match bob.set_members(id, version, &[(change, member)]) {
                Ok(changes) => (changes, false),
                Err(_) => (Changes::default(), true),
            }
        }
        Step::Endpoint(endpoint, comes) => {
            let name = if endpoint == 0 {
                ENDPOINT
            } else {
                "endpoint-2"
            };
            let now = bob.now;
            let changes = if comes {
                bob.presentity.endpoint_registered(now, name)
            } else {
                bob.presentity.endpoint_gone(now, name)
            };
            (changes, false)
        }
        Step::Wait(seconds) => {
            bob.after(seconds);
            (bob.presentity.handle_timeout(bob.now), false)
        }
        Step::Watch(id, user, names) => {
            let names: Vec<_> = (0..6)
                .filter(|bit| names >> bit & 1 == 1)
                .map(|bit| NAMES[bit])
                .collect();
            let user = followers.get(&id).map_or(user, |follower| follower.user);
            if let Ok(document) = bob.watch(id, &watcher_of(user), &names) {
                let follower = followers.entry(id).or_insert_with(|| Follower {
                    user,
                    ..Follower::default()
                });
                follower.told(&document);
            }
            (Changes::default(), false)
        }
        Step::Unwatch(id) => {
            let there = bob
                .watchers
                .unsubscribe(ocs_pres::server::SubscriptionId(id));
            assert_eq!(there, followers.remove(&id).is_some());
            (Changes::default(), false)
        }
    }
}

/// What each watcher has put together is what it would be told if it asked now.
fn check(bob: &Bob, followers: &std::collections::BTreeMap<u64, Follower>) {
    for follower in followers.values() {
        let id = bob.presentity.container_of(&watcher_of(follower.user));
        assert!(id.is_remote());
        let names: Vec<_> = follower.known.keys().cloned().collect();
        let mut expected = Follower::default();
        expected.told(&bob.presentity.watcher_document(id, &names));
        assert_eq!(follower.known, expected.known);
    }
}

impl Bob {
    fn presentity_wall(&self) -> SystemTime {
        wall() + self.now.duration_since(self.start)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn publish_round_trips(uri in text(), publications in proptest::collection::vec(publication(), 0..4)) {
        same(&Publish::new(uri, publications));
    }

    #[test]
    fn own_data_round_trips(data in roaming()) {
        same(&data);
    }

    #[test]
    fn other_documents_round_trip(texts in proptest::collection::vec(text(), 4), numbers: [u32; 3], value in value()) {
        same(&Fault::wrong_delta(vec![Operation::new(numbers[0], numbers[1], numbers[2])]));
        same(&BatchSub::new(texts[0].clone(), vec![Action::new(
            ActionName::Unsubscribe,
            texts[1].clone(),
            vec![Resource::new(texts[2].clone()), Resource::added(texts[3].clone(), Some(value))],
            texts.clone(),
        )]));
        same(&List::new(texts[0].clone(), vec![
            ListResource::active(texts[1].clone(), texts[2].clone()),
            ListResource::resubscribe(texts[2].clone(), Some(texts[3].clone())),
            ListResource::terminated(texts[3].clone(), "noresource", 404),
        ]));
    }

    #[test]
    fn any_octets_are_read_without_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut bob = Bob::online();
        prop_assert!(bob.publish_body(&octets).is_err());
        prop_assert!(bob.set_members_body(&octets).is_err());
    }

    #[test]
    fn watchers_know_what_they_would_be_told(steps in proptest::collection::vec(step(), 1..40)) {
        run(steps);
    }
}
