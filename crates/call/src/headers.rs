//! Headers of the messages of a call.

use ocs_ocer::diagnostics_of;
use ocs_sdpext::negotiation::SENDS_NO_RENDERING;
use ocs_sip_core::header::Reason;
use ocs_sip_core::{HeaderName, Message};

use crate::{Config, Diagnostics, Refusal};

/// The methods of a call.
pub(crate) const ALLOW: &str =
    "INVITE, BYE, ACK, CANCEL, INFO, UPDATE, PRACK, REFER, NOTIFY, BENOTIFY, OPTIONS";

/// Says in a CANCEL who has taken the call (recalled).
const MS_ACCEPTED_BY: &str = "ms-acceptedby";

/// The phrase by which servers say the same (text recalled; compared without case).
const ELSEWHERE: &str = "completed elsewhere";

impl Config {
    /// The option tags of Supported, which are accepted in Require.
    pub fn option_tags(&self) -> impl Iterator<Item = &str> {
        let own = [
            Some("timer"),
            Some("replaces"),
            self.early_media.then_some("ms-early-media"),
            self.reliable_provisional.then_some("100rel"),
        ];
        own.into_iter()
            .flatten()
            .chain(self.supported.iter().map(String::as_str))
    }

    /// Who we are and what we can: in every INVITE, UPDATE and their answers.
    pub(crate) fn put_capabilities(&self, message: &mut Message, holds: bool) {
        self.put_contact(message, holds);
        let tags: Vec<&str> = self.option_tags().collect();
        message.set(HeaderName::Supported, &tags.join(", "));
        message.set(HeaderName::Allow, ALLOW);
    }

    /// Contact and User-Agent. `holds` is of a request that offers hold (\[MS-SDPEXT\] 3.1.5.23.1).
    pub(crate) fn put_contact(&self, message: &mut Message, holds: bool) {
        let mut contact = self.contact.clone();
        if holds {
            contact.push(';');
            contact.push_str(SENDS_NO_RENDERING);
        }
        message.set(HeaderName::Contact, &contact);
        self.put_user_agent(message);
    }

    pub(crate) fn put_user_agent(&self, message: &mut Message) {
        if !self.user_agent.is_empty() {
            message.set(HeaderName::UserAgent, &self.user_agent);
        }
    }

    /// Looks for an extension that is required and not known here: 420 (RFC 3261 8.2.2.3).
    pub(crate) fn check_require(&self, request: &Message) -> Result<(), Refusal> {
        let known = |tag: &str| self.option_tags().any(|own| own.eq_ignore_ascii_case(tag));
        let unknown: Vec<&str> = request
            .values(HeaderName::Require)
            .filter(|tag| !known(tag))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(Refusal::new(420).with(HeaderName::Unsupported, unknown.join(", ")))
    }
}

/// The first diagnostics that can be read.
pub(crate) fn diagnostics(message: &Message) -> Option<Diagnostics> {
    let (_, found) = diagnostics_of(message).next()?;
    Some(Diagnostics {
        error_id: found.error_id,
        reason: found.reason().map(std::borrow::Cow::into_owned),
    })
}

/// What Reason says of a BYE or CANCEL: the status of SIP and its text.
pub(crate) fn reason(message: &Message) -> (Option<u16>, Option<String>) {
    let mut reasons = message
        .parse_all::<Reason<'_>>(HeaderName::Reason)
        .flatten()
        .filter(|reason| reason.protocol.eq_ignore_ascii_case("SIP"));
    reasons.next().map_or((None, None), |reason| {
        let status = reason.cause().and_then(|cause| u16::try_from(cause).ok());
        (status, reason.text().map(std::borrow::Cow::into_owned))
    })
}

/// Whether a CANCEL says that another endpoint has taken the call.
pub(crate) fn is_elsewhere(cancel: &Message) -> bool {
    let (status, text) = reason(cancel);
    status.is_some_and(|status| (200..300).contains(&status))
        || text.is_some_and(|text| text.to_ascii_lowercase().contains(ELSEWHERE))
        || cancel.header_named(MS_ACCEPTED_BY).is_some()
}

/// The phrase of a response.
pub(crate) fn phrase(response: &Message) -> String {
    response.reason().unwrap_or_default().to_owned()
}
