//! Two programs `ice_peer` and what passes between them.

use crate::process::example;
use crate::running::Running;

pub(crate) struct Peers {
    caller: Running,
    callee: Running,
}

/// The lines of a description, from the first one to the empty one.
pub(crate) fn pass(from: &mut Running, to: &mut Running) {
    let mut line = from.expect("a=");
    while !line.is_empty() {
        to.type_line(&line);
        line = from.expect("");
    }
    to.type_line("");
}

impl Peers {
    /// Starts both, and passes their descriptions on.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let start = |role: &[&str]| Running::start(example("ice_peer").args(arguments).args(role));
        let mut peers = Self {
            caller: start(&["--controlling"]),
            callee: start(&[]),
        };
        pass(&mut peers.caller, &mut peers.callee);
        pass(&mut peers.callee, &mut peers.caller);
        peers
    }

    /// Both have a pair with this in it, and texts go both ways. Gives the caller's pair of the first component.
    pub(crate) fn converse(mut self, kind: &str) -> String {
        let pair = self.caller.expect("* component 1: ");
        assert!(pair.contains(kind), "{pair}");
        self.caller.expect("* connected");
        pass(&mut self.caller, &mut self.callee);
        self.callee.expect("* connected");
        for round in 0..5 {
            let (question, answer) = (format!("Hi Bob, {round}"), format!("Hello, {round} ü €"));
            self.caller.type_line(&question);
            assert_eq!(self.callee.expect("Hi Bob"), question);
            self.callee.type_line(&answer);
            assert_eq!(self.caller.expect("Hello"), answer);
        }
        assert!(self.caller.finish().success());
        assert!(self.callee.finish().success());
        pair
    }
}
