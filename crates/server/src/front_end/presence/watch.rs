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
use crate::front_end::services::Refused;

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
    /// What the directory calls the user, in the form of everybody.
    pub(super) name: Option<SmolStr>,
    /// Whom it watches.
    pub(super) users: BTreeMap<Aor, NameSet>,
    /// Resources that this server does not serve, as the client wrote them, with the status that says why.
    pub(super) refused: BTreeMap<SmolStr, u16>,
    /// Notifications carry `Require: eventlist`.
    pub(super) eventlist: bool,
}

/// What a client is shown.
#[derive(Debug, Default)]
pub(in crate::front_end) struct Seen {
    /// Documents by user.
    pub(super) documents: Vec<(Aor, String)>,
    /// Resources without document, as the client wrote them.
    pub(super) unserved: Vec<(SmolStr, Refused)>,
}

/// Whether somebody else may serve a user whom this server does not: who asks for him alone is sent on by the proxy, or finds the store
/// in order again.
const fn is_elsewhere(status: u16) -> bool {
    status >= 500
}

/// What a list says of a user whom it does not serve. The reasons are those of RFC 3265 3.2.4.
fn unserved(uri: SmolStr, status: u16) -> ListResource {
    match status {
        _ if is_elsewhere(status) => ListResource::resubscribe(uri, None),
        404 => ListResource::terminated(uri, "noresource", status),
        _ => ListResource::terminated(uri, "rejected", status),
    }
}

impl Watch {
    /// A resource is served, or nobody wants it any more.
    pub(super) fn served(&mut self, uri: &str) {
        self.refused.remove(uri);
    }

    /// A resource is not served; says whether the client is to be told. Where else to ask it is told once: clients of this
    /// system do so again as often as they hear it.
    pub(super) fn refuse(&mut self, uri: &SmolStr, status: u16, limit: usize) -> bool {
        if self.refused.len() < limit || self.refused.contains_key(uri) {
            let before = self.refused.insert(uri.clone(), status);
            return !before.is_some_and(is_elsewhere) || !is_elsewhere(status);
        }
        // More than is remembered: not to be asked for elsewhere.
        !is_elsewhere(status)
    }

    /// Resources that nobody serves.
    pub(super) fn ended(&self) -> impl Iterator<Item = (&SmolStr, u16)> {
        let refused = self.refused.iter().map(|(uri, status)| (uri, *status));
        refused.filter(|(_, status)| !is_elsewhere(*status))
    }

    /// Whom it watches.
    pub(in crate::front_end) fn users(&self) -> impl Iterator<Item = &Aor> {
        self.users.keys()
    }

    /// The content of a list notification.
    pub(super) fn list_content(&self, seen: Seen, boundary: &str) -> Content {
        let Seen { documents, .. } = seen;
        let mut resources: Vec<_> = documents
            .iter()
            .map(|(user, _)| ListResource::active(user.to_uri(), user.as_str()))
            .collect();
        let refused = seen.unserved.into_iter();
        resources.extend(refused.map(|(uri, refused)| unserved(uri, refused.status)));
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
            form => legacy::document(form, self.name.as_deref(), categories),
        }
    }

    /// The content for what changed of one user, a document of categories.
    pub(in crate::front_end) fn change(&self, categories: &Bytes) -> Content {
        self.content(match self.form {
            Form::Single | Form::List => categories.clone(),
            form => legacy::of_body(form, self.name.as_deref(), categories),
        })
    }

    fn require(&self) -> Option<ByteString> {
        self.eventlist
            .then_some(ByteString::from_static("eventlist"))
    }
}
