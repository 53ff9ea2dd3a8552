//! Descriptions in bodies.

use ocs_sdpext::body::{Body, SDP_TYPE, alternative};
use ocs_sdpext::negotiation::{Refusal, Session, Transport};
use ocs_sdpext::{Error, IceVersion, Sdp};
use ocs_sip_core::{HeaderName, Message};
use rand_core::Rng;

use crate::Config;

/// The description in a message: of several forms the last that is understood. None without body.
fn description(
    message: &Message,
    config: &Config,
    understood: impl Fn(&Sdp) -> bool,
) -> Result<Option<Sdp>, Error> {
    if message.body().is_empty() {
        return Ok(None);
    }
    let kind = message.header(HeaderName::ContentType);
    let kind = kind.ok_or(Error::NoDescription)?;
    let mut body = Body::parse(kind, message.body(), &config.negotiation.limits)?;
    if let Some(best) = body.best(understood) {
        return Ok(Some(best.sdp.clone()));
    }
    // A description without active stream takes all of them away, or refuses them.
    Ok(body.alternatives.pop().map(|form| form.sdp))
}

/// The offer of a request.
pub(crate) fn offer(message: &Message, config: &Config) -> Result<Option<Sdp>, Refusal> {
    let understood = |sdp: &Sdp| config.legacy_ice || sdp.ice_version() != IceVersion::V6;
    description(message, config, understood).map_err(|error| Refusal::of(&error))
}

/// The answer in a response.
pub(crate) fn answer(message: &Message, config: &Config) -> Result<Option<Sdp>, Error> {
    description(message, config, |_| true)
}

/// Puts a description into a message.
pub(crate) fn put(message: &mut Message, sdp: &Sdp) {
    message.set_body(SDP_TYPE, sdp.to_bytes());
}

/// Makes an offer and puts it into an INVITE: with `fallback` in two forms.
pub(crate) fn put_offer(
    invite: &mut Message,
    session: &mut Session,
    fallback: &[Transport],
    rng: &mut impl Rng,
) -> Result<(), Error> {
    if fallback.is_empty() {
        put(invite, &session.offer(rng)?);
        return Ok(());
    }
    let offer = session.offer_with_fallback(rng, fallback)?;
    let boundary = format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64());
    let (kind, body) = alternative(&offer, None, &boundary)?;
    invite.set_body(&kind, body);
    Ok(())
}
