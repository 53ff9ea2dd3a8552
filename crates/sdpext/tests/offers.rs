//! Offers of ours beside those of Microsoft's clients: the same plan gives the same octets.

mod common;

use common::{AUDIO_VIDEO, BYPASS, MULTIPART, MULTIPART_TYPE, OPTIONAL_RELAY, parse};
use ocs_sdpext::attribute::{DeviceCaps, Flow, Label, ScaleRole, SsrcRange};
use ocs_sdpext::body::{self, Body};
use ocs_sdpext::codec::Codec;
use ocs_sdpext::line::Kind;
use ocs_sdpext::negotiation::{
    Config, EncryptionPolicy, LabelBandwidth, Session, Stream, Transport,
};
use ocs_sdpext::{IceVersion, Limits, Media, Name, Sdp};
use rand_chacha::rand_core::{Infallible, TryRng};

/// Gives the key of a recording.
struct Recorded([u8; 30]);

impl TryRng for Recorded {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("only keys are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("only keys are drawn")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.copy_from_slice(&self.0);
        Ok(())
    }
}

/// The transport that a recorded section has.
fn transport(media: &Media<'_>) -> Transport {
    let of_ice = |name| {
        matches!(
            name,
            Name::IceUfrag | Name::IcePwd | Name::Candidate | Name::CandidateIpv6
        )
    };
    let ice: String = media
        .lines()
        .filter(|line| matches!(line.kind(), Kind::Attribute(name) if of_ice(name)))
        .flat_map(|line| [line.as_str(), "\r\n"])
        .collect();
    let mut transport = Transport::new(media.rtp_address().unwrap().unwrap())
        .with_ice(&ice)
        .unwrap();
    transport.rtcp_port = media.rtcp_address().unwrap().unwrap().port();
    transport
}

fn range(media: &Media<'_>) -> SsrcRange {
    let text = media.attribute(Name::SsrcRange).unwrap();
    let (first, last) = text.split_once('-').unwrap();
    SsrcRange::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
}

/// Without the attributes of bandwidth estimation, which nobody needs to offer.
fn stripped(text: &str) -> String {
    let ours = |line: &&str| !line.starts_with("a=extmap:") && !line.starts_with("a=x-bwe");
    text.split_inclusive("\r\n").filter(ours).collect()
}

fn key(sdp: &Sdp) -> Recorded {
    Recorded(*common::key_of(sdp).as_bytes())
}

#[test]
fn audio_and_video_with_required_encryption() {
    let recorded = parse(AUDIO_VIDEO);
    let mut session = Session::new(Config {
        encryption: EncryptionPolicy::Require,
        scale: Some(ScaleRole::Client),
        media_bandwidth: vec![LabelBandwidth {
            label: Label::MainVideo,
            send: 12_000,
            recv: 12_000,
        }],
        ..Config::default()
    });
    let [audio, video] = [0, 1].map(|index| recorded.media(index).unwrap());
    session
        .add(Stream::audio(transport(&audio), range(&audio)))
        .unwrap();
    session
        .add(Stream::video(transport(&video), range(&video)))
        .unwrap();
    let offer = session.offer(&mut key(&recorded)).unwrap();
    assert_eq!(offer.as_str(), stripped(AUDIO_VIDEO));
}

#[test]
fn audio_with_optional_encryption_and_relays() {
    let recorded = parse(OPTIONAL_RELAY);
    let mut session = Session::new(Config {
        scale: Some(ScaleRole::Client),
        device_caps: Some(no_camera()),
        ..Config::default()
    });
    let audio = recorded.media(0).unwrap();
    session
        .add(Stream::audio(transport(&audio), range(&audio)))
        .unwrap();
    let offer = session.offer(&mut key(&recorded)).unwrap();
    assert_eq!(offer.as_str(), stripped(OPTIONAL_RELAY));
    // Without the scale transform, its line alone is missing; the others keep their tags.
    let mut session = Session::new(Config {
        device_caps: Some(no_camera()),
        ..Config::default()
    });
    session
        .add(Stream::audio(transport(&audio), range(&audio)))
        .unwrap();
    let offer = session.offer(&mut key(&recorded)).unwrap();
    let without: String = stripped(OPTIONAL_RELAY)
        .split_inclusive("\r\n")
        .filter(|line| !line.starts_with("a=cryptoscale"))
        .collect();
    assert_eq!(offer.as_str(), without);
}

fn no_camera() -> DeviceCaps {
    let recv = true;
    DeviceCaps {
        audio: Some(Flow { send: true, recv }),
        video: Some(Flow { send: false, recv }),
    }
}

#[test]
fn audio_without_encryption_for_a_bypass() {
    let recorded = parse(BYPASS);
    let mut session = Session::new(Config {
        encryption: EncryptionPolicy::DoNotSupport,
        ..Config::default()
    });
    let audio = recorded.media(0).unwrap();
    let mut stream = Stream::audio(transport(&audio), range(&audio));
    stream.formats.remove(0);
    let id = audio.attribute(Name::BypassId).unwrap();
    stream.bypass_id = Some(id.parse().unwrap());
    session.add(stream).unwrap();
    let offer = session.offer(&mut common::rng(1)).unwrap();
    assert_eq!(offer.as_str(), stripped(BYPASS));
}

#[test]
fn a_multipart_of_both_drafts() {
    let octets = bytes::Bytes::from_static(MULTIPART.as_bytes());
    let read = Body::parse(MULTIPART_TYPE, &octets, &Limits::default()).unwrap();
    let [first, second] = &read.alternatives[..] else {
        panic!("two parts");
    };
    assert!(first.fallback_2007 && !second.fallback_2007);
    assert_eq!(
        first.content_id.as_deref(),
        Some("32149ef6638b65004752a1465a8bc569@contoso.com")
    );
    assert_eq!(first.sdp.ice_version(), IceVersion::V6);
    assert_eq!(second.sdp.ice_version(), IceVersion::V19);
    let best = read.best(|_| true).unwrap();
    assert_eq!(best, second);
    let old = read
        .best(|sdp| sdp.ice_version() <= IceVersion::V6)
        .unwrap();
    assert_eq!(old, first);

    // The recorded keys differ line by line, and the tails of its lines have spaces; all else is the same.
    let mut session = Session::new(Config {
        scale: Some(ScaleRole::Client),
        ..Config::default()
    });
    let [v6, v19] = [first, second].map(|form| form.sdp.media(0).unwrap());
    let stream = Stream::audio(transport(&v19), range(&v19));
    session.add(stream.with_codecs(&LYNC_2013)).unwrap();
    let offer = session
        .offer_with_fallback(&mut key(&first.sdp), &[transport(&v6)])
        .unwrap();
    let ids = [first, second].map(|form| form.content_id.as_deref().unwrap());
    let boundary = "d38d183e-6415-438f-8ff5-4ed634919226";
    let (kind, body) = body::alternative(&offer, Some(ids), boundary).unwrap();
    assert_eq!(kind, MULTIPART_TYPE);
    let plain = |text: &str| -> Vec<String> {
        text.lines()
            .map(|line| line.split(" inline:").next().unwrap().trim_end().to_owned())
            .collect()
    };
    let written = core::str::from_utf8(&body).unwrap();
    let lines = plain(written);
    // The recording puts an empty line in front of each boundary: the end of the description and one more.
    let recorded: Vec<String> = plain(MULTIPART);
    let without_blank = |lines: Vec<String>| -> Vec<String> {
        lines.into_iter().filter(|line| !line.is_empty()).collect()
    };
    assert_eq!(without_blank(lines), without_blank(recorded));
}

/// Audio of Lync 2013, in the order of the recording.
const LYNC_2013: [Codec; 15] = [
    Codec::G722Stereo,
    Codec::SilkWide,
    Codec::RtAudioWide,
    Codec::G722,
    Codec::G7221,
    Codec::Siren,
    Codec::Pcmu,
    Codec::SilkNarrow,
    Codec::Pcma,
    Codec::G726,
    Codec::RtAudioNarrow,
    Codec::Red,
    Codec::ComfortNoise,
    Codec::ComfortNoiseWide,
    Codec::TelephoneEvent,
];
