//! Who is subscribed to where, and what comes of it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_pres::client::{ListId, Order, Status, Target, Watch, WatchConfig, WatchEvent};
use ocs_pres::doc::{ActionName, BatchSub};
use ocs_sip_core::Aor;
use ocs_sip_core::header::{ContentType, HeaderValue};
use ocs_xml::{Limits, from_slice};

fn aor(name: &str) -> Aor {
    let address = if name.contains('@') {
        name.to_owned()
    } else {
        format!("{name}@contoso.com")
    };
    address.parse().unwrap()
}

fn aors(names: &[&str]) -> Vec<Aor> {
    names.iter().map(|name| aor(name)).collect()
}

struct Bench {
    watch: Watch,
    now: Instant,
}

/// A subscription that was ordered.
struct Ordered {
    list: ListId,
    target: Target,
    add: Vec<String>,
    /// Those with a context.
    prompted: Vec<String>,
    remove: Vec<String>,
    repeat: Vec<String>,
    fetch: bool,
    is_new: bool,
}

fn read(body: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    let batch: BatchSub = from_slice(body.as_bytes(), &Limits::default()).unwrap();
    let (mut add, mut prompted, mut remove) = (Vec::new(), Vec::new(), Vec::new());
    for action in &batch.actions {
        assert!(action.categories().any(|name| name == "state"));
        for resource in action.resources() {
            let user = resource
                .uri
                .trim_start_matches("sip:")
                .replace("@contoso.com", "");
            match action.name {
                ActionName::Subscribe => {
                    if resource.context.is_some() {
                        prompted.push(user.clone());
                    }
                    add.push(user);
                }
                ActionName::Unsubscribe => remove.push(user),
            }
        }
    }
    (add, prompted, remove)
}

impl Bench {
    fn new(users: &[&str]) -> Self {
        let now = Instant::now();
        let mut watch = Watch::new(WatchConfig::new(aor("alice")));
        watch.watch(now, aors(users), false);
        assert_eq!(watch.poll_order(), None, "before there is a server");
        watch.start(now, true);
        Self { watch, now }
    }

    fn order(&mut self) -> Option<Ordered> {
        let order = self.watch.poll_order()?;
        let (list, target, body, repeat, fetch, is_new) = match order {
            Order::Subscribe {
                list,
                target,
                body,
                repeat,
                fetch,
            } => (list, target, body, repeat, fetch, true),
            Order::Amend { list, body, repeat } => (list, Target::Home, body, repeat, false, false),
            Order::End { .. } => panic!("{order:?}"),
        };
        let (add, prompted, remove) = read(&body);
        let (repeat, none, nobody) = read(&repeat);
        assert!(none.is_empty() && nobody.is_empty());
        Some(Ordered {
            list,
            target,
            add,
            prompted,
            remove,
            repeat,
            fetch,
            is_new,
        })
    }

    fn one(&mut self) -> Ordered {
        let order = self.order().expect("an order");
        assert!(self.watch.poll_order().is_none());
        order
    }

    fn none(&mut self) {
        assert_eq!(self.watch.poll_order(), None);
    }

    fn accept(&mut self, list: ListId) {
        self.watch.handle_accepted(self.now, list);
    }

    fn document(&mut self, list: ListId, kind: &str, body: &str) {
        let kind = ContentType::parse_value(kind).unwrap();
        self.watch
            .handle_document(
                self.now,
                list,
                &kind,
                &Bytes::copy_from_slice(body.as_bytes()),
            )
            .unwrap();
    }

    fn say(&mut self, list: ListId, user: &str, attributes: &str) {
        self.list(list, 0, user, attributes);
    }

    fn list(&mut self, list: ListId, version: u32, user: &str, attributes: &str) {
        let body = format!(
            r#"<list xmlns="urn:ietf:params:xml:ns:rlmi" uri="sip:alice@contoso.com" version="{version}" fullState="false"><resource uri="sip:{}"><instance id="0" {attributes}/></resource></list>"#,
            aor(user)
        );
        self.document(list, "application/rlmi+xml", &body);
    }

    fn categories(&mut self, list: ListId, user: &str, inner: &str) {
        let body = format!(
            r#"<categories xmlns="http://schemas.microsoft.com/2006/09/sip/categories" uri="sip:{}">{inner}</categories>"#,
            aor(user)
        );
        self.document(list, "application/msrtc-event-categories+xml", &body);
    }

    fn status(&self, user: &str) -> Status {
        self.watch.status(&aor(user)).unwrap()
    }

    /// Goes on to the next thing that is due, and gives how long it took.
    fn sleep(&mut self) -> Duration {
        let at = self.watch.poll_timeout().expect("something to wait for");
        let slept = at.saturating_duration_since(self.now);
        self.now = at.max(self.now);
        self.watch.handle_timeout(self.now);
        slept
    }

    fn changes(&mut self) -> Vec<(Aor, Vec<String>)> {
        std::iter::from_fn(|| self.watch.poll_event())
            .filter_map(|event| match event {
                WatchEvent::Changed { of, categories } => {
                    Some((of, categories.iter().map(ToString::to_string).collect()))
                }
                _ => None,
            })
            .collect()
    }
}

#[test]
fn one_subscription_for_all_contacts() {
    let mut bench = Bench::new(&["bob", "carol"]);
    let first = bench.one();
    assert!(first.is_new && !first.fetch);
    assert_eq!(
        (first.target, first.add),
        (Target::Home, vec!["bob".to_owned(), "carol".into()])
    );
    assert_eq!(first.prompted, [] as [&str; 0]);
    assert_eq!(bench.status("bob"), Status::Subscribing);
    // Those who come while it is on its way wait for the answer.
    bench.watch.watch(bench.now, [aor("dave")], true);
    bench.watch.watch(bench.now, [aor("eve")], true);
    bench.none();
    bench.accept(first.list);
    assert_eq!(bench.status("bob"), Status::Subscribed);
    let more = bench.one();
    assert!(!more.is_new);
    // Only the new ones are named; a refresh names all, and prompts nobody.
    assert_eq!(more.add, ["dave", "eve"]);
    assert_eq!(more.prompted, ["dave", "eve"]);
    assert_eq!(more.repeat, ["bob", "carol", "dave", "eve"]);
    bench.accept(more.list);
    // Who is watched already and then becomes a contact is prompted for that.
    bench.watch.watch(bench.now, [aor("carol")], true);
    let prompt = bench.one();
    assert_eq!(
        (prompt.prompted, prompt.repeat.len()),
        (vec!["carol".to_owned()], 4)
    );
    bench.accept(prompt.list);
    // One goes, one comes back before anything was said.
    bench.watch.unwatch(bench.now, &aor("bob"));
    bench
        .watch
        .watch(bench.now, [aor("carol"), aor("frank")], false);
    let change = bench.one();
    assert_eq!(
        (change.add, change.remove),
        (vec![], vec!["bob".to_owned()])
    );
    bench.accept(change.list);
    let change = bench.one();
    assert_eq!(
        (change.add, change.remove.len()),
        (vec!["frank".to_owned()], 0)
    );
    bench.accept(change.list);
    bench.none();
    // With the last one it ends.
    for user in ["carol", "dave", "eve", "frank"] {
        bench.watch.unwatch(bench.now, &aor(user));
        if bench.watch.users().count() > 0
            && let Some(change) = bench.order()
        {
            bench.accept(change.list);
        }
    }
    let mut last = None;
    while let Some(order) = bench.watch.poll_order() {
        if let Order::Amend { list, .. } = order {
            bench.accept(list);
        }
        last = Some(order);
    }
    assert_eq!(last, Some(Order::End { list: first.list }));
}

#[test]
fn documents_replace_by_category() {
    let mut bench = Bench::new(&["bob"]);
    let list = bench.one().list;
    let note = |instance: u32, time: &str, text: &str| {
        format!(
            r#"<category name="note" instance="{instance}" publishTime="{time}"><note xmlns="http://schemas.microsoft.com/2006/09/sip/note"><body type="personal">{text}</body></note></category>"#
        )
    };
    let state = r#"<category name="state" instance="1" publishTime="2026-11-22T07:43:23.123Z"><state xmlns="http://schemas.microsoft.com/2006/09/sip/state"><availability>3500</availability></state></category>"#;
    let notes =
        note(0, "2026-11-22T07:43:23.123Z", "old") + &note(1, "2026-11-22T07:43:24Z", "new");
    bench.categories(list, "bob", &(state.to_owned() + &notes));
    assert_eq!(
        bench.changes(),
        [(aor("bob"), vec!["note".to_owned(), "state".into()])]
    );
    let presence = bench.watch.presence(&aor("bob")).unwrap();
    assert_eq!(presence.newest("note").unwrap().instance, Some(1));
    // The same again is no change; a category that is not named stays; an empty one is gone.
    bench.categories(list, "bob", state);
    assert_eq!(bench.changes(), []);
    bench.categories(list, "bob", r#"<category name="note"/>"#);
    assert_eq!(bench.changes(), [(aor("bob"), vec!["note".to_owned()])]);
    let presence = bench.watch.presence(&aor("bob")).unwrap();
    assert!(presence.knows("note") && presence.instances("note").is_empty());
    assert_eq!(presence.instances("state").len(), 1);
    assert!(!presence.knows("services"));
    // Nobody speaks of those who were not asked about.
    bench.categories(list, "mallory", state);
    assert_eq!(bench.changes(), []);
    assert_eq!(bench.watch.users().count(), 1);
}

#[test]
fn the_note_of_who_is_out_of_office() {
    let mut bench = Bench::new(&["bob"]);
    let list = bench.one().list;
    let note = |instance: u32, kind: &str, minute: u32, text: &str| {
        format!(
            r#"<category name="note" instance="{instance}" publishTime="2026-11-22T07:{minute}:00Z"><note xmlns="http://schemas.microsoft.com/2006/09/sip/note"><body type="{kind}">{text}</body></note></category>"#
        )
    };
    let state = |activity: &str| {
        format!(
            r#"<category name="state" instance="1"><state xmlns="http://schemas.microsoft.com/2006/09/sip/state" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="aggregateState"><availability>3500</availability>{activity}</state></category>"#
        )
    };
    let away = r#"<activity token="out-of-office" minAvailability="12000"/>"#;
    let meeting = r#"<activity token="in-a-meeting"/>"#;
    let own = note(0, "personal", 50, "at the lake");
    let replies = note(1, "OOF", 20, "before") + &note(2, "OOF", 30, "back on Monday");
    for (activity, notes, expected) in [
        ("", own.clone() + &replies, Some("at the lake")),
        (meeting, own.clone() + &replies, Some("at the lake")),
        (away, own.clone() + &replies, Some("back on Monday")),
        (away, own.clone(), Some("at the lake")),
        (away, replies, Some("back on Monday")),
        (away, r#"<category name="note"/>"#.to_owned(), None),
    ] {
        bench.categories(list, "bob", &(state(activity) + &notes));
        let note = bench.watch.presence(&aor("bob")).unwrap().note();
        let text = note.map(|note| note.body[0].text.to_string());
        assert_eq!(text.as_deref(), expected, "{activity}");
    }
}

#[test]
fn sent_on_to_a_pool() {
    let mut bench = Bench::new(&["bob", "carol", "dave"]);
    let home = bench.one().list;
    bench.accept(home);
    let at_pool = r#"state="resubscribe" cid="x" poolFqdn="sip:pool2.contoso.com""#;
    let body = format!(
        r#"<list xmlns="urn:ietf:params:xml:ns:rlmi" uri="sip:alice@contoso.com" version="0" fullState="false"><resource uri="sip:bob@contoso.com"><instance id="0" {at_pool}/></resource><resource uri="sip:carol@contoso.com"><instance id="0" {at_pool}/></resource></list>"#
    );
    bench.document(home, "application/rlmi+xml", &body);
    // One subscription for both, which prompts nobody.
    let pool = bench.one();
    assert_eq!(pool.target, Target::Pool("sip:pool2.contoso.com".into()));
    assert_eq!(
        (pool.add, pool.prompted.len()),
        (vec!["bob".to_owned(), "carol".into()], 0)
    );
    bench.accept(pool.list);
    assert_eq!(bench.status("bob"), Status::Subscribed);
    // A foreign pool speaks of its own users only.
    bench.categories(pool.list, "dave", r#"<category name="note"/>"#);
    assert_eq!(bench.changes(), []);
    bench.categories(pool.list, "bob", r#"<category name="note"/>"#);
    assert_eq!(bench.changes().len(), 1);
    // The pool does the same: no loop, but another try from home after 10 s, then 20 s.
    for seconds in [10, 20, 40] {
        bench.say(pool.list, "carol", at_pool);
        bench.none();
        assert_eq!(bench.status("carol"), Status::Waiting);
        assert_eq!(bench.sleep(), Duration::from_secs(seconds));
        let again = bench.one();
        assert_eq!((again.is_new, again.list), (false, home));
        assert_eq!(again.add, ["carol"]);
        bench.accept(home);
        bench.say(home, "carol", at_pool);
        let again = bench.one();
        assert_eq!(again.list, pool.list);
        bench.accept(pool.list);
    }
}

#[test]
fn sent_on_to_the_user() {
    let mut bench = Bench::new(&["bob", "dave@fabrikam.com"]);
    let home = bench.one().list;
    bench.say(home, "dave@fabrikam.com", r#"state="resubscribe""#);
    let single = bench.one();
    assert_eq!(single.target, Target::User(aor("dave@fabrikam.com")));
    assert_eq!(single.add, ["dave@fabrikam.com"]);
    bench.accept(home);
    assert_eq!(bench.status("dave@fabrikam.com"), Status::Subscribing);
    bench.accept(single.list);
    assert_eq!(bench.status("dave@fabrikam.com"), Status::Subscribed);
    bench.categories(
        single.list,
        "dave@fabrikam.com",
        r#"<category name="state"/>"#,
    );
    assert_eq!(bench.changes().len(), 1);
}

#[test]
fn terminated() {
    let mut bench = Bench::new(&["bob", "carol"]);
    let home = bench.one().list;
    bench.accept(home);
    bench.say(
        home,
        "bob",
        r#"state="terminated" reason="noresource" statusCode="404""#,
    );
    bench.say(home, "carol", r#"state="terminated" reason="deactivated""#);
    assert_eq!(
        (bench.status("bob"), bench.status("carol")),
        (Status::Terminated, Status::Waiting)
    );
    // The subscription has nobody left.
    assert_eq!(bench.watch.poll_order(), Some(Order::End { list: home }));
    assert_eq!(bench.sleep(), Duration::from_secs(10));
    assert_eq!(bench.one().add, ["carol"]);
    // Asked for again, bob is tried again.
    bench.watch.watch(bench.now, [aor("bob")], false);
    assert_eq!(bench.status("bob"), Status::Subscribing);
}

#[test]
fn a_subscription_that_is_made_anew() {
    let mut bench = Bench::new(&["bob", "carol"]);
    let home = bench.one().list;
    bench.accept(home);
    bench.watch.handle_ended(bench.now, home, true, None);
    assert_eq!(bench.status("bob"), Status::Subscribing);
    bench.watch.unwatch(bench.now, &aor("carol"));
    bench.none();
    bench.accept(home);
    assert_eq!(bench.status("bob"), Status::Subscribed);
    assert_eq!(bench.one().remove, ["carol"]);
}

#[test]
fn ended_for_good() {
    for (status, expected) in [
        (Some(403), Status::Terminated),
        (Some(480), Status::Waiting),
        (None, Status::Waiting),
    ] {
        let mut bench = Bench::new(&["bob"]);
        let home = bench.one().list;
        bench.watch.handle_ended(bench.now, home, false, status);
        bench.none();
        assert_eq!(bench.status("bob"), expected, "{status:?}");
    }
}

#[test]
fn a_uri_that_the_server_cannot_read_does_not_spoil_the_others() {
    let mut bench = Bench::new(&["bob", "odd@contoso.com", "carol"]);
    let mut order = bench.one();
    let mut requests = 0;
    loop {
        requests += 1;
        assert!(requests < 10, "no loop");
        if order.add.contains(&"odd".to_owned()) {
            if order.is_new {
                bench
                    .watch
                    .handle_ended(bench.now, order.list, false, Some(400));
            } else {
                bench.watch.handle_amend_refused(bench.now, order.list, 400);
            }
        } else {
            bench.accept(order.list);
        }
        match bench.order() {
            Some(next) => order = next,
            None => break,
        }
    }
    assert_eq!(bench.status("bob"), Status::Subscribed);
    assert_eq!(bench.status("carol"), Status::Subscribed);
    assert_eq!(bench.status("odd"), Status::Terminated);
}

#[test]
fn a_server_that_takes_no_lists() {
    let now = Instant::now();
    let mut watch = Watch::new(WatchConfig::new(aor("alice")));
    let users: Vec<Aor> = (0..60).map(|at| aor(&format!("user{at}"))).collect();
    watch.watch(now, users, false);
    watch.start(now, false);
    let mut bench = Bench { watch, now };
    let mut sent = 0;
    while let Some(order) = bench.watch.poll_order() {
        assert!(matches!(
            order,
            Order::Subscribe {
                target: Target::Home,
                ..
            }
        ));
        sent += 1;
    }
    assert_eq!(sent, 1);
    let start = bench.now;
    while sent < 60 {
        bench.sleep();
        while bench.watch.poll_order().is_some() {
            sent += 1;
        }
        let passed = bench.now - start;
        assert!(
            sent <= 1 + (passed.as_millis() / 40) as usize,
            "{sent} in {passed:?}"
        );
    }
    assert!(bench.now - start < Duration::from_secs(3));
    assert_eq!(bench.watch.poll_timeout(), None);
}

#[test]
fn asked_from_time_to_time() {
    let mut bench = Bench::new(&["bob", "robot"]);
    let home = bench.one().list;
    bench.accept(home);
    bench.watch.poll(bench.now, &aor("robot"));
    let mut orders = [bench.order().unwrap(), bench.order().unwrap()];
    bench.none();
    orders.sort_by_key(|order| order.fetch);
    assert_eq!(orders[0].remove, ["robot"]);
    bench.accept(orders[0].list);
    let fetch = &orders[1];
    assert_eq!(
        (fetch.fetch, &fetch.add[..]),
        (true, &["robot".to_owned()][..])
    );
    bench.categories(fetch.list, "robot", r#"<category name="state"/>"#);
    bench.watch.handle_ended(bench.now, fetch.list, false, None);
    assert_eq!(bench.changes().len(), 1);
    assert_eq!(bench.status("robot"), Status::Polling);
    assert_eq!(bench.sleep(), Duration::from_mins(5));
    let fetch = bench.one();
    assert!(fetch.fetch);
    // No answer: the next time.
    bench
        .watch
        .handle_ended(bench.now, fetch.list, false, Some(503));
    assert_eq!(bench.sleep(), Duration::from_mins(5));
    assert!(bench.one().fetch);
}

#[test]
fn a_lost_connection() {
    let mut bench = Bench::new(&["bob", "carol"]);
    let home = bench.one().list;
    bench.accept(home);
    bench.categories(home, "bob", r#"<category name="state" instance="1"/>"#);
    bench.changes();
    bench.watch.stop();
    assert_eq!(bench.status("bob"), Status::Idle);
    assert_eq!(bench.watch.poll_timeout(), None);
    // What belongs to it means nothing any more.
    bench.accept(home);
    bench.categories(home, "bob", r#"<category name="state"/>"#);
    assert_eq!(bench.changes(), []);
    bench.watch.start(bench.now, true);
    let again = bench.one();
    assert_ne!(again.list, home);
    assert_eq!(again.add, ["bob", "carol"]);
    // What is as before is no change.
    bench.categories(
        again.list,
        "bob",
        r#"<category name="state" instance="1"/>"#,
    );
    assert_eq!(bench.changes(), []);
}

#[test]
fn notifications_that_overtake_each_other() {
    let mut bench = Bench::new(&["bob"]);
    let home = bench.one().list;
    bench.accept(home);
    bench.list(home, 3, "bob", r#"state="active""#);
    bench.list(home, 2, "bob", r#"state="terminated" reason="noresource""#);
    assert_eq!(bench.status("bob"), Status::Subscribed);
}

#[test]
fn what_cannot_be_read() {
    let mut bench = Bench::new(&["bob"]);
    let home = bench.one().list;
    let kind = ContentType::parse_value("application/rlmi+xml").unwrap();
    let broken = Bytes::from_static(b"<list");
    assert!(
        bench
            .watch
            .handle_document(bench.now, home, &kind, &broken)
            .is_err()
    );
    let kind = ContentType::parse_value("multipart/related; boundary=b").unwrap();
    let parts = Bytes::from_static(
        b"--b\r\nContent-Type: application/msrtc-event-categories+xml\r\n\r\n<categories\r\n--b\r\nContent-Type: application/msrtc-event-categories+xml\r\n\r\n<categories uri=\"sip:bob@contoso.com\"><category name=\"note\"/></categories>\r\n--b--\r\n",
    );
    bench
        .watch
        .handle_document(bench.now, home, &kind, &parts)
        .unwrap();
    assert_eq!(bench.changes().len(), 1);
    bench.document(home, "text/xml+msrtc.pidf", "<presentity/>");
    assert!(matches!(
        bench.watch.poll_event(),
        Some(WatchEvent::Foreign { .. })
    ));
}
