//! Round trips of arbitrary documents and tokens, and what an enemy sends.

mod common;

use std::time::Instant;

use common::{NOW, alice, asked, client, issuer, keys, server, service, verifier};
use ocs_avedgea::document::{
    Credentials, CredentialsRequest, CredentialsResponse, Location, MediaRelay, MediaRelayList,
    Minutes, ReasonPhrase, Request, Response, Route, Version,
};
use ocs_avedgea::server::Requester;
use ocs_avedgea::token::Token;
use ocs_avedgea::{CONTENT_TYPE, Limits};
use ocs_xml::{Extra, to_string};
use proptest::option;
use proptest::prelude::*;

fn location() -> impl Strategy<Value = Location> {
    prop_oneof![Just(Location::Intranet), Just(Location::Internet)]
}

fn version() -> impl Strategy<Value = Version> {
    (any::<u16>(), any::<u16>()).prop_map(|(major, minor)| Version { major, minor })
}

fn minutes() -> impl Strategy<Value = Minutes> {
    any::<u32>().prop_map(Minutes::new)
}

fn reason() -> impl Strategy<Value = ReasonPhrase> {
    "[A-Za-z]([ -~]{0,20}[A-Za-z])?".prop_map(|phrase| phrase.as_str().into())
}

/// Any characters that XML carries.
fn text() -> impl Strategy<Value = String> {
    "[ -~\u{e9}\u{4e2d}]{1,64}"
}

prop_compose! {
    fn credentials_request()(
        id in text(), identity in text(), location in option::of(location()), duration in option::of(minutes()),
    ) -> CredentialsRequest {
        CredentialsRequest { id: id.into(), identity, location, duration, extra: Extra::default() }
    }
}

prop_compose! {
    fn request()(
        request_id in text(), version in version(), direct in option::of(any::<bool>()),
        credentials in prop::collection::vec(credentials_request(), 1..4), user in "[a-z]{1,9}",
    ) -> Request {
        Request {
            request_id: request_id.into(), version, credentials,
            to: "sip:mras@contoso.com;gruu".into(), from: format!("sip:{user}@contoso.com").into(),
            route: direct.map(|direct| if direct { Route::DirectIp } else { Route::LoadBalanced }),
            extra: Extra::default(),
        }
    }
}

prop_compose! {
    fn relay()(location in location(), host in option::of(text()), address in option::of(text()),
        udp_port: Option<u16>, tcp_port: Option<u16>) -> MediaRelay {
        MediaRelay {
            location, host_name: host.map(Into::into), direct_ip_address: address.map(Into::into), udp_port, tcp_port,
            extra: Extra::default(),
        }
    }
}

prop_compose! {
    fn granted()(
        id in text(), username in prop::collection::vec(any::<u8>(), 1..80), password in prop::collection::vec(any::<u8>(), 1..40),
        duration in minutes(), realm in option::of(text()), relays in prop::collection::vec(relay(), 0..4),
    ) -> CredentialsResponse {
        CredentialsResponse {
            id: id.into(),
            credentials: Credentials {
                username: username.into(), password: password.into(), duration, realm, extra: Extra::default(),
            },
            relays: MediaRelayList { relays, extra: Extra::default() },
            extra: Extra::default(),
        }
    }
}

prop_compose! {
    fn response()(
        request_id in option::of(text()), version in option::of(version()), server_version in option::of(version()),
        to in option::of(text()), from in option::of(text()), reason_phrase in reason(),
        credentials in prop::collection::vec(granted(), 0..3),
    ) -> Response {
        Response {
            request_id: request_id.map(Into::into), version, server_version, to: to.map(Into::into), from: from.map(Into::into),
            reason_phrase, credentials, extra: Extra::default(),
        }
    }
}

proptest! {
    #[test]
    fn requests_round_trip(request in request()) {
        let text = to_string(&request);
        let read = Request::parse(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(&read, &request);
        prop_assert_eq!(to_string(&read), text);
    }

    #[test]
    fn responses_round_trip(response in response()) {
        let text = to_string(&response);
        let read = Response::parse(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(&read, &response);
        prop_assert_eq!(to_string(&read), text);
    }

    #[test]
    fn tokens_round_trip(expires in 1u64.., client_id: [u8; 20], flags: Option<u32>) {
        let token = Token { expires, client_id, flags };
        let username = keys(1).username(&token);
        let (read, password) = verifier().verify(expires - 1, username.as_bytes()).unwrap();
        prop_assert_eq!(read, token);
        prop_assert_eq!(password, keys(1).password(username.as_bytes()));
    }

    #[test]
    fn nobody_guesses_a_username(octets in prop::collection::vec(any::<u8>(), 0..60)) {
        prop_assert!(verifier().accept_endless().verify(NOW, &octets).is_err());
    }

    /// Every request has an answer that says what became of it, and who may not gets nothing.
    #[test]
    fn every_request_is_answered(request in request(), cut in any::<prop::sample::Index>()) {
        let text = to_string(&request);
        let alice = "alice@contoso.com".parse().unwrap();
        for requester in [Requester::User(&alice), Requester::Server, Requester::Stranger] {
            let answer = server().answer(&service(&text), requester, NOW, "1");
            let document = Response::parse(answer.body(), &Limits::default()).unwrap();
            prop_assert_eq!(answer.status(), Some(document.reason_phrase.status()));
            prop_assert_eq!(document.request_id.as_ref(), Some(&request.request_id));
            if document.reason_phrase == ReasonPhrase::Ok {
                prop_assert!(matches!(requester, Requester::Server));
                prop_assert_eq!(document.credentials.len(), request.credentials.len());
            } else {
                prop_assert!(document.credentials.is_empty());
            }
        }
        let mut at = cut.index(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let answer = server().answer(&service(&text[..at]), Requester::Server, NOW, "1");
        prop_assert_eq!(answer.status(), Some(400));
    }

    /// A client takes credentials or says that it has none.
    #[test]
    fn every_answer_has_an_end(response in response(), status in 200u16..700, noise in prop::collection::vec(any::<u8>(), 0..64)) {
        let now = Instant::now();
        for body in [to_string(&response).into_bytes(), noise] {
            let mut client = client(alice());
            let request = asked(&mut client, now);
            let answer = ocs_sip_core::Message::response_to(&request, status, Some("1")).with_body(CONTENT_TYPE, body);
            client.handle_response(now, Some(&answer));
            let told = client.poll_event().is_some();
            prop_assert!(told || client.poll_transmit().is_some());
            prop_assert_eq!(client.poll_event(), None);
        }
    }

    #[test]
    fn any_octets_are_read_without_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let limits = Limits::default();
        let _ = Request::parse(&octets, &limits);
        let _ = Response::parse(&octets, &limits);
    }
}

/// Who issues for ever issues nothing that has ended already.
#[test]
fn the_end_of_time() {
    let (username, _) =
        issuer().issue(u64::MAX - 1, Version::V2, "a", None, Minutes::new(u32::MAX));
    let (token, _) = verifier()
        .verify(u64::MAX - 1, username.as_bytes())
        .unwrap();
    assert_eq!(token.expires, u64::MAX);
}
