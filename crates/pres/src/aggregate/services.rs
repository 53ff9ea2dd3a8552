//! What all endpoints of a user can do together.

use crate::category::Availability;
use crate::category::device::{
    Capability, Device, Service, ServiceCapabilities, ServiceEntry, Services,
};

/// A device that a client published, with what the server knows of its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceInstance<'a> {
    /// The device.
    pub device: &'a Device,
    /// The availability of the machine state that the same endpoint published.
    pub availability: Option<Availability>,
}

/// Combines devices. What any of them can do at an address, the user can; it is preferred at the most available of them.
#[must_use]
pub fn services(devices: &[DeviceInstance<'_>]) -> Services {
    // The most available first, so that the first to have a capability is the one that is preferred.
    let mut devices = devices.to_vec();
    devices.sort_by_key(|device| device.availability.unwrap_or(Availability::OFFLINE));
    let mut all = Services::default();
    for one in &devices {
        for capabilities in &one.device.capabilities {
            let entry = entry(&mut all, &capabilities.uri);
            for service in Service::ALL {
                if let Some(capability) = capabilities.get(service) {
                    add(entry.get_mut(service), capability, one);
                }
            }
        }
    }
    all
}

fn entry<'a>(all: &'a mut Services, uri: &str) -> &'a mut ServiceCapabilities {
    let known = all
        .service
        .iter()
        .position(|entry| entry.uri.eq_ignore_ascii_case(uri));
    let index = known.unwrap_or_else(|| {
        all.service.push(ServiceEntry {
            uri: uri.into(),
            capabilities: None,
            extra: ocs_xml::Extra::default(),
        });
        all.service.len() - 1
    });
    all.service[index].capabilities.get_or_insert_default()
}

fn add(slot: &mut Option<Capability>, capability: &Capability, one: &DeviceInstance<'_>) {
    let known = slot.get_or_insert_with(|| Capability {
        preferred_endpoint_id: Some(one.device.endpoint_id.clone()),
        device_availability: one.availability.map(|availability| availability.0),
        uri: capability.uri.clone(),
        version: capability.version,
        ..Capability::default()
    });
    for (known, more) in [
        (&mut known.render, capability.render),
        (&mut known.capture, capability.capture),
        (&mut known.publish, capability.publish),
    ] {
        if more.is_some() {
            *known = Some(*known == Some(true) || more == Some(true));
        }
    }
}

/// What others see of the services: not which endpoint is preferred, and not what concerns the user's own endpoints only.
#[must_use]
pub fn public_services(services: &Services) -> Services {
    let mut public = services.clone();
    let entries = public
        .service
        .iter_mut()
        .filter_map(|entry| entry.capabilities.as_mut());
    for capabilities in entries {
        for service in Service::ALL {
            let capability = capabilities.get_mut(service);
            if service.is_private() {
                *capability = None;
            } else if let Some(capability) = capability {
                capability.preferred_endpoint_id = None;
            }
        }
    }
    public
}
