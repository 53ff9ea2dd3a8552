//! A client finds its server and connects ([MS-OCSPROT] 2.5.1).
//!
//! The first server of the DNS records is down, the second shows the certificate of somebody else; the third is taken, and the
//! connection is compressed. `--trace`, `--svg FILE`, `--pcap FILE` and `--seed N` as in `instant_message`.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use ocs_client::Event;
use ocs_examples::{Deployment, finish};
use ocs_hosts::ClientHost;
use ocs_testbed::{Options, Testbed};

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let mut deployment = Deployment::new(&options, |config| config.compression.enabled = true);
    let address = |last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
    let other = deployment.add_server("other", address(9), &["mail.fabrikam.com"]);
    let service = "_sipinternaltls._tcp.contoso.com";
    let zone = deployment.testbed.zone_mut();
    zone.remove(service);
    zone.srv(service, 0, 0, 5061, "down.contoso.com");
    zone.srv(service, 10, 0, 5061, "other.contoso.com");
    zone.srv(service, 20, 0, 5061, "fe01.contoso.com");
    zone.address("down.contoso.com", address(8));
    zone.address("other.contoso.com", address(9));

    let alice = deployment.add_client("alice", "alice", |config| {
        config.compression.enabled = true;
    });
    let testbed = &mut deployment.testbed;
    testbed.command(alice, |host: &mut ClientHost, now| host.agent.sign_in(now));
    let connected = |testbed: &Testbed| {
        let host: &ClientHost = testbed.host(alice);
        host.told(|event| matches!(event, Event::Connected { .. }))
    };
    testbed.run_while(|testbed| !connected(testbed), Duration::from_secs(120))?;
    testbed.note(alice, "connected; what follows is the registration");

    let columns = [alice, Testbed::DNS, other, deployment.server];
    finish(
        &deployment.testbed,
        "Discover and connect",
        &columns,
        &options,
    )?;
    for event in &deployment.client(alice).events {
        println!("{event:?}");
    }
    Ok(())
}
