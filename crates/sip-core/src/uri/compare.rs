//! When two URIs are the same (RFC 3261 19.1.4, RFC 3966 4).

use super::{SipUri, TelUri, unescape};
use crate::params::Params;

/// Parameters that must be in both URIs or in neither.
const BOTH_OR_NEITHER: [&str; 4] = ["user", "ttl", "method", "maddr"];

pub(super) fn sip(a: &SipUri<'_>, b: &SipUri<'_>) -> bool {
    a.is_secure() == b.is_secure()
        && same_escaped(a.user(), b.user())
        && same_escaped(a.password(), b.password())
        && a.host().equivalent(&b.host())
        && a.port() == b.port()
        && params(&a.params(), &b.params())
        && headers(a, b)
}

/// User and password are compared with case, after unescaping.
fn same_escaped(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => a == b || same_text(a, b, false),
        _ => false,
    }
}

fn same_text(a: &str, b: &str, ignore_case: bool) -> bool {
    match (unescape(a), unescape(b)) {
        (Some(a), Some(b)) if ignore_case => a.eq_ignore_ascii_case(&b),
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

fn params(a: &Params<'_>, b: &Params<'_>) -> bool {
    covers(a, b) && covers(b, a)
}

/// A parameter in both must match. One that only `a` has does not matter, but for
/// those of [`BOTH_OR_NEITHER`].
/// `opaque` identifies an instance (\[MS-SIPRE\] 2.2.2), so it must be in both too, and is compared with case (inferred).
fn covers(a: &Params<'_>, b: &Params<'_>) -> bool {
    a.iter().all(|param| {
        let identifies = param.name.eq_ignore_ascii_case("opaque");
        match b.get(param.name) {
            Some(other) => same_text(param.value.unwrap_or(""), other, !identifies),
            None => {
                !identifies
                    && !BOTH_OR_NEITHER
                        .iter()
                        .any(|name| param.name.eq_ignore_ascii_case(name))
            }
        }
    })
}

/// Headers count always; their order does not.
fn headers(a: &SipUri<'_>, b: &SipUri<'_>) -> bool {
    if a.headers().is_none() && b.headers().is_none() {
        return true;
    }
    let sorted = |uri: &SipUri<'_>| {
        let mut pairs: Vec<_> = uri
            .header_pairs()
            .map(|(name, value)| {
                let value = unescape(value).map(std::borrow::Cow::into_owned);
                (name.to_ascii_lowercase(), value)
            })
            .collect();
        pairs.sort();
        pairs
    };
    sorted(a) == sorted(b)
}

pub(super) fn tel(a: &TelUri<'_>, b: &TelUri<'_>) -> bool {
    let covered = |a: &Params<'_>, b: &Params<'_>| {
        a.iter().all(|param| {
            b.get(param.name)
                .is_some_and(|other| param.value.unwrap_or("").eq_ignore_ascii_case(other))
        })
    };
    a.is_global() == b.is_global()
        && a.digits().eq(b.digits())
        && covered(&a.params(), &b.params())
        && covered(&b.params(), &a.params())
}
