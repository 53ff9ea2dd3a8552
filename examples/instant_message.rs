//! Two people sign in and exchange instant messages ([MS-OCSPROT] 2.5.5, 2.5.9).
//!
//! Prints the ladder of everything from the DNS lookup to the BYE. `--trace` adds the full text of each message,
//! `--svg FILE` writes the ladder as a picture, `--seed N` chooses another run.

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
    let bob = deployment.add_client("bob", "bob", |_| {});
    deployment.sign_in(alice)?;
    deployment.sign_in(bob)?;

    let testbed = &mut deployment.testbed;
    testbed.note(alice, "Alice writes to Bob");
    let first = testbed.command(alice, |host: &mut ClientHost, now| {
        host.agent.send_text(now, &user("bob"), "Hi Bob")
    })?;
    let delivered = |testbed: &Testbed, host, id| -> bool {
        let host: &ClientHost = testbed.host(host);
        host.told(|event| matches!(event, Event::Delivered { id: done, .. } if *done == id))
    };
    testbed.run_while(|t| !delivered(t, alice, first), Duration::from_secs(30))?;

    testbed.note(bob, "Bob types an answer");
    testbed.command(bob, |host: &mut ClientHost, now| {
        host.agent.set_typing(now, &user("alice"), true)
    })?;
    testbed.run_for(Duration::from_secs(2));
    let second = testbed.command(bob, |host: &mut ClientHost, now| {
        host.agent.send_text(now, &user("alice"), "Hello Alice")
    })?;
    testbed.run_while(|t| !delivered(t, bob, second), Duration::from_secs(30))?;

    testbed.note(alice, "Alice ends the conversation");
    testbed.command(alice, |host: &mut ClientHost, now| {
        host.agent.end_conversation(now, &user("bob"));
    });
    testbed.run_for(Duration::from_secs(1));
    deployment.sign_out(alice);
    deployment.sign_out(bob);
    deployment.testbed.run_for(Duration::from_secs(1));

    let columns = [alice, Testbed::DNS, deployment.server, bob];
    finish(&deployment.testbed, "Instant message", &columns, &options)?;
    for (name, host) in [("Alice", alice), ("Bob", bob)] {
        for event in &deployment.client(host).events {
            if let Event::Text { from, text, .. } = event {
                println!("{name} read from {from}: {text}");
            }
        }
    }
    Ok(())
}
