//! `ocs-sip-core`.

use bytes::Bytes;
use ocs_sip_core::header::{AuthHeader, NameAddr, SessionExpires, Via};
use ocs_sip_core::uri::{Host, SipUri};
use ocs_sip_core::{Error, HeaderName, Limits, Message};

use crate::Summary;

/// Parses one message from a slice, as if it had just been read, and makes the typed views.
pub fn parse(octets: &[u8]) -> Result<Summary, Error> {
    let message = Message::parse(Bytes::copy_from_slice(octets), &Limits::default())?;
    summarize(&message)
}

fn summarize(message: &Message) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    for via in message.parse_all::<Via<'_>>(HeaderName::Via) {
        let via = via?;
        if summary.vias == 0 {
            summary.branch = len(via.branch());
        }
        summary.vias += 1;
        summary.via_ports += via.port().map_or(0, u32::from);
    }
    let from = message.from_header()?;
    summary.from_user = len(from.uri()?.as_sip().and_then(SipUri::user));
    summary.from_tag = len(from.tag());
    summary.from_epid = len(from.epid());
    summary.to_host = match message.to_header()?.uri()?.as_sip().map(SipUri::host) {
        Some(Host::Name(name)) => len(Some(name)),
        _ => 0,
    };
    summary.call_id = len(Some(message.call_id()?));
    summary.cseq = message.cseq()?.number;
    summary.contact_user = len(message.contact()?.uri()?.as_sip().and_then(SipUri::user));
    for route in message.parse_all::<NameAddr<'_>>(HeaderName::Route) {
        summary.routes += 1;
        let port = route?.uri()?.as_sip().and_then(SipUri::port);
        summary.route_ports += port.map_or(0, u32::from);
    }
    summary.request_user = len(message
        .parsed_request_uri()?
        .as_sip()
        .and_then(SipUri::user));
    summary.body = message.body().len() as u32;
    Ok(summary)
}

/// Like [`parse`], and then every other header that has a typed view: what the C peers do unasked.
pub fn parse_everything(octets: &[u8]) -> Result<Summary, Error> {
    let message = Message::parse(Bytes::copy_from_slice(octets), &Limits::default())?;
    let mut seen = 0;
    for name in [HeaderName::RecordRoute, HeaderName::PAssertedIdentity] {
        for value in message.parse_all::<NameAddr<'_>>(name) {
            seen += len(Some(value?.uri()?.as_str()));
        }
    }
    for name in [
        HeaderName::Supported,
        HeaderName::Allow,
        HeaderName::AcceptLanguage,
    ] {
        seen += message.values(name).count() as u32;
    }
    for name in [HeaderName::MaxForwards, HeaderName::MinSe] {
        seen += message.number(name)?.unwrap_or(0);
    }
    for auth in message.auth(HeaderName::Authorization) {
        let auth: AuthHeader<'_> = auth?;
        seen += auth.params().count() as u32;
    }
    let expires: Option<SessionExpires<'_>> = message.optional(HeaderName::SessionExpires)?;
    seen += expires.map_or(0, |expires| expires.seconds);
    seen += message
        .content_type()?
        .map_or(0, |kind| len(Some(kind.essence)));
    std::hint::black_box(seen);
    summarize(&message)
}

fn len(text: Option<&str>) -> u32 {
    text.map_or(0, str::len) as u32
}
