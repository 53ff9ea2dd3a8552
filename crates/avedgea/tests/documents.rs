//! The documents: those of real programs, what the schema says, what an enemy sends.

mod common;

use ocs_avedgea::document::{Location, Minutes, ReasonPhrase, Request, Response, Route, Version};
use ocs_avedgea::{Error, Limits};
use ocs_sip_core::uri::Host;
use ocs_xml::to_string;

const SIPE: &str = include_str!("data/request_sipe.xml");
const RESPONSE: &str = include_str!("data/response.xml");

fn request(text: &str) -> Result<Request, Error> {
    Request::parse(text.as_bytes(), &Limits::default())
}

fn response(text: &str) -> Result<Response, Error> {
    Response::parse(text.as_bytes(), &Limits::default())
}

#[test]
fn the_request_of_sipe() {
    let request = request(SIPE).unwrap();
    assert_eq!(request.request_id, "1234567");
    assert_eq!(request.version, Version::V1);
    assert_eq!(request.to, "sip:mras@contoso.com");
    assert_eq!(request.from, "sip:alice@contoso.com");
    assert_eq!(request.route, None);
    let [credentials] = request.credentials.as_slice() else {
        panic!();
    };
    assert_eq!(credentials.id, "1234567");
    assert_eq!(credentials.identity, "sip:alice@contoso.com");
    assert_eq!(credentials.location, Some(Location::Internet));
    assert_eq!(credentials.duration, Some(Minutes::EIGHT_HOURS));
}

#[test]
fn the_response() {
    let response = response(RESPONSE).unwrap();
    assert_eq!(response.request_id.as_deref(), Some("1234567"));
    assert_eq!(response.version, Some(Version::V1));
    assert_eq!(response.server_version, Some(Version::V3));
    assert_eq!(response.reason_phrase, ReasonPhrase::Ok);
    let [granted] = response.credentials.as_slice() else {
        panic!();
    };
    assert_eq!(granted.credentials.username.as_bytes().len(), 52);
    assert_eq!(granted.credentials.password.as_bytes().len(), 20);
    assert_eq!(granted.credentials.duration, Minutes::EIGHT_HOURS);
    let [relay] = granted.relays.relays.as_slice() else {
        panic!();
    };
    assert_eq!(relay.location, Location::Internet);
    assert_eq!(relay.host(), Some(Host::Name("av.contoso.com")));
    assert_eq!((relay.udp_port, relay.tcp_port), (Some(3478), Some(443)));
    assert!(!format!("{response:?}").contains("p+Rd"));
}

/// What is written is the same document without white space, in the order of the schema.
#[test]
fn documents_are_written_as_they_were_read() {
    let pack = |text: &str| {
        let lines = text.lines().filter(|line| !line.starts_with("<?"));
        let lines: Vec<_> = lines.map(str::trim).collect();
        lines.join(" ").replace("> <", "><")
    };
    assert_eq!(to_string(&response(RESPONSE).unwrap()), pack(RESPONSE));
    let written = to_string(&request(SIPE).unwrap());
    assert_eq!(
        written,
        "<request xmlns=\"http://schemas.microsoft.com/2006/09/sip/mrasp\" requestID=\"1234567\" version=\"1.0\" \
         to=\"sip:mras@contoso.com\" from=\"sip:alice@contoso.com\"><credentialsRequest credentialsRequestID=\"1234567\">\
         <identity>sip:alice@contoso.com</identity><location>internet</location><duration>480</duration>\
         </credentialsRequest></request>"
    );
    assert_eq!(request(&written), request(SIPE));
}

#[test]
fn what_the_schema_does_not_name_is_kept() {
    let text = SIPE
        .replace("version=", "new=\"1\" version=")
        .replace("<identity>", "<newer><a b=\"c\"/></newer><identity>");
    let read = request(&text).unwrap();
    assert_eq!(read.extra.attributes().len(), 1);
    assert_eq!(read.credentials[0].extra.elements().count(), 1);
    assert_eq!(request(&to_string(&read)).unwrap(), read);
}

#[test]
fn what_the_schema_forbids_is_refused() {
    for (from, to) in [
        ("requestID=\"1234567\" from", "from"),
        ("requestID=\"1234567\"", "requestID=\"\""),
        (
            "requestID=\"1234567\" from",
            &format!("requestID=\"{}\" from", "1".repeat(65)),
        ),
        ("version=\"1.0\"", ""),
        ("version=\"1.0\"", "version=\"one\""),
        ("to=\"sip:mras@contoso.com\"", ""),
        ("to=\"sip:mras@contoso.com\"", "to=\"tel:+1\""),
        ("from=\"sip:alice@contoso.com\"", "from=\"alice\""),
        ("version=\"1.0\"", "version=\"1.0\" route=\"scenic\""),
        ("credentialsRequestID=\"1234567\"", ""),
        (
            "credentialsRequestID=\"1234567\"",
            "credentialsRequestID=\"\"",
        ),
        ("<identity>sip:alice@contoso.com</identity>", ""),
        ("<identity>sip:alice@contoso.com</identity>", "<identity/>"),
        ("<location>internet", "<location>moon"),
        ("<duration>480", "<duration>0"),
        ("<duration>480", "<duration>long"),
        (
            "<duration>480</duration>",
            "<duration>1</duration><duration>1</duration>",
        ),
        ("<credentialsRequest ", "<other "),
        ("mrasp", "other"),
    ] {
        let text = SIPE.replace(from, to);
        assert_ne!(text, SIPE, "{from}");
        let text = match from {
            "<credentialsRequest " => text.replace("</credentialsRequest", "</other"),
            _ => text,
        };
        assert!(request(&text).is_err(), "{text}");
    }
    for (from, to) in [
        ("reasonPhrase=\"OK\"", ""),
        ("p+RdqQLBLDxJyv52ZroHJYEomdE=", "p+Rd!"),
        (
            "<hostName>av.contoso.com",
            &format!("<hostName>{}", "a".repeat(256)),
        ),
        ("<udpPort>3478", "<udpPort>65536"),
        ("<location>internet</location>", ""),
        (
            "requestID=\"1234567\" v",
            &format!("requestID=\"{}\" v", "1".repeat(65)),
        ),
    ] {
        let text = RESPONSE.replace(from, to);
        assert_ne!(text, RESPONSE, "{from}");
        assert!(response(&text).is_err(), "{text}");
    }
}

#[test]
fn bounds_count_characters() {
    let text = SIPE.replace("ID=\"1234567\"", &format!("ID=\"{}\"", "\u{e9}".repeat(64)));
    assert!(request(&text).is_ok());
    let text = SIPE.replace("ID=\"1234567\"", &format!("ID=\"{}\"", "\u{e9}".repeat(65)));
    assert_eq!(
        request(&text),
        Err(Error::Length {
            what: "requestID",
            limit: 64
        })
    );
    for (length, fits) in [(65_536, true), (65_537, false)] {
        let identity = format!("<identity>{}</identity>", "a".repeat(length));
        let text = SIPE.replace("<identity>sip:alice@contoso.com</identity>", &identity);
        assert_eq!(request(&text).is_ok(), fits);
    }
}

#[test]
fn routes_and_absent_elements() {
    let text = SIPE
        .replace("version", "route=\"directip\" version")
        .replace("<location>internet</location><duration>480</duration>", "");
    let read = request(&text).unwrap();
    assert_eq!(read.route, Some(Route::DirectIp));
    assert_eq!(read.credentials[0].location, None);
    assert_eq!(read.credentials[0].duration, None);
    assert_eq!(request(&to_string(&read)).unwrap(), read);
}

/// Without requestID and version, as OfficeSIP answers what it cannot read.
#[test]
fn an_answer_to_what_was_malformed() {
    let text = "<?xml version=\"1.0\"?><response xmlns=\"http://schemas.microsoft.com/2006/09/sip/mrasp\" \
                serverVersion=\"1.0\" reasonPhrase=\"Request Malformed\" />";
    let read = response(text).unwrap();
    assert_eq!(read.reason_phrase, ReasonPhrase::RequestMalformed);
    assert_eq!((read.request_id, read.version), (None, None));
    // A phrase of a later server is one.
    let read = response(&text.replace("Request Malformed", "Moon In Wrong Phase")).unwrap();
    assert_eq!(read.reason_phrase.as_str(), "Moon In Wrong Phase");
    assert_eq!(read.reason_phrase.status(), 500);
}

#[test]
fn hosts_of_relays() {
    for (element, host) in [
        (
            "<hostName> av.contoso.com\n</hostName>",
            Some("av.contoso.com"),
        ),
        ("<hostName>192.0.2.7</hostName>", Some("192.0.2.7")),
        (
            "<directIPAddress>192.0.2.7</directIPAddress>",
            Some("192.0.2.7"),
        ),
        (
            "<directIPAddress>2001:db8::7</directIPAddress>",
            Some("[2001:db8::7]"),
        ),
        (
            "<directIPAddress>[2001:db8::7]</directIPAddress>",
            Some("[2001:db8::7]"),
        ),
        ("<directIPAddress>av.contoso.com</directIPAddress>", None),
        ("<hostName>two words</hostName>", None),
        (
            "<hostName>a</hostName><directIPAddress>192.0.2.7</directIPAddress>",
            Some("192.0.2.7"),
        ),
        ("", None),
    ] {
        let text = RESPONSE.replace("<hostName>av.contoso.com</hostName>", element);
        let read = response(&text).unwrap();
        let found = read.credentials[0].relays.relays[0].host();
        assert_eq!(
            found.map(|host| host.to_string()).as_deref(),
            host,
            "{element}"
        );
    }
}

#[test]
fn every_truncation_is_refused() {
    let end = SIPE.trim_end().len();
    for at in 0..end {
        assert!(request(&SIPE[..at]).is_err(), "{at}");
    }
    let end = RESPONSE.trim_end().len();
    for at in 0..end {
        assert!(response(&RESPONSE[..at]).is_err(), "{at}");
    }
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = SIPE.replace(
        "<identity>",
        &format!("{}{}<identity>", "<a>".repeat(20), "</a>".repeat(20)),
    );
    assert!(matches!(
        request(&deep),
        Err(Error::Xml(ocs_xml::Error::TooDeep { .. }))
    ));
    let long = SIPE.replace("<identity>", &format!("{}<identity>", " ".repeat(1 << 20)));
    assert!(matches!(
        request(&long),
        Err(Error::Xml(ocs_xml::Error::TooLong { .. }))
    ));
}
