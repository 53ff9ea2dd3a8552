//! A store in memory that can be broken.

use std::cell::Cell;
use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use ocs_ntlm::NtHash;
use ocs_server::{DocumentKind, EndpointRecord, MemoryStore, QualityReport, Store, User};
use ocs_sip_core::Aor;
use ocs_sipae::Account;
use ocs_siprege::soap::{Entry, Search};

/// What works of it.
#[derive(Debug)]
pub(crate) struct TestStore {
    memory: MemoryStore,
    pub(crate) reads: bool,
    pub(crate) writes: bool,
    /// How often something failed.
    pub(crate) failures: Cell<usize>,
}

impl TestStore {
    pub(crate) fn new() -> Self {
        Self {
            memory: MemoryStore::new("CONTOSO"),
            reads: true,
            writes: true,
            failures: Cell::new(0),
        }
    }

    fn when(&self, works: bool) -> io::Result<()> {
        if works {
            return Ok(());
        }
        self.failures.set(self.failures.get() + 1);
        Err(io::Error::other("no space left"))
    }
}

impl Deref for TestStore {
    type Target = MemoryStore;

    fn deref(&self) -> &MemoryStore {
        &self.memory
    }
}

impl DerefMut for TestStore {
    fn deref_mut(&mut self) -> &mut MemoryStore {
        &mut self.memory
    }
}

impl Store for TestStore {
    type Error = io::Error;

    fn user(&self, aor: &Aor) -> Option<Arc<User>> {
        self.memory.user(aor)
    }

    fn nt_hash(&self, domain: &str, user: &str) -> Option<NtHash> {
        self.memory.nt_hash(domain, user)
    }

    fn owns(&self, account: &Account, aor: &Aor) -> bool {
        self.memory.owns(account, aor)
    }

    fn put_endpoint(&mut self, record: EndpointRecord) {
        self.memory.put_endpoint(record);
    }

    fn remove_endpoint(&mut self, aor: &Aor, instance: &str) {
        self.memory.remove_endpoint(aor, instance);
    }

    fn endpoints(&self, aor: &Aor) -> Vec<EndpointRecord> {
        self.memory.endpoints(aor)
    }

    fn document(&self, aor: &Aor, kind: DocumentKind) -> io::Result<Option<String>> {
        self.when(self.reads)?;
        let Ok(document) = self.memory.document(aor, kind);
        Ok(document)
    }

    fn put_documents(&mut self, aor: &Aor, documents: &[(DocumentKind, &str)]) -> io::Result<()> {
        self.when(self.writes)?;
        let Ok(()) = self.memory.put_documents(aor, documents);
        Ok(())
    }

    fn put_quality_report(&mut self, report: QualityReport) -> io::Result<()> {
        self.when(self.writes)?;
        let Ok(()) = self.memory.put_quality_report(report);
        Ok(())
    }

    fn search(&self, search: &Search, limit: u32) -> Vec<Entry> {
        self.memory.search(search, limit)
    }
}
