//! A user adds another one to her contacts, who is told of it ([MS-OCSPROT] 2.5.10).
//!
//! `--trace`, `--svg FILE`, `--pcap FILE` and `--seed N` as in `instant_message`.

use std::error::Error;
use std::time::Duration;

use ocs_client::{Bootstrap, Event};
use ocs_examples::{Deployment, finish, user};
use ocs_hosts::ClientHost;
use ocs_pres::client::Presence;
use ocs_siprege::contacts::GroupSet;
use ocs_testbed::Options;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let mut deployment = Deployment::new(&options, |_| {});
    let [alice, bob] = ["alice", "bob"].map(|name| {
        deployment.add_client(name, name, |config| config.bootstrap = Bootstrap::default())
    });
    deployment.bootstrap(alice)?;
    deployment.bootstrap(bob)?;

    let testbed = &mut deployment.testbed;
    testbed.note(alice, "Alice adds Bob");
    testbed.command(alice, |host: &mut ClientHost, now| {
        host.agent
            .add_contact(now, &user("bob"), "", GroupSet::NONE)
    })?;
    testbed.run_for(Duration::from_secs(1));
    testbed.note(bob, "Bob does not mind");
    testbed.command(bob, |host: &mut ClientHost, now| {
        host.agent.acknowledge(now, &user("alice"))
    })?;
    testbed.run_for(Duration::from_secs(1));

    let columns = [alice, deployment.server, bob];
    finish(&deployment.testbed, "Add a contact", &columns, &options)?;
    let client = deployment.client(alice);
    for contact in &client.agent.contacts().contacts {
        let contact = contact.uri().parse()?;
        println!("Alice's list has {contact}");
        let state = client.agent.presence(&contact).and_then(Presence::state);
        println!(
            "Alice sees {contact}: {}",
            state.unwrap_or_default().text(1033)
        );
    }
    for event in &deployment.client(bob).events {
        if let Event::SubscriberPending { user, .. } = event {
            println!("Bob was told that {user} added him");
        }
    }
    Ok(())
}
