//! What is known of one user's presence.

use std::collections::BTreeMap;

use ocs_xml::{Element, SmolStr};

use crate::category::note::NoteType;
use crate::category::{ContactCard, Note, State, StateType, Token};
use crate::doc::{Categories, Category};

/// The presence of one user, as a watcher sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Presence {
    categories: BTreeMap<SmolStr, Vec<Category>>,
}

impl Presence {
    /// Takes a document: what it says of a category takes the place of all that was known of it. Gives the names of those that are not as
    /// before.
    pub fn merge(&mut self, document: Categories) -> Vec<SmolStr> {
        let mut said: BTreeMap<SmolStr, Vec<Category>> = BTreeMap::new();
        for category in document.categories {
            let instances = said.entry(category.name.clone()).or_default();
            // A name without instance says that there is none.
            if category.instance.is_some() || !category.values.is_empty() {
                instances.push(category);
            }
        }
        let mut changed = Vec::new();
        for (name, instances) in said {
            let known = self.categories.get(&name);
            if known.is_none_or(|known| *known != instances) {
                changed.push(name.clone());
                self.categories.insert(name, instances);
            }
        }
        changed
    }

    /// The instances of a category; none if nothing is known or visible.
    #[must_use]
    pub fn instances(&self, category: &str) -> &[Category] {
        self.categories.get(category).map_or(&[], Vec::as_slice)
    }

    /// Whether something was said of a category, be it that there is none.
    #[must_use]
    pub fn knows(&self, category: &str) -> bool {
        self.categories.contains_key(category)
    }

    /// The instance of a category that was published last: the one that counts for `note` and `calendarData` (SIPE).
    #[must_use]
    pub fn newest(&self, category: &str) -> Option<&Category> {
        // Of equals the first.
        self.instances(category)
            .iter()
            .rev()
            .max_by_key(|instance| instance.publish_time)
    }

    /// The state: the aggregate, or what there is instead of it. What cannot be read counts as not there.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        let mut found = None;
        for state in self.values::<State>("state") {
            if state.kind == Some(StateType::AggregateState) {
                return Some(state);
            }
            found.get_or_insert(state);
        }
        found
    }

    /// The note: that of the mailbox while the user is out of office, else the one that was published last.
    #[must_use]
    pub fn note(&self) -> Option<Note> {
        if self.is_out_of_office()
            && let Some(note) = self.out_of_office_note()
        {
            return Some(note);
        }
        self.newest("note")?.value()?.decode().ok()
    }

    /// Whether the state says so, at whatever availability: the replies of the mailbox are on also while the user is there.
    fn is_out_of_office(&self) -> bool {
        let activities = self.state().map_or(Vec::new(), |state| state.activity);
        let mut tokens = activities.iter().filter_map(|one| one.token.as_ref());
        tokens.any(|token| *token == Token::OutOfOffice)
    }

    /// Of several the one that was published last.
    fn out_of_office_note(&self) -> Option<Note> {
        let notes = self.instances("note").iter().filter_map(|instance| {
            let note: Note = instance.value()?.decode().ok()?;
            let of_mailbox = note.body.iter().any(|body| body.kind == NoteType::Oof);
            of_mailbox.then_some((instance.publish_time, note))
        });
        notes.max_by_key(|(time, _)| *time).map(|(_, note)| note)
    }

    /// The contact card, put together from its instances; one of a higher number says more than one of a lower.
    #[must_use]
    pub fn contact_card(&self) -> ContactCard {
        let mut instances: Vec<&Category> = self.instances("contactCard").iter().collect();
        instances.sort_by_key(|instance| instance.instance);
        let mut card = ContactCard::default();
        for instance in instances {
            if let Some(Ok(other)) = instance.value().map(ocs_xml::Raw::decode) {
                card.merge(other);
            }
        }
        card
    }

    /// The values of a category that can be read.
    fn values<T: Element>(&self, category: &str) -> impl Iterator<Item = T> {
        self.instances(category)
            .iter()
            .filter_map(|instance| instance.value()?.decode().ok())
    }
}
