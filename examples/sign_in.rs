//! A user signs in: finds the server, registers, and gets everything that a client needs ([MS-OCSPROT] 2.5.1, 2.5.2, 2.5.3, 2.5.5).
//!
//! Credentials for the media relay are among it; `relay_allocation` uses such. `--trace`, `--svg FILE`, `--pcap FILE` and `--seed N` as in
//! `instant_message`.

use std::error::Error;
use std::time::Duration;

use ocs_avedgea::client::{Relay, RelayHost};
use ocs_avedgea::document::Location;
use ocs_avedgea::server::{self, Pool, RelayAuthentication};
use ocs_avedgea::token::{Issuer, Key, SharedKeys};
use ocs_client::{Bootstrap, Event, Step};
use ocs_examples::{Deployment, finish};
use ocs_pres::client::Presence;
use ocs_testbed::{Options, Testbed};

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let service = media_relay(options.seed)?;
    let mut deployment = Deployment::new(&options, |config| config.media_relay = Some(service));
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
    let mut relays: Vec<Relay> = Vec::new();
    for event in &client.events {
        match event {
            Event::StepAnswered { step } => answered.push(*step),
            Event::StepRefused { step, .. } => refused.push(*step),
            Event::RelayGranted(access) => relays.clone_from(&access.relays),
            _ => {}
        }
    }
    println!("answered: {}", names(answered));
    println!("refused: {}", names(refused));
    for relay in relays {
        let host = match relay.host {
            RelayHost::Name(name) => name.to_string(),
            RelayHost::Address(address) => address.to_string(),
        };
        let ports = [("UDP", relay.udp_port), ("TCP", relay.tcp_port)];
        for (transport, port) in ports {
            println!(
                "relay: {host}, {transport} port {}",
                port.unwrap_or_default()
            );
        }
    }
    for contact in &client.agent.contacts().contacts {
        let user = contact.uri().parse()?;
        let state = client.agent.presence(&user).and_then(Presence::state);
        println!("{user}: {}", state.unwrap_or_default().text(1033));
    }
    Ok(())
}

/// Who gives credentials for the relays of the deployment.
fn media_relay(seed: u64) -> Result<RelayAuthentication, Box<dyn Error>> {
    let key = |octet: u8| Key::new(&[seed as u8 ^ octet; 20]);
    let keys = SharedKeys::new(key(1)?, key(2)?);
    let pool = Pool::new(Location::Intranet, "av.contoso.com");
    let config = server::Config::new("edge.contoso.com", vec![pool]);
    Ok(RelayAuthentication::new(config, Issuer::new(key(3)?, keys)))
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
