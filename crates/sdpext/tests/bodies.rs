//! Bodies of messages.

mod common;

use bytes::Bytes;
use common::{AUDIO_VIDEO, MULTIPART, MULTIPART_TYPE, caller, host, parse, rng};
use ocs_sdpext::body::{self, Body, SDP_TYPE};
use ocs_sdpext::negotiation::{Config, Refusal, Session, Stage, Stream, Verdict};
use ocs_sdpext::{Error, IceVersion, Limits, Name};
use ocs_sip_core::HeaderName;
use ocs_sip_core::mime::{MimeError, PartBuilder};

fn read(kind: &str, body: impl Into<Bytes>) -> Result<Body, Error> {
    Body::parse(kind, &body.into(), &Limits::default())
}

#[test]
fn one_description() {
    let body = read("application/SDP; charset=utf-8", AUDIO_VIDEO).unwrap();
    assert_eq!(body.best(|_| true).unwrap().sdp.as_str(), AUDIO_VIDEO);
    assert!(body.others.is_empty());
}

#[test]
fn an_offer_with_its_context() {
    let mut session = caller(Config::default());
    let old = "a=candidate:BJG5XDfUp7LbhulOKzU0MdyDFaXqTEkyPo9FoVQxwxY 1 DhULez4ppG6UIm8QTT2eNA UDP 0.830 192.0.2.1 50004\r\n";
    let transport = host(1, 50_004).with_ice(old).unwrap();
    let offer = session
        .offer_with_fallback(&mut rng(1), core::slice::from_ref(&transport))
        .unwrap();
    let versions = [&offer.fallback, &offer.full].map(|sdp| sdp.origin().unwrap().unwrap().version);
    assert_eq!(versions, [0, 1]);
    // The same keys, and nothing of Lync 2013.
    assert_eq!(common::key_of(&offer.fallback), common::key_of(&offer.full));
    for name in [
        Name::SsrcRange,
        Name::RtcpFb,
        Name::RtcpRsize,
        Name::Label,
        Name::Source,
        Name::RtcpMux,
        Name::IceUfrag,
    ] {
        assert!(!offer.fallback.media(0).unwrap().has(name), "{name:?}");
        assert!(offer.full.media(0).unwrap().has(name), "{name:?}");
    }
    assert_eq!(offer.fallback.attribute(Name::DeviceCaps), None);

    let (kind, inner) = body::alternative(&offer, None, "inner").unwrap();
    let context = PartBuilder::new("application/vnd.call-context", "<x/>");
    let (kind, outer) = body::mixed((&kind, inner), [context], false, "outer").unwrap();
    let body = read(&kind, outer).unwrap();
    assert_eq!(body.alternatives.len(), 2);
    assert_eq!(body.others[0].body(), "<x/>");
    assert_eq!(body.best(|_| true).unwrap().sdp, offer.full);
    let old = body
        .best(|sdp| sdp.ice_version() == IceVersion::V6)
        .unwrap();
    assert!(old.fallback_2007);
    assert_eq!(old.sdp, offer.fallback);

    // An old peer answers the old form.
    let mut peer = Session::new(Config::default());
    assert!(matches!(
        peer.handle_offer(old.sdp.clone()),
        Verdict::Open(_)
    ));
    let plan = Stream::audio(transport, common::range(2000, 1));
    peer.accept(0, plan).unwrap();
    let ocs_sdpext::negotiation::Answer::Accept(answer) = peer.answer(&mut rng(2)).unwrap() else {
        panic!("refused");
    };
    assert!(!answer.as_str().contains("rtcp-mux"));
    session.handle_answer(&answer, Stage::Final).unwrap();
    assert!(!session.negotiated(0).unwrap().rtcp_mux);
    let again = session.offer(&mut rng(1)).unwrap();
    assert!(
        !again.as_str().contains("rtcp-mux"),
        "constant over re-offers"
    );
    assert_eq!(again.origin().unwrap().unwrap().version, 2);
}

#[test]
fn multiplexed_streams_stand_in_the_full_form_only() {
    let mut session = Session::new(Config::default());
    for index in 0..2 {
        let ssrcs = common::range(1000 + 100 * index, 100);
        session.add(Stream::video(host(1, 50_010), ssrcs)).unwrap();
    }
    let fallback = [host(1, 50_012)];
    let offer = session.offer_with_fallback(&mut rng(1), &fallback).unwrap();
    assert_eq!(
        (offer.fallback.media_count(), offer.full.media_count()),
        (1, 2)
    );
    let mut peer = Session::new(Config::default());
    assert!(matches!(
        peer.handle_offer(offer.fallback),
        Verdict::Open(_)
    ));
    peer.accept(0, common::video(2)).unwrap();
    let ocs_sdpext::negotiation::Answer::Accept(answer) = peer.answer(&mut rng(2)).unwrap() else {
        panic!("refused");
    };
    session.handle_answer(&answer, Stage::Final).unwrap();
    assert_eq!(session.len(), 1, "the peer has never seen the other");
    let none = session.offer_with_fallback(&mut rng(1), &[]);
    assert_eq!(none, Err(Error::NoSuchStream { stream: 0 }));
}

/// \[MS-SDPEXT\] in the way of a file transfer: the request first, then the description.
#[test]
fn a_file_transfer() {
    let request = PartBuilder::new("application/ms-filetransfer+xml", "<request/>");
    let offer = (SDP_TYPE, Bytes::from_static(AUDIO_VIDEO.as_bytes()));
    let (kind, octets) = body::mixed(offer, [request], true, "b").unwrap();
    assert!(octets.starts_with(b"--b\r\nContent-Type: application/ms-filetransfer+xml\r\n"));
    let body = read(&kind, octets).unwrap();
    let kind = body.others[0].header(HeaderName::ContentType);
    assert_eq!(kind, Some("application/ms-filetransfer+xml"));
    assert_eq!(body.alternatives.len(), 1);
}

/// The fallback of SIPE says that there is none, and lacks lines; parts that nobody can read are passed over.
#[test]
fn parts_that_are_not_taken() {
    let parts = |first: &str, second: &str| {
        format!(
            "--b\r\nContent-Type: application/sdp\r\n\r\n{first}\r\n--b\r\nContent-Type: application/sdp\r\n\r\n{second}\r\n--b--\r\n"
        )
    };
    let kind = "multipart/alternative;boundary=b";
    let dummy = "o=- 0 0 IN IP4 1.2.3.4\r\ns=session\r\nc=IN IP4 1.2.3.4\r\nm=audio 0 RTP/AVP\r\n";
    let body = read(kind, parts(dummy, AUDIO_VIDEO)).unwrap();
    assert_eq!(body.alternatives.len(), 2);
    assert!(
        body.best(|sdp| sdp.ice_version() <= IceVersion::V6)
            .is_none()
    );
    let body = read(kind, parts(AUDIO_VIDEO, "v=9\r\n")).unwrap();
    assert_eq!(body.best(|_| true).unwrap().sdp, parse(AUDIO_VIDEO));
    assert_eq!(read(kind, parts("v=9", "v=9")).err(), Some(Error::Version));
}

#[test]
fn bodies_that_are_refused() {
    assert_eq!(read("text/plain", "x").err(), Some(Error::NoDescription));
    assert_eq!(read("/", "x").err(), Some(Error::NoDescription));
    let empty = "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n";
    assert_eq!(
        read("multipart/mixed;boundary=b", empty).err(),
        Some(Error::NoDescription)
    );
    let cut = &MULTIPART[..MULTIPART.len() - 8];
    let error = read(MULTIPART_TYPE, cut).unwrap_err();
    assert_eq!(error, Error::Mime(MimeError::Unterminated));
    assert_eq!(Refusal::of(&error), Refusal::UNSUPPORTED_BODY);
    assert_eq!(
        Refusal::of(&Error::Version),
        Refusal::UNSUPPORTED_DESCRIPTION
    );
    // Many descriptions, and multiparts in multiparts.
    let part = "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";
    let many = part.repeat(9) + "--b--\r\n";
    let limit = 8;
    assert_eq!(
        read("multipart/mixed;boundary=b", many).err(),
        Some(Error::TooManyAlternatives { limit })
    );
    let mut body = Bytes::from_static(b"v=0\r\n");
    let mut kind = SDP_TYPE.to_owned();
    for depth in 0..5 {
        (kind, body) = body::mixed((&kind, body), [], false, &format!("b{depth}x")).unwrap();
    }
    assert_eq!(
        read(&kind, body).err(),
        Some(Error::Mime(MimeError::TooDeep))
    );
}
