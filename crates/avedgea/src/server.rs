//! The server's side: answers requests for credentials (\[MS-AVEDGEA\] 3.1).

use std::net::IpAddr;

use ocs_ocer::{DiagnosticsWriter, ErrorId};
use ocs_sip_core::{Aor, HeaderName, Message, Method};
use ocs_xml::{Extra, SmolStr, to_string};

use crate::document::{
    Credentials, CredentialsRequest, CredentialsResponse, Location, MediaRelay, MediaRelayList,
    Minutes, ReasonPhrase, Request, Response, Route, Version,
};
use crate::token::Issuer;
use crate::{CONTENT_TYPE, Error, Limits, has_document};

/// Relays of one place that share their keys, their ports and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    /// From where they are reached.
    pub location: Location,
    /// The name of all of them, 1 to 255 characters.
    pub host_name: SmolStr,
    /// The address of each, for who asks for [`Route::DirectIp`]. Without any he gets the name (inferred).
    pub addresses: Vec<IpAddr>,
    /// The UDP port; 3478 in most deployments.
    pub udp_port: Option<u16>,
    /// The port of pseudo-TLS; 443 in most deployments.
    pub tcp_port: Option<u16>,
}

impl Pool {
    /// A pool with the usual ports, known by its name alone.
    #[must_use]
    pub fn new(location: Location, host_name: &str) -> Self {
        Self {
            location,
            host_name: host_name.into(),
            addresses: Vec::new(),
            udp_port: Some(3478),
            tcp_port: Some(443),
        }
    }

    fn relays(&self, route: Route) -> impl Iterator<Item = MediaRelay> {
        let addresses = match route {
            Route::LoadBalanced => &[],
            Route::DirectIp => self.addresses.as_slice(),
        };
        let name = addresses.is_empty().then(|| self.relay(None));
        let each = addresses.iter().map(|address| self.relay(Some(*address)));
        name.into_iter().chain(each)
    }

    fn relay(&self, address: Option<IpAddr>) -> MediaRelay {
        MediaRelay {
            location: self.location,
            host_name: address.is_none().then(|| self.host_name.clone()),
            direct_ip_address: address.map(|address| address.to_string().into()),
            udp_port: self.udp_port,
            tcp_port: self.tcp_port,
            extra: Extra::default(),
        }
    }
}

/// What a server grants.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server's name, for diagnostics.
    pub fqdn: String,
    /// The relays, in the order in which clients are to hear of them.
    pub pools: Vec<Pool>,
    /// How long credentials are valid at most, and for who does not say: 8 hours (recalled).
    pub duration: Minutes,
    /// The highest version; [`Version::V3`]. Requests of it and of the lower ones are answered in their own version.
    pub version: Version,
    /// The realm of the relays, if clients are to hear of it before the relays say it.
    pub realm: Option<String>,
    /// Bounds on requests.
    pub limits: Limits,
}

impl Config {
    /// The usual settings.
    #[must_use]
    pub fn new(fqdn: &str, pools: Vec<Pool>) -> Self {
        Self {
            fqdn: fqdn.to_owned(),
            pools,
            duration: Minutes::EIGHT_HOURS,
            version: Version::V3,
            realm: None,
            limits: Limits::default(),
        }
    }
}

/// Who asks, as authentication found him.
#[derive(Debug, Clone, Copy)]
pub enum Requester<'a> {
    /// A user: he gets credentials for himself.
    User(&'a Aor),
    /// A conferencing or Mediation Server of the deployment: it gets credentials for whom it names (inferred).
    Server,
    /// Somebody for whom no policy provides relays: anonymous and federated users, mostly. He gets none.
    Stranger,
}

/// The service. It holds keys and settings, and nothing of its clients.
#[derive(Debug, Clone)]
pub struct RelayAuthentication {
    config: Config,
    issuer: Issuer,
}

impl RelayAuthentication {
    /// A service with these settings.
    #[must_use]
    pub const fn new(config: Config, issuer: Issuer) -> Self {
        Self { config, issuer }
    }

    /// The settings.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The keys, for [`Issuer::set_keys`].
    pub const fn issuer_mut(&mut self) -> &mut Issuer {
        &mut self.issuer
    }

    /// Answers a request at `filetime` (100 ns since 1601), as [`ocs_sip_core::WallClock::filetime`] gives it.
    ///
    /// Every request has an answer. Whose request it is and that it came over a protected connection has been seen to: the answer has a
    /// password in clear.
    #[must_use]
    pub fn answer(
        &self,
        request: &Message,
        requester: Requester<'_>,
        filetime: u64,
        to_tag: &str,
    ) -> Message {
        if let Some(refusal) = self.no_request(request, to_tag) {
            return refusal;
        }
        let document = match Request::parse(request.body(), &self.config.limits) {
            Ok(document) => document,
            Err(Error::Xml(ocs_xml::Error::TooLong { .. })) => {
                return self.respond(request, None, Err(ReasonPhrase::RequestTooLarge), to_tag);
            }
            Err(_) => {
                return self.respond(request, None, Err(ReasonPhrase::RequestMalformed), to_tag);
            }
        };
        let granted = self.grant(&document, requester, filetime);
        self.respond(request, Some(document), granted, to_tag)
    }

    /// Refuses a request unseen, such as with [`ReasonPhrase::ServerBusy`].
    #[must_use]
    pub fn refuse(&self, request: &Message, reason: ReasonPhrase, to_tag: &str) -> Message {
        self.no_request(request, to_tag).unwrap_or_else(|| {
            let document = Request::parse(request.body(), &self.config.limits).ok();
            self.respond(request, document, Err(reason), to_tag)
        })
    }

    /// The answer to what is no request of this protocol.
    fn no_request(&self, request: &Message, to_tag: &str) -> Option<Message> {
        let answer = |code| {
            Message::response_to(request, code, Some(to_tag)).with(HeaderName::Accept, CONTENT_TYPE)
        };
        if request.method() != Some(&Method::Service) {
            // The status is recalled.
            return Some(answer(405).with(HeaderName::Allow, Method::Service.as_str()));
        }
        // The status is recalled.
        (!has_document(request)).then(|| self.explain(ErrorId::CONTENT_TYPE_MISMATCH, answer(415)))
    }

    fn explain(&self, error_id: ErrorId, response: Message) -> Message {
        DiagnosticsWriter::of_server(error_id, &self.config.fqdn).on(response)
    }

    fn grant(
        &self,
        request: &Request,
        requester: Requester<'_>,
        filetime: u64,
    ) -> Result<Vec<CredentialsResponse>, ReasonPhrase> {
        let version = request.version;
        if !self.speaks(version) {
            return Err(ReasonPhrase::VersionMismatch);
        }
        if request.credentials.len() > self.config.limits.credentials_requests {
            return Err(ReasonPhrase::RequestTooLarge);
        }
        let mut wanted = request.credentials.iter();
        if !wanted.all(|wanted| may_use(requester, &wanted.identity)) {
            return Err(ReasonPhrase::Forbidden);
        }
        let route = request.route.unwrap_or(Route::LoadBalanced);
        let wanted = request.credentials.iter();
        wanted
            .map(|wanted| self.credentials(wanted, version, route, filetime))
            .collect()
    }

    fn speaks(&self, version: Version) -> bool {
        version >= Version::V1 && version.minor == 0 && version <= self.config.version
    }

    fn credentials(
        &self,
        wanted: &CredentialsRequest,
        version: Version,
        route: Route,
        filetime: u64,
    ) -> Result<CredentialsResponse, ReasonPhrase> {
        let location = wanted.location;
        let fits = |pool: &&Pool| location.is_none_or(|location| location == pool.location);
        let pools = self.config.pools.iter().filter(fits);
        let relays: Vec<_> = pools.flat_map(|pool| pool.relays(route)).collect();
        if relays.is_empty() {
            return Err(ReasonPhrase::NotSupported);
        }
        let most = self.config.duration;
        let duration = wanted.duration.map_or(most, |duration| duration.min(most));
        let (username, password) =
            self.issuer
                .issue(filetime, version, &wanted.identity, location, duration);
        Ok(CredentialsResponse {
            id: wanted.id.clone(),
            credentials: Credentials {
                username,
                password,
                duration,
                realm: self.config.realm.clone(),
                extra: Extra::default(),
            },
            relays: MediaRelayList {
                relays,
                extra: Extra::default(),
            },
            extra: Extra::default(),
        })
    }

    /// The answer with its document. Refusals name the type that would have been read, which an answer may (inferred).
    fn respond(
        &self,
        message: &Message,
        request: Option<Request>,
        granted: Result<Vec<CredentialsResponse>, ReasonPhrase>,
        to_tag: &str,
    ) -> Message {
        let (reason_phrase, credentials) = match granted {
            Ok(credentials) => (ReasonPhrase::Ok, credentials),
            Err(reason) => (reason, Vec::new()),
        };
        let mut response = Message::response_to(message, reason_phrase.status(), Some(to_tag));
        if reason_phrase != ReasonPhrase::Ok {
            response.push(HeaderName::Accept, CONTENT_TYPE);
        }
        if let Some(error_id) = error_id(&reason_phrase) {
            response = self.explain(error_id, response);
        }
        let own = self.config.version;
        let asked = request.as_ref().map(|request| request.version);
        let version = asked.filter(|version| self.speaks(*version));
        let (request_id, to, from) = match request {
            Some(request) => (
                Some(request.request_id),
                Some(request.to),
                Some(request.from),
            ),
            None => (None, None, None),
        };
        let document = Response {
            request_id,
            version: Some(version.unwrap_or(own)),
            server_version: Some(own),
            to,
            from,
            reason_phrase,
            credentials,
            extra: Extra::default(),
        };
        response.with_body(CONTENT_TYPE, to_string(&document))
    }
}

fn may_use(requester: Requester<'_>, identity: &str) -> bool {
    match requester {
        Requester::User(aor) => Aor::parse(identity.trim_ascii()).is_ok_and(|named| named == *aor),
        Requester::Server => true,
        Requester::Stranger => false,
    }
}

/// The number that says the same to who reads diagnostics (inferred: those of the service itself are not known).
const fn error_id(reason: &ReasonPhrase) -> Option<ErrorId> {
    match reason {
        ReasonPhrase::RequestMalformed => Some(ErrorId::XML_PARSE_FAILURE),
        ReasonPhrase::RequestTooLarge => Some(ErrorId::INPUT_TOO_LARGE),
        ReasonPhrase::Forbidden => Some(ErrorId::NOT_AUTHORIZED_AS_FROM),
        _ => None,
    }
}
