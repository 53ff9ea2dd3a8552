//! Messages of a real client and of the server it talked to: all are read, pass the checks, and are written out octet for octet.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use ocs_sip_core::framing::{Frame, Framer};
use ocs_sip_core::header::{Identities, NameAddr, TextFormat, Via};
use ocs_sip_core::mime::{MimeLimits, Multipart};
use ocs_sip_core::{HeaderName, Limits, Message, Method};

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "sip") {
            files.push(path);
        }
    }
}

fn check_all(directory: &Path) -> usize {
    let mut files = Vec::new();
    collect(directory, &mut files);
    let mut stream = Vec::new();
    let mut messages = Vec::new();
    for path in &files {
        let octets = Bytes::from(std::fs::read(path).unwrap());
        stream.extend_from_slice(&octets);
        let message = Message::parse(octets.clone(), &Limits::default())
            .unwrap_or_else(|error| panic!("{error}: {}", path.display()));
        message
            .check()
            .unwrap_or_else(|error| panic!("{error}: {}", path.display()));
        assert_eq!(message.to_bytes(), octets, "{}", path.display());
        for via in message.parse_all::<Via<'_>>(HeaderName::Via) {
            via.unwrap();
        }
        for contact in message.parse_all::<NameAddr<'_>>(HeaderName::Contact) {
            contact.unwrap().uri().unwrap();
        }
        if let Some(kind) = message.content_type().unwrap()
            && kind.main_type().eq_ignore_ascii_case("multipart")
        {
            let multipart =
                Multipart::parse(&kind, message.body(), &MimeLimits::default()).unwrap();
            assert!(multipart.root().is_some(), "{}", path.display());
        }
        for name in [
            HeaderName::WwwAuthenticate,
            HeaderName::ProxyAuthenticate,
            HeaderName::Authorization,
            HeaderName::ProxyAuthorization,
            HeaderName::AuthenticationInfo,
            HeaderName::ProxyAuthenticationInfo,
        ] {
            assert!(
                message
                    .auth(name)
                    .all(|auth| auth.is_ok_and(|auth| auth.scheme().is_some()))
            );
        }
        messages.push(message);
    }
    // All sessions as one stream, octet by octet with keep-alives between.
    let mut framer = Framer::new(Limits::default());
    let mut framed = Vec::new();
    for octet in stream.chunks(1) {
        framer.push(octet);
        while let Some(frame) = framer.poll_frame() {
            match frame.unwrap() {
                Frame::Message(message) => framed.push(message),
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(framer.is_idle());
    assert!(framed == messages);
    files.len()
}

#[test]
fn the_kept_messages() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/captures");
    assert_eq!(check_all(&directory), 26);
}

#[test]
fn a_larger_set_when_there_is_one() {
    if let Some(directory) = std::env::var_os("OCSPROTO_CAPTURES") {
        assert!(check_all(Path::new(&directory)) > 0);
    }
}

fn kept(name: &str) -> Message {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/captures")
        .join(name);
    Message::parse(std::fs::read(path).unwrap().into(), &Limits::default()).unwrap()
}

#[test]
fn an_invite_of_an_im_session() {
    let invite = kept("im-053-S2C-bob-INVITE.sip");
    assert_eq!(invite.method(), Some(&Method::Invite));
    let Identities { sip, tel, .. } = invite.identities();
    assert_eq!(sip, Some("sip:alice@contoso.com"));
    assert!(tel.is_some_and(|tel| tel.starts_with("tel:+")));
    let text: TextFormat<'_> = invite.parse_first(HeaderName::MsTextFormat).unwrap();
    assert!(text.content_type.is("text/plain"));
    assert!(text.msgr().is_some());
    let body = text.decoded_body().unwrap();
    assert!(std::str::from_utf8(&body).is_ok_and(|text| !text.is_empty()));
}
