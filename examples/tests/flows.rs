//! Every example over the virtual network runs, and its ladder shows what it is about.

mod process;

/// Runs an example; gives what it printed.
fn ladder(name: &str) -> String {
    ladder_with(name, &[])
}

/// The same, with more arguments.
fn ladder_with(name: &str, arguments: &[&str]) -> String {
    let ladder = process::printed(name, arguments);
    assert!(
        ladder.contains('→') && ladder.contains('←'),
        "{name}: no ladder in {ladder:?}"
    );
    ladder
}

#[test]
fn register() {
    let ladder = ladder("register");
    assert!(ladder.contains("200 OK (REGISTER)"), "{ladder}");
}

#[test]
fn discover_and_connect() {
    let ladder = ladder("discover_and_connect");
    assert!(
        ladder.contains("SRV _sipinternaltls._tcp.contoso.com?"),
        "{ladder}"
    );
    assert!(ladder.contains("Connected {"), "{ladder}");
}

#[test]
fn multiple_endpoints() {
    let ladder = ladder("multiple_endpoints");
    assert!(ladder.contains("INVITE"), "{ladder}");
}

#[test]
fn instant_message() {
    let ladder = ladder("instant_message");
    for line in [
        "200 OK (REGISTER)",
        "MESSAGE [signed]",
        "200 OK (BYE)",
        "Bob read from alice@contoso.com: Hi Bob",
        "Alice read from bob@contoso.com: Hello Alice",
    ] {
        assert!(ladder.contains(line), "no `{line}` in {ladder}");
    }
}

#[test]
fn relay_allocation() {
    let ladder = ladder("relay_allocation");
    for line in [
        "SERVICE",
        "200 OK (SERVICE)",
        "Allocate error response",
        "Allocate response",
        "Is anybody there?",
        "Data Indication",
        "Set Active Destination response",
        "Alice heard from 192.0.2.99:5000: You said: Hi Bob",
        "Alice heard from 192.0.2.99:5000: You said: Hi again",
    ] {
        assert!(ladder.contains(line), "no `{line}` in {ladder}");
    }
    assert_eq!(ladder.matches("Is anybody there?").count(), 1, "{ladder}");
}

#[test]
fn sign_in() {
    let ladder = ladder("sign_in");
    for line in [
        "SERVICE [signed]",
        "200 OK (SUBSCRIBE) [signed]",
        "answered: Provisioning, Contacts, OwnPresence, LocationProfile, Conferencing, MediaRelay, Publication, ContactsPresence",
        "relay: av.contoso.com, UDP port 3478",
        "relay: av.contoso.com, TCP port 443",
        "refused: nothing",
        "bob@contoso.com: Offline",
    ] {
        assert!(ladder.contains(line), "no `{line}` in {ladder}");
    }
}

#[test]
fn change_presence() {
    let ladder = ladder("change_presence");
    for line in [
        "BENOTIFY [signed]",
        "Bob sees alice@contoso.com: Available",
        "Bob sees alice@contoso.com: Busy, \"In the laboratory\"",
        "Bob sees alice@contoso.com: Do not disturb",
    ] {
        assert!(ladder.contains(line), "no `{line}` in {ladder}");
    }
}

#[test]
fn add_contact() {
    let ladder = ladder("add_contact");
    for line in [
        "BENOTIFY [signed]",
        "Alice's list has bob@contoso.com",
        "Alice sees bob@contoso.com: Available",
        "Bob was told that alice@contoso.com added him",
    ] {
        assert!(ladder.contains(line), "no `{line}` in {ladder}");
    }
}

/// Direct where that is possible, by a relay where it is not, not at all without one.
#[test]
fn ice_behind_nats() {
    let direct = ladder_with("ice_behind_nats", &["--no-relay"]);
    for line in [
        "Allocate response",
        "Binding request",
        "Caller selected for component 1 after 3.",
        "srflx UDP 203.0.113.1:",
        "prflx UDP 203.0.113.2:",
        "Callee received on component 1: 4 octets",
    ] {
        assert!(direct.contains(line), "no `{line}` in {direct}");
    }
    for dialect in ["ms-ice", "ms-ice2"] {
        let arguments = [
            "--caller",
            "symmetric",
            "--callee",
            "udp-blocked",
            "--dialect",
            dialect,
        ];
        let relayed = ladder_with("ice_behind_nats", &arguments);
        for line in [
            "Send request [Binding request",
            "TCP-PASS 198.51.100.9:",
            "Caller received on component 1: 4 octets",
            "Callee received on component 1: 4 octets",
        ] {
            assert!(relayed.contains(line), "no `{line}` in {relayed}");
        }
    }
    let arguments = [
        "--no-relay",
        "--caller",
        "symmetric",
        "--callee",
        "symmetric",
    ];
    let failed = ladder_with("ice_behind_nats", &arguments);
    assert!(
        failed.contains("Caller failed after 10.00 s: NoValidPair"),
        "{failed}"
    );
}
