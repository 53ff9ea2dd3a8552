//! Credentials for the media relays of the pool ([MS-AVEDGEA]).

use std::time::Instant;

use ocs_avedgea::document::ReasonPhrase;
use ocs_avedgea::server::{RelayAuthentication, Requester};
use ocs_avedgea::token::SharedKeys;
use ocs_sip_core::{Message, Transport};
use ocs_sipre::gruu::{Gruu, Opaque};

use super::address::ServiceAddress;
use super::input::Caller;
use super::{Error, FrontEnd};
use crate::Store;

/// The role in the address of such a service ([MS-SIPRE] 2.2.2).
const ROLE: &str = "MRAS";

/// Where the service is asked.
pub(super) fn address(
    service: &RelayAuthentication,
    domain: &str,
) -> Result<ServiceAddress, Error> {
    let name = &service.config().fqdn;
    ServiceAddress::new(ROLE, name, domain).ok_or_else(|| Error::MediaRelay {
        name: name.to_ascii_lowercase(),
    })
}

impl<S: Store> FrontEnd<S> {
    /// Makes credentials under other keys from now on. The relays must know these already, and the former ones as long as the
    /// longest grant lasts. Nothing happens without [`Config::media_relay`](crate::Config::media_relay).
    pub fn set_relay_keys(&mut self, keys: SharedKeys) {
        if let Some(service) = &mut self.config.media_relay {
            service.issuer_mut().set_keys(keys);
        }
    }

    /// The answer to a request for the service; `None` for any other.
    pub(super) fn relay_service(
        &self,
        now: Instant,
        caller: &Caller,
        request: &Message,
        tag: &str,
    ) -> Option<Message> {
        let gruu = Gruu::parse(request.request_uri()?).ok()?;
        if !self.is_relay_service(&gruu) {
            return None;
        }
        let service = self.config.media_relay.as_ref()?;
        let connection = self.connections.get(&caller.connection)?;
        // The answer has a password in clear.
        if connection.peer.transport != Transport::Tls {
            return Some(service.refuse(request, ReasonPhrase::Forbidden, tag));
        }
        let user = Requester::User(&caller.identity.aor);
        let filetime = self.config.clock.filetime(now);
        Some(service.answer(request, user, filetime, tag))
    }

    pub(super) fn is_relay_service(&self, gruu: &Gruu<'_>) -> bool {
        let address = self.relay_address.as_ref();
        address.is_some_and(|address| address.is(gruu))
    }
}

/// Whether an address is that of such a service, of this pool or another.
pub(super) fn is_of_relays(gruu: &Gruu<'_>) -> bool {
    matches!(gruu.opaque, Opaque::Server { role: ROLE, .. })
}
