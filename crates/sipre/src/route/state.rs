//! The state in a Record-Route of this system.

use core::fmt;

use ocs_sip_core::ConnectionId;

use crate::flow::parse_cid;

/// What a server remembers of a dialog in its Record-Route: `opaque=state:...` with the flags `ms-role-rs-from` and
/// `ms-role-rs-to`.
///
/// `F`, `T` and `Ci.R<cid>` occur in servers' captures; `Co.R<cid>`, the callee's connection, is this implementation's own. Clients carry the
/// value without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RouteState {
    /// This server is the home server of the From side.
    pub from_home: bool,
    /// This server is the home server of the To side.
    pub to_home: bool,
    /// The connection of the one who made the dialog.
    pub caller: Option<ConnectionId>,
    /// The connection to which the branch went.
    pub callee: Option<ConnectionId>,
}

impl RouteState {
    /// Reads the value of `opaque`. Fields that are not known are skipped.
    #[must_use]
    pub fn parse(opaque: &str) -> Option<Self> {
        let mut state = Self::default();
        for field in opaque.strip_prefix("state:")?.split(':') {
            match field {
                "F" => state.from_home = true,
                "T" => state.to_home = true,
                _ => {
                    if let Some(cid) = field.strip_prefix("Ci.R") {
                        state.caller = Some(parse_cid(cid)?);
                    } else if let Some(cid) = field.strip_prefix("Co.R") {
                        state.callee = Some(parse_cid(cid)?);
                    }
                }
            }
        }
        Some(state)
    }

    /// The connection to which a request goes that came on `arrived`: the other one of the dialog.
    #[must_use]
    pub fn opposite(&self, arrived: ConnectionId) -> Option<ConnectionId> {
        if self.caller == Some(arrived) {
            self.callee
        } else if self.callee == Some(arrived) {
            self.caller
        } else {
            None
        }
    }
}

impl fmt::Display for RouteState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("state")?;
        for (set, letter) in [(self.from_home, ":F"), (self.to_home, ":T")] {
            if set {
                f.write_str(letter)?;
            }
        }
        if let Some(ConnectionId(cid)) = self.caller {
            write!(f, ":Ci.R{cid:x}")?;
        }
        if let Some(ConnectionId(cid)) = self.callee {
            write!(f, ":Co.R{cid:x}")?;
        }
        // `state` alone would not be read again.
        if *self == Self::default() {
            f.write_str(":")?;
        }
        Ok(())
    }
}
