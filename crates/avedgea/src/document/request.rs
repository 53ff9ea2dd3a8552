//! `request` (\[MS-AVEDGEA\] 2.2.2).

use ocs_sip_core::Uri;
use ocs_xml::{SmolStr, element, from_slice};

use super::{Location, MAX_64, Minutes, NAMESPACE, Route, Version, check_length};
use crate::secret::MAX_64K;
use crate::{Error, Limits};

element! {
    /// A request (2.2.2.1.2).
    pub struct Request(NAMESPACE, "request") {
        /// Comes back in the answer; 1 to 64 characters.
        attr request_id: SmolStr = "requestID",
        /// The version of the requester.
        attr version: Version,
        /// The SIP URI of the server.
        attr to: SmolStr,
        /// The SIP URI of the requester.
        attr from: SmolStr,
        /// How relays are to be named.
        attr_opt route: Route,
        /// One for each identity, at least one.
        children credentials: CredentialsRequest,
    }
}

element! {
    /// For whom credentials are asked.
    pub struct CredentialsRequest(NAMESPACE, "credentialsRequest") {
        /// Comes back in the answer; 1 to 64 characters.
        attr id: SmolStr = "credentialsRequestID",
        /// Who will use them, 1 to 65,536 characters. Clients write their own SIP URI.
        leaf identity: String,
        /// Which relays are asked for; without it, all.
        leaf_opt location: Location,
        /// How long they are to be valid.
        leaf_opt duration: Minutes,
    }
}

impl Request {
    /// Reads a document. That it has more [`CredentialsRequest`]s than a server takes is the server's to say.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let request: Self = from_slice(document, &limits.document)?;
        check_length("requestID", &request.request_id, MAX_64)?;
        check_sip_uri("to", &request.to)?;
        check_sip_uri("from", &request.from)?;
        if request.credentials.is_empty() {
            return Err(Error::Xml(ocs_xml::Error::MissingElement {
                element: "request",
                child: "credentialsRequest",
            }));
        }
        for credentials in &request.credentials {
            check_length("credentialsRequestID", &credentials.id, MAX_64)?;
            check_length("identity", &credentials.identity, MAX_64K)?;
        }
        Ok(request)
    }
}

/// `mrasUriType` (2.2.4.11). White space around it is none of it.
pub(crate) fn check_sip_uri(what: &'static str, uri: &str) -> Result<(), Error> {
    match Uri::parse(uri.trim_ascii()) {
        Ok(Uri::Sip(_)) => Ok(()),
        _ => Err(Error::NotSipUri { what }),
    }
}
