//! epid, instance and GRUU against the vectors of the specification and of traffic.

mod common;

use common::{message, text};
use ocs_sip_core::{Aor, HeaderName};
use ocs_sipre::gruu::{ConferenceService, application_gruu, endpoint_gruu};
use ocs_sipre::{EndpointKey, Epid, Error, Gruu, Identity, Instance, InstanceCheck, Opaque};

/// epid, UUID, opaque id: \[MS-SIPRE\] 4.2, 4.14, \[MS-SIPREGE\], \[MS-OCER\] 3.1.4.1, and captures.
const VECTORS: [(&str, &str, &str); 9] = [
    (
        "01010101",
        "4b1682a8-f968-5701-83fc-7c6741dc6697",
        "qIIWS2j5AVeD_HxnQdxmlwAA",
    ),
    (
        "a0ae9e6cb0",
        "c1589240-e660-594f-a8b3-4b55f358cbc1",
        "QJJYwWDmT1mos0tV81jLwQAA",
    ),
    (
        "492a7ce35f",
        "b43b3d1d-9f8f-5fdc-9f74-3ca273cadb97",
        "HT07tI-f3F-fdDyic8rblwAA",
    ),
    (
        "1D19090AED",
        "0dc28647-23a5-56e7-b4e8-f51b92b692d1",
        "R4bCDaUj51a06PUbkraS0QAA",
    ),
    (
        "c8ca638a15",
        "34d859db-6585-5f91-a3b4-de853c15347d",
        "21nYNIVlkV-jtN6FPBU0fQAA",
    ),
    (
        "35cd761967",
        "7642168e-1776-580d-9060-3f8530e19e9a",
        "jhZCdnYXDViQYD-FMOGemgAA",
    ),
    (
        "3102EB8BD1",
        "7af002fa-d372-5a55-b2f8-093c4c99f564",
        "-gLwenLTVVqy-Ak8TJn1ZAAA",
    ),
    (
        "c97532c1946f",
        "5ccdb10d-dca1-559e-ad2b-b514060a2da2",
        "DbHNXKHcnlWtK7UUBgotogAA",
    ),
    (
        "6fe9f1f98282",
        "17715028-d862-5e0d-8729-8ec6a8ff724a",
        "KFBxF2LYDV6HKY7GqP9ySgAA",
    ),
];

#[test]
fn instances_are_derived_from_epids() {
    for (epid, uuid, opaque) in VECTORS {
        let instance = Epid::parse(epid).unwrap().instance();
        assert_eq!(instance.to_string(), format!("urn:uuid:{uuid}"));
        assert_eq!(instance.opaque_id(), opaque);
        assert_eq!(Instance::from_opaque_id(opaque).unwrap(), instance);
        let param = instance.to_param();
        assert_eq!(Instance::parse(&param).unwrap(), instance);
        assert_eq!(Instance::parse(&param.to_uppercase()).unwrap(), instance);
    }
}

#[test]
fn opaque_ids_of_servers_are_read_too() {
    for (uuid, opaque) in [
        (
            "c31cbf74-6b10-e14e-bc78-2e3e43f18d18",
            "srvr:HomeServer:dL8cwxBrTuG8eC4-Q_GNGAAA",
        ),
        (
            "1a5fd4fe-1b77-2b43-a7de-fef9435aabf5",
            "srvr:MediationServer:_tRfGncbQyun3v75Q1qr9QAA",
        ),
        (
            "958d4a02-40cd-5136-9081-4fe441e02e53",
            "srvr:HomeServer:AkqNlc1ANlGQgU_kQeAuUwAA",
        ),
        (
            "75ab1008-bcc4-5544-924d-aa177c824291",
            "user:epid:CBCrdcS8RFWSTaoXfIJCkQAA",
        ),
    ] {
        let instance = Opaque::parse(opaque).instance().unwrap();
        assert_eq!(instance.uuid().to_string(), uuid);
    }
}

#[test]
fn malformed_identities_are_named() {
    for epid in ["", "12345678901234567", "a b", "a;b", "é"] {
        assert_eq!(Epid::parse(epid), Err(Error::Epid), "{epid}");
    }
    for urn in [
        "",
        "urn:uuid:",
        "urn:uuid:4b1682a8f968570183fc7c6741dc6697",
        "é",
        "urn:uuiX:4b1682a8-f968-5701-83fc-7c6741dc6697",
    ] {
        assert_eq!(Instance::parse(urn), Err(Error::Instance), "{urn}");
    }
    for id in [
        "",
        "qIIWS2j5AVeD_HxnQdxmlwA",
        "qIIWS2j5AVeD_HxnQdxmlwAB",
        "qIIWS2j5AVeD/HxnQdxmlwAA",
        "qIIWS2j5AVeD_HxnQdxmlwAAAA",
    ] {
        assert_eq!(Instance::from_opaque_id(id), Err(Error::OpaqueId), "{id}");
    }
}

#[test]
fn registrations_of_sipe_identify_their_endpoints() {
    for name in [
        "two-clients/009-C2S-new-REGISTER.sip",
        "no-gruu/009-C2S-new-REGISTER.sip",
    ] {
        let register = message(name);
        let identity = Identity::of_request(&register, InstanceCheck::Derived).unwrap();
        let epid = identity.epid.clone().unwrap();
        assert_eq!(register.from_header().unwrap().epid(), Some(epid.as_str()));
        assert_eq!(epid.instance(), identity.instance);
        let key = EndpointKey::of_caller(&register).unwrap();
        assert_eq!(EndpointKey::of_callee(&register), None);
        let gruu = endpoint_gruu(&key.aor, identity.instance);
        if name.starts_with("two") {
            let answer = message("two-clients/010-S2C-bob-200-REGISTER.sip");
            assert_eq!(answer.contact().unwrap().gruu().unwrap(), gruu);
        }
    }
}

#[test]
fn instances_that_do_not_match_are_refused_when_checked() {
    let other = "urn:uuid:5ccdb10d-dca1-559e-ad2b-b514060a2da2";
    let check =
        |epid, instance, check| Identity::resolve(epid, instance, check).map_err(|r| r.status);
    assert_eq!(
        check(Some("1"), Some(other), InstanceCheck::Derived),
        Err(400)
    );
    assert!(check(Some("1"), Some(other), InstanceCheck::Any).is_ok());
    assert!(check(None, Some(other), InstanceCheck::Derived).is_ok());
    assert!(check(Some("1"), None, InstanceCheck::Derived).is_ok());
    assert_eq!(check(None, None, InstanceCheck::Any), Err(400));
    assert_eq!(
        check(Some("12345678901234567"), None, InstanceCheck::Any),
        Err(400)
    );
    assert_eq!(check(None, Some("x"), InstanceCheck::Any), Err(400));
}

#[test]
fn every_form_of_opaque_is_read_and_written() {
    for (value, opaque) in [
        ("user:epid:abc", Opaque::UserEpid("abc")),
        ("app:voicemail", Opaque::VoiceMail),
        ("app:locationprofile:get", Opaque::LocationProfile("get")),
        ("app:conf:focusfactory", Opaque::FocusFactory),
        (
            "app:conf:chat:id:X",
            Opaque::Conference {
                service: "chat",
                id: "X",
            },
        ),
        ("app:rgs", Opaque::App("rgs")),
        ("app:conf:odd", Opaque::App("conf:odd")),
        (
            "srvr:MRAS:OKPD",
            Opaque::Server {
                role: "MRAS",
                id: "OKPD",
            },
        ),
        ("srvr:x", Opaque::Other("srvr:x")),
        ("state:F", Opaque::Other("state:F")),
        ("", Opaque::Other("")),
    ] {
        assert_eq!(Opaque::parse(value), opaque);
        assert_eq!(opaque.to_string(), value);
    }
    let conference = Opaque::parse("app:conf:audiovideo:id:1");
    assert_eq!(
        conference.conference_service(),
        Some(ConferenceService::AudioVideo)
    );
}

#[test]
fn gruus_have_their_parts_in_any_order() {
    let gruu = Gruu::parse("sip:u@d;opaque=app:locationprofile:get;default;gruu;grid=2f").unwrap();
    assert!(gruu.default_profile && gruu.grid == Some("2f"));
    let named = Gruu::parse("sip:u@d;gruu;opaque=app:locationprofile:get;phone-context=x").unwrap();
    assert_eq!(named.phone_context, Some("x"));
    for uri in ["sip:u@d;gruu", "sip:u@d;opaque=x", "sip:d;gruu;opaque=x"] {
        assert_eq!(Gruu::parse(uri), Err(Error::Gruu), "{uri}");
    }
    let aor = Aor::parse("alice@contoso.com").unwrap();
    let written = application_gruu(&aor, &Opaque::VoiceMail);
    assert_eq!(written, "sip:alice@contoso.com;gruu;opaque=app:voicemail");
    assert_eq!(Gruu::parse(&written).unwrap().aor, aor);
}

#[test]
fn the_ringing_of_a_mobile_client_names_its_endpoint() {
    let ringing = text(
        "SIP/2.0 180 Ringing\nVia: SIP/2.0/tls 192.168.44.10:50230;received=10.117.245.254;ms-received-port=50230;ms-received-cid=37ABE00\n\
         FROM: \"Sender\"<sip:sender@company.com>;tag=2420628112;epid=54392f1bbf01\nTO: \"recipient\"<sip:recipient@company.com>;tag=7aee15546a;epid=3102EB8BD1\n\
         CSEQ: 1 INVITE\nCALL-ID: 41CE\nRECORD-ROUTE: <sip:P01.COMPANY.COM:5061;transport=tls;ms-fe=FE03.COMPANY.COM;opaque=state:F:T:Eu:Ci.R37abe00;lr;ms-route-sig=gdOG>\n\
         CONTACT: <sip:recipient@company.com;opaque=user:epid:-gLwenLTVVqy-Ak8TJn1ZAAA;gruu>;text;audio;video\nCONTENT-LENGTH: 0\n\n",
    );
    let contact = ringing.contact().unwrap();
    let gruu = Gruu::parse(contact.uri_text()).unwrap();
    let identity = Identity::of_response(&ringing, InstanceCheck::Derived).unwrap();
    assert_eq!(gruu.opaque.instance().unwrap(), identity.instance);
    let route = ringing.values(HeaderName::RecordRoute).next().unwrap();
    let route = ocs_sip_core::header::NameAddr::parse(route).unwrap();
    let uri = ocs_sip_core::uri::SipUri::parse(route.uri_text()).unwrap();
    let state = ocs_sipre::route::RouteState::parse(uri.opaque().unwrap()).unwrap();
    assert!(state.from_home && state.to_home);
    let cid = ringing.top_via().unwrap().ms_received_cid().unwrap();
    assert_eq!(state.caller, ocs_sipre::flow::parse_cid(cid));
}
