//! Header names: the ones this system uses, their compact forms, and a lookup that does not allocate.

use core::fmt;

macro_rules! header_names {
    ($($(#[$doc:meta])* $variant:ident = $text:literal $(/ $compact:literal)?,)*) => {
        /// A header field name (RFC 3261 20; RFC 3265, 3325, 3515, 3891, 3892, 4028 and the Microsoft extensions).
        ///
        /// A name outside the list is [`Unknown`](Self::Unknown): its text stays in the message and is
        /// found with [`Message::header_named`](crate::Message::header_named).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum HeaderName {
            /// Any name that is not in this list.
            Unknown,
            $(
                #[doc = concat!("`", $text, "`")]
                $(#[$doc])*
                $variant,
            )*
        }

        impl HeaderName {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name as it is written when a message is made here. Empty for [`Unknown`](Self::Unknown).
            #[must_use]
            #[inline]
            pub const fn as_str(self) -> &'static str {
                const TEXTS: &[&str] = &["", $($text),*];
                TEXTS[self as usize]
            }

            /// The one-letter form (RFC 3261 7.3.3), if the name has one.
            #[must_use]
            pub const fn compact(self) -> Option<&'static str> {
                match self {
                    $($(Self::$variant => Some($compact),)?)*
                    _ => None,
                }
            }
        }
    };
}

header_names! {
    Accept = "Accept",
    AcceptEncoding = "Accept-Encoding",
    AcceptLanguage = "Accept-Language",
    AlertInfo = "Alert-Info",
    Allow = "Allow",
    AllowEvents = "Allow-Events" / "u",
    AuthenticationInfo = "Authentication-Info",
    Authorization = "Authorization",
    CallId = "Call-ID" / "i",
    CallInfo = "Call-Info",
    /// \[MS-SIPCOMP\] 2.2.
    Compression = "Compression",
    Contact = "Contact" / "m",
    ContentDisposition = "Content-Disposition",
    ContentEncoding = "Content-Encoding" / "e",
    ContentId = "Content-ID",
    ContentLanguage = "Content-Language",
    ContentLength = "Content-Length" / "l",
    ContentTransferEncoding = "Content-Transfer-Encoding",
    ContentType = "Content-Type" / "c",
    CSeq = "CSeq",
    Date = "Date",
    /// LCS 2005 multiparty IM.
    EndPoints = "EndPoints",
    ErrorInfo = "Error-Info",
    Event = "Event" / "o",
    Expires = "Expires",
    From = "From" / "f",
    Geolocation = "Geolocation",
    HistoryInfo = "History-Info",
    InReplyTo = "In-Reply-To",
    MaxForwards = "Max-Forwards",
    /// \[MS-CONFIM\]: names a MESSAGE that a delivery notification refers to.
    MessageId = "Message-Id",
    MimeVersion = "MIME-Version",
    MinExpires = "Min-Expires",
    MinSe = "Min-SE",
    MsApplicationAor = "ms-application-aor",
    MsApplicationVia = "ms-application-via",
    MsCallInfo = "Ms-Call-Info",
    MsClientDiagnostics = "ms-client-diagnostics",
    /// \[MS-SIPRE\]: groups all dialogs of one conversation.
    MsConversationId = "Ms-Conversation-ID",
    /// \[MS-OCER\] 2.2.1.
    MsDiagnostics = "ms-diagnostics",
    /// \[MS-OCER\] 2.2.2.
    MsDiagnosticsPublic = "ms-diagnostics-public",
    /// \[MS-SIPRE\] 2.2.15.
    MsEdgeProxyMessageTrust = "ms-edge-proxy-message-trust",
    MsExchangeCommand = "Ms-Exchange-Command",
    MsForking = "ms-forking",
    /// \[MS-CONMGMT\] 2.2.1.
    MsKeepAlive = "ms-keep-alive",
    MsMrasAddress = "ms-mras-address",
    MsPiggybackCseq = "ms-piggyback-cseq",
    MsSender = "Ms-Sender",
    /// \[MS-SIPRE\] 2.2.10.
    MsSensitivity = "Ms-Sensitivity",
    MsSplitDomainInfo = "ms-split-domain-info",
    MsSubscription = "ms-subscription",
    MsTextFormat = "ms-text-format",
    /// \[MS-SIPRE\] 2.2.16.
    MsUserLogonData = "ms-user-logon-data",
    Organization = "Organization",
    /// \[MS-SIPRE\] 2.2.22.
    PAgentOnBehalfOf = "P-Agent-On-Behalf-Of",
    /// RFC 3325 9.1.
    PAssertedIdentity = "P-Asserted-Identity",
    /// RFC 3325 9.2.
    PPreferredIdentity = "P-Preferred-Identity",
    PSessionOnBehalfOf = "P-Session-On-Behalf-Of",
    PresenceState = "presence-state",
    Priority = "Priority",
    /// RFC 3323.
    Privacy = "Privacy",
    ProxyAuthenticate = "Proxy-Authenticate",
    ProxyAuthenticationInfo = "Proxy-Authentication-Info",
    ProxyAuthorization = "Proxy-Authorization",
    ProxyRequire = "Proxy-Require",
    /// RFC 3262.
    RAck = "RAck",
    Reason = "Reason",
    RecordRoute = "Record-Route",
    /// RFC 3515.
    ReferTo = "Refer-To" / "r",
    /// RFC 3892.
    ReferredBy = "Referred-By" / "b",
    RejectContact = "Reject-Contact" / "j",
    /// RFC 3891.
    Replaces = "Replaces",
    ReplyTo = "Reply-To",
    RequestDisposition = "Request-Disposition" / "d",
    Require = "Require",
    RetryAfter = "Retry-After",
    RosterManager = "Roster-Manager",
    Route = "Route",
    /// RFC 3262.
    RSeq = "RSeq",
    Server = "Server",
    /// RFC 4028.
    SessionExpires = "Session-Expires" / "x",
    SipEtag = "SIP-ETag",
    SipIfMatch = "SIP-If-Match",
    Subject = "Subject" / "s",
    SubscriptionState = "Subscription-State",
    Supported = "Supported" / "k",
    Timestamp = "Timestamp",
    To = "To" / "t",
    TriggeredInvite = "TriggeredInvite",
    Unsupported = "Unsupported",
    UserAgent = "User-Agent",
    Via = "Via" / "v",
    Warning = "Warning",
    WwwAuthenticate = "WWW-Authenticate",
}

const SLOTS: usize = 512;

/// Spreads names by length, first, middle and last letter; case does not matter because bit 5 is set on each.
const fn slot(name: &[u8]) -> usize {
    let len = name.len();
    if len == 0 {
        return 0;
    }
    let first = (name[0] | 0x20) as usize;
    let middle = (name[len / 2] | 0x20) as usize;
    let last = (name[len - 1] | 0x20) as usize;
    // No two of the names above share a slot with these factors.
    (len.wrapping_mul(123)
        .wrapping_add(first.wrapping_mul(242))
        .wrapping_add(middle.wrapping_mul(254))
        .wrapping_add(last.wrapping_mul(61)))
        % SLOTS
}

const fn insert(table: &mut [HeaderName; SLOTS], text: &str, name: HeaderName) {
    let mut at = slot(text.as_bytes());
    while !matches!(table[at], HeaderName::Unknown) {
        at = (at + 1) % SLOTS;
    }
    table[at] = name;
}

/// Open addressing over the full names, filled at compile time.
static TABLE: [HeaderName; SLOTS] = {
    let mut table = [HeaderName::Unknown; SLOTS];
    let mut i = 0;
    while i < HeaderName::ALL.len() {
        let name = HeaderName::ALL[i];
        insert(&mut table, name.as_str(), name);
        i += 1;
    }
    table
};

/// Compact forms by letter.
static COMPACT: [HeaderName; 26] = {
    let mut table = [HeaderName::Unknown; 26];
    let mut i = 0;
    while i < HeaderName::ALL.len() {
        let name = HeaderName::ALL[i];
        if let Some(letter) = name.compact() {
            table[(letter.as_bytes()[0] - b'a') as usize] = name;
        }
        i += 1;
    }
    table
};

/// Compares a name of letters and hyphens with a text without regard to case: eight or four octets at each end, which may
/// overlap, and what lies between.
#[inline]
fn same_name(name: &[u8], text: &[u8]) -> bool {
    if name.len() != text.len() {
        return false;
    }
    if let (Some(a), Some(b)) = (ends::<8>(name), ends::<8>(text)) {
        let word = u64::from_le_bytes;
        let found = differ(word(a[0]), word(b[0])) | differ(word(a[1]), word(b[1]));
        found == 0
            && (name.len() <= 16 || {
                let (name, text) = (&name[8..], &text[8..]);
                let mut words = name.as_chunks().0.iter().zip(text.as_chunks().0);
                words.all(|(&a, &b)| differ(word(a), word(b)) == 0)
            })
    } else if let (Some(a), Some(b)) = (ends::<4>(name), ends::<4>(text)) {
        let word = |octets| u64::from(u32::from_le_bytes(octets));
        differ(word(a[0]), word(b[0])) | differ(word(a[1]), word(b[1])) == 0
    } else {
        let mut octets = name.iter().zip(text);
        octets.all(|(&a, &b)| differ(u64::from(a), u64::from(b)) == 0)
    }
}

/// The first and the last `N` octets.
#[inline]
fn ends<const N: usize>(octets: &[u8]) -> Option<[[u8; N]; 2]> {
    Some([*octets.first_chunk()?, *octets.last_chunk()?])
}

/// Not zero when they differ in more than the case of the letters in `name`, which are the octets that have bit 6.
#[inline]
const fn differ(name: u64, text: u64) -> u64 {
    let case = (name & 0x4040_4040_4040_4040) >> 1;
    (name ^ text) & !case
}

impl HeaderName {
    /// Looks a name up, full or compact, without regard to case (RFC 3261 7.3.1).
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self::from_octets(text.as_bytes())
    }

    /// [`from_text`](Self::from_text) for octets.
    #[inline]
    pub(crate) fn from_octets(text: &[u8]) -> Self {
        if let [letter] = text {
            let index = usize::from((letter | 0x20).wrapping_sub(b'a'));
            return COMPACT.get(index).copied().unwrap_or(Self::Unknown);
        }
        let mut at = slot(text);
        loop {
            let name = TABLE[at];
            if name == Self::Unknown || same_name(name.as_str().as_bytes(), text) {
                return name;
            }
            at = (at + 1) % SLOTS;
        }
    }

    /// Whether RFC 3261 7.3.1 allows several of this header to stand in one line, separated by commas.
    ///
    /// The headers whose grammar is a comma list; those where a comma is part of the one value
    /// (credentials, dates, free text) are not.
    #[must_use]
    pub const fn is_list(self) -> bool {
        matches!(
            self,
            Self::Accept
                | Self::AcceptEncoding
                | Self::AcceptLanguage
                | Self::AlertInfo
                | Self::Allow
                | Self::AllowEvents
                | Self::CallInfo
                | Self::Contact
                | Self::ContentEncoding
                | Self::ContentLanguage
                | Self::EndPoints
                | Self::ErrorInfo
                | Self::Geolocation
                | Self::HistoryInfo
                | Self::InReplyTo
                | Self::PAssertedIdentity
                | Self::PPreferredIdentity
                | Self::ProxyRequire
                | Self::Reason
                | Self::RecordRoute
                | Self::RejectContact
                | Self::RequestDisposition
                | Self::Require
                | Self::Route
                | Self::Supported
                | Self::Unsupported
                | Self::Via
                | Self::Warning
        )
    }
}

impl HeaderName {
    /// Whether the header stands at most once in a message (RFC 3261 7.3.1; [MS-SIPRE] 2.2.10 for Ms-Sensitivity).
    #[must_use]
    pub const fn is_single(self) -> bool {
        matches!(
            self,
            Self::CallId
                | Self::ContentDisposition
                | Self::ContentLength
                | Self::ContentType
                | Self::CSeq
                | Self::Date
                | Self::Event
                | Self::Expires
                | Self::From
                | Self::MaxForwards
                | Self::MimeVersion
                | Self::MinExpires
                | Self::MinSe
                | Self::MsSensitivity
                | Self::RAck
                | Self::ReferTo
                | Self::ReferredBy
                | Self::Replaces
                | Self::RSeq
                | Self::SessionExpires
                | Self::SipEtag
                | Self::SipIfMatch
                | Self::SubscriptionState
                | Self::Timestamp
                | Self::To
        )
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_every_case() {
        for &name in HeaderName::ALL {
            let text = name.as_str();
            assert_eq!(HeaderName::from_text(text), name, "{text}");
            assert_eq!(HeaderName::from_text(&text.to_ascii_uppercase()), name);
            assert_eq!(HeaderName::from_text(&text.to_ascii_lowercase()), name);
            if let Some(compact) = name.compact() {
                assert_eq!(HeaderName::from_text(compact), name);
                assert_eq!(HeaderName::from_text(&compact.to_ascii_uppercase()), name);
            }
        }
    }

    #[test]
    fn every_name_has_a_slot_of_its_own() {
        for &name in HeaderName::ALL {
            let text = name.as_str();
            assert_eq!(TABLE[slot(text.as_bytes())], name, "{text}");
            assert!(
                text.bytes().all(|c| c.is_ascii_alphabetic() || c == b'-'),
                "{text}"
            );
        }
    }

    #[test]
    fn other_names_are_unknown() {
        for text in [
            "",
            "a",
            "-",
            "1",
            "X-Unknown",
            "Vib",
            "Fron",
            "ms-",
            "Call\rID",
            "Record\rRoute",
            "Record-Routf",
            "Sdcord-Route",
        ] {
            assert_eq!(HeaderName::from_text(text), HeaderName::Unknown, "{text}");
        }
    }
}
