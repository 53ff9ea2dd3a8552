//! The keys of transactions (RFC 3261 17.1.3, 17.2.3) as octets.
//!
//! A key is written into a buffer that is used again and again, so that a lookup needs no memory. Parts are
//! separated by NUL, which no header holds.

use std::net::IpAddr;

use super::Flow;
use crate::{Error, Message, Method};

const CLIENT: u8 = 0;
const SERVER: u8 = 1;
/// Requests without a branch of RFC 3261.
const LEGACY: u8 = 2;

fn flow(out: &mut Vec<u8>, flow: Flow) {
    match flow {
        Flow::Stream(id) => {
            out.push(0);
            out.extend(id.0.to_be_bytes());
        }
        Flow::Datagram(address) => {
            match address.ip() {
                IpAddr::V4(ip) => {
                    out.push(4);
                    out.extend(ip.octets());
                }
                IpAddr::V6(ip) => {
                    out.push(6);
                    out.extend(ip.octets());
                }
            }
            out.extend(address.port().to_be_bytes());
        }
    }
}

fn part(out: &mut Vec<u8>, text: &str) {
    out.extend(text.as_bytes());
    out.push(0);
}

fn lower_part(out: &mut Vec<u8>, text: &str) {
    out.extend(text.bytes().map(|c| c.to_ascii_lowercase()));
    out.push(0);
}

/// 17.1.3: the branch of the top Via and the method of CSeq. False when there is no branch.
pub(super) fn client(
    out: &mut Vec<u8>,
    on: Flow,
    message: &Message,
    method: &str,
) -> Result<bool, Error> {
    out.clear();
    let via = message.top_via()?;
    let Some(branch) = via.branch() else {
        return Ok(false);
    };
    out.push(CLIENT);
    flow(out, on);
    part(out, branch);
    part(out, method);
    Ok(true)
}

/// 17.2.3 with `method` in the place of the request's own: INVITE for an ACK and for what a CANCEL aims at.
///
/// By RFC 2543 the Request-URI counts too. It is left out: on one connection it adds nothing, and the ACK
/// of clients that omit the branch goes to the Contact of the answer (confirmed with SIPE 1.25). `with_to_tag` false leaves
/// out the To tag, which an ACK has and its INVITE had not.
pub(super) fn server(
    out: &mut Vec<u8>,
    on: Flow,
    message: &Message,
    method: &Method,
    with_to_tag: bool,
) -> Result<(), Error> {
    out.clear();
    let via = message.top_via()?;
    if let Some(branch) = via.unique_branch() {
        out.push(SERVER);
        flow(out, on);
        part(out, branch);
    } else {
        out.push(LEGACY);
        flow(out, on);
        part(out, message.call_id()?);
        out.extend(message.cseq()?.number.to_be_bytes());
        part(out, message.from_header()?.tag().unwrap_or(""));
        let to = message.to_header()?;
        part(out, to.tag().filter(|_| with_to_tag).unwrap_or(""));
    }
    lower_part(out, via.sent_by());
    part(out, method.as_str());
    Ok(())
}
