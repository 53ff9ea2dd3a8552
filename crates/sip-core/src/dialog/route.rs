//! Route sets (RFC 3261 12.1.1, 12.1.2, 12.2.1.1).

use std::borrow::Cow;

use crate::header::NameAddr;
use crate::uri::SipUri;
use crate::{HeaderName, Message};

/// URIs in the order in which Route lists them.
///
/// URIs are kept as they came: servers put signed state into them. Header parameters of Record-Route (some servers write a
/// `tag` there) are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RouteSet(Vec<String>);

impl RouteSet {
    /// Of a request that came.
    pub(super) fn in_order(message: &Message) -> Self {
        Self(
            message
                .values(HeaderName::RecordRoute)
                .filter_map(|value| NameAddr::parse(value).ok())
                .map(|route| route.uri_text().to_owned())
                .collect(),
        )
    }

    /// Of a response that came.
    pub(super) fn reversed(message: &Message) -> Self {
        let mut set = Self::in_order(message);
        set.0.reverse();
        set
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The Request-URI of a request to `target`, and the Route values.
    pub(super) fn apply<'a>(
        &'a self,
        target: &'a str,
    ) -> (Cow<'a, str>, impl Iterator<Item = &'a str>) {
        let strict = self
            .0
            .first()
            .filter(|first| !SipUri::parse(first).is_ok_and(|uri| uri.is_loose_router()));
        let (uri, routes, last) = match strict {
            None => (target.into(), self.0.as_slice(), None),
            // A strict router wants to be the Request-URI; the target goes to the end.
            Some(first) => (request_uri_of(first).into(), &self.0[1..], Some(target)),
        };
        (uri, routes.iter().map(String::as_str).chain(last))
    }
}

/// Takes out what a Request-URI must not have (19.1.1): headers and the method parameter.
fn request_uri_of(uri: &str) -> String {
    let uri = uri.split_once('?').map_or(uri, |(uri, _)| uri);
    let mut parts = uri.split(';');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for param in parts {
        let name = param.split_once('=').map_or(param, |(name, _)| name);
        if !name.eq_ignore_ascii_case("method") {
            out.push(';');
            out.push_str(param);
        }
    }
    out
}
