//! A user signs in: finds the server, registers, and gets everything that a client needs ([MS-OCSPROT] 2.5.1, 2.5.2, 2.5.3, 2.5.5).
//!
//! The server has no A/V Edge, so steps 11 and 12 of the bootstrap are missing. `--trace`, `--svg FILE`, `--pcap FILE` and `--seed N` as in
//! `instant_message`.

use std::error::Error;
use std::time::Duration;

use ocs_client::{Bootstrap, Event, Step};
use ocs_examples::{Deployment, finish};
use ocs_pres::client::Presence;
use ocs_testbed::{Options, Testbed};

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let mut deployment = Deployment::new(&options, |_| {});
    let carol = deployment.add_client("carol", "carol", |config| {
        config.bootstrap = Bootstrap::default();
    });
    deployment.bootstrap(carol)?;
    deployment.testbed.note(carol, "signed in");
    deployment.sign_out(carol);
    deployment.testbed.run_for(Duration::from_secs(1));

    let columns = [carol, Testbed::DNS, deployment.server];
    finish(&deployment.testbed, "Sign-in", &columns, &options)?;

    let client = deployment.client(carol);
    let (mut answered, mut refused) = (Vec::new(), Vec::new());
    for event in &client.events {
        match event {
            Event::StepAnswered { step } => answered.push(*step),
            Event::StepRefused { step, .. } => refused.push(*step),
            _ => {}
        }
    }
    println!("answered: {}", names(answered));
    println!("refused: {}", names(refused));
    for contact in &client.agent.contacts().contacts {
        let user = contact.uri().parse()?;
        let state = client.agent.presence(&user).and_then(Presence::state);
        println!("{user}: {}", state.unwrap_or_default().text(1033));
    }
    Ok(())
}

/// Steps in the order of the specification.
fn names(mut steps: Vec<Step>) -> String {
    if steps.is_empty() {
        return "nothing".to_owned();
    }
    steps.sort_unstable();
    let names: Vec<String> = steps.iter().map(|step| format!("{step:?}")).collect();
    names.join(", ")
}
