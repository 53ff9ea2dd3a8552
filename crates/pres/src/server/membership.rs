//! Containers, their members, and in which of them a watcher is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ocs_sip_core::uri::Aor;
use ocs_xml::{SmolStr, from_slice};

use super::{Changes, Limits, Presentity, Refusal, Sender};
use crate::doc::{
    Change, Container, ContainerChange, ContainerId, Member, MemberChange, MemberType, Operation,
    SetContainerMembers, SourceNetwork,
};

/// Somebody who watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watcher {
    /// Who it is: the identity that the server has verified.
    pub user: Aor,
    /// From where it comes, seen from the one who is watched.
    pub network: SourceNetwork,
}

/// The containers of a user.
#[derive(Debug, Clone, Default)]
pub(super) struct Membership {
    containers: BTreeMap<ContainerId, Members>,
}

#[derive(Debug, Clone, Default)]
struct Members {
    version: u32,
    /// Clones share it until one of them is changed.
    set: Arc<BTreeSet<Member>>,
}

/// A change of a container that has passed all checks of its form.
#[derive(Debug)]
struct Checked {
    id: ContainerId,
    members: Vec<(Change, Member)>,
}

impl Membership {
    /// The container that a watcher is in: the highest one of the first class that has a match, in the order user, domain with the longest
    /// suffix first, source network, everybody; the default container without a match.
    pub(super) fn container_of(&self, watcher: &Watcher) -> ContainerId {
        self.highest(&Member::user(watcher.user.as_str()))
            .or_else(|| self.of_domain(watcher.user.domain()))
            .or_else(|| {
                let kind = match watcher.network {
                    SourceNetwork::SameEnterprise => MemberType::SameEnterprise,
                    SourceNetwork::Federated => MemberType::Federated,
                    SourceNetwork::PublicCloud => MemberType::PublicCloud,
                    SourceNetwork::None | SourceNetwork::Other(_) => return None,
                };
                self.highest(&Member::network(kind))
            })
            .or_else(|| self.highest(&Member::network(MemberType::Everyone)))
            .unwrap_or(ContainerId::DEFAULT)
    }

    fn of_domain(&self, domain: &str) -> Option<ContainerId> {
        let mut rest = Some(domain);
        while let Some(suffix) = rest {
            if let Some(container) = self.highest(&Member::domain(suffix)) {
                return Some(container);
            }
            rest = suffix.split_once('.').map(|(_, rest)| rest);
        }
        None
    }

    fn highest(&self, member: &Member) -> Option<ContainerId> {
        self.containers
            .iter()
            .rev()
            .find(|(_, members)| members.set.contains(member))
            .map(|(id, _)| *id)
    }

    /// Whether a user is named in a container.
    pub(super) fn names_user(&self, user: &Aor) -> bool {
        self.highest(&Member::user(user.as_str())).is_some()
    }

    pub(super) fn to_container(&self, id: ContainerId) -> Option<Container> {
        self.containers.get(&id).map(|members| members.show(id))
    }

    pub(super) fn to_containers(&self) -> Vec<Container> {
        self.containers
            .iter()
            .map(|(id, members)| members.show(*id))
            .collect()
    }

    /// Takes what a store kept. Nobody but the owner is ever in the owner's containers.
    pub(super) fn restore(&mut self, container: Container) {
        if is_changeable(container.id) {
            let members = Members {
                version: container.version,
                set: Arc::new(container.members.into_iter().collect()),
            };
            self.containers.insert(container.id, members);
        }
    }

    /// Checks a request whole; what it gives can be applied.
    fn check(
        &self,
        request: &SetContainerMembers,
        limits: &Limits,
    ) -> Result<Vec<Checked>, Refusal> {
        let mut checked = Vec::with_capacity(request.containers.len());
        if request.containers.is_empty() {
            return Err(Refusal::new(400, "no container"));
        }
        let mut seen = BTreeSet::new();
        for container in &request.containers {
            if container.id == ContainerId::DEFAULT {
                return Err(Refusal::new(400, "members of container 0"));
            }
            if !is_changeable(container.id) {
                return Err(Refusal::new(403, "container of the owner alone"));
            }
            if !seen.insert(container.id) {
                return Err(Refusal::new(400, "container twice"));
            }
            checked.push(Checked {
                id: container.id,
                members: members(container)?,
            });
        }
        self.check_versions(request)?;
        self.check_limits(&checked, limits)?;
        Ok(checked)
    }

    fn check_versions(&self, request: &SetContainerMembers) -> Result<(), Refusal> {
        let mut conflicts = Vec::new();
        for (index, container) in (1u32..).zip(&request.containers) {
            let current = self.containers.get(&container.id).map_or(0, |c| c.version);
            if container.version != current {
                conflicts.push(Operation::new(index, container.version, current));
            }
        }
        if conflicts.is_empty() {
            Ok(())
        } else {
            Err(Refusal::conflict(conflicts))
        }
    }

    fn check_limits(&self, checked: &[Checked], limits: &Limits) -> Result<(), Refusal> {
        let mut containers = self.containers.len();
        for change in checked {
            let current = self.containers.get(&change.id);
            let count = |wanted: Change, present: bool| {
                let there = |member| current.is_some_and(|c| c.set.contains(member));
                let members = change.members.iter();
                members
                    .filter(|(change, member)| *change == wanted && there(member) == present)
                    .count()
            };
            let added = count(Change::Add, false);
            let removed = count(Change::Remove, true);
            let members = current.map_or(0, |c| c.set.len()) + added - removed;
            if added > 0 && members > limits.members {
                return Err(Refusal::with_id(
                    403,
                    Refusal::MEMBER_LIMIT,
                    "too many members of a container",
                ));
            }
            containers += usize::from(current.is_none() && added > 0);
        }
        if containers > limits.containers.max(self.containers.len()) {
            return Err(Refusal::new(403, "too many containers"));
        }
        Ok(())
    }

    /// Whether there is such a container, then.
    fn apply(
        &mut self,
        Checked {
            id,
            members: changes,
        }: Checked,
    ) -> bool {
        let adds = changes.iter().any(|(change, _)| *change == Change::Add);
        if !adds && !self.containers.contains_key(&id) {
            return false;
        }
        let members = self.containers.entry(id).or_default();
        let mut changed = members.version == 0;
        let set = Arc::make_mut(&mut members.set);
        for (change, member) in changes {
            changed |= match change {
                Change::Add => set.insert(member),
                Change::Remove => set.remove(&member),
            };
        }
        if changed {
            members.version = members.version.saturating_add(1);
        }
        true
    }
}

impl Members {
    fn show(&self, id: ContainerId) -> Container {
        Container {
            id,
            version: self.version,
            members: self.set.iter().cloned().collect(),
        }
    }
}

const fn is_changeable(id: ContainerId) -> bool {
    id.is_remote() && id.get() != ContainerId::DEFAULT.get()
}

/// The changes of a container in the form in which members are compared.
fn members(container: &ContainerChange) -> Result<Vec<(Change, Member)>, Refusal> {
    let mut seen = BTreeMap::new();
    let mut changes = Vec::with_capacity(container.members.len());
    for change in &container.members {
        let member = member(change)?;
        match seen.insert(member.clone(), change.action) {
            None => changes.push((change.action, member)),
            Some(action) if action == change.action => {}
            Some(_) => return Err(Refusal::new(400, "member added and removed")),
        }
    }
    Ok(changes)
}

fn member(change: &MemberChange) -> Result<Member, Refusal> {
    let value = change.value.as_deref().map(str::trim).unwrap_or_default();
    match &change.kind {
        MemberType::User => match Aor::parse(value) {
            Ok(user) => Ok(Member::user(user.as_str())),
            Err(_) => Err(Refusal::new(400, "member without address")),
        },
        MemberType::Domain if value.is_empty() => Err(Refusal::new(400, "member without domain")),
        MemberType::Domain => Ok(Member::domain(SmolStr::from(value.to_ascii_lowercase()))),
        MemberType::Other(_) => Err(Refusal::new(400, "unknown type of member")),
        kind => Ok(Member::network(kind.clone())),
    }
}

impl Presentity {
    /// The container that a watcher is in.
    #[must_use]
    pub fn container_of(&self, watcher: &Watcher) -> ContainerId {
        self.membership.container_of(watcher)
    }

    /// A setContainerMembers request. Only the user and trusted servers may.
    ///
    /// After it [`Watchers::fan_out`](super::Watchers::fan_out) moves those who are in another container now.
    pub fn set_container_members(
        &mut self,
        sender: &Sender<'_>,
        body: &[u8],
    ) -> Result<Changes, Refusal> {
        self.check_owner(sender)?;
        let limits = &self.policy.limits;
        let request = from_slice(body, &limits.xml).map_err(Refusal::malformed)?;
        let checked = self.membership.check(&request, limits)?;
        let mut changes = Changes::default();
        for change in checked {
            let id = change.id;
            if self.membership.apply(change) {
                changes.container(id);
            }
        }
        Ok(changes)
    }
}
