//! Groups, and which of them a contact is in.

use ocs_xml::{Error, Extra, SmolStr, Value, content};

/// The number of a group: 0 to 64. 0 means the default group where a contact names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(u8);

impl GroupId {
    /// The group that the server makes, "Other Contacts", with the name `~`.
    pub const DEFAULT: Self = Self(1);
    /// The highest number.
    pub const MAX: Self = Self(64);
    /// The highest number that a server gives to a group.
    const LAST_GIVEN: u8 = 63;

    /// A number; `None` above 64.
    #[must_use]
    pub const fn new(id: u8) -> Option<Self> {
        if id <= Self::MAX.0 {
            Some(Self(id))
        } else {
            None
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Value for GroupId {
    fn parse(text: &str) -> Option<Self> {
        u8::parse(text).and_then(Self::new)
    }

    fn format(&self, out: &mut String) {
        self.0.format(out);
    }
}

/// The groups that a contact is in, of 1 to 64. On the wire numbers with spaces between them; none is `0`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct GroupSet(u64);

impl GroupSet {
    /// In no group.
    pub const NONE: Self = Self(0);

    const fn bit(id: GroupId) -> u64 {
        match id.0 {
            0 => 0,
            id => 1 << (id - 1),
        }
    }

    /// Adds a group; 0 adds nothing.
    pub const fn insert(&mut self, id: GroupId) {
        self.0 |= Self::bit(id);
    }

    /// Takes a group out.
    pub const fn remove(&mut self, id: GroupId) {
        self.0 &= !Self::bit(id);
    }

    /// Whether the group is among them.
    #[must_use]
    pub const fn contains(self, id: GroupId) -> bool {
        self.0 & Self::bit(id) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that are in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// These, or the default group where there is none.
    pub(super) const fn or_default(self) -> Self {
        if self.is_empty() {
            Self(Self::bit(GroupId::DEFAULT))
        } else {
            self
        }
    }

    /// The lowest number that a new group can have.
    pub(super) fn lowest_free_for_users(self) -> Option<GroupId> {
        (GroupId::DEFAULT.0 + 1..=GroupId::LAST_GIVEN)
            .map(GroupId)
            .find(|id| !self.contains(*id))
    }

    /// The groups in ascending order.
    pub fn iter(self) -> impl Iterator<Item = GroupId> {
        (1..=GroupId::MAX.0)
            .map(GroupId)
            .filter(move |id| self.contains(*id))
    }
}

impl FromIterator<GroupId> for GroupSet {
    fn from_iter<I: IntoIterator<Item = GroupId>>(ids: I) -> Self {
        let mut set = Self::NONE;
        ids.into_iter().for_each(|id| set.insert(id));
        set
    }
}

impl From<GroupId> for GroupSet {
    fn from(id: GroupId) -> Self {
        Self(Self::bit(id))
    }
}

impl std::fmt::Debug for GroupSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set()
            .entries(self.iter().map(GroupId::get))
            .finish()
    }
}

impl Value for GroupSet {
    fn parse(text: &str) -> Option<Self> {
        // Each contact of a list has one: a pass without intermediate steps.
        let mut set = Self::NONE;
        let mut id = 0u8;
        for byte in text.bytes() {
            if byte.is_ascii_digit() {
                id = id.checked_mul(10)?.checked_add(byte - b'0')?;
            } else if byte.is_ascii_whitespace() {
                set.insert(GroupId::new(std::mem::take(&mut id))?);
            } else {
                return None;
            }
        }
        set.insert(GroupId::new(id)?);
        Some(set)
    }

    fn format(&self, out: &mut String) {
        if self.is_empty() {
            out.push('0');
            return;
        }
        for (index, id) in self.iter().enumerate() {
            if index > 0 {
                out.push(' ');
            }
            id.format(out);
        }
    }
}

content! {
    /// A group of contacts.
    pub struct Group("", "group") {
        /// Its number.
        attr id: GroupId,
        /// Its name, at most 256 octets. `~` is the default group.
        attr name: SmolStr,
        /// A URI that belongs to it, at most 1024 octets; of a distribution group (recalled).
        attr_opt external_uri: SmolStr = "externalURI",
    }
}

impl Group {
    /// The name of the default group.
    pub const DEFAULT_NAME: &'static str = "~";

    /// A group with an empty URI, as clients and servers write it.
    #[must_use]
    pub fn new(id: GroupId, name: &str) -> Self {
        Self {
            id,
            name: name.into(),
            external_uri: Some(SmolStr::default()),
            extra: Extra::default(),
        }
    }

    /// The group that the server makes.
    #[must_use]
    pub fn default_group() -> Self {
        Self::new(GroupId::DEFAULT, Self::DEFAULT_NAME)
    }
}

pub(super) fn read_id(text: &str) -> Result<GroupId, Error> {
    GroupId::parse(text).ok_or(Error::Value {
        element: "group",
        name: "id",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(set: GroupSet) -> String {
        let mut out = String::new();
        set.format(&mut out);
        out
    }

    #[test]
    fn sets_as_clients_write_them() {
        let set = GroupSet::parse("2 1 ").unwrap();
        assert_eq!(format(set), "1 2");
        assert!(set.contains(GroupId::DEFAULT));
        assert_eq!(GroupSet::parse("0"), Some(GroupSet::NONE));
        assert_eq!(GroupSet::parse(""), Some(GroupSet::NONE));
        assert_eq!(format(GroupSet::NONE), "0");
        assert_eq!(format(GroupSet::parse("64").unwrap()), "64");
        for bad in ["65", "x", "1,2", "-1", "300"] {
            assert_eq!(GroupSet::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_lowest_free_number() {
        let mut set: GroupSet = GroupSet::parse("2 4").unwrap();
        assert_eq!(set.lowest_free_for_users(), GroupId::new(3));
        (2..=63)
            .filter_map(GroupId::new)
            .for_each(|id| set.insert(id));
        assert_eq!(set.lowest_free_for_users(), None);
    }
}
