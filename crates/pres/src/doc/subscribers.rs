//! Watchers that have added the user and wait for an answer.

use ocs_xml::{Error, Extra, SmolStr, element, words};

use super::namespace::SUBSCRIBERS;

words! {
    /// From where a watcher comes.
    pub enum SourceNetwork: open {
        /// The owner's enterprise.
        SameEnterprise = "sameEnterprise",
        /// A federated enterprise.
        Federated = "federated",
        /// A public provider.
        PublicCloud = "publicCloud",
        /// Not known.
        None = "none",
    }
}

element! {
    /// Watchers who added the user to their contacts.
    pub struct Subscribers(SUBSCRIBERS, "subscribers") {
        /// The watchers.
        children subscribers: Subscriber = "subscriber",
    }
}

element! {
    /// A watcher who added the user. What was in its context stays in `extra`.
    pub struct Subscriber(SUBSCRIBERS, "subscriber") {
        /// Its address without scheme.
        attr user: SmolStr,
        /// Its name.
        attr_opt display_name: SmolStr = "displayName",
        /// Whether the user has answered; one that has not is to be prompted for.
        attr acknowledged: bool,
        /// From where it comes (recalled).
        attr_opt network: SourceNetwork = "type",
    }
}

element! {
    /// The acknowledgement of a watcher (\[MS-PRES\] 2.2.2.6.2, schema 6.12).
    pub struct SetSubscribers(SUBSCRIBERS, "setSubscribers") {
        /// The one that is acknowledged.
        child subscriber: Acknowledgement,
    }
}

element! {
    /// A watcher that is acknowledged.
    pub struct Acknowledgement(SUBSCRIBERS, "subscriber") {
        /// Its address without scheme.
        attr user: SmolStr,
        /// Always true.
        attr acknowledged: bool,
    }
}

impl Subscribers {
    /// These watchers.
    #[must_use]
    pub fn new(subscribers: Vec<Subscriber>) -> Self {
        Self {
            subscribers,
            extra: Extra::default(),
        }
    }
}

impl SetSubscribers {
    /// The acknowledgement of a watcher, by address without scheme.
    #[must_use]
    pub fn new(user: impl Into<SmolStr>) -> Self {
        Self {
            subscriber: Acknowledgement {
                user: user.into(),
                acknowledged: true,
                extra: Extra::default(),
            },
            extra: Extra::default(),
        }
    }

    /// The address that is acknowledged. The schema fixes `acknowledged` to true.
    pub fn user(&self) -> Result<&str, Error> {
        if self.subscriber.acknowledged {
            Ok(&self.subscriber.user)
        } else {
            Err(Error::Value {
                element: "subscriber",
                name: "acknowledged",
            })
        }
    }
}
