//! Several streams of one label on one transport.

mod common;

use common::{answer, host, key_of, open, parse, range, rng, video};
use ocs_sdpext::attribute::MasterKey;
use ocs_sdpext::negotiation::{Config, Session, Stage, Stream, Violation};
use ocs_sdpext::{Error, Name, Sdp};

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

/// The octets of a description with other keys in its second section.
fn with_keys_of_its_own(sdp: &Sdp) -> Sdp {
    let at = sdp.as_str().rfind("m=video").unwrap();
    let (first, second) = sdp.as_str().split_at(at);
    let [from, to] = [key_of(sdp), MasterKey::random(&mut rng(99))].map(|key| {
        let mut text = String::new();
        key.write_to(&mut text);
        text
    });
    assert!(second.contains(&from));
    parse(&format!("{first}{}", second.replace(&from, &to)))
}

#[test]
fn multiplexed_streams_have_one_key() {
    let mut one = Session::new(Config::default());
    for stream in gallery(1, 2) {
        one.add(stream).unwrap();
    }
    let offer = one.offer(&mut rng(1)).unwrap();
    // Of an offer the stream is refused.
    let mut other = Session::new(Config::default());
    let streams = open(&mut other, &with_keys_of_its_own(&offer));
    let obstacles: Vec<_> = streams.iter().map(|stream| stream.obstacle).collect();
    assert_eq!(obstacles, [None, Some(Violation::MultiplexedKeys)]);
    for (index, stream) in gallery(2, 2).into_iter().enumerate() {
        other.accept(index, stream).unwrap();
    }
    let sdp = answer(&mut other);
    assert!(sdp.media(1).unwrap().line().unwrap().is_rejected());
    assert_eq!(other.obstacle(1), Some(Violation::MultiplexedKeys));
    // An answer is none.
    let mut other = Session::new(Config::default());
    open(&mut other, &offer);
    for (index, stream) in gallery(2, 2).into_iter().enumerate() {
        other.accept(index, stream).unwrap();
    }
    let sdp = answer(&mut other);
    let violation = Violation::MultiplexedKeys;
    let refused = Error::Violation {
        stream: 1,
        violation,
    };
    assert_eq!(
        one.handle_answer(&with_keys_of_its_own(&sdp), Stage::Final),
        Err(refused)
    );
    one.handle_answer(&sdp, Stage::Final).unwrap();
    assert_eq!(one.negotiated(1).unwrap().multiplexed_with, Some(0));
}
