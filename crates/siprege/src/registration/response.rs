//! Reading answers to REGISTER.

use ocs_ocer::diagnostics_of;
use ocs_sip_core::header::{NameAddr, Warning};
use ocs_sip_core::{HeaderName, Message};

use super::{Config, Refusal, Registered};
use crate::presence_state::PresenceState;

/// A server that says nothing of the life of the binding means this (the value of every capture).
const DEFAULT_EXPIRES: u32 = 7200;

pub(super) fn registered(response: &Message, config: &Config, refresh: bool) -> Registered {
    let own = own_contact(response, config);
    let header_expires = response.number(HeaderName::Expires).ok().flatten();
    let contact_expires = own.as_ref().and_then(NameAddr::expires);
    let list = |name| response.values(name).map(str::to_owned).collect();
    Registered {
        refresh,
        gruu: own
            .and_then(|contact| contact.gruu())
            .map(std::borrow::Cow::into_owned),
        expires: [header_expires, contact_expires]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(DEFAULT_EXPIRES),
        presence_state: response
            .header(HeaderName::PresenceState)
            .and_then(PresenceState::parse),
        allow_events: list(HeaderName::AllowEvents),
        supported: list(HeaderName::Supported),
        keep_alive: response.header(HeaderName::MsKeepAlive).map(str::to_owned),
        remote_user: response
            .header(HeaderName::MsUserLogonData)
            .is_some_and(|value| value.eq_ignore_ascii_case("RemoteUser")),
        version_warning: warnings(response)
            .find(|warning| warning.code == 310)
            .map(|warning| text_of(&warning)),
    }
}

/// The Contact that carries our instance; several endpoints of one user give several Contacts.
fn own_contact<'a>(response: &'a Message, config: &Config) -> Option<NameAddr<'a>> {
    response
        .parse_all::<NameAddr<'_>>(HeaderName::Contact)
        .filter_map(Result::ok)
        .find(|contact| {
            contact.instance().is_some_and(|urn| {
                urn.rsplit(':')
                    .next()
                    .is_some_and(|uuid| uuid.eq_ignore_ascii_case(&config.instance))
            })
        })
}

fn warnings(message: &Message) -> impl Iterator<Item = Warning<'_>> {
    message
        .parse_all::<Warning<'_>>(HeaderName::Warning)
        .filter_map(Result::ok)
}

fn text_of(warning: &Warning<'_>) -> String {
    ocs_sip_core::syntax::unquote(warning.text).into_owned()
}

/// The reason of the diagnostics that say most.
pub(super) fn diagnostic_reason(message: &Message) -> Option<String> {
    diagnostics_of(message)
        .filter_map(|(_, diagnostics)| diagnostics.reason())
        .find(|reason| !reason.is_empty())
        .map(std::borrow::Cow::into_owned)
}

pub(super) fn refusal(response: &Message, status: u16) -> Refusal {
    let reason = diagnostic_reason(response)
        .or_else(|| warnings(response).next().map(|warning| text_of(&warning)))
        .or_else(|| response.reason().map(str::to_owned))
        .unwrap_or_default();
    Refusal {
        status,
        reason,
        is_temporary: matches!(status, 408 | 503 | 504),
        retry_after: response.header(HeaderName::RetryAfter).map(str::to_owned),
    }
}
