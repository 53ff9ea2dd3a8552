//! Two sessions that talk to each other, and one that talks to recordings.

mod common;

use common::{audio, caller, host, parse, range, rng, video};
use ocs_sdpext::attribute::{
    ContentFlow, Direction, Feedback, Label, Setup, SharingRole, VideoCap,
};
use ocs_sdpext::codec::Codec;
use ocs_sdpext::negotiation::{
    Answer, Answered, Config, EncryptionPolicy, LabelBandwidth, NegotiatedFormat, OfferedStream,
    Order, Refusal, Session, Sharing, Stage, Stream, StreamKind, Transport, Verdict, Violation,
};
use ocs_sdpext::{Error, IceVersion, Name, Sdp};

fn open(session: &mut Session, offer: &Sdp) -> Vec<OfferedStream> {
    match session.handle_offer(offer.clone()) {
        Verdict::Open(streams) => streams,
        Verdict::Refused(refusal) => panic!("{refusal:?}"),
    }
}

fn answer(session: &mut Session) -> Sdp {
    match session.answer(&mut rng(2)).unwrap() {
        Answer::Accept(sdp) => sdp,
        Answer::Refuse(refusal) => panic!("{refusal:?}"),
    }
}

fn refused(session: &mut Session) -> Refusal {
    match session.answer(&mut rng(2)).unwrap() {
        Answer::Accept(sdp) => panic!("{sdp}"),
        Answer::Refuse(refusal) => refusal,
    }
}

/// Offers, accepts with these streams, and takes the answer.
fn call(caller: &mut Session, callee: &mut Session, streams: Vec<Stream>) -> (Sdp, Sdp) {
    let offer = caller.offer(&mut rng(1)).unwrap();
    open(callee, &offer);
    for (index, stream) in streams.into_iter().enumerate() {
        callee.accept(index, stream).unwrap();
    }
    let answer = answer(callee);
    assert_eq!(
        caller.handle_answer(&answer, Stage::Final),
        Ok(Answered::New)
    );
    (offer, answer)
}

fn connected() -> (Session, Session) {
    let (mut one, mut other) = (caller(Config::default()), Session::new(Config::default()));
    call(&mut one, &mut other, vec![audio(2)]);
    (one, other)
}

/// A re-offer that the other side answers as it stands.
fn again(one: &mut Session, other: &mut Session) -> (Sdp, Sdp) {
    call(one, other, Vec::new())
}

#[test]
fn a_call_of_audio() {
    let (one, other) = connected();
    let (ours, theirs) = (one.negotiated(0).unwrap(), other.negotiated(0).unwrap());
    assert_eq!(ours.direction, Direction::SendRecv);
    assert_eq!(ours.label, Some(Label::MainAudio));
    // The first line that both can take: the one with an identifier. Each sends with its own key.
    let (a, b) = (ours.srtp.as_ref().unwrap(), theirs.srtp.as_ref().unwrap());
    assert_eq!((a.tag, b.tag), (2, 2));
    assert_eq!((&a.local, &a.remote), (&b.remote, &b.local));
    assert_ne!(a.local.master, a.remote.master);
    assert!(ours.rtcp_mux && theirs.rtcp_mux);
    assert!(ours.feedback_send.contains(Feedback::Dsh));
    assert!(theirs.feedback_recv.contains(Feedback::Dsh));
    assert_eq!(ours.remote.ssrc_range, Some(range(2000, 1)));
    assert_eq!(ours.remote.rtp, Some("192.0.2.2:50000".parse().unwrap()));
    assert_eq!(ours.remote.ice, IceVersion::V19);
    assert_eq!(
        (ours.remote.ptime, ours.remote.max_ptime),
        (Some(20), Some(200))
    );
    let first = ours.formats[0];
    assert_eq!(
        first,
        NegotiatedFormat {
            codec: Codec::G722Stereo,
            send: 117,
            receive: 117
        }
    );
    // The answer is in SAVP with one key.
    let answer = one.remote().unwrap();
    let media = answer.media(0).unwrap();
    assert_eq!(media.line().unwrap().protocol, "RTP/SAVP");
    assert_eq!(media.crypto().unwrap().len(), 1);
    assert_eq!(answer.as_str(), other.local().unwrap().as_str());
}

#[test]
fn formats_are_those_that_both_have() {
    let mut one = Session::new(Config::default());
    let mut stream = audio(1).with_codecs(&[
        Codec::SilkWide,
        Codec::Siren,
        Codec::Pcmu,
        Codec::Red,
        Codec::TelephoneEvent,
    ]);
    stream.formats[1].payload_type = 96;
    one.add(stream).unwrap();
    let mut other = Session::new(Config::default());
    let theirs = [
        Codec::TelephoneEvent,
        Codec::Pcmu,
        Codec::Siren,
        Codec::G722,
    ];
    let mut plan = audio(2).with_codecs(&theirs);
    // A number of its own that the offer uses for another format.
    plan.formats[3].payload_type = 96;
    let (_, answer) = call(&mut one, &mut other, vec![plan]);
    let formats = |session: &Session| -> Vec<(Codec, u8, u8)> {
        let formats = &session.negotiated(0).unwrap().formats;
        formats
            .iter()
            .map(|f| (f.codec, f.send, f.receive))
            .collect()
    };
    let common = [
        (Codec::Siren, 96, 96),
        (Codec::Pcmu, 0, 0),
        (Codec::TelephoneEvent, 101, 101),
    ];
    assert_eq!(formats(&one), common);
    assert_eq!(formats(&other), common);
    assert_eq!(answer.media(0).unwrap().line().unwrap().formats, "96 0 101");
    // From now on the number stands for the peer's format; ours that had it is gone.
    let numbers: Vec<u8> = other
        .stream(0)
        .unwrap()
        .formats
        .iter()
        .map(|f| f.payload_type)
        .collect();
    assert_eq!(numbers, [101, 0, 96]);
    // The other order.
    let mut other = Session::new(Config::default());
    one.abandon();
    let offer = one.offer(&mut rng(1)).unwrap();
    open(&mut other, &offer);
    let plan = Stream {
        order: Order::Own,
        ..audio(2).with_codecs(&theirs)
    };
    other.accept(0, plan).unwrap();
    let answer = common::parse(self::answer(&mut other).as_str());
    assert_eq!(answer.media(0).unwrap().line().unwrap().formats, "101 0 96");
}

#[test]
fn redundancy_and_events_alone_are_no_media() {
    let mut one = Session::new(Config::default());
    one.add(audio(1).with_codecs(&[Codec::SilkWide, Codec::Red, Codec::TelephoneEvent]))
        .unwrap();
    let offer = one.offer(&mut rng(1)).unwrap();
    let mut other = Session::new(Config::default());
    open(&mut other, &offer);
    let plan = audio(2).with_codecs(&[Codec::Pcmu, Codec::Red, Codec::TelephoneEvent]);
    other.accept(0, plan).unwrap();
    assert_eq!(refused(&mut other), Refusal::NO_COMMON_MEDIA);
    // Nothing is left of it.
    assert!(other.is_empty() && other.is_stable());
}

#[test]
fn encryption_follows_the_policies_of_both() {
    use EncryptionPolicy::{DoNotSupport, Require, Support};
    let config = |encryption| Config {
        encryption,
        ..Config::default()
    };
    let cases = [
        (Require, Require, Some(true)),
        (Require, Support, Some(true)),
        (Require, DoNotSupport, None),
        (Support, Require, Some(true)),
        (Support, Support, Some(true)),
        (Support, DoNotSupport, Some(false)),
        (DoNotSupport, Require, None),
        (DoNotSupport, Support, Some(false)),
        (DoNotSupport, DoNotSupport, Some(false)),
    ];
    for (offerer, answerer, expected) in cases {
        let mut one = caller(config(offerer));
        let mut other = Session::new(config(answerer));
        let offer = one.offer(&mut rng(1)).unwrap();
        let secure = offer.media(0).unwrap().line().unwrap().protocol == "RTP/SAVP";
        assert_eq!(secure, offerer == Require);
        open(&mut other, &offer);
        other.accept(0, audio(2)).unwrap();
        let Some(expected) = expected else {
            assert_eq!(
                refused(&mut other),
                Refusal::ENCRYPTION,
                "{offerer:?} {answerer:?}"
            );
            continue;
        };
        let answer = answer(&mut other);
        one.handle_answer(&answer, Stage::Final).unwrap();
        for session in [&one, &other] {
            let srtp = &session.negotiated(0).unwrap().srtp;
            assert_eq!(srtp.is_some(), expected, "{offerer:?} {answerer:?}");
        }
        // Later offers say the same.
        let (offer, _) = again(&mut one, &mut other);
        let media = offer.media(0).unwrap();
        assert_eq!(
            media.line().unwrap().profile().unwrap().is_secure(),
            expected
        );
        assert_eq!(media.crypto().unwrap().len(), usize::from(expected));
    }
}

#[test]
fn the_attribute_of_version_1() {
    let config = |encryption| Config {
        encryption,
        encryption_attribute: true,
        ..Config::default()
    };
    let offer = caller(config(EncryptionPolicy::Require))
        .offer(&mut rng(1))
        .unwrap();
    assert_eq!(
        offer.media(0).unwrap().attribute(Name::Encryption),
        Some("required")
    );
    let offer = caller(config(EncryptionPolicy::DoNotSupport))
        .offer(&mut rng(1))
        .unwrap();
    assert_eq!(
        offer.media(0).unwrap().attribute(Name::Encryption),
        Some("rejected")
    );
    let mut other = Session::new(config(EncryptionPolicy::Require));
    open(&mut other, &offer);
    other.accept(0, audio(2)).unwrap();
    let refusal = refused(&mut other);
    assert_eq!(refusal, Refusal::ENCRYPTION);
    let warning = "308 lcs.microsoft.com \"Encryption Levels not compatible\"";
    assert_eq!(refusal.warning, Some(warning));
}

/// An offer of SIPE has one line without identifier; an answer to it must have a lifetime and no identifier.
#[test]
fn a_peer_without_identifiers() {
    let mut one = caller(Config {
        mki: false,
        ..Config::default()
    });
    let offer = one.offer(&mut rng(1)).unwrap();
    let mut other = Session::new(Config::default());
    open(&mut other, &offer);
    other.accept(0, audio(2)).unwrap();
    let answer = answer(&mut other);
    let line = answer.media(0).unwrap().attribute(Name::Crypto).unwrap();
    assert!(line.starts_with("3 AES_CM_128_HMAC_SHA1_80 inline:"));
    assert!(line.ends_with("|2^31"), "{line}");
    one.handle_answer(&answer, Stage::Final).unwrap();
    // And we, without identifiers, pass over the line that has one.
    let mut one = caller(Config::default());
    let offer = one.offer(&mut rng(1)).unwrap();
    let mut other = Session::new(Config {
        mki: false,
        ..Config::default()
    });
    open(&mut other, &offer);
    other.accept(0, audio(2)).unwrap();
    let sdp = self::answer(&mut other);
    one.handle_answer(&sdp, Stage::Final).unwrap();
    assert_eq!(one.negotiated(0).unwrap().srtp.as_ref().unwrap().tag, 3);
}

#[test]
fn session_parameters_of_a_key() {
    for (parameter, tag) in [
        ("", 2),
        (" -x=1", 2),
        (" KDR=1", 3),
        (" -x UNENCRYPTED_SRTP", 3),
        (" UNENCRYPTED_SRTCP", 3),
        (" UNAUTHENTICATED_SRTP", 3),
    ] {
        let offer = caller(Config::default()).offer(&mut rng(1)).unwrap();
        let offer = offer
            .as_str()
            .replace("|1:1\r\n", &format!("|1:1{parameter}\r\n"));
        let mut other = Session::new(Config::default());
        open(&mut other, &parse(&offer));
        other.accept(0, audio(2)).unwrap();
        answer(&mut other);
        let srtp = other.negotiated(0).unwrap().srtp.clone().unwrap();
        assert_eq!(srtp.tag, tag, "{parameter}");
    }
}

#[test]
fn other_suites_are_passed_over() {
    for suite in ["AES_CM_128_HMAC_SHA1_32", "F8_128_HMAC_SHA1_80", "NULL"] {
        let offer = caller(Config::default()).offer(&mut rng(1)).unwrap();
        let (from, to) = (
            "crypto:2 AES_CM_128_HMAC_SHA1_80",
            format!("crypto:2 {suite}"),
        );
        assert!(offer.as_str().contains(from));
        let mut other = Session::new(Config::default());
        open(&mut other, &parse(&offer.as_str().replace(from, &to)));
        other.accept(0, audio(2)).unwrap();
        answer(&mut other);
        let srtp = other.negotiated(0).unwrap().srtp.clone().unwrap();
        assert_eq!(srtp.tag, 3, "{suite}");
    }
}

/// What one side sends with its key, the other reads with what it was told, and nobody else.
#[test]
fn keys_protect_the_packets_of_a_call() {
    use ocs_srtp::{Error, Receiver, ReceiverConfig, Sender, SenderConfig};
    let packet = *b"\x80\x72\x00\x01\x00\x00\x00\xa0\x00\x00\x03\xe8speech";
    for mki in [true, false] {
        let config = Config {
            mki,
            ..Config::default()
        };
        let (mut one, mut other) = (caller(config), Session::new(Config::default()));
        call(&mut one, &mut other, vec![audio(2)]);
        let keys = |session: &Session| session.negotiated(0).unwrap().srtp.clone().unwrap();
        let (a, b) = (keys(&one), keys(&other));
        for (local, remote, reflected) in [
            (&a.local, &b.remote, &b.local),
            (&b.local, &a.remote, &a.local),
        ] {
            let mut sender = Sender::new(SenderConfig::default(), local);
            let mut protected = packet.to_vec();
            protected.resize(packet.len() + sender.rtp_overhead(), 0);
            sender.protect_rtp(&mut protected, packet.len()).unwrap();
            assert_eq!(sender.rtp_overhead(), 10 + usize::from(mki));
            let receive = |key| {
                let mut receiver = Receiver::new(ReceiverConfig::default());
                receiver.add_key(key).unwrap();
                let mut octets = protected.clone();
                let len = receiver.unprotect_rtp(&mut octets)?.len;
                octets.truncate(len);
                Ok(octets)
            };
            assert_eq!(receive(remote), Ok(packet.to_vec()));
            assert_eq!(receive(reflected), Err(Error::AuthenticationFailed));
        }
    }
}

#[test]
fn scale_keys_between_client_and_server_only() {
    use ocs_sdpext::attribute::ScaleRole::{Client, Server};
    let config = |scale| Config {
        scale,
        ..Config::default()
    };
    for (one, other, tag) in [
        (Some(Client), Some(Server), 1),
        (Some(Server), Some(Client), 1),
        (Some(Client), Some(Client), 2),
        (Some(Client), None, 2),
        (None, Some(Server), 2),
    ] {
        let (mut a, mut b) = (caller(config(one)), Session::new(config(other)));
        call(&mut a, &mut b, vec![audio(2)]);
        let (a, b) = (a.negotiated(0).unwrap(), b.negotiated(0).unwrap());
        let (a, b) = (a.srtp.as_ref().unwrap(), b.srtp.as_ref().unwrap());
        assert_eq!((a.tag, b.tag), (tag, tag));
        assert_eq!(
            (a.scale, b.scale),
            if tag == 1 { (one, other) } else { (None, None) }
        );
    }
    // One without identifier is not taken.
    let offer = caller(config(Some(Client))).offer(&mut rng(1)).unwrap();
    let text = offer.as_str().replacen("|1:1\r\n", "\r\n", 1);
    let mut other = Session::new(config(Some(Server)));
    open(&mut other, &parse(&text));
    other.accept(0, audio(2)).unwrap();
    answer(&mut other);
    let srtp = other.negotiated(0).unwrap().srtp.as_ref().unwrap();
    assert_eq!((srtp.tag, srtp.scale), (2, None));
}

#[test]
fn answers_that_do_not_fit() {
    let replaced = |from: &str, to: &str| {
        let (mut one, mut other) = (caller(Config::default()), Session::new(Config::default()));
        let offer = one.offer(&mut rng(1)).unwrap();
        open(&mut other, &offer);
        other.accept(0, audio(2)).unwrap();
        let text = answer(&mut other).as_str().to_owned();
        assert!(text.contains(from), "{text}");
        let result = one.handle_answer(&parse(&text.replace(from, to)), Stage::Final);
        // Still on its way, and still answerable.
        assert!(!one.is_stable() && one.negotiated(0).is_none());
        one.handle_answer(&parse(&text), Stage::Final).unwrap();
        result.unwrap_err()
    };
    let violation = |violation| Error::Violation {
        stream: 0,
        violation,
    };
    assert_eq!(
        replaced("a=crypto:2 ", "a=crypto:1 "),
        violation(Violation::SrtpNegotiation)
    );
    assert_eq!(
        replaced("a=crypto:2 AES_CM_128", "a=crypto:2 AES_CM_999"),
        violation(Violation::SrtpNegotiation)
    );
    assert_eq!(
        replaced("a=crypto:2 ", "a=cryptoscale:2 server "),
        violation(Violation::SrtpNegotiation)
    );
    assert_eq!(
        replaced("a=crypto:2 ", "a=other:2 "),
        violation(Violation::OneKeyExpected)
    );
    assert_eq!(
        replaced("a=maxptime", "a=crypto:9 X inline:y\r\na=maxptime"),
        violation(Violation::OneKeyExpected)
    );
    assert_eq!(
        replaced("RTP/SAVP", "RTP/AVP"),
        violation(Violation::SrtpNegotiation)
    );
    assert_eq!(
        replaced("RTP/SAVP", "UDP/X"),
        violation(Violation::SrtpNegotiation)
    );
    assert_eq!(
        replaced("m=audio", "m=video"),
        violation(Violation::OrderOfMedia)
    );
    assert_eq!(
        replaced("a=ptime", "m=video 0 RTP/AVP 34\r\na=ptime"),
        Error::Violation {
            stream: 2,
            violation: Violation::NumberOfMedia
        }
    );
    assert_eq!(
        replaced("a=ptime:20", "a=sendonly\r\na=recvonly"),
        Error::Contradiction { of: "direction" }
    );
    assert_eq!(
        replaced("x-ssrc-range:2000-2000", "x-ssrc-range:0-1"),
        Error::InvalidField {
            of: "x-ssrc-range",
            field: "range"
        }
    );
}

#[test]
fn an_answer_without_what_was_not_offered() {
    let mut one = Session::new(Config {
        rtcp_mux: false,
        ..Config::default()
    });
    one.add(audio(1)).unwrap();
    let offer = one.offer(&mut rng(1)).unwrap();
    assert!(!offer.media(0).unwrap().has(Name::RtcpMux));
    let mut other = Session::new(Config::default());
    open(&mut other, &offer);
    other.accept(0, audio(2)).unwrap();
    let text = answer(&mut other).as_str().to_owned();
    assert!(!text.contains("rtcp-mux"));
    let sdp = parse(&text.replace("a=ptime", "a=rtcp-mux\r\na=ptime"));
    let violation = Violation::RtcpMuxNotOffered;
    assert_eq!(
        one.handle_answer(&sdp, Stage::Final),
        Err(Error::Violation {
            stream: 0,
            violation
        })
    );
    // Nor in the answer to a later offer.
    one.handle_answer(&parse(&text), Stage::Final).unwrap();
    let offer = one.offer(&mut rng(1)).unwrap();
    let offer = offer.as_str().replace("a=ptime", "a=rtcp-mux\r\na=ptime");
    open(&mut other, &parse(&offer));
    assert!(!answer(&mut other).as_str().contains("rtcp-mux"));
    // Neither without ICE of draft 19.
    let mut old = Session::new(Config::default());
    let transport = Transport::new("192.0.2.1:5000".parse().unwrap());
    old.add(Stream::audio(transport, range(1, 1))).unwrap();
    assert!(
        !old.offer(&mut rng(1))
            .unwrap()
            .as_str()
            .contains("rtcp-mux")
    );
}

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

/// Candidates of \[MS-ICE\].
fn old(side: u8, port: u16) -> Transport {
    let line = format!("a=candidate:dXNlcg 1 cGFzc3dvcmQ UDP 0.830 192.0.2.{side} {port}\r\n");
    host(side, port).with_ice(&line).unwrap()
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
fn unknown_media_are_answered_with_port_0() {
    let offer = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=session\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
        m=x-data 5000 UDP/DTLS/SCTP webrtc\r\na=sendonly\r\na=recvonly\r\na=label:1\r\na=label:2\r\n\
        m=audio 5002 RTP/AVP 0\r\nm=message 5060 sip null\r\n\
        m=video 0 RTP/AVP 34\r\na=sendonly\r\na=recvonly\r\na=x-ssrc-range:2-1\r\na=label:1\r\na=label:2\r\n";
    let mut session = Session::new(Config::default());
    let streams = open(&mut session, &parse(offer));
    assert_eq!(streams[0].kind, None);
    assert_eq!(streams[0].obstacle, Some(Violation::TransportProfile));
    assert!(streams[3].rejected);
    // What stands in sections that nobody will use does not count.
    assert_eq!(
        (streams[3].label, streams[3].direction),
        (None, Direction::Inactive)
    );
    session.accept(1, audio(2)).unwrap();
    assert!(session.accept(0, audio(2)).is_err());
    assert_eq!(
        session.accept(9, audio(2)),
        Err(Error::NoSuchStream { stream: 9 })
    );
    let answer = answer(&mut session);
    let lines: Vec<String> = answer
        .all_media()
        .map(|m| m.line().unwrap().to_string())
        .collect();
    assert_eq!(lines[0], "x-data 0 UDP/DTLS/SCTP webrtc");
    assert_eq!(lines[1], "audio 50000 RTP/AVP 0");
    assert_eq!(lines[2], "message 0 sip null");
    // A peer without ICE: the default address, RTCP on the next port.
    let remote = &session.negotiated(1).unwrap().remote;
    assert_eq!(remote.ice, IceVersion::None);
    assert_eq!(remote.rtcp, Some("192.0.2.1:5003".parse().unwrap()));
    assert!(!answer.as_str().contains("rtcp-fb"), "not offered");
}

#[test]
fn early_media_and_forks() {
    let mut one = caller(Config::default());
    let offer = one.offer(&mut rng(1)).unwrap();
    let mut branch = one.clone();
    let answers: Vec<Sdp> = [2, 3]
        .map(|side| {
            let mut callee = Session::new(Config::default());
            open(&mut callee, &offer);
            callee.accept(0, audio(side)).unwrap();
            answer(&mut callee)
        })
        .to_vec();
    assert_eq!(
        one.handle_answer(&answers[0], Stage::Provisional),
        Ok(Answered::New)
    );
    assert_eq!(
        branch.handle_answer(&answers[1], Stage::Provisional),
        Ok(Answered::New)
    );
    assert_eq!(
        branch.negotiated(0).unwrap().remote.ssrc_range,
        Some(range(3000, 1))
    );
    // Media may flow, but the one offer and answer is all before the call is answered.
    assert!(one.negotiated(0).is_some());
    assert!(matches!(
        one.offer(&mut rng(1)),
        Err(Error::WrongState { .. })
    ));
    assert_eq!(one.handle_offer(offer), Verdict::Refused(Refusal::GLARE));
    assert_eq!(
        one.handle_answer(&answers[1], Stage::Final),
        Err(Error::AnswerChanged)
    );
    assert_eq!(
        one.handle_answer(&answers[0], Stage::Provisional),
        Ok(Answered::Repeated)
    );
    assert_eq!(
        one.handle_answer(&answers[0], Stage::Final),
        Ok(Answered::Repeated)
    );
    assert!(one.is_stable());
    assert_eq!(
        one.handle_answer(&answers[0], Stage::Final),
        Ok(Answered::Repeated)
    );
    // Only the version is another.
    let text = answers[0].as_str().replace("o=- 0 0 ", "o=- 0 1 ");
    assert_ne!(text, answers[0].as_str());
    assert_eq!(
        one.handle_answer(&parse(&text), Stage::Final),
        Ok(Answered::Repeated)
    );
    let mut early = branch.clone();
    let text = answers[1].as_str().replace("o=- 0 0 ", "o=- 0 1 ");
    assert_eq!(
        early.handle_answer(&parse(&text), Stage::Final),
        Ok(Answered::Repeated)
    );
    assert!(early.is_stable());
    assert_eq!(early.remote(), Some(&answers[1]), "the first stands");
    assert!(one.handle_answer(&answers[1], Stage::Final).is_err());
    // The 200 without description.
    branch.confirm();
    assert!(branch.is_stable());
}

#[test]
fn offers_that_cross_and_offers_that_fail() {
    let (mut one, mut other) = connected();
    let theirs = other.offer(&mut rng(2)).unwrap();
    one.hold();
    one.add(video(1)).unwrap();
    one.offer(&mut rng(1)).unwrap();
    assert_eq!(
        one.handle_offer(theirs.clone()),
        Verdict::Refused(Refusal::GLARE)
    );
    assert!(one.add(video(1)).is_err() && one.remove(0).is_err() && one.rekey(0).is_err());
    assert!(one.stream_mut(0).is_none());
    let agreed = one.negotiated(0).cloned();
    one.abandon();
    assert!(!one.is_held());
    assert_eq!((one.len(), one.negotiated(0).cloned()), (1, agreed));
    open(&mut one, &theirs);
    assert_eq!(
        one.handle_offer(theirs.clone()),
        Verdict::Refused(Refusal::OFFER_PENDING)
    );
    assert!(one.offer(&mut rng(1)).is_err());
    // Refused by the application: all as before.
    one.abandon();
    assert!(one.is_stable() && one.negotiated(0).is_some());
    assert!(matches!(
        one.answer(&mut rng(1)),
        Err(Error::WrongState { .. })
    ));
    assert!(matches!(
        one.accept(0, audio(1)),
        Err(Error::WrongState { .. })
    ));
    let mut empty = Session::new(Config::default());
    assert_eq!(empty.offer(&mut rng(1)), Err(Error::NoDescription));
}

#[test]
fn a_first_offer_that_fails_is_made_again() {
    let mut one = caller(Config::default());
    one.hold();
    let both = one
        .offer_with_fallback(&mut rng(1), &[old(1, 50_004)])
        .unwrap();
    one.abandon();
    assert!(one.is_stable() && one.is_held() && one.stream(0).is_some());
    // After 415: the one description, with the keys that were said.
    let offer = one.offer(&mut rng(7)).unwrap();
    assert_eq!(offer, both.full);
    let mut other = Session::new(Config::default());
    open(&mut other, &offer);
    other.accept(0, audio(2)).unwrap();
    let sdp = answer(&mut other);
    assert_eq!(one.handle_answer(&sdp, Stage::Final), Ok(Answered::New));
}

#[test]
fn plans_survive_an_offer_that_is_refused() {
    let (mut one, mut other) = connected();
    one.stream_mut(0).unwrap().direction = Direction::RecvOnly;
    one.add(video(1)).unwrap();
    one.hold();
    other.add(video(2)).unwrap();
    let offer = other.offer(&mut rng(2)).unwrap();
    for refuse in [Session::abandon, |session: &mut Session| {
        session.remove(0).unwrap();
        session.remove(1).unwrap();
        assert_eq!(refused(session), Refusal::NO_COMMON_MEDIA);
    }] {
        assert_eq!(one.offered(), None);
        open(&mut one, &offer);
        assert_eq!(one.offered(), Some(&offer));
        refuse(&mut one);
        assert_eq!((one.offered(), one.is_held()), (None, true));
        assert_eq!(one.stream(0).unwrap().direction, Direction::RecvOnly);
        assert_eq!(one.stream(1), Some(&video(1)));
        assert!(one.negotiated(0).is_some());
    }
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

#[test]
fn labels_are_answered_as_they_are_offered() {
    let mut one = Session::new(Config::default());
    let screen = Some(Label::ApplicationSharingVideo);
    let mut stream = video(1);
    stream.label = screen;
    one.add(stream).unwrap();
    let offer = one.offer(&mut rng(1)).unwrap();
    for (ours, expected) in [(Some(Label::MainVideo), screen), (None, None)] {
        let mut other = Session::new(Config::default());
        open(&mut other, &offer);
        let mut plan = video(2);
        plan.label = ours;
        other.accept(0, plan).unwrap();
        let sdp = answer(&mut other);
        let label = sdp.media(0).unwrap().attribute(Name::Label);
        assert_eq!(label.and_then(Label::known), expected);
    }
}

#[test]
fn encryption_does_not_change_in_a_later_offer() {
    let (mut one, mut other) = connected();
    let offer = one.offer(&mut rng(1)).unwrap();
    let without = |line: &&str| !line.starts_with("a=crypto");
    let text: String = offer
        .as_str()
        .split_inclusive("\r\n")
        .filter(without)
        .collect();
    open(&mut other, &parse(&text.replace("SAVP", "AVP")));
    assert_eq!(refused(&mut other), Refusal::ENCRYPTION);
    assert!(
        other.negotiated(0).unwrap().srtp.is_some(),
        "goes on as before"
    );
    // Nor in the answer to one.
    open(&mut other, &offer);
    let answered = answer(&mut other);
    let text: String = answered
        .as_str()
        .split_inclusive("\r\n")
        .filter(without)
        .collect();
    let violation = Violation::CannotChangeEncryption;
    let plain = parse(&text.replace("SAVP", "AVP"));
    assert_eq!(
        one.handle_answer(&plain, Stage::Final),
        Err(Error::Violation {
            stream: 0,
            violation
        })
    );
    // A new key is no change.
    one.abandon();
    let before = one.negotiated(0).unwrap().srtp.clone().unwrap();
    one.rekey(0).unwrap();
    let offer = one.offer(&mut rng(77)).unwrap();
    open(&mut other, &offer);
    let sdp = answer(&mut other);
    one.handle_answer(&sdp, Stage::Final).unwrap();
    let after = one.negotiated(0).unwrap().srtp.clone().unwrap();
    assert_ne!(before.local.master, after.local.master);
    assert_eq!((before.remote, before.tag), (after.remote, after.tag));
}

#[test]
fn application_sharing() {
    let mut one = Session::new(Config::default());
    let mut transport = host(1, 50_040);
    transport.tcp = true;
    one.add(Stream::application_sharing(transport, SharingRole::Sharer))
        .unwrap();
    let mut other = Session::new(Config::default());
    let mut transport = host(2, 50_040);
    transport.tcp = true;
    let plan = Stream::application_sharing(transport, SharingRole::Viewer);
    let (offer, answer) = call(&mut one, &mut other, vec![plan]);
    let text = offer.as_str();
    assert!(
        text.contains("m=applicationsharing 50040 TCP/RTP/AVP 127\r\n"),
        "{text}"
    );
    assert!(text.contains(
        "a=setup:active\r\na=connection:new\r\na=mid:1\r\na=rtpmap:127 x-data/90000\r\n"
    ));
    assert!(text.ends_with(
        "a=x-applicationsharing-session-id:1\r\na=x-applicationsharing-role:sharer\r\n\
         a=x-applicationsharing-media-type:rdp\r\n"
    ));
    assert!(!text.contains("a=label"));
    let text = answer.as_str();
    assert!(text.contains("m=applicationsharing 50040 TCP/RTP/SAVP 127\r\n"));
    assert!(text.contains("a=setup:passive\r\na=connection:new\r\na=mid:1\r\n"));
    assert!(text.contains("a=x-applicationsharing-role:viewer\r\n"));
    assert_eq!(
        other.negotiated(0).unwrap().remote.setup,
        Some(Setup::Active)
    );
    // Paused, and with the connection that is there.
    one.stream_mut(0).unwrap().sharing.as_mut().unwrap().flow = Some(ContentFlow::Inactive);
    let (offer, answer) = again(&mut one, &mut other);
    assert!(offer.as_str().contains("a=connection:existing\r\n"));
    for sdp in [offer, answer] {
        assert!(
            sdp.as_str()
                .contains("a=x-applicationsharing-contentflow:inactive\r\n")
        );
    }
    // Hold is for audio and video.
    one.hold();
    let (offer, _) = again(&mut one, &mut other);
    assert!(!offer.as_str().contains("a=inactive"));
    // Two who want to share.
    let mut third = Session::new(Config::default());
    open(
        &mut third,
        &parse(&common::SHARING_OFFER.replace("SAVP", "AVP")),
    );
    let plan = Stream::application_sharing(host(3, 5000), SharingRole::Sharer);
    third.accept(0, plan).unwrap();
    assert_eq!(refused(&mut third), Refusal::NO_COMMON_MEDIA);
}

#[test]
fn the_recorded_sharing() {
    // SAVP without keys, as the shortened example has it: refused where encryption counts.
    let text = common::SHARING_OFFER
        .replace("SAVP", "AVP")
        .replace("session-id:1", "session-id:3");
    let mut session = Session::new(Config::default());
    let streams = open(&mut session, &parse(&text));
    assert_eq!(streams[0].kind, Some(StreamKind::ApplicationSharing));
    let plan = Stream::application_sharing(host(2, 60_040), SharingRole::Viewer);
    session.accept(0, plan).unwrap();
    let answer = answer(&mut session);
    assert!(
        answer
            .as_str()
            .contains("session-id:3\r\na=x-applicationsharing-role:viewer\r\n")
    );
    let sharing = Sharing {
        session_id: 3,
        role: SharingRole::Viewer,
        flow: None,
    };
    assert_eq!(session.negotiated(0).unwrap().sharing, Some(sharing));
    // In later offers too.
    let offer = session.offer(&mut rng(1)).unwrap();
    assert!(offer.as_str().contains("session-id:3\r\n"));
    assert_eq!(
        parse(common::SHARING_ANSWER)
            .media(0)
            .unwrap()
            .attribute(Name::Setup),
        Some("passive")
    );
}

#[test]
fn file_transfer() {
    let mut one = Session::new(Config::default());
    one.add(Stream::data(host(1, 50_060), Direction::SendOnly))
        .unwrap();
    let mut other = Session::new(Config::default());
    let plan = Stream::data(host(2, 50_060), Direction::RecvOnly);
    let (offer, answer) = call(&mut one, &mut other, vec![plan]);
    assert!(offer.as_str().contains("m=data 50060 RTP/AVP 127\r\n"));
    assert!(
        offer
            .as_str()
            .ends_with("a=rtpmap:127 x-data/90000\r\na=rtcp-mux\r\na=sendonly\r\n")
    );
    assert!(answer.as_str().ends_with("a=recvonly\r\n"));
    assert_eq!(one.negotiated(0).unwrap().direction, Direction::SendOnly);
}

/// Several main videos on one transport; ranges of their own.
fn gallery(side: u8, count: u32) -> Vec<Stream> {
    (0..count)
        .map(|index| {
            Stream::video(
                host(side, 50_010),
                range(1000 + 1000 * u32::from(side) + 100 * index, 100),
            )
        })
        .collect()
}

#[test]
fn multiplexed_videos() {
    let mut one = Session::new(Config::default());
    for stream in gallery(1, 3) {
        one.add(stream).unwrap();
    }
    let offer = one.offer(&mut rng(1)).unwrap();
    let mut other = Session::new(Config::default());
    let streams = open(&mut other, &offer);
    let roots: Vec<_> = streams
        .iter()
        .map(|stream| stream.multiplexed_with)
        .collect();
    assert_eq!(roots, [None, Some(0), Some(0)]);
    for (index, stream) in gallery(2, 2).into_iter().enumerate() {
        other.accept(index, stream).unwrap();
    }
    let sdp = answer(&mut other);
    one.handle_answer(&sdp, Stage::Final).unwrap();
    assert_eq!(one.negotiated(1).unwrap().multiplexed_with, Some(0));
    assert!(one.negotiated(2).is_none());
    // One transport, so one key on each side.
    let keys = |sdp: &Sdp, index| -> Vec<String> {
        let media = sdp.media(index).unwrap();
        media.values(Name::Crypto).map(str::to_owned).collect()
    };
    assert_eq!(keys(&offer, 0).len(), 2);
    assert_eq!(keys(&offer, 1), keys(&offer, 0));
    assert_eq!(keys(&offer, 2), keys(&offer, 0));
    assert_eq!(keys(&sdp, 0).len(), 1);
    assert_eq!(keys(&sdp, 1), keys(&sdp, 0));
    // One that is added later says what was agreed; a new key is one for all.
    let chosen = keys(&sdp, 0);
    assert_eq!(one.add(gallery(1, 3).remove(2)), Ok(2));
    let added = one.offer(&mut rng(1)).unwrap();
    assert_eq!(keys(&added, 0), keys(&offer, 0)[..1]);
    assert_eq!(keys(&added, 2), keys(&added, 0));
    let profile = |index| added.media(index).unwrap().line().unwrap().protocol;
    assert_eq!(profile(2), "RTP/SAVP");
    open(&mut other, &added);
    other.accept(2, gallery(2, 3).remove(2)).unwrap();
    let sdp = answer(&mut other);
    assert_eq!((keys(&sdp, 0), keys(&sdp, 2)), (chosen.clone(), chosen));
    one.handle_answer(&sdp, Stage::Final).unwrap();
    one.rekey(1).unwrap();
    let new = one.offer(&mut rng(77)).unwrap();
    assert_ne!(keys(&new, 0), keys(&added, 0));
    assert_eq!(
        [keys(&new, 1), keys(&new, 2)],
        [(); 2].map(|()| keys(&new, 0))
    );
    // The first only, which is always safe.
    let mut third = Session::new(Config::default());
    open(&mut third, &offer);
    third.accept(0, video(3)).unwrap();
    let sdp = answer(&mut third);
    let ports: Vec<_> = sdp.all_media().map(|m| m.line().unwrap().port).collect();
    assert_eq!(ports, [50_010, 0, 0]);
}

#[test]
fn rules_of_multiplexing() {
    let violation = |stream, violation| Err(Error::Violation { stream, violation });
    let offer = |streams: Vec<Stream>| {
        let mut session = Session::new(Config::default());
        for stream in streams {
            session.add(stream).unwrap();
        }
        session.offer(&mut rng(1))
    };
    let mut streams = gallery(1, 2);
    streams[1].transport = host(1, 50_030);
    assert_eq!(
        offer(streams),
        violation(1, Violation::MultiplexingRequired)
    );
    let mut streams = gallery(1, 2);
    streams[1].ssrc_range = streams[0].ssrc_range;
    assert_eq!(
        offer(streams),
        violation(1, Violation::OverlappingSsrcRange)
    );
    let mut streams = gallery(1, 2);
    streams[1].ssrc_range = None;
    assert_eq!(offer(streams), violation(1, Violation::SsrcRangeMissing));
    // Of a peer: the stream is refused, not the call.
    let good = offer(gallery(1, 2)).unwrap();
    let bad = good
        .as_str()
        .replace("x-ssrc-range:2100-2199", "x-ssrc-range:2050-2149");
    let mut other = Session::new(Config::default());
    let streams = open(&mut other, &parse(&bad));
    assert_eq!(streams[1].obstacle, Some(Violation::OverlappingSsrcRange));
    for (index, stream) in gallery(2, 2).into_iter().enumerate() {
        other.accept(index, stream).unwrap();
    }
    let sdp = answer(&mut other);
    assert!(sdp.media(1).unwrap().line().unwrap().is_rejected());
    assert_eq!(other.obstacle(1), Some(Violation::OverlappingSsrcRange));
    assert_eq!(Violation::OverlappingSsrcRange.code(), Some(27));
    assert_eq!(Violation::SharingRole.code(), None);
}

#[test]
fn bandwidth() {
    let mut one = Session::new(Config {
        bandwidth: 5000,
        media_bandwidth: vec![
            LabelBandwidth {
                label: Label::MainVideo,
                send: 585,
                recv: 1416,
            },
            LabelBandwidth {
                label: Label::PanoramicVideo,
                send: 1,
                recv: 1,
            },
        ],
        ..Config::default()
    });
    one.add(video(1)).unwrap();
    let offer = one.offer(&mut rng(1)).unwrap();
    assert!(offer.as_str().contains("b=CT:5000\r\n"));
    assert!(
        offer
            .as_str()
            .contains("a=x-mediabw:main-video send=585;recv=1416\r\n")
    );
    assert!(!offer.as_str().contains("panoramic"), "no such stream");
    let agreed = |text: &str| {
        let mut other = Session::new(Config::default());
        open(&mut other, &parse(text));
        other.accept(0, video(2)).unwrap();
        answer(&mut other);
        let bandwidth = other.negotiated(0).unwrap().bandwidth;
        (bandwidth.send, bandwidth.receive)
    };
    let text = offer.as_str();
    assert_eq!(agreed(text), (Some(1416), Some(585)));
    assert_eq!(
        agreed(&text.replace("b=CT:5000", "b=CT:700")),
        (Some(700), Some(585))
    );
    let caps = "a=rtcp:";
    assert_eq!(
        agreed(&text.replace(caps, "b=TIAS:64000\r\na=rtcp:")),
        (Some(64), Some(585))
    );
    let unbounded = text
        .replace("b=CT:5000", "b=CT:99980")
        .replace("x-mediabw", "x-none");
    assert_eq!(agreed(&unbounded), (None, None), "x-caps is of RTVideo");
    let rt_video = unbounded.replace(" 122 121 ", " 121 122 ");
    assert_ne!(rt_video, unbounded);
    assert_eq!(agreed(&rt_video), (Some(2000), None), "the best picture");
    let no_caps: String = text
        .split_inclusive("\r\n")
        .filter(|l| !l.starts_with("a=x-caps"))
        .collect();
    let mut other = Session::new(Config::default());
    open(&mut other, &parse(&no_caps));
    other.accept(0, video(2)).unwrap();
    answer(&mut other);
    assert_eq!(
        other.negotiated(0).unwrap().remote.video_caps,
        VideoCap::DEFAULT
    );
}

#[test]
fn a_conference_names_its_streams() {
    let mut one = caller(Config::default());
    let offer = one.offer(&mut rng(1)).unwrap();
    let mut conference = Session::new(Config {
        device_caps: None,
        ..Config::default()
    });
    open(&mut conference, &offer);
    conference
        .accept(
            0,
            Stream {
                source_stream_id: Some(102),
                ..audio(2)
            },
        )
        .unwrap();
    let sdp = answer(&mut conference);
    assert!(!sdp.as_str().contains("x-devicecaps"));
    one.handle_answer(&sdp, Stage::Final).unwrap();
    assert_eq!(
        one.negotiated(0).unwrap().remote.source_stream_id,
        Some(102)
    );
}

#[test]
fn bypass_of_the_mediation_server() {
    let id = Some("be38f190-a24a-4a72-b66c-b09fd0909ebc".parse().unwrap());
    for (ours, expected) in [(id, true), (Some(uuid::Uuid::nil()), false), (None, false)] {
        let mut session = Session::new(Config::default());
        open(&mut session, &parse(common::BYPASS));
        session
            .accept(
                0,
                Stream {
                    bypass_id: ours,
                    ..audio(2)
                },
            )
            .unwrap();
        answer(&mut session);
        assert_eq!(session.negotiated(0).unwrap().bypass, expected);
    }
}

#[test]
fn recorded_offers_are_answered() {
    for text in [common::AUDIO_VIDEO, common::OPTIONAL_RELAY, common::BYPASS] {
        let mut session = Session::new(Config::default());
        let offer = parse(text);
        let streams = open(&mut session, &offer);
        for stream in &streams {
            let plan = match stream.kind {
                Some(StreamKind::Audio) => audio(2),
                _ => video(2),
            };
            session.accept(stream.index, plan).unwrap();
        }
        let sdp = answer(&mut session);
        assert_eq!(sdp.media_count(), streams.len());
        // What a peer of this kind expects of an answer.
        for (offered, answered) in offer.all_media().zip(sdp.all_media()) {
            let (offered_line, line) = (offered.line().unwrap(), answered.line().unwrap());
            assert_eq!(
                (line.media, line.is_rejected()),
                (offered_line.media, false)
            );
            assert_eq!(line.formats, offered_line.formats);
            let keys = offered.crypto().unwrap().len();
            assert_eq!(answered.crypto().unwrap().len(), keys.min(1));
            assert_eq!(
                answered.attribute(Name::Label),
                offered.attribute(Name::Label)
            );
            let maps: Vec<_> = answered.values(Name::RtpMap).collect();
            let offered: Vec<_> = offered.values(Name::RtpMap).collect();
            assert_eq!(maps, offered);
        }
    }
}

#[test]
fn descriptions_that_contradict_themselves_are_refused() {
    for (from, to) in [
        ("a=ptime:20", "a=sendonly\r\na=recvonly"),
        (
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:0 PCMU/8000\r\na=rtpmap:0 PCMA/8000",
        ),
        ("a=crypto:3", "a=crypto:2"),
        (
            "a=label:main-audio",
            "a=label:main-audio\r\na=label:main-video",
        ),
        ("t=0 0\r\n", ""),
        ("a=rtcp:50053", "a=rtcp:99999"),
    ] {
        let mut session = Session::new(Config::default());
        assert!(common::OPTIONAL_RELAY.contains(from));
        let offer = parse(&common::OPTIONAL_RELAY.replace(from, to));
        let refusal = match session.handle_offer(offer) {
            Verdict::Refused(refusal) => refusal,
            Verdict::Open(_) => {
                session.accept(0, audio(2)).unwrap();
                refused(&mut session)
            }
        };
        assert_eq!(refusal, Refusal::UNSUPPORTED_DESCRIPTION, "{to}");
        assert!(session.is_empty());
    }
}
