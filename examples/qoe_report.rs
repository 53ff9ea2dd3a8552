//! A call over a network that loses packets ends, and both sides report on its quality ([MS-OCSPROT] 2.5.16, [MS-QoE]).
//!
//! `--loss PERCENT` says how many packets of media are lost. `--trace`, `--svg FILE`, `--pcap FILE` and `--seed N` as in `instant_message`.

use std::error::Error;
use std::fmt::Display;
use std::time::Duration;

use clap::Parser;
use ocs_examples::{Deployment, Manner, finish, print_streams};
use ocs_hosts::ServerHost;
use ocs_qoe::document::{Ice, MediaLine, SessionReport};
use ocs_qoe::server::Report;
use ocs_server::Event;
use ocs_testbed::{Link, Options};

/// What this example knows besides the switches of all examples.
#[derive(Parser)]
struct Arguments {
    /// Packets of a hundred that are lost
    #[arg(long, default_value_t = 5.0)]
    loss: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args(std::env::args().skip(1))?;
    let name = "qoe_report".to_owned();
    let arguments = Arguments::parse_from(core::iter::once(name).chain(options.rest.clone()));
    let mut deployment = Deployment::for_calls(&options);
    let alice = deployment.add_phone("alice", "alice", Manner::Nothing);
    let bob = deployment.add_phone("bob", "bob", Manner::Answers(Duration::from_secs(1)));
    for phone in [alice, bob] {
        deployment.connect(phone)?;
    }
    let line = deployment.talk(alice, "bob")?;
    let lossy = Link {
        loss: arguments.loss / 100.0,
        jitter: Duration::from_millis(8),
        ..Link::default()
    };
    deployment.testbed.set_link(alice, bob, lossy);
    deployment.testbed.run_for(Duration::from_secs(20));
    deployment.testbed.note(alice, "Alice hangs up");
    deployment.hang_up(alice, line)?;

    let columns = [alice, deployment.server, bob];
    finish(&deployment.testbed, "Report on quality", &columns, &options)?;
    for (name, host) in [("Alice", alice), ("Bob", bob)] {
        print_streams(name, deployment.testbed.host(host));
    }
    let server: &ServerHost = deployment.testbed.host(deployment.server);
    for event in &server.events {
        if let Event::QualityReported { aor, report } = event
            && let Report::Event(event) = &**report
        {
            println!("\n{aor} reports:");
            for session in &event.reports {
                print_report(session);
            }
        }
    }
    Ok(())
}

fn print_report(session: &SessionReport) {
    println!("  session {}", session.session_id);
    for line in &session.media_lines {
        print_line(line);
    }
}

/// What was measured, with its unit; a dash where nothing was.
fn measured(value: Option<impl Display>, unit: &str) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value}{unit}"))
}

fn print_line(line: &MediaLine) {
    let description = &line.description;
    let ice = description.connectivity.as_ref();
    let ice = ice.and_then(|connectivity| connectivity.ice.as_ref());
    println!(
        "  {}: security {}, ICE {}",
        line.label.as_str(),
        measured(description.security.as_ref(), ""),
        measured(ice.copied().map(Ice::as_str), "")
    );
    for (name, stream) in [("inbound", &line.inbound), ("outbound", &line.outbound)] {
        let Some(network) = stream.as_ref().and_then(|stream| stream.network.as_ref()) else {
            continue;
        };
        let packets = network.utilization.as_ref().and_then(|u| u.packets);
        let loss = network.packet_loss.as_ref();
        let lost = loss.and_then(|loss| loss.loss_rate);
        let jitter = network.jitter.as_ref();
        let delay = network.delay.as_ref();
        println!(
            "    {name}: {}, lost {}, jitter {}, round trip {}",
            measured(packets, " packets"),
            measured(lost.map(|rate| format!("{:.1}", rate.0 * 100.0)), " %"),
            measured(jitter.and_then(|jitter| jitter.inter_arrival), " ms"),
            measured(delay.and_then(|delay| delay.round_trip), " ms")
        );
    }
}
