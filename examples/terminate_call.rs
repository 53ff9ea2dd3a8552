//! Calls end: by the callee, by both at once, before they are answered, and because they are declined ([MS-OCSPROT] 2.5.15).
//!
//! `--trace`, `--svg FILE`, `--pcap FILE` and `--seed N` as in `instant_message`.

use std::error::Error;
use std::time::Duration;

use ocs_client::phone::{Event, LineId};
use ocs_examples::{Deployment, Manner, PhoneHost, finish, print_streams};
use ocs_testbed::{HostId, Options, Testbed};

/// The only call of a telephone.
fn line_of(testbed: &Testbed, phone: HostId) -> LineId {
    let host: &PhoneHost = testbed.host(phone);
    host.phone.lines().next().expect("a call")
}

fn set_manner(testbed: &mut Testbed, phone: HostId, manner: Manner) {
    testbed.command(phone, |host: &mut PhoneHost, _| {
        host.person.manner = manner;
    });
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let mut deployment = Deployment::for_calls(&options);
    let alice = deployment.add_phone("alice", "alice", Manner::Nothing);
    let answers = Manner::Answers(Duration::from_secs(1));
    let bob = deployment.add_phone("bob", "bob", answers);
    for phone in [alice, bob] {
        deployment.connect(phone)?;
    }

    deployment.talk(alice, "bob")?;
    deployment.testbed.run_for(Duration::from_secs(1));
    deployment.testbed.note(bob, "Bob hangs up");
    let line = line_of(&deployment.testbed, bob);
    deployment.hang_up(bob, line)?;

    let line = deployment.talk(alice, "bob")?;
    deployment.testbed.run_for(Duration::from_secs(1));
    deployment.testbed.note(alice, "both hang up at once");
    let other = line_of(&deployment.testbed, bob);
    for (phone, line) in [(alice, line), (bob, other)] {
        deployment
            .testbed
            .command(phone, |host: &mut PhoneHost, now| {
                host.command(now, |phone, _| phone.hang_up(now, line))
            })?;
    }
    deployment.testbed.run_for(Duration::from_secs(1));

    let testbed = &mut deployment.testbed;
    set_manner(testbed, bob, Manner::Rings);
    testbed.note(alice, "Alice calls, and gives up");
    let line = testbed.command(alice, |host: &mut PhoneHost, now| {
        host.command(now, |phone, caller| {
            caller.call(now, phone, "sip:bob@contoso.com")
        })
    })?;
    testbed.run_for(Duration::from_secs(1));
    deployment.hang_up(alice, line)?;

    let testbed = &mut deployment.testbed;
    set_manner(testbed, bob, Manner::Declines(Duration::from_secs(1), 603));
    testbed.note(alice, "Alice calls, and Bob declines");
    testbed.command(alice, |host: &mut PhoneHost, now| {
        host.command(now, |phone, caller| {
            caller.call(now, phone, "sip:bob@contoso.com")
        })
    })?;
    testbed.run_for(Duration::from_secs(3));

    let columns = [alice, deployment.server, bob];
    finish(&deployment.testbed, "Terminate calls", &columns, &options)?;
    for (name, phone) in [("Alice", alice), ("Bob", bob)] {
        let host: &PhoneHost = deployment.testbed.host(phone);
        for (_, event) in &host.events {
            if let Event::Ended { ended, .. } = event {
                println!("{name}: {:?} {:?}", ended.cause, ended.status);
            }
        }
        print_streams(name, host);
    }
    Ok(())
}
