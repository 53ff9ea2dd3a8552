//! A C program of this directory as a child process that is driven by lines.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// Compiles `source` of this directory with the packages that pkg-config knows. `Err` says what is missing.
pub(crate) fn compile(
    source: &str,
    directory: &Path,
    packages: &[&str],
) -> Result<PathBuf, String> {
    let flags = Command::new("pkg-config")
        .args(["--cflags", "--libs"])
        .args(packages)
        .output()
        .map_err(|_| "pkg-config is missing".to_owned())?;
    if !flags.status.success() {
        return Err(format!("{} is missing", packages.join(" or ")));
    }
    let flags = String::from_utf8_lossy(&flags.stdout).into_owned();
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
    let program = directory.join(source.trim_end_matches(".c"));
    let status = Command::new("gcc")
        .args(["-O1", "-Wall", "-Wextra", "-rdynamic", "-o"])
        .arg(&program)
        .arg(peers.join(source))
        .args(flags.split_whitespace())
        .status()
        .map_err(|_| "gcc is missing".to_owned())?;
    assert!(status.success(), "{source} does not compile");
    Ok(program)
}

/// A running program.
pub(crate) struct Program {
    child: Child,
    input: ChildStdin,
    lines: Arc<Mutex<Vec<String>>>,
    log: Arc<Mutex<Vec<String>>>,
    home: Option<PathBuf>,
}

impl Program {
    /// Starts it. `home` is a directory of its own that is removed at the end.
    pub(crate) fn start(command: &mut Command, home: Option<PathBuf>) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let input = child.stdin.take().expect("a pipe");
        let lines = collect(child.stdout.take().expect("a pipe"));
        let log = collect(child.stderr.take().expect("a pipe"));
        Self {
            child,
            input,
            lines,
            log,
            home,
        }
    }

    /// Writes one line to the program.
    pub(crate) fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("the program reads");
    }

    /// The lines that it wrote.
    pub(crate) fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Vec<String>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it wrote this line.
    pub(crate) fn told(&self, line: &str) -> bool {
        self.lines().iter().any(|told| told == line)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            println!("{:#?}\n{:#?}", self.lines(), self.log());
        }
        if let Some(home) = &self.home {
            let _ = std::fs::remove_dir_all(home);
        }
    }
}

fn collect(pipe: impl std::io::Read + Send + 'static) -> Arc<Mutex<Vec<String>>> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&lines);
    thread::spawn(move || {
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            shared
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line);
        }
    });
    lines
}
