//! What one subscription watches, and how its documents are made.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use bytestring::ByteString;
use ocs_pres::doc::{Categories, List, ListBody, ListResource};
use ocs_pres::server::{NameSet, Watcher};
use ocs_sip_core::Aor;
use ocs_sip_core::subscription::Content;
use ocs_xml::{SmolStr, to_string};

use super::legacy;

/// The form of the documents, which the first SUBSCRIBE of a dialog decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::front_end) enum Form {
    /// Categories of one user.
    Single,
    /// Categories of a list of users.
    List,
    /// The two numbers of 2005, of one user.
    Msrtc,
    /// The same of a list of users.
    MsrtcList,
    /// Presence as everybody writes it, of one user.
    Pidf,
}

/// A `presence` subscription.
#[derive(Debug)]
pub(in crate::front_end) struct Watch {
    pub(super) form: Form,
    pub(super) watcher: Arc<Watcher>,
    /// The subscriber's own address, which names the list.
    pub(super) list: SmolStr,
    /// Whom it watches.
    pub(super) users: BTreeMap<Aor, NameSet>,
    /// Resources that this server cannot serve, as the client wrote them, with the status that says why.
    pub(super) refused: Vec<(SmolStr, u16)>,
    /// Notifications carry `Require: eventlist`.
    pub(super) eventlist: bool,
}

impl Watch {
    /// Whom it watches.
    pub(in crate::front_end) fn users(&self) -> impl Iterator<Item = &Aor> {
        self.users.keys()
    }

    /// The content of a list notification. `parts` are documents by user.
    pub(super) fn list_content(
        &self,
        parts: impl IntoIterator<Item = (Aor, String)>,
        boundary: &str,
    ) -> Content {
        let mut resources = Vec::new();
        let mut documents = Vec::new();
        for (user, document) in parts {
            let uri = SmolStr::from(user.to_uri());
            resources.push(ListResource::active(uri, user.as_str()));
            documents.push((user, document));
        }
        for (uri, status) in &self.refused {
            resources.push(ListResource::terminated(uri.clone(), "noresource", *status));
        }
        let kind = legacy::media_type(self.form);
        let list = List::new(self.list.clone(), resources);
        let body = ListBody::new(&list, boundary).map(|mut body| {
            for (id, document) in &documents {
                body = body.part(id.as_str(), kind, document.as_bytes());
            }
            body
        });
        match body.and_then(ListBody::finish) {
            Ok((kind, body)) => Content {
                content_type: Some(kind.into()),
                body,
                require: self.require(),
            },
            // The boundary is this server's own and well-formed.
            Err(_) => Content::default(),
        }
    }

    /// The content of a notification about one user.
    pub(in crate::front_end) fn content(&self, body: Bytes) -> Content {
        Content {
            content_type: Some(ByteString::from_static(legacy::media_type(self.form))),
            body,
            require: self.require(),
        }
    }

    /// What is written of one user.
    pub(super) fn document(&self, categories: &Categories) -> String {
        match self.form {
            Form::Single | Form::List => to_string(categories),
            form => legacy::document(form, categories),
        }
    }

    /// The content for what changed of one user, a document of categories.
    pub(in crate::front_end) fn change(&self, categories: &Bytes) -> Content {
        self.content(match self.form {
            Form::Single | Form::List => categories.clone(),
            form => legacy::of_body(form, categories),
        })
    }

    fn require(&self) -> Option<ByteString> {
        self.eventlist
            .then_some(ByteString::from_static("eventlist"))
    }
}
