//! P-Asserted-Identity and P-Preferred-Identity (RFC 3325 9, RFC 5876) as \[MS-SIPAE\] signs them.

use super::{HeaderValue, NameAddr};
use crate::{HeaderName, Message};

/// The identities of one message: the first URI of each scheme; more of a scheme and other schemes are ignored (RFC 5876 4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Identities<'a> {
    /// The `sip:` URI, exactly as between its brackets: field 13 of the signature buffer.
    pub sip: Option<&'a str>,
    /// The `tel:` URI: field 14 of the signature buffer.
    pub tel: Option<&'a str>,
    /// A `sips:` URI. It fills no field for the known clients; whether a server puts it into field 13 is not known (inferred:
    /// it does not).
    pub sips: Option<&'a str>,
}

impl<'a> Identities<'a> {
    fn take(&mut self, uri: &'a str) {
        let scheme = uri.split(':').next().unwrap_or("");
        let slot = if scheme.eq_ignore_ascii_case("sip") {
            &mut self.sip
        } else if scheme.eq_ignore_ascii_case("tel") {
            &mut self.tel
        } else if scheme.eq_ignore_ascii_case("sips") {
            &mut self.sips
        } else {
            return;
        };
        slot.get_or_insert(uri);
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Message {
    /// The URIs in `name`, which is P-Asserted-Identity or P-Preferred-Identity; on one line or several. Values that do not follow the grammar
    /// are left out.
    #[must_use]
    pub fn identities_in(&self, name: HeaderName) -> Identities<'_> {
        let mut identities = Identities::default();
        for value in self.values(name) {
            if let Some(address) = NameAddr::parse_value(value) {
                identities.take(address.uri_text());
            }
        }
        identities
    }

    /// The identities that a signature covers: of P-Asserted-Identity when the header is there, else of P-Preferred-Identity
    /// (\[MS-SIPAE\] 3.1, fields 13 and 14).
    #[must_use]
    pub fn identities(&self) -> Identities<'_> {
        let asserted = HeaderName::PAssertedIdentity;
        if self.header(asserted).is_some() {
            self.identities_in(asserted)
        } else {
            self.identities_in(HeaderName::PPreferredIdentity)
        }
    }
}
