//! Bounds on what a peer can make us read.

/// Bounds on documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of the document. Default 1 MiB, as of a SIP body, and 16 levels: the schema has 5.
    pub document: ocs_xml::Limits,
    /// `credentialsRequest` of one request. Default 100 (\[MS-AVEDGEA\] 2.2.2.1.2).
    pub credentials_requests: usize,
    /// Relays of one answer that a client keeps. Default 64; the schema has no bound.
    pub relays: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document: ocs_xml::Limits {
                depth: 16,
                ..ocs_xml::Limits::default()
            },
            credentials_requests: 100,
            relays: 64,
        }
    }
}
