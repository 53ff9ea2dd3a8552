//! Voice mail.

mod common;

use common::{host, key_of, parse, rng};
use ocs_sdpext::Name;
use ocs_sdpext::codec::Codec;
use ocs_sdpext::negotiation::{Answer, Config, Refusal, Session, Transport, Verdict};
use ocs_sdpext::um::{self, Caller, SecurityMode};

fn answer(offer: &str, mode: SecurityMode, caller: Caller) -> (Session, Answer) {
    let mut session = Session::new(um::config(mode));
    let Verdict::Open(streams) = session.handle_offer(parse(offer)) else {
        panic!("refused");
    };
    let index = um::accepted(&streams).unwrap();
    session
        .accept(index, um::audio(host(9, 26_914), caller))
        .unwrap();
    let answer = session.answer(&mut rng(3)).unwrap();
    (session, answer)
}

#[test]
fn a_client_that_must_encrypt() {
    let (session, result) = answer(common::AUDIO_VIDEO, SecurityMode::Secured, Caller::Client);
    let Answer::Accept(sdp) = result else {
        panic!("refused");
    };
    // RTAudio first, with the numbers of the offer; video is refused.
    let [audio, video] = [0, 1].map(|index| sdp.media(index).unwrap());
    let line = audio.line().unwrap().to_string();
    assert_eq!(line, "audio 26914 RTP/SAVP 114 115 111 0 8 97 13 101");
    assert!(video.line().unwrap().is_rejected());
    assert!(audio.attribute(Name::Crypto).unwrap().starts_with("2 "));
    assert!(!sdp.as_str().contains("cryptoscale"));
    assert!(!sdp.as_str().contains("rtcp-mux"));
    let srtp = session.negotiated(0).unwrap().srtp.as_ref().unwrap();
    assert_eq!(srtp.local.master, key_of(&sdp));
}

#[test]
fn a_gateway_without_encryption() {
    let offer = "v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=x\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
                 m=audio 5002 RTP/AVP 18 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
    for mode in [SecurityMode::Unsecured, SecurityMode::SipSecured] {
        let (session, result) = answer(offer, mode, Caller::Gateway);
        let Answer::Accept(sdp) = result else {
            panic!("refused");
        };
        let line = sdp.media(0).unwrap().line().unwrap();
        assert_eq!((line.protocol, line.formats), ("RTP/AVP", "0 8 101"));
        let formats = &session.negotiated(0).unwrap().formats;
        assert_eq!(formats[0].codec, Codec::Pcmu);
    }
    // A secured dial plan refuses it, and one without encryption a client that must.
    let (_, result) = answer(offer, SecurityMode::Secured, Caller::Gateway);
    assert_eq!(result, Answer::Refuse(Refusal::ENCRYPTION));
    let (_, result) = answer(
        common::AUDIO_VIDEO,
        SecurityMode::SipSecured,
        Caller::Client,
    );
    assert_eq!(result, Answer::Refuse(Refusal::ENCRYPTION));
}

/// An answer as the digest of the profile has it, from the view of the client.
#[test]
fn the_answer_of_a_server() {
    let key = "IQ+Q4YcN8irlbEovMTkF8LL/uMV0JIGFWrAxrrpY";
    let answer = format!(
        "v=0\r\no=- 0 0 IN IP4 10.9.8.7\r\ns=Microsoft Exchange Speech Engine\r\nc=IN IP4 10.9.8.7\r\nt=0 0\r\n\
         m=audio 26914 RTP/SAVP 114 115 0 8 97 101\r\n\
         a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31|1:1\r\n\
         a=rtpmap:114 x-msrta/16000\r\na=fmtp:114 bitrate=29000\r\na=rtpmap:115 x-msrta/8000\r\n\
         a=fmtp:115 bitrate=11800\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:97 RED/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n"
    );
    let mut session = Session::new(Config::default());
    let transport = Transport::new("192.0.2.1:5000".parse().unwrap());
    session.add(um::audio(transport, Caller::Client)).unwrap();
    session.offer(&mut rng(1)).unwrap();
    let stage = ocs_sdpext::negotiation::Stage::Final;
    session.handle_answer(&parse(&answer), stage).unwrap();
    let agreed = session.negotiated(0).unwrap();
    assert_eq!(agreed.formats.len(), 6);
    assert_eq!(agreed.formats[0].codec, Codec::RtAudioWide);
    assert_eq!(agreed.srtp.as_ref().unwrap().tag, 2);
}
