//! Bob is called at two telephones. Both ring, and both are ready to talk before anybody answers; he answers one, and the other is
//! cancelled ([MS-OCSPROT] 2.5.14).
//!
//! `--trace`, `--svg FILE`, `--pcap FILE` and `--seed N` as in `instant_message`.

use std::error::Error;
use std::time::Duration;

use ocs_client::phone::Event;
use ocs_examples::{Deployment, Manner, PhoneHost, finish, print_streams};
use ocs_testbed::Options;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let mut deployment = Deployment::for_calls(&options);
    let alice = deployment.add_phone("alice", "alice", Manner::Nothing);
    let desk = deployment.add_phone("desk", "bob", Manner::Answers(Duration::from_secs(2)));
    let mobile = deployment.add_phone("mobile", "bob", Manner::Rings);
    for phone in [alice, desk, mobile] {
        deployment.connect(phone)?;
    }
    let line = deployment.talk(alice, "bob")?;
    deployment.testbed.run_for(Duration::from_secs(3));
    deployment.hang_up(alice, line)?;

    let columns = [alice, deployment.server, desk, mobile];
    finish(&deployment.testbed, "Accept a call", &columns, &options)?;
    for (name, host) in [("Alice", alice), ("Desk", desk), ("Mobile", mobile)] {
        let host: &PhoneHost = deployment.testbed.host(host);
        print_streams(name, host);
        for (_, event) in &host.events {
            if let Event::Ended { ended, .. } = event {
                println!(
                    "{name}: {:?}, answered here: {}, answered elsewhere: {}",
                    ended.cause, ended.was_established, ended.elsewhere
                );
            }
        }
    }
    Ok(())
}
