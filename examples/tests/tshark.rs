//! What `edge` and `ice_peer` put on the wire as Wireshark sees it: an independent decoder.
#![cfg(target_os = "linux")]

mod allocation;
mod conversation;
mod ice_pair;
mod process;
mod running;

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use ice_pair::Peers;
use ocs_turn::client::Transport;
use running::{Edge, Running, USER};
use tempfile::TempDir;

/// Packets of the loopback interface, from one network of it.
struct Capture {
    tshark: Running,
    directory: TempDir,
}

impl Capture {
    /// `None` where there is no tshark.
    fn start(network: &str) -> Option<Self> {
        if Command::new("tshark").arg("-v").output().is_err() {
            println!("skipped: tshark is not installed");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new("tshark");
        command.args(["-i", "lo", "-f", &format!("net {network}"), "-w"]);
        command.arg(directory.path().join("run.pcapng"));
        let mut tshark = Running::start(&mut command);
        tshark.expect("Capture started");
        Some(Self { tshark, directory })
    }

    /// Ends it. Gives the protocols of each frame, of which none is malformed.
    fn finish(mut self) -> Vec<String> {
        // What is under way is still to be seen.
        sleep(Duration::from_millis(500));
        self.tshark.terminate();
        let mut command = Command::new("tshark");
        command.arg("-n").arg("-r");
        command.arg(self.directory.path().join("run.pcapng"));
        command.args(["-T", "fields", "-E", "separator=/t"]);
        for field in ["frame.protocols", "_ws.malformed", "_ws.short"] {
            command.args(["-e", field]);
        }
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let text = String::from_utf8(output.stdout).unwrap();
        let frames = text.lines().map(|line| {
            let (protocols, faults) = line.split_once('\t').unwrap();
            assert_eq!(faults.trim(), "", "{protocols}");
            protocols.to_owned()
        });
        frames.collect()
    }
}

fn count(frames: &[String], protocol: &str) -> usize {
    let of = |frame: &&String| frame.split(':').any(|name| name == protocol);
    frames.iter().filter(of).count()
}

#[test]
#[ignore = "needs tshark and leave to capture; run with --ignored"]
fn allocations() {
    let Some(capture) = Capture::start("127.7.1.0/24") else {
        return;
    };
    let edge = Edge::start_at(&["--listen", "127.7.1.1:0"]);
    conversation::datagrams(edge.address, conversation::alice());
    conversation::streams(edge.address, Transport::Tcp);
    conversation::streams(edge.address, Transport::PseudoTls);
    let frames = capture.finish();
    // Two requests and responses for the allocation, one more for the destination, for the release, for data each way.
    assert!(count(&frames, "classicstun") >= 10, "{frames:#?}");
    assert!(count(&frames, "tcp") > 0, "{frames:#?}");
}

#[test]
#[ignore = "needs tshark and leave to capture; run with --ignored"]
fn connectivity_checks() {
    for (dialect, protocol) in [("ms-ice2", "stun"), ("ms-ice", "classicstun")] {
        let Some(capture) = Capture::start("127.7.2.0/24") else {
            return;
        };
        let edge = Edge::start_at(&["--listen", "127.7.2.1:0"]);
        let relay = edge.address.to_string();
        let arguments = ["--dialect", dialect, "--relay", &relay, "--user", USER];
        let at = ["--address", "127.7.2.2"];
        Peers::start(&[&arguments[..], &at].concat()).converse("host UDP 127.7.2.2:");
        let frames = capture.finish();
        // A check of each component from each side, and its answer.
        assert!(count(&frames, protocol) >= 8, "{frames:#?}");
    }
}
