//! The category subscription.

use ocs_xml::{Extra, Raw, SmolStr, element, words};

use super::namespace::{BATCH_SUB, CATEGORY_LIST};

words! {
    /// What is to be done with resources.
    pub enum ActionName {
        /// They are added to what the dialog watches.
        Subscribe = "subscribe",
        /// They are taken out of it.
        Unsubscribe = "unsubscribe",
    }
}

element! {
    /// A category subscription, of one or many users (\[MS-PRES\] 2.2.2.4.1, schema 6.8).
    ///
    /// In a dialog that is there already, it adds and removes: what it does not name stays as it is.
    pub struct BatchSub(BATCH_SUB, "batchSub") {
        /// The subscriber, as a SIP URI.
        attr_opt uri: SmolStr,
        /// A name of the list; clients leave it empty.
        attr_opt name: SmolStr,
        /// What is to be done, at least one.
        children actions: Action = "action",
    }
}

element! {
    /// One thing to be done.
    pub struct Action(BATCH_SUB, "action") {
        /// What.
        attr name: ActionName,
        /// A number of the client's.
        attr_opt id: SmolStr,
        /// With whom.
        child resources: AdhocList,
        /// Which categories.
        child_opt categories: CategoryList,
    }
}

element! {
    /// Users.
    pub struct AdhocList(BATCH_SUB, "adhocList") {
        /// The users, at least one.
        children resources: Resource = "resource",
    }
}

element! {
    /// A user who is watched.
    pub struct Resource(BATCH_SUB, "resource") {
        /// The SIP URI.
        attr uri: SmolStr,
        /// There when the watcher has just added the user to its contacts: the user is prompted for the watcher.
        child_opt context: Context,
    }
}

element! {
    /// Why a user is watched: empty in OCS 2007, with a `subscriptionContext` since 2007 R2.
    pub struct Context(BATCH_SUB, "context") {
        /// The reason.
        child_opt value: Raw,
    }
}

element! {
    /// Categories that are watched.
    pub struct CategoryList(CATEGORY_LIST, "categoryList") {
        /// The categories, at least one.
        children categories: CategoryName = "category",
    }
}

element! {
    /// A category by its name.
    pub struct CategoryName(CATEGORY_LIST, "category") {
        /// The name.
        attr name: SmolStr,
    }
}

impl BatchSub {
    /// A request of a subscriber, who is named by SIP URI.
    #[must_use]
    pub fn new(uri: impl Into<SmolStr>, actions: Vec<Action>) -> Self {
        Self {
            uri: Some(uri.into()),
            name: Some(SmolStr::default()),
            actions,
            extra: Extra::default(),
        }
    }
}

impl Action {
    /// One thing to be done.
    #[must_use]
    pub fn new<C: Into<SmolStr>>(
        name: ActionName,
        id: impl Into<SmolStr>,
        resources: Vec<Resource>,
        categories: impl IntoIterator<Item = C>,
    ) -> Self {
        let category = |name: C| CategoryName {
            name: name.into(),
            extra: Extra::default(),
        };
        Self {
            name,
            id: Some(id.into()),
            resources: AdhocList {
                resources,
                extra: Extra::default(),
            },
            categories: Some(CategoryList {
                categories: categories.into_iter().map(category).collect(),
                extra: Extra::default(),
            }),
            extra: Extra::default(),
        }
    }

    /// The users.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources.resources
    }

    /// Names of the categories.
    pub fn categories(&self) -> impl Iterator<Item = &SmolStr> {
        self.categories
            .iter()
            .flat_map(|list| list.categories.iter().map(|category| &category.name))
    }
}

impl Resource {
    /// A user who is watched, by SIP URI.
    #[must_use]
    pub fn new(uri: impl Into<SmolStr>) -> Self {
        Self {
            uri: uri.into(),
            context: None,
            extra: Extra::default(),
        }
    }

    /// A user whom the watcher has just added to its contacts.
    #[must_use]
    pub fn added(uri: impl Into<SmolStr>, context: Option<Raw>) -> Self {
        Self {
            context: Some(Context {
                value: context,
                extra: Extra::default(),
            }),
            ..Self::new(uri)
        }
    }
}
