//! A store of the front end over a file of SQLite.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ocs_ntlm::NtHash;
use ocs_server::{DocumentKind, EndpointRecord, MemoryStore, Store, User};
use ocs_sip_core::Aor;
use ocs_sipae::Account;
use ocs_siprege::soap::{Entry, Search};
use rusqlite::{Connection, OptionalExtension, params};

/// The version of the tables, as the file itself says it.
const VERSION: i64 = 1;
const TABLES: &str = "
    CREATE TABLE document (
        aor  TEXT NOT NULL,
        kind TEXT NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (aor, kind)
    ) STRICT;
    PRAGMA user_version = 1;
";

/// Users and their endpoints in memory, as they are named at each start; their documents in a file.
///
/// Documents are on the disk when [`put_documents`](Store::put_documents) returns: one transaction for each call, and one `fsync` of the
/// write-ahead log. Whoever kills the process or pulls the plug loses none that was answered, and finds each either as it was or as it was to be.
///
/// No document can be kept on a disk that is full or broken. Then the calls fail, and the front end refuses what it was asked for.
#[derive(Debug)]
pub struct SqliteStore {
    users: MemoryStore,
    file: Connection,
}

impl SqliteStore {
    /// Opens the file, or makes it. `users` are those who may sign in; documents of others stay where they are.
    ///
    /// # Errors
    /// The file is no database, is one of a later version, or is in use by another front end.
    pub fn open(path: &Path, users: MemoryStore) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let mut file = Connection::open(path)?;
        // Long enough for a front end that is about to end.
        file.busy_timeout(Duration::from_secs(1))?;
        // One front end for each file: it keeps in memory what it has read.
        file.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        file.pragma_update(None, "journal_mode", "WAL")?;
        file.pragma_update(None, "synchronous", "FULL")?;
        let transaction =
            file.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
        match transaction.pragma_query_value(None, "user_version", |row| row.get(0))? {
            0 => transaction.execute_batch(TABLES)?,
            VERSION => {}
            version => return Err(format!("tables of version {version}, not {VERSION}").into()),
        }
        transaction.commit()?;
        Ok(Self { users, file })
    }

    fn read(&self, aor: &Aor, kind: DocumentKind) -> rusqlite::Result<Option<String>> {
        self.file
            .prepare_cached("SELECT text FROM document WHERE aor = ?1 AND kind = ?2")?
            .query_row(params![aor.as_str(), kind.as_str()], |row| row.get(0))
            .optional()
    }

    fn write(&mut self, aor: &Aor, documents: &[(DocumentKind, &str)]) -> rusqlite::Result<()> {
        let transaction = self.file.transaction()?;
        for (kind, text) in documents {
            transaction
                .prepare_cached(
                    "INSERT OR REPLACE INTO document (aor, kind, text) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![aor.as_str(), kind.as_str(), text])?;
        }
        transaction.commit()
    }
}

impl Store for SqliteStore {
    type Error = rusqlite::Error;

    fn user(&self, aor: &Aor) -> Option<Arc<User>> {
        self.users.user(aor)
    }

    fn nt_hash(&self, domain: &str, user: &str) -> Option<NtHash> {
        self.users.nt_hash(domain, user)
    }

    fn owns(&self, account: &Account, aor: &Aor) -> bool {
        self.users.owns(account, aor)
    }

    fn put_endpoint(&mut self, record: EndpointRecord) {
        self.users.put_endpoint(record);
    }

    fn remove_endpoint(&mut self, aor: &Aor, instance: &str) {
        self.users.remove_endpoint(aor, instance);
    }

    fn endpoints(&self, aor: &Aor) -> Vec<EndpointRecord> {
        self.users.endpoints(aor)
    }

    fn document(&self, aor: &Aor, kind: DocumentKind) -> rusqlite::Result<Option<String>> {
        self.read(aor, kind)
    }

    fn put_documents(
        &mut self,
        aor: &Aor,
        documents: &[(DocumentKind, &str)],
    ) -> rusqlite::Result<()> {
        if self.users.user(aor).is_none() {
            return Ok(());
        }
        self.write(aor, documents)
    }

    fn search(&self, search: &Search, limit: u32) -> Vec<Entry> {
        self.users.search(search, limit)
    }
}
