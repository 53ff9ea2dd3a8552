//! The `presence-state` header ([MS-SIPREGE] 2.2.1.4).

use std::fmt;

use ocs_sip_core::params::Params;

/// What the registrar did with the endpoint's binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterAction {
    /// A new binding.
    Added,
    /// An existing binding was extended.
    Refreshed,
    /// The binding had expired, but the endpoint record was still there and was revived.
    Fixed,
}

impl RegisterAction {
    const ALL: [Self; 3] = [Self::Added, Self::Refreshed, Self::Fixed];

    /// The text on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Refreshed => "refreshed",
            Self::Fixed => "fixed",
        }
    }
}

/// Where the registrar that answered stands (Lync 2010 and later).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrimaryClusterType {
    /// In the central site.
    Central,
    /// In a branch.
    Remote,
}

/// State of the registrar's cluster (Lync 2010 and later).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClusterState {
    /// `primary-cluster-type`.
    pub primary_cluster_type: PrimaryClusterType,
    /// `is-connected-to-primary`.
    pub is_connected_to_primary: bool,
}

/// The value of `presence-state` in a 200 to REGISTER.
///
/// ```
/// use ocs_siprege::presence_state::{PresenceState, RegisterAction};
///
/// let text = r#"register-action="added";primary-cluster-type="central";is-connected-to-primary="yes""#;
/// let state = PresenceState::parse(text).unwrap();
/// assert_eq!(state.register_action, RegisterAction::Added);
/// assert_eq!(state.to_string(), text);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresenceState {
    /// `register-action`.
    pub register_action: RegisterAction,
    /// The cluster parameters; absent before Lync 2010.
    pub cluster: Option<ClusterState>,
    /// `user-services-state=unavailable`: registered, but without presence.
    pub user_services_unavailable: bool,
}

impl PresenceState {
    /// Only a `register-action`, as OCS 2007 writes it.
    #[must_use]
    pub const fn new(register_action: RegisterAction) -> Self {
        Self {
            register_action,
            cluster: None,
            user_services_unavailable: false,
        }
    }

    /// Reads a value: with or without quotes, unknown parameters ignored. `None` without a known `register-action`.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        // The value is a parameter list whose first element has no semicolon before it.
        let list = format!(";{value}");
        let params = Params::parse(&list)?;
        let get = |name| params.get_unquoted(name);
        let action = get("register-action")?;
        let register_action = RegisterAction::ALL
            .into_iter()
            .find(|known| known.as_str().eq_ignore_ascii_case(&action))?;
        let primary_cluster_type = get("primary-cluster-type").and_then(|kind| {
            if kind.eq_ignore_ascii_case("central") {
                Some(PrimaryClusterType::Central)
            } else {
                kind.eq_ignore_ascii_case("remote")
                    .then_some(PrimaryClusterType::Remote)
            }
        });
        let connected = get("is-connected-to-primary");
        Some(Self {
            register_action,
            cluster: primary_cluster_type.map(|primary_cluster_type| ClusterState {
                primary_cluster_type,
                is_connected_to_primary: connected
                    .is_some_and(|value| value.eq_ignore_ascii_case("yes")),
            }),
            user_services_unavailable: get("user-services-state")
                .is_some_and(|value| value.eq_ignore_ascii_case("unavailable")),
        })
    }
}

impl fmt::Display for PresenceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "register-action=\"{}\"", self.register_action.as_str())?;
        if let Some(cluster) = self.cluster {
            let kind = match cluster.primary_cluster_type {
                PrimaryClusterType::Central => "central",
                PrimaryClusterType::Remote => "remote",
            };
            let connected = if cluster.is_connected_to_primary {
                "yes"
            } else {
                "no"
            };
            write!(
                f,
                ";primary-cluster-type=\"{kind}\";is-connected-to-primary=\"{connected}\""
            )?;
        }
        if self.user_services_unavailable {
            f.write_str(";user-services-state=unavailable")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_servers_write() {
        let state = PresenceState::parse("Register-Action=fixed; primary-cluster-type=Remote; is-connected-to-primary=no;user-services-state=unavailable;x=1").unwrap();
        assert_eq!(state.register_action, RegisterAction::Fixed);
        assert_eq!(
            state.cluster,
            Some(ClusterState {
                primary_cluster_type: PrimaryClusterType::Remote,
                is_connected_to_primary: false,
            })
        );
        assert!(state.user_services_unavailable);
        assert_eq!(PresenceState::parse(&state.to_string()), Some(state));
    }

    #[test]
    fn refuses_what_says_nothing() {
        for text in [
            "",
            ";",
            "register-action",
            "register-action=\"gone\"",
            "\"",
            "a=\"b",
        ] {
            assert_eq!(PresenceState::parse(text), None, "{text}");
        }
    }
}
