//! Writing.

use ocs_sip_core::Message;
use ocs_sip_core::syntax::{is_token, quote_into};

use crate::{Error, ErrorId, Kind};

/// Writes one header: the number first, then the reason, then the rest, as the simplest readers of the field want it.
///
/// Values are quoted; semicolons in them become commas, because there are readers that split at every one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct DiagnosticsWriter {
    kind: Kind,
    value: String,
}

impl DiagnosticsWriter {
    /// The header of `kind` with a number and a reason. UCMA wants reason and source in ms-diagnostics, so a server calls
    /// [`source`](Self::source) too.
    pub fn new(kind: Kind, id: ErrorId, reason: &str) -> Self {
        let value = id.to_string();
        Self { kind, value }.with("reason", reason)
    }

    /// What the server `fqdn` says inside the enterprise: the header that the table names for the number, with the table's reason and, unless
    /// the header is public, the server's name.
    pub fn of_server(id: ErrorId, fqdn: &str) -> Self {
        Self::new(id.kind(), id, id.reason().unwrap_or_default()).source(fqdn)
    }

    /// `source`: the FQDN or address of the server that writes this. Only ms-diagnostics has it; elsewhere nothing is written.
    pub fn source(self, fqdn: &str) -> Self {
        match self.kind {
            Kind::Private => self.with("source", fqdn),
            Kind::Public | Kind::Client => self,
        }
    }

    /// Another parameter, such as `appName`. The name must be a token, and neither `reason` nor `source`.
    pub fn param(self, name: &str, value: &str) -> Result<Self, Error> {
        let taken = ["reason", "source"];
        if !is_token(name) || taken.iter().any(|taken| taken.eq_ignore_ascii_case(name)) {
            return Err(Error::ParamName);
        }
        Ok(self.with(name, value))
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.value.reserve(name.len() + value.len() + 4);
        self.value.push(';');
        self.value.push_str(name);
        self.value.push('=');
        if value.contains(';') {
            quote_into(&value.replace(';', ","), &mut self.value);
        } else {
            quote_into(value, &mut self.value);
        }
        self
    }

    /// Which header it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The header's value.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Puts the header into a message in place of one of the same kind: a message has at most one (2.2.1.1, 2.2.1.2).
    pub fn put(&self, message: &mut Message) {
        message.set(self.kind.name(), &self.value);
    }

    /// [`put`](Self::put) for chains.
    #[must_use]
    pub fn on(&self, mut message: Message) -> Message {
        self.put(&mut message);
        message
    }
}
