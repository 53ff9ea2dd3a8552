//! Which containers there are, and who may be put into them.

use ocs_xml::{SmolStr, content, element, words};

use super::CONTAINER_NAMESPACE as NAMESPACE;
use crate::category::Availability;
use crate::doc::{ContainerId, MemberType};

content! {
    /// A container.
    pub struct ContainerRule(NAMESPACE, "container") {
        /// Which.
        attr id: ContainerId,
        /// The user may put others into it.
        leaf_opt visible: bool,
        /// Members that are in it by another entry are not added again.
        leaf_opt avoid_redundant_members: bool = "avoidRedundantMembers",
        /// Those in it are blocked.
        leaf_opt blocked: bool,
    }
}

content! {
    /// The containers.
    #[derive(Default)]
    pub struct ContainerRules(NAMESPACE, "containers") {
        /// The containers.
        parts container: ContainerRule,
    }
}

content! {
    /// A container by its id.
    pub struct ContainerReference(NAMESPACE, "container") {
        /// Which.
        attr id: ContainerId,
    }
}

words! {
    /// Which containers are meant.
    pub enum AllowedContainersType: open {
        /// All visible ones.
        VisibleContainers = "visibleContainers",
        /// Those that are named.
        Custom = "custom",
    }
}

content! {
    /// Containers.
    pub struct AllowedContainers(NAMESPACE, "allowedContainers") {
        /// Which are meant.
        attr kind: AllowedContainersType = "type",
        /// Those that are named.
        parts container: ContainerReference,
    }
}

words! {
    /// What a member is to the user.
    pub enum MemberRole: open {
        /// A contact.
        Buddy = "buddy",
        /// A delegate.
        Delegate = "delegate",
    }
}

words! {
    /// In how many containers a member is.
    pub enum Occurrence: open {
        /// In none.
        Zero = "zero",
        /// In one.
        One = "one",
        /// In one at most.
        ZeroOrOne = "zeroOrOne",
    }
}

content! {
    /// In how many containers a member is.
    pub struct OccurrenceConstraint(NAMESPACE, "occurrenceConstraint") {
        /// In how many.
        attr kind: Occurrence = "type",
    }
}

content! {
    /// A network that watchers come from.
    pub struct SourceNetworkReference(NAMESPACE, "sourceNetwork") {
        /// Which.
        attr kind: MemberType = "type",
    }
}

content! {
    /// Networks that watchers come from.
    #[derive(Default)]
    pub struct SourceNetworks(NAMESPACE, "sourceNetworks") {
        /// The networks.
        parts network: SourceNetworkReference = "sourceNetwork",
    }
}

words! {
    /// What is done with a member that breaks a rule.
    pub enum ResolutionType: open {
        /// It is taken out of the container.
        RemoveFromContainer = "removeFromContainer",
        /// It is put into its default container.
        MoveToDefaultContainer = "moveToDefaultContainer",
        /// It is given a role.
        ForceRole = "forceRole",
    }
}

content! {
    /// What is done with a member that breaks a rule.
    pub struct ResolutionRule(NAMESPACE, "resolutionRule") {
        /// What.
        attr kind: ResolutionType = "type",
        /// The role that is given.
        attr_opt role: MemberRole,
    }
}

content! {
    /// What is done with a member that breaks a rule.
    #[derive(Default)]
    pub struct ResolutionRules(NAMESPACE, "resolutionRules") {
        /// One after the other.
        parts rule: ResolutionRule = "resolutionRule",
    }
}

content! {
    /// Who may be put where.
    #[derive(Default)]
    pub struct ManifestMember(NAMESPACE, "member") {
        /// A kind of members.
        attr_opt kind: MemberType = "type",
        /// Or those with a role.
        attr_opt role: MemberRole,
        /// Or one.
        attr_opt uri: SmolStr,
        /// Where they may be.
        part_opt allowed: AllowedContainers = "allowedContainers",
        /// Where they are put first.
        part_opt default_container: ContainerReference = "defaultContainer",
        /// In how many they are.
        part_opt occurrence: OccurrenceConstraint = "occurrenceConstraint",
        /// Where they come from.
        part_opt source_networks: SourceNetworks = "sourceNetworks" => 1,
        /// What is done when they break the rule.
        part_opt resolution: ResolutionRules = "resolutionRules" => 1,
    }
}

content! {
    /// Who may be put where.
    #[derive(Default)]
    pub struct Members(NAMESPACE, "members") {
        /// The rules.
        parts member: ManifestMember,
    }
}

words! {
    /// What is blocked.
    pub enum BlockRuleType: open {
        /// Invitations.
        Invites = "invites",
        /// The question whether a new watcher may watch.
        SubscriberPrompt = "subscriberPrompt",
    }
}

content! {
    /// When something is blocked: when all that is said here holds.
    pub struct BlockRule(NAMESPACE, "blockRule") {
        /// What.
        attr kind: BlockRuleType = "type",
        /// The other is in one of these containers.
        part_opt containers: AllowedContainers,
        /// The other comes from one of these networks.
        part_opt source_networks: SourceNetworks = "sourceNetworks",
        /// The user is at least this available: at most this number.
        leaf_opt max_availability: Availability = "maxAvailability",
        /// The user is at most this available: at least this number.
        leaf_opt min_availability: Availability = "minAvailability",
    }
}

content! {
    /// When something is blocked.
    #[derive(Default)]
    pub struct BlockRules(NAMESPACE, "blockRules") {
        /// One of them is enough.
        parts rule: BlockRule = "blockRule",
    }
}

content! {
    /// A role.
    pub struct RolePrecedenceEntry(NAMESPACE, "rolePrecedenceEntry") {
        /// Which.
        attr kind: MemberRole = "type",
    }
}

content! {
    /// Which role counts of one who has several: the first.
    #[derive(Default)]
    pub struct RolePrecedence(NAMESPACE, "rolePrecedence") {
        /// The roles.
        parts entry: RolePrecedenceEntry = "rolePrecedenceEntry",
    }
}

content! {
    /// Containers, members and what is blocked.
    #[derive(Default)]
    pub struct ContainerManifest(NAMESPACE, "containerManifest") {
        /// The containers.
        part_opt containers: ContainerRules,
        /// Who may be put into them.
        part_opt members: Members,
        /// What is blocked.
        part_opt block_rules: BlockRules = "blockRules" => 1,
        /// Which role counts.
        part_opt role_precedence: RolePrecedence = "rolePrecedence" => 1,
    }
}

element! {
    /// The grammar of containers.
    pub struct ContainerManifestList(NAMESPACE, "containerManifestList") {
        /// What a client must be to understand it.
        attr_opt min_supported_client_version: SmolStr = "minSupportedClientVersion",
        /// Version of the schema.
        attr_opt major_version: u32 = "majorVersion",
        /// Version of the schema.
        attr_opt minor_version: u32 = "minorVersion",
        /// The grammar.
        part manifest: ContainerManifest = "containerManifest",
    }
}

impl ContainerManifest {
    /// Whether something is blocked, for another who is in a container and comes from a network, while the user is so available.
    #[must_use]
    pub fn blocks(
        &self,
        what: &BlockRuleType,
        container: ContainerId,
        network: &MemberType,
        availability: Availability,
    ) -> bool {
        let rules = self.block_rules.iter().flat_map(|rules| &rules.rule);
        rules
            .filter(|rule| rule.kind == *what)
            .any(|rule| rule.holds(self, container, network, availability))
    }

    /// Where a contact from a network is put first: by the rule for contacts, else by that for the network.
    #[must_use]
    pub fn default_container(
        &self,
        role: &MemberRole,
        network: &MemberType,
    ) -> Option<ContainerId> {
        let members = || self.members.iter().flat_map(|members| &members.member);
        let by_role = members().find(|member| {
            let networks = member.source_networks.as_ref();
            member.role.as_ref() == Some(role) && networks.is_none_or(|all| all.contains(network))
        });
        let by_network = || members().find(|member| member.kind.as_ref() == Some(network));
        let member = by_role.or_else(by_network)?;
        member
            .default_container
            .as_ref()
            .map(|container| container.id)
    }

    fn names(&self, allowed: &AllowedContainers, id: ContainerId) -> bool {
        if allowed.kind != AllowedContainersType::VisibleContainers {
            return allowed.container.iter().any(|container| container.id == id);
        }
        let mut containers = self.containers.iter().flat_map(|all| &all.container);
        containers.any(|container| container.id == id && container.visible == Some(true))
    }
}

impl BlockRule {
    fn holds(
        &self,
        manifest: &ContainerManifest,
        container: ContainerId,
        network: &MemberType,
        availability: Availability,
    ) -> bool {
        self.containers
            .as_ref()
            .is_none_or(|all| manifest.names(all, container))
            && self
                .source_networks
                .as_ref()
                .is_none_or(|all| all.contains(network))
            && self.min_availability.is_none_or(|min| min <= availability)
            && self.max_availability.is_none_or(|max| availability <= max)
    }
}

impl SourceNetworks {
    fn contains(&self, network: &MemberType) -> bool {
        self.network.iter().any(|one| one.kind == *network)
    }
}
