//! The rules that a client follows when nobody gave it others.

use ocs_xml::{Extra, SmolStr};

use super::{
    AllowedContainers, AllowedContainersType, BlockRule, BlockRuleType, BlockRules,
    ContainerManifest, ContainerManifestList, ContainerReference, ContainerRule, ContainerRules,
    ManifestMember, MemberRole, Members, Occurrence, OccurrenceConstraint, ResolutionRule,
    ResolutionRules, ResolutionType, RolePrecedence, RolePrecedenceEntry, SourceNetworkReference,
    SourceNetworks,
};
use crate::category::{Availability, Category, Note};
use crate::doc::{ContainerId, MemberType};
use crate::publications::for_workgroup;

/// What is published of a category, and where: the default rules of transformation. Nothing for categories that have none, which the
/// functions of [`publications`](crate::publications) place by themselves.
#[must_use]
pub fn default_publications(category: &Category) -> Vec<(ContainerId, Category)> {
    match category {
        Category::State(state) => vec![
            (ContainerId::FIRST_AGGREGATION, category.clone()),
            (
                ContainerId::SECOND_AGGREGATION,
                Category::State(Box::new(for_workgroup(state))),
            ),
        ],
        Category::Note(_) => [
            (ContainerId::PUBLIC, Category::Note(Note::default())),
            (ContainerId::COMPANY, category.clone()),
            (ContainerId::TEAM, category.clone()),
            (ContainerId::PERSONAL, category.clone()),
            (ContainerId::BLOCKED, Category::Note(Note::default())),
        ]
        .into(),
        _ => Vec::new(),
    }
}

fn reference(id: ContainerId) -> ContainerReference {
    ContainerReference {
        id,
        extra: Extra::default(),
    }
}

fn custom(id: ContainerId) -> AllowedContainers {
    AllowedContainers {
        kind: AllowedContainersType::Custom,
        container: vec![reference(id)],
        extra: Extra::default(),
    }
}

fn networks(of: &[MemberType]) -> SourceNetworks {
    let network = |kind: &MemberType| SourceNetworkReference {
        kind: kind.clone(),
        extra: Extra::default(),
    };
    SourceNetworks {
        network: of.iter().map(network).collect(),
        extra: Extra::default(),
    }
}

/// A member that may be in one of the visible containers.
fn member(default: Option<ContainerId>, occurrence: Occurrence) -> ManifestMember {
    ManifestMember {
        allowed: Some(AllowedContainers {
            kind: AllowedContainersType::VisibleContainers,
            container: Vec::new(),
            extra: Extra::default(),
        }),
        default_container: default.map(reference),
        occurrence: Some(OccurrenceConstraint {
            kind: occurrence,
            extra: Extra::default(),
        }),
        ..ManifestMember::default()
    }
}

/// A member with a role, who is moved to the default container when a rule is broken.
fn role(role: MemberRole, default: ContainerId) -> ManifestMember {
    ManifestMember {
        role: Some(role),
        resolution: Some(ResolutionRules {
            rule: vec![ResolutionRule {
                kind: ResolutionType::MoveToDefaultContainer,
                role: None,
                extra: Extra::default(),
            }],
            extra: Extra::default(),
        }),
        ..member(Some(default), Occurrence::One)
    }
}

fn kind(kind: MemberType, default: Option<ContainerId>, occurrence: Occurrence) -> ManifestMember {
    ManifestMember {
        kind: Some(kind),
        ..member(default, occurrence)
    }
}

fn block(kind: BlockRuleType) -> BlockRule {
    BlockRule {
        kind,
        containers: None,
        source_networks: None,
        max_availability: None,
        min_availability: None,
        extra: Extra::default(),
    }
}

impl ContainerManifest {
    /// The default of Microsoft's servers.
    #[must_use]
    pub fn standard() -> Self {
        let containers = [
            (ContainerId::DEFAULT, false, false),
            (ContainerId::PUBLIC, true, true),
            (ContainerId::COMPANY, true, true),
            (ContainerId::TEAM, true, true),
            (ContainerId::PERSONAL, true, true),
            (ContainerId::BLOCKED, true, false),
        ];
        let container = |(id, visible, avoid_redundant)| ContainerRule {
            id,
            visible: Some(visible),
            avoid_redundant_members: Some(avoid_redundant),
            blocked: (id == ContainerId::BLOCKED).then_some(true),
            extra: Extra::default(),
        };
        let buddy = |of: &[MemberType], default| ManifestMember {
            source_networks: Some(networks(of)),
            ..role(MemberRole::Buddy, default)
        };
        let members = vec![
            buddy(
                &[MemberType::PublicCloud, MemberType::Federated],
                ContainerId::PUBLIC,
            ),
            buddy(&[MemberType::SameEnterprise], ContainerId::COMPANY),
            kind(
                MemberType::SameEnterprise,
                Some(ContainerId::COMPANY),
                Occurrence::One,
            ),
            kind(
                MemberType::Federated,
                Some(ContainerId::PUBLIC),
                Occurrence::One,
            ),
            kind(MemberType::PublicCloud, None, Occurrence::ZeroOrOne),
            ManifestMember {
                allowed: Some(custom(ContainerId::TEAM)),
                ..role(MemberRole::Delegate, ContainerId::TEAM)
            },
        ];
        let blocked = |kind| BlockRule {
            containers: Some(custom(ContainerId::BLOCKED)),
            ..block(kind)
        };
        let block_rules = vec![
            BlockRule {
                containers: Some(custom(ContainerId::DEFAULT)),
                source_networks: Some(networks(&[MemberType::PublicCloud])),
                ..block(BlockRuleType::Invites)
            },
            BlockRule {
                max_availability: Some(Availability(11_999)),
                min_availability: Some(Availability(9000)),
                ..block(BlockRuleType::Invites)
            },
            blocked(BlockRuleType::Invites),
            blocked(BlockRuleType::SubscriberPrompt),
        ];
        let precedence = [MemberRole::Delegate, MemberRole::Buddy];
        Self {
            containers: Some(ContainerRules {
                container: containers.map(container).into(),
                extra: Extra::default(),
            }),
            members: Some(Members {
                member: members,
                extra: Extra::default(),
            }),
            block_rules: Some(BlockRules {
                rule: block_rules,
                extra: Extra::default(),
            }),
            role_precedence: Some(RolePrecedence {
                entry: precedence
                    .map(|kind| RolePrecedenceEntry {
                        kind,
                        extra: Extra::default(),
                    })
                    .into(),
                extra: Extra::default(),
            }),
            extra: Extra::default(),
        }
    }
}

impl ContainerManifestList {
    /// The default of Microsoft's servers, as a document.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            min_supported_client_version: Some(SmolStr::new_static("2.0.0.0")),
            major_version: None,
            minor_version: None,
            manifest: ContainerManifest::standard(),
            extra: Extra::default(),
        }
    }
}
