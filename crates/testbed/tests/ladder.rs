//! The diagrams.

mod common;

use std::time::{Instant, SystemTime};

use common::{Pair, Puppet, address, ms};
use ocs_sip_core::{ConnectionId, Transport};
use ocs_testbed::{
    Dissector, Frame, HostId, Input, Ladder, Link, Listener, Output, Query, Testbed,
};
use quick_xml::events::Event;

/// Messages that end with an empty line; the first word of the first line is the label.
#[derive(Default)]
struct Paragraphs(Vec<u8>);

impl Dissector for Paragraphs {
    fn feed(&mut self, data: &[u8]) -> Vec<Frame> {
        self.0.extend_from_slice(data);
        let mut frames = Vec::new();
        while let Some(end) = self.0.windows(4).position(|window| window == b"\r\n\r\n") {
            let text: Vec<u8> = self.0.drain(..end + 4).collect();
            let line = String::from_utf8_lossy(&text)
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            let label = line
                .strip_suffix(" SIP/2.0")
                .or(line.strip_prefix("SIP/2.0 "));
            let detail = text
                .windows(6)
                .any(|window| window == b"signed")
                .then(|| "signed".to_owned());
            let label = label.unwrap_or(&line).to_owned();
            frames.push(Frame {
                label,
                detail,
                text: text.into(),
            });
        }
        frames
    }

    fn finish(&mut self) -> Option<Frame> {
        let label = format!("{} bytes of an incomplete message", self.0.len());
        let text = core::mem::take(&mut self.0);
        (!text.is_empty()).then(|| Frame {
            label,
            detail: None,
            text: text.into(),
        })
    }
}

/// A sign-in with a bit of everything.
fn flow() -> (Testbed, [HostId; 3]) {
    let mut testbed = Testbed::new(5, Instant::now(), SystemTime::UNIX_EPOCH);
    let [alice, front_end, bob] = [("alice", 1), ("front end", 2), ("bob", 3)]
        .map(|(name, last)| testbed.add_host(name, [address(last, 0).ip()], Puppet::default()));
    testbed.listen(
        front_end,
        Listener::tls(address(2, 443), ["sip.contoso.com"]),
    );
    testbed.set_dissector(|_| Box::new(Paragraphs::default()));
    testbed
        .zone_mut()
        .srv("_sip._tls.contoso.com", 0, 0, 443, "sip.contoso.com");
    let tell = |testbed: &mut Testbed, host, connection: ConnectionId, text: &str| {
        let data = text.to_owned();
        testbed.command(host, |puppet: &mut Puppet, _| {
            puppet.send(connection.0, data);
        });
        testbed.run_until_idle().unwrap();
    };
    let query = Query::Srv("_sip._tls.contoso.com".into());
    testbed.command(alice, |alice: &mut Puppet, _| {
        alice.outputs.push_back(Output::Resolve { id: 1, query });
    });
    testbed.run_until_idle().unwrap();
    for host in [alice, bob] {
        testbed.command(host, |puppet: &mut Puppet, _| {
            puppet.connect(1, address(2, 443), Transport::Tls);
        });
        testbed.run_until_idle().unwrap();
    }
    let one = ConnectionId(1);
    let (_, to_alice) = testbed.peer_of(alice, one).unwrap();
    let (_, to_bob) = testbed.peer_of(bob, one).unwrap();
    tell(
        &mut testbed,
        alice,
        one,
        "REGISTER sip:contoso.com SIP/2.0\r\n\r\n",
    );
    tell(
        &mut testbed,
        front_end,
        to_alice,
        "SIP/2.0 401 Unauthorized\r\n\r\n",
    );
    tell(
        &mut testbed,
        alice,
        one,
        "REGISTER sip:contoso.com SIP/2.0\r\nX: signed\r\n\r\n",
    );
    tell(
        &mut testbed,
        front_end,
        to_alice,
        "SIP/2.0 200 OK\r\nX: signed\r\n\r\n",
    );
    testbed.note(alice, "alice is signed in\u{1}");
    tell(
        &mut testbed,
        front_end,
        to_bob,
        "NOTIFY sip:bob@contoso.com SIP/2.0\r\n\r\nhalf",
    );
    testbed.set_link(
        alice,
        bob,
        Link {
            loss: 1.0,
            ..Link::default()
        },
    );
    testbed.command(alice, |alice: &mut Puppet, _| {
        alice.datagram(address(1, 3478), address(3, 3478), "STUN Binding <\"&'>");
        alice.datagram(address(1, 3478), address(9, 3478), "STUN Binding");
        alice.connect(2, address(3, 5060), Transport::Tcp);
    });
    testbed.run_until_idle().unwrap();
    testbed.set_link(
        alice,
        bob,
        Link {
            duplicate: 1.0,
            ..Link::default()
        },
    );
    testbed.command(bob, |bob: &mut Puppet, _| {
        bob.datagram(address(3, 3478), address(1, 3478), "media");
        bob.datagram(address(3, 3478), address(3, 3479), "to itself");
    });
    testbed.run_until_idle().unwrap();
    testbed.command(alice, |alice: &mut Puppet, _| {
        alice.outputs.push_back(Output::Close { connection: one });
    });
    testbed.run_until_idle().unwrap();
    testbed.command(front_end, |puppet: &mut Puppet, _| {
        puppet.send(to_alice.0, "BYE sip:alice@contoso.com SIP/2.0\r\n\r\n");
        puppet
            .outputs
            .push_back(Output::Reset { connection: to_bob });
    });
    testbed.run_for(ms(3));
    testbed.reset_connection(alice, one);
    testbed.run_until_idle().unwrap();
    (testbed, [alice, front_end, bob])
}

fn compare(name: &str, text: &str) {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("OCS_TESTBED_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    assert!(golden == text, "{name} differs:\n{text}");
}

fn well_formed(svg: &str) {
    let mut reader = quick_xml::Reader::from_str(svg);
    let mut depth = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                depth += 1;
                for attribute in start.attributes() {
                    attribute.unwrap();
                }
            }
            Event::Empty(empty) => {
                for attribute in empty.attributes() {
                    attribute.unwrap();
                }
            }
            Event::End(_) => depth -= 1,
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    assert!(svg.chars().all(|c| c >= ' ' || c == '\n' || c == '\t'));
}

#[test]
fn golden_text() {
    let (testbed, _) = flow();
    compare("ladder.txt", &testbed.ladder("Sign-in").to_string());
}

#[test]
fn golden_trace_and_columns() {
    let (testbed, [alice, front_end, _]) = flow();
    let ladder = testbed
        .ladder("")
        .columns([front_end, alice])
        .messages_only()
        .trace(true);
    compare("trace.txt", &ladder.to_string());
}

#[test]
fn svg_is_well_formed() {
    let (testbed, _) = flow();
    let svg = testbed.ladder("Sign-in & <more>").to_svg();
    well_formed(&svg);
    assert!(svg.contains("<title>Sign-in &amp; &lt;more&gt;</title>"));
    assert!(svg.contains("STUN Binding &lt;"));
    compare("ladder.svg", &svg);
    well_formed(&testbed.ladder("").trace(true).to_svg());
}

#[test]
fn empty_diagrams() {
    let testbed = Testbed::new(0, Instant::now(), SystemTime::UNIX_EPOCH);
    let ladder: Ladder = testbed.ladder("Nothing");
    assert_eq!(ladder.to_string(), "Nothing\n\nms\n\n\n");
    well_formed(&ladder.to_svg());
}

#[test]
fn stream_chunks_are_not_messages() {
    let mut pair = Pair::new(1, false);
    pair.testbed
        .set_dissector(|_| Box::new(Paragraphs::default()));
    let chunking = ocs_testbed::Chunking::Bytes;
    pair.testbed.set_default_link(Link {
        chunking,
        ..Link::default()
    });
    pair.alice(|alice| alice.connect(1, address(2, 5060), Transport::Tcp));
    pair.testbed.run_until_idle().unwrap();
    pair.alice(|alice| {
        alice.send(1, "INFO a SIP/2.0\r\n\r\nMESSAGE b SIP/2.0\r\n\r\ntail");
        alice.outputs.push_back(Output::Close {
            connection: ConnectionId(1),
        });
    });
    pair.testbed.run_until_idle().unwrap();
    let labels: Vec<&str> = pair
        .testbed
        .messages()
        .map(|message| message.label.as_str())
        .collect();
    assert_eq!(
        labels,
        ["INFO a", "MESSAGE b", "4 bytes of an incomplete message"]
    );
    assert!(matches!(pair.at_bob().inputs[1], Input::Data { ref data, .. } if data.len() == 1));
}
