//! 101 Progress Report: what happened to an INVITE on its way.

use ocs_sip_core::Message;

use crate::{DiagnosticsWriter, Kind, Limits};

/// The status.
pub const STATUS: u16 = 101;
/// The phrase.
pub const PHRASE: &str = "Progress Report";

/// A progress report on `invite`. It has no tag in To and no body (recalled), and changes nothing about the call.
#[must_use]
pub fn progress_report(invite: &Message, diagnostics: &DiagnosticsWriter) -> Message {
    let mut response = Message::response_to(invite, STATUS, None);
    response.set_reason(PHRASE);
    diagnostics.on(response)
}

/// What a client remembers of the progress reports of one transaction, for the report of its failure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    values: Vec<String>,
}

impl Progress {
    /// Takes the ms-diagnostics of a 101. Other responses are not looked at; so are reports beyond [`Limits::progress_reports`] and values
    /// beyond [`Limits::diagnostics`].
    pub fn handle_response(&mut self, response: &Message, limits: &Limits) {
        if response.status() != Some(STATUS) || self.values.len() >= limits.progress_reports {
            return;
        }
        let value = response.header(Kind::Private.name());
        let value = value.filter(|value| value.len() <= limits.diagnostics);
        self.values.extend(value.map(str::to_owned));
    }

    /// The values in the order in which they came.
    #[must_use]
    pub fn values(&self) -> &[String] {
        &self.values
    }
}
