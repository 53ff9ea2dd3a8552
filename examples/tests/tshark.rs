//! What `edge` and `ice_peer` put on the wire as Wireshark sees it: an independent decoder.
#![cfg(target_os = "linux")]

mod allocation;
mod conversation;
mod ice_pair;
mod process;
mod running;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use ice_pair::Peers;
use ocs_turn::client::Transport;
use ocs_turn::frame::{FrameReader, FrameType};
use ocs_turn::pseudo_tls;
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
    fn finish(&mut self) -> Vec<String> {
        // What is under way is still to be seen.
        sleep(Duration::from_millis(500));
        self.tshark.terminate();
        decode(&self.file())
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("run.pcapng")
    }

    /// The same of the messages in the frames of [MS-TURN] over TCP, which tshark does not know: each message becomes a datagram.
    fn messages_in_frames(&self, relay: SocketAddr) -> Vec<String> {
        let filter = format!("tcp.port == {} && tcp.len > 0", relay.port());
        let fields = ["tcp.stream", "tcp.srcport", "tcp.payload"];
        let mut streams = BTreeMap::new();
        for line in tshark(&self.file(), &["-Y", &filter], &fields).lines() {
            let (name, payload) = line.rsplit_once('\t').unwrap();
            let octets: &mut Vec<u8> = streams.entry(name.to_owned()).or_default();
            octets.extend(hex::decode(payload).unwrap());
        }
        let mut dump = String::new();
        for octets in streams.values() {
            let hello = if octets.starts_with(&pseudo_tls::RECORD_START) {
                5 + usize::from(u16::from_be_bytes([octets[3], octets[4]]))
            } else {
                0
            };
            let mut reader = FrameReader::default();
            let mut rest = &octets[hello..];
            while let Some(frame) = reader.next(&mut rest).unwrap() {
                if frame.frame_type == FrameType::Control {
                    dump.push_str("000000");
                    for octet in frame.content {
                        write!(dump, " {octet:02x}").unwrap();
                    }
                    dump.push('\n');
                }
            }
        }
        let [text, file] =
            ["frames.txt", "frames.pcap"].map(|name| self.directory.path().join(name));
        std::fs::write(&text, dump).unwrap();
        let mut convert = Command::new("text2pcap");
        convert.args(["-q", "-u", "3478,3478"]).arg(text).arg(&file);
        assert!(convert.status().unwrap().success());
        decode(&file)
    }
}

/// The fields of each frame of a file, with tabs between them.
fn tshark(file: &Path, arguments: &[&str], fields: &[&str]) -> String {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(file).args(arguments);
    // What a packet looks like counts more than its port: the system may give one that is some other protocol's.
    command.args(["-o", "udp.try_heuristic_first:TRUE"]);
    command.args(["-T", "fields", "-E", "separator=/t"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// The protocols of each frame, of which none is malformed.
fn decode(file: &Path) -> Vec<String> {
    let text = tshark(
        file,
        &[],
        &["frame.protocols", "_ws.malformed", "_ws.short"],
    );
    let frames = text.lines().map(|line| {
        let (protocols, faults) = line.split_once('\t').unwrap();
        assert_eq!(faults.trim(), "", "{protocols}");
        protocols.to_owned()
    });
    frames.collect()
}

fn count(frames: &[String], protocol: &str) -> usize {
    let of = |frame: &&String| frame.split(':').any(|name| name == protocol);
    frames.iter().filter(of).count()
}

#[test]
#[ignore = "needs tshark and leave to capture; run with --ignored"]
fn allocations() {
    let Some(mut capture) = Capture::start("127.7.1.0/24") else {
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
    let messages = capture.messages_in_frames(edge.address);
    assert!(messages.len() >= 20, "{messages:#?}");
    assert_eq!(count(&messages, "classicstun"), messages.len());
}

#[test]
#[ignore = "needs tshark and leave to capture; run with --ignored"]
fn connectivity_checks() {
    for (dialect, transport, protocol) in [
        ("ms-ice2", "udp", Some("stun")),
        ("ms-ice2", "tcp", Some("stun")),
        ("ms-ice", "udp", Some("classicstun")),
        // tshark does not know the older messages in the frames of RFC 4571.
        ("ms-ice", "tcp", None),
    ] {
        let Some(mut capture) = Capture::start("127.7.2.0/24") else {
            return;
        };
        let edge = Edge::start_at(&["--listen", "127.7.2.1:0"]);
        let relay = edge.address.to_string();
        let arguments = ["--dialect", dialect, "--relay", &relay, "--user", USER];
        let at = ["--address", "127.7.2.2", "--transport", transport];
        // The older dialect prefers a relay over UDP to anything over TCP.
        let relays = [
            "--relay-transport",
            if transport == "udp" { "udp,tcp" } else { "tcp" },
        ];
        let kind = format!("host {}", transport.to_uppercase());
        Peers::start(&[&arguments[..], &at, &relays].concat()).converse(&kind);
        let frames = capture.finish();
        if let Some(protocol) = protocol {
            // A check of each component from each side, and its answer.
            assert!(count(&frames, protocol) >= 8, "{frames:#?}");
        }
        let messages = capture.messages_in_frames(edge.address);
        assert!(messages.len() >= 16, "{messages:#?}");
        assert_eq!(count(&messages, "classicstun"), messages.len());
    }
}
