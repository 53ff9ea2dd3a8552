//! A store of the front end over a file of SQLite.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use ocs_ntlm::NtHash;
use ocs_server::{DocumentKind, EndpointRecord, MemoryStore, QualityReport, Store, User};
use ocs_sip_core::Aor;
use ocs_sipae::Account;
use ocs_siprege::soap::{Entry, Search};
use rusqlite::{Connection, OptionalExtension, params};

/// The version of the tables, as the file itself says it.
const VERSION: i64 = 2;
const TABLES: &str = "
    CREATE TABLE document (
        aor  TEXT NOT NULL,
        kind TEXT NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (aor, kind)
    ) STRICT;
    PRAGMA user_version = 1;
";
/// What version 2 added.
const REPORTS: &str = "
    CREATE TABLE quality_report (
        id           INTEGER PRIMARY KEY,
        aor          TEXT NOT NULL,
        received_at  INTEGER NOT NULL, -- milliseconds since 1970
        content_type TEXT NOT NULL,
        document     TEXT NOT NULL
    ) STRICT;
    CREATE INDEX quality_report_of ON quality_report (aor, id);
    PRAGMA user_version = 2;
";

/// Users and their endpoints in memory, as they are named at each start; their documents in a file.
///
/// Documents are on the disk when [`put_documents`](Store::put_documents) returns: one transaction for each call, and one `fsync` of the
/// write-ahead log. Whoever kills the process or pulls the plug loses none that was answered, and finds each either as it was or as it was to be.
///
/// Of the reports on the quality of a user's calls the newest [`QUALITY_REPORTS`](Self::QUALITY_REPORTS) are kept, for whoever reads the table
/// `quality_report`.
///
/// No document can be kept on a disk that is full or broken. Then the calls fail, and the front end refuses what it was asked for.
#[derive(Debug)]
pub struct SqliteStore {
    users: MemoryStore,
    file: Connection,
}

impl SqliteStore {
    /// Reports on quality that are kept of a user; each has 300 KB at most.
    pub const QUALITY_REPORTS: u32 = 100;

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
            0 => {
                transaction.execute_batch(TABLES)?;
                transaction.execute_batch(REPORTS)?;
            }
            1 => transaction.execute_batch(REPORTS)?,
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

    fn add(&mut self, report: &QualityReport) -> rusqlite::Result<()> {
        let since = report.received_at.duration_since(UNIX_EPOCH);
        let received_at = since.map_or(0, |since| since.as_millis() as i64);
        let aor = report.aor.as_str();
        let transaction = self.file.transaction()?;
        transaction
            .prepare_cached(
                "INSERT INTO quality_report (aor, received_at, content_type, document)
                 VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![
                aor,
                received_at,
                report.content_type,
                report.document
            ])?;
        transaction
            .prepare_cached(
                "DELETE FROM quality_report WHERE aor = ?1 AND id <=
                 (SELECT id FROM quality_report WHERE aor = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute(params![aor, Self::QUALITY_REPORTS])?;
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

    fn put_quality_report(&mut self, report: QualityReport) -> rusqlite::Result<()> {
        if self.users.user(&report.aor).is_none() {
            return Ok(());
        }
        self.add(&report)
    }

    fn search(&self, search: &Search, limit: u32) -> Vec<Entry> {
        self.users.search(search, limit)
    }
}
