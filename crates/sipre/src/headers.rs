//! Small headers of this system: sensitivity, conversation, on whose behalf; what a client may not say.

use ocs_sip_core::header::{NameAddr, Sensitivity};
use ocs_sip_core::{HeaderName, Message, Method};
use rand_core::Rng;

use crate::Refusal;

/// Ms-Sensitivity (\[MS-SIPRE\] 2.2.10): what the callee's rules may do with a call. Another value, or more than one header, is
/// refused with 400.
pub fn sensitivity(message: &Message) -> Result<Sensitivity, Refusal> {
    message
        .sensitivity()
        .map_err(|_| Refusal::new(400, "malformed Ms-Sensitivity"))
}

/// Headers that only servers write; see [`strip_server_headers`].
pub const SERVER_HEADERS: [HeaderName; 5] = [
    HeaderName::MsEdgeProxyMessageTrust,
    HeaderName::PAssertedIdentity,
    HeaderName::MsApplicationVia,
    HeaderName::MsApplicationAor,
    HeaderName::MsUserLogonData,
];

/// Takes off a client's message what only servers may say: [`SERVER_HEADERS`], and `History-Info` unless the
/// client is trusted with it. Says how many headers went.
pub fn strip_server_headers(message: &mut Message, keep_history: bool) -> usize {
    let mut removed = message.remove_all(&SERVER_HEADERS);
    if !keep_history {
        removed += message.remove(HeaderName::HistoryInfo);
    }
    removed
}

/// Begins the History-Info of an INVITE that makes a dialog (RFC 4244 4.3.3.1): whom the caller asked for, with index 1, before the
/// Request-URI becomes the Contact of an endpoint. Real servers write it so; that they do it for every INVITE, also of a caller that does not
/// say `histinfo`, is (inferred).
pub fn begin_history(request: &mut Message) {
    let begins = request.method() == Some(&Method::Invite)
        && request.to_header().is_ok_and(|to| to.tag().is_none());
    if let Some(uri) = request.request_uri().filter(|_| begins) {
        let entry = format!("<{uri}>;index=1");
        request.push(HeaderName::HistoryInfo, &entry);
    }
}

/// P-Session-On-Behalf-Of: the user for whom a delegate acts; `name-addr / addr-spec` (recalled).
/// Whether he may is \[MS-SIPAE\]'s to say. A malformed or repeated header is refused with 400.
pub fn session_on_behalf_of(message: &Message) -> Result<Option<NameAddr<'_>>, Refusal> {
    single_address(message, HeaderName::PSessionOnBehalfOf)
}

/// P-Agent-On-Behalf-Of (\[MS-SIPRE\] 2.2.22): the response group for which an agent calls; in INVITE only.
pub fn agent_on_behalf_of(message: &Message) -> Result<Option<NameAddr<'_>>, Refusal> {
    single_address(message, HeaderName::PAgentOnBehalfOf)
}

fn single_address(message: &Message, name: HeaderName) -> Result<Option<NameAddr<'_>>, Refusal> {
    let mut lines = message.lines(name);
    let Some(value) = lines.next() else {
        return Ok(None);
    };
    let address = NameAddr::parse(value).ok().filter(|a| a.uri().is_ok());
    match (address, lines.next()) {
        (Some(address), None) => Ok(Some(address)),
        _ => Err(Refusal::new(400, "malformed On-Behalf-Of header")),
    }
}

/// Ms-Conversation-ID: groups all dialogs of one conversation.
#[must_use]
pub fn conversation_id(message: &Message) -> Option<&str> {
    message
        .header(HeaderName::MsConversationId)
        .filter(|id| !id.is_empty())
}

/// A new conversation id: random, because a stale session of the same id disturbs the new one.
#[must_use]
pub fn new_conversation_id<R: Rng + ?Sized>(rng: &mut R) -> String {
    rng.next_u32().to_string()
}
