//! Which method a request calls.

use ocs_xml::{Error, Limits, SmolStr};

use super::METHODS;
use super::directory::{self, Search};
use crate::acl::SetAce;
use crate::contacts;

/// A request over SERVICE, told by the method in its body.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Call {
    /// A write to the list of contacts.
    Contacts(contacts::Request),
    /// `setACE`
    SetAce(SetAce),
    /// `directorySearch`
    Search(Search),
    /// A method that is not known here: its name.
    Other(SmolStr),
}

impl Call {
    /// Reads the body of a request.
    pub fn read(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut call = None;
        let mut rows = Vec::new();
        super::read(document, limits, |tag, reader| {
            if tag.is(METHODS, "Array") {
                return directory::read_rows(reader, &mut rows);
            }
            let in_namespace = tag.is(METHODS, tag.name);
            let found = match tag.name {
                "setACE" if in_namespace => Self::SetAce(SetAce::read(reader)?),
                "directorySearch" if in_namespace => Self::Search(Search::read_method(reader)?),
                name => {
                    if in_namespace
                        && let Some(request) = contacts::Request::read_method(name, reader)?
                    {
                        Self::Contacts(request)
                    } else {
                        reader.skip()?;
                        Self::Other(name.into())
                    }
                }
            };
            super::set(&mut call, found, "Body", "method")
        })?;
        let mut call = call.ok_or(Error::MissingElement {
            element: "Body",
            child: "method",
        })?;
        if let Self::Search(search) = &mut call {
            search.rows = rows;
        }
        Ok(call)
    }
}
