//! The aggregation as the server calls it.

use ocs_xml::Element;

use super::{Aggregate, DeviceInstance, Options, Results, StateInstance, place, services, states};
use crate::Time;
use crate::category::{Availability, CategoryName, Device, State, StateType};
use crate::doc::ContainerId;
use crate::server::{self, Aggregated, Inputs, Source};

/// The aggregation of this module, for a server. Values that are not what their schemas say are passed over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standard {
    /// Where the combination can be one or the other.
    pub options: Options,
}

impl server::Aggregate for Standard {
    fn aggregate(&self, inputs: &Inputs<'_>) -> Vec<Aggregated> {
        let first = read(inputs, ContainerId::FIRST_AGGREGATION, &CategoryName::State);
        let second = read(
            inputs,
            ContainerId::SECOND_AGGREGATION,
            &CategoryName::State,
        );
        let devices = read(
            inputs,
            ContainerId::FIRST_AGGREGATION,
            &CategoryName::Device,
        );
        place(&Results {
            first: self.states(inputs, &first, ContainerId::COMPANY),
            second: self.states(inputs, &second, ContainerId::TEAM),
            services: services(&with_availability(&devices, &first)),
        })
    }
}

/// The values of a category in a container.
fn read<'a, T: Element>(
    inputs: &Inputs<'a>,
    container: ContainerId,
    name: &CategoryName,
) -> Vec<(Source<'a>, T)> {
    inputs
        .published(container, name.as_str())
        .filter_map(|source| Some((source, source.value?.decode().ok()?)))
        .collect()
}

impl Standard {
    /// `shown` is a container that has the result.
    fn states(
        self,
        inputs: &Inputs<'_>,
        all: &[(Source<'_>, State)],
        shown: ContainerId,
    ) -> Aggregate {
        let instances: Vec<StateInstance<'_>> = all
            .iter()
            // Of a user who is not there no machine counts, whatever is left of it.
            .filter(|(_, state)| inputs.is_online() || state.kind != Some(StateType::MachineState))
            .map(|(source, state)| StateInstance {
                instance: source.instance,
                endpoint_id: source.endpoint,
                publish_time: Time(source.publish_time),
                state,
            })
            .collect();
        let before = inputs
            .previous(shown, CategoryName::State.as_str())
            .find_map(|source| source.value?.decode().ok());
        states(
            &instances,
            before.as_ref(),
            Time(inputs.now()),
            self.options,
        )
    }
}

/// Devices with what the machine states of the same endpoints say.
fn with_availability<'a>(
    devices: &'a [(Source<'_>, Device)],
    all: &[(Source<'_>, State)],
) -> Vec<DeviceInstance<'a>> {
    devices
        .iter()
        .map(|(source, device)| DeviceInstance {
            device,
            availability: machine_of(source.endpoint, all),
        })
        .collect()
}

fn machine_of(endpoint: Option<&str>, all: &[(Source<'_>, State)]) -> Option<Availability> {
    all.iter()
        .find(|(source, state)| {
            endpoint.is_some()
                && source.endpoint == endpoint
                && state.kind == Some(StateType::MachineState)
        })
        .and_then(|(_, state)| state.availability)
}
