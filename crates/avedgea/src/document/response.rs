//! `response` (\[MS-AVEDGEA\] 2.2.3).

use ocs_sip_core::uri::Host;
use ocs_xml::{SmolStr, element, from_slice};

use super::{
    Location, MAX_64, MAX_HOST_NAME, Minutes, NAMESPACE, ReasonPhrase, Version, check_length,
};
use crate::{Error, Limits, Password, Username};

element! {
    /// An answer (2.2.3.1.2).
    pub struct Response(NAMESPACE, "response") {
        /// From the request; absent when that was malformed.
        attr_opt request_id: SmolStr = "requestID",
        /// The version that the answer is of. The schema requires it; OfficeSIP leaves it out when the request was malformed.
        attr_opt version: Version,
        /// The highest version of the server.
        attr_opt server_version: Version = "serverVersion",
        /// From the request; absent when that was malformed.
        attr_opt to: SmolStr,
        /// From the request; absent when that was malformed.
        attr_opt from: SmolStr,
        /// What became of it.
        attr reason_phrase: ReasonPhrase = "reasonPhrase",
        /// One for each [`CredentialsRequest`](super::CredentialsRequest), in their order.
        children credentials: CredentialsResponse,
    }
}

element! {
    /// Credentials, and the relays for them (2.2.3.1.3.2).
    pub struct CredentialsResponse(NAMESPACE, "credentialsResponse") {
        /// From the request.
        attr id: SmolStr = "credentialsRequestID",
        /// The credentials.
        child credentials: Credentials,
        /// Where they are good.
        child relays: MediaRelayList,
    }
}

element! {
    /// What a relay lets in (2.2.4.3).
    pub struct Credentials(NAMESPACE, "credentials") {
        /// A token.
        leaf username: Username,
        /// The password that goes with it.
        leaf password: Password,
        /// How long both are valid.
        leaf duration: Minutes,
        /// The realm of the relays. A relay says it itself when it asks for credentials.
        leaf_opt realm: String,
    }
}

element! {
    /// Relays (2.2.4.5).
    pub struct MediaRelayList(NAMESPACE, "mediaRelayList") {
        /// At least one.
        children relays: MediaRelay,
    }
}

element! {
    /// One relay, or a pool of them (2.2.4.4). It has either a name or an address.
    pub struct MediaRelay(NAMESPACE, "mediaRelay") {
        /// From where it is reached.
        leaf location: Location,
        /// Its name, 1 to 255 characters.
        leaf_opt host_name: SmolStr = "hostName",
        /// Its address as text, 1 to 64 characters.
        leaf_opt direct_ip_address: SmolStr = "directIPAddress",
        /// The UDP port of \[MS-TURN\], mostly 3478. Without it there is no UDP; OfficeSIP writes 0 then.
        leaf_opt udp_port: u16 = "udpPort",
        /// The port of \[MS-TURN\] over pseudo-TLS, mostly 443. Without it there is no TCP; OfficeSIP writes 0 then.
        leaf_opt tcp_port: u16 = "tcpPort",
    }
}

impl Response {
    /// Reads a document.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let response: Self = from_slice(document, &limits.document)?;
        if let Some(id) = &response.request_id {
            check_length("requestID", id, MAX_64)?;
        }
        for credentials in &response.credentials {
            for relay in &credentials.relays.relays {
                relay.check()?;
            }
        }
        Ok(response)
    }
}

impl MediaRelay {
    fn check(&self) -> Result<(), Error> {
        if let Some(name) = &self.host_name {
            check_length("hostName", name, MAX_HOST_NAME)?;
        }
        if let Some(address) = &self.direct_ip_address {
            check_length("directIPAddress", address, MAX_64)?;
        }
        Ok(())
    }

    /// Its name or address; `None` where it has none that can be used. IPv6 addresses may stand in brackets. An address goes
    /// before a name: nobody has to be asked for it.
    #[must_use]
    pub fn host(&self) -> Option<Host<'_>> {
        let address = self.direct_ip_address.as_deref().and_then(|text| {
            let text = text.trim_ascii();
            match text.parse() {
                Ok(address) => Some(Host::Address(address)),
                Err(_) => Host::parse(text).filter(|host| matches!(host, Host::Address(_))),
            }
        });
        address.or_else(|| Host::parse(self.host_name.as_deref()?.trim_ascii()))
    }
}
