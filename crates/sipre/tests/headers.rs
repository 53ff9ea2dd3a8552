//! Small headers.

mod common;

use common::{message, text};
use ocs_sip_core::HeaderName;
use ocs_sip_core::header::Sensitivity;
use ocs_sipre::headers::{
    agent_on_behalf_of, begin_history, conversation_id, new_conversation_id, sensitivity,
    session_on_behalf_of, strip_server_headers,
};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

#[test]
fn sensitivity_is_one_of_four_and_stands_once() {
    let of = |headers: &str| {
        let request = text(&format!("INVITE sip:b@x SIP/2.0\n{headers}\n"));
        sensitivity(&request).map_err(|refusal| refusal.status)
    };
    assert_eq!(of(""), Ok(Sensitivity::Normal));
    assert_eq!(of("ms-sensitivity: PRIVATE\n"), Ok(Sensitivity::Private));
    let strict = of("Ms-Sensitivity: private-no-diversion\n").unwrap();
    assert!(!strict.allows_diversion() && !strict.allows_team());
    assert!(Sensitivity::NormalNoDiversion.allows_team());
    assert!(Sensitivity::Private.allows_diversion());
    assert_eq!(of("Ms-Sensitivity: secret\n"), Err(400));
    assert_eq!(
        of("Ms-Sensitivity: normal\nMs-Sensitivity: normal\n"),
        Err(400)
    );
}

#[test]
fn clients_cannot_speak_for_servers() {
    let mut request = text(
        "INVITE sip:b@x SIP/2.0\nms-edge-proxy-message-trust: ms-source-type=InternetUser\nP-Asserted-Identity: <sip:a@b>\n\
         P-Preferred-Identity: <sip:a@b>\nHistory-Info: <sip:a@b>;index=1\nX-Other: 1\n\n",
    );
    assert_eq!(strip_server_headers(&mut request.clone(), true), 2);
    assert_eq!(strip_server_headers(&mut request, false), 3);
    assert_eq!(request.headers_iter().count(), 2);
}

#[test]
fn history_begins_with_whom_the_caller_asked_for() {
    let begun = |start: &str, to: &str| {
        let mut request = text(&format!("{start} SIP/2.0\nTo: {to}\n\n"));
        begin_history(&mut request);
        let lines: Vec<_> = request.lines(HeaderName::HistoryInfo).collect();
        lines.join("|")
    };
    let uri = "sip:b@x;opaque=user:epid:A;gruu";
    let invite = format!("INVITE {uri}");
    assert_eq!(
        begun(&invite, "<sip:b@x>;epid=1"),
        format!("<{uri}>;index=1")
    );
    assert_eq!(begun(&invite, "<sip:b@x>;tag=1"), "");
    assert_eq!(begun("MESSAGE sip:b@x", "<sip:b@x>"), "");
}

#[test]
fn delegates_and_agents_name_whom_they_act_for() {
    let request = text(
        "INVITE sip:b@x SIP/2.0\nP-Session-On-Behalf-Of: \"Boss\" <sip:boss@d>\nP-Agent-On-Behalf-Of: sip:group@d\n\n",
    );
    let boss = session_on_behalf_of(&request).unwrap().unwrap();
    assert_eq!(boss.uri_text(), "sip:boss@d");
    let group = agent_on_behalf_of(&request).unwrap().unwrap();
    assert_eq!(group.uri_text(), "sip:group@d");
    let bad = text("INVITE sip:b@x SIP/2.0\nP-Session-On-Behalf-Of: <>\n\n");
    assert_eq!(session_on_behalf_of(&bad).unwrap_err().status, 400);
    assert_eq!(agent_on_behalf_of(&bad).unwrap(), None);
}

#[test]
fn conversations_have_ids() {
    let invite = message("two-clients/051-C2S-alice-INVITE.sip");
    assert_eq!(conversation_id(&invite), Some("551746507"));
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let (a, b) = (new_conversation_id(&mut rng), new_conversation_id(&mut rng));
    assert_ne!(a, b);
    assert!(invite.header(HeaderName::MsConversationId).is_some());
}
