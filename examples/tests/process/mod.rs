//! The example programs as processes.

use std::path::PathBuf;
use std::process::Command;

/// An example, ready to be started. Cargo builds examples together with the tests of their package, but not for `--test NAME` alone: one that is
/// not there is built first.
pub(crate) fn example(name: &str) -> Command {
    let test = std::env::current_exe().expect("the path of this test");
    let profile = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("the test lies in `deps` of its profile");
    let mut path: PathBuf = profile.join("examples").join(name);
    path.set_extension(std::env::consts::EXE_EXTENSION);
    if !path.exists() {
        let release = profile.ends_with("release").then_some("--release");
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "ocs-examples"])
            .args(["--example", name])
            .args(release)
            .status()
            .expect("cargo runs");
        assert!(built.success() && path.exists(), "cannot build {name}");
    }
    Command::new(path)
}

/// Runs an example over the virtual network to its end; gives what it printed.
#[allow(dead_code, reason = "not of programs over sockets")]
pub(crate) fn printed(name: &str, arguments: &[&str]) -> String {
    let output = example(name)
        .args(["--seed", "1"])
        .args(arguments)
        .output()
        .expect("the example starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}");
    String::from_utf8(output.stdout).expect("text")
}
