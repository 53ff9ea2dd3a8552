//! What a REGISTER must hold ([MS-SIPREGE] 3.1.2.5.1 step 3).

use ocs_sip_core::{HeaderName, Message};
use ocs_sipre::Identity;

use super::Config;
use crate::version_filter::Verdict;

/// A refusal with its diagnostics ([MS-OCER]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) error_id: u32,
    pub(super) reason: &'static str,
}

impl Refusal {
    const fn new(status: u16, error_id: u32, reason: &'static str) -> Self {
        Self {
            status,
            error_id,
            reason,
        }
    }

    pub(super) fn response(&self, request: &Message, to_tag: &str, source: &str) -> Message {
        let mut response = Message::response_to(request, self.status, Some(to_tag));
        let diagnostics = format!(
            "{};reason=\"{}\";source=\"{source}\"",
            self.error_id, self.reason
        );
        response.push(HeaderName::MsDiagnosticsPublic, &diagnostics);
        response
    }
}

/// Identity of the endpoint and whether the version filter warns.
pub(super) fn check(config: &Config, request: &Message) -> Result<(Identity, bool), Refusal> {
    let identity = Identity::of_request(request, config.instance_check).map_err(|refusal| {
        // 4010 is the one without any identifier; the rest of its family is in [MS-OCER] 7.5.
        let has_epid = request
            .from_header()
            .is_ok_and(|from| from.epid().is_some());
        let id = if has_epid { 4012 } else { 4010 };
        Refusal::new(refusal.status, id, refusal.reason)
    })?;
    let event_fits = match request.event() {
        Ok(None) => true,
        // The parser of Microsoft's own analyzer takes the plural too.
        Ok(Some(event)) => event.is("registration") || event.is("registrations"),
        Err(_) => false,
    };
    if !event_fits || request.lines(HeaderName::Event).count() > 1 {
        return Err(Refusal::new(
            489,
            4055,
            "The event package is not supported",
        ));
    }
    if request.lists(HeaderName::Supported, "msrtc-event-categories")
        && !request.lists(HeaderName::Supported, "gruu-10")
    {
        return Err(Refusal::new(
            421,
            2057,
            "gruu-10 is required for enhanced presence",
        ));
    }
    match config
        .version_filter
        .judge(request.header(HeaderName::UserAgent))
    {
        Verdict::Allow => Ok((identity, false)),
        Verdict::Warn => Ok((identity, true)),
        Verdict::Refuse => Err(Refusal::new(403, 17002, "Invalid protocol client version")),
    }
}
