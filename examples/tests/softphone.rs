//! Two telephones and a front end as three programs on loopback.

mod process;
mod running;

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::process::Command;

use ocs_examples::audio::{Comparison, Law, Tone, read_wav, write_wav};
use running::{FrontEnd, Running};

/// A recording of values of G.711: sweeps, so that no second of it is like another.
fn recording(path: &Path, seconds: u32, first: f64) -> Vec<i16> {
    let samples: Vec<i16> = (0..seconds)
        .flat_map(|second| {
            let frequency = first + 137.0 * f64::from(second);
            Tone::new(Law::Mu, frequency, -10.0, 0.0).take(8000)
        })
        .collect();
    write_wav(BufWriter::new(File::create(path).unwrap()), &samples).unwrap();
    samples
}

fn softphone(server: &FrontEnd, user: &str, play: &Path, record: &Path) -> Command {
    let mut command = process::example("softphone");
    command
        .args(["--user", &format!("{user}@contoso.com")])
        .args(["--password", "Passw0rd", "--server", &server.tcp, "--tcp"])
        .arg("--play")
        .arg(play)
        .arg("--record")
        .arg(record);
    command
}

/// What a telephone says that was lost, of its line "audio: 500 packets sent, 500 received, 0 lost".
fn lost(line: &str) -> &str {
    line.rsplit_once("received, ").expect("a count").1
}

#[test]
fn what_is_said_is_heard_sample_for_sample() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let said = [("alice", 300.0), ("bob", 440.0)]
        .map(|(name, first)| recording(&path(&format!("{name}-says.wav")), 10, first));
    let server = FrontEnd::start(&[]);
    let of = |user: &str| {
        let play = path(&format!("{user}-says.wav"));
        softphone(&server, user, &play, &path(&format!("{user}-hears.wav")))
    };
    let mut bob = Running::start(of("bob").arg("--once"));
    bob.expect("signed in as bob@contoso.com");
    let mut alice = Running::start(of("alice").args(["--call", "bob@contoso.com"]));
    alice.expect("answered");
    let counted = alice.expect("packets sent");
    let counted = [counted, bob.expect("packets sent")];
    assert!(alice.finish().success());
    assert!(bob.finish().success());

    let heard = ["bob", "alice"].map(|user| {
        let file = File::open(path(&format!("{user}-hears.wav"))).unwrap();
        read_wav(BufReader::new(file)).unwrap()
    });
    for (line, (said, heard)) in counted.iter().rev().zip(said.iter().zip(&heard)) {
        // The system may drop packets of a machine that has too much to do. It has never been seen to.
        assert_eq!(lost(line), "0 lost", "{line}");
        let comparison = Comparison::of(said, heard);
        assert!(comparison.is_equal(), "{comparison}");
        assert_eq!(heard.len(), 80_000);
    }
}

#[test]
fn nobody_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let play = directory.path().join("said.wav");
    recording(&play, 1, 300.0);
    let server = FrontEnd::start(&[]);
    let mut command = softphone(&server, "alice", &play, &directory.path().join("heard.wav"));
    let mut alice = Running::start(command.args(["--call", "bob@contoso.com"]));
    alice.expect("not answered: 480");
    assert!(!alice.finish().success());
}
