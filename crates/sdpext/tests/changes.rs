//! What later offers change: hold, directions, candidates, streams.

mod common;

use common::{again, answer, audio, call, connected, host, old, open, parse, range, rng, video};
use ocs_sdpext::attribute::{Direction, Feedback, Label, VideoCap};
use ocs_sdpext::codec::Codec;
use ocs_sdpext::negotiation::{
    Config, Refusal, Session, Stage, Stream, Transport, Verdict, Violation,
};
use ocs_sdpext::{Error, IceVersion, Name, Sdp};

#[test]
fn hold_and_retrieve() {
    let (mut one, mut other) = connected();
    let key = one.negotiated(0).unwrap().srtp.clone();
    one.hold();
    let (offer, answer) = again(&mut one, &mut other);
    assert!(offer.as_str().contains("a=inactive\r\n"));
    assert!(answer.as_str().contains("a=inactive\r\n"));
    assert_ne!(offer.media(0).unwrap().line().unwrap().port, 0);
    assert_eq!(other.negotiated(0).unwrap().direction, Direction::Inactive);
    assert!(other.negotiated(0).unwrap().remote.on_hold);
    assert_eq!(one.negotiated(0).unwrap().srtp, key, "keys stay");
    one.resume();
    let (offer, answer) = again(&mut one, &mut other);
    // Said once, because the last said something else.
    assert!(offer.as_str().contains("a=sendrecv\r\n"));
    assert!(answer.as_str().contains("a=sendrecv\r\n"));
    assert_eq!(one.negotiated(0).unwrap().direction, Direction::SendRecv);
    assert!(!other.negotiated(0).unwrap().remote.on_hold);
    let (offer, answer) = again(&mut one, &mut other);
    assert!(!offer.as_str().contains("a=sendrecv"));
    assert!(!answer.as_str().contains("a=sendrecv"));
    // Both hold: one retrieves, and it stays silent.
    one.hold();
    again(&mut one, &mut other);
    other.hold();
    again(&mut other, &mut one);
    one.resume();
    again(&mut one, &mut other);
    assert_eq!(one.negotiated(0).unwrap().direction, Direction::Inactive);
    other.resume();
    again(&mut other, &mut one);
    assert_eq!(one.negotiated(0).unwrap().direction, Direction::SendRecv);
}

#[test]
fn directions_are_answered_by_their_opposites() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    for (offered, expected) in [
        (SendOnly, RecvOnly),
        (RecvOnly, SendOnly),
        (Inactive, Inactive),
        (SendRecv, SendRecv),
    ] {
        let (mut one, mut other) = connected();
        one.stream_mut(0).unwrap().direction = offered;
        let (_, answer) = again(&mut one, &mut other);
        assert_eq!(answer.media(0).unwrap().direction().unwrap(), expected);
        assert_eq!(one.negotiated(0).unwrap().direction, offered);
    }
    // Hold of gateways: the address 0.0.0.0. It is answered, and nothing is sent.
    let (mut one, mut other) = connected();
    let text = one
        .offer(&mut rng(1))
        .unwrap()
        .as_str()
        .replace("IP4 192.0.2.1", "IP4 0.0.0.0");
    open(&mut other, &parse(&text));
    let sdp = answer(&mut other);
    assert_eq!(sdp.media(0).unwrap().direction().unwrap(), RecvOnly);
    assert!(other.negotiated(0).unwrap().remote.on_hold);
}

#[test]
fn the_second_offer_has_the_selected_candidates() {
    let (mut one, mut other) = connected();
    let port = |sdp: &Sdp| sdp.media(0).unwrap().line().unwrap().port;
    let selected = "a=ice-ufrag:tlMR\r\na=ice-pwd:FuwpNRsfT4UaOKa0ivlnB0n4\r\n\
        a=candidate:1 1 UDP 2130706431 192.0.2.1 50052 typ host\r\n\
        a=candidate:1 2 UDP 2130705918 192.0.2.1 50053 typ host\r\n\
        a=remote-candidates:1 192.0.2.2 50000 2 192.0.2.2 50001\r\n";
    let transport = Transport::new("192.0.2.1:50052".parse().unwrap());
    one.stream_mut(0).unwrap().transport = transport.with_ice(selected).unwrap();
    let before = one.local().unwrap().origin().unwrap().unwrap().version;
    let (offer, _) = again(&mut one, &mut other);
    assert_eq!(port(&offer), 50_052);
    let media = offer.media(0).unwrap();
    assert_eq!(media.ice_lines(false), selected);
    assert_eq!(media.line().unwrap().protocol, "RTP/SAVP");
    assert_eq!(media.crypto().unwrap().len(), 1);
    assert!(media.has(Name::RtcpMux));
    assert_eq!(offer.origin().unwrap().unwrap().version, before + 1);
    // The same again has the same version.
    let (same, _) = again(&mut one, &mut other);
    assert_eq!(same, offer);
    // A line that is not of ICE does not come in by this way.
    let transport = Transport::new("192.0.2.1:50052".parse().unwrap());
    let wrong = transport
        .clone()
        .with_ice("a=candidate:x\r\na=inactive\r\n");
    assert_eq!(
        wrong,
        Err(Error::InvalidField {
            of: "ice",
            field: "line"
        })
    );
    assert!(transport.with_ice("m=audio 1 RTP/AVP 0\r\n").is_err());
}

#[test]
fn candidates_of_ipv6_have_a_name_of_their_own() {
    let values = |lines: &str| {
        let transport = Transport::new("192.0.2.1:50000".parse().unwrap());
        let transport = transport.with_ice(lines).unwrap();
        let mut session = Session::new(Config::default());
        session
            .add(Stream::audio(transport, range(1000, 1)))
            .unwrap();
        let offer = session.offer(&mut rng(1)).unwrap();
        let media = offer.media(0).unwrap();
        [Name::Candidate, Name::CandidateIpv6].map(|name| {
            let values = media.values(name);
            values.map(str::to_owned).collect::<Vec<_>>().join("/")
        })
    };
    let four = "1 1 UDP 2130706431 192.0.2.1 50000 typ srflx raddr 2001:db8::2 rport 5000";
    let six = "2 1 UDP 2130705919 2001:db8::1 50000 typ host";
    let lines = format!("a=candidate:{four}\r\na=candidate:{six}\r\n");
    assert_eq!(values(&lines), [four, six]);
    let lines = format!("a=candidate:{four}\r\na=x-candidate-ipv6:{six}\r\n");
    assert_eq!(values(&lines), [four, six]);
    // The fifth field of draft 6 is no address.
    let old = "dXNlcg 1 cGFzc3dvcmQ UDP 0:83 2001:db8::1 50000";
    assert_eq!(values(&format!("a=candidate:{old}\r\n")), [old, ""]);
}

#[test]
fn candidates_of_two_drafts_do_not_meet() {
    let stream = |transport| Stream::audio(transport, range(1000, 1));
    let plain = |side: u8| Transport::new(format!("192.0.2.{side}:50000").parse().unwrap());
    for (offered, planned, version, expected) in [
        (host(1, 5000), host(2, 5000), IceVersion::V19, true),
        (host(1, 5000), old(2, 5000), IceVersion::V19, false),
        (host(1, 5000), plain(2), IceVersion::V19, true),
        (old(1, 5000), host(2, 5000), IceVersion::V6, false),
        (old(1, 5000), old(2, 5000), IceVersion::V6, true),
        (old(1, 5000), plain(2), IceVersion::V6, true),
        (plain(1), host(2, 5000), IceVersion::None, true),
        (plain(1), old(2, 5000), IceVersion::None, true),
    ] {
        let mut one = Session::new(Config::default());
        one.add(stream(offered)).unwrap();
        one.add(video(1)).unwrap();
        let mut other = Session::new(Config::default());
        let streams = open(&mut other, &one.offer(&mut rng(1)).unwrap());
        assert_eq!(streams[0].ice, version);
        other.accept(0, stream(planned)).unwrap();
        other.accept(1, video(2)).unwrap();
        let sdp = answer(&mut other);
        assert!(!sdp.media(1).unwrap().line().unwrap().is_rejected());
        let rejected = sdp.media(0).unwrap().line().unwrap().is_rejected();
        assert_eq!(rejected, !expected, "{version:?}");
        let obstacle = rejected.then_some(Violation::IceCandidates);
        assert_eq!(other.obstacle(0), obstacle);
    }
    assert_eq!(Violation::IceCandidates.code(), Some(9));
}

#[test]
fn video_is_added_refused_and_removed() {
    let (mut one, mut other) = connected();
    assert_eq!(one.add(video(1)), Ok(1));
    // Refused: the place stays.
    let (_, answer) = again(&mut one, &mut other);
    assert_eq!(answer.media_count(), 2);
    assert!(answer.media(1).unwrap().line().unwrap().is_rejected());
    assert!(one.stream(1).is_none() && one.negotiated(1).is_none());
    assert!(one.negotiated(0).is_some());
    // Added again, from the other side, in the same place.
    assert_eq!(other.add(video(2)), Ok(1));
    let offer = other.offer(&mut rng(2)).unwrap();
    let streams = open(&mut one, &offer);
    assert!(streams[0].planned && !streams[1].planned);
    assert_eq!(streams[1].label, Some(Label::MainVideo));
    one.accept(1, video(1)).unwrap();
    let sdp = self::answer(&mut one);
    other.handle_answer(&sdp, Stage::Final).unwrap();
    let agreed = other.negotiated(1).unwrap();
    assert_eq!(agreed.formats[0].codec, Codec::H264Uc);
    assert_eq!(agreed.remote.video_caps, VideoCap::CLIENT);
    assert!(agreed.feedback_send.contains(Feedback::XPli));
    // Removed.
    other.remove(1).unwrap();
    let (offer, answer) = again(&mut other, &mut one);
    for sdp in [offer, answer] {
        let line = sdp.media(1).unwrap().line().unwrap().to_string();
        assert!(line.starts_with("video 0 RTP/AVP 122"), "{line}");
    }
    assert!(one.negotiated(1).is_none() && one.negotiated(0).is_some());
    // Fewer lines than before, or others, are no offer of this session.
    let text = other.local().unwrap().as_str().to_owned();
    let short = parse(text.split("m=video").next().unwrap());
    assert_eq!(
        one.handle_offer(short),
        Verdict::Refused(Refusal::UNSUPPORTED_DESCRIPTION)
    );
    let other_kind = parse(&text.replace("m=audio", "m=data"));
    assert_eq!(
        one.handle_offer(other_kind),
        Verdict::Refused(Refusal::UNSUPPORTED_DESCRIPTION)
    );
}

#[test]
fn a_place_is_free_when_the_peer_knows() {
    let (mut one, mut other) = connected();
    one.add(video(1)).unwrap();
    call(&mut one, &mut other, vec![audio(2), video(2)]);
    one.remove(1).unwrap();
    assert_eq!(one.add(video(1)), Ok(2), "another stream is there still");
    one.remove(2).unwrap();
    again(&mut one, &mut other);
    assert_eq!(one.add(video(1)), Ok(1));
}

/// The address 0.0.0.0 would be hold, and SIPE reads the one of `o=`.
#[test]
fn a_description_without_streams_has_an_address() {
    let (mut one, mut other) = connected();
    one.remove(0).unwrap();
    let (offer, answer) = again(&mut one, &mut other);
    for (sdp, address) in [(offer, "192.0.2.1"), (answer, "192.0.2.2")] {
        let text = sdp.as_str();
        assert!(text.contains(&format!("c=IN IP4 {address}\r\n")), "{text}");
        assert!(text.contains(&format!(" IN IP4 {address}\r\ns=")), "{text}");
    }
}
