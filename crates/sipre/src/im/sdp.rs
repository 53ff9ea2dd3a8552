//! The session description of an IM session: `m=message`. Full SDP is another crate's.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr};

use super::Limits;
use crate::Error;

/// The Content-Type of the description.
pub const SDP_TYPE: &str = "application/sdp";

/// The types that SIPE 1.25 accepts, and with `multipart/alternative` also Lync.
pub const DEFAULT_ACCEPT_TYPES: [&str; 7] = [
    "text/plain",
    "text/html",
    "image/gif",
    "multipart/alternative",
    "application/im-iscomposing+xml",
    "application/ms-imdn+xml",
    "text/x-msmsgsinvite",
];

/// The media name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ImMedia {
    /// `message`: Office Communications Server 2007 and later.
    #[default]
    Message,
    /// `x-ms-message`: Live Communications Server 2005.
    XMsMessage,
}

impl ImMedia {
    /// The token on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::XMsMessage => "x-ms-message",
        }
    }
}

/// Offer or answer of an IM session. No media connection is made: texts are MESSAGE requests in the dialog.
///
/// ```
/// use ocs_sipre::im::{ImSdp, Limits};
///
/// let answer = ImSdp::new("192.0.2.1".parse().unwrap(), 5061).with_target("sip:bob@contoso.com");
/// assert!(answer.to_string().contains("m=message 5061 sip sip:bob@contoso.com\r\n"));
/// assert_eq!(ImSdp::parse(answer.to_string().as_bytes(), &Limits::default())?, answer);
/// # Ok::<(), ocs_sipre::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImSdp {
    /// The address in `o=` and `c=`; nobody connects to it. 0.0.0.0 when it could not be read.
    pub address: IpAddr,
    /// Any port but 0, which refuses the session.
    pub port: u16,
    /// `message` or `x-ms-message`.
    pub media: ImMedia,
    /// The URI after `sip`; an offer has `null`.
    pub target: Option<String>,
    /// `a=accept-types`.
    pub accept_types: Vec<String>,
}

impl ImSdp {
    /// A description with [`DEFAULT_ACCEPT_TYPES`] and without target: an offer.
    #[must_use]
    pub fn new(address: IpAddr, port: u16) -> Self {
        Self {
            address,
            port,
            media: ImMedia::Message,
            target: None,
            accept_types: DEFAULT_ACCEPT_TYPES.map(String::from).into(),
        }
    }

    /// The same with a target: an answer.
    #[must_use]
    pub fn with_target(mut self, uri: &str) -> Self {
        self.target = Some(uri.to_owned());
        self
    }

    /// Whether the peer takes bodies of this type.
    #[must_use]
    pub fn accepts(&self, essence: &str) -> bool {
        self.accept_types
            .iter()
            .any(|accepted| accepted.eq_ignore_ascii_case(essence) || accepted == "*")
    }

    /// Reads the first IM media of a description. Lines that are not needed may be anything.
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Self, Error> {
        let text = core::str::from_utf8(body).map_err(|_| Error::Sdp("not UTF-8"))?;
        if !text.trim_start().starts_with("v=0") {
            return Err(Error::Sdp("no v=0 line"));
        }
        let mut found: Option<Self> = None;
        let mut address = None;
        for line in text.lines() {
            let line = line.trim_end();
            if let Some(media) = line.strip_prefix("m=") {
                if found.is_some() {
                    break;
                }
                found = parse_media(media)?;
            } else if let Some(connection) = line.strip_prefix("c=") {
                address = connection
                    .split_ascii_whitespace()
                    .nth(2)
                    .and_then(|host| host.parse().ok())
                    .or(address);
            } else if let Some(types) = line.strip_prefix("a=accept-types:")
                && let Some(sdp) = &mut found
            {
                let room = limits.accept_types.saturating_sub(sdp.accept_types.len());
                sdp.accept_types
                    .extend(types.split_ascii_whitespace().take(room).map(String::from));
            }
        }
        let mut sdp = found.ok_or(Error::Sdp("no m=message line"))?;
        if let Some(address) = address {
            sdp.address = address;
        }
        Ok(sdp)
    }
}

/// `message <port> sip <target>`; `None` for other media.
fn parse_media(line: &str) -> Result<Option<ImSdp>, Error> {
    let mut words = line.split_ascii_whitespace();
    let media = match words.next() {
        Some("message") => ImMedia::Message,
        Some("x-ms-message") => ImMedia::XMsMessage,
        _ => return Ok(None),
    };
    let port = words
        .next()
        .and_then(|port| port.split('/').next()?.parse().ok())
        .ok_or(Error::Sdp("bad port in the m= line"))?;
    if words.next().is_none_or(|p| !p.eq_ignore_ascii_case("sip")) {
        return Err(Error::Sdp("protocol of the m= line is not sip"));
    }
    let target = words.next().filter(|uri| !uri.eq_ignore_ascii_case("null"));
    Ok(Some(ImSdp {
        address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        port,
        media,
        target: target.map(String::from),
        accept_types: Vec::new(),
    }))
}

impl fmt::Display for ImSdp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.address;
        let family = if address.is_ipv4() { "IP4" } else { "IP6" };
        write!(
            f,
            "v=0\r\no=- 0 0 IN {family} {address}\r\ns=session\r\nc=IN {family} {address}\r\nt=0 0\r\n\
             m={} {} sip {}\r\n",
            self.media.as_str(),
            self.port,
            self.target.as_deref().unwrap_or("null"),
        )?;
        if !self.accept_types.is_empty() {
            write!(f, "a=accept-types:{}\r\n", self.accept_types.join(" "))?;
        }
        Ok(())
    }
}
