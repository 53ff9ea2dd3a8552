//! How a request is refused.

use ocs_ocer::{DiagnosticsWriter, ErrorId, Kind};
use ocs_sdpext::body::SDP_TYPE;
use ocs_sdpext::negotiation;
use ocs_sip_core::{HeaderName, Message};

/// How an INVITE is refused: a status, and headers of the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(HeaderName, String)>,
}

impl Refusal {
    pub(crate) const fn new(status: u16) -> Self {
        let headers = Vec::new();
        Self { status, headers }
    }

    pub(crate) fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Puts the headers into a response of this status.
    pub fn apply(&self, response: &mut Message) {
        for (name, value) in &self.headers {
            response.push(*name, value);
        }
    }
}

impl From<negotiation::Refusal> for Refusal {
    fn from(refusal: negotiation::Refusal) -> Self {
        let mut this = Self::new(refusal.status);
        if let Some((id, reason)) = refusal.diagnostics {
            let diagnostics = DiagnosticsWriter::new(Kind::Client, ErrorId(id), reason);
            this = this.with(diagnostics.kind().name(), diagnostics.value());
        }
        if let Some(warning) = refusal.warning {
            this = this.with(HeaderName::Warning, warning);
        }
        if refusal.status == 415 {
            this = this.with(HeaderName::Accept, SDP_TYPE);
        }
        this
    }
}
