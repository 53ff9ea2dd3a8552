//! The programs `front_end` and `chat` as a user starts them.
#![cfg(unix)]

mod process;
mod running;

use running::FrontEnd;

#[test]
fn two_chats_talk_through_pipes() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = directory.path().join("server.pem");
    let certificate = certificate.to_str().unwrap();
    let mut server = FrontEnd::start(&["--save-cert", certificate, "--compression"]);
    let trust = ["--ca", certificate, "--server-name", "sip.contoso.com"];
    let mut bob = server.chat("bob", &[&trust[..], &["--compression"]].concat());
    let mut alice = server.chat("alice", &["--tcp"]);

    alice.type_line("bob@contoso.com: Hi Bob");
    alice.expect("* delivered to bob@contoso.com");
    bob.expect("alice@contoso.com: Hi Bob");
    bob.type_line("/typing");
    alice.expect("* bob@contoso.com is typing");
    bob.type_line("Hello Alice, how are you? ü €");
    alice.expect("bob@contoso.com: Hello Alice, how are you? ü €");
    alice.type_line("/end");
    bob.expect("* conversation with alice@contoso.com ended");
    bob.type_line("/to alice@contoso.com");
    bob.type_line("One more");
    alice.expect("bob@contoso.com: One more");
    alice.type_line("carol@contoso.com: Hello?");
    alice.expect("! not delivered to carol@contoso.com: 404");

    bob.type_line("/quit");
    bob.expect("* signed out");
    assert!(bob.finish().success());
    assert!(alice.finish().success(), "the end of the input");
    alice.expect("* signed out");
    assert!(server.program.terminate().success());
}

#[test]
fn refusals_are_failures_with_a_reason() {
    let server = FrontEnd::start(&[]);
    for (user, password, arguments, reason) in [
        ("alice", "wrong", &["--tcp"][..], "authentication failed"),
        ("mallory", "Passw0rd", &["--tcp"], "authentication failed"),
        ("alice", "Passw0rd", &[], "invalid peer certificate"),
    ] {
        let mut chat = server.chat_with(user, password, arguments);
        chat.expect(reason);
        assert!(!chat.finish().success());
    }
    let mut chat = server.chat("alice", &["--insecure"]);
    assert!(chat.finish().success());
}

#[test]
fn a_server_that_drains_tells_its_clients() {
    let mut server = FrontEnd::start(&[]);
    let mut alice = server.chat("alice", &["--tcp"]);
    assert!(server.program.terminate().success());
    alice.expect("* the server says: Deactivated");
    alice.expect("* connection lost");
    assert!(alice.finish().success(), "signed out while not connected");
}
