//! Category instances as a server shows them.

use ocs_xml::{Extra, Raw, SmolStr, element};

use super::namespace::CATEGORIES;
use super::{ContainerId, ExpireType};
use crate::Time;

element! {
    /// Presence of one user, for a watcher or for the user.
    ///
    /// For each name that occurs it is complete: it takes the place of all that was known of that category.
    pub struct Categories(CATEGORIES, "categories") {
        /// Whose presence, as a SIP URI.
        attr uri: SmolStr,
        /// The instances, and names of which there is none.
        children categories: Category = "category",
    }
}

element! {
    /// A category instance; or, without [`instance`](Self::instance), the word that there is none.
    ///
    /// Watchers see name, instance, time and value only.
    pub struct Category(CATEGORIES, "category") {
        /// The category.
        attr name: SmolStr,
        /// Tells sources of one category apart. None: there is no instance, in the container or, without one, at all.
        attr_opt instance: u32,
        /// When it was published, by the clock of the server.
        attr_opt publish_time: Time = "publishTime",
        /// Where it is placed.
        attr_opt container: ContainerId,
        /// Its version.
        attr_opt version: u32,
        /// How long it lives.
        attr_opt expire_type: ExpireType = "expireType",
        /// Which endpoint published it.
        attr_opt endpoint_id: SmolStr = "endpointId",
        /// Seconds of life, counted from [`publish_time`](Self::publish_time) (inferred).
        attr_opt expires: i64,
        /// The value. The schema allows several elements; there is one, or none.
        children values: Raw,
    }
}

impl Categories {
    /// Presence of a user, who is named by SIP URI.
    #[must_use]
    pub fn new(uri: impl Into<SmolStr>, categories: Vec<Category>) -> Self {
        Self {
            uri: uri.into(),
            categories,
            extra: Extra::default(),
        }
    }
}

impl Category {
    /// The word that there is no instance of a category.
    #[must_use]
    pub fn none(name: impl Into<SmolStr>) -> Self {
        Self {
            name: name.into(),
            instance: None,
            publish_time: None,
            container: None,
            version: None,
            expire_type: None,
            endpoint_id: None,
            expires: None,
            values: Vec::new(),
            extra: Extra::default(),
        }
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> Option<&Raw> {
        self.values.first()
    }
}
