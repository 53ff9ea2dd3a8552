//! Credentials for the media relay: asked for in the bootstrap, renewed, refused, at servers with a script and at a front end of ours.

mod common;

use std::time::Duration;

use common::network::Network;
use common::script::{Ask, Reply, Script, body};
use common::{aor, rebuilt};
use ocs_avedgea::client::{Access, RelayHost};
use ocs_avedgea::document::{Location, Minutes, ReasonPhrase, Request};
use ocs_avedgea::server::{Config as ServiceConfig, Pool, RelayAuthentication, Requester};
use ocs_avedgea::token::{Issuer, Key, Refused, SharedKeys, Verifier};
use ocs_avedgea::{CONTENT_TYPE, Limits};
use ocs_client::{Error, Event, Step, UserAgent};
use ocs_sip_core::{HeaderName, Message};
use ocs_testbed::HostId;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
/// The service that the scripted server names.
const MRAS: &str = "sip:mras.contoso.com@contoso.com;gruu;opaque=srvr:MRAS:x";

fn keys() -> SharedKeys {
    SharedKeys::new(Key::new(&[1; 20]).unwrap(), Key::new(&[2; 20]).unwrap())
}

fn service() -> RelayAuthentication {
    let pool = Pool::new(Location::Intranet, "av.contoso.com");
    let config = ServiceConfig::new("edge.contoso.com", vec![pool]);
    let own = Key::new(&[3; 20]).unwrap();
    RelayAuthentication::new(config, Issuer::new(own, keys()))
}

fn grant(request: &Message) -> Message {
    service().answer(request, Requester::User(&aor("bob")), 1, "77")
}

fn busy(request: &Message) -> Message {
    service().refuse(request, ReasonPhrase::ServerBusy, "77")
}

/// A refusal as OfficeSIP sends it: 200 all the same.
fn forbidden_in_the_document(request: &Message) -> Message {
    let refusal = service().refuse(request, ReasonPhrase::Forbidden, "77");
    let mut answer = Message::response_to(request, 200, Some("77"));
    answer.set_body(CONTENT_TYPE, refusal.body().clone());
    answer
}

fn answer_to_another(request: &Message) -> Message {
    let answer = grant(request);
    let id = Request::parse(request.body(), &Limits::default()).unwrap();
    let body = body(&answer).replace(id.request_id.as_str(), "x");
    Message::response_to(request, 200, Some("77")).with_body(CONTENT_TYPE, body)
}

/// bob at a server that tells of a service, which answers so.
fn script(reply: Reply) -> Script {
    let mut script = Script::new(|_| {});
    script.reply(
        Ask::Provisioning,
        Reply::Recorded("sign-in/provisioning-relay-200.sip"),
    );
    script.reply(Ask::Relay, reply);
    script
}

fn signed_in(reply: Reply) -> Script {
    let mut script = script(reply);
    script.sign_in();
    script
}

/// The registrar does not forget the registration from now on.
fn refreshed(script: &mut Script) {
    let refreshed = |request: &Message| {
        let mut answer = rebuilt("sign-in/register-200.sip", request);
        let action = "register-action=\"refreshed\"";
        answer.set(HeaderName::PresenceState, action);
        answer
    };
    script.reply(Ask::Register, Reply::by(refreshed));
}

fn granted(events: &[Event]) -> Vec<Access> {
    let accesses = events.iter().filter_map(|event| match event {
        Event::RelayGranted(access) => Some(access.as_ref().clone()),
        _ => None,
    });
    accesses.collect()
}

fn refused_later(script: &Script) -> usize {
    let events = script.solo.events.iter();
    let refused = |event: &&Event| matches!(event, Event::RelayRefused(_));
    events.filter(refused).count()
}

/// Loses the connection and waits until the client is back.
fn reconnect(script: &mut Script) {
    let connection = script.solo.connection.take().unwrap();
    script.solo.agent.handle_closed(script.solo.now, connection);
    assert_eq!(script.solo.agent.relay_access(), None);
    script.solo.drain();
    script.advance(120 * SECOND);
    assert!(script.solo.agent.is_signed_in());
}

#[test]
fn asked_in_the_bootstrap() {
    let mut script = signed_in(Reply::by(grant));
    assert!(script.answered().contains(&Step::MediaRelay));
    assert_eq!((script.answered().len(), script.refused()), (8, vec![]));
    assert_eq!(script.bootstrapped(), 1);
    let request = script.taken(Ask::Relay).remove(0);
    assert_eq!(request.request_uri(), Some(MRAS));
    assert_eq!(request.to_header().unwrap().uri_text(), MRAS);
    assert_eq!(request.header(HeaderName::ContentType), Some(CONTENT_TYPE));
    let document = Request::parse(request.body(), &Limits::default()).unwrap();
    assert_eq!(
        (document.to.as_str(), document.from.as_str()),
        (MRAS, "sip:bob@contoso.com")
    );
    assert_eq!(document.credentials[0].location, Some(Location::Intranet));
    assert_eq!(document.credentials[0].duration, Some(Minutes::EIGHT_HOURS));

    let [access] = &granted(&script.solo.events)[..] else {
        panic!("{:?}", script.solo.events);
    };
    assert_eq!(script.solo.agent.relay_access(), Some(access));
    assert_eq!(
        access.relays[0].host,
        RelayHost::Name("av.contoso.com".into())
    );
    let (_, password) = Verifier::new(keys())
        .verify(1, access.username.as_bytes())
        .unwrap();
    assert_eq!(access.password, password);
    // Whoever logs events logs no password.
    let shown = format!("{:?}", script.solo.events);
    assert!(shown.contains("Password(..)"), "{shown}");
}

#[test]
fn left_out_where_it_is_not_wanted_or_not_offered() {
    let mut off = Script::new(|config| config.bootstrap.media_relay = false);
    off.reply(
        Ask::Provisioning,
        Reply::Recorded("sign-in/provisioning-relay-200.sip"),
    );
    let none = Script::new(|_| {});
    for mut script in [off, none] {
        script.sign_in();
        assert_eq!(
            (script.taken(Ask::Relay).len(), script.bootstrapped()),
            (0, 1)
        );
        assert_eq!((script.answered().len(), script.refused()), (7, vec![]));
        let asked = script.command(UserAgent::request_relay_access);
        assert_eq!(asked, Err(Error::NotOffered));
        assert_eq!(script.solo.agent.relay_access(), None);
    }
}

#[test]
fn refused_without_harm_to_the_other_steps() {
    let broken = |text: &str| Reply::Body(CONTENT_TYPE, text.to_owned());
    for (reply, status) in [
        (Reply::Status(403), 403),
        (Reply::Status(404), 404),
        (Reply::Status(503), 503),
        (Reply::Silence, 408),
        (Reply::Status(200), 400),
        (Reply::Body("text/plain", "ok".to_owned()), 400),
        (broken("<response"), 400),
        (broken("<response/>"), 400),
        (broken(&"<x>".repeat(100_000)), 400),
        (Reply::by(busy), 503),
        (Reply::by(forbidden_in_the_document), 403),
        (Reply::by(answer_to_another), 400),
    ] {
        let mut script = signed_in(reply);
        script.advance(40 * SECOND);
        assert_eq!(script.refused(), [(Step::MediaRelay, status)]);
        assert_eq!((script.answered().len(), script.bootstrapped()), (7, 1));
        assert!(script.solo.agent.is_signed_in());
        assert_eq!(script.solo.agent.relay_access(), None);
        assert!(granted(&script.solo.events).is_empty());
    }
}

#[test]
fn addresses_that_are_none() {
    for uri in [
        "http://contoso.com/",
        "tel:+14255550100",
        "sip:a@b&#13;&#10;X: y",
        "mras",
    ] {
        let mut script = script(Reply::by(grant));
        let told = move |request: &Message| {
            let answer = rebuilt("sign-in/provisioning-relay-200.sip", request);
            let kind = answer.header(HeaderName::ContentType).unwrap().to_owned();
            let body = body(&answer).replace(MRAS, uri);
            answer.with_body(&kind, body)
        };
        script.reply(Ask::Provisioning, Reply::by(told));
        script.sign_in();
        assert_eq!(script.refused(), [(Step::MediaRelay, 400)], "{uri}");
        assert_eq!(
            (script.taken(Ask::Relay).len(), script.bootstrapped()),
            (0, 1)
        );
    }
}

#[test]
fn a_busy_service_is_asked_again() {
    let mut script = signed_in(Reply::by(busy));
    assert_eq!(script.refused(), [(Step::MediaRelay, 503)]);
    script.reply(Ask::Relay, Reply::by(grant));
    script.advance(31 * SECOND);
    assert_eq!(granted(&script.solo.events).len(), 1);
    // It was refused as a step, and stays so.
    assert!(!script.answered().contains(&Step::MediaRelay));
    assert_eq!((script.bootstrapped(), refused_later(&script)), (1, 0));
}

#[test]
fn renewed_before_the_end() {
    let mut script = signed_in(Reply::by(grant));
    refreshed(&mut script);
    script.advance(430 * MINUTE);
    assert_eq!(script.taken(Ask::Relay).len(), 1);
    script.advance(3 * MINUTE);
    assert_eq!(script.taken(Ask::Relay).len(), 1);
    let accesses = granted(&script.solo.events);
    assert_eq!(accesses.len(), 2);
    assert!(accesses[0].expires_at < accesses[1].expires_at);
    assert_eq!(script.solo.agent.relay_access(), Some(&accesses[1]));
    // No step any more.
    assert_eq!((script.answered().len(), script.bootstrapped()), (8, 1));
}

#[test]
fn a_renewal_that_is_refused() {
    let mut script = signed_in(Reply::by(grant));
    refreshed(&mut script);
    script.reply(Ask::Relay, Reply::Status(403));
    script.advance(440 * MINUTE);
    assert_eq!(refused_later(&script), 1);
    assert!(script.solo.agent.relay_access().is_some(), "still valid");
    assert!(!script.solo.told(|event| *event == Event::RelayExpired));
    script.advance(41 * MINUTE);
    assert!(script.solo.told(|event| *event == Event::RelayExpired));
    assert_eq!(script.solo.agent.relay_access(), None);
    assert_eq!(script.refused(), [], "no step any more");
    // Whoever wants to try once more may.
    script.reply(Ask::Relay, Reply::by(grant));
    script.command(UserAgent::request_relay_access).unwrap();
    assert!(script.solo.agent.relay_access().is_some());
}

#[test]
fn a_relay_refuses_the_credentials() {
    let mut script = signed_in(Reply::by(grant));
    script.taken(Ask::Relay);
    script.reply(Ask::Relay, Reply::Silence);
    script.command(UserAgent::request_relay_access).unwrap();
    script.command(UserAgent::request_relay_access).unwrap();
    assert_eq!(script.taken(Ask::Relay).len(), 1, "one at a time");
    script.reply(Ask::Relay, Reply::by(grant));
    // No answer came, and it is asked again.
    script.advance(2 * MINUTE);
    assert_eq!(granted(&script.solo.events).len(), 2);
    assert_eq!(refused_later(&script), 1);
}

#[test]
fn a_challenge_in_vain_is_no_refusal() {
    let mut script = script(Reply::by(grant));
    script.reply_once(Ask::Relay, Reply::Status(401));
    script.sign_in();
    assert_eq!(script.refused(), [(Step::MediaRelay, 408)]);
    script.advance(2 * MINUTE);
    assert_eq!(granted(&script.solo.events).len(), 1);
}

#[test]
fn asked_anew_after_a_lost_connection() {
    let mut script = signed_in(Reply::by(grant));
    script.solo.events.clear();
    script.taken(Ask::Relay);
    reconnect(&mut script);
    assert_eq!(script.taken(Ask::Relay).len(), 1);
    assert_eq!(granted(&script.solo.events).len(), 1);
    assert!(script.answered().contains(&Step::MediaRelay));
    // Also while an answer was awaited.
    script.reply(Ask::Relay, Reply::Silence);
    script.command(UserAgent::request_relay_access).unwrap();
    script.reply(Ask::Relay, Reply::by(grant));
    script.solo.events.clear();
    reconnect(&mut script);
    assert_eq!(
        (granted(&script.solo.events).len(), refused_later(&script)),
        (1, 0)
    );
    // Nothing is left of it at the end.
    script.command(UserAgent::sign_out);
    script.advance(40 * SECOND);
    assert_eq!(script.solo.agent.relay_access(), None);
    assert_eq!(script.solo.agent.poll_timeout(), None);
}

/// The relays of a front end of ours let in who has what it gave, as long as it said.
fn let_in(network: &Network, device: HostId) -> Result<(), Refused> {
    let now = network.testbed.now();
    let access = network.at(device).agent.relay_access().expect("access");
    let filetime = network.testbed.wall_clock().filetime(now);
    let verifier = Verifier::new(keys()).at(Location::Intranet);
    let (token, password) = verifier.verify(filetime, access.username.as_bytes())?;
    assert_eq!(password, access.password);
    assert!(access.expires_at.is_some_and(|end| end > now));
    assert!(token.expires > filetime);
    Ok(())
}

#[test]
fn with_our_front_end_for_a_day_and_over_its_restart() {
    for compressed in [false, true] {
        let mut network = Network::with(1, compressed, |config| {
            config.media_relay = Some(service());
        });
        let device = network.signed_in("alice");
        let answered = |event: &Event| {
            matches!(
                event,
                Event::StepAnswered {
                    step: Step::MediaRelay
                }
            )
        };
        assert!(network.told(device, answered));
        assert_eq!(let_in(&network, device), Ok(()));
        let grants = |network: &Network| granted(&network.at(device).events).len();
        for hours in 1..=24 {
            network.run(60 * MINUTE);
            assert_eq!(let_in(&network, device), Ok(()), "after {hours} hours");
        }
        assert_eq!(grants(&network), 4, "every 432 minutes");
        network.restart_server();
        network.run(120 * SECOND);
        assert!(network.at(device).agent.is_signed_in());
        assert_eq!(grants(&network), 5);
        assert_eq!(let_in(&network, device), Ok(()));
    }
}
