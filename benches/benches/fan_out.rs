//! What a note costs that is published to many watchers: the model of presence alone, with the notifications of the
//! dialogs made, and in the front end as a whole, signed and encoded.
#![allow(missing_docs)] // criterion_group! makes a public function.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ocs_benches::presence::{CATEGORIES, Presence};
use ocs_pres::doc::{
    Change, ContainerChange, ContainerId, ExpireType, Member, MemberChange, MemberType,
    Publication, Publish, SetContainerMembers, SourceNetwork, content_type,
};
use ocs_pres::server::{NameSet, Policy, Presentity, Sender, SubscriptionId, Watcher, Watchers};
use ocs_sip_core::subscription::{Content, Notifier, NotifierPolicy};
use ocs_sip_core::{Aor, HeaderName, Message, Method, WallClock};
use ocs_xml::{Raw, SmolStr, to_string};

/// How many watch. A run that only tests leaves out the larger numbers: signing in takes longer than all that is measured.
fn watchers() -> &'static [u32] {
    if ocs_benches::is_test() {
        &[10, 100]
    } else {
        &[10, 100, 1_000, 10_000]
    }
}

/// A user and those who watch him, without connections.
struct Model {
    now: Instant,
    user: Aor,
    presentity: Presentity,
    watchers: Watchers,
    notifiers: Vec<Notifier>,
    version: u32,
}

impl Model {
    fn new(watchers: u32) -> Self {
        let now = Instant::now();
        let user = Aor::parse("user0@contoso.com").expect("an address");
        let policy = Arc::new(Policy {
            category_subscriptions: usize::MAX,
            ..Policy::default()
        });
        let names = NameSet::new(&policy, &CATEGORIES.map(SmolStr::from));
        let clock = WallClock::new(now, SystemTime::UNIX_EPOCH);
        let mut presentity = Presentity::new(policy, user.clone(), clock);
        let sender = Sender {
            user: &user,
            endpoint: None,
            trusted: false,
        };
        let colleagues =
            MemberChange::new(Change::Add, Member::network(MemberType::SameEnterprise));
        let company = ContainerId::new(200).expect("a container");
        let change = ContainerChange::new(company, 0, vec![colleagues]);
        let request = to_string(&SetContainerMembers::new(vec![change]));
        let done = presentity.set_container_members(&sender, request.as_bytes());
        done.expect("a change that is allowed");
        let mut index = Watchers::new();
        let mut notifiers = Vec::new();
        let granted = Arc::new(NotifierPolicy::new(["presence"]));
        for number in 1..=watchers {
            let id = SubscriptionId(u64::from(number) - 1);
            let watcher = Arc::new(Watcher {
                user: format!("user{number}@contoso.com")
                    .parse()
                    .expect("an address"),
                network: SourceNetwork::SameEnterprise,
            });
            let seen = index.subscribe(&presentity, id, &watcher, &names);
            let state = Content::new(content_type::CATEGORIES, to_string(&seen.expect("room")));
            let tag = format!("8C9F2D1E{number:08x}");
            let accepted = Notifier::accept(now, &subscribe(number), &tag, &granted, state);
            notifiers.push(accepted.expect("a subscription").0);
        }
        Self {
            now,
            user,
            presentity,
            watchers: index,
            notifiers,
            version: 0,
        }
    }

    /// Another note, and its body for each watcher.
    fn publish(&mut self, mut deliver: impl FnMut(&mut Notifier, &bytes::Bytes)) {
        let text = format!(
            r#"<note xmlns="http://schemas.microsoft.com/2006/09/sip/note"><body type="personal" uri="">Back at {}</body></note>"#,
            self.version
        );
        let value = Raw::parse(text.as_bytes(), &ocs_xml::Limits::default()).expect("a note");
        let publications = [200, 300, 400].map(|container| {
            let container = ContainerId::new(container).expect("a container");
            let value = Some(value.clone());
            Publication::new(
                "note",
                0,
                container,
                self.version,
                ExpireType::Static,
                value,
            )
        });
        let body = to_string(&Publish::new("sip:user0@contoso.com", publications.into()));
        self.version += 1;
        let sender = Sender {
            user: &self.user,
            endpoint: None,
            trusted: false,
        };
        let published = self.presentity.publish(self.now, &sender, body.as_bytes());
        let changes = published.expect("a note").changes;
        let notifiers = &mut self.notifiers;
        let mut told = 0;
        self.watchers
            .fan_out(&self.presentity, &changes, |id, body| {
                told += 1;
                deliver(&mut notifiers[id.0 as usize], body);
            });
        assert_eq!(told, notifiers.len());
    }
}

fn subscribe(number: u32) -> Message {
    let own = format!("sip:user{number}@contoso.com");
    let gruu = format!("<{own};opaque=user:epid:KFBxF2LYDV6HKY7GqP9ySgAA;gruu>");
    Message::request(Method::Subscribe, &own)
        .with(
            HeaderName::From,
            &format!("<{own}>;tag={number:08x};epid={number:010x}"),
        )
        .with(HeaderName::To, &format!("<{own}>"))
        .with(HeaderName::CallId, &format!("{number:010x}C2E0g1D28a"))
        .with(HeaderName::CSeq, "1 SUBSCRIBE")
        .with(HeaderName::Contact, &gruu)
        .with(HeaderName::Event, "presence")
        .with(HeaderName::Supported, "com.microsoft.autoextend")
        .with(HeaderName::Supported, "ms-benotify")
        .with(HeaderName::Supported, "ms-piggyback-first-notify")
}

fn model(c: &mut Criterion) {
    let mut group = c.benchmark_group("note, model alone");
    for &watchers in watchers() {
        let mut model = Model::new(watchers);
        group.throughput(Throughput::Elements(u64::from(watchers)));
        group.bench_function(BenchmarkId::from_parameter(watchers), |b| {
            b.iter(|| {
                model.publish(|_, body| {
                    black_box(body.clone());
                });
            });
        });
    }
    group.finish();
    let mut group = c.benchmark_group("note, notifications made");
    for &watchers in watchers() {
        let mut model = Model::new(watchers);
        let now = model.now;
        group.throughput(Throughput::Elements(u64::from(watchers)));
        group.bench_function(BenchmarkId::from_parameter(watchers), |b| {
            b.iter(|| {
                model.publish(|notifier, body| {
                    let content = Content::new(content_type::CATEGORIES, body.clone());
                    notifier.notify_delta(now, content);
                    let message = notifier.poll_transmit();
                    drop(black_box(message.expect("a notification")));
                });
            });
        });
    }
    group.finish();
}

fn front_end(c: &mut Criterion) {
    let mut group = c.benchmark_group("note, front end");
    for &watchers in watchers() {
        let mut presence = Presence::new(watchers + 1, |config| {
            config.presence.category_subscriptions = usize::MAX;
        });
        let mut publisher = presence.sign_in(0);
        presence.admit_colleagues(&mut publisher);
        for number in 1..=watchers {
            let mut station = presence.sign_in(number);
            presence.watch(&mut station, std::iter::once(0));
        }
        group.throughput(Throughput::Elements(u64::from(watchers)));
        group.bench_function(BenchmarkId::from_parameter(watchers), |b| {
            b.iter_custom(|rounds| {
                let mut busy = Duration::ZERO;
                for _ in 0..rounds {
                    presence.advance(Duration::from_millis(1));
                    let fanned = presence.publish_note(&mut publisher);
                    assert_eq!(fanned.notifications, u64::from(watchers));
                    busy += fanned.busy;
                }
                busy
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = ocs_benches::criterion();
    targets = model, front_end
}
criterion_main!(benches);
