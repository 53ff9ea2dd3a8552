//! How a registrar behaves.

use std::time::Duration;

use ocs_sipre::InstanceCheck;

use crate::presence_state::ClusterState;
use crate::version_filter::VersionFilter;

/// The event packages that a front end of OCS 2007 and later announces.
pub const ALLOW_EVENTS: &str = "vnd-microsoft-provisioning,vnd-microsoft-roaming-contacts,vnd-microsoft-roaming-ACL,presence,presence.wpending,vnd-microsoft-roaming-self,vnd-microsoft-provisioning-v2";

/// Configuration of a [`Registrar`](super::Registrar).
#[derive(Debug, Clone)]
pub struct Config {
    /// FQDN of the server, the `source` of diagnostics.
    pub fqdn: String,
    /// Life of a binding that asks for none, and the most that one gets. Default 7200 s, the value of every capture.
    pub expires: Duration,
    /// The least that one gets; a shorter wish is raised to it. Default 60 s.
    pub min_expires: Duration,
    /// Endpoints of one user; the oldest goes when there are more (3.1.2.5.1 step 6). Default 8.
    pub endpoints_per_user: usize,
    /// Bindings in all. Default 1,000,000.
    pub bindings: usize,
    /// How long the record of an expired endpoint is kept, so that it comes back as `fixed`. Default 1 h; zero keeps none.
    pub revive: Duration,
    /// Whether +sip.instance must be the one derived from the epid.
    pub instance_check: InstanceCheck,
    /// Which client versions may sign in.
    pub version_filter: VersionFilter,
    /// Allow-Events of the 200; see [`ALLOW_EVENTS`].
    pub allow_events: String,
    /// Option tags of the 200, each in a Supported line of its own: SIPE 1.25 takes a server that joins them for an LCS 2005 one.
    pub supported: Vec<String>,
    /// The cluster part of `presence-state`; `None` as before Lync 2010.
    pub cluster: Option<ClusterState>,
}

impl Config {
    /// The defaults for a server of this name.
    #[must_use]
    pub fn new(fqdn: impl Into<String>) -> Self {
        Self {
            fqdn: fqdn.into(),
            expires: Duration::from_secs(7200),
            min_expires: Duration::from_secs(60),
            endpoints_per_user: 8,
            bindings: 1_000_000,
            revive: Duration::from_secs(3600),
            instance_check: InstanceCheck::default(),
            version_filter: VersionFilter::default(),
            allow_events: ALLOW_EVENTS.into(),
            supported: vec!["adhoclist".into(), "msrtc-event-categories".into()],
            cluster: None,
        }
    }
}
