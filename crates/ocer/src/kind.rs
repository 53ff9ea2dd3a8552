//! The three headers and where they may stand.

use ocs_sip_core::{HeaderName, Message, Method};

/// Which of the three headers (\[MS-OCER\] 2.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `ms-diagnostics` (2.2.1.1): from a server, for the inside of the enterprise; names its source.
    Private,
    /// `ms-diagnostics-public` (2.2.1.2): from a server, for everybody; never names its source.
    Public,
    /// `ms-client-diagnostics` (2.2.1.3, number inferred): from a user's endpoint, for the inside of the enterprise.
    Client,
}

impl Kind {
    /// In the order in which a reader prefers them: the private one says most.
    pub const ALL: [Self; 3] = [Self::Private, Self::Public, Self::Client];

    /// The header's name.
    #[must_use]
    pub const fn name(self) -> HeaderName {
        match self {
            Self::Private => HeaderName::MsDiagnostics,
            Self::Public => HeaderName::MsDiagnosticsPublic,
            Self::Client => HeaderName::MsClientDiagnostics,
        }
    }

    /// Whether the header has a meaning in this message: a response, BYE or CANCEL; the public one also in the NOTIFY that ends a
    /// registration (\[MS-SIPREGE\] 2.2.1.13).
    #[must_use]
    pub fn stands_in(self, message: &Message) -> bool {
        match message.method() {
            None | Some(Method::Bye | Method::Cancel) => true,
            Some(Method::Notify) => self == Self::Public,
            Some(_) => false,
        }
    }
}
