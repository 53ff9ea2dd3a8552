//! Instance ids, and what the server makes of what clients publish.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Bob, ENDPOINT, colleague, data, wall};
use ocs_pres::Time;
use ocs_pres::aggregate::{
    Aggregate, Availabilities, DeviceInstance, Options, Results, Standard, StateInstance, combine,
    place, public_services, services, states,
};
use ocs_pres::category::{
    Activity, Availability, CategoryName, Device, LegacyInterop, Localized, Service, State, Token,
};
use ocs_pres::doc::{ContainerId, SourceNetwork};
use ocs_pres::instance::{self, Source};
use ocs_pres::publications;
use ocs_pres::server::{Aggregated, Policy, Presentity, Watcher};
use ocs_sip_core::WallClock;
use ocs_xml::{Limits, Value, from_slice, to_string};

#[test]
fn instance_ids_of_the_vectors() {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Ids {
        #[serde(rename = "E")]
        e: u32,
        device: u32,
        machine_state: u32,
        calendar_meeting: u32,
        calendar_oof: u32,
        phone_voip: u32,
        fixed: Fixed,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Fixed {
        aggregate_state: u32,
        aggregate_machine_state: u32,
        user_state_static: u32,
        user_state_timed: u32,
    }
    let ids: Ids = serde_json::from_slice(data!("vectors/instance-ids.json")).unwrap();
    let source = Source::from_epid("4c77e6ec72").unwrap();
    assert_eq!(source.device(), ids.e);
    assert_eq!(source.device(), ids.device);
    assert_eq!(source.machine_state(), ids.machine_state);
    assert_eq!(source.meeting(), ids.calendar_meeting);
    assert_eq!(source.out_of_office_meeting(), ids.calendar_oof);
    assert_eq!(source.voip_phone(), ids.phone_voip);
    assert_eq!(instance::STATE_AGGREGATE, ids.fixed.aggregate_state);
    assert_eq!(
        instance::STATE_AGGREGATE_MACHINE,
        ids.fixed.aggregate_machine_state
    );
    assert_eq!(instance::STATE_USER, ids.fixed.user_state_static);
    assert_eq!(instance::STATE_USER_TIMED, ids.fixed.user_state_timed);
}

#[test]
fn combination_of_the_vectors() {
    #[derive(serde::Deserialize)]
    struct File {
        cases: Vec<Case>,
    }
    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        user: Option<u32>,
        #[serde(default)]
        machine: Vec<u32>,
        #[serde(default)]
        phone: Vec<u32>,
        #[serde(default)]
        cal: Vec<u32>,
        availability: u32,
    }
    let file: File = serde_json::from_slice(data!("vectors/aggregation.json")).unwrap();
    assert_eq!(file.cases.len(), 22);
    for case in file.cases {
        let mut all = Vec::new();
        all.extend(case.user.map(|user| State::user(Availability(user))));
        all.extend(
            case.machine
                .iter()
                .map(|machine| State::machine(Availability(*machine))),
        );
        all.extend(case.phone.iter().map(|phone| {
            State::phone(None, Availability(*phone), Activity::new(Token::OnThePhone))
        }));
        all.extend(case.cal.iter().map(|calendar| State {
            availability: Some(Availability(*calendar)),
            ..State::calendar("bob@contoso.com".into())
        }));
        let aggregate = aggregate(&all, None);
        assert_eq!(
            aggregate.state.availability,
            Some(Availability(case.availability)),
            "{}",
            case.name
        );
    }
}

fn time(text: &str) -> Time {
    Time::parse(text).unwrap()
}

const NOW: &str = "2010-02-04T12:00:00.000Z";

fn instances(all: &[State]) -> Vec<StateInstance<'_>> {
    all.iter()
        .zip(0u32..)
        .map(|(state, index)| StateInstance {
            instance: index,
            endpoint_id: Some("endpoint"),
            publish_time: time(NOW).plus_seconds(i64::from(index)),
            state,
        })
        .collect()
}

fn aggregate(all: &[State], before: Option<&State>) -> Aggregate {
    states(&instances(all), before, time(NOW), Options::default())
}

#[test]
fn a_meeting_of_one_who_is_away_can_be_busy() {
    let inputs = Availabilities {
        machine: Some(Availability::AWAY),
        calendar: Some(Availability::BUSY),
        ..Availabilities::default()
    };
    let busy = Options {
        away_hides_meeting: false,
    };
    assert_eq!(combine(&inputs, Options::default()), Availability::AWAY);
    assert_eq!(combine(&inputs, busy), Availability::BUSY_IDLE);
}

#[test]
fn the_aggregate_says_what_is_done_and_where() {
    let machine = State {
        endpoint_location: Some("office".into()),
        device: Some("mobile".into()),
        time_zone_bias: Some(-60),
        ..State::machine(Availability::AVAILABLE)
    };
    let meeting = State {
        availability: Some(Availability::BUSY),
        activity: vec![Activity::new(Token::InAMeeting)],
        meeting_subject: Some(Localized::from("Budget")),
        ..State::calendar("bob@contoso.com".into())
    };
    let away = State::machine(Availability::AWAY);
    let result = aggregate(&[away, machine.clone(), meeting.clone()], None);
    assert_eq!(result.state.activity, [Activity::new(Token::InAMeeting)]);
    assert_eq!(
        result.state.meeting_subject.as_ref().unwrap().value,
        "Budget"
    );
    assert_eq!(result.state.endpoint_location.as_deref(), Some("office"));
    assert_eq!(result.state.device, machine.device);
    assert_eq!(result.state.time_zone_bias, Some(-60));
    let chosen = result.machine.unwrap();
    assert_eq!(chosen.endpoint_id.as_deref(), Some("endpoint"));
    assert_eq!(chosen.availability, Some(Availability::AVAILABLE));

    // Where one is who is away is not said.
    let brb = State::user(Availability::BE_RIGHT_BACK);
    let result = aggregate(&[machine.clone(), brb], None);
    assert_eq!(result.state.endpoint_location, None);
    assert_eq!(result.state.activity, []);

    // Out of office says nothing while one is there.
    let oof = State {
        activity: vec![Activity::new(Token::OutOfOffice)],
        ..State::calendar("bob@contoso.com".into())
    };
    assert_eq!(aggregate(&[machine, oof.clone()], None).state.activity, []);
    let away = State::machine(Availability::AWAY);
    assert_eq!(
        aggregate(&[away, oof], None).state.activity,
        [Activity::new(Token::OutOfOffice)]
    );
}

#[test]
fn a_choice_for_a_time_goes_before_another_and_the_newest_machine_before_its_like() {
    let fixed = State::user(Availability::AWAY);
    let timed = State::user(Availability::BUSY);
    let machine = State::machine(Availability::AVAILABLE);
    let at = |instance, endpoint, seconds, state| StateInstance {
        instance,
        endpoint_id: Some(endpoint),
        publish_time: time(NOW).plus_seconds(seconds),
        state,
    };
    let all = [
        at(instance::STATE_USER_TIMED, "", 0, &timed),
        at(instance::STATE_USER, "", 9, &fixed),
        at(1, "old", 0, &machine),
        at(2, "new", 1, &machine),
    ];
    let result = states(&all, None, time(NOW), Options::default());
    assert_eq!(result.state.availability, Some(Availability::BUSY));
    assert_eq!(result.machine.unwrap().endpoint_id.as_deref(), Some("new"));
    // A machine of which nothing is known is less available than an idle one, and more than one that was left.
    let machines = |a, b| {
        let states = [
            State::machine(Availability(a)),
            State::machine(Availability(b)),
        ];
        aggregate(&states, None)
            .machine
            .unwrap()
            .availability
            .unwrap()
            .0
    };
    assert_eq!(machines(0, 5000), 5000);
    assert_eq!(machines(0, 15500), 0);
}

#[test]
fn the_time_of_leaving_is_kept() {
    let active = aggregate(&[State::machine(Availability::AVAILABLE)], None).state;
    assert_eq!(active.last_active, None);
    let idle = [State::machine(Availability::IDLE)];
    let left = states(
        &instances(&idle),
        Some(&active),
        time(NOW),
        Options::default(),
    )
    .state;
    assert_eq!(left.last_active, Some(time(NOW)));
    let later = time(NOW).plus_seconds(600);
    let offline = states(&[], Some(&left), later, Options::default()).state;
    assert_eq!(offline.availability, Some(Availability::OFFLINE));
    assert_eq!(offline.last_active, Some(time(NOW)));
    let back = aggregate(&[State::machine(Availability::AVAILABLE)], Some(&offline)).state;
    assert_eq!(back.last_active, Some(time(NOW)));
}

#[test]
fn services_of_all_devices() {
    let device = |endpoint: &str, inside: &str| -> Device {
        let text = format!(
            "<device endpointId=\"{endpoint}\"><capabilities uri=\"sip:bob@contoso.com\">{inside}</capabilities><timezone>00:00:00+00:00</timezone><machineName>PC</machineName></device>"
        );
        from_slice(text.as_bytes(), &Limits::default()).unwrap()
    };
    let idle = device(
        "idle",
        "<voice render=\"true\" capture=\"false\"/><calendar publish=\"true\"/>",
    );
    let active = device(
        "active",
        "<voice render=\"false\" capture=\"true\"/><text render=\"true\"/>",
    );
    let unknown = device("unknown", "<video render=\"true\"/>");
    let all = services(&[
        DeviceInstance {
            device: &idle,
            availability: Some(Availability::IDLE),
        },
        DeviceInstance {
            device: &unknown,
            availability: None,
        },
        DeviceInstance {
            device: &active,
            availability: Some(Availability::AVAILABLE),
        },
    ]);
    assert_eq!(all.service.len(), 1);
    assert_eq!(all.service[0].uri, "sip:bob@contoso.com");
    let capabilities = all.service[0].capabilities.as_ref().unwrap();
    let voice = capabilities.get(Service::Voice).unwrap();
    assert_eq!(
        (voice.render, voice.capture, voice.publish),
        (Some(true), Some(true), None)
    );
    assert_eq!(voice.preferred_endpoint_id.as_deref(), Some("active"));
    assert_eq!(voice.device_availability, Some(3500));
    let calendar = capabilities.get(Service::Calendar).unwrap();
    assert_eq!(calendar.preferred_endpoint_id.as_deref(), Some("idle"));
    assert_eq!(
        capabilities
            .get(Service::Video)
            .unwrap()
            .device_availability,
        None
    );

    let public = public_services(&all);
    let capabilities = public.service[0].capabilities.as_ref().unwrap();
    assert_eq!(capabilities.get(Service::Calendar), None);
    assert_eq!(
        capabilities
            .get(Service::Voice)
            .unwrap()
            .preferred_endpoint_id,
        None
    );
    assert_eq!(
        capabilities.get(Service::Text).unwrap().device_availability,
        Some(3500)
    );
}

fn at(
    placed: &[Aggregated],
    category: &CategoryName,
    instance: u32,
    container: ContainerId,
) -> String {
    let found: Vec<&Aggregated> = placed
        .iter()
        .filter(|one| {
            one.name == category.as_str() && one.instance == instance && one.container == container
        })
        .collect();
    assert_eq!(found.len(), 1, "{category:?} {instance} {container}");
    found[0]
        .value
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[test]
fn nobody_sees_more_than_the_container_shows() {
    let machine = State {
        endpoint_location: Some("office".into()),
        ..State::machine(Availability::AVAILABLE)
    };
    let first_user = State::user(Availability::DO_NOT_DISTURB);
    let second_user = publications::for_workgroup(&first_user);
    let placed = place(&Results {
        first: aggregate(&[machine.clone(), first_user], None),
        second: aggregate(&[machine, second_user], None),
        services: services(&[]),
    });
    let state = |instance, container| at(&placed, &CategoryName::State, instance, container);
    for container in [
        ContainerId::FIRST_AGGREGATION,
        ContainerId::COMPANY,
        ContainerId::PERSONAL,
    ] {
        let value = state(instance::STATE_AGGREGATE, container);
        assert!(
            value.contains("<availability>9500</availability>") && value.contains("office"),
            "{value}"
        );
    }
    let public = state(instance::STATE_AGGREGATE, ContainerId::PUBLIC);
    assert!(public.contains("9500") && !public.contains("office") && !public.contains("activity"));
    let team = state(instance::STATE_AGGREGATE, ContainerId::TEAM);
    assert!(team.contains("6900") && team.contains("urgent-interruptions-only"));
    let blocked = state(instance::STATE_BLOCKED, ContainerId::BLOCKED);
    assert!(blocked.contains("18500"));
    assert!(
        state(
            instance::STATE_AGGREGATE_MACHINE,
            ContainerId::FIRST_AGGREGATION
        )
        .contains("aggregateMachineState")
    );

    let legacy = |container| -> LegacyInterop {
        let text = at(
            &placed,
            &CategoryName::LegacyInterop,
            instance::LEGACY_INTEROP,
            container,
        );
        from_slice(text.as_bytes(), &Limits::default()).unwrap()
    };
    assert_eq!(
        legacy(ContainerId::PUBLIC).availability,
        Availability::DO_NOT_DISTURB
    );
    assert_eq!(
        legacy(ContainerId::TEAM).token,
        Some(Token::UrgentInterruptionsOnly)
    );
    assert_eq!(
        legacy(ContainerId::BLOCKED).availability,
        Availability::OFFLINE
    );
    assert_eq!(
        at(&placed, &CategoryName::Services, 0, ContainerId::BLOCKED),
        "<services xmlns=\"http://schemas.microsoft.com/2006/09/sip/service\"/>"
    );

    // Without endpoint there is no machine.
    let offline = place(&Results {
        first: aggregate(&[], None),
        second: aggregate(&[], None),
        services: services(&[]),
    });
    assert!(
        offline
            .iter()
            .all(|one| one.instance != instance::STATE_AGGREGATE_MACHINE)
    );
}

#[test]
fn the_server_aggregates_what_a_real_client_publishes() {
    let policy = Policy {
        aggregate: Some(Arc::new(Standard::default())),
        ..Policy::default()
    };
    let mut bob = Bob::with(policy.clone()).with_default_members();
    bob.presentity.endpoint_registered(bob.now, ENDPOINT);
    let names = ["services", "state"];
    let alice = colleague("alice@contoso.com");
    bob.publish_body(data!("sipe/publish-first.xml")).unwrap();
    let seen = bob.watch(1, &alice, &names).unwrap();
    let value = |index: usize| -> &str {
        let category: &ocs_pres::doc::Category = &seen.categories[index];
        category.value().unwrap().as_str()
    };
    assert_eq!(
        (
            seen.categories[0].name.as_str(),
            seen.categories[0].instance
        ),
        ("services", Some(0))
    );
    assert!(
        value(0).contains(
            "<text render=\"true\" capture=\"true\" publish=\"false\" deviceAvailability=\"3500\"/>"
        ),
        "{}",
        value(0)
    );
    assert!(!value(0).contains("preferredEndpointId"));
    assert_eq!(
        (
            seen.categories[1].name.as_str(),
            seen.categories[1].instance
        ),
        ("state", Some(1))
    );
    let state: State = seen.categories[1].value().unwrap().decode().unwrap();
    assert_eq!(state.availability, Some(Availability::AVAILABLE));
    assert_eq!(state.last_active, None);

    // Another machine, which its user has left: the first is still active.
    let other = Source::from_epid("4c77e6ec72").unwrap();
    bob.publish(publications::machine_state(other, Availability::AWAY))
        .unwrap();
    let state = |bob: &mut Bob, id| -> State {
        let seen = bob
            .watch(id, &colleague("carol@contoso.com"), &["state"])
            .unwrap();
        seen.categories[0].value().unwrap().decode().unwrap()
    };
    assert_eq!(
        state(&mut bob, 2).availability,
        Some(Availability::AVAILABLE)
    );

    let gone = bob.presentity.endpoint_gone(bob.now, ENDPOINT);
    assert!(!gone.is_empty());
    let seen = bob.watch(3, &alice, &names).unwrap();
    let instances: Vec<_> = seen.categories.iter().map(|one| one.instance).collect();
    assert_eq!(instances, [None, Some(0)]);
    let offline = |presentity: &Presentity, watcher: &Watcher| -> (Option<Time>, State) {
        let container = presentity.container_of(watcher);
        let seen = presentity.watcher_document(container, &["state".into()]);
        let state = seen.categories[0].value().unwrap();
        (seen.categories[0].publish_time, state.decode().unwrap())
    };
    let (left, state) = offline(&bob.presentity, &alice);
    assert_eq!(state.availability, Some(Availability::OFFLINE));
    assert_eq!(state.last_active, left);
    // Strangers are not told since when.
    let mut stranger = Watcher::clone(&colleague("john@fabrikam.com"));
    stranger.network = SourceNetwork::Federated;
    let (_, seen) = offline(&bob.presentity, &stranger);
    assert_eq!(
        (seen.availability, seen.last_active),
        (Some(Availability::OFFLINE), None)
    );

    // It is not forgotten with the process.
    let later = bob.now + Duration::from_secs(3600);
    let document = bob.presentity.export();
    let clock = WallClock::new(bob.now, wall());
    let import = |now| Presentity::import(Arc::new(policy.clone()), clock, now, &document);
    let mut again = import(later).unwrap();
    assert_eq!(offline(&again, &alice), (left, state));
    assert_eq!(again.export(), document);
    // What was there when the last endpoint went, is not there when the next comes.
    again.endpoint_registered(later, ENDPOINT);
    assert_eq!(offline(&again, &alice).0, left);
    let source = Source::from_epid("4c77e6ec72").unwrap();
    let active = publications::machine_state(source, Availability::AVAILABLE);
    assert!(again.install(later, Some(ENDPOINT), active).is_durable());
    let container = again.container_of(&alice);
    let seen = again.watcher_document(container, &["state".into()]);
    let instances: Vec<_> = seen.categories.iter().map(|one| one.instance).collect();
    assert_eq!(instances, [Some(1)]);
}

#[test]
fn who_was_never_there_is_offline() {
    let policy = Policy {
        aggregate: Some(Arc::new(Standard::default())),
        ..Policy::default()
    };
    let mut bob = Bob::with(policy).with_default_members();
    bob.presentity.begin(bob.now);
    let alice = colleague("alice@contoso.com");
    let container = bob.presentity.container_of(&alice);
    let seen = |container| {
        let names = ["legacyInterop".into(), "services".into(), "state".into()];
        to_string(&bob.presentity.watcher_document(container, &names))
    };
    // No octet tells him from one who blocks the watcher.
    assert_eq!(seen(container), seen(ContainerId::BLOCKED));
    assert!(seen(container).contains("<availability>18500</availability>"));
}
