//! Event packages, and what a subscription is about.

use std::sync::Arc;

use ocs_sip_core::Message;
use ocs_sip_core::subscription::NotifierPolicy;
use ocs_siprege::registrar::ALLOW_EVENTS;

use ocs_pres::server::Parts;

use crate::front_end::presence::Watch;

/// The event packages that are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::front_end) enum Package {
    /// `vnd-microsoft-provisioning-v2` (\[MS-SIPREGE\] 2.2.2).
    Provisioning,
    /// `vnd-microsoft-provisioning`, the form of OCS 2005.
    LegacyProvisioning,
    /// `vnd-microsoft-roaming-contacts` (\[MS-SIP\] 3.7).
    Contacts,
    /// `vnd-microsoft-roaming-ACL` (\[MS-SIP\] 2.2.3).
    AccessList,
    /// `vnd-microsoft-roaming-self` (\[MS-PRES\]).
    Own,
    /// `presence`.
    Presence,
    /// `presence.wpending`, those who wait for an answer, of OCS 2005.
    Pending,
}

impl Package {
    /// The package that a SUBSCRIBE names. Names are compared without case.
    pub(super) fn of(request: &Message) -> Option<Self> {
        const ALL: [(&str, Package); 7] = [
            ("vnd-microsoft-provisioning-v2", Package::Provisioning),
            ("vnd-microsoft-provisioning", Package::LegacyProvisioning),
            ("vnd-microsoft-roaming-contacts", Package::Contacts),
            ("vnd-microsoft-roaming-ACL", Package::AccessList),
            ("vnd-microsoft-roaming-self", Package::Own),
            ("presence", Package::Presence),
            ("presence.wpending", Package::Pending),
        ];
        let event = request.event().ok()??;
        ALL.into_iter()
            .find(|(name, _)| event.is(name))
            .map(|(_, package)| package)
    }

    /// Whether a user may subscribe to his own data only.
    pub(super) const fn is_own(self) -> bool {
        !matches!(self, Self::Presence)
    }
}

/// What a subscription is about, with what its documents need.
#[derive(Debug)]
pub(in crate::front_end) enum Topic {
    /// An answer that is given once.
    Once,
    Contacts,
    AccessList,
    Own(Parts),
    Presence(Box<Watch>),
    Pending,
}

/// What subscriptions get, shared by all of them.
#[derive(Debug, Clone)]
pub(in crate::front_end) struct Policies(pub(in crate::front_end) Arc<NotifierPolicy>);

impl Policies {
    pub(in crate::front_end) fn new(policy: &NotifierPolicy) -> Self {
        let packages = ALLOW_EVENTS.split(',').map(str::to_owned).collect();
        Self(Arc::new(NotifierPolicy {
            packages,
            ..policy.clone()
        }))
    }
}
