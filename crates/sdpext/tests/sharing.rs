//! Application sharing and file transfer.

mod common;

use common::{again, answer, call, host, open, parse, refused, rng};
use ocs_sdpext::Name;
use ocs_sdpext::attribute::{ContentFlow, Direction, Setup, SharingRole};
use ocs_sdpext::negotiation::{Config, Refusal, Session, Sharing, Stream, StreamKind};

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
