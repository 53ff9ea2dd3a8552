//! One side of a dialog: what stands in From and To.

use crate::header::NameAddr;
use crate::syntax::quote_into;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Party {
    display: Option<String>,
    pub(crate) uri: String,
    pub(crate) tag: Option<String>,
    pub(crate) epid: Option<String>,
}

impl Party {
    pub(crate) fn new(header: &NameAddr<'_>) -> Self {
        Self {
            display: header.display_name().map(std::borrow::Cow::into_owned),
            uri: header.uri_text().to_owned(),
            tag: header.tag().map(str::to_owned),
            epid: header.epid().map(str::to_owned),
        }
    }

    /// Gives its text in parts, which stand one behind the other.
    pub(crate) fn with_parts<R>(&self, act: impl FnOnce(&[&str]) -> R) -> R {
        let mut quoted = String::new();
        if let Some(display) = &self.display {
            quote_into(display, &mut quoted);
            quoted.push(' ');
        }
        let tag = param(";tag=", self.tag.as_deref());
        let epid = param(";epid=", self.epid.as_deref());
        act(&[&quoted, "<", &self.uri, ">", tag.0, tag.1, epid.0, epid.1])
    }
}

/// A parameter, or nothing.
fn param<'a>(name: &'a str, value: Option<&'a str>) -> (&'a str, &'a str) {
    value.map_or(("", ""), |value| (name, value))
}
