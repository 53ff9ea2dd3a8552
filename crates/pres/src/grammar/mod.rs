//! Publication grammars: what a client is to publish where, and into which containers its user may put whom (\[MS-PRES\], publication
//! grammar; \[MS-SIPREGE\] 2.2.2.5.4, 2.2.2.5.10).
//!
//! The server hands them out with provisioning and does not enforce them; the client does. The stylesheets that a
//! manifest may carry are kept as they are; what the default ones do is [`default_publications`].

mod containers;
mod defaults;
mod publications;

pub use containers::{
    AllowedContainers, AllowedContainersType, BlockRule, BlockRuleType, BlockRules,
    ContainerManifest, ContainerManifestList, ContainerReference, ContainerRule, ContainerRules,
    ManifestMember, MemberRole, Members, Occurrence, OccurrenceConstraint, ResolutionRule,
    ResolutionRules, ResolutionType, RolePrecedence, RolePrecedenceEntry, SourceNetworkReference,
    SourceNetworks,
};
pub use defaults::default_publications;
pub use publications::{
    CategoryData, CategoryPublicationManifest, ExpireRule, ExpireRuleType, InstanceRule,
    InstanceRuleType, PublicationList, PublicationRule, RuleType,
};

/// The namespace of [`ContainerManifestList`].
pub const CONTAINER_NAMESPACE: &str = "http://schemas.microsoft.com/2008/09/sip/ContainerManifest";
/// The namespace of [`CategoryPublicationManifest`].
pub const PUBLICATION_NAMESPACE: &str =
    "http://schemas.microsoft.com/2008/09/sip/categoryPublicationManifest";
