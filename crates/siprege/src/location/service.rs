//! The profile over SERVICE.

use std::borrow::Cow;

use ocs_sip_core::uri::unescape;
use ocs_sip_core::{Aor, Message, Method};
use ocs_sipre::gruu::{Gruu, Opaque, application_gruu};
use ocs_xml::{Error, Limits, from_slice, to_string};

use super::plan::escape;
use super::{CONTENT_TYPE, LocationProfileDescription};

/// Where a SERVICE for a location profile goes: the one of this user, or with a name that one. It has no body (inferred).
#[must_use]
pub fn request_uri(aor: &Aor, name: Option<&str>) -> String {
    let gruu = application_gruu(aor, &Opaque::LocationProfile("get"));
    match name {
        None => format!("{gruu};default"),
        Some(name) => format!("{gruu};phone-context={}", escape(name)),
    }
}

/// The profile in a 200 to SERVICE. `None` if the message carries none.
pub fn answer_of(
    response: &Message,
    limits: &Limits,
) -> Option<Result<LocationProfileDescription, Error>> {
    let fits = response.status().is_some_and(|status| status / 100 == 2)
        && response
            .content_type()
            .is_ok_and(|kind| kind.is_some_and(|kind| kind.is(CONTENT_TYPE)));
    fits.then(|| from_slice(response.body(), limits))
}

/// The location profiles of a pool.
pub trait Profiles {
    /// Whether the user exists.
    fn knows(&self, aor: &Aor) -> bool;
    /// The user's profile, or the pool's where he has none of his own.
    fn assigned(&self, aor: &Aor) -> Option<Cow<'_, LocationProfileDescription>>;
    /// The profile with this name.
    fn named(&self, name: &str) -> Option<Cow<'_, LocationProfileDescription>>;
}

/// Answers a SERVICE (\[MS-SIPRE\] 3.8.5.1): 404 for unknown users and profiles, 485 when it says neither whose profile nor which.
/// `None` if the request is none for a location profile.
pub fn handle_service(profiles: &impl Profiles, request: &Message, tag: &str) -> Option<Message> {
    if request.method() != Some(&Method::Service) {
        return None;
    }
    let uri = request.parsed_request_uri().ok()?;
    let gruu = Gruu::from_uri(uri.as_sip()?)
        .filter(|gruu| gruu.opaque == Opaque::LocationProfile("get"))?;
    let refuse = |status| Message::response_to(request, status, Some(tag));
    if !profiles.knows(&gruu.aor) {
        return Some(refuse(404));
    }
    let profile = if gruu.default_profile {
        profiles.assigned(&gruu.aor)
    } else if let Some(name) = gruu.phone_context {
        unescape(name).and_then(|name| profiles.named(&name))
    } else {
        return Some(refuse(485));
    };
    Some(match profile {
        Some(profile) => refuse(200).with_body(CONTENT_TYPE, to_string(&*profile)),
        None => refuse(404),
    })
}
