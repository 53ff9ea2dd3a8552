//! Peers that mean no good.

mod common;

use std::time::{Duration, Instant};

use common::{AUDIO_VIDEO, audio, parse, rng, video};
use ocs_sdpext::negotiation::{Answer, Config, Session, Stage, StreamKind, Verdict};
use ocs_sdpext::{Error, Limits, Sdp};

/// No bound but memory.
const UNBOUNDED: Limits = Limits {
    octets: usize::MAX,
    lines: usize::MAX,
    media: usize::MAX,
    formats: usize::MAX,
    alternatives: usize::MAX,
};

const HEAD: &str = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n";

/// Offers it, accepts everything that can be accepted, and answers.
fn offered(sdp: &Sdp) -> Option<Sdp> {
    let mut session = Session::new(Config::default());
    let Verdict::Open(streams) = session.handle_offer(sdp.clone()) else {
        return None;
    };
    for stream in streams {
        let plan = match stream.kind {
            Some(StreamKind::Audio) => audio(2),
            Some(StreamKind::Video) => video(2),
            _ => continue,
        };
        session.accept(stream.index, plan).unwrap();
    }
    match session.answer(&mut rng(1)) {
        Ok(Answer::Accept(answer)) => Some(answer),
        Ok(Answer::Refuse(_)) | Err(Error::Violation { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Takes it as the answer to an offer of audio and video.
fn answered(sdp: &Sdp) {
    let mut session = common::caller(Config::default());
    session.add(video(1)).unwrap();
    session.offer(&mut rng(1)).unwrap();
    if session.handle_answer(sdp, Stage::Final).is_err() {
        assert!(!session.is_stable() && session.negotiated(0).is_none());
    }
}

#[test]
fn every_truncation() {
    for end in 0..AUDIO_VIDEO.len() {
        let text = &AUDIO_VIDEO[..end];
        // The cut may be in front of a line feed, behind the first letter of a line, or inside its m= line.
        if let Ok(sdp) = Sdp::parse(text.to_owned().into(), &Limits::default()) {
            assert_eq!(sdp.as_str(), text);
            for line in sdp.lines() {
                let _ = line.typed();
            }
            offered(&sdp);
            answered(&sdp);
        }
    }
    assert!(offered(&parse(AUDIO_VIDEO)).is_some());
}

#[test]
fn every_octet_changed() {
    for at in 0..AUDIO_VIDEO.len() {
        for octet in [b' ', b'\n', b'9', b':', b'\0'] {
            let mut text = AUDIO_VIDEO.as_bytes().to_vec();
            text[at] = octet;
            if let Ok(sdp) = Sdp::parse(text.into(), &Limits::default()) {
                answered(&sdp);
                if at % 7 == 0 {
                    offered(&sdp);
                }
            }
        }
    }
}

#[test]
fn bounds_are_named() {
    let parse = |text: String| Sdp::parse(text.into(), &Limits::default()).map(|_| ());
    let lines = "a=x\r\n".repeat(4097);
    assert_eq!(parse(lines), Err(Error::TooManyLines { limit: 4096 }));
    let media = "m=audio 0 RTP/AVP 0\r\n".repeat(21);
    assert_eq!(parse(media), Err(Error::TooManyMedia { limit: 20 }));
    let formats = format!("v=0\r\nm=audio 0 RTP/AVP{}", " 0".repeat(33));
    assert_eq!(
        parse(formats),
        Err(Error::TooManyFormats { line: 2, limit: 32 })
    );
    let long = format!("s={}", "x".repeat(64 * 1024));
    assert_eq!(parse(long), Err(Error::TooLong { limit: 64 * 1024 }));
    // Nothing is a line.
    assert_eq!(parse("\r\n".repeat(30_000)), Ok(()));
}

/// The same with four times as much: at most eight times as long, or short in any case; a quadratic cost takes seconds.
fn linear(what: &str, run: impl Fn(usize) -> Duration) {
    let best = |n| (0..3).map(|_| run(n)).min().unwrap();
    let (small, large) = (best(25_000), best(100_000));
    let bound = (small * 8).max(Duration::from_millis(400));
    assert!(large < bound, "{what}: {small:?} and {large:?}");
}

#[test]
fn a_hundred_thousand_of_every_attribute() {
    let many: [fn(usize) -> String; 12] = [
        |n| format!("a=x-{n}:{n}\r\n"),
        |n| {
            format!(
                "a=crypto:{n} AES_CM_128_HMAC_SHA1_80 inline:3t+Jui/n92LdFt7lBWOYUC1wUg52ub4HAW4PzdDl|2^31|1:1\r\n"
            )
        },
        |n| format!("a=candidate:{n} 1 UDP 2130706431 192.0.2.1 5000 typ host\r\n"),
        |n| format!("a=rtpmap:{} X{n}/8000\r\n", 96 + n % 32),
        |_| "a=rtpmap:96 X/8000\r\n".to_owned(),
        |n| format!("a=fmtp:96 a={n}\r\n"),
        |_| "a=label:main-audio\r\n".to_owned(),
        |_| "a=x-ssrc-range:5-5\r\n".to_owned(),
        |_| "a=inactive\r\n".to_owned(),
        |_| "a=rtcp-fb:* x-message app send:dsh recv:dsh\r\n".to_owned(),
        |n| format!("a=x-caps:121 {n}:1:1:1.0:1:1\r\n"),
        |_| "b=AS:64\r\n".to_owned(),
    ];
    for line in many {
        let name = line(1);
        linear(&name, |n| {
            let lines: String = (0..n).map(line).collect();
            let text = format!("{HEAD}m=audio 5000 RTP/AVP 0 96\r\n{lines}");
            let started = Instant::now();
            let sdp = Sdp::parse(text.into(), &UNBOUNDED).unwrap();
            offered(&sdp);
            answered(&sdp);
            started.elapsed()
        });
    }
}

#[test]
fn long_lists_in_one_line() {
    let many: [fn(usize) -> String; 5] = [
        |n| format!("m=audio 5000 RTP/AVP{}\r\n", " 96".repeat(n)),
        |n| {
            format!(
                "m=audio 5 RTP/AVP 0\r\na=rtcp-rsize\r\na=rtcp-fb:* x-message app send:{}\r\n",
                "dsh,".repeat(n)
            )
        },
        |n| {
            format!(
                "m=audio 5 RTP/AVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}\r\n",
                "|1:1".repeat(n)
            )
        },
        |n| {
            format!(
                "m=video 5 RTP/AVP 121\r\na=rtpmap:121 x-rtvc1/90000\r\na=x-caps:121 {}\r\n",
                "1:1:1:1:1:1;".repeat(n)
            )
        },
        |n| {
            format!(
                "m=audio 5 RTP/AVP 111\r\na=rtpmap:111 SIREN/16000\r\na=fmtp:111 {}\r\n",
                "a=b;".repeat(n)
            )
        },
    ];
    for lines in many {
        linear(&lines(1), |n| {
            let text = format!("{HEAD}{}", lines(n));
            let started = Instant::now();
            let sdp = Sdp::parse(text.into(), &UNBOUNDED).unwrap();
            offered(&sdp);
            started.elapsed()
        });
    }
}

/// As many streams as the limits allow, all of one label and one range.
#[test]
fn many_streams() {
    let stream = "m=video 5000 RTP/AVP 121\r\na=label:main-video\r\na=x-ssrc-range:1-100\r\na=rtpmap:121 x-rtvc1/90000\r\n";
    let sdp = parse(&format!("{HEAD}{}", stream.repeat(20)));
    let answer = offered(&sdp).unwrap();
    let active = answer
        .all_media()
        .filter(|media| !media.line().unwrap().is_rejected());
    assert_eq!(active.count(), 1, "the ranges overlap");
}

#[test]
fn an_answer_changes_nothing_before_it_is_whole() {
    let mut session = common::caller(Config::default());
    session.add(video(1)).unwrap();
    let offer = session.offer(&mut rng(1)).unwrap();
    let answer = offered(&offer).unwrap();
    // The first stream is good, the second is not.
    let at = answer.as_str().find("m=video").unwrap();
    let (head, tail) = answer.as_str().split_at(at);
    let bad = format!("{head}{}", tail.replace("a=crypto", "a=no"));
    assert!(session.handle_answer(&parse(&bad), Stage::Final).is_err());
    assert!(session.negotiated(0).is_none());
    session.handle_answer(&answer, Stage::Final).unwrap();
    assert!(session.negotiated(0).is_some() && session.negotiated(1).is_some());
}
