//! What a deployment keeps: its users and their endpoints.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

use ocs_ntlm::NtHash;
use ocs_sip_core::Aor;
use ocs_sipae::Account;

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

/// The state of a front end that is not bound to connections.
///
/// All keys are per user, so that users can be spread over machines by hashing the address of record. Calls come from one
/// machine at a time and are expected to be quick: a store that has to wait keeps a cache in front.
pub trait Store {
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
    users: HashMap<Aor, Entry>,
    /// By account name in lower case, and by user principal name.
    accounts: HashMap<String, Aor>,
}

#[derive(Debug)]
struct Entry {
    user: Arc<User>,
    hash: NtHash,
    endpoints: Vec<EndpointRecord>,
}

impl MemoryStore {
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
            Entry {
                user: Arc::new(user),
                hash: NtHash::from_password(password),
                endpoints: Vec::new(),
            },
        );
    }

    /// Changes a user.
    pub fn user_mut(&mut self, aor: &Aor) -> Option<&mut User> {
        self.users
            .get_mut(aor)
            .map(|entry| Arc::make_mut(&mut entry.user))
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
}
