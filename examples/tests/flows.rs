//! Every example over the virtual network runs, and its ladder shows what it is about.

mod process;

/// Runs an example; gives what it printed.
fn ladder(name: &str) -> String {
    let output = process::example(name)
        .args(["--seed", "1"])
        .output()
        .expect("the example starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}");
    let ladder = String::from_utf8(output.stdout).expect("text");
    assert!(
        ladder.contains("REGISTER"),
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
    ladder("discover_and_connect");
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
