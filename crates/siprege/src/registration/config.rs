//! What a client registers.

use ocs_sip_core::{Aor, Transport};

/// The endpoint that a [`Registration`](super::Registration) registers ([MS-SIPREGE] 2.2.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The user.
    pub aor: Aor,
    /// The endpoint identifier, 1 to 16 token characters (\[MS-SIPRE\] 2.2.7).
    pub epid: String,
    /// The instance, a UUID in text form, without `urn:uuid:`. Derived from the epid by \[MS-SIPRE\] 3.3.3.1.
    pub instance: String,
    /// `host:port` of the connection as this side sees it. Servers replace it by what they see.
    pub sent_by: String,
    /// The transport of the connection.
    pub transport: Transport,
    /// A token that comes back in requests to this endpoint.
    pub ms_opaque: String,
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Whether to ask for a GRUU.
    pub gruu: bool,
    /// Whether the client lives on without the presence service: announces `ms-userservices-state-notification`.
    pub survivable: bool,
    /// Whether the client understands presence: announces the `presence` event package, and with a GRUU `adhoclist` and
    /// `msrtc-event-categories` (2.2.1.5).
    pub presence: bool,
}

/// The methods that every client of this system names in its Contact.
const METHODS: &str =
    "INVITE, MESSAGE, INFO, SUBSCRIBE, OPTIONS, BYE, CANCEL, NOTIFY, ACK, REFER, BENOTIFY";

impl Config {
    /// The Contact of a REGISTER.
    pub(super) fn contact_header(&self) -> String {
        format!(
            "<sip:{};transport={};ms-opaque={}>;methods=\"{METHODS}\";proxy=replace;+sip.instance=\"<urn:uuid:{}>\"",
            self.sent_by,
            self.transport.as_param(),
            self.ms_opaque,
            self.instance,
        )
    }

    /// The option tags, in the order in which clients of this system write them.
    pub(super) fn supported(&self) -> String {
        let presence = self.gruu && self.presence;
        [
            ("gruu-10", self.gruu),
            ("adhoclist", presence),
            ("msrtc-event-categories", presence),
            ("ms-userservices-state-notification", self.survivable),
        ]
        .into_iter()
        .filter_map(|(tag, announced)| announced.then_some(tag))
        .collect::<Vec<_>>()
        .join(", ")
    }
}
