//! A client and a server: what is asked, granted, refused, and when it is asked again.

mod common;

use std::time::{Duration, Instant};

use common::{
    MINUTE, MRAS_URI, NOW, alice, asked, client, complete, config, issuer, sent, server, service,
    verifier,
};
use ocs_avedgea::client::{Event, FIRST_WAIT, Failure, LAST_WAIT, RelayClient, RelayHost};
use ocs_avedgea::document::{Location, Minutes, ReasonPhrase, Request, Response, Route, Version};
use ocs_avedgea::server::{RelayAuthentication, Requester};
use ocs_avedgea::{CONTENT_TYPE, Error, Limits, is_credentials_request};
use ocs_ocer::{ErrorId, diagnostics_of};
use ocs_sip_core::{Aor, HeaderName, Message, Method};

const SIPE: &str = include_str!("data/request_sipe.xml");

fn aor() -> Aor {
    "alice@contoso.com".parse().unwrap()
}

fn answer(request: &Message) -> Message {
    server().answer(request, Requester::User(&aor()), NOW, "77")
}

fn document(answer: &Message) -> Response {
    Response::parse(answer.body(), &Limits::default()).unwrap()
}

/// The same answer after a journey.
fn wire(answer: &Message) -> Message {
    answer.check().unwrap();
    Message::parse(answer.to_bytes(), &ocs_sip_core::Limits::default()).unwrap()
}

fn failure(client: &mut RelayClient) -> Failure {
    match client.poll_event() {
        Some(Event::Failed(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn credentials_are_asked_for_and_let_in() {
    let now = Instant::now();
    let mut client = client(alice());
    assert_eq!(client.poll_timeout(), None);
    let request = asked(&mut client, now);
    assert!(is_credentials_request(&request));
    assert_eq!(request.request_uri(), Some(MRAS_URI));
    assert_eq!(
        request.header(HeaderName::To),
        Some(format!("<{MRAS_URI}>").as_str())
    );
    // One at a time.
    client.request(now);
    assert!(client.poll_transmit().is_none());

    let answer = wire(&answer(&request));
    assert_eq!(answer.status(), Some(200));
    assert!(answer.header(HeaderName::Accept).is_none());
    client.handle_response(now, Some(&answer));
    assert_eq!(client.poll_event(), Some(Event::Granted));

    let access = client.access().unwrap();
    let [relay] = access.relays.as_slice() else {
        panic!();
    };
    assert_eq!(relay.host, RelayHost::Name("av.contoso.com".into()));
    assert_eq!(relay.location, Location::Internet);
    assert_eq!((relay.udp_port, relay.tcp_port), (Some(3478), Some(443)));
    let relay = verifier().at(Location::Internet);
    let (token, password) = relay.verify(NOW, access.username.as_bytes()).unwrap();
    assert_eq!(password, access.password);
    assert_eq!(token.expires, NOW + 480 * MINUTE);
    assert_eq!(token.client_id, issuer().client_id("sip:alice@contoso.com"));
}

/// As a client of Lync 2010 writes it.
#[test]
fn the_request_of_lync() {
    let mut client = client(alice());
    let request = asked(&mut client, Instant::now());
    let read = Request::parse(request.body(), &Limits::default()).unwrap();
    let id = &read.request_id;
    let expected = format!(
        "<request xmlns=\"http://schemas.microsoft.com/2006/09/sip/mrasp\" requestID=\"{id}\" version=\"2.0\" to=\"{MRAS_URI}\" \
         from=\"sip:alice@contoso.com\"><credentialsRequest credentialsRequestID=\"{id}\"><identity>sip:alice@contoso.com</identity>\
         <location>internet</location><duration>480</duration></credentialsRequest></request>"
    );
    assert_eq!(request.body(), expected.as_str());
    assert!(id.len() <= 7 && id.bytes().all(|c| c.is_ascii_digit()));
}

#[test]
fn sipe_is_answered_in_its_version() {
    let answer = wire(&answer(&service(SIPE)));
    assert_eq!(answer.status(), Some(200));
    let document = document(&answer);
    assert_eq!(document.request_id.as_deref(), Some("1234567"));
    assert_eq!(document.version, Some(Version::V1));
    assert_eq!(document.server_version, Some(Version::V3));
    assert_eq!(document.to.as_deref(), Some("sip:mras@contoso.com"));
    assert_eq!(document.from.as_deref(), Some("sip:alice@contoso.com"));
    assert_eq!(document.reason_phrase, ReasonPhrase::Ok);
    let username = &document.credentials[0].credentials.username;
    assert_eq!(username.as_bytes().len(), 52);
    assert_eq!(document.credentials[0].id, "1234567");
    // The first characters are those of every token of version 1.
    let body = std::str::from_utf8(answer.body()).unwrap();
    assert!(body.contains("<username>AQAAI"));
}

#[test]
fn places_routes_and_durations() {
    let ask = |change: &dyn Fn(&str) -> String| {
        let answer = answer(&service(&change(SIPE)));
        let document = document(&answer);
        assert_eq!(document.reason_phrase, ReasonPhrase::Ok);
        let granted = document.credentials.into_iter().next().unwrap();
        let hosts = granted.relays.relays.iter();
        let hosts: Vec<_> = hosts
            .map(|relay| relay.host().unwrap().to_string())
            .collect();
        (hosts, granted.credentials.duration.get())
    };
    let inside = |text: &str| text.replace("internet", "intranet");
    let anywhere = |text: &str| text.replace("<location>internet</location>", "");
    let direct = |text: &str| text.replace("version=", "route=\"directip\" version=");
    assert_eq!(ask(&inside).0, ["edge-int.contoso.com"]);
    assert_eq!(ask(&anywhere).0, ["edge-int.contoso.com", "av.contoso.com"]);
    assert_eq!(
        ask(&|text| direct(&inside(text))).0,
        ["10.0.0.7", "[fd00::7]"]
    );
    // Of this pool no address is known.
    assert_eq!(ask(&direct).0, ["av.contoso.com"]);
    for (asked, granted) in [("10", 10), ("480", 480), ("481", 480), ("99999999999", 480)] {
        let change = |text: &str| text.replace("480", asked);
        assert_eq!(ask(&change).1, granted);
    }
    let silent = |text: &str| text.replace("<duration>480</duration>", "");
    assert_eq!(ask(&silent).1, 480);
}

#[test]
fn several_identities_in_one_request() {
    let one = |n: usize| {
        format!(
            "<credentialsRequest credentialsRequestID=\"{n}\"><identity>sip:user{n}@contoso.com</identity></credentialsRequest>"
        )
    };
    let of = |count| {
        let all: String = (0..count).map(one).collect();
        service(&format!(
            "<request requestID=\"r\" version=\"2.0\" to=\"sip:a@b\" from=\"sip:mcu@contoso.com\" \
             xmlns=\"http://schemas.microsoft.com/2006/09/sip/mrasp\">{all}</request>"
        ))
    };
    let request = of(100);
    let granted = server().answer(&request, Requester::Server, NOW, "1");
    let granted = document(&granted);
    assert_eq!(granted.credentials.len(), 100);
    for (n, credentials) in granted.credentials.iter().enumerate() {
        assert_eq!(credentials.id, n.to_string());
        let username = credentials.credentials.username.as_bytes();
        let (token, _) = verifier().verify(NOW, username).unwrap();
        assert_eq!(
            token.client_id,
            issuer().client_id(&format!("sip:user{n}@contoso.com"))
        );
    }
    // Nobody else gets them, not even the one that is his.
    let user: Aor = "user0@contoso.com".parse().unwrap();
    for requester in [Requester::User(&user), Requester::Stranger] {
        let refused = server().answer(&request, requester, NOW, "1");
        assert_eq!(document(&refused).reason_phrase, ReasonPhrase::Forbidden);
        assert!(document(&refused).credentials.is_empty());
    }
    let refused = server().answer(&of(101), Requester::Server, NOW, "1");
    assert_eq!(refused.status(), Some(413));
    let refused = document(&refused);
    assert_eq!(refused.reason_phrase, ReasonPhrase::RequestTooLarge);
    assert_eq!(refused.request_id.as_deref(), Some("r"));
}

#[test]
fn identities_are_compared_as_addresses() {
    for (identity, status) in [
        ("sip:ALICE@Contoso.com", 200),
        (" sip:alice@contoso.com;transport=tls ", 200),
        ("alice@contoso.com", 200),
        ("sip:bob@contoso.com", 403),
        ("alice", 403),
        ("sip:alice@contoso.com.fabrikam.com", 403),
    ] {
        let identity = format!("<identity>{identity}</identity>");
        let text = SIPE.replace("<identity>sip:alice@contoso.com</identity>", &identity);
        assert_eq!(answer(&service(&text)).status(), Some(status), "{identity}");
    }
}

#[test]
fn what_a_server_refuses() {
    let check =
        |request: &Message, status, reason: Option<ReasonPhrase>, error_id: Option<ErrorId>| {
            let refused = wire(&answer(request));
            assert_eq!(refused.status(), Some(status));
            assert_eq!(refused.header(HeaderName::Accept), Some(CONTENT_TYPE));
            let id = diagnostics_of(&refused)
                .next()
                .map(|(_, value)| value.error_id);
            assert_eq!(id, error_id);
            match reason {
                None => assert!(refused.body().is_empty()),
                Some(reason) => {
                    let document = document(&refused);
                    assert_eq!(document.reason_phrase, reason);
                    assert_eq!(document.server_version, Some(Version::V3));
                    assert!(document.credentials.is_empty());
                }
            }
            refused
        };
    let mut message = Message::request(Method::Message, MRAS_URI)
        .with(HeaderName::From, common::FROM)
        .with(HeaderName::To, "<sip:a@b>");
    message = complete(message).with_body(CONTENT_TYPE, SIPE);
    message.set(HeaderName::CSeq, "1 MESSAGE");
    let refused = check(&message, 405, None, None);
    assert_eq!(refused.header(HeaderName::Allow), Some("SERVICE"));

    let mut other = service(SIPE);
    other.set_body("application/xml", SIPE);
    check(&other, 415, None, Some(ErrorId::CONTENT_TYPE_MISMATCH));

    let malformed = Some(ReasonPhrase::RequestMalformed);
    for text in [
        "",
        "<request",
        "<other/>",
        &SIPE.replace("sip:mras@contoso.com", "mras"),
    ] {
        let refused = check(
            &service(text),
            400,
            malformed.clone(),
            Some(ErrorId::XML_PARSE_FAILURE),
        );
        let document = document(&refused);
        assert_eq!(
            (document.request_id, document.to, document.from),
            (None, None, None)
        );
        assert_eq!(document.version, Some(Version::V3));
    }
    let long = format!("{SIPE}{}", " ".repeat(1 << 20));
    let too_large = Some(ReasonPhrase::RequestTooLarge);
    check(
        &service(&long),
        413,
        too_large,
        Some(ErrorId::INPUT_TOO_LARGE),
    );

    for version in ["0.9", "1.1", "4.0"] {
        let text = SIPE.replace("version=\"1.0\"", &format!("version=\"{version}\""));
        let mismatch = Some(ReasonPhrase::VersionMismatch);
        let document = document(&check(&service(&text), 400, mismatch, None));
        assert_eq!(document.version, Some(Version::V3));
        assert_eq!(document.request_id.as_deref(), Some("1234567"));
    }
    let bob = SIPE.replace("<identity>sip:alice", "<identity>sip:bob");
    let forbidden = Some(ReasonPhrase::Forbidden);
    check(
        &service(&bob),
        403,
        forbidden,
        Some(ErrorId::NOT_AUTHORIZED_AS_FROM),
    );
}

#[test]
fn a_server_without_relays_there_says_so() {
    let mut config = config();
    config
        .pools
        .retain(|pool| pool.location == Location::Intranet);
    let server = RelayAuthentication::new(config, issuer());
    let refused = server.answer(&service(SIPE), Requester::User(&aor()), NOW, "1");
    assert_eq!(refused.status(), Some(501));
    assert_eq!(document(&refused).reason_phrase, ReasonPhrase::NotSupported);
}

#[test]
fn a_client_renews_before_the_end() {
    let start = Instant::now();
    let mut client = client(alice());
    let request = asked(&mut client, start);
    let later = start + Duration::from_secs(5);
    client.handle_response(later, Some(&answer(&request)));
    assert_eq!(client.poll_event(), Some(Event::Granted));
    // Time runs from the request on.
    let life = Duration::from_secs(480 * 60);
    let renewal = start + life / 10 * 9;
    assert_eq!(client.poll_timeout(), Some(renewal));
    client.handle_timeout(start + life / 2);
    assert!(client.poll_transmit().is_none());
    client.handle_timeout(renewal);
    let again = sent(&mut client);
    assert_ne!(again.body(), request.body());
    let before = client.access().unwrap().username.clone();

    // The server fails; what there is lasts to its end.
    let refused = server().refuse(&again, ReasonPhrase::InternalServerError, "1");
    client.handle_response(renewal, Some(&refused));
    assert_eq!(failure(&mut client).retry_at, None);
    assert_eq!(client.access().unwrap().username, before);
    assert_eq!(client.poll_timeout(), Some(start + life));
    client.handle_timeout(start + life);
    assert_eq!(client.poll_event(), Some(Event::Expired));
    assert!(client.access().is_none());
    assert_eq!(client.poll_timeout(), None);
}

#[test]
fn a_relay_refuses_and_the_client_asks_anew() {
    let now = Instant::now();
    let mut client = client(alice());
    let request = asked(&mut client, now);
    client.handle_response(now, Some(&answer(&request)));
    client.poll_event();
    let first = client.access().unwrap().username.clone();
    let request = asked(&mut client, now);
    let answer = server().answer(&request, Requester::User(&aor()), NOW + MINUTE, "1");
    client.handle_response(now, Some(&answer));
    assert_eq!(client.poll_event(), Some(Event::Granted));
    assert_ne!(client.access().unwrap().username, first);
}

#[test]
fn a_busy_server_is_asked_later_and_later() {
    let mut now = Instant::now();
    let mut client = client(alice());
    client.request(now);
    let mut longest = FIRST_WAIT;
    for _ in 0..10 {
        let request = sent(&mut client);
        let busy = server().refuse(&request, ReasonPhrase::ServerBusy, "1");
        assert_eq!(busy.status(), Some(503));
        client.handle_response(now, Some(&busy));
        let failure = failure(&mut client);
        assert_eq!(failure.reason, Some(ReasonPhrase::ServerBusy));
        let retry_at = failure.retry_at.unwrap();
        assert!(retry_at - now > longest / 2 && retry_at - now <= longest);
        assert_eq!(client.poll_timeout(), Some(retry_at));
        longest = (longest * 2).min(LAST_WAIT);
        now = retry_at;
        client.handle_timeout(now);
    }
    // A server that is back is asked quickly if it fails again.
    let request = sent(&mut client);
    client.handle_response(now, Some(&answer(&request)));
    client.poll_event();
    asked(&mut client, now);
    client.handle_response(now, None);
    let failure = failure(&mut client);
    assert_eq!(failure.status, None);
    assert!(failure.retry_at.unwrap() - now <= FIRST_WAIT);
}

#[test]
fn retry_after_is_obeyed_within_reason() {
    for (header, seconds) in [("120", 120), ("999999", 3600)] {
        let now = Instant::now();
        let mut client = client(alice());
        let request = asked(&mut client, now);
        let busy = server().refuse(&request, ReasonPhrase::ServerBusy, "1");
        let busy = busy.with(HeaderName::RetryAfter, header);
        client.handle_response(now, Some(&busy));
        let retry_at = failure(&mut client).retry_at;
        assert_eq!(retry_at, Some(now + Duration::from_secs(seconds)));
    }
}

#[test]
fn a_server_of_an_older_version_is_met_half_way() {
    let mut config = config();
    config.version = Version::V1;
    let server = RelayAuthentication::new(config, issuer());
    let now = Instant::now();
    let mut client = client(alice());
    let request = asked(&mut client, now);
    let mismatch = server.answer(&request, Requester::User(&aor()), NOW, "1");
    client.handle_response(now, Some(&mismatch));
    assert_eq!(client.poll_event(), None);
    let request = sent(&mut client);
    let granted = server.answer(&request, Requester::User(&aor()), NOW, "1");
    client.handle_response(now, Some(&granted));
    assert_eq!(client.poll_event(), Some(Event::Granted));
    assert_eq!(client.access().unwrap().username.as_bytes().len(), 52);
    // A server that wants what it was given is no server to talk to.
    let request = asked(&mut client, now);
    let refused = server.refuse(&request, ReasonPhrase::VersionMismatch, "1");
    client.handle_response(now, Some(&refused));
    let failure = failure(&mut client);
    assert_eq!(failure.reason, Some(ReasonPhrase::VersionMismatch));
    assert_eq!(failure.retry_at, None);
    // The next sign-in starts from the top.
    client.reset();
    assert!(client.access().is_none() && client.poll_timeout().is_none());
    let request = asked(&mut client, now);
    let read = Request::parse(request.body(), &Limits::default()).unwrap();
    assert_eq!(read.version, Version::V2);
}

/// A change of an answer, and what the client makes of it.
#[test]
fn answers_that_give_no_credentials() {
    let now = Instant::now();
    for (from, to, explanation) in [
        ("requestID=", "wasID=", None),
        ("<response", "<answer", Some("document")),
        ("requestID=\"", "requestID=\"1", Some("another request")),
        (
            "credentialsRequestID=\"",
            "credentialsRequestID=\"1",
            Some("without credentials"),
        ),
        (
            "<hostName>av.contoso.com</hostName>",
            "",
            Some("without relays"),
        ),
        (
            "<udpPort>3478</udpPort><tcpPort>443</tcpPort>",
            "<udpPort>0</udpPort>",
            Some("without relays"),
        ),
        ("<password>", "<password>!", Some("document")),
    ] {
        let mut client = client(alice());
        let request = asked(&mut client, now);
        let mut answer = answer(&request);
        let text = std::str::from_utf8(answer.body())
            .unwrap()
            .replacen(from, to, 1);
        let text = text.replace(
            "</response",
            if to == "<answer" {
                "</answer"
            } else {
                "</response"
            },
        );
        assert_ne!(text, std::str::from_utf8(answer.body()).unwrap());
        answer.set_body(CONTENT_TYPE, text);
        client.handle_response(now, Some(&answer));
        match explanation {
            None => assert_eq!(client.poll_event(), Some(Event::Granted)),
            Some(explanation) => {
                let failure = failure(&mut client);
                assert!(failure.explanation.contains(explanation), "{failure:?}");
                assert_eq!((failure.status, failure.retry_at), (Some(200), None));
                assert!(client.access().is_none());
            }
        }
    }
}

#[test]
fn refusals_of_others_on_the_way() {
    let now = Instant::now();
    for (status, again) in [
        (403, false),
        (404, false),
        (480, false),
        (503, true),
        (504, true),
    ] {
        let mut client = client(alice());
        let request = asked(&mut client, now);
        let refused = Message::response_to(&request, status, Some("1")).with(
            HeaderName::MsDiagnostics,
            "1007;reason=\"Temporarily cannot route\";source=\"fe01.contoso.com\"",
        );
        client.handle_response(now, Some(&refused));
        let failure = failure(&mut client);
        assert_eq!(failure.status, Some(status));
        assert_eq!(failure.reason, None);
        assert_eq!(failure.explanation, "Temporarily cannot route");
        assert_eq!(failure.retry_at.is_some(), again);
    }
    // A refusal in a 200, as OfficeSIP sends it, is one.
    let mut client = client(alice());
    let request = asked(&mut client, now);
    let mut refused = server().refuse(&request, ReasonPhrase::Forbidden, "1");
    refused.set_status(200, "OK");
    client.handle_response(now, Some(&refused));
    assert_eq!(failure(&mut client).reason, Some(ReasonPhrase::Forbidden));
    // Nobody asked.
    client.handle_response(now, Some(&answer(&request)));
    assert_eq!(client.poll_event(), None);
}

#[test]
fn lives_beyond_the_clock() {
    let now = Instant::now();
    let mut client = client(alice());
    let request = asked(&mut client, now);
    let mut answer = answer(&request);
    let text = std::str::from_utf8(answer.body()).unwrap();
    let text = text.replace("<duration>480", "<duration>99999999999999999999");
    answer.set_body(CONTENT_TYPE, text);
    client.handle_response(now, Some(&answer));
    assert_eq!(client.poll_event(), Some(Event::Granted));
    assert!(client.poll_timeout().is_none_or(|due| due > now));
}

#[test]
fn many_relays_are_cut_off() {
    let now = Instant::now();
    let mut client = client(alice());
    let request = asked(&mut client, now);
    let mut answer = answer(&request);
    let text = std::str::from_utf8(answer.body()).unwrap();
    let relay = "<mediaRelay><location>internet</location><hostName>a</hostName><tcpPort>443</tcpPort></mediaRelay>";
    let text = text.replace(
        "<mediaRelayList>",
        &format!("<mediaRelayList>{}", relay.repeat(5000)),
    );
    answer.set_body(CONTENT_TYPE, text);
    client.handle_response(now, Some(&answer));
    assert_eq!(
        client.access().unwrap().relays.len(),
        Limits::default().relays
    );
}

#[test]
fn settings_of_a_client_are_checked() {
    let mut rng = <rand_chacha::ChaCha12Rng as rand_core::SeedableRng>::seed_from_u64(1);
    let mut config = alice();
    config.mras_uri = format!(" {MRAS_URI}\r\n");
    config.route = Route::DirectIp;
    config.location = None;
    config.duration = Minutes::new(60);
    let mut client = RelayClient::new(config.clone(), Limits::default(), &mut rng).unwrap();
    let request = asked(&mut client, Instant::now());
    assert_eq!(request.request_uri(), Some(MRAS_URI));
    let granted = document(&answer(&request));
    let relays = &granted.credentials[0].relays.relays;
    assert_eq!(relays.len(), 3);
    assert_eq!(granted.credentials[0].credentials.duration.get(), 60);

    config.mras_uri = "edge".to_owned();
    let refused = RelayClient::new(config, Limits::default(), &mut rng);
    assert_eq!(refused.unwrap_err(), Error::NotSipUri { what: "mras uri" });
}
