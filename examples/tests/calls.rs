//! The examples of calls run, and what they print adds up.

mod process;

use process::printed as run;

fn has(printed: &str, lines: &[&str]) {
    for line in lines {
        assert!(printed.contains(line), "no `{line}` in {printed}");
    }
}

/// Packets sent, received and lost, of the lines that begin with this.
fn counts(printed: &str, name: &str) -> Vec<[u32; 3]> {
    let lines = printed.lines().filter_map(|line| line.strip_prefix(name));
    lines
        .map(|line| {
            let numbers = line.split(|c: char| !c.is_ascii_digit());
            let mut numbers = numbers.filter_map(|number| number.parse().ok());
            std::array::from_fn(|_| numbers.next().expect("three numbers"))
        })
        .collect()
}

#[test]
fn voice_call() {
    let printed = run("voice_call", &["--seconds", "2"]);
    has(
        &printed,
        &[
            "183 Session Progress (INVITE)",
            "PRACK",
            "Binding request [nominates]",
            "SRTP …",
            "SRTCP …",
            "202 Accepted (SERVICE)",
        ],
    );
    // Offer, and offer of the selected candidates: each by way of the server.
    assert_eq!(printed.matches(" INVITE [signed]").count(), 4, "{printed}");
    let (alice, bob) = (
        counts(&printed, "Alice, audio"),
        counts(&printed, "Bob, audio"),
    );
    let ([[sent, heard, 0]], [[said, received, 0]]) = (alice.as_slice(), bob.as_slice()) else {
        panic!("{printed}");
    };
    assert!(
        (95..=105).contains(sent) && (95..=105).contains(said),
        "{printed}"
    );
    // What is under way when they hang up is not heard.
    assert!(sent - received <= 1 && said - heard <= 2, "{printed}");
}

#[test]
fn add_video() {
    let printed = run("add_video", &[]);
    for name in ["Alice", "Bob"] {
        let [[sent, received, 0]] = counts(&printed, &format!("{name}, video"))[..] else {
            panic!("{printed}");
        };
        assert!(sent > 100 && received > 100, "{printed}");
    }
    // Four seconds of pictures, each as it was shown.
    for name in ["Alice", "Bob"] {
        let line = printed
            .lines()
            .find(|line| line.starts_with(&format!("{name}, video")));
        let (_, pictures) = line.unwrap().split_once("; ").unwrap();
        let shown = pictures.split(' ').next().unwrap();
        assert!(
            (30..=32).contains(&shown.parse::<u32>().unwrap()),
            "{pictures}"
        );
        assert_eq!(
            pictures,
            format!("{shown} pictures shown, {shown} seen, 0 spoilt")
        );
    }
    // The sound was not interrupted: a packet every 20 ms from the answer to the end, 5.1 s later.
    let [[sent, _, 0]] = counts(&printed, "Alice, audio")[..] else {
        panic!("{printed}");
    };
    assert!((255..=258).contains(&sent), "{printed}");
}

#[test]
fn accept_call() {
    let printed = run("accept_call", &[]);
    assert_eq!(printed.matches(" PRACK [signed]").count(), 4, "{printed}");
    has(
        &printed,
        &[
            "CANCEL [signed]",
            "487 Request Terminated (INVITE)",
            "Desk: Remote, answered here: true, answered elsewhere: false",
            "Mobile, audio: 0 packets sent, 0 received, 0 lost",
            "Mobile: Remote, answered here: false, answered elsewhere: true",
        ],
    );
}

#[test]
fn terminate_call() {
    let printed = run("terminate_call", &[]);
    has(
        &printed,
        &[
            "CANCEL [signed]",
            "603 Decline (INVITE)",
            "Alice: Remote None",
            "Alice: Refused Some(603)",
            "Bob: Local Some(603)",
        ],
    );
    // Bob's, and one of each that cross: all are answered.
    assert_eq!(printed.matches(" 200 OK (BYE)").count(), 6, "{printed}");
}

/// The reports say what was lost, as both sides have counted it.
#[test]
fn qoe_report() {
    let printed = run("qoe_report", &["--loss", "10"]);
    let [[_, received, lost]] = counts(&printed, "Alice, audio")[..] else {
        panic!("{printed}");
    };
    assert!((50..150).contains(&lost), "{printed}");
    has(
        &printed,
        &[
            "alice@contoso.com reports:",
            "bob@contoso.com reports:",
            &format!("inbound: {received} packets, lost "),
            " %, jitter ",
        ],
    );
    assert_eq!(printed.matches("ICE DIRECT").count(), 2, "{printed}");
}
