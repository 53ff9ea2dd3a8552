//! `ezk-sip-types` 0.6.

use std::error::Error;

use bytes::Bytes;
use ezk_sip_types::header::typed::{CSeq, CallID, Contact, FromTo, Routing, Via};
use ezk_sip_types::host::Host;
use ezk_sip_types::msg::{Line, MessageLine, PullParser};
use ezk_sip_types::parse::Parse;
use ezk_sip_types::uri::{SipUri, SipUriUserPart};
use ezk_sip_types::{Headers, Name};

use crate::Summary;

/// Parses one message from a slice, as if it had just been read, and makes the typed views.
pub fn parse(octets: &[u8]) -> Result<Summary, Box<dyn Error>> {
    let source = Bytes::copy_from_slice(octets);
    let mut parser = PullParser::new(&source, 0);
    let mut start = None;
    let mut headers = Headers::new();
    for line in &mut parser {
        let line = std::str::from_utf8(line.map_err(|_| "incomplete")?)?;
        if start.is_none() {
            let (_, line) = MessageLine::parse(&source)(line).map_err(|_| "start line")?;
            start = Some(line);
        } else {
            let (_, line) = Line::parse(&source, line).map_err(|_| "header")?;
            headers.insert(line.name, line.value);
        }
    }
    let body = source.slice(parser.head_end()..);

    let vias: Vec<Via> = headers.get_named()?;
    let from: FromTo = headers.get(Name::FROM)?;
    let to: FromTo = headers.get(Name::TO)?;
    let call_id: CallID = headers.get_named()?;
    let cseq: CSeq = headers.get_named()?;
    let contact: Contact = headers.get_named()?;
    let routes: Vec<Routing> = headers.get(Name::ROUTE)?;
    Ok(Summary {
        vias: vias.len() as u32,
        via_ports: vias
            .iter()
            .filter_map(|via| via.sent_by.port)
            .map(u32::from)
            .sum(),
        branch: vias
            .first()
            .and_then(|via| via.params.get_val("branch"))
            .map_or(0, |branch| len(branch)),
        from_user: user(&from.uri.uri),
        from_tag: from.tag.as_deref().map_or(0, len),
        from_epid: from.params.get_val("epid").map_or(0, |epid| len(epid)),
        to_host: match &to.uri.uri.host_port.host {
            Host::Name(name) => len(name),
            _ => 0,
        },
        call_id: len(&call_id.0),
        cseq: cseq.cseq,
        contact_user: user(&contact.uri.uri),
        routes: routes.len() as u32,
        route_ports: routes
            .iter()
            .filter_map(|route| route.uri.uri.host_port.port)
            .map(u32::from)
            .sum(),
        request_user: match &start {
            Some(MessageLine::Request(line)) => user(&line.uri),
            _ => 0,
        },
        body: body.len() as u32,
    })
}

fn user(uri: &SipUri) -> u32 {
    match &uri.user_part {
        SipUriUserPart::User(user) => len(user),
        _ => 0,
    }
}

fn len(text: &str) -> u32 {
    text.len() as u32
}
