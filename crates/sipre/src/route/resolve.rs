//! From a Request-URI to where the request goes.

use ocs_sip_core::header::NameAddr;
use ocs_sip_core::uri::{Host, SipUri, Uri};
use ocs_sip_core::{Aor, ConnectionId, HeaderName, Message};

use super::{RouteState, Router};
use crate::binding::Bindings;
use crate::flow::Flow;
use crate::gruu::{Gruu, Opaque};
use crate::{BindingId, EndpointId, Epid, Refusal};

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target<'m> {
    /// One endpoint, named by GRUU, by To epid, or by its Contact.
    Endpoint(BindingId),
    /// All endpoints of a user, in order of registration: fork.
    Endpoints(Vec<BindingId>),
    /// The other connection of the dialog, known from the Record-Route alone.
    Connection(ConnectionId),
    /// The next hop of the Route. See [`prepare_next_hop`](super::prepare_next_hop).
    Route(&'m str),
    /// An application of this system: voice mail, conference, location profile, a server.
    Application(Gruu<'m>),
    /// This server itself, or the bare domain. In a dialog, the dialog decides: clients address those of the server by its bare Contact.
    Own,
    /// Another domain, or a telephone number that is no user's: the URI is for federation or for a gateway.
    Foreign(Uri<'m>),
    /// 404 unknown user, 480 no endpoint, 400, 416.
    Refuse(Refusal),
}

const NOT_FOUND: Target<'_> = Target::Refuse(Refusal::new(404, "unknown user"));
const UNAVAILABLE: Target<'_> = Target::Refuse(Refusal::new(480, "no endpoint registered"));

impl Router {
    /// Finds the target of a request after [`process_route`](Router::process_route).
    ///
    /// `state` is what that gave; `arrived` the connection of the request; `is_user` says whether an AOR of an own domain exists.
    pub fn resolve<'m>(
        &self,
        request: &'m Message,
        bindings: &Bindings,
        state: Option<&RouteState>,
        arrived: &Flow,
        is_user: impl Fn(&Aor) -> bool,
    ) -> Target<'m> {
        if let Some(route) = request.values(HeaderName::Route).next() {
            return NameAddr::parse(route).map_or(
                Target::Refuse(Refusal::new(400, "malformed Route")),
                |route| Target::Route(route.uri_text()),
            );
        }
        let uri = match request.parsed_request_uri() {
            Ok(Uri::Sip(uri)) => uri,
            Ok(uri @ Uri::Tel(_)) => return Target::Foreign(uri),
            Ok(Uri::Other(_)) => {
                return Target::Refuse(Refusal::new(416, "unsupported URI scheme"));
            }
            Err(_) => return Target::Refuse(Refusal::new(400, "malformed Request-URI")),
        };
        if self.is_self(&uri) {
            return Target::Own;
        }
        let opposite = state.and_then(|state| state.opposite(arrived.connection));
        let aor = uri.aor();
        // A Contact without GRUU. The user is in it, or else in To: a cid alone is not believed.
        let contact_like = uri.params().has("ms-received-cid")
            || uri.params().has("maddr")
            || matches!(uri.host(), Host::Address(_));
        if contact_like {
            let owner = aor
                .filter(|aor| self.is_own_domain(aor.domain()))
                .or_else(|| to_aor(request));
            let found = owner.and_then(|aor| bindings.by_contact(&aor, &uri));
            return match (found, opposite) {
                (Some((id, _)), _) => Target::Endpoint(id),
                (None, Some(connection)) => Target::Connection(connection),
                (None, None) if self.is_local_contact(&uri) => UNAVAILABLE,
                (None, None) => Target::Foreign(Uri::Sip(uri)),
            };
        }
        let Some(aor) = aor else {
            // REGISTER and others are sent to the bare domain.
            return match uri.host() {
                Host::Name(domain) if self.is_own_domain(domain) => Target::Own,
                _ => Target::Foreign(Uri::Sip(uri)),
            };
        };
        if !self.is_own_domain(aor.domain()) {
            return Target::Foreign(Uri::Sip(uri));
        }
        if let Some(gruu) = Gruu::from_uri(&uri) {
            return gruu_target(gruu, bindings, opposite, is_user);
        }
        let to = request.to_header().ok();
        if let (Some(connection), Some(_)) = (opposite, to.and_then(|to| to.tag())) {
            // A peer whose Contact is its bare AOR: in the dialog only the other side is meant.
            return Target::Connection(connection);
        }
        let is_phone = uri.params().get("user") == Some("phone");
        if is_phone && !is_user(&aor) {
            return Target::Foreign(Uri::Sip(uri));
        }
        aor_target(&aor, to.and_then(|to| to.epid()), bindings, is_user)
    }

    /// Whether a Contact-like URI names a user of ours or no user: then nobody else can route it.
    fn is_local_contact(&self, uri: &SipUri<'_>) -> bool {
        uri.aor().is_none_or(|aor| {
            self.is_own_domain(aor.domain()) || uri.params().has("ms-received-cid")
        })
    }
}

fn to_aor(request: &Message) -> Option<Aor> {
    request.to_header().ok()?.uri().ok()?.as_sip()?.aor()
}

fn gruu_target<'m>(
    gruu: Gruu<'m>,
    bindings: &Bindings,
    opposite: Option<ConnectionId>,
    is_user: impl Fn(&Aor) -> bool,
) -> Target<'m> {
    match gruu.opaque {
        Opaque::UserEpid(_) => match (bindings.by_gruu(&gruu), opposite) {
            (Some((id, _)), _) => Target::Endpoint(id),
            (None, Some(connection)) => Target::Connection(connection),
            (None, None) if is_user(&gruu.aor) => UNAVAILABLE,
            (None, None) => NOT_FOUND,
        },
        // A server GRUU has the server's name for its user; the others belong to somebody.
        Opaque::Server { .. } => Target::Application(gruu),
        _ if is_user(&gruu.aor) => Target::Application(gruu),
        _ => NOT_FOUND,
    }
}

fn aor_target<'m>(
    aor: &Aor,
    to_epid: Option<&str>,
    bindings: &Bindings,
    is_user: impl Fn(&Aor) -> bool,
) -> Target<'m> {
    if let Some(epid) = to_epid {
        let Ok(epid) = Epid::parse(epid) else {
            return Target::Refuse(Refusal::new(400, "malformed epid"));
        };
        return match bindings.find(aor, &EndpointId::Epid(epid)) {
            Some((id, _)) => Target::Endpoint(id),
            None if is_user(aor) => UNAVAILABLE,
            None => NOT_FOUND,
        };
    }
    let all: Vec<_> = bindings.of_user(aor).map(|(id, _)| id).collect();
    match all.as_slice() {
        [] if is_user(aor) => UNAVAILABLE,
        [] => NOT_FOUND,
        [id] => Target::Endpoint(*id),
        _ => Target::Endpoints(all),
    }
}
