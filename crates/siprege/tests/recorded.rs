//! Registrations of a real client, answered by this registrar as they were answered then.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_sip_core::{Aor, ConnectionId, HeaderName, Limits, Message, Transport};
use ocs_sipre::contact::replace_proxy;
use ocs_sipre::{Flow, Peer};
use ocs_siprege::notify::{Reaction, RegistrationEvent};
use ocs_siprege::registrar::{Config, Context, Registrar, Removal};

macro_rules! recorded {
    ($name:literal) => {
        message(include_bytes!(concat!("data/sign-in/", $name, ".sip")))
    };
}

fn message(octets: &'static [u8]) -> Message {
    Message::parse(Bytes::from_static(octets), &Limits::default()).unwrap()
}

fn alice() -> Aor {
    "alice@contoso.com".parse().unwrap()
}

/// The registrar of the session: 40 s, connection 300.
struct Server {
    registrar: Registrar,
    now: Instant,
}

impl Server {
    fn new(expires: u64) -> Self {
        let mut config = Config::new("fe01.contoso.com");
        config.expires = Duration::from_secs(expires);
        config.min_expires = Duration::from_secs(10);
        Self {
            registrar: Registrar::new(config),
            now: Instant::now(),
        }
    }

    /// The answer to a REGISTER, with the tag that it had then.
    fn answer(&mut self, mut request: Message, recorded: &Message) -> Message {
        let connection = ConnectionId(0x300);
        let port = request.top_via().unwrap().port().unwrap();
        let flow = Flow {
            connection,
            transport: Transport::Tcp,
            remote: ([127, 0, 0, 1], port).into(),
            peer: Peer::Client,
        };
        replace_proxy(&mut request, &flow);
        let context = Context {
            aor: &alice(),
            connection,
            tag: recorded.to_header().unwrap().tag().unwrap(),
        };
        self.registrar.handle_register(self.now, context, &request)
    }
}

/// All that the registrar itself writes.
fn same(ours: &Message, recorded: &Message) {
    assert_eq!(ours.status(), recorded.status());
    for name in [
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
        HeaderName::CSeq,
        HeaderName::Expires,
        HeaderName::PresenceState,
        HeaderName::AllowEvents,
    ] {
        assert_eq!(ours.header(name), recorded.header(name), "{name}");
    }
    // One option tag a line: this client takes a server that joins them for an older one.
    for name in [HeaderName::Contact, HeaderName::Supported] {
        let lines = |of: &Message| of.lines(name).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(lines(ours), lines(recorded), "{name}");
    }
}

#[test]
fn a_registration_and_its_refresh() {
    let mut server = Server::new(40);
    let recorded = recorded!("012-S2C-alice-200-REGISTER");
    let answer = server.answer(recorded!("011-C2S-new-REGISTER"), &recorded);
    same(&answer, &recorded);
    // The client comes again after 10 s, with a new tag.
    server.now += Duration::from_secs(10);
    let recorded = recorded!("057-S2C-alice-200-REGISTER");
    let answer = server.answer(recorded!("056-C2S-alice-REGISTER"), &recorded);
    same(&answer, &recorded);
    assert_eq!(server.registrar.bindings().of_user(&alice()).count(), 1);
    // The time counts from then on.
    server.now += Duration::from_secs(39);
    server.registrar.handle_timeout(server.now);
    assert_eq!(server.registrar.bindings().of_user(&alice()).count(), 1);
    server.now += Duration::from_secs(1);
    server.registrar.handle_timeout(server.now);
    assert_eq!(server.registrar.bindings().of_user(&alice()).count(), 0);
}

#[test]
fn an_end_that_the_client_obeyed() {
    let mut server = Server::new(7200);
    let recorded = recorded!("deregister-006-S2C-alice-200-REGISTER");
    let answer = server.answer(recorded!("deregister-005-C2S-new-REGISTER"), &recorded);
    same(&answer, &recorded);
    let recorded = recorded!("deregister-022-S2C-alice-NOTIFY");
    let ended = server
        .registrar
        .deregister_user(&alice(), RegistrationEvent::Rejected);
    assert_eq!(ended, 1);
    let notify = server.registrar.poll_transmit().unwrap().message;
    assert_eq!(notify.method(), recorded.method());
    assert_eq!(notify.request_uri(), recorded.request_uri());
    assert_eq!(notify.body(), recorded.body());
    for name in [
        HeaderName::To,
        HeaderName::CallId,
        HeaderName::CSeq,
        HeaderName::Event,
        HeaderName::SubscriptionState,
        HeaderName::ContentType,
    ] {
        assert_eq!(notify.header(name), recorded.header(name), "{name}");
    }
    let id = |of: &Message| {
        of.header(HeaderName::MsDiagnosticsPublic)
            .map(|v| v[..5].to_owned())
    };
    assert_eq!(id(&notify), id(&recorded));
    assert_eq!(id(&notify).as_deref(), Some("4141;"));
    let event = RegistrationEvent::from_notify(&recorded).unwrap();
    assert_eq!(event.reaction(), Reaction::Stop);
    let events = std::iter::from_fn(|| server.registrar.poll_event());
    let removed = events.filter_map(|event| match event {
        ocs_siprege::registrar::Event::Removed { cause, .. } => Some(cause),
        _ => None,
    });
    let cause = Removal::Deregistered(RegistrationEvent::Rejected);
    assert_eq!(removed.collect::<Vec<_>>(), [cause]);
}
