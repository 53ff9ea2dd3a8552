//! A user with two devices is called: both ring, one answers, the other is cancelled ([MS-OCSPROT] 2.5.11).
//!
//! `--trace`, `--svg FILE`, `--pcap FILE` and `--seed N` as in `instant_message`.

use std::error::Error;
use std::time::Duration;

use ocs_client::Event;
use ocs_examples::{Deployment, finish, user};
use ocs_hosts::ClientHost;
use ocs_testbed::{Options, Testbed};

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let mut deployment = Deployment::new(&options, |_| {});
    let alice = deployment.add_client("alice", "alice", |_| {});
    // The laptop is in use and answers soon; the phone leaves time for that.
    let laptop = deployment.add_client("laptop", "bob", |config| {
        config.accept_delay = Duration::from_millis(500);
    });
    let phone = deployment.add_client("phone", "bob", |config| {
        config.accept_delay = Duration::from_secs(10);
    });
    for client in [alice, laptop, phone] {
        deployment.sign_in(client)?;
    }

    let testbed = &mut deployment.testbed;
    testbed.note(alice, "Alice calls Bob");
    let text = testbed.command(alice, |host: &mut ClientHost, now| {
        host.agent.send_text(now, &user("bob"), "Are you there?")
    })?;
    let delivered = |testbed: &Testbed| {
        let host: &ClientHost = testbed.host(alice);
        host.told(|event| matches!(event, Event::Delivered { id, .. } if *id == text))
    };
    testbed.run_while(|testbed| !delivered(testbed), Duration::from_secs(30))?;
    testbed.run_for(Duration::from_secs(1));
    testbed.command(alice, |host: &mut ClientHost, now| {
        host.agent.end_conversation(now, &user("bob"));
    });
    testbed.run_for(Duration::from_secs(1));

    let columns = [alice, deployment.server, laptop, phone];
    finish(
        &deployment.testbed,
        "Multiple endpoints",
        &columns,
        &options,
    )?;
    for (name, host) in [("laptop", laptop), ("phone", phone)] {
        let events = &deployment.client(host).events;
        let elsewhere = events.iter().any(|event| {
            matches!(
                event,
                Event::ConversationEnded {
                    elsewhere: true,
                    ..
                }
            )
        });
        let texts = events
            .iter()
            .filter(|event| matches!(event, Event::Text { .. }))
            .count();
        println!("{name}: {texts} text(s), answered elsewhere: {elsewhere}");
    }
    Ok(())
}
