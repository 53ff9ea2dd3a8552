//! A client registers, stays registered and signs out ([MS-OCSPROT] 2.5.2); another one has the wrong password.
//!
//! `--trace`, `--svg FILE`, `--pcap FILE` and `--seed N` as in `instant_message`.

use std::error::Error;
use std::time::Duration;

use ocs_examples::{Deployment, finish};
use ocs_ntlm::Credential;
use ocs_testbed::Options;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(std::env::args().skip(1))?;
    // Five minutes, so that the refresh is seen soon; the default is two hours.
    let mut deployment = Deployment::new(&options, |config| {
        config.registrar.expires = Duration::from_secs(300);
    });
    let alice = deployment.add_client("alice", "alice", |_| {});
    let mallory = deployment.add_client("mallory", "bob", |config| {
        config.credential = Credential::from_password("guess");
    });

    deployment.sign_in(alice)?;
    deployment.testbed.note(alice, "signed in");
    let refused = deployment
        .sign_in(mallory)
        .expect_err("the password is wrong");
    deployment.testbed.note(mallory, "refused");

    // A keep-alive after 200 s, the refresh after 270 s.
    deployment.testbed.run_for(Duration::from_secs(280));
    deployment.sign_out(alice);
    deployment.testbed.run_for(Duration::from_secs(1));

    let columns = [alice, deployment.server, mallory];
    finish(&deployment.testbed, "Register", &columns, &options)?;
    println!("alice: {:?}", deployment.client(alice).events);
    println!("mallory: {refused}");
    Ok(())
}
