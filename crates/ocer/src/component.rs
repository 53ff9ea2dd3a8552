//! Who owns a range of numbers.

use crate::ErrorId;

/// The part of the system that an [`ErrorId`] comes from (\[MS-OCER\] 7 and 8, one table each).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Component {
    /// All components.
    Common,
    /// Front end and Edge Server: SIP.
    SipStack,
    /// User services: presence.
    Presence,
    /// User services: focus and focus factory.
    Conferencing,
    /// User services: registrar and the rest.
    UserServices,
    /// Server API and applications on it.
    ServerApplications,
    /// IM conferencing server.
    ImConferencing,
    /// A/V conferencing server.
    AvConferencing,
    /// Telephony conferencing.
    TelephonyConferencing,
    /// \[MS-AVEDGEA\] service.
    MediaRelayAuthentication,
    /// Mediation Server.
    MediationServer,
    /// Quality of experience.
    Metrics,
    /// VoIP outbound routing.
    OutboundRouting,
    /// VoIP inbound routing.
    InboundRouting,
    /// Dial plan.
    TranslationService,
    /// Routing to voice mail.
    ExchangeUmRouting,
    /// Intelligent IM filter.
    ImFilter,
    /// Client version filter.
    ClientVersionFilter,
    /// Communicator Web Access.
    WebAccess,
    /// Group chat.
    GroupChat,
    /// Application sharing and web conferencing (recalled).
    DataConferencing,
    /// UCMA platform.
    ApplicationPlatform,
    /// Conferencing attendant and announcement (recalled).
    ConferencingAttendant,
    /// Response group client (recalled).
    ResponseGroup,
    /// Web components (recalled).
    WebComponents,
    /// Authentication web services.
    AuthenticationServices,
    /// Response group, conferencing services, PIN (recalled).
    VoiceApplications,
    /// Call park service.
    CallPark,
    /// Informational numbers of clients (recalled).
    ClientInformation,
    /// Failures of clients.
    ClientFailure,
    /// Further numbers of clients (recalled).
    ClientOther,
    /// Reserved for applications: success.
    ApplicationSuccess,
    /// Reserved for applications: a failure that was to be expected.
    ApplicationExpectedFailure,
    /// Reserved for applications: a failure that was not.
    ApplicationUnexpectedFailure,
    /// What only providers of public IM have.
    PublicIm,
}

/// First number, last number, owner; ascending.
const RANGES: [(u32, u32, Component); 35] = [
    (0, 999, Component::Common),
    (1000, 1999, Component::SipStack),
    (2000, 2999, Component::Presence),
    (3000, 3999, Component::Conferencing),
    (4000, 4999, Component::UserServices),
    (5000, 5999, Component::ServerApplications),
    (6000, 6999, Component::ImConferencing),
    (7000, 7999, Component::AvConferencing),
    (8000, 8999, Component::TelephonyConferencing),
    (9000, 9999, Component::MediaRelayAuthentication),
    (10_000, 10_999, Component::MediationServer),
    (11_000, 11_999, Component::Metrics),
    (12_000, 12_999, Component::OutboundRouting),
    (13_000, 13_999, Component::InboundRouting),
    (14_000, 14_999, Component::TranslationService),
    (15_000, 15_999, Component::ExchangeUmRouting),
    (16_000, 16_999, Component::ImFilter),
    (17_000, 17_999, Component::ClientVersionFilter),
    (18_000, 18_999, Component::WebAccess),
    (20_000, 20_999, Component::GroupChat),
    (21_000, 23_999, Component::DataConferencing),
    (24_000, 24_999, Component::ApplicationPlatform),
    (25_000, 25_999, Component::ConferencingAttendant),
    (26_000, 26_999, Component::ResponseGroup),
    (27_000, 27_999, Component::WebComponents),
    (28_000, 28_999, Component::AuthenticationServices),
    (29_000, 34_999, Component::VoiceApplications),
    (35_000, 35_999, Component::CallPark),
    (51_000, 51_999, Component::ClientInformation),
    (52_000, 52_999, Component::ClientFailure),
    (53_000, 54_999, Component::ClientOther),
    (60_000, 60_999, Component::ApplicationSuccess),
    (61_000, 61_999, Component::ApplicationExpectedFailure),
    (62_000, 62_999, Component::ApplicationUnexpectedFailure),
    (90_000, 90_999, Component::PublicIm),
];

impl Component {
    /// The owner of a number; `None` for one that nobody owns.
    #[must_use]
    pub fn of(id: ErrorId) -> Option<Self> {
        let next = RANGES.partition_point(|&(first, _, _)| first <= id.0);
        let (_, last, component) = RANGES[next.checked_sub(1)?];
        (id.0 <= last).then_some(component)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_ascend_and_do_not_overlap() {
        assert!(RANGES.iter().all(|(first, last, _)| first < last));
        assert!(RANGES.windows(2).all(|pair| pair[0].1 < pair[1].0));
    }

    #[test]
    fn owners() {
        let of = |id| Component::of(ErrorId(id));
        assert_eq!(of(0), Some(Component::Common));
        assert_eq!(of(4999), Some(Component::UserServices));
        assert_eq!(of(13_004), Some(Component::InboundRouting));
        assert_eq!(of(19_000), None);
        assert_eq!(of(62_999), Some(Component::ApplicationUnexpectedFailure));
        assert_eq!(of(u32::MAX), None);
    }
}
