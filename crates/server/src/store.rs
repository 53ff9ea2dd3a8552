//! What a deployment keeps: its users and their endpoints.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use ocs_ntlm::NtHash;
use ocs_sip_core::Aor;
use ocs_sipae::Account;
use ocs_siprege::soap::{Entry, Search};

/// A user as the directory knows him.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// His address of record.
    pub aor: Aor,
    /// The name to be displayed, part of P-Asserted-Identity.
    pub display_name: Option<String>,
    /// His line, a `tel:` URI, part of P-Asserted-Identity.
    pub line_uri: Option<String>,
    /// Whether he may sign in.
    pub enabled: bool,
}

impl User {
    /// An enabled user without display name and line.
    #[must_use]
    pub const fn new(aor: Aor) -> Self {
        Self {
            aor,
            display_name: None,
            line_uri: None,
            enabled: true,
        }
    }

    /// Whether a search of the directory means this user: every attribute that is asked for begins so, without regard to case. An
    /// attribute that is not known of users here means nobody.
    #[must_use]
    pub fn is_meant_by(&self, search: &Search) -> bool {
        let name = self.display_name.as_deref().unwrap_or(self.aor.user());
        let begins = |text: &str, wanted: &str| {
            text.get(..wanted.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(wanted))
        };
        let bare = |uri: &str| uri.strip_prefix("sip:").unwrap_or(uri).to_owned();
        !search.rows.is_empty()
            && search.rows.iter().all(|row| match &*row.attribute {
                "msRTCSIP-PrimaryUserAddress" | "givenEmail" | "mail" => {
                    begins(self.aor.as_str(), &bare(&row.value))
                }
                "displayName" => begins(name, &row.value),
                "givenName" => begins(name, &row.value) || begins(self.aor.user(), &row.value),
                "sn" => name
                    .rsplit(' ')
                    .next()
                    .is_some_and(|last| begins(last, &row.value)),
                _ => false,
            })
    }

    /// How the directory shows him.
    #[must_use]
    pub fn to_directory_entry(&self) -> Entry {
        let phone = self.line_uri.as_deref().unwrap_or_default();
        Entry {
            uri: self.aor.to_uri().into(),
            display_name: self
                .display_name
                .as_deref()
                .unwrap_or(self.aor.user())
                .into(),
            phone: phone.strip_prefix("tel:").unwrap_or(phone).into(),
            email: self.aor.as_str().into(),
            ..Entry::default()
        }
    }
}

/// What is worth keeping of a registered endpoint. The connection is not: it ends with the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRecord {
    /// The user.
    pub aor: Aor,
    /// The endpoint identifier, if it has one (\[MS-SIPRE\] 2.2.7).
    pub epid: Option<String>,
    /// The instance, `urn:uuid:...` (\[MS-SIPRE\] 2.2.5).
    pub instance: String,
    /// The GRUU, if it asked for one.
    pub gruu: Option<String>,
    /// When the registration ends.
    pub expires_at: SystemTime,
    /// User-Agent of the REGISTER.
    pub user_agent: Option<String>,
}

/// What is kept of a user as a document of the protocol's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DocumentKind {
    /// Contacts and groups: `contactList` (\[MS-SIP\] 2.2.4.1).
    Contacts,
    /// The access list of OCS 2005: `ACLlist` (\[MS-SIP\] 2.2.3).
    AccessList,
    /// Static publications, containers and their members, those who wait for an answer, delegates: `roamingData` (\[MS-PRES\]).
    Presence,
}

impl DocumentKind {
    /// A short name, for the keys of a database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::AccessList => "access-list",
            Self::Presence => "presence",
        }
    }
}

/// A report on the quality of a call, as the client of a user sent it (\[MS-QoE\]). Private data stand in it: addresses, names of machines and
/// networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QualityReport {
    /// The user.
    pub aor: Aor,
    /// When it came.
    pub received_at: SystemTime,
    /// What it is: [`ocs_qoe::REPORT_TYPE`] or [`ocs_qoe::FEEDBACK_TYPE`].
    pub content_type: &'static str,
    /// The document, 300 KB at most.
    pub document: String,
}

impl QualityReport {
    const fn size(&self) -> usize {
        size_of::<Self>() + self.document.len()
    }
}

/// The state of a front end that is not bound to connections.
///
/// All keys are per user, so that users can be spread over machines by hashing the address of record. Calls come from one
/// machine at a time and are expected to be quick: a store that has to wait keeps a cache in front.
///
/// Documents may fail, because they are on a disk or on another machine. The front end then refuses what it was asked for (500), tells the
/// application ([`Event::StoreFailed`](crate::Event::StoreFailed)), and has changed nothing.
pub trait Store {
    /// Why a document could not be read or kept.
    type Error: std::error::Error;

    /// The user with this address of record. Asked for with every request: a copy would cost more than the look.
    fn user(&self, aor: &Aor) -> Option<Arc<User>>;

    /// The NT hash of the password of the account that authenticates as `domain` and `user`. `domain` is
    /// empty when `user` is a user principal name. Both are compared without case.
    fn nt_hash(&self, domain: &str, user: &str) -> Option<NtHash>;

    /// Whether an account that has authenticated owns an address of record.
    fn owns(&self, account: &Account, aor: &Aor) -> bool;

    /// An endpoint registered or refreshed its registration.
    fn put_endpoint(&mut self, record: EndpointRecord);

    /// An endpoint is gone.
    fn remove_endpoint(&mut self, aor: &Aor, instance: &str);

    /// The endpoints of a user.
    fn endpoints(&self, aor: &Aor) -> Vec<EndpointRecord>;

    /// A document of a user, as it was put there. It is read when the user comes, and kept in memory while anybody needs it.
    fn document(&self, aor: &Aor, kind: DocumentKind) -> Result<Option<String>, Self::Error>;

    /// Keeps documents of a user, each of another kind, in place of those before: all of them whole, or none. The change that they hold is
    /// answered after this call: what is to survive a crash must be safe when it returns.
    fn put_documents(
        &mut self,
        aor: &Aor,
        documents: &[(DocumentKind, &str)],
    ) -> Result<(), Self::Error>;

    /// Keeps a report on the quality of a call. It is answered after this call. How many are kept of a user, and for how long, is the store's to
    /// say: clients send them at will.
    fn put_quality_report(&mut self, report: QualityReport) -> Result<(), Self::Error>;

    /// Looks for people in the directory (`directorySearch`), at most one more than `limit`.
    fn search(&self, search: &Search, limit: u32) -> Vec<Entry>;
}

/// A [`Store`] in memory.
///
/// ```
/// use ocs_server::{MemoryStore, Store, User};
///
/// let mut store = MemoryStore::new("CONTOSO");
/// store.add_user(User::new("alice@contoso.com".parse().unwrap()), "Passw0rd");
/// assert!(store.nt_hash("contoso", "ALICE").is_some());
/// assert!(store.nt_hash("", "alice@contoso.com").is_some());
/// assert!(store.nt_hash("FABRIKAM", "alice").is_none());
/// ```
#[derive(Debug)]
pub struct MemoryStore {
    domain: String,
    users: HashMap<Aor, Stored>,
    /// By account name in lower case, and by user principal name.
    accounts: HashMap<String, Aor>,
}

#[derive(Debug)]
struct Stored {
    user: Arc<User>,
    hash: NtHash,
    endpoints: Vec<EndpointRecord>,
    /// Few, and most users have one or two.
    documents: Vec<(DocumentKind, Box<str>)>,
    quality_reports: VecDeque<QualityReport>,
}

impl MemoryStore {
    /// Octets of the reports on quality that are kept of a user: 1 MiB, three of the longest.
    pub const QUALITY_OCTETS: usize = 1024 * 1024;

    /// A store without users. `domain` is the NetBIOS name of the domain that accounts belong to.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        Self {
            domain: domain.to_owned(),
            users: HashMap::new(),
            accounts: HashMap::new(),
        }
    }

    /// Adds a user, or replaces the one with the same address of record. His account is called like the user part of it.
    pub fn add_user(&mut self, user: User, password: &str) {
        let aor = user.aor.clone();
        self.accounts.insert(aor.user().to_lowercase(), aor.clone());
        self.accounts.insert(aor.as_str().to_owned(), aor.clone());
        self.users.insert(
            aor,
            Stored {
                user: Arc::new(user),
                hash: NtHash::from_password(password),
                endpoints: Vec::new(),
                documents: Vec::new(),
                quality_reports: VecDeque::new(),
            },
        );
    }

    /// Changes a user.
    pub fn user_mut(&mut self, aor: &Aor) -> Option<&mut User> {
        self.users
            .get_mut(aor)
            .map(|entry| Arc::make_mut(&mut entry.user))
    }

    /// The reports on the quality of a user's calls, the oldest first. The newest are kept, up to
    /// [`QUALITY_OCTETS`](Self::QUALITY_OCTETS) of a user.
    pub fn quality_reports(&self, aor: &Aor) -> impl Iterator<Item = &QualityReport> {
        let user = self.users.get(aor);
        user.into_iter().flat_map(|user| &user.quality_reports)
    }

    /// How many users there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.users.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    fn find(&self, domain: &str, user: &str) -> Option<&Aor> {
        // A principal name says its domain itself; a plain name belongs to the domain of the store.
        let principal = user.contains('@');
        if !principal && !domain.is_empty() && !self.is_domain(domain) {
            return None;
        }
        self.accounts.get(&user.to_lowercase())
    }

    /// The NetBIOS name, or a DNS name that begins with it (`contoso.com`).
    fn is_domain(&self, domain: &str) -> bool {
        let first = domain.split('.').next().unwrap_or(domain);
        first.to_lowercase() == self.domain.to_lowercase()
    }
}

impl Store for MemoryStore {
    type Error = Infallible;

    fn user(&self, aor: &Aor) -> Option<Arc<User>> {
        self.users.get(aor).map(|entry| Arc::clone(&entry.user))
    }

    fn nt_hash(&self, domain: &str, user: &str) -> Option<NtHash> {
        let aor = self.find(domain, user)?;
        self.users.get(aor).map(|entry| entry.hash.clone())
    }

    fn owns(&self, account: &Account, aor: &Aor) -> bool {
        self.find(&account.domain, &account.user) == Some(aor)
    }

    fn put_endpoint(&mut self, record: EndpointRecord) {
        if let Some(entry) = self.users.get_mut(&record.aor) {
            entry
                .endpoints
                .retain(|old| old.instance != record.instance);
            // Most users have one endpoint.
            entry.endpoints.reserve_exact(1);
            entry.endpoints.push(record);
        }
    }

    fn remove_endpoint(&mut self, aor: &Aor, instance: &str) {
        if let Some(entry) = self.users.get_mut(aor) {
            entry.endpoints.retain(|old| old.instance != instance);
        }
    }

    fn endpoints(&self, aor: &Aor) -> Vec<EndpointRecord> {
        self.users
            .get(aor)
            .map_or_else(Vec::new, |entry| entry.endpoints.clone())
    }

    fn document(&self, aor: &Aor, kind: DocumentKind) -> Result<Option<String>, Infallible> {
        let documents = self.users.get(aor).map_or(&[][..], |user| &user.documents);
        let found = documents.iter().find(|(known, _)| *known == kind);
        Ok(found.map(|(_, text)| text.to_string()))
    }

    fn put_documents(
        &mut self,
        aor: &Aor,
        documents: &[(DocumentKind, &str)],
    ) -> Result<(), Infallible> {
        if let Some(entry) = self.users.get_mut(aor) {
            for (kind, text) in documents {
                entry.documents.retain(|(known, _)| known != kind);
                entry.documents.push((*kind, (*text).into()));
            }
        }
        Ok(())
    }

    fn put_quality_report(&mut self, report: QualityReport) -> Result<(), Infallible> {
        if let Some(entry) = self.users.get_mut(&report.aor) {
            let reports = &mut entry.quality_reports;
            reports.push_back(report);
            let mut octets: usize = reports.iter().map(QualityReport::size).sum();
            while octets > Self::QUALITY_OCTETS
                && let Some(oldest) = reports.pop_front()
            {
                octets -= oldest.size();
            }
        }
        Ok(())
    }

    fn search(&self, search: &Search, limit: u32) -> Vec<Entry> {
        let mut hits: Vec<&Stored> = self
            .users
            .values()
            .filter(|entry| entry.user.is_meant_by(search))
            .collect();
        // The table has no order of its own.
        hits.sort_unstable_by(|a, b| a.user.aor.cmp(&b.user.aor));
        hits.into_iter()
            .take(limit as usize + 1)
            .map(|entry| entry.user.to_directory_entry())
            .collect()
    }
}
