//! Presence and contacts over real sockets: three endpoints of two users, and a server that is killed and starts again.

mod process;
mod running;

use process::example;
use running::{FrontEnd, Running};

/// A program that watches, signed in and served.
fn watch(server: &FrontEnd, user: &str) -> Running {
    let mut program = Running::start(
        example("presence_watch")
            .env("OCS_PASSWORD", "Passw0rd")
            .args(["--user", &format!("{user}@contoso.com"), "--tcp"])
            .args(["--server", &server.tcp]),
    );
    program.expect("* signed in as");
    program
}

#[test]
fn presence_is_seen_on_other_endpoints_and_survives_a_killed_server() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("state.sqlite");
    let data = ["--data", file.to_str().unwrap()];
    {
        let mut server = FrontEnd::start(&data);
        let mut desk = watch(&server, "alice");
        let mut laptop = watch(&server, "alice");
        let mut bob = watch(&server, "bob");
        bob.type_line("add alice@contoso.com");
        bob.expect("* contacts written");
        bob.expect("alice@contoso.com: Available");
        // Alice's other endpoint has the contact that the first one adds.
        desk.type_line("add bob@contoso.com");
        laptop.expect("* contacts");
        laptop.expect("bob@contoso.com: Available");
        desk.type_line("note In the laboratory");
        bob.expect("\"In the laboratory\"");
        desk.type_line("back-soon");
        bob.expect("alice@contoso.com: Be right back, \"In the laboratory\"");
        // What both had answered is safe now: the server dies without a word.
        server.program.kill();
    }
    let server = FrontEnd::start(&data);
    let mut bob = watch(&server, "bob");
    // Alice is not there, her note is; and she is still a contact.
    bob.expect("alice@contoso.com: Offline, \"In the laboratory\"");
    let mut alice = watch(&server, "alice");
    bob.expect("alice@contoso.com: Be right back, \"In the laboratory\"");
    alice.type_line("available");
    bob.expect("alice@contoso.com: Available, \"In the laboratory\"");
    assert!(alice.finish().success());
    bob.expect("alice@contoso.com: Offline");
    assert!(bob.finish().success());
}
