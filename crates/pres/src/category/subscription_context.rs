//! Why somebody subscribes: `subscriptionContext` (\[MS-PRES\] 2.2.2.4.1).

use ocs_xml::{Extra, content, element};

/// The namespace.
pub const NAMESPACE: &str = "http://schemas.microsoft.com/2008/09/sip/SubscriptionContext";

content! {
    /// An element that says all by being there.
    #[derive(Default)]
    pub struct Mark("", "contactList") {}
}

element! {
    /// What the watcher is.
    #[derive(Default)]
    pub struct Watcher(NAMESPACE, "watcher") {
        /// It has added the publisher to its contacts.
        part_opt contact_list: Mark = "contactList",
    }
}

element! {
    /// Why somebody subscribes.
    pub struct SubscriptionContext(NAMESPACE, "subscriptionContext") {
        /// Version of the schema.
        attr_opt major_version: u32 = "majorVersion",
        /// Version of the schema.
        attr_opt minor_version: u32 = "minorVersion",
        /// What the watcher is.
        child_opt watcher: Watcher,
    }
}

impl SubscriptionContext {
    /// The watcher has added the publisher to its contacts: sent once, and the publisher is asked about it.
    #[must_use]
    pub fn contact_added() -> Self {
        Self {
            major_version: Some(1),
            minor_version: Some(0),
            watcher: Some(Watcher {
                contact_list: Some(Mark::default()),
                extra: Extra::default(),
            }),
            extra: Extra::default(),
        }
    }

    /// Whether the watcher has added the publisher to its contacts.
    #[must_use]
    pub fn is_contact_added(&self) -> bool {
        self.watcher
            .as_ref()
            .is_some_and(|watcher| watcher.contact_list.is_some())
    }
}
