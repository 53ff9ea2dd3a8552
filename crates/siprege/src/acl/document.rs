//! The list as a document, its entries, and which of them counts.

use ocs_sip_core::Aor;
use ocs_xml::{Error, Extra, Reader, SmolStr, Value, element, words};

use crate::contacts::uri;
use crate::soap::{self, METHODS};

words! {
    /// Whom an entry is about.
    pub enum AceType {
        /// Everybody.
        All = "ALL",
        /// A domain and the domains below it.
        Domain = "DOMAIN",
        /// One user.
        User = "USER",
    }
}

/// What is allowed. To talk, only [`Allow`](Self::Allow) and [`Deny`](Self::Deny) have a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Right {
    /// `A`
    Allow,
    /// `P`: the user is asked.
    Prompt,
    /// `B`: polite block, the watcher sees somebody who is offline.
    Block,
    /// `D`
    Deny,
}

impl Right {
    const fn of(letter: u8) -> Option<Self> {
        match letter.to_ascii_uppercase() {
            b'A' => Some(Self::Allow),
            b'P' => Some(Self::Prompt),
            b'B' => Some(Self::Block),
            b'D' => Some(Self::Deny),
            _ => None,
        }
    }

    const fn letter(self) -> char {
        match self {
            Self::Allow => 'A',
            Self::Prompt => 'P',
            Self::Block => 'B',
            Self::Deny => 'D',
        }
    }
}

/// Both rights of an entry: two letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rights {
    /// To see the presence. The server enforces it.
    pub presence: Right,
    /// To talk. The client enforces it.
    pub communication: Right,
}

impl Rights {
    /// `AA`, which counts where no entry fits.
    pub const ALLOW: Self = Self {
        presence: Right::Allow,
        communication: Right::Allow,
    };
    /// `BD`, what a client sets for a blocked user.
    pub const BLOCK: Self = Self {
        presence: Right::Block,
        communication: Right::Deny,
    };
}

impl Value for Rights {
    fn parse(text: &str) -> Option<Self> {
        match text.trim_ascii().as_bytes() {
            [presence, communication] => Some(Self {
                presence: Right::of(*presence)?,
                communication: Right::of(*communication)?,
            }),
            _ => None,
        }
    }

    fn format(&self, out: &mut String) {
        out.push(self.presence.letter());
        out.push(self.communication.letter());
    }
}

element! {
    /// An entry.
    pub struct Ace("", "ace") {
        /// Whom it is about.
        attr kind: AceType = "type",
        /// The user (`sip:bob@contoso.com`) or the domain (`contoso.com`).
        attr_opt mask: SmolStr,
        /// What they may.
        attr rights: Rights,
    }
}

element! {
    /// The entries of a user.
    pub struct UserAcl("", "userACL") {
        /// In any order.
        children aces: Ace,
    }
}

element! {
    /// `ACLlist`: the whole list.
    pub struct AclList("", "ACLlist") {
        /// The number of this state of the list.
        attr delta_num: u32 = "deltaNum",
        /// The entries.
        child user: UserAcl,
    }
}

impl Ace {
    /// An entry about everybody.
    #[must_use]
    pub fn all(rights: Rights) -> Self {
        Self::of(AceType::All, None, rights)
    }

    /// An entry about a user.
    #[must_use]
    pub fn user(uri: &str, rights: Rights) -> Self {
        Self::of(
            AceType::User,
            Some(uri::full(uri::bare(uri)).into()),
            rights,
        )
    }

    /// An entry about a domain.
    #[must_use]
    pub fn domain(domain: &str, rights: Rights) -> Self {
        Self::of(AceType::Domain, Some(domain.into()), rights)
    }

    fn of(kind: AceType, mask: Option<SmolStr>, rights: Rights) -> Self {
        Self {
            kind,
            mask,
            rights,
            extra: Extra::default(),
        }
    }

    /// The user or the domain, bare; of `ALL` nothing.
    pub(super) fn target(&self) -> &str {
        match self.kind {
            AceType::All => "",
            AceType::User => self.mask.as_deref().map_or("", uri::bare),
            AceType::Domain => {
                let domain = self.mask.as_deref().map_or("", uri::bare);
                domain.strip_prefix('@').unwrap_or(domain)
            }
        }
    }

    /// How closely it fits a watcher, `None` where it does not: one user before a domain, a longer domain before a shorter one,
    /// everybody last (inferred).
    fn closeness(&self, watcher: &Aor) -> Option<usize> {
        let target = self.target();
        match self.kind {
            AceType::All => Some(0),
            AceType::User => target
                .eq_ignore_ascii_case(watcher.as_str())
                .then_some(usize::MAX),
            AceType::Domain => is_within(watcher.domain(), target).then_some(target.len()),
        }
    }
}

/// Whether a domain is another one or below it.
fn is_within(domain: &str, of: &str) -> bool {
    if of.is_empty() || domain.len() < of.len() {
        return false;
    }
    let (before, end) = domain.as_bytes().split_at(domain.len() - of.len());
    end.eq_ignore_ascii_case(of.as_bytes()) && matches!(before.last(), None | Some(b'.'))
}

impl AclList {
    /// The list that a user has who never had one: everybody may everything.
    #[must_use]
    pub fn new() -> Self {
        Self {
            delta_num: 1,
            user: UserAcl {
                aces: vec![Ace::all(Rights::ALLOW)],
                extra: Extra::default(),
            },
            extra: Extra::default(),
        }
    }

    /// What a watcher may: the rights of the entry that fits most closely.
    #[must_use]
    pub fn rights(&self, watcher: &Aor) -> Rights {
        self.user
            .aces
            .iter()
            .filter_map(|ace| ace.closeness(watcher).map(|closeness| (closeness, ace)))
            .max_by_key(|(closeness, _)| *closeness)
            .map_or(Rights::ALLOW, |(_, ace)| ace.rights)
    }
}

impl Default for AclList {
    fn default() -> Self {
        Self::new()
    }
}

/// `setACE`: adds an entry, or changes the one about the same user, domain or everybody (inferred).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAce {
    /// The entry.
    pub ace: Ace,
    /// The number of the access control list as the sender knows it.
    pub delta_num: Option<u32>,
}

impl SetAce {
    /// The body of the request.
    #[must_use]
    pub fn to_body(&self) -> String {
        soap::envelope(|writer| {
            soap::open(writer, "setACE");
            soap::value_field(writer, "type", &self.ace.kind);
            if let Some(mask) = &self.ace.mask {
                soap::field(writer, "mask", mask);
            }
            soap::value_field(writer, "rights", &self.ace.rights);
            if let Some(delta_num) = self.delta_num {
                soap::value_field(writer, "deltaNum", &delta_num);
            }
            writer.close();
        })
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        const NAME: &str = "setACE";
        let (mut kind, mut mask, mut rights, mut delta_num) = (None, None, None, None);
        while let Some(tag) = reader.child()? {
            let name = if tag.is(METHODS, tag.name) {
                tag.name
            } else {
                ""
            };
            match name {
                "type" => soap::set(&mut kind, soap::parse(reader, NAME, "type")?, NAME, "type")?,
                "mask" => soap::set(&mut mask, reader.text()?.trim_ascii().into(), NAME, "mask")?,
                "rights" => {
                    soap::set(
                        &mut rights,
                        soap::parse(reader, NAME, "rights")?,
                        NAME,
                        "rights",
                    )?;
                }
                "deltaNum" => {
                    let number = soap::parse(reader, NAME, "deltaNum")?;
                    soap::set(&mut delta_num, number, NAME, "deltaNum")?;
                }
                _ => reader.skip()?,
            }
        }
        let missing = |child| Error::MissingElement {
            element: NAME,
            child,
        };
        Ok(Self {
            ace: Ace::of(
                kind.ok_or(missing("type"))?,
                mask,
                rights.ok_or(missing("rights"))?,
            ),
            delta_num,
        })
    }
}
