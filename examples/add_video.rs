//! Alice and Bob talk, and Alice adds video: an offer with another stream, ICE for that stream alone, and an offer with its selected candidates
//! ([MS-OCSPROT] 2.5.13).
//!
//! The sound goes on all the while. The pictures are a test pattern in H.264 ([MS-H264PF]). `--trace`, `--svg FILE`, `--pcap FILE` and `--seed N` as in
//! `instant_message`.

use std::error::Error;
use std::time::Duration;

use ocs_client::phone::Event;
use ocs_examples::{Deployment, Manner, PhoneHost, finish, print_streams};
use ocs_sdpext::negotiation::StreamKind;
use ocs_testbed::Options;

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let mut deployment = Deployment::for_calls(&options);
    let alice = deployment.add_phone("alice", "alice", Manner::Nothing);
    let bob = deployment.add_phone("bob", "bob", Manner::Answers(Duration::from_secs(1)));
    for phone in [alice, bob] {
        deployment.connect(phone)?;
    }
    let line = deployment.talk(alice, "bob")?;
    deployment.testbed.run_for(Duration::from_secs(1));

    let testbed = &mut deployment.testbed;
    testbed.note(alice, "Alice adds video");
    testbed.command(alice, |host: &mut PhoneHost, now| {
        host.command(now, |phone, caller| {
            let plan = caller.plan(StreamKind::Video)?;
            phone.add_stream(now, line, &plan)?;
            Ok::<_, Box<dyn Error>>(())
        })
    })?;
    let ups = |host: &PhoneHost| {
        let all = host.events.iter();
        all.filter(|(_, event)| matches!(event, Event::MediaUp { .. }))
            .count()
    };
    let pending = |testbed: &ocs_testbed::Testbed| ups(testbed.host(alice)) < 2;
    testbed.run_while(pending, Duration::from_secs(30))?;
    testbed.run_for(Duration::from_secs(4));
    testbed.note(alice, "Alice hangs up");
    testbed.command(alice, |host: &mut PhoneHost, now| {
        host.command(now, |phone, _| phone.hang_up(now, line))
    })?;
    testbed.run_for(Duration::from_secs(2));

    let columns = [alice, deployment.server, bob];
    finish(&deployment.testbed, "Add video", &columns, &options)?;
    for (name, host) in [("Alice", alice), ("Bob", bob)] {
        print_streams(name, deployment.testbed.host(host));
    }
    Ok(())
}
