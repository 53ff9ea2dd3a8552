//! Routing of requests: Route and Record-Route in both directions, and the target of a Request-URI
//! (RFC 3261 16.3 to 16.6, \[MS-SIPRE\] 3.2.5, 3.4.5).
//!
//! Order of use in a proxy: [`Router::process_route`], then [`Router::resolve`], then for each copy that is sent
//! [`Router::add_record_route`], [`set_to_epid`], and the own Via.

mod key;
mod resolve;
mod state;

use core::fmt::Write;

use ocs_sip_core::header::NameAddr;
use ocs_sip_core::uri::{Host, SipUri};
use ocs_sip_core::{HeaderName, Message, Transport};

use crate::{Epid, Refusal};

pub use key::RouteKey;
pub use resolve::Target;
pub use state::RouteState;

/// Who this server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouterConfig {
    /// The host that stands in Record-Route: the FQDN of the pool, or of the server when there is none.
    pub host: String,
    /// The port in Record-Route.
    pub port: u16,
    /// The transport in Record-Route.
    pub transport: Transport,
    /// `ms-fe`: the FQDN of this front end, when `host` is that of a pool.
    pub front_end: Option<String>,
    /// Other names and addresses under which this server is reached, on any port.
    pub aliases: Vec<String>,
    /// The SIP domains whose users this system serves.
    pub domains: Vec<String>,
    /// Own Route values that one request may hold before it is taken for a loop (482). Default 8.
    pub max_own_routes: usize,
}

impl RouterConfig {
    /// A server `host` for one domain, on port 5061 with TLS.
    #[must_use]
    pub fn new(host: &str, domain: &str) -> Self {
        Self {
            host: host.to_owned(),
            port: Transport::Tls.default_port(),
            transport: Transport::Tls,
            front_end: None,
            aliases: Vec::new(),
            domains: vec![domain.to_owned()],
            max_own_routes: 8,
        }
    }
}

/// The routing part of a proxy.
#[derive(Debug, Clone)]
pub struct Router {
    config: RouterConfig,
    key: RouteKey,
}

impl Router {
    /// A router with its key. All front ends of a pool need the same one.
    #[must_use]
    pub const fn new(config: RouterConfig, key: RouteKey) -> Self {
        Self { config, key }
    }

    /// Who this server is.
    #[must_use]
    pub const fn config(&self) -> &RouterConfig {
        &self.config
    }

    /// The key, for [`RouteKey::seal_via`].
    #[must_use]
    pub const fn key(&self) -> &RouteKey {
        &self.key
    }

    /// Whether the host is this server.
    #[must_use]
    pub fn is_own_host(&self, host: &Host<'_>) -> bool {
        std::iter::once(&self.config.host)
            .chain(&self.config.front_end)
            .chain(&self.config.aliases)
            .any(|own| match host {
                // A name is itself; only addresses have several texts.
                Host::Name(name) => own.eq_ignore_ascii_case(name),
                Host::Address(_) => Host::parse(own).is_some_and(|own| own.equivalent(host)),
            })
    }

    /// Whether the domain is one of this system.
    #[must_use]
    pub fn is_own_domain(&self, domain: &str) -> bool {
        let domains = &self.config.domains;
        domains.iter().any(|own| own.eq_ignore_ascii_case(domain))
    }

    /// Whether the URI is this server itself: its host without user part, and not an endpoint behind it.
    #[must_use]
    pub fn is_self(&self, uri: &SipUri<'_>) -> bool {
        let same_port = match uri.port() {
            Some(port) => port == self.config.port,
            None => true,
        };
        let strange = uri.params().has("ms-received-cid") || uri.params().has("ms-opaque");
        uri.user().is_none() && same_port && !strange && self.is_own_host(&uri.host())
    }

    /// Takes this server's own values off the Route of a request (RFC 3261 16.4).
    ///
    /// Gives the state that the last of them carried. A state whose `ms-route-sig` does not hold is refused with 403: it names
    /// connections. A Route without state is what a client with a preloaded Route sends, and gives `None`.
    pub fn process_route(&self, request: &mut Message) -> Result<Option<RouteState>, Refusal> {
        let mut state = None;
        // A strict router before us has put our Record-Route into the Request-URI; the real one is at the end.
        let strict = request
            .parsed_request_uri()
            .is_ok_and(|uri| uri.as_sip().is_some_and(|uri| self.is_own_route(uri)));
        if strict {
            let uri = SipUri::parse(request.request_uri().unwrap_or_default());
            let uri = uri.map_err(|_| Refusal::new(400, "malformed Route URI"))?;
            state = self.verify(&uri, request)?;
            let last = request.values(HeaderName::Route).last().map(String::from);
            let last = last.ok_or(Refusal::new(400, "strict routing without Route"))?;
            let target =
                NameAddr::parse(&last).map_err(|_| Refusal::new(400, "malformed Route"))?;
            request.set_request_uri(target.uri_text());
            remove_last_route(request);
        }
        for _ in 0..=self.config.max_own_routes {
            let Some(first) = request.values(HeaderName::Route).next() else {
                return Ok(state);
            };
            let route = NameAddr::parse(first).map_err(|_| Refusal::new(400, "malformed Route"))?;
            let uri = SipUri::parse(route.uri_text())
                .map_err(|_| Refusal::new(400, "malformed Route URI"))?;
            if !self.is_self(&uri) {
                return Ok(state);
            }
            let verified = self.verify(&uri, request)?;
            state = verified.or(state);
            request.remove_first_value(HeaderName::Route);
        }
        Err(Refusal::new(482, "too many own Route values"))
    }

    /// A URI that only our Record-Route can be: our host, `lr`, and one of the parameters that we write.
    fn is_own_route(&self, uri: &SipUri<'_>) -> bool {
        uri.is_loose_router() && uri.params().has("ms-route-sig") && self.is_self(uri)
    }

    fn verify(&self, uri: &SipUri<'_>, request: &Message) -> Result<Option<RouteState>, Refusal> {
        let forged = Refusal::new(403, "ms-route-sig does not match");
        let Some(opaque) = uri.opaque() else {
            return Ok(None);
        };
        let call_id = request
            .call_id()
            .map_err(|_| Refusal::new(400, "no Call-ID"))?;
        let tag = uri.params().get("ms-route-sig").unwrap_or("");
        if !self.key.is_route(call_id, opaque, tag) {
            return Err(forged);
        }
        RouteState::parse(opaque).map(Some).ok_or(forged)
    }

    /// The Record-Route of this server for the dialog of `call_id`.
    #[must_use]
    pub fn record_route(&self, call_id: &str, state: &RouteState) -> String {
        let config = &self.config;
        let mut out = format!(
            "<sip:{}:{};transport={}",
            config.host,
            config.port,
            config.transport.as_param()
        );
        if let Some(front_end) = &config.front_end {
            let _ = write!(out, ";ms-fe={front_end}");
        }
        for (set, flag) in [
            (state.to_home, ";ms-role-rs-to"),
            (state.from_home, ";ms-role-rs-from"),
        ] {
            if set {
                out.push_str(flag);
            }
        }
        let opaque = state.to_string();
        let tag = self.key.sign_route(call_id, &opaque);
        let _ = write!(out, ";opaque={opaque};lr;ms-route-sig={tag}>");
        out
    }

    /// Puts the own Record-Route before all others, on a request that can make a dialog or a target refresh; on others nothing
    /// happens (RFC 3261 16.6 step 4).
    pub fn add_record_route(&self, request: &mut Message, state: &RouteState) {
        let makes_dialog = request
            .method()
            .is_some_and(ocs_sip_core::Method::creates_dialog);
        if !makes_dialog {
            return;
        }
        let value = match request.call_id() {
            Ok(call_id) => self.record_route(call_id, state),
            Err(_) => return,
        };
        request.push_front(HeaderName::RecordRoute, &value);
    }
}

fn remove_last_route(request: &mut Message) {
    let values: Vec<String> = request
        .values(HeaderName::Route)
        .map(String::from)
        .collect();
    request.remove(HeaderName::Route);
    if let [rest @ .., _] = values.as_slice() {
        for value in rest {
            request.push(HeaderName::Route, value);
        }
    }
}

/// Before a request goes to a next hop whose Route has no `lr`: the Route's URI takes the place of the Request-URI, which goes to the
/// end of the Route (RFC 3261 16.6 step 6). Nothing happens when the next hop routes loosely. Gives the URI of the next hop.
pub fn prepare_next_hop(request: &mut Message) -> Result<String, Refusal> {
    let bad = Refusal::new(400, "malformed Route");
    let Some(first) = request.values(HeaderName::Route).next() else {
        return Ok(request.request_uri().unwrap_or_default().to_owned());
    };
    let route = NameAddr::parse(first).map_err(|_| bad)?;
    let next = route.uri_text().to_owned();
    if SipUri::parse(&next).map_err(|_| bad)?.is_loose_router() {
        return Ok(next);
    }
    let target = format!("<{}>", request.request_uri().unwrap_or_default());
    request.remove_first_value(HeaderName::Route);
    request.push(HeaderName::Route, &target);
    request.set_request_uri(&next);
    Ok(next)
}

/// Counts Max-Forwards down; 483 when it is used up. A request without it gets 70 (RFC 3261 16.6 step 3).
pub fn count_hop(request: &mut Message) -> Result<(), Refusal> {
    let left = request
        .number(HeaderName::MaxForwards)
        .map_err(|_| Refusal::new(400, "malformed Max-Forwards"))?;
    let next = match left {
        Some(0) => return Err(Refusal::new(483, "too many hops")),
        // Larger numbers are possible on the wire and mean nothing.
        Some(left) => left.min(255) - 1,
        None => 70,
    };
    request.set(HeaderName::MaxForwards, &next.to_string());
    Ok(())
}

/// Adds the epid of the chosen endpoint to To, unless To has one (\[MS-SIPRE\] 3.2.5.2).
pub fn set_to_epid(request: &mut Message, epid: &Epid) {
    let value = match (request.to_header(), request.header(HeaderName::To)) {
        (Ok(to), Some(text)) if to.epid().is_none() => format!("{text};epid={epid}"),
        _ => return,
    };
    request.set(HeaderName::To, &value);
}
