//! One subscription and who is in it.

use std::collections::BTreeSet;

use ocs_sip_core::Aor;
use ocs_xml::{SmolStr, to_string};

use super::Target;
use crate::doc::{Action, ActionName, BatchSub, Resource};

/// The number that clients of this system give their actions (SIPE).
const ACTION_ID: &str = "63792024";

/// A subscription.
#[derive(Debug)]
pub(super) struct List {
    pub(super) target: Target,
    /// Who is in it, as the server knows or is being told.
    pub(super) members: BTreeSet<Aor>,
    /// Members that the request on its way speaks of.
    pub(super) on_the_way: Vec<Aor>,
    pub(super) to_add: BTreeSet<Aor>,
    pub(super) to_remove: BTreeSet<Aor>,
    /// A request is on its way, or the dialog is made anew.
    pub(super) busy: bool,
    pub(super) fetch: bool,
    /// The highest version of a list that came.
    pub(super) version: u32,
}

impl List {
    pub(super) fn new(target: Target, members: BTreeSet<Aor>, fetch: bool) -> Self {
        Self {
            target,
            on_the_way: members.iter().cloned().collect(),
            members,
            to_add: BTreeSet::new(),
            to_remove: BTreeSet::new(),
            busy: true,
            fetch,
            version: 0,
        }
    }

    /// A user who was taken off it is not asked for any more, and need not be taken out when it was never put in.
    pub(super) fn leave(&mut self, user: &Aor) {
        self.to_add.remove(user);
        if self.members.remove(user) {
            self.to_remove.insert(user.clone());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.to_add.is_empty()
    }
}

/// A body with one action for each set that is not empty.
pub(super) fn body<'a>(
    own: &Aor,
    categories: &[SmolStr],
    add: impl IntoIterator<Item = (&'a Aor, bool)>,
    remove: impl IntoIterator<Item = &'a Aor>,
) -> String {
    let add: Vec<Resource> = add
        .into_iter()
        .map(|(user, added)| {
            if added {
                Resource::added(user.to_uri(), None)
            } else {
                Resource::new(user.to_uri())
            }
        })
        .collect();
    let remove: Vec<Resource> = remove
        .into_iter()
        .map(|user| Resource::new(user.to_uri()))
        .collect();
    let actions = [
        (ActionName::Subscribe, add),
        (ActionName::Unsubscribe, remove),
    ]
    .into_iter()
    .filter(|(_, resources)| !resources.is_empty())
    .map(|(name, resources)| Action::new(name, ACTION_ID, resources, categories.iter().cloned()))
    .collect();
    to_string(&BatchSub::new(own.to_uri(), actions))
}
