//! In-band provisioning: how a server hands a client its configuration (\[MS-SIPREGE\] 2.2.2).
//!
//! A client asks once after signing in: a SUBSCRIBE with Expires 0, outside any dialog, names groups of settings; the 200 carries
//! them, or a NOTIFY does for those who did not offer `ms-piggyback-first-notify`.
//!
//! - [`ProvisioningGroupList`] is the question, [`ProvisionGroupList`] the answer, with a type for each group. Groups and settings that are
//!   not known are kept.
//! - [`ask`] makes a SUBSCRIBE of a request, [`answer_of`] reads what comes back, and [`View`] says what a client needs of it.
//! - [`Provisioning`] answers for a server.
//! - [`legacy`] is the form of LCS 2005.

mod client;
mod document;
mod endpoint_configuration;
mod grammar;
pub mod legacy;
mod places;
mod policies;
mod public_providers;
mod server;
mod server_configuration;
mod settings;
mod view;

pub use client::{answer_of, ask};
pub use document::{
    GroupName, ProvisionGroup, ProvisionGroupList, ProvisioningGroup, ProvisioningGroupList,
};
pub use endpoint_configuration::{AbsUsage, EndpointConfiguration, PhotoUsage};
pub use grammar::{
    CATEGORY_PUBLICATION_NAMESPACE, CONTAINER_MANIFEST_NAMESPACE, PrivacyPublicationGrammar,
    PublicationGrammar,
};
pub use places::{
    BypassMode, ConferenceMode, LocationPolicy, LocationRequired, MediaConfiguration,
    PersistentChatConfiguration,
};
pub use policies::{
    ForwardingUsage, MeetingPolicy, MobilityPolicy, PresencePolicy, SharingLevel, UcPolicy,
    UserSetting, VideoResolution,
};
pub use public_providers::{PublicProvider, PublicProviderList, PublicProviders};
pub use server::{Answer, Asked, Config, Context, Deployment, Own, Provisioning};
pub use server_configuration::{
    AvEncryption, LoggingLevel, ServerConfiguration, SipSecurityMode, VideoRate,
};
pub use view::{Medium, View};

/// The event package.
pub const EVENT: &str = "vnd-microsoft-provisioning-v2";
/// The type of both documents.
pub const CONTENT_TYPE: &str = "application/vnd-microsoft-roaming-provisioning-v2+xml";
/// Namespace of the question.
pub const REQUEST_NAMESPACE: &str =
    "http://schemas.microsoft.com/2006/09/sip/provisioninggrouplist";
/// Namespace of the answer.
pub const NOTIFICATION_NAMESPACE: &str =
    "http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification";
