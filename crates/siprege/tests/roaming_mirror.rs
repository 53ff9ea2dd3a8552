//! Endpoints of one user against the user's list on the server.

use std::collections::{HashMap, VecDeque};

use ocs_ocer::ErrorId;
use ocs_siprege::contacts::{
    Action, Change, CommandId, Contact, Event, Failure, Group, GroupId, GroupSet, Limits, Mirror,
    MirrorConfig, Operation, Roster,
};
use ocs_siprege::soap::Call;
use proptest::prelude::*;

const EMPTY: &str =
    r#"<contactList deltaNum="5"><group id="1" name="~" externalURI=""/></contactList>"#;

fn contact(uri: &str) -> Contact {
    Contact::new(uri, "", GroupId::DEFAULT.into())
}

fn subscribed(list: &str) -> Mirror {
    let mut mirror = Mirror::new(MirrorConfig::default());
    assert_eq!(mirror.poll_action(), Some(Action::Subscribe));
    mirror.handle_subscribed(200, list.as_bytes());
    events(&mut mirror);
    mirror
}

fn events(mirror: &mut Mirror) -> Vec<Event> {
    std::iter::from_fn(|| mirror.poll_event()).collect()
}

fn service(mirror: &mut Mirror) -> String {
    match mirror.poll_action() {
        Some(Action::Service(body)) => body,
        other => panic!("{other:?}"),
    }
}

fn number_of(body: &str) -> u32 {
    let Ok(Call::Contacts(request)) = Call::read(body.as_bytes(), &ocs_xml::Limits::default())
    else {
        panic!("{body}")
    };
    request.delta_num.unwrap()
}

fn added(number: u32, uri: &str) -> String {
    format!(
        r#"<contactDelta deltaNum="{}" prevDeltaNum="{number}"><addedContact uri="sip:{uri}" name="" groups="1" subscribed="true" externalURI=""/></contactDelta>"#,
        number + 1
    )
}

#[test]
fn answers_may_come_before_their_deltas() {
    let mut mirror = subscribed(EMPTY);
    mirror.set_contact(contact("a@b.c"));
    mirror.set_contact(contact("b@b.c"));
    assert_eq!(number_of(&service(&mut mirror)), 5);
    assert_eq!(mirror.poll_action(), None);
    mirror.handle_answer(200, None, b"");
    assert_eq!(number_of(&service(&mut mirror)), 6);
    mirror.handle_notification(added(5, "a@b.c").as_bytes());
    mirror.handle_answer(200, None, b"");
    mirror.handle_notification(added(6, "b@b.c").as_bytes());
    assert_eq!(mirror.list().delta_num, 7);
    assert_eq!(mirror.poll_action(), None);
    mirror.delete_contact("a@b.c");
    assert_eq!(number_of(&service(&mut mirror)), 7);
}

#[test]
fn a_gap_asks_for_the_whole_list_once() {
    let mut mirror = subscribed(EMPTY);
    mirror.handle_notification(added(7, "a@b.c").as_bytes());
    mirror.handle_notification(added(8, "b@b.c").as_bytes());
    assert_eq!(mirror.poll_action(), Some(Action::Subscribe));
    assert_eq!(mirror.poll_action(), None);
    assert!(!mirror.is_current());
    let list = r#"<contactList deltaNum="9"><contact uri="a@b.c"/></contactList>"#;
    mirror.handle_subscribed(200, list.as_bytes());
    let events = events(&mut mirror);
    assert!(matches!(
        &events[..],
        [
            Event::Changed(Change::AddedContact(_)),
            Event::Changed(Change::DeletedGroup(_)),
            Event::Synchronized
        ]
    ));
    // A delta from before is passed over.
    mirror.handle_notification(added(7, "c@b.c").as_bytes());
    assert_eq!(mirror.list().contacts.len(), 1);
    assert_eq!(mirror.poll_action(), None);
}

#[test]
fn a_conflict_whose_cause_is_known_is_sent_again_at_once() {
    let mut mirror = subscribed(EMPTY);
    let id = mirror.set_contact(contact("a@b.c"));
    service(&mut mirror);
    mirror.handle_notification(added(5, "other@b.c").as_bytes());
    mirror.handle_answer(409, None, b"");
    assert_eq!(number_of(&service(&mut mirror)), 6);
    mirror.handle_answer(200, None, b"");
    assert!(events(&mut mirror).contains(&Event::Done { id, group: None }));
}

#[test]
fn a_conflict_whose_cause_is_not_known_asks_for_the_list() {
    let mut mirror = subscribed(EMPTY);
    let id = mirror.set_contact(contact("a@b.c"));
    service(&mut mirror);
    mirror.handle_answer(409, None, b"");
    assert_eq!(mirror.poll_action(), Some(Action::Subscribe));
    mirror.handle_subscribed(200, EMPTY.replace('5', "8").as_bytes());
    assert_eq!(number_of(&service(&mut mirror)), 8);
    // The same number again: it is refused for another reason.
    mirror.handle_answer(409, None, b"");
    assert_eq!(mirror.poll_action(), Some(Action::Subscribe));
    mirror.handle_subscribed(200, EMPTY.replace('5', "8").as_bytes());
    assert_eq!(mirror.poll_action(), None);
    let failure = Failure::Refused {
        status: 409,
        error_id: None,
    };
    assert!(events(&mut mirror).contains(&Event::Failed { id, failure }));
}

#[test]
fn conflicts_do_not_go_on_for_ever() {
    let mut mirror = subscribed(EMPTY);
    let id = mirror.set_contact(contact("a@b.c"));
    let mut sent = 0;
    for number in 6.. {
        match mirror.poll_action() {
            Some(Action::Service(_)) => {
                sent += 1;
                mirror.handle_answer(409, None, b"");
            }
            Some(Action::Subscribe) => {
                let list = EMPTY.replace('5', &number.to_string());
                mirror.handle_subscribed(200, list.as_bytes());
            }
            None => break,
        }
    }
    assert_eq!(sent, 4);
    let failure = Failure::Refused {
        status: 409,
        error_id: None,
    };
    assert!(events(&mut mirror).contains(&Event::Failed { id, failure }));
    assert!(mirror.is_current());
}

#[test]
fn other_refusals_end_the_command_only() {
    let mut mirror = subscribed(EMPTY);
    for (status, error_id) in [
        (403, Some(ErrorId(2007))),
        (400, Some(ErrorId(2009))),
        (408, None),
        (503, None),
    ] {
        let id = mirror.set_contact(contact("a@b.c"));
        service(&mut mirror);
        mirror.handle_answer(status, error_id, b"");
        let failure = Failure::Refused { status, error_id };
        assert_eq!(events(&mut mirror), [Event::Failed { id, failure }]);
        assert_eq!(mirror.poll_action(), None);
    }
}

#[test]
fn a_server_that_never_fits_is_left() {
    let mut mirror = subscribed(EMPTY);
    let id = mirror.set_contact(contact("a@b.c"));
    let mut subscriptions = 0;
    mirror.handle_notification(b"<contactDelta");
    for _ in 0..20 {
        match mirror.poll_action() {
            Some(Action::Subscribe) => {
                subscriptions += 1;
                mirror.handle_subscribed(200, b"<nonsense/>");
            }
            Some(Action::Service(_)) => mirror.handle_answer(409, None, b""),
            None => break,
        }
    }
    assert_eq!(subscriptions, 3);
    let seen = events(&mut mirror);
    assert!(seen.contains(&Event::Lost { status: None }));
    assert!(
        seen.iter()
            .any(|event| matches!(event, Event::Failed { id: failed, .. } if *failed == id))
    );
    // Commands wait until the application asks again.
    let id = mirror.add_group("Friends");
    assert_eq!(mirror.poll_action(), None);
    mirror.resubscribe();
    assert_eq!(mirror.poll_action(), Some(Action::Subscribe));
    mirror.handle_subscribed(200, EMPTY.as_bytes());
    service(&mut mirror);
    mirror.handle_answer(200, None, b"not what was promised");
    assert!(events(&mut mirror).contains(&Event::Done { id, group: None }));
}

#[test]
fn a_refused_subscription_is_told() {
    let mut mirror = Mirror::new(MirrorConfig::default());
    mirror.handle_subscribed(100, b"");
    mirror.handle_subscribed(403, b"");
    assert_eq!(events(&mut mirror), [Event::Lost { status: Some(403) }]);
}

#[test]
fn contacts_in_exchange() {
    let by_status = |mirror: &mut Mirror| mirror.handle_subscribed(488, b"");
    let by_mode = |mirror: &mut Mirror| {
        mirror.handle_subscribed(200, br#"<contactList deltaNum="3" ucsmode="migrated"/>"#);
    };
    for migrate in [&by_status as &dyn Fn(&mut Mirror), &by_mode] {
        let mut mirror = Mirror::new(MirrorConfig::default());
        let waiting = mirror.add_group("Friends");
        migrate(&mut mirror);
        let later = mirror.add_group("Friends");
        let failed = |id| Event::Failed {
            id,
            failure: Failure::Migrated,
        };
        assert_eq!(
            events(&mut mirror),
            [failed(waiting), Event::Migrated, failed(later)]
        );
        // What comes then is a hint only.
        mirror.handle_notification(EMPTY.as_bytes());
        assert_eq!(events(&mut mirror), [Event::StoreChanged]);
        assert!(mirror.is_migrated() && mirror.list().groups.is_empty());
        // Moved back.
        mirror.resubscribe();
        let list = EMPTY.replace("deltaNum", r#"ucsmode="other" deltaNum"#);
        mirror.handle_subscribed(200, list.as_bytes());
        assert!(mirror.is_current());
    }
}

#[test]
fn the_queue_is_bounded() {
    let mut mirror = Mirror::new(MirrorConfig {
        queue: 2,
        ..MirrorConfig::default()
    });
    mirror.add_group("a");
    mirror.add_group("b");
    let id = mirror.add_group("c");
    let failure = Failure::QueueFull;
    assert_eq!(events(&mut mirror), [Event::Failed { id, failure }]);
}

#[test]
fn numbers_go_round() {
    let mut mirror = subscribed(&EMPTY.replace('5', &u32::MAX.to_string()));
    mirror.set_contact(contact("a@b.c"));
    assert_eq!(number_of(&service(&mut mirror)), u32::MAX);
    let delta = added(0, "a@b.c").replace(r#"prevDeltaNum="0""#, r#"prevDeltaNum="4294967295""#);
    mirror.handle_notification(delta.as_bytes());
    mirror.handle_answer(200, None, b"");
    mirror.set_contact(contact("b@b.c"));
    assert_eq!(number_of(&service(&mut mirror)), 1);
}

/// What is on its way to an endpoint.
enum Message {
    Subscribed(u16, String),
    Notification(String),
    Answer(u16, Option<ErrorId>, String),
}

struct Endpoint {
    mirror: Mirror,
    to_server: VecDeque<Action>,
    from_server: VecDeque<Message>,
    commands: HashMap<CommandId, u32>,
}

/// The server and endpoints with lines between them on which everything takes its time.
struct World {
    roster: Roster,
    endpoints: Vec<Endpoint>,
    delta_first: bool,
}

impl World {
    fn new(endpoints: usize, delta_first: bool) -> Self {
        let endpoint = || Endpoint {
            mirror: Mirror::new(MirrorConfig::default()),
            to_server: VecDeque::new(),
            from_server: VecDeque::new(),
            commands: HashMap::new(),
        };
        Self {
            roster: Roster::new(),
            endpoints: std::iter::repeat_with(endpoint).take(endpoints).collect(),
            delta_first,
        }
    }

    fn submit(&mut self, endpoint: usize, operation: Operation) {
        let endpoint = &mut self.endpoints[endpoint];
        let id = endpoint.mirror.submit(operation);
        endpoint.commands.insert(id, 0);
        self.drain();
    }

    fn drain(&mut self) {
        for endpoint in &mut self.endpoints {
            endpoint
                .to_server
                .extend(std::iter::from_fn(|| endpoint.mirror.poll_action()));
            for event in events(&mut endpoint.mirror) {
                match event {
                    Event::Done { id, .. } | Event::Failed { id, .. } => {
                        *endpoint.commands.get_mut(&id).unwrap() += 1;
                    }
                    Event::Lost { .. } => endpoint.mirror.resubscribe(),
                    _ => {}
                }
            }
            endpoint
                .to_server
                .extend(std::iter::from_fn(|| endpoint.mirror.poll_action()));
        }
    }

    /// The server reads one request of an endpoint. With `lose` the notifications get lost.
    fn serve(&mut self, endpoint: usize, lose: bool) -> bool {
        let Some(action) = self.endpoints[endpoint].to_server.pop_front() else {
            return false;
        };
        let Action::Service(body) = action else {
            let list = self.roster.subscribe(true).unwrap();
            self.endpoints[endpoint]
                .from_server
                .push_back(Message::Subscribed(200, list));
            return true;
        };
        let Ok(Call::Contacts(request)) = Call::read(body.as_bytes(), &ocs_xml::Limits::default())
        else {
            panic!("{body}")
        };
        let limits = Limits {
            contacts: 8,
            groups: 5,
            ..Limits::default()
        };
        match self.roster.apply(&request, &limits) {
            Ok(applied) => {
                let answer = Message::Answer(200, None, applied.answer.unwrap_or_default());
                if self.delta_first {
                    self.notify(&applied.delta, lose);
                    self.endpoints[endpoint].from_server.push_back(answer);
                } else {
                    self.endpoints[endpoint].from_server.push_back(answer);
                    self.notify(&applied.delta, lose);
                }
            }
            Err(refusal) => {
                let body = refusal
                    .fault
                    .map(|fault| fault.to_body())
                    .unwrap_or_default();
                let answer = Message::Answer(refusal.status, refusal.error_id, body);
                self.endpoints[endpoint].from_server.push_back(answer);
            }
        }
        true
    }

    fn notify(&mut self, delta: &str, lose: bool) {
        for endpoint in self.endpoints.iter_mut().filter(|_| !lose) {
            endpoint
                .from_server
                .push_back(Message::Notification(delta.into()));
        }
    }

    fn receive(&mut self, endpoint: usize) -> bool {
        let endpoint = &mut self.endpoints[endpoint];
        match endpoint.from_server.pop_front() {
            None => return false,
            Some(Message::Subscribed(status, body)) => {
                endpoint.mirror.handle_subscribed(status, body.as_bytes());
            }
            Some(Message::Notification(body)) => {
                endpoint.mirror.handle_notification(body.as_bytes());
            }
            Some(Message::Answer(status, id, body)) => {
                endpoint.mirror.handle_answer(status, id, body.as_bytes());
            }
        }
        self.drain();
        true
    }

    fn settle(&mut self) {
        self.drain();
        for _ in 0..10_000 {
            let mut busy = false;
            for endpoint in 0..self.endpoints.len() {
                busy |= self.serve(endpoint, false);
                busy |= self.receive(endpoint);
            }
            if !busy {
                return;
            }
        }
        panic!("it never ends");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Submit(usize, Operation),
    Serve(usize, bool),
    Receive(usize),
}

fn operation() -> impl Strategy<Value = Operation> {
    let group = (0u8..6).prop_map(|id| GroupId::new(id).unwrap());
    let groups = prop::collection::vec(group.clone(), 0..3).prop_map(GroupSet::from_iter);
    prop_oneof![
        4 => ("[a-e]@b.c", "[x-z]{0,2}", groups)
            .prop_map(|(uri, name, groups)| Operation::SetContact(Contact::new(&uri, &name, groups))),
        2 => "[a-e]@b.c".prop_map(|uri| Operation::DeleteContact(uri.into())),
        3 => "[A-F]".prop_map(|name| Operation::AddGroup { name: name.into(), external_uri: None }),
        1 => (group.clone(), "[A-F]").prop_map(|(id, name)| Operation::ModifyGroup(Group::new(id, &name))),
        2 => group.prop_map(Operation::DeleteGroup),
    ]
}

fn step(lossy: bool) -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0usize..3, operation()).prop_map(|(endpoint, operation)| Step::Submit(endpoint, operation)),
        3 => (0usize..3, any::<u8>()).prop_map(move |(endpoint, n)| Step::Serve(endpoint, lossy && n < 60)),
        4 => (0usize..3).prop_map(Step::Receive),
    ]
}

fn run(steps: Vec<Step>, delta_first: bool) -> World {
    let mut world = World::new(3, delta_first);
    world.drain();
    for step in steps {
        match step {
            Step::Submit(endpoint, operation) => world.submit(endpoint, operation),
            Step::Serve(endpoint, lose) => {
                world.serve(endpoint, lose);
            }
            Step::Receive(endpoint) => {
                world.receive(endpoint);
            }
        }
    }
    world.settle();
    world
}

/// One more change that everybody hears of, so that whoever missed the last ones finds out.
fn agree(world: &mut World) {
    world.submit(0, Operation::SetContact(contact("last@b.c")));
    world.submit(0, Operation::DeleteContact("last@b.c".into()));
    world.settle();
    for endpoint in &world.endpoints {
        assert_eq!(
            endpoint.mirror.list().delta_num,
            world.roster.list().delta_num
        );
        let by_uri = |contacts: &[Contact]| {
            let mut contacts = contacts.to_vec();
            contacts.sort_by(|a, b| a.uri().cmp(b.uri()));
            contacts
        };
        assert_eq!(
            by_uri(&endpoint.mirror.list().contacts),
            by_uri(&world.roster.list().contacts)
        );
        assert_eq!(
            endpoint.mirror.list().group_ids(),
            world.roster.list().group_ids()
        );
        // Each command ended once.
        assert!(endpoint.commands.values().all(|ended| *ended == 1));
    }
    let list = world.roster.list();
    for contact in &list.contacts {
        assert_eq!(list.groups_of(contact), contact.groups());
    }
    let stored = world.roster.export();
    assert_eq!(
        Roster::import(stored.as_bytes(), &ocs_xml::Limits::default()).as_ref(),
        Ok(&world.roster)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn three_endpoints_agree(steps in prop::collection::vec(step(false), 0..80), delta_first: bool) {
        agree(&mut run(steps, delta_first));
    }

    #[test]
    fn three_endpoints_agree_after_losses(steps in prop::collection::vec(step(true), 0..80), delta_first: bool) {
        agree(&mut run(steps, delta_first));
    }
}

#[test]
fn two_endpoints_write_at_once() {
    for delta_first in [true, false] {
        let mut world = World::new(2, delta_first);
        world.settle();
        world.submit(0, Operation::SetContact(contact("a@b.c")));
        world.submit(1, Operation::SetContact(contact("b@b.c")));
        world.submit(
            1,
            Operation::AddGroup {
                name: "Friends".into(),
                external_uri: None,
            },
        );
        world.settle();
        assert_eq!(world.roster.list().contacts.len(), 2);
        assert_eq!(world.roster.list().groups.len(), 2);
        agree(&mut world);
    }
}
