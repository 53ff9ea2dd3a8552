//! What a REGISTER must hold ([MS-SIPREGE] 3.1.2.5.1 step 3).

use ocs_ocer::{DiagnosticsWriter, ErrorId};
use ocs_sip_core::{HeaderName, Message};
use ocs_sipre::Identity;

use super::Config;
use crate::version_filter::Verdict;

/// A refusal with its diagnostics ([MS-OCER]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Of [MS-OCER]; `None` where none fits.
    pub(crate) error_id: Option<ErrorId>,
    pub(crate) reason: &'static str,
}

impl Refusal {
    /// Without diagnostics.
    pub(crate) const fn plain(status: u16) -> Self {
        Self {
            status,
            error_id: None,
            reason: "",
        }
    }

    /// With the reason of the table.
    pub(crate) fn new(status: u16, id: ErrorId) -> Self {
        Self {
            status,
            error_id: Some(id),
            reason: id.reason().unwrap_or_default(),
        }
    }

    pub(crate) fn response(&self, request: &Message, to_tag: &str, source: &str) -> Message {
        let mut response = Message::response_to(request, self.status, Some(to_tag));
        if let Some(id) = self.error_id {
            DiagnosticsWriter::new(id.kind(), id, self.reason)
                .source(source)
                .put(&mut response);
        }
        response
    }
}

/// Identity of the endpoint and whether the version filter warns.
pub(super) fn check(config: &Config, request: &Message) -> Result<(Identity, bool), Refusal> {
    let identity =
        Identity::of_request(request, config.instance_check).map_err(|refusal| Refusal {
            status: refusal.status,
            error_id: identity_error(request),
            reason: refusal.reason,
        })?;
    let event_fits = match request.event() {
        Ok(None) => true,
        // The parser of Microsoft's own analyzer takes the plural too.
        Ok(Some(event)) => event.is("registration") || event.is("registrations"),
        Err(_) => false,
    };
    if !event_fits || request.lines(HeaderName::Event).count() > 1 {
        return Err(Refusal::new(489, ErrorId::EVENT_NOT_SUPPORTED));
    }
    if request.lists(HeaderName::Supported, "msrtc-event-categories")
        && !request.lists(HeaderName::Supported, "gruu-10")
    {
        return Err(Refusal::new(421, ErrorId::GRUU_REQUIRED));
    }
    match config
        .version_filter
        .judge(request.header(HeaderName::UserAgent))
    {
        Verdict::Allow => Ok((identity, false)),
        Verdict::Warn => Ok((identity, true)),
        Verdict::Refuse => Err(Refusal::new(403, ErrorId::INVALID_CLIENT_VERSION)),
    }
}

/// The id for an endpoint that does not say properly which one it is ([MS-OCER] 7.5).
fn identity_error(request: &Message) -> Option<ErrorId> {
    let from = request.from_header().ok();
    let epid = from.and_then(|from| from.epid());
    let has_instance = request
        .contact()
        .is_ok_and(|contact| contact.instance().is_some());
    match epid {
        None if !has_instance => Some(ErrorId::MISSING_ENDPOINT_IDENTIFIER),
        Some(epid) if epid.len() > ocs_sipre::Epid::MAX_LEN => Some(ErrorId::EPID_TOO_LONG),
        _ => None,
    }
}
