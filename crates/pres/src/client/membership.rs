//! Which container a watcher is in, and how it comes into another.

use std::collections::BTreeMap;

use crate::doc::{
    Change, Container, ContainerChange, ContainerId, Member, MemberChange, MemberType,
    SourceNetwork,
};

/// How precisely a member names a watcher, the most precise first: the user, a domain (the longer the better), the network, everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Everyone,
    Network,
    Domain(usize),
    User,
}

fn class(member: &Member, watcher: &str, network: &SourceNetwork) -> Option<Class> {
    let domain = watcher.rsplit_once('@').map_or("", |(_, domain)| domain);
    let value = member.value.as_deref().unwrap_or_default();
    let matches = |class, matches: bool| matches.then_some(class);
    match member.kind {
        MemberType::User => matches(Class::User, value.eq_ignore_ascii_case(watcher)),
        MemberType::Domain => matches(Class::Domain(value.len()), is_within(domain, value)),
        MemberType::SameEnterprise => {
            matches(Class::Network, *network == SourceNetwork::SameEnterprise)
        }
        MemberType::Federated => matches(Class::Network, *network == SourceNetwork::Federated),
        MemberType::PublicCloud => matches(Class::Network, *network == SourceNetwork::PublicCloud),
        MemberType::Everyone => Some(Class::Everyone),
        MemberType::Other(_) => None,
    }
}

/// Whether a domain is another one or below it.
fn is_within(domain: &str, whole: &str) -> bool {
    let Some(at) = domain.len().checked_sub(whole.len()) else {
        return false;
    };
    !whole.is_empty()
        && domain.is_char_boundary(at)
        && domain[at..].eq_ignore_ascii_case(whole)
        && (at == 0 || domain[..at].ends_with('.'))
}

/// The container of a watcher: the highest of those that name it most precisely. `without` leaves out the user's own entries.
pub(super) fn level<'a>(
    containers: impl Iterator<Item = &'a Container>,
    watcher: &str,
    network: &SourceNetwork,
    without: Option<Without>,
) -> ContainerId {
    containers
        .flat_map(|container| {
            container
                .members
                .iter()
                .map(|member| (container.id, member))
        })
        .filter_map(|(id, member)| Some((class(member, watcher, network)?, id)))
        .filter(|(class, _)| without.is_none() || *class != Class::User)
        .max()
        .map_or(ContainerId::DEFAULT, |(_, id)| id)
}

/// Marks that entries of the user himself do not count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Without;

/// What brings a user into a container, or with none back to where he belongs without an entry of his own.
pub(super) fn moves<'a>(
    containers: impl Iterator<Item = &'a Container> + Clone,
    user: &str,
    network: &SourceNetwork,
    to: Option<ContainerId>,
) -> Vec<ContainerChange> {
    let mut changes: BTreeMap<ContainerId, (u32, Vec<MemberChange>)> = BTreeMap::new();
    let mut there = false;
    for container in containers.clone() {
        let own = |member: &&Member| class(member, user, network) == Some(Class::User);
        for member in container.members.iter().filter(own) {
            if to == Some(container.id) {
                there = true;
                continue;
            }
            changes
                .entry(container.id)
                .or_insert((container.version, Vec::new()))
                .1
                .push(MemberChange::new(Change::Remove, member.clone()));
        }
    }
    if let Some(to) = to
        && !there
        && level(containers.clone(), user, network, Some(Without)) != to
    {
        let version = containers
            .clone()
            .find(|container| container.id == to)
            .map_or(0, |container| container.version);
        changes
            .entry(to)
            .or_insert((version, Vec::new()))
            .1
            .push(MemberChange::new(Change::Add, Member::user(user)));
    }
    changes
        .into_iter()
        .map(|(id, (version, members))| ContainerChange::new(id, version, members))
        .collect()
}

/// The members that every user has from his first sign-in on: colleagues in 200, federated users in 100.
pub(super) fn first_members<'a>(
    containers: impl Iterator<Item = &'a Container> + Clone,
) -> Vec<ContainerChange> {
    [
        (ContainerId::COMPANY, MemberType::SameEnterprise),
        (ContainerId::PUBLIC, MemberType::Federated),
    ]
    .into_iter()
    .filter(|(_, kind)| {
        !containers
            .clone()
            .flat_map(|container| &container.members)
            .any(|member| member.kind == *kind)
    })
    .map(|(id, kind)| {
        let version = containers
            .clone()
            .find(|container| container.id == id)
            .map_or(0, |container| container.version);
        let member = MemberChange::new(Change::Add, Member::network(kind));
        ContainerChange::new(id, version, vec![member])
    })
    .collect()
}
