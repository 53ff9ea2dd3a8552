//! `registration-notify`: the server ends or changes a registration ([MS-SIPREGE] 2.2.1.12, 2.2.1.13).

use ocs_ocer::{DiagnosticsWriter, ErrorId, Kind};
use ocs_sip_core::header::Substate;
use ocs_sip_core::{HeaderName, Message, Method};

/// The `Event` of these NOTIFY requests. It rides on the implicit subscription of REGISTER.
pub const EVENT: &str = "registration-notify";
/// The type of the body: one line of text.
pub const CONTENT_TYPE: &str = "text/registration-event";

/// What happened to a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationEvent {
    /// Policy removed this endpoint, for example the oldest one over the quota. Do not retry by yourself.
    Unregistered,
    /// The user is disabled for SIP. Do not retry by yourself.
    Rejected,
    /// The service is unavailable for the user for now. Retry later.
    Deactivated,
    /// The presence service is down and the endpoint cannot live without it. Retry later.
    UserServicesUnavailable,
    /// The home registrar changed: sign in at the one that P-Preferred-Registrar names.
    PreferredRegistrarChange,
    /// The binding stays; the presence service went away (survivable mode).
    SurvivableUnavailable,
    /// The binding stays; the presence service is back (recalled).
    SurvivableAvailable,
}

/// What a client does after a [`RegistrationEvent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    /// Tell the user; sign in again only when asked to.
    Stop,
    /// Sign in again after a random 30 to 60 s, with back-off (inferred).
    RetryLater,
    /// Sign in at the registrar that the NOTIFY names.
    MoveToPreferred,
    /// Stay registered.
    Stay,
}

impl RegistrationEvent {
    const ALL: [Self; 7] = [
        Self::Unregistered,
        Self::Rejected,
        Self::Deactivated,
        Self::UserServicesUnavailable,
        Self::PreferredRegistrarChange,
        Self::SurvivableUnavailable,
        Self::SurvivableAvailable,
    ];

    /// The body on the wire.
    #[must_use]
    pub const fn body(self) -> &'static str {
        match self {
            Self::Unregistered => "deregistered;event=unregistered",
            Self::Rejected => "deregistered;event=rejected",
            Self::Deactivated => "deregistered;event=deactivated",
            Self::UserServicesUnavailable => "deregistered;event=userservices-unavailable",
            Self::PreferredRegistrarChange => "deregistered;event=preferred-registrar-change",
            Self::SurvivableUnavailable => "registered;event=userservices-unavailable",
            Self::SurvivableAvailable => "registered;event=userservices-available",
        }
    }

    /// The error id of `ms-diagnostics-public` ([MS-OCER]); the survivable-mode ones are not known.
    #[must_use]
    pub const fn error_id(self) -> Option<ErrorId> {
        match self {
            Self::Unregistered => Some(ErrorId::USER_LOGGED_OUT),
            Self::Rejected => Some(ErrorId::USER_DISABLED),
            Self::Deactivated => Some(ErrorId::USER_MOVED),
            Self::UserServicesUnavailable => Some(ErrorId::PRESENCE_UNAVAILABLE),
            Self::PreferredRegistrarChange => Some(ErrorId::PREFERRED_REGISTRAR_CHANGED),
            Self::SurvivableUnavailable | Self::SurvivableAvailable => None,
        }
    }

    /// Whether the binding is gone.
    #[must_use]
    pub const fn ends_registration(self) -> bool {
        !matches!(
            self,
            Self::SurvivableUnavailable | Self::SurvivableAvailable
        )
    }

    /// What a client does.
    #[must_use]
    pub const fn reaction(self) -> Reaction {
        match self {
            Self::Unregistered | Self::Rejected => Reaction::Stop,
            Self::Deactivated | Self::UserServicesUnavailable => Reaction::RetryLater,
            Self::PreferredRegistrarChange => Reaction::MoveToPreferred,
            Self::SurvivableUnavailable | Self::SurvivableAvailable => Reaction::Stay,
        }
    }

    /// Reads a body; white space around it does not count.
    ///
    /// How the bodies of survivable mode go on behind `registered;event=` was not read to the end: what ends in `unavailable` or `available`
    /// is taken.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?.trim();
        let known = |event: &Self| event.body().eq_ignore_ascii_case(text);
        if let Some(event) = Self::ALL.into_iter().find(known) {
            return Some(event);
        }
        let text = text.to_ascii_lowercase();
        let event = text.strip_prefix("registered;event=")?;
        if event.ends_with("unavailable") {
            Some(Self::SurvivableUnavailable)
        } else {
            event
                .ends_with("available")
                .then_some(Self::SurvivableAvailable)
        }
    }

    /// Reads the event of a NOTIFY; `None` if it is another NOTIFY.
    ///
    /// One that says `terminated` ends the registration whatever its body is: a body that is not known is taken for
    /// [`Deactivated`](Self::Deactivated), so that the client comes back later (inferred).
    #[must_use]
    pub fn from_notify(notify: &Message) -> Option<Self> {
        let event = notify.event().ok()??;
        if notify.method() != Some(&Method::Notify) || !event.is(EVENT) {
            return None;
        }
        Self::parse(notify.body()).or_else(|| {
            let state = notify.subscription_state().ok()??;
            (state.state == Substate::Terminated).then_some(Self::Deactivated)
        })
    }
}

/// The implicit subscription that a REGISTER made: what the server must remember of it to write the NOTIFY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImplicitSubscription {
    /// The URI of the registered contact, with `ms-opaque` and `ms-received-cid`.
    pub contact: String,
    /// To of the REGISTER: the server's side, which becomes From.
    pub to: String,
    /// From of the REGISTER with tag and epid, which becomes To.
    pub from: String,
    /// Call-ID of the REGISTER.
    pub call_id: String,
    /// Life of the binding in seconds, which is that of the subscription.
    pub expires: u32,
}

impl ImplicitSubscription {
    /// The NOTIFY that tells of `event`. Via, Max-Forwards and the signature are the caller's.
    ///
    /// `server_tag` becomes the tag of From where the To of the REGISTER had none; `cseq` counts from 1 (confirmed with SIPE 1.25).
    #[must_use]
    pub fn notify(&self, event: RegistrationEvent, cseq: u32, server_tag: &str) -> Message {
        let mut notify = Message::request(Method::Notify, &self.contact)
            .with(HeaderName::From, &format!("{};tag={server_tag}", self.to))
            .with(HeaderName::To, &self.from)
            .with(HeaderName::CallId, &self.call_id)
            .with(HeaderName::CSeq, &format!("{cseq} NOTIFY"))
            .with(HeaderName::Event, EVENT);
        // A parameter always stands after the state: a peer may split at the first semicolon.
        let state = if event.ends_registration() {
            "terminated;expires=0"
        } else {
            &format!("active;expires={}", self.expires)
        };
        notify.push(HeaderName::SubscriptionState, state);
        if let Some(id) = event.error_id() {
            let reason = id.reason().unwrap_or_default();
            DiagnosticsWriter::new(Kind::Public, id, reason).put(&mut notify);
        }
        notify.set_body(CONTENT_TYPE, event.body());
        notify
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_round_trip() {
        for event in RegistrationEvent::ALL {
            let padded = format!(" {}\r\n", event.body());
            assert_eq!(RegistrationEvent::parse(padded.as_bytes()), Some(event));
        }
        for bad in ["deregistered", "registered;event=", "registered;event=x"] {
            assert_eq!(RegistrationEvent::parse(bad.as_bytes()), None);
        }
        assert_eq!(RegistrationEvent::parse(b"\xFF"), None);
        for (body, event) in [
            ("userservices-unavail-able", None),
            (
                "Presence-Unavailable",
                Some(RegistrationEvent::SurvivableUnavailable),
            ),
            (
                "presence-available",
                Some(RegistrationEvent::SurvivableAvailable),
            ),
        ] {
            let body = format!("registered;event={body}");
            assert_eq!(RegistrationEvent::parse(body.as_bytes()), event, "{body}");
        }
    }

    fn subscription() -> ImplicitSubscription {
        ImplicitSubscription {
            contact: "sip:127.0.0.1:52064;transport=tcp;ms-opaque=d3470f2e1d;ms-received-cid=200"
                .into(),
            to: "<sip:bob@contoso.com>".into(),
            from: "<sip:bob@contoso.com>;tag=1;epid=6fe9f1f98282".into(),
            call_id: "abc".into(),
            expires: 7200,
        }
    }

    #[test]
    fn the_state_decides_where_the_body_is_not_known() {
        let mut notify = subscription().notify(RegistrationEvent::Rejected, 1, "77");
        notify.set_body(CONTENT_TYPE, "deregistered;event=new-in-2019");
        assert_eq!(
            RegistrationEvent::from_notify(&notify),
            Some(RegistrationEvent::Deactivated)
        );
        notify.set(HeaderName::SubscriptionState, "active;expires=600");
        assert_eq!(RegistrationEvent::from_notify(&notify), None);
    }

    #[test]
    fn notify_has_the_headers_of_2_2_1_13() {
        let subscription = subscription();
        // What leaves the binding leaves the subscription alive.
        for (event, state) in [
            (RegistrationEvent::Rejected, "terminated;expires=0"),
            (
                RegistrationEvent::SurvivableUnavailable,
                "active;expires=7200",
            ),
        ] {
            let notify = subscription.notify(event, 1, "77");
            assert_eq!(notify.header(HeaderName::SubscriptionState), Some(state));
        }
        let notify = subscription.notify(RegistrationEvent::Rejected, 1, "77");
        assert_eq!(
            RegistrationEvent::from_notify(&notify),
            Some(RegistrationEvent::Rejected)
        );
        assert_eq!(notify.to_header().unwrap().epid(), Some("6fe9f1f98282"));
        assert_eq!(notify.from_header().unwrap().tag(), Some("77"));
        assert!(
            notify
                .header(HeaderName::MsDiagnosticsPublic)
                .unwrap()
                .starts_with("4141;")
        );
    }
}
