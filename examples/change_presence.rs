//! A user becomes busy, writes a note, must not be disturbed; another one sees it ([MS-OCSPROT] 2.5.6).
//!
//! `--trace`, `--svg FILE`, `--pcap FILE` and `--seed N` as in `instant_message`.

use std::error::Error;
use std::time::Duration;

use ocs_client::{Bootstrap, Event};
use ocs_examples::{Deployment, finish, user};
use ocs_hosts::ClientHost;
use ocs_pres::category::Availability;
use ocs_testbed::Options;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let mut deployment = Deployment::new(&options, |_| {});
    let [alice, bob] = ["alice", "bob"].map(|name| {
        deployment.add_client(name, name, |config| config.bootstrap = Bootstrap::default())
    });
    deployment.bootstrap(alice)?;
    deployment.bootstrap(bob)?;
    let second = Duration::from_secs(1);
    let testbed = &mut deployment.testbed;
    testbed.note(bob, "Bob watches Alice");
    testbed.command(bob, |host: &mut ClientHost, now| {
        host.agent.watch(now, &user("alice"));
    });
    testbed.run_for(second);

    testbed.note(alice, "Alice is busy");
    testbed.command(alice, |host: &mut ClientHost, now| {
        host.agent.set_note(now, "In the laboratory")?;
        host.agent.set_presence(now, Availability::BUSY, None)
    })?;
    testbed.run_for(second);
    testbed.note(alice, "Alice must not be disturbed");
    testbed.command(alice, |host: &mut ClientHost, now| {
        host.agent
            .set_presence(now, Availability::DO_NOT_DISTURB, None)
    })?;
    testbed.run_for(second);

    let columns = [alice, deployment.server, bob];
    finish(&deployment.testbed, "Change presence", &columns, &options)?;
    let mut note = None;
    for event in &deployment.client(bob).events {
        if let Event::PresenceChanged {
            of,
            state,
            note: text,
            ..
        } = event
        {
            note = text.clone().or(note);
            let state = state.as_deref().cloned().unwrap_or_default();
            let note = note.as_ref().map(|note| format!(", {note:?}"));
            println!(
                "Bob sees {of}: {}{}",
                state.text(1033),
                note.unwrap_or_default()
            );
        }
    }
    Ok(())
}
