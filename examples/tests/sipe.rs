//! SIPE 1.25, a foreign client of this system, against our front end and our user agent over TCP.
//!
//! Needs gcc, pkg-config, libpurple and the plugin (packages libpurple-dev, libxml2-dev, pidgin-sipe):
//! `cargo test -p ocs-examples --test sipe -- --ignored --nocapture`. Without them each test says `skipped` and succeeds.

#[path = "peers/hosts.rs"]
mod hosts;
#[path = "peers/program.rs"]
mod program;
#[path = "peers/tap.rs"]
mod tap;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use hosts::{Client, PASSWORD, Server, user};
use ocs_client::{Config as ClientConfig, Event as Told};
use ocs_examples::net::wall_clock;
use ocs_ntlm::Credential;
use ocs_server::{CloseCause, Event};
use ocs_sip_core::Transport;
use ocs_sipae::Version;
use ocs_sipre::Epid;
use ocs_siprege::registrar::Removal;
use program::Program;
use tap::{Side, Tap};

fn directory() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

/// The compiled program, once for all tests; `None` where it cannot be had.
fn program() -> Option<&'static Path> {
    static PROGRAM: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = PROGRAM.get_or_init(|| {
        let packages = ["purple", "glib-2.0", "libxml-2.0"];
        let program = program::compile("sipe_peer.c", directory(), &packages)?;
        let check = Command::new(&program)
            .arg(directory().join("sipe-check"))
            .output()
            .map_err(|error| error.to_string())?;
        if check.status.success() {
            Ok(program)
        } else {
            Err("the plugin pidgin-sipe is missing".to_owned())
        }
    });
    match built {
        Ok(program) => Some(program),
        Err(missing) => {
            println!("skipped: {missing}");
            None
        }
    }
}

/// Starts SIPE for a user, over TCP.
fn sipe(program: &Path, name: &str, password: &str, server: &Server) -> Program {
    start(
        program,
        name,
        password,
        &server.tap.address().to_string(),
        "tcp",
    )
}

fn start(program: &Path, name: &str, password: &str, server: &str, transport: &str) -> Program {
    static STARTED: AtomicU32 = AtomicU32::new(0);
    let number = STARTED.fetch_add(1, Ordering::Relaxed);
    let home = directory().join(format!("sipe-{number}-{name}"));
    // Of a run that was killed.
    let _ = fs::remove_dir_all(&home);
    Program::start(
        Command::new(program)
            .arg(&home)
            .arg(user(name).as_str())
            .arg(format!("CONTOSO\\{name}"))
            .args([password, server, transport]),
        Some(home),
    )
}

/// A user agent of ours, signing in over TCP.
fn agent(name: &str, server: &Server, adjust: fn(&mut ClientConfig)) -> Client {
    agent_at(name, server.tap.address(), adjust)
}

fn agent_at(name: &str, address: SocketAddr, adjust: fn(&mut ClientConfig)) -> Client {
    let epid = Epid::parse("0a0b0c0d0e").expect("ten digits");
    let credential = Credential::from_password(PASSWORD);
    let mut config = ClientConfig::new(user(name), credential, epid, wall_clock());
    let (host, port) = (address.ip().to_string(), address.port());
    let server = ocs_conmgmt::Server::new(Transport::Tcp, &host, Some(port));
    config.connector.discovery.manual = Some(server.expect("a server"));
    adjust(&mut config);
    Client::start(config)
}

/// Waits until something holds.
#[track_caller]
fn wait(seconds: u64, what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(seconds);
    while !condition() {
        assert!(Instant::now() < end, "not within {seconds} s: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for a line of SIPE.
#[track_caller]
fn expect(peer: &Program, line: &str) {
    wait(15, &format!("SIPE says {line:?}"), || peer.told(line));
}

/// Whether SIPE wrote this into its conversation with somebody.
fn noticed(peer: &Program, who: &str, text: &str) -> bool {
    let start = format!("notice sip:{who}@contoso.com ");
    let lines = peer.lines();
    lines
        .iter()
        .any(|line| line.starts_with(&start) && line.contains(text))
}

/// Waits for an event of the front end.
#[track_caller]
fn observe(server: &Server, what: &str, test: impl Fn(&Event) -> bool) {
    wait(20, what, || server.events().iter().any(&test));
}

/// Waits for an event of a user agent.
#[track_caller]
fn hear(client: &Client, what: &str, test: impl Fn(&Told) -> bool) {
    wait(15, what, || client.events().iter().any(&test));
}

#[track_caller]
fn send(client: &Client, to: &'static str, text: &'static str) {
    client.command(move |agent, now| {
        let sent = agent.send_text(now, &user(to), text);
        sent.expect("the conversation takes the text");
    });
}

fn text_from(name: &str, text: &str) -> impl Fn(&Told) -> bool {
    let (from, expected) = (user(name), text.to_owned());
    move |event| matches!(event, Told::Text { from: sender, text, .. } if *sender == from && *text == expected)
}

/// Nothing was wrong: no signature, no form, no password, no close from our side.
#[track_caller]
fn clean(server: &Server, peers: &[&Program]) {
    for event in server.events().iter() {
        assert!(
            matches!(event, Event::Registered { .. } | Event::Unregistered { .. }),
            "{event:?}"
        );
    }
    for peer in peers {
        for line in peer.lines().iter() {
            let bad = ["error ", "alert ", "notice "];
            assert!(
                !bad.iter().any(|word| line.starts_with(word)),
                "SIPE: {line}"
            );
        }
    }
}

#[track_caller]
fn sign_out(server: &Server, peer: &mut Program, name: &str) {
    // SIPE closes without reading what is on its way to it; the reset that follows can overtake its REGISTER. So let
    // everything arrive first, and count the end of the connection as the end of the registration too.
    thread::sleep(Duration::from_millis(500));
    peer.say("sign-out");
    expect(peer, "signed-off");
    let gone = user(name);
    observe(
        server,
        "the registration is ended",
        |event| matches!(event, Event::Unregistered { aor, cause: Removal::Unregistered | Removal::ConnectionClosed, .. } if *aor == gone),
    );
}

/// Two SIPE clients sign in, talk both ways with typing, part and sign out.
fn conversation(version: Version, parameter: &str) {
    let Some(program) = program() else { return };
    let server = Server::start(move |config, _| config.version = version);
    let mut alice = sipe(program, "alice", PASSWORD, &server);
    let mut bob = sipe(program, "bob", PASSWORD, &server);
    expect(&alice, "signed-on");
    expect(&bob, "signed-on");

    alice.say("im sip:bob@contoso.com Hi Bob & <Co>, 5 € für 猫");
    expect(&bob, "im sip:alice@contoso.com Hi Bob & <Co>, 5 € für 猫");
    bob.say("typing sip:alice@contoso.com");
    expect(&alice, "typing sip:bob@contoso.com");
    bob.say("idle sip:alice@contoso.com");
    expect(&alice, "idle sip:bob@contoso.com");
    bob.say("im sip:alice@contoso.com Hello Alice");
    expect(&alice, "im sip:bob@contoso.com Hello Alice");
    for number in 0..20 {
        alice.say(&format!("im sip:bob@contoso.com number {number}"));
    }
    for number in 0..20 {
        expect(&bob, &format!("im sip:alice@contoso.com number {number}"));
    }
    alice.say("close sip:bob@contoso.com");
    wait(10, "the BYE is answered", || {
        let byes = |side| server.tap.text(side).matches(" BYE\r\n").count();
        byes(Side::Client) == 2 && byes(Side::Server) == 2
    });
    // A new dialog, begun by the other side.
    bob.say("im sip:alice@contoso.com Still there?");
    expect(&alice, "im sip:bob@contoso.com Still there?");
    sign_out(&server, &mut alice, "alice");
    sign_out(&server, &mut bob, "bob");
    clean(&server, &[&alice, &bob]);

    let text = server.tap.text(Side::Client);
    let first = text.lines().find(|line| line.contains("gssapi-data=\"T"));
    assert_eq!(
        first.is_some_and(|line| line.contains("version=")),
        !parameter.is_empty()
    );
    assert!(
        first.is_some_and(|line| line.contains(parameter)),
        "{first:?}"
    );
    let invite = text.split("INVITE sip:").nth(1).unwrap_or_default();
    let contact = invite.lines().find(|line| line.starts_with("Contact:"));
    assert!(
        contact.is_some_and(|line| line.contains(";opaque=user:epid:") && line.contains(";gruu")),
        "{contact:?}"
    );
}

#[test]
#[ignore = "needs SIPE"]
fn conversation_signed_as_version_2() {
    conversation(Version::V2, "");
}

#[test]
#[ignore = "needs SIPE"]
fn conversation_signed_as_version_3() {
    conversation(Version::V3, "version=3");
}

#[test]
#[ignore = "needs SIPE"]
fn conversation_signed_as_version_4() {
    conversation(Version::V4, "version=4");
}

#[test]
#[ignore = "needs SIPE"]
fn conversation_with_our_user_agent() {
    let Some(program) = program() else { return };
    let server = Server::start(|_, _| {});
    let mut alice = sipe(program, "alice", PASSWORD, &server);
    let bob = agent("bob", &server, |_| {});
    expect(&alice, "signed-on");
    hear(&bob, "signed in", |event| {
        matches!(event, Told::SignedIn { gruu: Some(_), .. })
    });

    // Ours begins, SIPE ends.
    send(&bob, "alice", "Hi Alice & <Co> 猫");
    expect(&alice, "im sip:bob@contoso.com Hi Alice & <Co> 猫");
    hear(&bob, "delivered", |event| {
        matches!(event, Told::Delivered { .. })
    });
    bob.command(|agent, now| {
        agent
            .set_typing(now, &user("alice"), true)
            .expect("a conversation");
    });
    expect(&alice, "typing sip:bob@contoso.com");
    bob.command(|agent, now| {
        agent
            .set_typing(now, &user("alice"), false)
            .expect("a conversation");
    });
    expect(&alice, "idle sip:bob@contoso.com");
    alice.say("typing sip:bob@contoso.com");
    hear(&bob, "typing", |event| {
        matches!(event, Told::Typing { active: true, .. })
    });
    alice.say("idle sip:bob@contoso.com");
    hear(&bob, "idle", |event| {
        matches!(event, Told::Typing { active: false, .. })
    });
    alice.say("im sip:bob@contoso.com Hello Bob & <Co> 猫");
    hear(
        &bob,
        "the answer",
        text_from("alice", "Hello Bob & <Co> 猫"),
    );
    alice.say("close sip:bob@contoso.com");
    hear(&bob, "ended", |event| {
        matches!(event, Told::ConversationEnded { .. })
    });

    // SIPE begins, ours ends.
    bob.events().clear();
    alice.say("im sip:bob@contoso.com Once more");
    hear(
        &bob,
        "the second conversation",
        text_from("alice", "Once more"),
    );
    assert_eq!(
        bob.events()
            .iter()
            .filter(|event| text_from("alice", "Once more")(event))
            .count(),
        1,
        "the text of the INVITE is not shown twice"
    );
    assert!(bob.events().iter().any(|event| matches!(
        event,
        Told::Invited { display_name: Some(name), preview: Some(text), .. }
            if name == "Alice \"Al\" Å" && text == "Once more"
    )));
    send(&bob, "alice", "Yes");
    expect(&alice, "im sip:bob@contoso.com Yes");
    bob.command(|agent, now| agent.end_conversation(now, &user("alice")));
    hear(&bob, "ended", |event| {
        matches!(event, Told::ConversationEnded { .. })
    });

    bob.command(|agent, now| {
        assert_eq!(agent.dropped(), 0);
        agent.sign_out(now);
    });
    hear(&bob, "signed out", |event| matches!(event, Told::SignedOut));
    sign_out(&server, &mut alice, "alice");
    clean(&server, &[&alice]);
}

/// Our user declines: SIPE tells that the text did not arrive.
#[test]
#[ignore = "needs SIPE"]
fn declined_conversation() {
    let Some(program) = program() else { return };
    let server = Server::start(|_, _| {});
    let mut alice = sipe(program, "alice", PASSWORD, &server);
    let bob = agent("bob", &server, |config| config.auto_accept = false);
    expect(&alice, "signed-on");
    hear(&bob, "signed in", |event| {
        matches!(event, Told::SignedIn { .. })
    });
    alice.say("im sip:bob@contoso.com Got a minute?");
    hear(&bob, "the invitation", |event| {
        matches!(event, Told::Invited { .. })
    });
    bob.command(|agent, now| agent.decline(now, &user("alice"), true));
    wait(10, "a notice", || noticed(&alice, "bob", "Got a minute?"));
    // SIPE's words for 603.
    assert!(noticed(&alice, "bob", "the service is not available"));
    // The next attempt is a new one.
    bob.events().clear();
    alice.say("im sip:bob@contoso.com Now?");
    hear(&bob, "the invitation", |event| {
        matches!(event, Told::Invited { .. })
    });
    bob.command(|agent, now| agent.accept(now, &user("alice")));
    hear(&bob, "the text", text_from("alice", "Now?"));
    sign_out(&server, &mut alice, "alice");
    clean(&server, &[]);
}

/// SIPE starts again on the same machine, with the same endpoint identifier, before the server knows that the first one is gone.
#[test]
#[ignore = "needs SIPE"]
fn started_again() {
    let Some(program) = program() else { return };
    let server = Server::start(|_, _| {});
    let first = sipe(program, "alice", PASSWORD, &server);
    let mut bob = sipe(program, "bob", PASSWORD, &server);
    expect(&first, "signed-on");
    expect(&bob, "signed-on");
    bob.say("im sip:alice@contoso.com One");
    expect(&first, "im sip:bob@contoso.com One");
    let mut second = sipe(program, "alice", PASSWORD, &server);
    expect(&second, "signed-on");
    bob.say("close sip:alice@contoso.com");
    bob.say("im sip:alice@contoso.com Two");
    expect(&second, "im sip:bob@contoso.com Two");
    assert!(!first.told("im sip:bob@contoso.com Two"));
    // Its end is not that of the other.
    drop(first);
    bob.say("im sip:alice@contoso.com Three");
    expect(&second, "im sip:bob@contoso.com Three");
    second.say("im sip:bob@contoso.com Four");
    expect(&bob, "im sip:alice@contoso.com Four");
    sign_out(&server, &mut second, "alice");
    sign_out(&server, &mut bob, "bob");
    clean(&server, &[&second, &bob]);
}

/// A user with SIPE and our user agent at once: SIPE answers, ours is told so. SIPE waits 10 s once presence tells it of another endpoint.
#[test]
#[ignore = "needs SIPE"]
fn two_endpoints_of_one_user() {
    let Some(program) = program() else { return };
    let server = Server::start(|_, _| {});
    let mut alice = sipe(program, "alice", PASSWORD, &server);
    let phone = agent("alice", &server, |config| {
        config.accept_delay = Duration::from_secs(30);
    });
    let mut bob = sipe(program, "bob", PASSWORD, &server);
    expect(&alice, "signed-on");
    expect(&bob, "signed-on");
    hear(&phone, "signed in", |event| {
        matches!(event, Told::SignedIn { .. })
    });
    bob.say("im sip:alice@contoso.com Who is there?");
    expect(&alice, "im sip:bob@contoso.com Who is there?");
    hear(&phone, "answered elsewhere", |event| {
        matches!(
            event,
            Told::ConversationEnded {
                elsewhere: true,
                ..
            }
        )
    });
    alice.say("im sip:bob@contoso.com Me");
    expect(&bob, "im sip:alice@contoso.com Me");
    assert!(
        !phone
            .events()
            .iter()
            .any(|event| matches!(event, Told::Text { .. }))
    );
    sign_out(&server, &mut alice, "alice");
    sign_out(&server, &mut bob, "bob");
    clean(&server, &[&alice, &bob]);
}

/// Both answer before they hear of each other. SIPE's 200 is the first; the caller leaves the other without ACK and BYE, so our user agent
/// gives up by itself.
#[test]
#[ignore = "needs SIPE"]
fn two_endpoints_answer_at_once() {
    let Some(program) = program() else { return };
    let server = Server::start(|_, _| {});
    let alice = sipe(program, "alice", PASSWORD, &server);
    let slow = Tap::start(server.tap.address(), Duration::from_millis(500));
    let phone = agent_at("alice", slow.address(), |_| {});
    let mut bob = sipe(program, "bob", PASSWORD, &server);
    expect(&alice, "signed-on");
    expect(&bob, "signed-on");
    hear(&phone, "signed in", |event| {
        matches!(event, Told::SignedIn { .. })
    });
    for text in ["One", "Two"] {
        bob.say(&format!("im sip:alice@contoso.com {text}"));
    }
    expect(&alice, "im sip:bob@contoso.com Two");
    wait(40, "the phone gives up", || {
        let events = phone.events();
        let ended = |event: &Told| matches!(event, Told::ConversationEnded { .. });
        events.iter().any(ended)
    });
    let started = |event: &Told| matches!(event, Told::ConversationStarted { .. });
    assert!(phone.events().iter().any(started), "it had answered");
    sign_out(&server, &mut bob, "bob");
    clean(&server, &[&alice, &bob]);
}

#[test]
#[ignore = "needs SIPE"]
fn messages_that_cannot_be_delivered() {
    let Some(program) = program() else { return };
    let server = Server::start(|_, _| {});
    let mut alice = sipe(program, "alice", PASSWORD, &server);
    let bob = sipe(program, "bob", PASSWORD, &server);
    expect(&alice, "signed-on");
    expect(&bob, "signed-on");
    // Offline, then unknown.
    for who in ["carol", "nobody"] {
        alice.say(&format!("im sip:{who}@contoso.com Anybody?"));
        wait(10, "a notice", || noticed(&alice, who, "are offline"));
    }
    // Gone without goodbye.
    alice.say("im sip:bob@contoso.com Hi");
    expect(&bob, "im sip:alice@contoso.com Hi");
    drop(bob);
    observe(
        &server,
        "the connection is gone",
        |event| matches!(event, Event::Unregistered { cause, .. } if *cause != Removal::Unregistered),
    );
    alice.say("im sip:bob@contoso.com Are you still there?");
    wait(10, "a notice", || noticed(&alice, "bob", "are offline"));
    sign_out(&server, &mut alice, "alice");
}

#[test]
#[ignore = "needs SIPE"]
fn refused_sign_ins() {
    let Some(program) = program() else { return };
    let server = Server::start(|_, store| {
        store.user_mut(&user("bob")).expect("a user").enabled = false;
    });
    let alice = sipe(program, "alice", "Passw1rd", &server);
    let bob = sipe(program, "bob", PASSWORD, &server);
    let stranger = sipe(program, "dave", PASSWORD, &server);
    let error = |peer: &Program| {
        wait(15, "SIPE gives up", || peer.told("signed-off"));
        let lines = peer.lines();
        assert!(!lines.iter().any(|line| line == "signed-on"));
        lines
            .iter()
            .find(|line| line.starts_with("error "))
            .cloned()
    };
    // 2 is libpurple's number for a failed authentication.
    assert!(error(&alice).is_some_and(|line| line.starts_with("error 2 ")));
    assert!(error(&bob).is_some_and(|line| line.contains("User is not enabled for SIP")));
    assert!(error(&stranger).is_some_and(|line| line.starts_with("error 2 ")));
    observe(
        &server,
        "who failed",
        |event| matches!(event, Event::LogonFailure { aor, .. } if *aor == user("alice")),
    );
}

/// SIPE refreshes 30 s before the end, with the association that it has.
#[test]
#[ignore = "needs SIPE"]
fn refreshed_registration() {
    let Some(program) = program() else { return };
    let server = Server::start(|config, _| {
        config.registrar.expires = Duration::from_secs(40);
        config.registrar.min_expires = Duration::from_secs(40);
    });
    let mut alice = sipe(program, "alice", PASSWORD, &server);
    let mut bob = sipe(program, "bob", PASSWORD, &server);
    expect(&alice, "signed-on");
    expect(&bob, "signed-on");
    for who in ["alice", "bob"] {
        observe(
            &server,
            "a refresh",
            |event| matches!(event, Event::Registered { aor, action: "refreshed", .. } if *aor == user(who)),
        );
    }
    alice.say("im sip:bob@contoso.com Hi");
    expect(&bob, "im sip:alice@contoso.com Hi");
    let challenges = server.tap.text(Side::Server).matches("SIP/2.0 401").count();
    assert_eq!(challenges, 4, "no new handshake");
    sign_out(&server, &mut alice, "alice");
    sign_out(&server, &mut bob, "bob");
    clean(&server, &[&alice, &bob]);
}

/// SIPE sends its first keep-alive when it was silent for a minute.
#[test]
#[ignore = "needs SIPE"]
fn keep_alive() {
    let Some(program) = program() else { return };
    let server = Server::start(|config, _| config.keep_alive.timeout = 60);
    let mut alice = sipe(program, "alice", PASSWORD, &server);
    expect(&alice, "signed-on");
    wait(70, "a keep-alive", || {
        let chunks = server.tap.chunks();
        chunks
            .iter()
            .any(|chunk| chunk.side == Side::Client && chunk.data == b"\r\n\r\n")
    });
    sign_out(&server, &mut alice, "alice");
    clean(&server, &[&alice]);
}

/// The server shuts down: SIPE shows why.
#[test]
#[ignore = "needs SIPE"]
fn server_shuts_down() {
    let Some(program) = program() else { return };
    let server = Server::start(|_, _| {});
    let alice = sipe(program, "alice", PASSWORD, &server);
    expect(&alice, "signed-on");
    for event in server.drain() {
        let expected = match event {
            Event::Closed { ref cause, .. } => *cause == CloseCause::Draining,
            Event::Registered { .. } | Event::Unregistered { .. } => true,
            _ => false,
        };
        assert!(expected, "{event:?}");
    }
    expect(&alice, "signed-off");
    let lines = alice.lines();
    let error = lines.iter().find(|line| line.starts_with("error "));
    assert!(
        error.is_some_and(|line| line.ends_with("User moved")),
        "{error:?}"
    );
}

/// The same over TLS.
#[test]
#[ignore = "needs SIPE"]
fn conversation_over_tls() {
    let Some(program) = program() else { return };
    let server = Server::start(|config, _| {
        config.router.transport = Transport::Tls;
    });
    let address = server.tls.to_string();
    let mut alice = start(program, "alice", PASSWORD, &address, "tls");
    let mut bob = start(program, "bob", PASSWORD, &address, "tls");
    expect(&alice, "signed-on");
    expect(&bob, "signed-on");
    alice.say("im sip:bob@contoso.com Hi Bob");
    expect(&bob, "im sip:alice@contoso.com Hi Bob");
    let long = "Hello Alice! ".repeat(500);
    bob.say(&format!("im sip:alice@contoso.com {}", long.trim_end()));
    expect(
        &alice,
        &format!("im sip:bob@contoso.com {}", long.trim_end()),
    );
    sign_out(&server, &mut alice, "alice");
    sign_out(&server, &mut bob, "bob");
    clean(&server, &[&alice, &bob]);
}
