//! Chunks with a zero octet between them, each a letter for what happens and then a document: what a server says to a client that watches three
//! users and publishes. The client never asks for more than a bounded number of things in answer, and never for nobody.
#![no_main]

use std::time::{Duration, Instant};

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ocs_pres::category::Availability;
use ocs_pres::client::{ListId, Order, SelfPresence, Watch, WatchConfig};
use ocs_pres::doc::{BatchSub, Publish, RoamingData, content_type};
use ocs_pres::publications;
use ocs_sip_core::Aor;
use ocs_sip_core::header::{ContentType, HeaderValue};
use ocs_xml::{Limits, from_slice};

fn aor(name: &str) -> Aor {
    format!("{name}@contoso.com").parse().expect("an address")
}

fn check(body: &str) {
    let batch: BatchSub = from_slice(body.as_bytes(), &Limits::default()).expect("written here");
    assert!(batch.actions.iter().all(|action| !action.resources().is_empty()));
    assert!(!batch.actions.is_empty());
}

/// Takes what the client wants; gives the list of the last order.
fn drain(watch: &mut Watch, last: &mut ListId) {
    let mut orders = 0;
    while let Some(order) = watch.poll_order() {
        orders += 1;
        assert!(orders <= 16, "no flood");
        match order {
            Order::Subscribe { list, body, repeat, .. } | Order::Amend { list, body, repeat } => {
                check(&body);
                check(&repeat);
                *last = list;
            }
            Order::End { .. } => {}
        }
    }
    while watch.poll_event().is_some() {}
}

fuzz_target!(|data: &[u8]| {
    let mut now = Instant::now();
    let mut watch = Watch::new(WatchConfig::new(aor("alice")));
    let mut own = SelfPresence::new("sip:alice@contoso.com");
    let mut list = ListId(0);
    watch.watch(now, ["bob", "carol", "dave"].map(aor), false);
    watch.start(now, data.first() != Some(&b'-'));
    drain(&mut watch, &mut list);
    let mut out = None;
    for chunk in data.split(|octet| *octet == 0) {
        let Some((what, body)) = chunk.split_first() else {
            continue;
        };
        let document = Bytes::copy_from_slice(body);
        let mut read = |kind: &str| {
            let kind = ContentType::parse_value(kind).expect("a type");
            let _ = watch.handle_document(now, list, &kind, &document);
        };
        match what {
            b'c' => read(content_type::CATEGORIES),
            b'l' => read(content_type::RLMI),
            b'm' => read("multipart/related; boundary=b"),
            b'a' => watch.handle_accepted(now, list),
            b'r' => watch.handle_amend_refused(now, list, 400),
            b'e' => watch.handle_ended(now, list, body.is_empty(), None),
            b'x' => watch.handle_ended(now, list, false, Some(400)),
            b't' => {
                now += Duration::from_secs(60);
                watch.handle_timeout(now);
            }
            b's' => {
                if let Ok(data) = from_slice::<RoamingData>(body, &Limits::default()) {
                    own.handle_document(&data);
                }
            }
            b'p' => {
                own.publish(publications::user_state(Availability::AWAY));
            }
            b'o' | b'f' => {
                if let Some(id) = out.take() {
                    let status = if *what == b'o' { 200 } else { 409 };
                    own.handle_answer(id, Some(status), body);
                }
            }
            _ => own.reset(),
        }
        drain(&mut watch, &mut list);
        while own.poll_event().is_some() {}
        if let Some(request) = own.poll_request() {
            if request.content_type == content_type::PUBLISH {
                let publish: Publish =
                    from_slice(request.body.as_bytes(), &Limits::default()).expect("written here");
                assert!(!publish.publications.publications.is_empty());
            }
            out = Some(request.id);
            assert!(own.poll_request().is_none(), "one at a time");
        }
    }
});
