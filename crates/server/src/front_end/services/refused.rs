//! Refusals of the services, with their diagnostics.

use std::time::Instant;

use ocs_ocer::{DiagnosticsWriter, ErrorId};
use ocs_sip_core::Message;
use ocs_sip_core::transaction::ServerId;
use ocs_siprege::soap;

use crate::Store;
use crate::front_end::FrontEnd;

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::front_end) struct Refused {
    pub(in crate::front_end) status: u16,
    pub(in crate::front_end) error_id: Option<ErrorId>,
    /// Type and text of the body.
    pub(in crate::front_end) body: Option<(&'static str, String)>,
}

impl Refused {
    /// A status and no more.
    pub(in crate::front_end) const fn status(status: u16) -> Self {
        Self {
            status,
            error_id: None,
            body: None,
        }
    }

    /// A status with an identifier of [MS-OCER].
    pub(in crate::front_end) const fn diagnosed(status: u16, error_id: ErrorId) -> Self {
        Self {
            status,
            error_id: Some(error_id),
            body: None,
        }
    }

    /// The dialog of a SUBSCRIBE is not, or no longer, known.
    pub(in crate::front_end) const fn no_subscription() -> Self {
        Self::diagnosed(481, ErrorId(2014))
    }
}

impl From<ocs_xml::Error> for Refused {
    fn from(_: ocs_xml::Error) -> Self {
        Self::diagnosed(400, ErrorId(4001))
    }
}

impl From<soap::Refusal> for Refused {
    fn from(refusal: soap::Refusal) -> Self {
        Self {
            status: refusal.status,
            error_id: refusal.error_id,
            body: refusal
                .fault
                .map(|fault| (soap::Fault::CONTENT_TYPE, fault.to_body())),
        }
    }
}

impl<S: Store> FrontEnd<S> {
    pub(in crate::front_end) fn respond_refused(
        &mut self,
        now: Instant,
        id: ServerId,
        request: &Message,
        refused: Refused,
    ) {
        let tag = self.new_tag();
        let response = Message::response_to(request, refused.status, Some(&tag));
        let mut response = match refused.error_id {
            Some(id) => DiagnosticsWriter::of_server(id, &self.config.fqdn).on(response),
            None => response,
        };
        if let Some((content_type, text)) = refused.body {
            response.set_body(content_type, text);
        }
        self.respond(now, id, response);
    }
}
