//! `rsip` 0.4.

use ::rsip::Host;
use ::rsip::headers::ToTypedHeader;
use ::rsip::headers::UntypedHeader;
use ::rsip::headers::typed::{Contact, From, To};
use ::rsip::message::HeadersExt;
use ::rsip::{Error, Header, Param, Request};

use crate::Summary;

/// Parses one message from a slice and makes the typed views.
///
/// The values of URI parameters are cut at the first character that is no token.
pub fn parse(octets: &[u8]) -> Result<Summary, Error> {
    let request = Request::try_from(octets)?;
    let mut summary = Summary::default();
    for header in request.headers.iter() {
        match header {
            Header::Via(via) => {
                let via = via.typed()?;
                if summary.vias == 0 {
                    summary.branch = via.branch().map_or(0, |branch| len(branch.value()));
                }
                summary.vias += 1;
                summary.via_ports += port(&via.uri);
            }
            Header::Route(route) => {
                for route in route.typed()?.uris() {
                    summary.routes += 1;
                    summary.route_ports += port(&route.uri);
                }
            }
            _ => {}
        }
    }
    let from: From = request.from_header()?.typed()?;
    summary.from_user = from.uri.user().map_or(0, len);
    summary.from_tag = from.tag().map_or(0, |tag| len(tag.value()));
    summary.from_epid = from
        .params
        .iter()
        .find_map(|param| match param {
            Param::Other(name, Some(value)) if name.value().eq_ignore_ascii_case("epid") => {
                Some(len(value.value()))
            }
            _ => None,
        })
        .unwrap_or(0);
    let to: To = request.to_header()?.typed()?;
    summary.to_host = match to.uri.host() {
        Host::Domain(name) => len(name.value()),
        Host::IpAddr(_) => 0,
    };
    summary.call_id = len(request.call_id_header()?.value());
    summary.cseq = request.cseq_header()?.typed()?.seq;
    let contact: Contact = request.contact_header()?.typed()?;
    summary.contact_user = contact.uri.user().map_or(0, len);
    summary.request_user = request.uri.user().map_or(0, len);
    summary.body = request.body.len() as u32;
    Ok(summary)
}

fn port(uri: &::rsip::Uri) -> u32 {
    uri.port().map_or(0, |port| u32::from(*port.value()))
}

fn len(text: &str) -> u32 {
    text.len() as u32
}
