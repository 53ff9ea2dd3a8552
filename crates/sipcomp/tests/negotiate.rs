//! Both sides of NEGOTIATE.

use std::time::{Duration, Instant};

use ocs_sipcomp::{
    Acceptor, AcceptorConfig, AcceptorEvent, Algorithm, CloseReason, Error, Initiator,
    InitiatorConfig, InitiatorEvent, METHOD, Mismatch, NegotiationState, REFUSAL_REASON,
    REFUSAL_STATUS, REQUIRED_HEADERS, request_uri,
};

const ON: InitiatorConfig = InitiatorConfig {
    enabled: true,
    mismatch: Mismatch::Close,
    timeout: Duration::from_secs(32),
};

fn requested(config: InitiatorConfig) -> (Initiator, Instant) {
    let now = Instant::now();
    let mut initiator = Initiator::new(config);
    initiator.negotiate(now).expect("first time");
    assert_eq!(initiator.state(), NegotiationState::Requested);
    (initiator, now)
}

fn answered(config: InitiatorConfig, status: u16, compression: Option<&str>) -> InitiatorEvent {
    let (mut initiator, _) = requested(config);
    initiator.handle_response(status, compression).expect("due");
    assert_eq!(initiator.poll_timeout(), None);
    let event = initiator.poll_event().expect("an event");
    assert_eq!(initiator.poll_event(), None);
    assert_eq!(
        initiator.handle_response(status, compression),
        Err(Error::UnexpectedResponse(status))
    );
    event
}

#[test]
fn the_request() {
    let (mut initiator, _) = requested(ON);
    let request = initiator.poll_transmit().expect("a request");
    assert_eq!(initiator.poll_transmit(), None);
    assert_eq!(request.method(), "NEGOTIATE");
    assert_eq!(
        request.headers(),
        [
            ("Compression", "LZ77-8K"),
            ("Max-Forwards", "0"),
            ("Content-Length", "0")
        ]
    );
    assert!(REQUIRED_HEADERS.contains(&"Compression"));
    assert_eq!(
        request_uri("[2001:db8::1]:5061".parse().unwrap()),
        "sip:[2001:db8::1]:5061"
    );
}

#[test]
fn off_by_default() {
    let mut initiator = Initiator::new(InitiatorConfig::default());
    assert_eq!(
        initiator.negotiate(Instant::now()),
        Err(Error::State(NegotiationState::None))
    );
    assert_eq!(initiator.poll_transmit(), None);

    let mut acceptor = Acceptor::new(AcceptorConfig::default(), true);
    assert!(acceptor.handle_request(METHOD, Some("LZ77-8K")));
    assert_eq!(acceptor.poll_transmit().expect("answer").status, 488);
}

#[test]
fn accepted() {
    for value in ["LZ77-8K", " lz77-8k\t"] {
        assert_eq!(
            answered(ON, 200, Some(value)),
            InitiatorEvent::Accepted(Algorithm::Lz77_8K)
        );
    }
}

#[test]
fn asked_once() {
    let (mut initiator, now) = requested(ON);
    assert_eq!(
        initiator.negotiate(now),
        Err(Error::State(NegotiationState::Requested))
    );
}

#[test]
fn refused_by_any_final_response() {
    for status in [302, 400, 405, 488, 501, 503, 603] {
        assert_eq!(answered(ON, status, None), InitiatorEvent::Refused(status));
    }
    // Even if it names the algorithm.
    assert_eq!(
        answered(ON, 488, Some("LZ77-8K")),
        InitiatorEvent::Refused(488)
    );
}

#[test]
fn another_algorithm() {
    for value in [
        None,
        Some("LZ77-64K"),
        Some("None"),
        Some(""),
        Some("LZ77-8K, LZ77-64K"),
    ] {
        assert_eq!(
            answered(ON, 200, value),
            InitiatorEvent::Close(CloseReason::AlgorithmMismatch)
        );
        let lenient = InitiatorConfig {
            mismatch: Mismatch::Uncompressed,
            ..ON
        };
        assert_eq!(answered(lenient, 200, value), InitiatorEvent::Refused(200));
    }
}

#[test]
fn provisional_and_impossible_responses_change_nothing() {
    let (mut initiator, _) = requested(ON);
    assert_eq!(initiator.handle_response(100, None), Ok(()));
    assert_eq!(initiator.handle_response(99, None), Err(Error::Status(99)));
    assert_eq!(
        initiator.handle_response(700, None),
        Err(Error::Status(700))
    );
    assert_eq!(initiator.state(), NegotiationState::Requested);
    assert_eq!(initiator.poll_event(), None);
    let mut fresh = Initiator::new(ON);
    assert_eq!(
        fresh.handle_response(200, Some("LZ77-8K")),
        Err(Error::UnexpectedResponse(200))
    );
}

#[test]
fn no_answer_closes() {
    let (mut initiator, now) = requested(ON);
    let deadline = initiator.poll_timeout().expect("timer F");
    assert_eq!(deadline, now + Duration::from_secs(32));
    initiator.handle_timeout(now + Duration::from_millis(31_999));
    assert_eq!(initiator.poll_event(), None);
    initiator.handle_timeout(deadline);
    assert_eq!(
        initiator.poll_event(),
        Some(InitiatorEvent::Close(CloseReason::Timeout))
    );
    assert_eq!(initiator.poll_timeout(), None);
    assert_eq!(initiator.state(), NegotiationState::Refused);
}

fn acceptor(tls: bool) -> Acceptor {
    let config = AcceptorConfig {
        enabled: true,
        ..AcceptorConfig::default()
    };
    Acceptor::new(config, tls)
}

#[test]
fn the_acceptor_accepts() {
    let mut acceptor = acceptor(true);
    assert!(acceptor.handle_request("NEGOTIATE", Some("LZ77-8K")));
    assert_eq!(acceptor.poll_event(), None, "not before the answer is out");
    let answer = acceptor.poll_transmit().expect("answer");
    assert_eq!((answer.status, answer.reason), (200, "OK"));
    assert_eq!(answer.header(), Some(("Compression", "LZ77-8K")));
    assert_eq!(
        acceptor.poll_event(),
        Some(AcceptorEvent::Accepted(Algorithm::Lz77_8K))
    );
    assert_eq!(acceptor.state(), NegotiationState::Accepted);

    // Once more, inside packets: refused, and nothing changes.
    assert!(acceptor.handle_request("NEGOTIATE", Some("LZ77-8K")));
    assert_eq!(acceptor.poll_transmit().expect("answer").status, 488);
    assert_eq!(acceptor.poll_event(), None);
    assert_eq!(acceptor.state(), NegotiationState::Accepted);
}

#[test]
fn the_acceptor_refuses() {
    for value in [None, Some("LZ77-64K"), Some("None")] {
        let mut acceptor = acceptor(true);
        assert!(acceptor.handle_request("NEGOTIATE", value));
        let answer = acceptor.poll_transmit().expect("answer");
        assert_eq!(
            (answer.status, answer.reason),
            (REFUSAL_STATUS, REFUSAL_REASON)
        );
        assert_eq!((answer.header(), acceptor.poll_event()), (None, None));
        assert_eq!(acceptor.state(), NegotiationState::Refused);
    }
    let mut plain_tcp = acceptor(false);
    assert!(plain_tcp.handle_request("NEGOTIATE", Some("LZ77-8K")));
    assert_eq!(plain_tcp.poll_transmit().expect("answer").status, 488);

    let mut late = acceptor(true);
    assert!(!late.handle_request("REGISTER", None));
    assert_eq!(late.poll_transmit(), None);
    assert!(late.handle_request("NEGOTIATE", Some("LZ77-8K")));
    assert_eq!(late.poll_transmit().expect("answer").status, 488);
}
