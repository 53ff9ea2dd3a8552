//! The list on the server.

use ocs_sip_core::Aor;
use ocs_xml::SmolStr;

use super::document::{Ace, AceType, AclList, Right, SetAce};
use crate::contacts::uri;
use crate::soap::Refusal;

/// Bounds of a user's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries. 1000.
    pub aces: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { aces: 1000 }
    }
}

/// The access control list of one user on the server.
///
/// ```
/// use ocs_siprege::acl::{AccessList, Ace, Limits, Right, Rights, SetAce};
///
/// let mut list = AccessList::new();
/// let ace = Ace::user("sip:bob@contoso.com", Rights::BLOCK);
/// let applied = list.apply(&SetAce { ace, delta_num: Some(1) }, &Limits::default()).unwrap();
/// assert_eq!(applied.delta_num, 2);
/// assert_eq!(list.presence_right(&"bob@contoso.com".parse()?), Right::Block);
/// assert_eq!(list.presence_right(&"carol@contoso.com".parse()?), Right::Allow);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessList(AclList);

/// A request that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The whole new list, for all endpoints of the user. Send it before the answer to the request, as with contacts.
    pub document: String,
    /// The new number.
    pub delta_num: u32,
}

impl AccessList {
    /// The list that a user has who never had one: everybody may everything.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what [`export`](Self::export) wrote.
    pub fn import(document: &[u8], limits: &ocs_xml::Limits) -> Result<Self, ocs_xml::Error> {
        let mut list: AclList = ocs_xml::from_slice(document, limits)?;
        list.delta_num = list.delta_num.max(1);
        Ok(Self(list))
    }

    /// The list as a document: what a subscription begins with, and what is stored.
    #[must_use]
    pub fn export(&self) -> String {
        ocs_xml::to_string(&self.0)
    }

    /// The list.
    #[must_use]
    pub const fn list(&self) -> &AclList {
        &self.0
    }

    /// What a watcher may see.
    #[must_use]
    pub fn presence_right(&self, watcher: &Aor) -> Right {
        self.0.rights(watcher).presence
    }

    /// Carries out a request, or changes nothing.
    ///
    /// Refused are: 409 another number; 400 an entry without a proper user or domain (inferred); 403 too many entries (inferred).
    pub fn apply(&mut self, request: &SetAce, limits: &Limits) -> Result<Applied, Refusal> {
        if request
            .delta_num
            .is_some_and(|number| number != self.0.delta_num)
        {
            return Err(Refusal::wrong_delta());
        }
        let ace = check(&request.ace)?;
        let aces = &mut self.0.user.aces;
        let same = |known: &Ace| {
            known.kind == ace.kind && known.target().eq_ignore_ascii_case(ace.target())
        };
        match aces.iter().position(same) {
            Some(index) => aces[index].rights = ace.rights,
            None if aces.len() >= limits.aces => return Err(Refusal::plain(403)),
            None => aces.push(ace),
        }
        self.0.delta_num = crate::contacts::next_number(self.0.delta_num);
        Ok(Applied {
            document: self.export(),
            delta_num: self.0.delta_num,
        })
    }
}

/// The entry with its user or domain in the usual form.
fn check(ace: &Ace) -> Result<Ace, Refusal> {
    let target = ace.target();
    let mask: Option<SmolStr> = match ace.kind {
        AceType::All => None,
        AceType::User if uri::is_valid(target) && target.contains('@') => {
            Some(uri::full(target).into())
        }
        AceType::Domain if uri::is_valid(target) && !target.contains(['@', ';', ':']) => {
            Some(target.into())
        }
        AceType::User | AceType::Domain => return Err(Refusal::plain(400)),
    };
    Ok(Ace {
        mask,
        ..ace.clone()
    })
}
