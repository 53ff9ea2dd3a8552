//! SIPp against `front_end`: a crowd of strangers, while users talk.
//!
//! ```text
//! OCS_PEER_SECONDS=30 cargo test -p ocs-examples --test sipp -- --ignored --nocapture
//! ```
#![cfg(unix)]

mod process;
mod running;

use std::path::Path;
use std::process::{Command, Stdio};

use running::FrontEnd;

/// Calls per second.
const RATE: u64 = 500;

/// A request that nobody signed. The server authenticates everything ([MS-SIPAE]), also OPTIONS.
fn scenario(method: &str, uri: &str) -> String {
    let contact = if method == "REGISTER" {
        "Contact: <sip:[local_ip]:[local_port];transport=tcp>;+sip.instance=\"<urn:uuid:4b1682a8-f968-5701-83fc-7c6741dc6697>\"\n\
         Supported: gruu-10\n"
    } else {
        ""
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <scenario name=\"{method}\">\n\
         <send><![CDATA[\n\
         {method} {uri} SIP/2.0\n\
         Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
         From: <sip:alice@contoso.com>;tag=[call_number];epid=0123456789\n\
         To: <{uri}>\n\
         Call-ID: [call_id]\n\
         CSeq: 1 {method}\n\
         Max-Forwards: 70\n\
         {contact}\
         Content-Length: 0\n\n\
         ]]></send>\n\
         <recv response=\"401\"/>\n\
         </scenario>\n"
    )
}

#[test]
#[ignore = "needs sipp and takes a while"]
fn strangers_at_full_speed() {
    let silent =
        |command: &mut Command| command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    if silent(Command::new("sipp").arg("-v").stderr(Stdio::null())).is_err() {
        println!("skipped: sipp is not installed");
        return;
    }
    let seconds = std::env::var("OCS_PEER_SECONDS")
        .map_or(5, |text| text.parse().expect("a number of seconds"));
    let directory = tempfile::tempdir().unwrap();
    let mut server = FrontEnd::start(&[]);
    let mut alice = server.chat("alice", &["--tcp"]);
    let mut bob = server.chat("bob", &["--insecure"]);
    for (method, uri) in [
        ("OPTIONS", "sip:fe01.contoso.com"),
        ("REGISTER", "sip:contoso.com"),
    ] {
        let file = directory.path().join(format!("{method}.xml"));
        std::fs::write(&file, scenario(method, uri)).unwrap();
        // All calls on one connection, then one connection for each.
        for mode in ["t1", "tn"] {
            let mut sipp = sipp(&server.tcp, &file, mode, seconds, directory.path());
            let mut texts = 0_u64;
            let status = loop {
                let text = format!("{method} {mode} {texts}");
                alice.type_line(&format!("bob@contoso.com: {text}"));
                bob.expect(&text);
                bob.type_line(&format!("alice@contoso.com: {text} too"));
                alice.expect(&format!("{text} too"));
                texts += 2;
                if let Some(status) = sipp.try_wait().unwrap() {
                    break status;
                }
            };
            // SIPp exits with 1 when a call failed.
            assert!(status.success(), "{method} {mode}: {status}");
            let calls = calls(directory.path());
            println!("{method} {mode}: {calls} calls answered, {texts} texts meanwhile");
            assert_eq!(calls, RATE * seconds);
        }
    }
    assert!(alice.finish().success());
    assert!(bob.finish().success());
    assert!(server.program.terminate().success());
}

fn sipp(
    server: &str,
    scenario: &Path,
    mode: &str,
    seconds: u64,
    directory: &Path,
) -> std::process::Child {
    Command::new("sipp")
        .arg(server)
        .arg("-sf")
        .arg(scenario)
        .args(["-t", mode, "-max_socket", "20000", "-nostdin"])
        .args(["-r", &RATE.to_string(), "-m", &(RATE * seconds).to_string()])
        .args(["-recv_timeout", "5000", "-timeout_error"])
        .args(["-timeout", &format!("{}s", seconds + 20)])
        .args(["-trace_stat", "-stf"])
        .arg(directory.join("statistics.csv"))
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sipp starts")
}

/// The calls that ended well, from the last line of the statistics.
fn calls(directory: &Path) -> u64 {
    let file = directory.join("statistics.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(file).unwrap();
    let mut lines = text.lines();
    let names = lines.next().unwrap().split(';');
    let column = names
        .into_iter()
        .position(|name| name == "SuccessfulCall(C)");
    let last = lines.next_back().unwrap();
    let value = last.split(';').nth(column.unwrap()).unwrap();
    value.parse().unwrap()
}
