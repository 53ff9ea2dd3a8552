//! What to refuse before any state is made: the inspection of a request by a user agent server (RFC 3261 8.2) and by a
//! proxy (16.3), and of a response (8.1.3, 16.7).

use crate::header::{ContentType, HeaderValue, NameAddr, Via};
use crate::uri::{Host, Uri};
use crate::{Error, HeaderName, Message, Method, status};

/// In which part a message is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It ends here.
    UserAgent,
    /// It goes on from here.
    Proxy,
}

/// What an element can do.
///
/// The default is a user agent that knows all methods of [`Method`], the schemes `sip`, `sips` and `tel`, no
/// extension, and every body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// The part it plays.
    pub role: Role,
    /// The methods that a user agent serves. Written into Allow. A method of [`Method`] that is not here gets 405, another one 501.
    pub methods: Vec<Method>,
    /// URI schemes of the Request-URI in lower case; others get 416.
    pub schemes: Vec<String>,
    /// Option tags that Require (of a proxy: Proxy-Require) may name; others get 420.
    pub extensions: Vec<String>,
    /// Media types of bodies, `type/subtype` or `type/*`; others get 415. Empty: all.
    pub accept: Vec<String>,
    /// Content codings besides `identity`; others get 415.
    pub encodings: Vec<String>,
}

impl Default for Capabilities {
    fn default() -> Self {
        Self {
            role: Role::UserAgent,
            methods: Method::ALL.to_vec(),
            schemes: ["sip", "sips", "tel"].map(String::from).into(),
            extensions: Vec::new(),
            accept: Vec::new(),
            encodings: Vec::new(),
        }
    }
}

/// Why a message is not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// It is not a SIP message in form or content: [`Error::status`].
    #[error(transparent)]
    Invalid(#[from] Error),
    /// A method that nobody here knows: 501 (RFC 3261 16.3, 21.5.2).
    #[error("unknown method")]
    UnknownMethod,
    /// A method that this element does not serve: 405 with Allow (8.2.1).
    #[error("method not allowed")]
    MethodNotAllowed,
    /// A Request-URI of another scheme: 416 (8.2.2.1).
    #[error("unsupported scheme of the request-uri")]
    Scheme,
    /// A REGISTER for something else than a SIP address of record: 400 (10.3, RFC 4475 3.3.4).
    #[error("address of record is not a sip uri")]
    AddressOfRecord,
    /// Max-Forwards is 0 at a proxy: 483 (16.3).
    #[error("no hops left")]
    TooManyHops,
    /// Require or Proxy-Require names extensions that are not supported: 420 with Unsupported (8.2.2.3).
    #[error("unsupported extension: {0}")]
    Extension(String),
    /// The type of the body: 415 with Accept (8.2.3).
    #[error("unsupported media type")]
    MediaType,
    /// The coding of the body: 415 with Accept-Encoding (8.2.3).
    #[error("unsupported content coding")]
    ContentEncoding,
    /// An INVITE whose Accept leaves no type to answer with: 406 (21.4.7).
    #[error("no acceptable media type")]
    NotAcceptable,
    /// A response that was meant for somebody else, with more than one Via at a user agent: dropped (8.1.3.3).
    #[error("response was misrouted")]
    Misrouted,
    /// A response whose next hop is a broadcast, multicast or unspecified address: dropped (RFC 4475 3.3.17).
    #[error("response would be sent to many")]
    Broadcast,
}

/// The refusal of a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct Refusal {
    /// Why.
    #[source]
    pub cause: Cause,
    /// The status to answer with; `None` when the message is dropped in silence, as responses, ACK and BENOTIFY are.
    pub status: Option<u16>,
    /// Headers that go with the status, such as Unsupported, Allow, Accept.
    pub headers: Vec<(HeaderName, String)>,
}

impl Refusal {
    fn new(message: &Message, cause: Cause) -> Self {
        let code = match &cause {
            Cause::Invalid(error) => error.status(),
            Cause::UnknownMethod => 501,
            Cause::MethodNotAllowed => 405,
            Cause::Scheme => 416,
            Cause::TooManyHops => 483,
            Cause::Extension(_) => 420,
            Cause::MediaType | Cause::ContentEncoding => 415,
            Cause::NotAcceptable => 406,
            Cause::AddressOfRecord | Cause::Misrouted | Cause::Broadcast => 400,
        };
        Self {
            status: message
                .method()
                .filter(|method| method.is_answered())
                .map(|_| code),
            cause,
            headers: Vec::new(),
        }
    }

    fn with(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The response to `request`; `None` when it is to be dropped. `to_tag` is put into To; see [`Message::response_to`].
    #[must_use]
    pub fn response(&self, request: &Message, to_tag: Option<&str>) -> Option<Message> {
        let code = self.status?;
        let mut response = Message::response_to(request, code, to_tag);
        if let Cause::Invalid(error) = &self.cause {
            response.set_reason(&format!("{} ({error})", status::reason_phrase(code)));
        }
        for (name, value) in &self.headers {
            response.push(*name, value);
        }
        response.push(HeaderName::ContentLength, "0");
        Some(response)
    }
}

/// Says whether a message can be served, and how it is refused if not.
///
/// Credentials, loops, merged requests and dialogs are looked at by the layers that hold the state for it.
///
/// ```
/// use ocs_sip_core::{Limits, Message, HeaderName, admit::{admit, Capabilities}};
///
/// let text = "OPTIONS sip:bob@contoso.com SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1;branch=z9hG4bK1\r\n\
///     From: <sip:alice@contoso.com>;tag=1\r\nTo: <sip:bob@contoso.com>\r\nCall-ID: a\r\nCSeq: 1 OPTIONS\r\n\
///     Require: teleport\r\nContent-Length: 0\r\n\r\n";
/// let request = Message::parse(text.into(), &Limits::default())?;
/// let refusal = admit(&request, &Capabilities::default()).unwrap_err();
/// let response = refusal.response(&request, Some("7")).unwrap();
/// assert_eq!(response.status(), Some(420));
/// assert_eq!(response.header(HeaderName::Unsupported), Some("teleport"));
/// # Ok::<(), ocs_sip_core::Error>(())
/// ```
pub fn admit(message: &Message, capabilities: &Capabilities) -> Result<(), Refusal> {
    let refuse = |cause| Refusal::new(message, cause);
    message
        .check()
        .map_err(|error| refuse(Cause::Invalid(error)))?;
    let Some(method) = message.method() else {
        return response(message, capabilities.role).map_err(refuse);
    };
    let user_agent = capabilities.role == Role::UserAgent;
    if user_agent && !capabilities.methods.contains(method) {
        let allow = join(capabilities.methods.iter().map(Method::as_str));
        return Err(if matches!(method, Method::Other(_)) {
            refuse(Cause::UnknownMethod)
        } else {
            refuse(Cause::MethodNotAllowed)
        }
        .with(HeaderName::Allow, allow));
    }
    let uri = message
        .parsed_request_uri()
        .map_err(|error| refuse(Cause::Invalid(error)))?;
    if !capabilities
        .schemes
        .iter()
        .any(|known| known.eq_ignore_ascii_case(uri.scheme()))
    {
        return Err(refuse(Cause::Scheme));
    }
    let require = if user_agent {
        address_of_record(message, method).map_err(refuse)?;
        HeaderName::Require
    } else {
        if message.number(HeaderName::MaxForwards) == Ok(Some(0)) {
            return Err(refuse(Cause::TooManyHops));
        }
        HeaderName::ProxyRequire
    };
    // Neither may be refused for what the request it belongs to asks (8.2.2.3).
    if !matches!(method, Method::Ack | Method::Cancel) {
        let unsupported = join(
            message
                .values(require)
                .filter(|tag| !holds(&capabilities.extensions, tag)),
        );
        if !unsupported.is_empty() {
            return Err(refuse(Cause::Extension(unsupported.clone()))
                .with(HeaderName::Unsupported, unsupported));
        }
    }
    if user_agent {
        content(message, method, capabilities)?;
    }
    Ok(())
}

fn response(message: &Message, role: Role) -> Result<(), Cause> {
    let mut vias = message.values(HeaderName::Via);
    let second = vias.nth(1);
    match (role, second) {
        // At a proxy it answers a request of its own, as CANCEL, and must not be forwarded (16.7 step 3).
        (_, None) => Ok(()),
        (Role::UserAgent, Some(_)) => Err(Cause::Misrouted),
        (Role::Proxy, Some(next)) => {
            let via = Via::parse_value(next).ok_or(Error::Malformed(HeaderName::Via))?;
            let host = via.received().and_then(Host::parse).unwrap_or(via.host());
            match host {
                Host::Address(address) if goes_to_many(address) => Err(Cause::Broadcast),
                _ => Ok(()),
            }
        }
    }
}

fn goes_to_many(address: std::net::IpAddr) -> bool {
    let broadcast = matches!(address, std::net::IpAddr::V4(address) if address.is_broadcast());
    broadcast || address.is_multicast() || address.is_unspecified()
}

fn address_of_record(message: &Message, method: &Method) -> Result<(), Cause> {
    let is_sip = |to: NameAddr<'_>| matches!(to.uri(), Ok(Uri::Sip(_)));
    if *method == Method::Register && !is_sip(message.to_header()?) {
        return Err(Cause::AddressOfRecord);
    }
    Ok(())
}

fn content(message: &Message, method: &Method, capabilities: &Capabilities) -> Result<(), Refusal> {
    let refuse = |cause| Refusal::new(message, cause);
    let accepts = |kind: ContentType<'_>| {
        capabilities.accept.is_empty()
            || capabilities
                .accept
                .iter()
                .any(|range| in_range(kind.essence, range))
    };
    if *method == Method::Invite
        && !capabilities.accept.is_empty()
        && message.header(HeaderName::Accept).is_some()
        && !message.values(HeaderName::Accept).any(|range| {
            let range = range.split(';').next().unwrap_or("").trim_end();
            capabilities
                .accept
                .iter()
                .any(|known| in_range(known, range))
        })
    {
        return Err(refuse(Cause::NotAcceptable));
    }
    if message.body().is_empty() || is_optional(message) {
        return Ok(());
    }
    let coding = |value: &&str| {
        !value.eq_ignore_ascii_case("identity") && !holds(&capabilities.encodings, value)
    };
    if message
        .values(HeaderName::ContentEncoding)
        .any(|value| coding(&value))
    {
        let known = join(
            capabilities
                .encodings
                .iter()
                .map(String::as_str)
                .chain(["identity"]),
        );
        return Err(refuse(Cause::ContentEncoding).with(HeaderName::AcceptEncoding, known));
    }
    // A body without a type is one that nobody described; the layer that wants it refuses it.
    let kind = message
        .content_type()
        .map_err(|error| refuse(Cause::Invalid(error)))?;
    if kind.is_some_and(|kind| !accepts(kind)) {
        let known = join(capabilities.accept.iter().map(String::as_str));
        return Err(refuse(Cause::MediaType).with(HeaderName::Accept, known));
    }
    Ok(())
}

/// `Content-Disposition: ...;handling=optional` (20.11).
fn is_optional(message: &Message) -> bool {
    message
        .header(HeaderName::ContentDisposition)
        .is_some_and(|value| {
            let params = value.find(';').map_or("", |at| &value[at..]);
            crate::params::Params::parse(params)
                .and_then(|params| params.get("handling"))
                .is_some_and(|handling| handling.eq_ignore_ascii_case("optional"))
        })
}

/// Whether `essence` lies in `range`: `*/*`, `type/*` or `type/subtype`.
fn in_range(essence: &str, range: &str) -> bool {
    match range.strip_suffix("/*") {
        Some("*") => true,
        Some(main) => essence
            .split_once('/')
            .is_some_and(|(other, _)| other.eq_ignore_ascii_case(main)),
        None => essence.eq_ignore_ascii_case(range),
    }
}

fn holds(list: &[String], token: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(token))
}

fn join<'a>(items: impl Iterator<Item = &'a str>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
