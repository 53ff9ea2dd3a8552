//! Answers and offers that cannot be taken.

mod common;

use common::{answer, audio, caller, open, parse, range, refused, rng};
use ocs_sdpext::negotiation::{
    Config, Refusal, Session, Stage, Stream, Transport, Verdict, Violation,
};
use ocs_sdpext::{Error, Name};

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
