//! Addresses of the services of a pool.

use ocs_sip_core::Aor;
use ocs_sipre::Instance;
use ocs_sipre::gruu::{Gruu, Opaque, application_gruu};
use ocs_siprege::provisioning::ProvisionGroup;
use uuid::Uuid;

/// Where a service of the pool is asked: a GRUU of a server with its role ([MS-SIPRE] 2.2.2).
#[derive(Debug)]
pub(super) struct ServiceAddress {
    role: &'static str,
    aor: Aor,
    id: String,
}

impl ServiceAddress {
    /// The address of the service `name` in a domain. It is made of names alone, so that all servers of a pool have the same one, after each
    /// start. `None`: the name cannot stand in a SIP URI.
    pub(super) fn new(role: &'static str, name: &str, domain: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let uuid = Uuid::new_v5(&Uuid::NAMESPACE_DNS, name.as_bytes());
        Some(Self {
            role,
            aor: format!("{name}@{domain}").parse().ok()?,
            id: Instance::from_uuid(uuid).opaque_id(),
        })
    }

    fn opaque(&self) -> Opaque<'_> {
        Opaque::Server {
            role: self.role,
            id: &self.id,
        }
    }

    pub(super) fn is(&self, gruu: &Gruu<'_>) -> bool {
        gruu.aor == self.aor && gruu.opaque == self.opaque()
    }

    pub(super) fn to_uri(&self) -> String {
        application_gruu(&self.aor, &self.opaque())
    }
}

/// Tells the addresses to clients that are told of no others.
pub(super) fn tell(
    groups: &mut [ProvisionGroup],
    relay: Option<&ServiceAddress>,
    quality: Option<&ServiceAddress>,
) {
    for group in groups {
        if let ProvisionGroup::ServerConfiguration(told) = group {
            for (uri, own) in [(&mut told.mras_uri, relay), (&mut told.qos_uri, quality)] {
                *uri = uri
                    .take()
                    .or_else(|| own.map(|address| address.to_uri().into()));
            }
        }
    }
}
