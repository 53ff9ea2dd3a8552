//! Via on the receiving side, the own Via, and the way back of a response (\[MS-SIPRE\] 2.2.6, RFC 3261 18.2).

use std::fmt::Write;
use std::net::IpAddr;

use ocs_sip_core::header::MAGIC_COOKIE;
use ocs_sip_core::syntax::quote_into;
use ocs_sip_core::uri::Host;
use ocs_sip_core::{ConnectionId, HeaderName, Message, Transport};
use rand_core::Rng;

use crate::Refusal;
use crate::contact::{address_text, push_param};
use crate::flow::{Flow, parse_cid};

/// Puts what the socket shows onto the topmost Via of a request: `received` when `sent-by` is not the far address,
/// `ms-received-port`, and `ms-received-cid`. What the sender wrote there itself is taken off.
pub fn stamp_received(request: &mut Message, flow: &Flow) -> Result<(), Refusal> {
    let via = request
        .top_via()
        .map_err(|_| Refusal::new(400, "malformed Via"))?;
    let mut out = String::with_capacity(192);
    out.push_str("SIP/2.0/");
    out.push_str(via.transport_text());
    out.push(' ');
    out.push_str(via.sent_by());
    for param in via.params().iter() {
        let stamped = ["received", "ms-received-port", "ms-received-cid"]
            .iter()
            .any(|name| param.name.eq_ignore_ascii_case(name));
        if !stamped {
            push_param(&mut out, param.name, param.value);
        }
    }
    let far = flow.remote.ip().to_canonical();
    if via.host() != Host::Address(far) {
        // RFC 3261 25.1 writes an IPv6 address here without brackets.
        let _ = write!(out, ";received={far}");
    }
    let _ = write!(
        out,
        ";ms-received-port={};ms-received-cid={}",
        flow.remote.port(),
        flow.connection
    );
    request.replace_first_value(HeaderName::Via, &out);
    Ok(())
}

/// The Via that a server of this system puts on a request that it forwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnVia<'a> {
    /// The transport to the next hop.
    pub transport: Transport,
    /// Own host and port.
    pub sent_by: &'a str,
    /// The branch; see [`new_branch`].
    pub branch: &'a str,
    /// Whether the request went to several places (`branched=TRUE`): the caller learns from it that others ring too.
    pub branched: bool,
    /// `ms-internal-info`: comes back unchanged. See [`RouteKey::seal_via`](crate::route::RouteKey::seal_via).
    pub internal_info: Option<&'a str>,
}

impl OwnVia<'_> {
    /// Puts it before all other Via values.
    pub fn push(&self, request: &mut Message) {
        self.with_parts(|parts| request.push_parts_front(HeaderName::Via, parts));
    }

    /// Gives its text in parts, which stand one behind the other.
    fn with_parts<R>(&self, act: impl FnOnce(&[&str]) -> R) -> R {
        let mut info = String::new();
        if let Some(text) = self.internal_info {
            info.push_str(";ms-internal-info=");
            quote_into(text, &mut info);
        }
        act(&[
            "SIP/2.0/",
            self.transport.as_via(),
            " ",
            self.sent_by,
            ";branch=",
            self.branch,
            ";branched=",
            if self.branched { "TRUE" } else { "FALSE" },
            &info,
        ])
    }
}

impl core::fmt::Display for OwnVia<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.with_parts(|parts| parts.iter().try_for_each(|part| f.write_str(part)))
    }
}

/// A branch that RFC 3261 8.1.1.7 calls unique: the magic cookie and 16 hexadecimal digits.
#[must_use]
pub fn new_branch<R: Rng + ?Sized>(rng: &mut R) -> String {
    format!("{MAGIC_COOKIE}{:016X}", rng.next_u64())
}

/// Takes the topmost Via off a response when it is the server's own: its `sent-by` is `sent_by`, without case.
///
/// Gives the text of the Via. `None` means that the response is not for this server, and must be dropped (RFC 3261 16.7 step 3).
pub fn pop_own(response: &mut Message, sent_by: &str) -> Option<String> {
    let own = response
        .top_via()
        .is_ok_and(|via| via.sent_by().eq_ignore_ascii_case(sent_by));
    if !own {
        return None;
    }
    response.remove_first_value(HeaderName::Via)
}

/// Where a response goes after the own Via was taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseRoute<'a> {
    /// The connection on which the request came. When it is gone, drop the response.
    Connection(ConnectionId),
    /// The next Via names no connection: the sender's address (RFC 3261 18.2.2).
    Address {
        /// `received`, or the host of `sent-by`.
        host: Host<'a>,
        /// `ms-received-port`, or the port of `sent-by`, or the default of the transport.
        port: u16,
        /// The transport of the Via.
        transport: Transport,
    },
    /// There is no Via left, or one that cannot be read: drop the response.
    None,
}

/// Reads the way back off the topmost Via.
///
/// This is for stateless forwarding between servers. A proxy that holds transactions knows from which connection the request came and
/// should use that: a callee can change the Via values below its own proxy's.
#[must_use]
pub fn response_route(response: &Message) -> ResponseRoute<'_> {
    let Ok(via) = response.top_via() else {
        return ResponseRoute::None;
    };
    if let Some(cid) = via.ms_received_cid() {
        return parse_cid(cid).map_or(ResponseRoute::None, ResponseRoute::Connection);
    }
    let Some(transport) = via.transport() else {
        return ResponseRoute::None;
    };
    let host = match via.received() {
        None => via.host(),
        Some(text) => match text.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => Host::Address(address),
            Err(_) => return ResponseRoute::None,
        },
    };
    let port = via
        .ms_received_port()
        .or(via.port())
        .unwrap_or(transport.default_port());
    ResponseRoute::Address {
        host,
        port,
        transport,
    }
}

/// Text of `sent-by` for an address and port.
#[must_use]
pub fn sent_by(address: IpAddr, port: u16) -> String {
    format!("{}:{port}", address_text(address))
}
