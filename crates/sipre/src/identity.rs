//! Who an endpoint is: epid, instance, and the keys made of them (\[MS-SIPRE\] 2.2.5, 2.2.7, 3.2, 3.3).

use core::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ocs_sip_core::header::NameAddr;
use ocs_sip_core::syntax::is_token_char;
use ocs_sip_core::{Aor, Message};
use sha1::{Digest, Sha1};
use uuid::Uuid;

use crate::{Error, Refusal};

/// The name space of the UUIDs that are derived from epids (\[MS-SIPRE\] 3.3.3.1).
pub const EPID_NAMESPACE: Uuid = Uuid::from_u128(0xfcacfb03_8a73_46ef_91b1_e5ebeeaba4fe);

/// An endpoint identifier: the `epid` parameter of From and To (\[MS-SIPRE\] 2.2.7).
///
/// Compared exactly: the UUID that is derived from it depends on the case of its letters (inferred). Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epid(Arc<str>);

impl Epid {
    /// The longest epid, in characters.
    pub const MAX_LEN: usize = 16;

    /// Checks `1*16 tokenchar`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let valid = (1..=Self::MAX_LEN).contains(&text.len()) && text.bytes().all(is_token_char);
        valid.then(|| Self(text.into())).ok_or(Error::Epid)
    }

    /// The epid as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The instance that belongs to this epid (\[MS-SIPRE\] 3.3.3.1).
    #[must_use]
    pub fn instance(&self) -> Instance {
        Instance::from_epid(self)
    }
}

impl fmt::Display for Epid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Epid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epid({})", self.0)
    }
}

/// The UUID of an endpoint: `+sip.instance` (\[MS-SIPRE\] 2.2.5).
///
/// ```
/// use ocs_sipre::{Epid, Instance};
///
/// let instance = Epid::parse("01010101")?.instance();
/// assert_eq!(instance.to_string(), "urn:uuid:4b1682a8-f968-5701-83fc-7c6741dc6697");
/// assert_eq!(instance.opaque_id(), "qIIWS2j5AVeD_HxnQdxmlwAA");
/// # Ok::<(), ocs_sipre::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Instance(Uuid);

impl Instance {
    /// Derives the instance of an epid: SHA-1 over the name space in little-endian field order and the epid, read as a little-endian
    /// GUID with version 5. This is not the octet order of RFC 4122.
    #[must_use]
    pub fn from_epid(epid: &Epid) -> Self {
        let mut hash = Sha1::new();
        hash.update(EPID_NAMESPACE.to_bytes_le());
        hash.update(epid.as_str());
        let digest = hash.finalize();
        let mut octets = [0; 16];
        octets.copy_from_slice(&digest[..16]);
        octets[7] = octets[7] & 0x0F | 0x50;
        octets[8] = octets[8] & 0x3F | 0x80;
        Self(Uuid::from_bytes_le(octets))
    }

    /// An endpoint without epid may have any stable UUID (\[MS-SIPRE\] 3.3.3.1).
    #[must_use]
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Reads `urn:uuid:...`, with or without `<>` and quotes around it, in either case.
    pub fn parse(text: &str) -> Result<Self, Error> {
        const SCHEME: &str = "urn:uuid:";
        let text = text.trim_matches('"');
        let text = text
            .strip_prefix('<')
            .and_then(|text| text.strip_suffix('>'))
            .unwrap_or(text);
        let (scheme, uuid) = text.split_at_checked(SCHEME.len()).ok_or(Error::Instance)?;
        // The hyphenated form only: the crate reads others too.
        if !scheme.eq_ignore_ascii_case(SCHEME) || uuid.len() != 36 {
            return Err(Error::Instance);
        }
        Uuid::try_parse(uuid).map(Self).map_err(|_| Error::Instance)
    }

    /// The UUID.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// The `<id>` of an opaque value: base64url of the UUID as a little-endian GUID and two zero octets, 24 characters.
    #[must_use]
    pub fn opaque_id(self) -> String {
        let mut octets = [0; 18];
        octets[..16].copy_from_slice(&self.0.to_bytes_le());
        URL_SAFE_NO_PAD.encode(octets)
    }

    /// Reads what [`opaque_id`](Self::opaque_id) writes.
    pub fn from_opaque_id(id: &str) -> Result<Self, Error> {
        let mut octets = [0; 18];
        let length = URL_SAFE_NO_PAD.decode_slice(id, &mut octets);
        match (length, octets) {
            (Ok(18), [uuid @ .., 0, 0]) => Ok(Self(Uuid::from_bytes_le(uuid))),
            _ => Err(Error::OpaqueId),
        }
    }

    /// The value of the Contact parameter `+sip.instance`, quotes and all.
    #[must_use]
    pub fn to_param(self) -> String {
        format!("\"<{self}>\"")
    }
}

impl fmt::Display for Instance {
    /// `urn:uuid:` and the UUID in lower case.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "urn:uuid:{}", self.0)
    }
}

/// What tells the endpoints of one user apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndpointId {
    /// \[MS-SIPRE\] 3.2.5.
    Epid(Epid),
    /// \[MS-SIPRE\] 3.3.5.
    Instance(Instance),
}

/// One endpoint of one user: the index of a proxy's state (\[MS-SIPRE\] 3.2.5.2, 3.3.5.2).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointKey {
    /// The user.
    pub aor: Aor,
    /// Which of his endpoints.
    pub id: EndpointId,
}

impl EndpointKey {
    /// The endpoint that sent this request: AOR and epid of From. `None` when From names no user or has no valid epid.
    #[must_use]
    pub fn of_caller(request: &Message) -> Option<Self> {
        Self::of(&request.from_header().ok()?)
    }

    /// The endpoint that the message is for, or comes back from: AOR and epid of To.
    #[must_use]
    pub fn of_callee(message: &Message) -> Option<Self> {
        Self::of(&message.to_header().ok()?)
    }

    fn of(address: &NameAddr<'_>) -> Option<Self> {
        Some(Self {
            aor: address.uri().ok()?.as_sip()?.aor()?,
            id: EndpointId::Epid(Epid::parse(address.epid()?).ok()?),
        })
    }
}

/// Whether the instance that an endpoint gives must be the one derived from its epid (\[MS-SIPRE\] 3.3.5.2: SHOULD).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InstanceCheck {
    /// Refuse with 400 when they differ.
    #[default]
    Derived,
    /// Take what is given: some clients of other makers have instances of their own.
    Any,
}

/// Both names of a registering endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// From the From header.
    pub epid: Option<Epid>,
    /// From the Contact, or derived from the epid.
    pub instance: Instance,
}

impl Identity {
    /// Reads the identity of the endpoint that sends a REGISTER or a dialog-creating request.
    ///
    /// Refuses with 400: a malformed epid or instance, an instance that is not the derived one (see [`InstanceCheck`]), and a request that
    /// has neither (\[MS-SIPREGE\] 3.2.5).
    pub fn of_request(request: &Message, check: InstanceCheck) -> Result<Self, Refusal> {
        let from = request
            .from_header()
            .map_err(|_| Refusal::new(400, "malformed From"))?;
        let contact = request.contact().ok();
        Self::resolve(
            from.epid(),
            contact.as_ref().and_then(NameAddr::instance),
            check,
        )
    }

    /// The same for a response: the epid of To belongs to the sender.
    pub fn of_response(response: &Message, check: InstanceCheck) -> Result<Self, Refusal> {
        let to = response
            .to_header()
            .map_err(|_| Refusal::new(400, "malformed To"))?;
        let contact = response.contact().ok();
        Self::resolve(
            to.epid(),
            contact.as_ref().and_then(NameAddr::instance),
            check,
        )
    }

    /// Brings the two texts together.
    pub fn resolve(
        epid: Option<&str>,
        instance: Option<&str>,
        check: InstanceCheck,
    ) -> Result<Self, Refusal> {
        let epid = epid
            .map(Epid::parse)
            .transpose()
            .map_err(|_| Refusal::new(400, "malformed epid"))?;
        let given = instance
            .map(Instance::parse)
            .transpose()
            .map_err(|_| Refusal::new(400, "malformed +sip.instance"))?;
        let derived = epid.as_ref().map(Epid::instance);
        let instance = match (given, derived) {
            (Some(given), Some(derived)) if check == InstanceCheck::Derived && given != derived => {
                return Err(Refusal::new(400, "+sip.instance does not match the epid"));
            }
            (Some(given), _) => given,
            (None, Some(derived)) => derived,
            (None, None) => return Err(Refusal::new(400, "neither epid nor +sip.instance")),
        };
        Ok(Self { epid, instance })
    }
}
