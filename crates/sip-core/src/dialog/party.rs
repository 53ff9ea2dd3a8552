//! One side of a dialog: what stands in From and To.

use std::fmt;

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
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            let mut quoted = String::with_capacity(display.len() + 2);
            quote_into(display, &mut quoted);
            write!(f, "{quoted} ")?;
        }
        write!(f, "<{}>", self.uri)?;
        if let Some(tag) = &self.tag {
            write!(f, ";tag={tag}")?;
        }
        if let Some(epid) = &self.epid {
            write!(f, ";epid={epid}")?;
        }
        Ok(())
    }
}
