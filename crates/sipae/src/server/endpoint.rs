//! The identifiers of an endpoint (\[MS-SIPAE\] 3.3.5.2).

use ocs_sip_core::header::NameAddr;
use ocs_sip_core::{Aor, Error, HeaderName, Message};

/// One identifier of an endpoint, together with the address of its user.
///
/// Never a tag, a Call-ID or a branch: different clients may use the same ones at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EndpointKey {
    /// The user.
    pub aor: Aor,
    /// Which of the user's endpoints.
    pub id: EndpointId,
}

/// What tells the endpoints of one user apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum EndpointId {
    /// `epid` of From (client's request) or To (request to the client), in lower case.
    Epid(Box<str>),
    /// `+sip.instance` of Contact, in lower case.
    Instance(Box<str>),
    /// `opaque` of a GRUU (`user:epid:...`), which is how a Request-URI or Contact names an endpoint.
    Gruu(Box<str>),
}

impl EndpointKey {
    /// By `epid`.
    #[must_use]
    pub fn epid(aor: Aor, epid: &str) -> Self {
        let id = EndpointId::Epid(epid.to_ascii_lowercase().into());
        Self { aor, id }
    }

    /// By `+sip.instance`, without its quotes and brackets.
    #[must_use]
    pub fn instance(aor: Aor, instance: &str) -> Self {
        let id = EndpointId::Instance(instance.to_ascii_lowercase().into());
        Self { aor, id }
    }

    /// By a GRUU; `None` for other URIs.
    #[must_use]
    pub fn gruu(uri: &str) -> Option<Self> {
        let uri = ocs_sip_core::Uri::parse(uri).ok()?;
        let uri = uri.as_sip().filter(|uri| uri.is_gruu())?;
        Some(Self {
            aor: uri.aor()?,
            id: EndpointId::Gruu(uri.opaque()?.into()),
        })
    }

    /// By the address and `epid` of a To or From.
    #[must_use]
    pub fn of(address: &NameAddr<'_>) -> Option<Self> {
        let aor = address.uri().ok()?.as_sip()?.aor()?;
        Some(Self::epid(aor, address.epid()?))
    }
}

/// The identifiers in a client's request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub(super) aor: Aor,
    pub(super) epid: Option<Box<str>>,
    pub(super) instance: Option<Box<str>>,
    pub(super) gruu: Option<Box<str>>,
}

impl Endpoint {
    pub(super) fn of_request(request: &Message) -> Result<Self, Error> {
        let from = request.from_header()?;
        let aor = from
            .uri()?
            .as_sip()
            .and_then(ocs_sip_core::uri::SipUri::aor)
            .ok_or(Error::Malformed(HeaderName::From))?;
        let contact = request.contact().ok();
        let gruu = contact
            .and_then(|contact| EndpointKey::gruu(contact.uri_text()))
            .filter(|key| key.aor == aor)
            .and_then(|key| match key.id {
                EndpointId::Gruu(opaque) => Some(opaque),
                _ => None,
            });
        Ok(Self {
            aor,
            epid: from.epid().map(|epid| epid.to_ascii_lowercase().into()),
            instance: contact
                .and_then(|contact| contact.instance())
                .map(|instance| instance.to_ascii_lowercase().into()),
            gruu,
        })
    }

    /// Whether anything tells this endpoint from others.
    pub(super) fn is_identified(&self) -> bool {
        self.epid.is_some() || self.instance.is_some()
    }

    /// Whether both may be the same endpoint: no identifier that both have differs, and they share one.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let pairs = [
            (&self.epid, &other.epid),
            (&self.instance, &other.instance),
            (&self.gruu, &other.gruu),
        ];
        let mut shared = false;
        for (a, b) in pairs {
            if let (Some(a), Some(b)) = (a, b) {
                if a != b {
                    return false;
                }
                shared = true;
            }
        }
        shared && self.aor == other.aor
    }

    /// All keys under which the association is found.
    pub(super) fn keys(&self) -> impl Iterator<Item = EndpointKey> + '_ {
        let ids = [
            self.epid.clone().map(EndpointId::Epid),
            self.instance.clone().map(EndpointId::Instance),
            self.gruu.clone().map(EndpointId::Gruu),
        ];
        ids.into_iter().flatten().map(|id| EndpointKey {
            aor: self.aor.clone(),
            id,
        })
    }
}
