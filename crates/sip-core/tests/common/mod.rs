//! A subscriber and a notifier.

use std::sync::Arc;
use std::time::Instant;

use ocs_sip_core::subscription::{
    Action, Content, EndCause, Notifier, NotifierPolicy, Subscriber, SubscriberEvent,
    SubscriberTimers,
};
use ocs_sip_core::{HeaderName, Message, Method};

pub(crate) const MS_TAGS: &str = "ms-benotify, ms-piggyback-first-notify, com.microsoft.autoextend";

pub(crate) fn subscribe(supported: &str, expires: Option<&str>) -> Message {
    let mut request = Message::request(Method::Subscribe, "sip:bob@contoso.com")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=a;epid=0a")
        .with(HeaderName::To, "<sip:bob@contoso.com>")
        .with(HeaderName::CallId, "call")
        .with(HeaderName::CSeq, "1 SUBSCRIBE")
        .with(HeaderName::Contact, "<sip:alice@192.0.2.9;gruu>")
        .with(HeaderName::Event, "presence;id=1")
        .with(HeaderName::Accept, "application/pidf+xml");
    if !supported.is_empty() {
        request.push(HeaderName::Supported, supported);
        request.push(HeaderName::ProxyRequire, "ms-benotify");
    }
    if let Some(expires) = expires {
        request.push(HeaderName::Expires, expires);
    }
    request.with_body("application/x-list", "list")
}

pub(crate) fn subscriber(supported: &str, expires: Option<&str>) -> (Subscriber, Message) {
    let mut subscriber =
        Subscriber::new(subscribe(supported, expires), SubscriberTimers::default()).unwrap();
    let request = subscriber.poll_transmit().unwrap();
    (subscriber, request)
}

pub(crate) fn policy() -> Arc<NotifierPolicy> {
    Arc::new(NotifierPolicy::new(["presence"]))
}

pub(crate) fn state(text: &str) -> Content {
    Content::new("application/pidf+xml", text.to_owned())
}

pub(crate) fn accept(now: Instant, request: &Message) -> (Notifier, Message) {
    let (notifier, mut response) =
        Notifier::accept(now, request, "b", &policy(), state("first")).unwrap();
    response.push(HeaderName::Contact, "<sip:fe01.contoso.com:5061>");
    (notifier, response)
}

pub(crate) fn events(subscriber: &mut Subscriber) -> Vec<SubscriberEvent> {
    std::iter::from_fn(|| subscriber.poll_event()).collect()
}

pub(crate) fn body(event: &SubscriberEvent) -> Option<(&[u8], bool)> {
    match event {
        SubscriberEvent::Notification {
            message,
            piggybacked,
        } => Some((message.body(), *piggybacked)),
        _ => None,
    }
}

pub(crate) fn ended(cause: EndCause, action: Action) -> SubscriberEvent {
    SubscriberEvent::Ended { cause, action }
}
