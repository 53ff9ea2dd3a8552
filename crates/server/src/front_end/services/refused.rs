//! Refusals of the services, with their diagnostics.

use std::time::Instant;

use ocs_ocer::{DiagnosticsWriter, ErrorId};
use ocs_pres::doc::content_type;
use ocs_sip_core::transaction::ServerId;
use ocs_sip_core::{HeaderName, Message, Method};
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
        Self::diagnosed(481, ErrorId::SUBSCRIPTION_DOES_NOT_EXIST)
    }

    /// The store could not read or keep what it takes. Nothing has changed. The number is the general one of user services (inferred).
    pub(in crate::front_end) const fn store_failed() -> Self {
        Self::diagnosed(500, ErrorId::USER_SERVICES_DEFAULT)
    }

    /// The body is of a type that is not served here.
    pub(in crate::front_end) const fn content_type() -> Self {
        Self::diagnosed(415, ErrorId::CONTENT_TYPE_MISMATCH)
    }
}

impl From<ocs_xml::Error> for Refused {
    fn from(_: ocs_xml::Error) -> Self {
        Self::diagnosed(400, ErrorId::XML_PARSE_FAILURE)
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

/// The types that are served in the place of the one of a request (RFC 3261 8.2.3).
fn accepted(request: &Message) -> String {
    if request.method() == Some(&Method::Subscribe) {
        return content_type::ROAMING_SELF.to_owned();
    }
    [
        soap::CONTENT_TYPE,
        content_type::PUBLISH,
        content_type::SET_CONTAINER_MEMBERS,
        content_type::SET_SUBSCRIBERS,
        content_type::SET_DELEGATES,
    ]
    .join(", ")
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
        if refused.status == 415 {
            response.push(HeaderName::Accept, &accepted(request));
        }
        if let Some((content_type, text)) = refused.body {
            response.set_body(content_type, text);
        }
        self.respond(now, id, response);
    }
}
