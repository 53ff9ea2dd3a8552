//! The publish request.

use ocs_xml::{Extra, Raw, SmolStr, Value, element, words};

use super::namespace::PUBLISH;

/// A container: who sees what is in it. 0 to 32767.
///
/// ```
/// use ocs_pres::doc::ContainerId;
///
/// assert_eq!(ContainerId::new(32768), None);
/// assert!(ContainerId::TEAM.is_remote());
/// assert!(!ContainerId::SELF.is_remote());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContainerId(u16);

impl ContainerId {
    /// Everybody who is in no other. Its membership cannot be changed.
    pub const DEFAULT: Self = Self(0);
    /// The owner only.
    pub const SELF: Self = Self(1);
    /// What the first aggregation combines. The owner only.
    pub const FIRST_AGGREGATION: Self = Self(2);
    /// What the second aggregation combines, for [`TEAM`](Self::TEAM). The owner only.
    pub const SECOND_AGGREGATION: Self = Self(3);
    /// External contacts, once called public.
    pub const PUBLIC: Self = Self(100);
    /// Colleagues, once called company.
    pub const COMPANY: Self = Self(200);
    /// Workgroup, once called team.
    pub const TEAM: Self = Self(300);
    /// Friends and family, once called personal.
    pub const PERSONAL: Self = Self(400);
    /// Blocked contacts.
    pub const BLOCKED: Self = Self(32000);
    /// Where aggregation shows others what it made: to external contacts, colleagues, workgroup, friends and family.
    pub const AGGREGATED: [Self; 4] = [Self::PUBLIC, Self::COMPANY, Self::TEAM, Self::PERSONAL];
    /// The highest id.
    pub const MAX: Self = Self(32767);

    /// `None` beyond 32767.
    #[must_use]
    pub const fn new(id: u16) -> Option<Self> {
        if id <= Self::MAX.0 {
            Some(Self(id))
        } else {
            None
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Whether watchers can be in it: all but the three that are the owner's alone.
    #[must_use]
    pub const fn is_remote(self) -> bool {
        !matches!(self.0, 1..=3)
    }
}

impl std::fmt::Display for ContainerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Value for ContainerId {
    fn parse(text: &str) -> Option<Self> {
        u16::parse(text).and_then(Self::new)
    }

    fn format(&self, out: &mut String) {
        self.0.format(out);
    }
}

words! {
    /// How long an instance lives.
    pub enum ExpireType {
        /// For ever.
        Static = "static",
        /// Until the endpoint that published it unregisters.
        Endpoint = "endpoint",
        /// Until the last endpoint of the user unregisters.
        User = "user",
        /// A number of seconds.
        Time = "time",
    }
}

element! {
    /// A publish request: changes of categories that are applied together or not at all.
    pub struct Publish(PUBLISH, "publish") {
        /// The changes.
        child publications: Publications,
    }
}

element! {
    /// The changes of one publish request.
    pub struct Publications(PUBLISH, "publications") {
        /// Whose presence, as a SIP URI.
        attr uri: SmolStr,
        /// The changes, at least one.
        children publications: Publication = "publication",
    }
}

element! {
    /// A change of one category instance.
    pub struct Publication(PUBLISH, "publication") {
        /// The category.
        attr category_name: SmolStr = "categoryName",
        /// Tells sources of one category apart.
        attr instance: u32,
        /// Where it is placed.
        attr container: ContainerId,
        /// The version that the publisher knows, 0 when it knows none.
        attr version: u32,
        /// How long it lives.
        attr expire_type: ExpireType = "expireType",
        /// Seconds, of an instance with [`ExpireType::Time`]; 0 removes an instance of any type.
        attr_opt expires: i64,
        /// The value. None: an instance without data, which hides the category from those who are in the container.
        child_opt value: Raw,
    }
}

impl Publish {
    /// A request of a user, who is named by SIP URI.
    #[must_use]
    pub fn new(uri: impl Into<SmolStr>, publications: Vec<Publication>) -> Self {
        Self {
            publications: Publications {
                uri: uri.into(),
                publications,
                extra: Extra::default(),
            },
            extra: Extra::default(),
        }
    }
}

impl Publication {
    /// A change; add [`expires`](Self::expires) where the type needs it.
    #[must_use]
    pub fn new(
        category_name: impl Into<SmolStr>,
        instance: u32,
        container: ContainerId,
        version: u32,
        expire_type: ExpireType,
        value: Option<Raw>,
    ) -> Self {
        Self {
            category_name: category_name.into(),
            instance,
            container,
            version,
            expire_type,
            expires: None,
            value,
            extra: Extra::default(),
        }
    }

    /// With a number of seconds.
    #[must_use]
    pub const fn expires(mut self, seconds: i64) -> Self {
        self.expires = Some(seconds);
        self
    }

    /// The removal of an instance.
    #[must_use]
    pub fn removal(
        category_name: impl Into<SmolStr>,
        instance: u32,
        container: ContainerId,
        version: u32,
        expire_type: ExpireType,
    ) -> Self {
        Self::new(
            category_name,
            instance,
            container,
            version,
            expire_type,
            None,
        )
        .expires(0)
    }

    /// Whether it removes the instance.
    #[must_use]
    pub fn is_removal(&self) -> bool {
        self.expires.is_some_and(|seconds| seconds <= 0)
    }
}
