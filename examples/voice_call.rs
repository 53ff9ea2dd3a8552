//! Alice calls Bob: offer with candidates, early answer, ICE, media, the selected candidates, the end ([MS-OCSPROT] 2.5.12).
//!
//! A tone of G.711 goes both ways through SRTP. `--seconds N` says how long they talk. `--trace`, `--svg FILE`, `--pcap FILE` and `--seed N` as in
//! `instant_message`.

use std::error::Error;
use std::time::Duration;

use clap::Parser;
use ocs_examples::{Deployment, Manner, finish, print_streams};
use ocs_testbed::Options;

/// What this example knows besides the switches of all examples.
#[derive(Parser)]
struct Arguments {
    /// How long they talk
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let name = "voice_call".to_owned();
    let arguments = Arguments::parse_from(core::iter::once(name).chain(options.rest.clone()));
    let mut deployment = Deployment::for_calls(&options);
    let alice = deployment.add_phone("alice", "alice", Manner::Nothing);
    let bob = deployment.add_phone("bob", "bob", Manner::Answers(Duration::from_secs(2)));
    for phone in [alice, bob] {
        deployment.connect(phone)?;
    }

    let line = deployment.talk(alice, "bob")?;
    deployment
        .testbed
        .run_for(Duration::from_secs(arguments.seconds));
    deployment.testbed.note(alice, "Alice hangs up");
    deployment.hang_up(alice, line)?;

    let columns = [alice, deployment.server, bob];
    finish(&deployment.testbed, "Voice call", &columns, &options)?;
    for (name, host) in [("Alice", alice), ("Bob", bob)] {
        print_streams(name, deployment.testbed.host(host));
    }
    Ok(())
}
