//! The documents of \[MS-PRES\]: what clients and servers exchange in the bodies of SERVICE, SUBSCRIBE and notifications.
//!
//! | document | type | content type |
//! |---|---|---|
//! | publish | [`Publish`] | [`content_type::PUBLISH`] |
//! | version conflict | [`Fault`] | [`content_type::FAULT`] |
//! | self subscription | [`RoamingList`] | [`content_type::ROAMING_SELF`] |
//! | own data, answer to a publish | [`RoamingData`] | [`content_type::ROAMING_SELF`] |
//! | members of containers | [`SetContainerMembers`] | [`content_type::SET_CONTAINER_MEMBERS`] |
//! | acknowledgement of a watcher | [`SetSubscribers`] | [`content_type::SET_SUBSCRIBERS`] |
//! | delegates | [`SetDelegates`] | [`content_type::SET_DELEGATES`] |
//! | category subscription | [`BatchSub`] | [`content_type::BATCH_SUB`] |
//! | presence of one user | [`Categories`] | [`content_type::CATEGORIES`] |
//! | presence of many | [`ListNotification`] | `multipart/related` |
//!
//! The values of categories are [`Raw`](ocs_xml::Raw) elements: a server passes most of them on without reading them.

mod batch;
mod categories;
mod containers;
mod delegates;
mod fault;
mod notification;
mod publish;
mod rlmi;
mod roaming;
mod subscribers;

pub use batch::{
    Action, ActionName, AdhocList, BatchSub, CategoryList, CategoryName, Context, Resource,
};
pub use categories::{Categories, Category};
pub use containers::{
    Change, Container, ContainerChange, Containers, Member, MemberChange, MemberType,
    SetContainerMembers,
};
pub use delegates::{Delegate, DelegateChange, Delegates, SetDelegates};
pub use fault::{Details, Fault, Operation};
pub use notification::{Document, Limits, ListBody, ListNotification};
pub use publish::{ContainerId, ExpireType, Publication, Publications, Publish};
pub use rlmi::{Instance, InstanceState, List, ListResource, Name};
pub use roaming::{Roaming, RoamingData, RoamingList, RoamingPart};
pub use subscribers::{Acknowledgement, SetSubscribers, SourceNetwork, Subscriber, Subscribers};

/// Content types of \[MS-PRES\].
pub mod content_type {
    /// A publish request.
    pub const PUBLISH: &str = "application/msrtc-category-publish+xml";
    /// A self subscription, its documents, and the answers to a publish and to setDelegate.
    pub const ROAMING_SELF: &str = "application/vnd-microsoft-roaming-self+xml";
    /// A change of members of containers.
    pub const SET_CONTAINER_MEMBERS: &str = "application/msrtc-setcontainermembers+xml";
    /// An acknowledgement of a watcher.
    pub const SET_SUBSCRIBERS: &str = "application/msrtc-presence-setsubscriber+xml";
    /// A change of delegates.
    pub const SET_DELEGATES: &str = "application/msrtc-setdelegate+xml";
    /// Why a SERVICE request was refused.
    pub const FAULT: &str = "application/msrtc-fault+xml";
    /// A category subscription.
    pub const BATCH_SUB: &str = "application/msrtc-adrl-categorylist+xml";
    /// Presence of one user.
    pub const CATEGORIES: &str = "application/msrtc-event-categories+xml";
    /// The list of a batch (RFC 4662).
    pub const RLMI: &str = "application/rlmi+xml";
    /// A notification about more than one user.
    pub const MULTIPART: &str = "multipart/related";
    /// Presence of a user for clients of 2005.
    pub const MSRTC_PIDF: &str = "text/xml+msrtc.pidf";
    /// Presence of a user for everybody else (RFC 3863).
    pub const PIDF: &str = "application/pidf+xml";
}

/// Event packages of \[MS-PRES\]. Names are compared without case.
pub mod event {
    /// Presence of others.
    pub const PRESENCE: &str = "presence";
    /// One's own presence, containers, watchers and delegates.
    pub const ROAMING_SELF: &str = "vnd-microsoft-roaming-self";
    /// One's own contacts.
    pub const ROAMING_CONTACTS: &str = "vnd-microsoft-roaming-contacts";
    /// Watchers that wait for an answer, for clients of 2005.
    pub const PENDING_WATCHERS: &str = "presence.wpending";
}

/// Namespaces of the documents.
pub mod namespace {
    /// Of [`Publish`](super::Publish).
    pub const PUBLISH: &str = "http://schemas.microsoft.com/2006/09/sip/rich-presence";
    /// Of [`RoamingList`](super::RoamingList) and [`RoamingData`](super::RoamingData).
    pub const ROAMING_SELF: &str = "http://schemas.microsoft.com/2006/09/sip/roaming-self";
    /// Of [`Categories`](super::Categories).
    pub const CATEGORIES: &str = "http://schemas.microsoft.com/2006/09/sip/categories";
    /// Of [`Containers`](super::Containers) (recalled): it is written, but not asked for when they are read.
    pub const CONTAINERS: &str = "http://schemas.microsoft.com/2006/09/sip/containers";
    /// Of [`SetContainerMembers`](super::SetContainerMembers).
    pub const CONTAINER_MANAGEMENT: &str =
        "http://schemas.microsoft.com/2006/09/sip/container-management";
    /// Of [`Subscribers`](super::Subscribers) and [`SetSubscribers`](super::SetSubscribers).
    pub const SUBSCRIBERS: &str = "http://schemas.microsoft.com/2006/09/sip/presence-subscribers";
    /// Of [`Delegates`](super::Delegates).
    pub const DELEGATES: &str = "http://schemas.microsoft.com/2007/09/sip/delegates";
    /// Of [`BatchSub`](super::BatchSub).
    pub const BATCH_SUB: &str = "http://schemas.microsoft.com/2006/01/sip/batch-subscribe";
    /// Of [`CategoryList`](super::CategoryList).
    pub const CATEGORY_LIST: &str = "http://schemas.microsoft.com/2006/09/sip/categorylist";
    /// Of [`List`](super::List) (RFC 4662).
    pub const RLMI: &str = "urn:ietf:params:xml:ns:rlmi";
}
