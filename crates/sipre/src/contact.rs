//! `proxy=replace`: the first server puts the address that it sees into the Contact (\[MS-SIPRE\] 2.2.5, 3.4.5.2).
//!
//! A client behind an address translator cannot know its own address, and one that means ill
//! could name somebody else's. Nothing of host and port of a client's Contact survives.

use std::fmt::Write;
use std::net::IpAddr;

use ocs_sip_core::header::NameAddr;
use ocs_sip_core::uri::{Host, SipUri};
use ocs_sip_core::{HeaderName, Message, Transport};

use crate::Refusal;
use crate::flow::{Flow, Peer};

/// What became of the Contact of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyReplace {
    /// No Contact has a `proxy` parameter; the message is as it was.
    Absent,
    /// The Contact now leads to the connection on which the message came.
    Replaced,
    /// The request must be refused.
    Refuse(Refusal),
    /// The response must be dropped.
    Discard,
}

/// Does what `proxy=replace` asks for, before anything else looks at the message.
///
/// The first hop of a request is told by its single Via (step 1). A response on its way back carries the Via values of
/// all hops before, so there it is told by `flow`: only what comes straight from a client is rewritten.
pub fn replace_proxy(message: &mut Message, flow: &Flow) -> ProxyReplace {
    let contacts = || message.values(HeaderName::Contact);
    // Reading a Contact costs a walk over its parameters; most have no such parameter.
    if !contacts().any(|value| NameAddr::parse(value).is_ok_and(|c| c.params().has("proxy"))) {
        return ProxyReplace::Absent;
    }
    let refuse = |reason| {
        if message.is_request() {
            ProxyReplace::Refuse(Refusal::new(400, reason))
        } else {
            ProxyReplace::Discard
        }
    };
    let first_hop = if message.is_request() {
        message.values(HeaderName::Via).nth(1).is_none()
    } else {
        flow.peer == Peer::Client
    };
    if !first_hop {
        return refuse("proxy parameter beyond the first hop");
    }
    let mut out = String::new();
    for value in contacts() {
        if !out.is_empty() {
            out.push_str(", ");
        }
        let Ok(contact) = NameAddr::parse(value) else {
            return refuse("malformed Contact");
        };
        let Some(proxy) = contact.params().get("proxy") else {
            out.push_str(value);
            continue;
        };
        if !proxy.trim_matches('"').eq_ignore_ascii_case("replace") {
            return refuse("proxy parameter is not replace");
        }
        if let Err(reason) = rewrite(&contact, value, flow, &mut out) {
            return refuse(reason);
        }
    }
    message.set(HeaderName::Contact, &out);
    ProxyReplace::Replaced
}

/// Steps 3 to 8 for one Contact.
fn rewrite(
    contact: &NameAddr<'_>,
    value: &str,
    flow: &Flow,
    out: &mut String,
) -> Result<(), &'static str> {
    // The printed examples have blanks before URI parameters.
    let text: String = contact.uri_text().chars().filter(|c| *c != ' ').collect();
    let uri = SipUri::parse(&text).map_err(|_| "malformed Contact URI")?;
    if let Some(transport) = uri.params().get("transport") {
        let named: Option<Transport> = transport.parse().ok();
        if named != Some(flow.transport) {
            return Err("transport of the Contact is not that of the connection");
        }
    }
    if contact.is_bracketed()
        && let Some(open) = display_end(value)
    {
        out.push_str(&value[..open]);
    }
    out.push('<');
    out.push_str(if uri.is_secure() { "sips:" } else { "sip:" });
    if let Some(user) = uri.user() {
        out.push_str(user);
        out.push('@');
    }
    let far = Host::Address(flow.remote.ip());
    let has_maddr = uri.params().has("maddr");
    let host_is_name = matches!(uri.host(), Host::Name(_));
    let host = if has_maddr || host_is_name {
        uri.host()
    } else {
        far
    };
    // Writing to a String cannot fail.
    let _ = write!(out, "{host}:{}", flow.remote.port());
    for param in uri.params().iter() {
        if param.name.eq_ignore_ascii_case("maddr") {
            let _ = write!(out, ";maddr={far}");
        } else if !param.name.eq_ignore_ascii_case("ms-received-cid") {
            push_param(out, param.name, param.value);
        }
    }
    if !has_maddr && host_is_name {
        let _ = write!(out, ";maddr={far}");
    }
    let _ = write!(out, ";ms-received-cid={}", flow.connection);
    if let Some(headers) = uri.headers() {
        let _ = write!(out, "?{headers}");
    }
    out.push('>');
    for param in contact.params().iter() {
        if !param.name.eq_ignore_ascii_case("proxy") {
            push_param(out, param.name, param.value);
        }
    }
    Ok(())
}

/// Where the bracket opens: after the display name, which may be quoted and hold one.
fn display_end(value: &str) -> Option<usize> {
    let mut escaped = false;
    let mut quoted = false;
    value.find(|c| {
        match c {
            '"' if !escaped => quoted = !quoted,
            '<' if !quoted => return true,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        false
    })
}

pub(crate) fn push_param(out: &mut String, name: &str, value: Option<&str>) {
    out.push(';');
    out.push_str(name);
    if let Some(value) = value {
        out.push('=');
        out.push_str(value);
    }
}

/// The text of an address in `received` and `maddr`: IPv6 in brackets (\[MS-SIPRE\] follows RFC 3261 25.1).
pub(crate) fn address_text(address: IpAddr) -> String {
    Host::Address(address).to_string()
}
