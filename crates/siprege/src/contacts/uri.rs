//! Addresses of contacts: without scheme in the list, with it elsewhere, equal without regard to case.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

/// Octets that an address may have (\[MS-PRES\], type of a SIP address in the contact schema).
pub(crate) const LIMIT: usize = 454;

/// The address as the list has it: without `sip:`.
pub(crate) fn bare(uri: &str) -> &str {
    let uri = uri.trim_ascii();
    match uri.split_at_checked(4) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sip:") => rest,
        _ => uri,
    }
}

/// The address as deltas and requests have it: with `sip:` where there is no other scheme.
pub(crate) fn full(bare: &str) -> Cow<'_, str> {
    let has_scheme = ["sips:", "tel:"].iter().any(|scheme| {
        bare.get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    if has_scheme {
        bare.into()
    } else {
        format!("sip:{bare}").into()
    }
}

/// Whether a server takes it for the address of a contact.
pub(crate) fn is_valid(bare: &str) -> bool {
    bare.len() <= LIMIT && ocs_sip_core::uri::Uri::parse(&full(bare)).is_ok()
}

/// A key that two spellings of one address share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key<'a>(pub(crate) &'a str);

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(other.0)
    }
}

impl Eq for Key<'_> {}

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_comes_and_goes() {
        assert_eq!(bare("sip:a@b.c"), "a@b.c");
        assert_eq!(bare(" SIP:a@b.c "), "a@b.c");
        assert_eq!(bare("a@b.c"), "a@b.c");
        assert_eq!(bare("é"), "é");
        assert_eq!(full("a@b.c"), "sip:a@b.c");
        assert_eq!(full("tel:+1"), "tel:+1");
        assert_eq!(full("é"), "sip:é");
    }

    #[test]
    fn addresses_are_judged() {
        for good in ["a@b.c", "contoso.com", "tel:+15550100", "+1@b.c;user=phone"] {
            assert!(is_valid(good), "{good}");
        }
        for bad in ["", "a b@c", "<a@b>", "@b", &"a".repeat(455)] {
            assert!(!is_valid(bad), "{bad}");
        }
    }
}
