//! The list of a batch (RFC 4662), with what \[MS-PRES\] adds.

use ocs_xml::{Extra, SmolStr, element, words};

use super::namespace::RLMI;

words! {
    /// The state of a subscription inside a list.
    pub enum InstanceState: open {
        /// It runs.
        Active = "active",
        /// It waits for permission; this system answers `active` with less data.
        Pending = "pending",
        /// It has ended.
        Terminated = "terminated",
        /// The server does not serve this user: subscribe at the pool, or at the user itself.
        Resubscribe = "resubscribe",
    }
}

element! {
    /// A list of subscriptions. This system lists those whose state changed, with version 0 and not full.
    pub struct List(RLMI, "list") {
        /// The list, as a URI: the subscriber's in this system.
        attr uri: SmolStr,
        /// Grows with each document of a dialog.
        attr version: u32,
        /// Whether all resources are listed.
        attr full_state: bool = "fullState",
        /// A part that describes the list itself.
        attr_opt cid: SmolStr,
        /// Names of the list.
        children names: Name,
        /// The users.
        children resources: ListResource,
    }
}

element! {
    /// A name, with its language in `extra`.
    pub struct Name(RLMI, "name") {
        /// The name.
        text value: SmolStr,
    }
}

element! {
    /// A user of the list.
    pub struct ListResource(RLMI, "resource") {
        /// The SIP URI.
        attr uri: SmolStr,
        /// Names.
        children names: Name,
        /// Subscriptions; one in this system.
        children instances: Instance,
    }
}

element! {
    /// The subscription to one user.
    pub struct Instance(RLMI, "instance") {
        /// Tells subscriptions to one user apart; `0` in this system.
        attr id: SmolStr,
        /// Its state.
        attr state: InstanceState,
        /// Why it has ended, as in Subscription-State.
        attr_opt reason: SmolStr,
        /// The Content-ID of its document.
        attr_opt cid: SmolStr,
        /// Where to subscribe instead, as a SIP URI, with [`InstanceState::Resubscribe`]. None: at the user itself.
        attr_opt pool: SmolStr = "poolFqdn",
        /// The status that ended it (recalled).
        attr_opt status_code: u16 = "statusCode",
    }
}

impl List {
    /// A list of a subscriber, as servers of this system write it.
    #[must_use]
    pub fn new(uri: impl Into<SmolStr>, resources: Vec<ListResource>) -> Self {
        Self {
            uri: uri.into(),
            version: 0,
            full_state: false,
            cid: None,
            names: Vec::new(),
            resources,
            extra: Extra::default(),
        }
    }
}

impl ListResource {
    fn new(uri: impl Into<SmolStr>, instance: Instance) -> Self {
        Self {
            uri: uri.into(),
            names: Vec::new(),
            instances: vec![instance],
            extra: Extra::default(),
        }
    }

    /// A user whose document is in the part `cid`.
    #[must_use]
    pub fn active(uri: impl Into<SmolStr>, cid: impl Into<SmolStr>) -> Self {
        let mut instance = Instance::new(InstanceState::Active);
        instance.cid = Some(cid.into());
        Self::new(uri, instance)
    }

    /// A user whom another pool serves, named by SIP URI; none: whose own address is to be asked.
    ///
    /// Never the answer to a subscription that is already made because of one: clients repeat that for ever.
    #[must_use]
    pub fn resubscribe(uri: impl Into<SmolStr>, pool: Option<SmolStr>) -> Self {
        let mut instance = Instance::new(InstanceState::Resubscribe);
        instance.pool = pool;
        Self::new(uri, instance)
    }

    /// A user who is not watched (recalled).
    #[must_use]
    pub fn terminated(uri: impl Into<SmolStr>, reason: &str, status_code: u16) -> Self {
        let mut instance = Instance::new(InstanceState::Terminated);
        instance.reason = Some(reason.into());
        instance.status_code = Some(status_code);
        Self::new(uri, instance)
    }
}

impl Instance {
    /// The subscription to a user, with the id that this system gives.
    #[must_use]
    pub fn new(state: InstanceState) -> Self {
        Self {
            id: SmolStr::new_static("0"),
            state,
            reason: None,
            cid: None,
            pool: None,
            status_code: None,
            extra: Extra::default(),
        }
    }
}
