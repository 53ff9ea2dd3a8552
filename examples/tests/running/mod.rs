//! Programs that run: their lines in and out. Each test uses a part of it.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::process::example;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The password of every user.
const PASSWORD: &str = "Passw0rd";

/// A program with its pipes; killed when it is dropped.
pub(crate) struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    /// Everything that it wrote so far.
    seen: Vec<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (sender, lines) = channel();
        let out = child.stdout.take().expect("a pipe");
        let errors = child.stderr.take().expect("a pipe");
        let other = sender.clone();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                let _ = other.send(line);
            }
        });
        Self {
            stdin: child.stdin.take(),
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Waits for a line with this in it.
    pub(crate) fn expect(&mut self, what: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(left) else {
                panic!("no `{what}` in:\n{}", self.seen.join("\n"));
            };
            self.seen.push(line.clone());
            if line.contains(what) {
                return line;
            }
        }
    }

    pub(crate) fn type_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("the input is open");
        writeln!(stdin, "{line}").expect("the program reads");
    }

    /// Ends the input and waits for the end of the program.
    pub(crate) fn finish(&mut self) -> ExitStatus {
        self.stdin = None;
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < until, "it does not end: {:#?}", self.seen);
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Ends the program at once, wherever it is: SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("a child");
    }

    /// Asks the program to end: SIGTERM.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        let sent = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()));
        self.finish()
    }
}

/// A front end with alice and bob, and where it listens.
pub(crate) struct FrontEnd {
    pub(crate) program: Running,
    pub(crate) tcp: String,
    pub(crate) tls: String,
}

impl FrontEnd {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_as(example("front_end"), arguments)
    }

    /// The same, started by this command.
    pub(crate) fn start_as(mut command: Command, arguments: &[&str]) -> Self {
        let mut program = Running::start(
            command
                .args(["--listen", "127.0.0.1:0", "--listen-tls", "127.0.0.1:0"])
                .args(["--domain", "contoso.com", "--log", "warn"])
                .args(["--user", &format!("alice:{PASSWORD}:Alice")])
                .args(["--user", &format!("bob:{PASSWORD}")])
                .args(arguments),
        );
        let ready = program.expect("ready");
        let address = |name: &str| {
            let mut words = ready.split(' ');
            let word = words.find_map(|word| word.strip_prefix(name));
            word.expect("where it listens").to_owned()
        };
        Self {
            tcp: address("tcp="),
            tls: address("tls="),
            program,
        }
    }

    /// A chat of a user, signed in.
    pub(crate) fn chat(&self, user: &str, arguments: &[&str]) -> Running {
        let mut chat = self.chat_with(user, PASSWORD, arguments);
        chat.expect("* signed in as");
        chat
    }

    pub(crate) fn chat_with(&self, user: &str, password: &str, arguments: &[&str]) -> Running {
        let tcp = arguments.contains(&"--tcp");
        let server = if tcp { &self.tcp } else { &self.tls };
        Running::start(
            example("chat")
                .env("OCS_PASSWORD", password)
                .args(["--user", &format!("{user}@contoso.com"), "--server", server])
                .args(arguments),
        )
    }
}

/// Name and password of the user of [`Edge`].
pub(crate) const USER: &str = "alice:Passw0rd";

/// A media relay, and where it listens.
pub(crate) struct Edge {
    pub(crate) program: Running,
    pub(crate) address: SocketAddr,
}

impl Edge {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_at(&[&["--listen", "127.0.0.1:0"], arguments].concat())
    }

    /// The same, where the arguments say.
    pub(crate) fn start_at(arguments: &[&str]) -> Self {
        let mut program = Running::start(
            example("edge")
                .args(["--log", "warn", "--user", USER])
                .args(arguments),
        );
        let ready = program.expect("ready");
        let mut words = ready.split(' ');
        let udp = words.find_map(|word| word.strip_prefix("udp="));
        let address = udp.and_then(|address| address.parse().ok());
        Self {
            program,
            address: address.expect("where it listens"),
        }
    }
}
