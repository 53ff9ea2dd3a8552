//! A user whom the server of the watcher does not serve: the requests and answers of a real client, and what a watcher makes of them.

use std::time::Instant;

use bytes::Bytes;
use ocs_pres::client::{ListId, Order, Status, Target, Watch, WatchConfig, WatchEvent};
use ocs_pres::doc::BatchSub;
use ocs_sip_core::{Aor, HeaderName, Limits, Message};
use ocs_xml::from_slice;

macro_rules! recorded {
    ($name:literal) => {
        message(include_bytes!(concat!("data/resubscribe/", $name, ".sip")))
    };
}

fn message(octets: &'static [u8]) -> Message {
    Message::parse(Bytes::from_static(octets), &Limits::default()).unwrap()
}

fn batch(body: &[u8]) -> BatchSub {
    from_slice(body, &ocs_xml::Limits::default()).unwrap()
}

/// Bob has just added dave, with the categories that the client asks for.
struct Bob {
    watch: Watch,
    now: Instant,
    dave: Aor,
}

impl Bob {
    fn new() -> Self {
        let mut config = WatchConfig::new("bob@contoso.com".parse().unwrap());
        let categories = ["calendarData", "contactCard", "note", "state"];
        config.categories = categories.map(Into::into).to_vec();
        let mut watch = Watch::new(config);
        let now = Instant::now();
        let dave: Aor = "dave@fabrikam.com".parse().unwrap();
        watch.start(now, true);
        watch.watch(now, [dave.clone()], true);
        Self { watch, now, dave }
    }

    /// The next request says what the client's said, and where to.
    fn asks(&mut self, recorded: &Message) -> (ListId, Target) {
        // The list that the user was sent on from is ended besides.
        let mut orders = std::iter::from_fn(|| self.watch.poll_order())
            .filter(|order| !matches!(order, Order::End { .. }));
        let Some(Order::Subscribe {
            list, target, body, ..
        }) = orders.next()
        else {
            panic!("no subscription");
        };
        assert_eq!(orders.next(), None);
        assert_eq!(batch(body.as_bytes()), batch(recorded.body()));
        let uri = match &target {
            Target::Home => "sip:bob@contoso.com".to_owned(),
            Target::Pool(uri) => uri.to_string(),
            Target::User(user) => user.to_uri(),
        };
        assert_eq!(recorded.request_uri(), Some(&*uri));
        // Only the user himself is asked without the means of lists.
        let is_list = recorded.header(HeaderName::Require) == Some("adhoclist, categoryList");
        assert_eq!(is_list, !matches!(target, Target::User(_)));
        (list, target)
    }

    fn is_answered(&mut self, list: ListId, recorded: &Message) {
        let kind = recorded.content_type().unwrap().unwrap();
        let body = recorded.body();
        self.watch.handle_accepted(self.now, list);
        self.watch
            .handle_document(self.now, list, &kind, body)
            .unwrap();
    }
}

#[test]
fn sent_on_to_the_user_himself() {
    let mut bob = Bob::new();
    let (home, target) = bob.asks(&recorded!("user-043-C2S-bob-SUBSCRIBE"));
    assert_eq!(target, Target::Home);
    bob.is_answered(home, &recorded!("user-044-S2C-bob-200-SUBSCRIBE"));
    let (list, target) = bob.asks(&recorded!("user-048-C2S-bob-SUBSCRIBE"));
    assert_eq!(target, Target::User(bob.dave.clone()));
    bob.is_answered(list, &recorded!("user-049-S2C-bob-200-SUBSCRIBE"));
    assert_eq!(bob.watch.status(&bob.dave), Some(Status::Subscribed));
    let presence = bob.watch.presence(&bob.dave).unwrap();
    assert_eq!(presence.contact_card().display_name(1033), Some("Dave"));
    assert!(presence.knows("state") && presence.state().is_none());
}

#[test]
fn sent_on_to_a_pool_once_only() {
    let mut bob = Bob::new();
    let (home, _) = bob.asks(&recorded!("pool-022-C2S-bob-SUBSCRIBE"));
    bob.is_answered(home, &recorded!("pool-023-S2C-bob-200-SUBSCRIBE"));
    let (pool, target) = bob.asks(&recorded!("pool-027-C2S-bob-SUBSCRIBE"));
    assert_eq!(target, Target::Pool("sip:pool2.contoso.com".into()));
    // The pool sends him on again. The client went on so for ever.
    bob.is_answered(pool, &recorded!("pool-028-S2C-bob-200-SUBSCRIBE"));
    assert_eq!(bob.watch.status(&bob.dave), Some(Status::Waiting));
    let asked = std::iter::from_fn(|| bob.watch.poll_order())
        .filter(|order| matches!(order, Order::Subscribe { .. }));
    assert_eq!(asked.count(), 0);
    let changed = std::iter::from_fn(|| bob.watch.poll_event())
        .filter(|event| matches!(event, WatchEvent::Changed { .. }));
    assert_eq!(changed.count(), 0);
}
