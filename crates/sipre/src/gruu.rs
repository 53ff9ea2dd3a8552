//! Globally routable user agent URIs (\[MS-SIPRE\] 2.2.2, 2.2.3).

use core::fmt;

use ocs_sip_core::Aor;
use ocs_sip_core::uri::SipUri;

use crate::{Error, Instance};

/// The value of the URI parameter `opaque` (\[MS-SIPRE\] 2.2.2), compared with case (inferred).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Opaque<'a> {
    /// `user:epid:<id>`: one registered endpoint. For others the id is a token without meaning; this
    /// system's is read by [`Opaque::instance`].
    UserEpid(&'a str),
    /// `app:voicemail`: the voice mail of the user (\[MS-EUMR\]).
    VoiceMail,
    /// `app:locationprofile:<what>`, `get` in practice: the dial plan service (2.2.8).
    LocationProfile(&'a str),
    /// `app:conf:focusfactory`: makes conferences.
    FocusFactory,
    /// `app:conf:<service>:id:<id>`: a conference or the conferencing server of one medium in it.
    Conference {
        /// `focus`, `chat`, `audio-video`, ...; see [`Opaque::conference_service`].
        service: &'a str,
        /// The conference id.
        id: &'a str,
    },
    /// `app:<name>`: any other application of the user.
    App(&'a str),
    /// `srvr:<Role>:<id>`: a server, whose FQDN is the user part.
    Server {
        /// `HomeServer`, `MediationServer`, `MRAS`, `QoSM`, ...
        role: &'a str,
        /// Which of them.
        id: &'a str,
    },
    /// Any other value.
    Other(&'a str),
}

/// The conferencing services that opaque values name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConferenceService {
    /// `focus`
    Focus,
    /// `chat`
    Chat,
    /// `audio-video` or `audiovideo`
    AudioVideo,
    /// `data-conf`
    DataConf,
    /// `phone-conf`
    PhoneConf,
    /// `applicationsharing`
    ApplicationSharing,
}

impl<'a> Opaque<'a> {
    /// Reads a value. Every text is one; what is not known is [`App`](Self::App) or [`Other`](Self::Other).
    #[must_use]
    pub fn parse(value: &'a str) -> Self {
        if let Some(id) = value.strip_prefix("user:epid:") {
            return Self::UserEpid(id);
        }
        if let Some(app) = value.strip_prefix("app:") {
            if app == "voicemail" {
                return Self::VoiceMail;
            }
            if let Some(what) = app.strip_prefix("locationprofile:") {
                return Self::LocationProfile(what);
            }
            if let Some(conference) = app.strip_prefix("conf:") {
                if conference == "focusfactory" {
                    return Self::FocusFactory;
                }
                if let Some((service, id)) = conference.split_once(":id:") {
                    return Self::Conference { service, id };
                }
            }
            return Self::App(app);
        }
        if let Some((role, id)) = value
            .strip_prefix("srvr:")
            .and_then(|server| server.split_once(':'))
        {
            return Self::Server { role, id };
        }
        Self::Other(value)
    }

    /// The instance of a `user:epid:` or `srvr:` value made by this system.
    pub fn instance(&self) -> Result<Instance, Error> {
        match self {
            Self::UserEpid(id) | Self::Server { id, .. } => Instance::from_opaque_id(id),
            _ => Err(Error::OpaqueId),
        }
    }

    /// Which conferencing service it names, if it is one of those known.
    #[must_use]
    pub fn conference_service(&self) -> Option<ConferenceService> {
        let Self::Conference { service, .. } = self else {
            return None;
        };
        match *service {
            "focus" => Some(ConferenceService::Focus),
            "chat" => Some(ConferenceService::Chat),
            "audio-video" | "audiovideo" => Some(ConferenceService::AudioVideo),
            "data-conf" => Some(ConferenceService::DataConf),
            "phone-conf" => Some(ConferenceService::PhoneConf),
            "applicationsharing" => Some(ConferenceService::ApplicationSharing),
            _ => None,
        }
    }
}

impl fmt::Display for Opaque<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UserEpid(id) => write!(f, "user:epid:{id}"),
            Self::VoiceMail => f.write_str("app:voicemail"),
            Self::LocationProfile(what) => write!(f, "app:locationprofile:{what}"),
            Self::FocusFactory => f.write_str("app:conf:focusfactory"),
            Self::Conference { service, id } => write!(f, "app:conf:{service}:id:{id}"),
            Self::App(name) => write!(f, "app:{name}"),
            Self::Server { role, id } => write!(f, "srvr:{role}:{id}"),
            Self::Other(value) => f.write_str(value),
        }
    }
}

/// A GRUU: a SIP URI with the flag `gruu` and an `opaque` value, in any order.
///
/// ```
/// use ocs_sipre::gruu::{Gruu, Opaque};
///
/// let gruu = Gruu::parse("sip:alice@contoso.com;gruu;opaque=app:conf:focus:id:3602")?;
/// assert_eq!(gruu.aor.as_str(), "alice@contoso.com");
/// assert_eq!(gruu.opaque, Opaque::Conference { service: "focus", id: "3602" });
/// # Ok::<(), ocs_sipre::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gruu<'a> {
    /// The user; for a server GRUU its FQDN at the domain.
    pub aor: Aor,
    /// What of him.
    pub opaque: Opaque<'a>,
    /// `grid`: a dialog or instance within a server GRUU; goes back unchanged.
    pub grid: Option<&'a str>,
    /// `default`: the user's own location profile (2.2.8, recalled).
    pub default_profile: bool,
    /// `phone-context`: the name of a location profile.
    pub phone_context: Option<&'a str>,
}

impl<'a> Gruu<'a> {
    /// Parses a URI that must be a GRUU.
    pub fn parse(uri: &'a str) -> Result<Self, Error> {
        Self::from_uri(&SipUri::parse(uri)?).ok_or(Error::Gruu)
    }

    /// The GRUU in a URI, or `None` when it is an ordinary one.
    #[must_use]
    pub fn from_uri(uri: &SipUri<'a>) -> Option<Self> {
        if !uri.is_gruu() {
            return None;
        }
        let params = uri.params();
        Some(Self {
            aor: uri.aor()?,
            opaque: Opaque::parse(uri.opaque()?),
            grid: params.get("grid"),
            default_profile: params.has("default"),
            phone_context: params.get("phone-context"),
        })
    }
}

/// The GRUU that the registrar gives to an endpoint (\[MS-SIPRE\] 3.4.5.1).
#[must_use]
pub fn endpoint_gruu(aor: &Aor, instance: Instance) -> String {
    let opaque = instance.opaque_id();
    format!("sip:{aor};opaque=user:epid:{opaque};gruu")
}

/// The GRUU of an application of `aor`, in the parameter order in which servers print them.
#[must_use]
pub fn application_gruu(aor: &Aor, opaque: &Opaque<'_>) -> String {
    format!("sip:{aor};gruu;opaque={opaque}")
}
