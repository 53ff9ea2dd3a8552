//! Via (RFC 3261 20.42) with the parameters of \[MS-SIPRE\] 2.2.6.

use super::HeaderValue;
use crate::Transport;
use crate::params::Params;
use crate::syntax::{is_token, parse_u32, short_find, token_len, trim, white_len};
use crate::uri::Host;

/// The start of every branch that RFC 3261 makes (8.1.1.7).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

/// One Via value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Via<'a> {
    version: &'a str,
    transport: &'a str,
    host: Host<'a>,
    sent_by: &'a str,
    port: Option<u16>,
    params: Params<'a>,
}

impl<'a> Via<'a> {
    /// The transport token as written, which may be one that this crate does not know.
    #[must_use]
    pub const fn transport_text(&self) -> &'a str {
        self.transport
    }

    /// The transport, if it is one of ours.
    #[must_use]
    pub fn transport(&self) -> Option<Transport> {
        self.transport.parse().ok()
    }

    /// The host of `sent-by`.
    #[must_use]
    pub const fn host(&self) -> Host<'a> {
        self.host
    }

    /// The port of `sent-by`, if one is written.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The text of `sent-by`, host and port.
    #[must_use]
    pub const fn sent_by(&self) -> &'a str {
        self.sent_by
    }

    /// The parameters.
    #[must_use]
    pub const fn params(&self) -> Params<'a> {
        self.params
    }

    /// The branch, if there is one.
    #[must_use]
    pub fn branch(&self) -> Option<&'a str> {
        self.params
            .get("branch")
            .filter(|branch| !branch.is_empty())
    }

    /// The branch if it is unique by the rules of RFC 3261: it starts with the magic cookie, in any case, and has more than it.
    #[must_use]
    pub fn unique_branch(&self) -> Option<&'a str> {
        self.branch().filter(|branch| {
            branch.len() > MAGIC_COOKIE.len()
                && branch
                    .get(..MAGIC_COOKIE.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(MAGIC_COOKIE))
        })
    }

    /// `received`: the address the request came from (RFC 3261 18.2.1).
    #[must_use]
    pub fn received(&self) -> Option<&'a str> {
        self.params.get("received")
    }

    /// `ms-received-port`: the port the request came from.
    #[must_use]
    pub fn ms_received_port(&self) -> Option<u16> {
        let port = parse_u32(self.params.get("ms-received-port")?)?;
        u16::try_from(port).ok()
    }

    /// `ms-received-cid`: the server's id of the connection that the request came on.
    #[must_use]
    pub fn ms_received_cid(&self) -> Option<&'a str> {
        self.params.get("ms-received-cid")
    }

    /// `branched`: whether this proxy forked the request.
    #[must_use]
    pub fn branched(&self) -> Option<bool> {
        let value = self.params.get("branched")?;
        if value.eq_ignore_ascii_case("TRUE") {
            Some(true)
        } else {
            value.eq_ignore_ascii_case("FALSE").then_some(false)
        }
    }

    /// `ms-internal-info`: private to the server that wrote it; goes back unchanged.
    #[must_use]
    pub fn ms_internal_info(&self) -> Option<&'a str> {
        self.params.get("ms-internal-info")
    }

    /// Whether the version is `2.0`.
    #[must_use]
    pub fn is_version_2(&self) -> bool {
        self.version == "2.0"
    }
}

impl<'a> HeaderValue<'a> for Via<'a> {
    /// `sent-protocol LWS sent-by *( SEMI via-params )`; white space may stand around the slashes.
    fn parse_value(value: &'a str) -> Option<Self> {
        let slash = short_find(value.as_bytes(), b'/')?;
        let (name, rest) = (&value[..slash], &value[slash + 1..]);
        if !trim(name).eq_ignore_ascii_case("SIP") {
            return None;
        }
        let slash = short_find(rest.as_bytes(), b'/')?;
        let version = trim(&rest[..slash]);
        let rest = trim(&rest[slash + 1..]);
        let (transport, rest) = rest.split_at(token_len(rest));
        let space = white_len(rest.as_bytes());
        if !is_token(version) || transport.is_empty() || space == 0 {
            return None;
        }
        let rest = &rest[space..];
        let (host, port, end) = Host::read(rest).ok()?;
        let (sent_by, params) = rest.split_at(end);
        let sent_by = trim(sent_by);
        Some(Self {
            version,
            transport,
            host,
            sent_by,
            port,
            params: Params::parse(params)?,
        })
    }
}
