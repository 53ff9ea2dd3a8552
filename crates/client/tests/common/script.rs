//! A server with a script: it answers each question of a bootstrap as SIPE was answered once, or as the test says.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use ocs_client::{Config, Event, Step};
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_sipre::Epid;

use super::{Solo, aor, captured, rebuilt};

/// What a request of the client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Ask {
    Register,
    Provisioning,
    Contacts,
    Own,
    Presence,
    Location,
    Conferencing,
    Relay,
    Publish,
    Members,
    Acknowledge,
    ContactList,
    Other,
}

/// What the server does with it.
#[derive(Clone)]
pub(crate) enum Reply {
    /// This recorded response, with the identifiers of the request.
    Recorded(&'static str),
    Status(u16),
    /// A 200 with this body.
    Body(&'static str, String),
    /// What this makes of the request.
    By(Rc<dyn Fn(&Message) -> Message>),
    Silence,
}

impl Reply {
    pub(crate) fn by(answer: impl Fn(&Message) -> Message + 'static) -> Self {
        Self::By(Rc::new(answer))
    }
}

pub(crate) struct Script {
    pub(crate) solo: Solo,
    replies: HashMap<Ask, Reply>,
    /// Instead of those, one time.
    once: HashMap<Ask, Reply>,
    /// All requests, in order.
    pub(crate) seen: Vec<(Ask, Message)>,
    /// The last SUBSCRIBE outside a dialog of each kind, and the tag that answered it.
    dialogs: HashMap<Ask, (Message, String)>,
    cseq: u32,
}

fn ask(request: &Message) -> Ask {
    let content_type = request.header(HeaderName::ContentType).unwrap_or_default();
    match request.method() {
        Some(Method::Register) => Ask::Register,
        Some(Method::Subscribe) => match request.header(HeaderName::Event) {
            Some("vnd-microsoft-provisioning-v2") => Ask::Provisioning,
            Some("vnd-microsoft-roaming-contacts") => Ask::Contacts,
            Some("vnd-microsoft-roaming-self") => Ask::Own,
            Some("presence") => Ask::Presence,
            _ => Ask::Other,
        },
        Some(Method::Service) => match content_type {
            "application/cccp+xml" => Ask::Conferencing,
            "application/msrtc-media-relay-auth+xml" => Ask::Relay,
            "application/msrtc-category-publish+xml" => Ask::Publish,
            "application/msrtc-setcontainermembers+xml" => Ask::Members,
            "application/msrtc-presence-setsubscriber+xml" => Ask::Acknowledge,
            "application/SOAP+xml" => Ask::ContactList,
            "" if request
                .request_uri()
                .unwrap()
                .contains("app:locationprofile:get") =>
            {
                Ask::Location
            }
            _ => Ask::Other,
        },
        _ => Ask::Other,
    }
}

impl Script {
    /// bob, who has alice and carol in his list, at a server as SIPE had it.
    pub(crate) fn new(adjust: impl FnOnce(&mut Config)) -> Self {
        let solo = Solo::new(|config| {
            config.aor = aor("bob");
            config.user = "bob".into();
            config.epid = Epid::parse("6fe9f1f98282").unwrap();
            adjust(config);
        });
        let recorded = [
            (Ask::Register, "sign-in/register-200.sip"),
            (Ask::Provisioning, "sign-in/provisioning-200.sip"),
            (Ask::Contacts, "sign-in/contacts-200.sip"),
            (Ask::Own, "sign-in/self-200.sip"),
            (Ask::Presence, "sign-in/presence-200.sip"),
            (Ask::Conferencing, "sign-in/conferencing-200.sip"),
            (Ask::Publish, "sign-in/publish-200.sip"),
        ];
        let mut replies: HashMap<Ask, Reply> = recorded
            .into_iter()
            .map(|(ask, name)| (ask, Reply::Recorded(name)))
            .collect();
        replies.insert(
            Ask::Location,
            Reply::Body(
                "application/ms-location-profile-definition+xml",
                r#"<LocationProfileDescription xmlns="http://schemas.microsoft.com/2007/03/LocationProfileDescription"><Name>Redmond</Name></LocationProfileDescription>"#.into(),
            ),
        );
        for ask in [Ask::Members, Ask::Acknowledge, Ask::ContactList] {
            replies.insert(ask, Reply::Status(200));
        }
        Self {
            solo,
            replies,
            once: HashMap::new(),
            seen: Vec::new(),
            dialogs: HashMap::new(),
            cseq: 1,
        }
    }

    pub(crate) fn reply(&mut self, ask: Ask, reply: Reply) -> &mut Self {
        self.replies.insert(ask, reply);
        self
    }

    pub(crate) fn reply_once(&mut self, ask: Ask, reply: Reply) {
        self.once.insert(ask, reply);
    }

    pub(crate) fn sign_in(&mut self) {
        self.solo.agent.sign_in(self.solo.now);
        self.solo.drain();
        self.serve();
        assert!(self.solo.agent.is_signed_in(), "{:?}", self.solo.events);
    }

    /// Answers everything that came.
    pub(crate) fn serve(&mut self) {
        loop {
            let messages = self.solo.take();
            if messages.is_empty() {
                break;
            }
            for message in messages {
                self.answer(message);
            }
        }
    }

    fn answer(&mut self, message: Message) {
        if !message.is_request() {
            return;
        }
        let ask = ask(&message);
        let ends = message.header(HeaderName::Expires) == Some("0") && ask != Ask::Provisioning;
        let once = self.once.remove(&ask);
        let reply = once.or_else(|| self.replies.get(&ask).cloned());
        let reply = reply.unwrap_or(Reply::Status(404));
        let in_dialog = message.to_header().unwrap().tag().is_some();
        let response = match reply {
            Reply::Silence => None,
            _ if ends => Some(
                self.solo
                    .answer(&message, 200)
                    .with(HeaderName::Expires, "0"),
            ),
            Reply::Status(status) => Some(self.solo.answer(&message, status)),
            Reply::Body(kind, body) => Some(self.solo.answer(&message, 200).with_body(kind, body)),
            Reply::By(answer) => Some(answer(&message)),
            Reply::Recorded(name) => {
                let mut response = rebuilt(name, &message);
                if in_dialog {
                    response.set(HeaderName::To, message.header(HeaderName::To).unwrap());
                }
                Some(response)
            }
        };
        if let Some(response) = response {
            if message.method() == Some(&Method::Subscribe) && !in_dialog {
                let tag = response.to_header().unwrap().tag().unwrap().to_owned();
                self.dialogs.insert(ask, (message.clone(), tag));
            }
            self.seen.push((ask, message));
            self.solo.send(response);
        } else {
            self.seen.push((ask, message));
        }
    }

    /// A request of the server in the dialog of a subscription.
    pub(crate) fn notification(&mut self, ask: Ask, method: Method) -> Message {
        let (subscribe, tag) = &self.dialogs[&ask];
        self.cseq += 1;
        let cseq = format!("{} {method}", self.cseq);
        Message::request(
            method,
            "sip:192.0.2.1:50000;transport=tcp;ms-received-cid=200",
        )
        .with(
            HeaderName::Via,
            &format!("SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bKn{}", self.cseq),
        )
        .with(
            HeaderName::From,
            &format!("{};tag={tag}", subscribe.header(HeaderName::To).unwrap()),
        )
        .with(HeaderName::To, subscribe.header(HeaderName::From).unwrap())
        .with(HeaderName::CallId, subscribe.call_id().unwrap())
        .with(HeaderName::CSeq, &cseq)
        .with(HeaderName::MaxForwards, "70")
        .with(
            HeaderName::Event,
            subscribe.header(HeaderName::Event).unwrap(),
        )
    }

    /// A BENOTIFY with this body.
    pub(crate) fn tell(&mut self, ask: Ask, content_type: &str, body: &str) {
        let message = self
            .notification(ask, Method::Benotify)
            .with(HeaderName::SubscriptionState, "active;expires=3600")
            .with_body(content_type, body.to_owned());
        self.solo.send(message);
        self.serve();
    }

    /// What a server told once, as BENOTIFY in the dialog of this client.
    pub(crate) fn tell_recorded(&mut self, ask: Ask, name: &str) {
        let recorded = captured(name);
        let mut message = self
            .notification(ask, Method::Benotify)
            .with(HeaderName::SubscriptionState, "active;expires=3600")
            .with_body(
                recorded.header(HeaderName::ContentType).unwrap(),
                recorded.body().clone(),
            );
        if let Some(require) = recorded.header(HeaderName::Require) {
            message.push(HeaderName::Require, require);
        }
        self.solo.send(message);
        self.serve();
    }

    /// The server ends a subscription.
    pub(crate) fn terminate(&mut self, ask: Ask, reason: &str) {
        let message = self.notification(ask, Method::Notify).with(
            HeaderName::SubscriptionState,
            &format!("terminated;reason={reason}"),
        );
        self.solo.send(message);
        self.serve();
    }

    /// Lets time pass and answers what comes.
    pub(crate) fn advance(&mut self, by: Duration) {
        let end = self.solo.now + by;
        let mut steps = 0;
        while let Some(at) = self.solo.agent.poll_timeout().filter(|at| *at <= end) {
            self.solo.now = self.solo.now.max(at);
            self.solo.agent.handle_timeout(self.solo.now);
            self.solo.drain();
            self.serve();
            steps += 1;
            assert!(steps < 10_000, "turns in a circle");
        }
        self.solo.now = end;
    }

    /// A command of the application.
    pub(crate) fn command<R>(
        &mut self,
        command: impl FnOnce(&mut ocs_client::UserAgent, std::time::Instant) -> R,
    ) -> R {
        let result = command(&mut self.solo.agent, self.solo.now);
        self.solo.drain();
        self.serve();
        result
    }

    /// The requests of a kind since the last call.
    pub(crate) fn taken(&mut self, ask: Ask) -> Vec<Message> {
        let (taken, rest) = std::mem::take(&mut self.seen)
            .into_iter()
            .partition(|(kind, _)| *kind == ask);
        self.seen = rest;
        let taken: Vec<(Ask, Message)> = taken;
        taken.into_iter().map(|(_, message)| message).collect()
    }

    pub(crate) fn answered(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = self
            .solo
            .events
            .iter()
            .filter_map(|event| match event {
                Event::StepAnswered { step } => Some(*step),
                _ => None,
            })
            .collect();
        steps.sort_unstable();
        steps
    }

    pub(crate) fn refused(&self) -> Vec<(Step, u16)> {
        self.solo
            .events
            .iter()
            .filter_map(|event| match event {
                Event::StepRefused { step, status, .. } => Some((*step, *status)),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn bootstrapped(&self) -> usize {
        let all = self.solo.events.iter();
        all.filter(|event| **event == Event::Bootstrapped).count()
    }
}

/// The body of a request as text.
pub(crate) fn body(request: &Message) -> String {
    String::from_utf8(request.body().to_vec()).unwrap()
}
