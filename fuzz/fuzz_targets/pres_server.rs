//! Requests to a presence server, one a line: a letter for what it is, then its body; and what its watchers are told. Nothing of a refused
//! request stays, nobody is told what is the owner's alone, and what a store keeps is read again.
#![no_main]

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use libfuzzer_sys::fuzz_target;
use ocs_pres::doc::SourceNetwork;
use ocs_pres::server::{
    Changes, NameSet, Policy, Presentity, Refusal, Sender, SubscriptionId, Watcher, Watchers,
};
use ocs_sip_core::clock::WallClock;
use ocs_sip_core::uri::Aor;

fuzz_target!(|data: &[u8]| {
    let policy = Arc::new(Policy::default());
    let start = Instant::now();
    let mut now = start;
    let bob = Aor::parse("bob@contoso.com").expect("an address");
    let clock = WallClock::new(start, SystemTime::UNIX_EPOCH);
    let mut presentity = Presentity::new(policy.clone(), bob.clone(), clock);
    let mut watchers = Watchers::new();
    let names: Vec<_> = ["note", "routing", "state"].map(Into::into).to_vec();
    let names = NameSet::new(&policy, &names);
    for (id, user) in ["alice@contoso.com", "x@fabrikam.com"].iter().enumerate() {
        let watcher = Watcher {
            user: Aor::parse(user).expect("an address"),
            network: SourceNetwork::SameEnterprise,
        };
        let id = SubscriptionId(id as u64);
        let _ = watchers.subscribe(&presentity, id, &Arc::new(watcher), &names);
    }
    let sender = Sender {
        user: &bob,
        endpoint: Some("e"),
        trusted: false,
    };
    for line in data.split(|octet| *octet == b'\n') {
        let Some((what, body)) = line.split_first() else {
            continue;
        };
        let before = presentity.export();
        let result: Result<Changes, Refusal> = match what {
            b'p' => presentity.publish(now, &sender, body).map(|published| {
                let _ = presentity.answer(&published);
                published.changes
            }),
            b'm' => presentity.set_container_members(&sender, body),
            b's' => presentity.set_subscribers(&sender, body),
            b'd' => presentity.set_delegates(&sender, body),
            b'r' => Ok(presentity.endpoint_registered(now, "e")),
            b'g' => Ok(presentity.endpoint_gone(now, "e")),
            _ => {
                now += Duration::from_secs(body.len() as u64 * 60);
                Ok(presentity.handle_timeout(now))
            }
        };
        match result {
            Ok(changes) => watchers.fan_out(&presentity, &changes, |_, body| {
                let text = std::str::from_utf8(body).expect("text");
                assert!(!text.contains("name=\"routing\""));
            }),
            Err(_) => assert!(presentity.export() == before),
        }
    }
    // Who was there is offline after a restart, which is kept, too. Another one changes nothing.
    let restarted = |kept: &str| {
        let presentity = Presentity::import(policy.clone(), clock, now, kept);
        presentity.expect("exported here").export()
    };
    let kept = restarted(&presentity.export());
    assert!(restarted(&kept) == kept);
});
