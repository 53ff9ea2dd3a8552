//! SIP in ladder diagrams.

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use ocs_sip_core::framing::{Frame as SipFrame, Framer};
use ocs_sip_core::{HeaderName, Limits, Message};

use crate::{Dissector, Flow, Frame, Opaque};

/// Makes a SIP dissector for each direction of each connection; for
/// [`Testbed::set_dissector`](crate::Testbed::set_dissector).
///
/// Requests are labelled with their method, responses with their status line and, in brackets, the method
/// that they answer. The detail says what the authentication headers do (\[MS-SIPAE\]). After an accepted
/// NEGOTIATE the packets of \[MS-SIPCOMP\] are opened; the detail then has their length.
pub fn sip_dissectors() -> impl FnMut(&Flow) -> Box<dyn Dissector> {
    let compressed = Rc::new(RefCell::new(HashSet::new()));
    move |flow| {
        let ends = (flow.source, flow.destination);
        let ends = ends.min((ends.1, ends.0));
        // Both directions get their dissectors before the first byte: what an earlier connection of
        // the same addresses agreed on is over.
        compressed.borrow_mut().remove(&ends);
        Box::new(SipDissector {
            ends,
            compressed: Rc::clone(&compressed),
            framer: Framer::new(Limits::default()),
            decoder: None,
            wire: 0,
        })
    }
}

type Ends = (SocketAddr, SocketAddr);

struct SipDissector {
    ends: Ends,
    /// Connections on which NEGOTIATE was accepted, shared by both directions.
    compressed: Rc<RefCell<HashSet<Ends>>>,
    framer: Framer,
    decoder: Option<ocs_sipcomp::Decoder>,
    /// Compressed bytes since the last message.
    wire: usize,
}

impl SipDissector {
    fn frames(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.framer.poll_frame() {
            match frame {
                Ok(SipFrame::Message(message)) => {
                    frames.push(describe(&message));
                    if self.decoder.is_none() && accepts_compression(&message) {
                        self.compressed.borrow_mut().insert(self.ends);
                        let rest = self.framer.take_rest();
                        frames.extend(self.feed(&rest));
                    }
                }
                Ok(SipFrame::KeepAlive) => frames.push(Frame {
                    label: "CRLF CRLF".into(),
                    detail: Some("keep-alive".into()),
                    text: Bytes::from_static(b"\r\n\r\n"),
                }),
                Ok(SipFrame::Malformed { error, .. }) => frames.push(Frame {
                    label: "malformed".into(),
                    detail: Some(error.to_string()),
                    text: Bytes::new(),
                }),
                Err(error) => frames.push(Frame {
                    label: "not SIP".into(),
                    detail: Some(error.to_string()),
                    text: Bytes::new(),
                }),
            }
        }
        frames
    }

    fn decompress(&mut self, data: &[u8]) -> Vec<Frame> {
        let mut frames = Vec::new();
        let mut rest = data;
        while let Some(decoder) = &mut self.decoder {
            let before = rest;
            let chunk = decoder.next_chunk(&mut rest);
            let more = matches!(chunk, Ok(Some(_)));
            match chunk {
                Ok(chunk) => self.framer.push(chunk.unwrap_or_default()),
                Err(_) => frames.push(Opaque::frame(before)),
            }
            self.wire += before.len() - rest.len();
            if !more {
                break;
            }
            for mut frame in self.frames() {
                let mark = match core::mem::take(&mut self.wire) {
                    // In the same packet as the message before.
                    0 => "compressed".to_owned(),
                    length => format!("{length} bytes compressed"),
                };
                frame.detail = Some(match frame.detail.take() {
                    Some(detail) => format!("{detail}, {mark}"),
                    None => mark,
                });
                frames.push(frame);
            }
        }
        frames
    }
}

impl Dissector for SipDissector {
    fn feed(&mut self, data: &[u8]) -> Vec<Frame> {
        if self.decoder.is_none() && self.compressed.borrow().contains(&self.ends) {
            self.decoder = Some(ocs_sipcomp::Decoder::default());
        }
        if self.decoder.is_some() {
            return self.decompress(data);
        }
        if self.framer.is_lost() {
            return vec![Opaque::frame(data)];
        }
        self.framer.push(data);
        self.frames()
    }

    fn finish(&mut self) -> Option<Frame> {
        let length = self.framer.buffered();
        (length > 0).then(|| Frame {
            label: "incomplete".into(),
            detail: Some(format!("{length} bytes")),
            text: self.framer.take_rest(),
        })
    }
}

fn accepts_compression(message: &Message) -> bool {
    message.status() == Some(200)
        && message.header(HeaderName::Compression).is_some()
        && message
            .cseq()
            .is_ok_and(|cseq| cseq.method_text == "NEGOTIATE")
}

fn describe(message: &Message) -> Frame {
    let label = match (message.method(), message.status()) {
        (Some(method), _) => method.to_string(),
        (None, status) => {
            let cseq = message.cseq();
            let method = cseq.as_ref().map_or("?", |cseq| cseq.method_text);
            format!(
                "{} {} ({method})",
                status.unwrap_or_default(),
                message.reason().unwrap_or_default()
            )
        }
    };
    Frame {
        label,
        detail: signature(message),
        text: message.to_bytes(),
    }
}

/// What the authentication headers say, in a word or two.
fn signature(message: &Message) -> Option<String> {
    use HeaderName::{
        AuthenticationInfo, Authorization, ProxyAuthenticate, ProxyAuthenticationInfo,
        ProxyAuthorization, WwwAuthenticate,
    };
    let headers = [
        Authorization,
        ProxyAuthorization,
        AuthenticationInfo,
        ProxyAuthenticationInfo,
        WwwAuthenticate,
        ProxyAuthenticate,
    ];
    headers.into_iter().find_map(|name| {
        let auth = message.auth(name).next()?.ok()?;
        let scheme = auth.scheme_text();
        let token = match auth.get("gssapi-data") {
            Some("") => Some("start"),
            Some(_) => Some("token"),
            None => None,
        };
        let signed = auth.get("response").is_some() || auth.get("rspauth").is_some();
        Some(match (token, signed) {
            (Some(token), true) => format!("{scheme} {token}, signed"),
            (Some(token), false) => format!("{scheme} {token}"),
            (None, true) => "signed".into(),
            (None, false) => format!("{scheme} offered"),
        })
    })
}
