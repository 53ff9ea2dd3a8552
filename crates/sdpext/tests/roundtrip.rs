//! What is written is read as the same, and what was read is written as it was.

mod common;

use ocs_sdpext::attribute::{
    Attribute, CandidateInfo, ContentFlow, Crypto, DeviceCaps, Direction, Encryption, ExtMap,
    Feedback, FeedbackSet, Flow, Fmtp, KeyParams, Keying, Label, Lifetime, MasterKey,
    MediaBandwidth, Mki, Rtcp, RtcpFeedback, RtpMap, ScaleRole, Setup, SharingMedia, SharingRole,
    SsrcRange, TcpConnection, VideoCaps,
};
use ocs_sdpext::line::{Bandwidth, Connection, Hidden, Line, MediaLine, MediaType, Origin, Timing};
use ocs_sdpext::{Limits, Sdp, SdpBuilder};
use proptest::prelude::*;

/// A word of one to twelve letters, digits and marks.
fn word() -> impl Strategy<Value = &'static str> {
    "[A-Za-z0-9+/_.-]{1,12}".prop_map(|word| &*word.leak())
}

fn text() -> impl Strategy<Value = &'static str> {
    "[!-~é]([ -~é]{0,20}[!-~é])?".prop_map(|text| &*text.leak())
}

fn label() -> impl Strategy<Value = Label<'static>> {
    prop_oneof![
        Just(Label::MainAudio),
        Just(Label::MainVideo),
        Just(Label::PanoramicVideo),
        Just(Label::ApplicationSharingVideo),
        word().prop_map(Label::from_text),
    ]
}

fn connection() -> impl Strategy<Value = Connection<'static>> {
    any::<std::net::IpAddr>().prop_map(Connection::from)
}

fn feedback() -> impl Strategy<Value = FeedbackSet> {
    any::<[bool; 4]>().prop_map(|bits| {
        let all = [
            Feedback::Dsh,
            Feedback::Src,
            Feedback::XPli,
            Feedback::XGain,
        ];
        let chosen = all.into_iter().zip(bits).filter(|(_, bit)| *bit);
        chosen.fold(FeedbackSet::EMPTY, |set, (feedback, _)| set.with(feedback))
    })
}

fn flow() -> impl Strategy<Value = Option<Flow>> {
    any::<Option<(bool, bool)>>().prop_map(|flow| flow.map(|(send, recv)| Flow { send, recv }))
}

fn crypto() -> impl Strategy<Value = Crypto<'static>> {
    let lifetime = prop_oneof![
        Just(None),
        (0_u8..=48).prop_map(|n| Some(Lifetime::PowerOfTwo(n))),
        (1_u64..=1 << 48).prop_map(|n| Some(Lifetime::Packets(n))),
    ];
    let mki = any::<Option<(u32, u8)>>().prop_map(|mki| {
        mki.map(|(value, len)| Mki::new(value.into(), 4 + usize::from(len % 125)).unwrap())
    });
    let known = (any::<[u8; 30]>(), lifetime, mki).prop_map(|(key, lifetime, mki)| {
        let master = MasterKey::from(key);
        Keying::AesCm128HmacSha1_80(KeyParams {
            master,
            lifetime,
            mki,
        })
    });
    let other = (word(), word()).prop_map(|(suite, params)| Keying::Other {
        suite,
        params: Hidden(params),
    });
    let scale = proptest::option::of(prop_oneof![
        Just(ScaleRole::Client),
        Just(ScaleRole::Server)
    ]);
    let session = prop_oneof![Just(""), word()];
    (
        0_u32..1_000_000_000,
        scale,
        prop_oneof![known, other],
        session,
    )
        .prop_map(|(tag, scale, keying, session)| Crypto {
            tag,
            scale,
            keying,
            session,
        })
}

fn number() -> impl Strategy<Value = u8> {
    0_u8..128
}

fn attribute() -> impl Strategy<Value = Attribute<'static>> {
    let direction = prop_oneof![
        Just(Direction::SendRecv),
        Just(Direction::SendOnly),
        Just(Direction::RecvOnly),
        Just(Direction::Inactive)
    ];
    let session = prop_oneof![
        (label(), any::<u32>(), any::<u32>()).prop_map(|(label, send, recv)| {
            Attribute::MediaBandwidth(MediaBandwidth { label, send, recv })
        }),
        (flow(), flow())
            .prop_map(|(audio, video)| Attribute::DeviceCaps(DeviceCaps { audio, video })),
        label().prop_map(Attribute::Label),
        label().prop_map(Attribute::Source),
        any::<u32>().prop_map(Attribute::SourceStreamId),
        (1_u32..=SsrcRange::MAX, any::<u32>()).prop_map(|(first, more)| {
            let last = first + more % (SsrcRange::MAX - first + 1);
            Attribute::SsrcRange(SsrcRange::new(first, last).unwrap())
        }),
        (proptest::option::of(number()), feedback(), feedback()).prop_map(
            |(payload_type, send, recv)| {
                Attribute::RtcpFeedback(RtcpFeedback::Message {
                    payload_type,
                    send,
                    recv,
                })
            }
        ),
        Just(Attribute::RtcpReducedSize),
        Just(Attribute::RtcpMux),
        any::<u128>().prop_map(|id| Attribute::BypassId(uuid::Uuid::from_u128(id))),
    ];
    let opaque = prop_oneof![
        text().prop_map(Attribute::SignalingFeedback),
        text().prop_map(Attribute::IceUfrag),
        text().prop_map(|text| Attribute::IcePwd(Hidden(text))),
        text().prop_map(|text| Attribute::Candidate(Hidden(text))),
        text().prop_map(Attribute::CandidateIpv6),
        text().prop_map(Attribute::RemoteCandidate),
        text().prop_map(Attribute::RemoteCandidates),
        text().prop_map(Attribute::MediaSettings),
        text().prop_map(Attribute::BweAlgorithm),
        text().prop_map(Attribute::Mid),
        text().prop_map(Attribute::AcceptTypes),
        prop_oneof![Just(""), text()].prop_map(Attribute::Bypass),
        (word(), proptest::option::of(text())).prop_map(|(name, value)| {
            let name = &*format!("x-y-{name}").leak();
            Attribute::Other { name, value }
        }),
        (word(), word()).prop_map(|(foundation, network_type)| {
            Attribute::CandidateInfo(CandidateInfo {
                foundation,
                network_type,
            })
        }),
    ];
    let media = prop_oneof![
        crypto().prop_map(Attribute::Crypto),
        any::<u32>().prop_map(Attribute::MaxPtime),
        any::<u32>().prop_map(Attribute::Ptime),
        (any::<u16>(), proptest::option::of(connection()))
            .prop_map(|(port, address)| Attribute::Rtcp(Rtcp { port, address })),
        (number(), "[A-Za-z0-9-]{1,9}", any::<u32>(), any::<u8>()).prop_map(
            |(payload_type, name, clock, channels)| {
                Attribute::RtpMap(RtpMap {
                    payload_type,
                    name: name.leak(),
                    clock,
                    channels,
                })
            }
        ),
        (number(), text()).prop_map(|(payload_type, parameters)| {
            Attribute::Fmtp(Fmtp {
                payload_type,
                parameters,
            })
        }),
        (number(), text()).prop_map(|(payload_type, list)| {
            Attribute::VideoCaps(VideoCaps { payload_type, list })
        }),
        (
            any::<u16>(),
            proptest::option::of(direction.clone()),
            text()
        )
            .prop_map(|(id, direction, name)| Attribute::ExtMap(ExtMap {
                id,
                direction,
                name
            })),
        direction.prop_map(Attribute::Direction),
        any::<u32>().prop_map(Attribute::SharingSessionId),
        prop_oneof![
            Just(Attribute::SharingRole(SharingRole::Sharer)),
            Just(Attribute::SharingRole(SharingRole::Viewer)),
            Just(Attribute::SharingMedia(SharingMedia::Rdp)),
            Just(Attribute::ContentFlow(ContentFlow::RecvOnly)),
            Just(Attribute::ContentFlow(ContentFlow::Inactive)),
            Just(Attribute::Setup(Setup::ActPass)),
            Just(Attribute::Setup(Setup::HoldConn)),
            Just(Attribute::Connection(TcpConnection::New)),
            Just(Attribute::Connection(TcpConnection::Existing)),
            Just(Attribute::Encryption(Encryption::Rejected)),
            Just(Attribute::Encryption(Encryption::Optional)),
        ],
    ];
    prop_oneof![session, opaque, media]
}

fn line() -> impl Strategy<Value = Line<'static>> {
    let other = "[iuepzrxyXY]".prop_map(|text| text.chars().next().unwrap());
    prop_oneof![
        8 => attribute().prop_map(Line::Attribute),
        1 => (word(), word(), any::<u64>(), connection()).prop_map(
            |(username, session_id, version, address)| {
                Line::Origin(Origin { username, session_id, version, address })
            }
        ),
        1 => text().prop_map(Line::SessionName),
        1 => connection().prop_map(Line::Connection),
        1 => (word(), any::<u64>())
            .prop_map(|(kind, value)| Line::Bandwidth(Bandwidth { kind, value })),
        1 => (any::<u64>(), any::<u64>())
            .prop_map(|(start, stop)| Line::Timing(Timing { start, stop })),
        1 => text().prop_map(|key| Line::Key(Hidden(key))),
        1 => (other, text()).prop_map(|(letter, value)| Line::Other { letter, value }),
        1 => (word(), any::<u16>(), any::<Option<u16>>(), word(), "([0-9]{1,3}( [0-9]{1,3}){0,5})?")
            .prop_map(|(media, port, ports, protocol, formats)| {
                Line::Media(MediaLine {
                    media: MediaType::from_text(media),
                    port,
                    ports,
                    protocol,
                    formats: formats.leak(),
                })
            }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn lines(lines in proptest::collection::vec(line(), 0..20)) {
        let mut builder = SdpBuilder::default();
        for line in &lines {
            builder.line(line);
        }
        let text = builder.as_str().to_owned();
        let sdp = builder.finish(&Limits::default()).unwrap();
        prop_assert_eq!(sdp.as_str(), &text);
        let read: Vec<Line<'_>> = sdp.lines().map(|line| line.typed().unwrap()).collect();
        prop_assert_eq!(read, lines);
    }

    /// Pieces of lines in any order: never a panic, and what is read is kept octet by octet.
    #[test]
    fn anything(pieces in proptest::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        if let Ok(sdp) = Sdp::parse(text.clone().into(), &Limits::default()) {
            prop_assert_eq!(sdp.as_str(), &text);
            let mut of_lines = String::new();
            for line in sdp.lines() {
                of_lines.push_str(line.as_str());
                if let Ok(typed) = line.typed() {
                    // Of the usual form once, of the usual form always.
                    let usual = typed.to_string();
                    let again = Sdp::parse(usual.clone().into(), &Limits::default()).unwrap();
                    let line = again.lines().next().unwrap();
                    prop_assert_eq!(line.typed().unwrap().to_string(), usual);
                }
            }
            let without_ends: String = text.chars().filter(|c| !"\r\n".contains(*c)).collect();
            prop_assert_eq!(of_lines, without_ends);
            for media in sdp.all_media() {
                let _ = (media.direction(), media.rtp_maps(), media.crypto(), media.rtcp_address());
                let _ = (media.ice_lines(true), media.ice_version(), media.connection());
            }
        }
    }

    /// No value makes a line of its own.
    #[test]
    fn values_stay_in_their_lines(value in "[ -~\r\n\0]{0,20}") {
        let mut builder = SdpBuilder::default();
        builder
            .line(&Line::SessionName(&value))
            .attribute(&Attribute::Label(Label::Other(&value)))
            .attribute(&Attribute::Other { name: &value, value: None })
            .text(&format!("i={value}"));
        let sdp = builder.finish(&Limits::default()).unwrap();
        prop_assert_eq!(sdp.lines().count(), 4);
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    let names: Vec<&'static str> = ocs_sdpext::Name::ALL
        .iter()
        .map(|name| name.as_str())
        .collect();
    prop_oneof![
        4 => Just("\r\na="),
        2 => proptest::sample::select(names),
        2 => Just(":"),
        1 => Just("\n"),
        1 => Just("\r\nm=audio 5000 RTP/AVP 0 96"),
        1 => Just("\r\nc=IN IP4 192.0.2.1"),
        1 => Just("\r\no=- 0 0 IN IP4 192.0.2.1"),
        2 => Just(" "),
        2 => proptest::sample::select(vec![
            "1", "96", "4294967296", "1-100", "send=1;recv=2", "2^31", "*", "x-message", "client",
            "AES_CM_128_HMAC_SHA1_80", "inline:3t+Jui/n92LdFt7lBWOYUC1wUg52ub4HAW4PzdDl", "|", ";",
            "x-msrta/16000", "263:1920:1080:30.0:2000000:1", "audio:send", "é",
        ]),
    ]
}
