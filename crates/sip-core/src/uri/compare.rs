//! When two URIs are the same (RFC 3261 19.1.4, RFC 3966 4).

use std::borrow::Cow;
use std::cmp::Ordering;

use smallvec::SmallVec;

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

/// The parameters by name, escapes taken out of the names. Of a name that stands twice, against RFC 3261 19.1.1, the first counts.
fn sorted<'a>(params: &Params<'a>) -> SmallVec<[(Cow<'a, str>, &'a str); 8]> {
    let mut sorted: SmallVec<[_; 8]> = params
        .iter()
        .map(|param| {
            let name = unescape(param.name).unwrap_or(Cow::Borrowed(param.name));
            (name, param.value.unwrap_or(""))
        })
        .collect();
    sorted.sort_by(|(a, _), (b, _)| order(a, b));
    sorted.dedup_by(|(later, _), (first, _)| later.eq_ignore_ascii_case(first));
    sorted
}

fn order(a: &str, b: &str) -> Ordering {
    a.bytes()
        .map(|c| c.to_ascii_lowercase())
        .cmp(b.bytes().map(|c| c.to_ascii_lowercase()))
}

/// A parameter in both must match. One that only one has does not matter, but for those of [`BOTH_OR_NEITHER`].
/// `opaque` identifies an instance (\[MS-SIPRE\] 2.2.2), so it must be in both too, and is compared with case (inferred).
fn params(a: &Params<'_>, b: &Params<'_>) -> bool {
    if a.as_str() == b.as_str() {
        return true;
    }
    let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
    let optional =
        |name: &str| !is(name, "opaque") && !BOTH_OR_NEITHER.iter().any(|needed| is(name, needed));
    let (a, b) = (sorted(a), sorted(b));
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let order = match (a.peek(), b.peek()) {
            (None, None) => return true,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((a, _)), Some((b, _))) => order(a, b),
        };
        let same = match order {
            Ordering::Less => a.next().is_some_and(|(name, _)| optional(name)),
            Ordering::Greater => b.next().is_some_and(|(name, _)| optional(name)),
            Ordering::Equal => a
                .next()
                .zip(b.next())
                .is_some_and(|((name, a), (_, b))| same_text(a, b, !is(name, "opaque"))),
        };
        if !same {
            return false;
        }
    }
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
    let (a_params, b_params) = (sorted(&a.params()), sorted(&b.params()));
    a.is_global() == b.is_global()
        && a.digits().eq(b.digits())
        && a_params.len() == b_params.len()
        && a_params
            .iter()
            .zip(&b_params)
            .all(|(a, b)| a.0.eq_ignore_ascii_case(&b.0) && a.1.eq_ignore_ascii_case(b.1))
}
