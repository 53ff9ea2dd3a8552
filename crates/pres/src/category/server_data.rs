//! What only the server publishes: `userProperties`, `mwi` and `legacyInterop` (\[MS-PRES\], their schemas).

use std::fmt;
use std::hash::{Hash, Hasher};

use ocs_xml::{Extra, SmolStr, Value, content, element, words};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::category::Availability;
use crate::category::activity::Token;

/// The namespace of `userProperties` and `legacyInterop`.
pub const CATEGORIES_NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/categories";
/// The namespace of `mwi`.
pub const MWI_NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/mwi";

words! {
    /// How a user telephones.
    pub enum TelephonyMode: open {
        /// Not.
        None = "None",
        /// By the system itself.
        Uc = "Uc",
        /// By a telephone that is controlled.
        Rcc = "Rcc",
        /// By both.
        Dual = "Dual",
    }
}

element! {
    /// A telephone line.
    pub struct Line(CATEGORIES_NAMESPACE, "line") {
        /// How it is used.
        attr line_type: TelephonyMode = "lineType",
        /// SIP URI of the gateway that controls it.
        attr_opt line_server: SmolStr = "lineServer",
        /// Its TEL URI.
        text uri: SmolStr,
    }
}

element! {
    /// The telephone lines.
    #[derive(Default)]
    pub struct Lines(CATEGORIES_NAMESPACE, "lines") {
        /// The lines.
        children line: Line,
    }
}

/// A secret number. It does not show itself, is compared in constant time and wiped when it is dropped.
#[derive(Clone)]
pub struct PassCode(Zeroizing<String>);

impl PassCode {
    /// A pass code.
    #[must_use]
    pub fn new(code: impl Into<String>) -> Self {
        Self(Zeroizing::new(code.into()))
    }

    /// The code.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PassCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PassCode")
    }
}

impl PartialEq for PassCode {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for PassCode {}

impl Hash for PassCode {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl Value for PassCode {
    fn parse(text: &str) -> Option<Self> {
        Some(Self::new(text))
    }

    fn format(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

content! {
    /// An account with a provider of audio conferences.
    #[derive(Default)]
    pub struct AcpInformation(CATEGORIES_NAMESPACE, "acpInformation") {
        /// The one that is used.
        attr_opt default: bool,
        /// Number to call.
        leaf_opt toll_number: SmolStr = "tollNumber",
        /// Numbers to call for nothing.
        leaves toll_free_number: SmolStr = "tollFreeNumber",
        /// Code of those who take part.
        leaf_opt participant_pass_code: SmolStr = "participantPassCode",
        /// Code of the leader.
        leaf_opt leader_pass_code: PassCode = "leaderPassCode",
        /// Domain of the provider.
        leaf_opt domain: SmolStr,
        /// Name of the provider.
        leaf_opt name: SmolStr,
        /// Page of the provider.
        leaf_opt url: SmolStr,
    }
}

element! {
    /// What the directory says about the user.
    #[derive(Default)]
    pub struct UserProperties(CATEGORIES_NAMESPACE, "userProperties") {
        /// Telephone lines.
        child_opt lines: Lines,
        /// How the user telephones.
        leaf_opt telephony_mode: TelephonyMode = "telephonyMode",
        /// Fax.
        leaf_opt facsimile_telephone_number: SmolStr = "facsimileTelephoneNumber",
        /// Street.
        leaf_opt street_address: SmolStr = "streetAddress",
        /// City.
        leaf_opt city: SmolStr = "l",
        /// State or province.
        leaf_opt state: SmolStr = "st",
        /// Country.
        leaf_opt country_code: SmolStr = "countryCode",
        /// Postal code.
        leaf_opt postal_code: SmolStr = "postalCode",
        /// Page.
        leaf_opt home_page: SmolStr = "wWWHomePage",
        /// Bits; the lowest says that there is voice mail.
        leaf_opt exum_enabled: u32 = "exumEnabled",
        /// Address of the voice mail: `EUM:user@domain;phone-context=plan`.
        leaf_opt exum_url: SmolStr = "exumURL",
        /// Where calls are forwarded.
        leaves forwarding_urls: SmolStr = "forwardingUrls",
        /// Audio conferences.
        parts acp_information: AcpInformation = "acpInformation",
    }
}

impl UserProperties {
    /// Whether the user has voice mail.
    #[must_use]
    pub fn has_voice_mail(&self) -> bool {
        self.exum_enabled.is_some_and(|bits| bits & 1 != 0)
    }
}

element! {
    /// Whether voice mail waits.
    pub struct Mwi(MWI_NAMESPACE, "mwi") {
        /// It does.
        attr message_waiting: bool = "messageWaiting",
        /// New messages.
        attr_opt unread: u32 = "unreadVoiceMailCount",
        /// Old messages.
        attr_opt read: u32 = "readVoiceMailCount",
    }
}

element! {
    /// The aggregated availability, for readers of 2005.
    pub struct LegacyInterop(CATEGORIES_NAMESPACE, "legacyInterop") {
        /// How available.
        attr availability: Availability,
        /// What is being done.
        attr_opt token: Token,
    }
}

impl LegacyInterop {
    /// An availability and what is being done.
    #[must_use]
    pub fn new(availability: Availability, token: Option<Token>) -> Self {
        Self {
            availability,
            token,
            extra: Extra::default(),
        }
    }
}
