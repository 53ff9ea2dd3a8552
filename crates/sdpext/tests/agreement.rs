//! What two sessions agree on: formats, labels, bandwidth, names; and offers of recordings.

mod common;

use common::{answer, audio, call, caller, connected, open, parse, range, refused, rng, video};
use ocs_sdpext::attribute::{Direction, Feedback, Label, VideoCap};
use ocs_sdpext::codec::Codec;
use ocs_sdpext::negotiation::{
    Config, LabelBandwidth, NegotiatedFormat, Order, Refusal, Session, Stage, Stream, StreamKind,
    Violation,
};
use ocs_sdpext::{Error, IceVersion, Name};

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
