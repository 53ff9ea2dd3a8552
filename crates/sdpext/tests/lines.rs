//! Recorded descriptions, read line by line.

mod common;

use common::{AUDIO_VIDEO, BYPASS, MULTIPART, OPTIONAL_RELAY, SHARING_OFFER, parse};
use ocs_sdpext::attribute::{
    Attribute, CandidateInfo, ContentFlow, DeviceCaps, Direction, ExtMap, Feedback, Flow, Keying,
    Label, MediaBandwidth, RtcpFeedback, ScaleRole, Setup, SharingMedia, SharingRole, SsrcRange,
    TcpConnection, VideoCap,
};
use ocs_sdpext::codec::Codec;
use ocs_sdpext::line::{Address, Bandwidth, Kind, Line, MediaType, Protocol};
use ocs_sdpext::{Error, IceVersion, Limits, Name, Sdp};

/// The attributes of one line in an otherwise empty description.
fn attribute(line: &str) -> Result<Attribute<'static>, Error> {
    let text = format!("m=audio 1 RTP/AVP 0\r\na={line}\r\n");
    let sdp: &'static Sdp = Box::leak(Box::new(parse(&text)));
    let mut attributes = sdp.media(0).unwrap().attributes();
    attributes.next().unwrap()
}

fn invalid(of: &'static str, field: &'static str) -> Result<Attribute<'static>, Error> {
    Err(Error::InvalidField { of, field })
}

fn missing(of: &'static str, field: &'static str) -> Result<Attribute<'static>, Error> {
    Err(Error::MissingField { of, field })
}

#[test]
fn recorded_descriptions_are_written_as_they_were() {
    for text in [AUDIO_VIDEO, OPTIONAL_RELAY, BYPASS, SHARING_OFFER] {
        let sdp = parse(text);
        assert_eq!(sdp.as_str(), text);
        assert_eq!(sdp.to_bytes(), text);
        sdp.check().unwrap();
        // And from their typed lines: they are all of the usual form.
        let typed: String = sdp
            .lines()
            .map(|line| line.typed().unwrap().to_string() + "\r\n")
            .collect();
        assert_eq!(typed, text);
    }
}

#[test]
fn the_head_of_a_description() {
    let sdp = parse(AUDIO_VIDEO);
    let origin = sdp.origin().unwrap().unwrap();
    assert_eq!(
        (origin.username, origin.session_id, origin.version),
        ("-", "0", 0)
    );
    let address = "192.168.56.1".parse().unwrap();
    assert_eq!(origin.address.ip(), Some(address));
    assert_eq!(sdp.connection().unwrap(), Some(address.into()));
    assert_eq!(sdp.bandwidth().unwrap(), Some(Bandwidth::UNBOUNDED));
    let both = Some(Flow {
        send: true,
        recv: true,
    });
    let attributes: Vec<_> = sdp.attributes().collect();
    assert_eq!(
        attributes,
        [
            Ok(Attribute::MediaBandwidth(MediaBandwidth {
                label: Label::MainVideo,
                send: 12_000,
                recv: 12_000
            })),
            Ok(Attribute::DeviceCaps(DeviceCaps {
                audio: both,
                video: both
            })),
        ]
    );
    assert_eq!(sdp.ice_version(), IceVersion::V19);
}

#[test]
fn audio_and_video_of_a_client() {
    let sdp = parse(AUDIO_VIDEO);
    let audio = sdp.media(0).unwrap();
    let line = audio.line().unwrap();
    assert_eq!((line.media, line.port), (MediaType::Audio, 27_100));
    assert_eq!(line.profile(), Some(Protocol::RtpSavp));
    assert_eq!(line.payload_types().count(), 16);
    assert_eq!(audio.direction().unwrap(), Direction::SendRecv);
    assert_eq!(
        audio.rtcp_address().unwrap(),
        Some("192.168.56.1:27101".parse().unwrap())
    );
    assert_eq!(audio.values(Name::Candidate).count(), 12);
    assert_eq!(audio.values(Name::CandidateIpv6).count(), 2);
    let maps = audio.rtp_maps().unwrap();
    assert_eq!(
        Codec::of(&maps.get(117).unwrap(), None),
        Some(Codec::G722Stereo)
    );
    // No map is needed for a static number.
    let bare = parse("m=audio 1 RTP/AVP 8\r\n");
    let maps = bare.media(0).unwrap().rtp_maps().unwrap();
    assert_eq!(maps.get(8).unwrap().name, "PCMA");
    assert_eq!(maps.get(96), None);

    let lines = audio.crypto().unwrap();
    let tags: Vec<_> = lines.iter().map(|line| (line.tag, line.scale)).collect();
    assert_eq!(tags, [(1, Some(ScaleRole::Client)), (2, None), (3, None)]);
    let identifiers: Vec<_> = lines
        .iter()
        .map(|line| match &line.keying {
            Keying::AesCm128HmacSha1_80(key) => key.mki.map(|mki| (mki.value(), mki.len())),
            other @ Keying::Other { .. } => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(identifiers, [Some((1, 1)), Some((1, 1)), None]);

    let video = sdp.media(1).unwrap();
    let caps = video.attributes().find_map(|attribute| match attribute {
        Ok(Attribute::VideoCaps(caps)) => Some(caps),
        _ => None,
    });
    let caps = caps.unwrap();
    assert_eq!(caps.payload_type, 121);
    let list: Vec<VideoCap> = caps.iter().map(Result::unwrap).collect();
    assert_eq!(list, VideoCap::CLIENT);
    let feedback = video.attributes().find_map(|attribute| match attribute {
        Ok(Attribute::RtcpFeedback(RtcpFeedback::Message { send, recv, .. })) => Some((send, recv)),
        _ => None,
    });
    let (send, recv) = feedback.unwrap();
    assert_eq!(send, recv);
    assert_eq!(
        send.iter().collect::<Vec<_>>(),
        [Feedback::Src, Feedback::XPli]
    );
}

#[test]
fn every_recorded_attribute_has_a_type() {
    for text in [AUDIO_VIDEO, OPTIONAL_RELAY, BYPASS, SHARING_OFFER, &icev6()] {
        let sdp = parse(text);
        for line in sdp.lines() {
            let typed = line.typed().unwrap();
            let untyped = matches!(
                typed,
                Line::Attribute(Attribute::Other { .. }) | Line::Other { .. }
            );
            assert!(!untyped, "{}", line.as_str());
        }
    }
}

/// The first part of the multipart.
fn icev6() -> String {
    let start = MULTIPART.find("v=0").unwrap();
    let end = start + MULTIPART[start..].find("\r\n--").unwrap();
    MULTIPART[start..end].to_owned()
}

#[test]
fn candidates_of_draft_6_go_to_ice() {
    let sdp = parse(&icev6());
    let audio = sdp.media(0).unwrap();
    assert_eq!(audio.ice_version(), IceVersion::V6);
    let lines = audio.ice_lines(true);
    let read = ocs_ice::Description::parse(&lines, &ocs_ice::Limits::default()).unwrap();
    let ocs_ice::Description::Ice(read) = read else {
        panic!("wrong dialect");
    };
    assert_eq!(read.candidates.len(), 6);
    // The relayed ones are the default, for RTCP with a port that is not the next.
    assert_eq!(audio.rtp_address().unwrap().unwrap().port(), 55_441);
    assert_eq!(audio.rtcp_address().unwrap().unwrap().port(), 52_487);
}

#[test]
fn candidates_of_draft_19_go_to_ice() {
    let sdp = parse(AUDIO_VIDEO);
    let audio = sdp.media(0).unwrap();
    for (ipv6, count) in [(false, 12), (true, 14)] {
        let lines = audio.ice_lines(ipv6);
        let read = ocs_ice::Description::parse(&lines, &ocs_ice::Limits::default()).unwrap();
        let ocs_ice::Description::Ice2(read) = read else {
            panic!("wrong dialect");
        };
        assert_eq!(read.candidates.len(), count);
        assert_eq!(read.credentials.ufrag(), "lMRF");
    }
    // Credentials of the session hold for sections without.
    let text = "a=ice-ufrag: 6nxO\r\na=ice-pwd: G6rUJNNaobz8IdDZrAbyFDoO\r\nm=audio 5 RTP/AVP 0\r\n\
                a=candidate:1 1 UDP 2130706431 172.24.32.152 50005 typ host\r\n";
    let sdp = parse(text);
    let lines = sdp.media(0).unwrap().ice_lines(false);
    assert!(
        lines.starts_with("a=ice-ufrag:6nxO\r\na=ice-pwd:G6rU"),
        "{lines}"
    );
    assert!(ocs_ice::Description::parse(&lines, &ocs_ice::Limits::default()).is_ok());
}

#[test]
fn bypass_and_later_extensions() {
    let sdp = parse(BYPASS);
    let audio = sdp.media(0).unwrap();
    assert_eq!(audio.crypto().unwrap(), []);
    let id = "be38f190-a24a-4a72-b66c-b09fd0909ebc".parse().unwrap();
    assert!(audio.attributes().any(|a| a == Ok(Attribute::BypassId(id))));
    let name = r"http:\\skype.com\experiments\rtp-hdrext\fast_bandwidth_feedback";
    let map = ExtMap {
        id: 3,
        direction: None,
        name,
    };
    assert!(audio.attributes().any(|a| a == Ok(Attribute::ExtMap(map))));
    let algorithm = Attribute::BweAlgorithm("bwc packetpair");
    assert_eq!(audio.attributes().last(), Some(Ok(algorithm)));
}

#[test]
fn application_sharing() {
    let sdp = parse(SHARING_OFFER);
    let attributes: Result<Vec<_>, _> = sdp.media(0).unwrap().attributes().collect();
    let attributes = attributes.unwrap();
    assert_eq!(attributes[0], Attribute::Setup(Setup::Active));
    assert_eq!(attributes[1], Attribute::Connection(TcpConnection::New));
    assert_eq!(attributes[2], Attribute::Mid("1"));
    assert_eq!(attributes[4], Attribute::SharingSessionId(1));
    assert_eq!(attributes[5], Attribute::SharingRole(SharingRole::Sharer));
    assert_eq!(attributes[6], Attribute::SharingMedia(SharingMedia::Rdp));
    // Both spellings; ours is the second.
    let flow = Attribute::ContentFlow(ContentFlow::SendOnly);
    assert_eq!(
        attribute("x-application-contentflow:sendonly"),
        Ok(flow.clone())
    );
    assert_eq!(
        attribute("x-applicationsharing-contentflow:sendonly"),
        Ok(flow.clone())
    );
    assert_eq!(
        flow.to_string(),
        "a=x-applicationsharing-contentflow:sendonly"
    );
    assert_eq!(ContentFlow::SendOnly.answer(None), ContentFlow::RecvOnly);
    assert_eq!(
        ContentFlow::SendOnly.answer(Some(ContentFlow::SendOnly)),
        ContentFlow::Inactive
    );
    assert_eq!(ContentFlow::Inactive.answer(None), ContentFlow::Inactive);
    assert_eq!(Setup::ActPass.answer(), Setup::Active);
}

#[test]
fn attributes_that_no_recording_has() {
    let info = CandidateInfo {
        foundation: "1",
        network_type: "wlan",
    };
    assert_eq!(
        attribute("x-candidate-info:1 network-type=wlan"),
        Ok(Attribute::CandidateInfo(info))
    );
    assert_eq!(
        attribute("x-source-streamid:102"),
        Ok(Attribute::SourceStreamId(102))
    );
    assert_eq!(attribute("x-bypass"), Ok(Attribute::Bypass("")));
    let settings = Attribute::MediaSettings("applicationsharing-video=required");
    assert_eq!(
        attribute("x-mediasettings:applicationsharing-video=required"),
        Ok(settings)
    );
    let later = Attribute::Other {
        name: "fingerprint",
        value: Some("sha-256 AB"),
    };
    assert_eq!(attribute("fingerprint:sha-256 AB"), Ok(later));
    let lite = Attribute::Other {
        name: "ice-lite",
        value: None,
    };
    assert_eq!(attribute("ice-lite"), Ok(lite));
    assert_eq!(
        attribute("rtcp-fb:96 nack pli"),
        Ok(Attribute::RtcpFeedback(RtcpFeedback::Other("96 nack pli")))
    );
    let Ok(Attribute::Rtcp(rtcp)) = attribute("rtcp:53020 IN IP4 192.0.2.9") else {
        panic!();
    };
    assert_eq!(
        rtcp.address.unwrap().ip(),
        Some("192.0.2.9".parse().unwrap())
    );
    let Ok(Attribute::Fmtp(fmtp)) = attribute("fmtp:104 useinbandfec=1; usedtx=0") else {
        panic!();
    };
    assert_eq!(
        (fmtp.get("usedtx"), fmtp.get("UseInbandFec"), fmtp.get("x")),
        (Some("0"), Some("1"), None)
    );
    let Ok(Attribute::DeviceCaps(caps)) =
        attribute("x-devicecaps:audio:send,recv;video:recv;smell:send")
    else {
        panic!();
    };
    assert_eq!(
        caps.video,
        Some(Flow {
            send: false,
            recv: true
        })
    );
    // Of devices that nobody knows, none are left.
    let none = Attribute::DeviceCaps(DeviceCaps::default());
    assert_eq!(attribute("x-devicecaps:smell:send"), Ok(none.clone()));
    assert_eq!(none.to_string(), "a=x-devicecaps:");
    assert_eq!(attribute("x-devicecaps:"), Ok(none));
}

#[test]
fn numbers_have_ranges() {
    assert!(SsrcRange::new(1, SsrcRange::MAX).is_some());
    assert_eq!(
        attribute("x-ssrc-range:0-5"),
        invalid("x-ssrc-range", "range")
    );
    assert_eq!(
        attribute("x-ssrc-range:6-5"),
        invalid("x-ssrc-range", "range")
    );
    assert_eq!(
        attribute("x-ssrc-range:1-4294967041"),
        invalid("x-ssrc-range", "range")
    );
    assert_eq!(
        attribute("x-ssrc-range:1-99999999999"),
        invalid("x-ssrc-range", "last")
    );
    assert_eq!(attribute("x-ssrc-range:7"), missing("x-ssrc-range", "last"));
    assert_eq!(
        attribute("x-mediabw:main-video send=4294967296;recv=1"),
        invalid("x-mediabw", "send")
    );
    assert_eq!(
        attribute("x-mediabw:main-video send=1"),
        missing("x-mediabw", "recv")
    );
    assert_eq!(
        attribute("rtpmap:128 x/1"),
        invalid("rtpmap", "payload type")
    );
    assert_eq!(attribute("rtpmap:0 PCMU"), missing("rtpmap", "clock rate"));
    assert_eq!(attribute("ptime:+20"), invalid("ptime", "time"));
    assert_eq!(attribute("rtcp:65536"), invalid("rtcp", "port"));
    assert_eq!(
        attribute("x-bypassid:nothing"),
        invalid("x-bypassid", "value")
    );
    for cap in [
        "0:1:1:1.0:1:1",
        "1:1:1:1.:1:1",
        "1:65536:1:1:1:1",
        "1:1:1:6553.6:1:1",
        "2147483648:1:1:1:1:1",
        "1:1:1:1:1",
        "1:1:1:é:1:1",
    ] {
        let Ok(Attribute::VideoCaps(caps)) = attribute(&format!("x-caps:121 {cap}")) else {
            panic!();
        };
        assert!(caps.iter().next().unwrap().is_err(), "{cap}");
    }
    // What stands last means nothing.
    for last in ["x", "-1", "4294967296", "", "1:2"] {
        let line = format!("x-caps:121 5:640:480:15.0:600000:{last}");
        let Ok(Attribute::VideoCaps(caps)) = attribute(&line) else {
            panic!();
        };
        let cap = VideoCap::new(5, 640, 480, 150, 600_000);
        assert_eq!(caps.iter().next(), Some(Ok(cap)), "{last}");
    }
    // VGA at 13 pictures is 15.
    let Ok(Attribute::VideoCaps(caps)) = attribute("x-caps:121 5:640:480:13.0:1:1") else {
        panic!();
    };
    assert_eq!(caps.iter().next().unwrap().unwrap().rate, 150);
}

#[test]
fn free_ranges_lie_above_the_others() {
    let taken = [
        SsrcRange::new(10, 19).unwrap(),
        SsrcRange::new(3, 3).unwrap(),
    ];
    let free = SsrcRange::free(taken, SsrcRange::VIDEO).unwrap();
    assert_eq!((free.first(), free.last()), (20, 119));
    let top = [
        SsrcRange::new(SsrcRange::MAX - 5, SsrcRange::MAX).unwrap(),
        taken[1],
    ];
    let free = SsrcRange::free(top, 100).unwrap();
    assert_eq!(free.first(), 4);
    assert_eq!(SsrcRange::free(top, 0), None);
    let all = [SsrcRange::new(1, SsrcRange::MAX).unwrap()];
    assert_eq!(SsrcRange::free(all, 1), None);
}

#[test]
fn what_real_peers_write_otherwise() {
    // Line feeds alone, no end of the last line, spaces at the end of lines, empty lines.
    let text = "v=0\no=x 1 2 IN IP4 host.example \ns= \nt=0 0\n\nm=audio 0 RTP/AVP\na=sendonly ";
    let sdp = parse(text);
    assert_eq!(sdp.as_str(), text);
    sdp.check().unwrap();
    assert_eq!(
        sdp.origin().unwrap().unwrap().address.address,
        Address::Other("host.example")
    );
    let media = sdp.media(0).unwrap();
    assert!(media.line().unwrap().is_rejected());
    assert_eq!(media.line().unwrap().formats().count(), 0);
    assert_eq!(media.direction().unwrap(), Direction::SendOnly);
    assert_eq!(media.as_str(), "m=audio 0 RTP/AVP\na=sendonly ");
    // The fallback of SIPE has neither v= nor t=.
    let dummy = parse("o=- 0 0 IN IP4 1.2.3.4\r\ns=session\r\nm=audio 0 RTP/AVP\r\n");
    assert_eq!(dummy.check(), Err(Error::MissingLine { line: 'v' }));
    assert!(!dummy.offers_media());
    // Directions of the session, and a direction of its own.
    let sdp =
        parse("a=inactive\r\nm=audio 1 RTP/AVP 0\r\nm=video 2/2 RTP/AVP 34\r\na=recvonly\r\n");
    assert_eq!(
        sdp.media(0).unwrap().direction().unwrap(),
        Direction::Inactive
    );
    assert_eq!(
        sdp.media(1).unwrap().direction().unwrap(),
        Direction::RecvOnly
    );
    assert_eq!(sdp.media(1).unwrap().line().unwrap().ports, Some(2));
    // IM, and notifications of voice mail.
    let sdp = parse(
        "m=message 5060 sip null\r\na=accept-types:text/plain\r\nm=application 9 SIP *\r\nm=x-data 1 x y\r\n",
    );
    let kinds: Vec<_> = sdp
        .all_media()
        .map(|media| media.line().unwrap().media)
        .collect();
    assert_eq!(
        kinds,
        [
            MediaType::Message,
            MediaType::Application,
            MediaType::Other("x-data")
        ]
    );
    assert_eq!(sdp.media(0).unwrap().line().unwrap().formats, "null");
    assert_eq!(
        sdp.media(0).unwrap().attributes().next(),
        Some(Ok(Attribute::AcceptTypes("text/plain")))
    );
    assert_eq!(sdp.media(0).unwrap().line().unwrap().profile(), None);
}

#[test]
fn contradictions_are_named() {
    let of = |lines: &str| parse(&format!("m=audio 1 RTP/AVP 0 96\r\n{lines}"));
    let contradiction = |of| Some(Error::Contradiction { of });
    let sdp = of("a=sendonly\r\na=recvonly\r\n");
    assert_eq!(
        sdp.media(0).unwrap().direction().err(),
        contradiction("direction")
    );
    let sdp = of("a=rtpmap:96 x/8000\r\na=rtpmap:96 y/8000\r\n");
    assert_eq!(
        sdp.media(0).unwrap().rtp_maps().err(),
        contradiction("rtpmap")
    );
    let sdp = of("a=crypto:1 AES_X inline:a\r\na=cryptoscale:1 client AES_X inline:b\r\n");
    assert_eq!(
        sdp.media(0).unwrap().crypto().err(),
        contradiction("crypto tag")
    );
    let sdp = of("a=label:main-audio\r\na=label:main-video\r\n");
    assert_eq!(
        sdp.media(0).unwrap().single(Name::Label).err(),
        contradiction("label")
    );
    // The same twice is none.
    let sdp = of("a=sendonly\r\na=sendonly\r\na=rtpmap:96 x/8000\r\na=rtpmap:96 X/8000\r\n");
    assert!(sdp.media(0).unwrap().direction().is_ok());
    assert!(sdp.media(0).unwrap().rtp_maps().is_ok());
}

#[test]
fn keys_and_passwords_do_not_show() {
    let sdp = parse(OPTIONAL_RELAY);
    let mut shown = vec![format!("{sdp:?} {:?}", sdp.media(0).unwrap())];
    let v6 = parse(&icev6());
    for line in sdp.lines().chain(v6.lines()) {
        shown.push(format!("{line:?} {:?}", line.typed().unwrap()));
    }
    let shown = shown.concat();
    for secret in ["IQ+Q4YcN", "FuwpNRsf", "lgCqKXxb", "DhULez4p"] {
        assert!(!shown.contains(secret), "{secret}");
    }
}

#[test]
fn what_is_no_description() {
    let parse = |text: &str| Sdp::parse(text.to_owned().into(), &Limits::default());
    assert_eq!(parse("v=1\r\n").err(), Some(Error::Version));
    assert_eq!(
        parse("v=0\r\nnothing\r\n").err(),
        Some(Error::NotALine { line: 2 })
    );
    assert_eq!(
        parse("v=0\r\n =\r\n").err(),
        Some(Error::NotALine { line: 2 })
    );
    assert_eq!(
        parse("v=0\r\ns=a\rb\r\n").err(),
        Some(Error::ControlCharacter { line: 2 })
    );
    assert_eq!(
        parse("s=a\0\r\n").err(),
        Some(Error::ControlCharacter { line: 1 })
    );
    assert_eq!(
        parse("s=a\r\r\n").err(),
        Some(Error::ControlCharacter { line: 1 })
    );
    let field = "port";
    assert_eq!(
        parse("m=audio 65536 RTP/AVP 0\r\n").err(),
        Some(Error::InvalidField { of: "m=", field })
    );
    let field = "protocol";
    assert_eq!(
        parse("m=audio 5\r\n").err(),
        Some(Error::MissingField { of: "m=", field })
    );
    let octets = bytes::Bytes::from_static(b"s=\xff\r\n");
    assert_eq!(
        Sdp::parse(octets, &Limits::default()).err(),
        Some(Error::NotUtf8)
    );
    // Other lines are read when somebody asks.
    let sdp = parse("b=CT\r\nc=IN\r\no=-\r\nt=x 0\r\n").unwrap();
    assert!(sdp.lines().all(|line| line.typed().is_err()));
    assert!(sdp.connection().is_err() && sdp.bandwidth().is_err() && sdp.origin().is_err());
    assert_eq!(sdp.lines().next().unwrap().kind(), Kind::Letter(b'b'));
}
