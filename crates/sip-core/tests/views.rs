//! Typed views of single headers.

use ocs_sip_core::header::{
    EdgeProxyMessageTrust, HeaderValue, RAck, Reason, ReferTo, ReferredBy, Replaces, RetryAfter,
    Sensitivity, TextFormat,
};
use ocs_sip_core::{Error, HeaderName, Message, Method};

#[test]
fn refer() {
    let refer = ReferTo::parse_value("<sip:carol@contoso.com;method=INVITE?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&Subject=Hi%20there>").unwrap();
    assert_eq!(refer.method(), Ok(Method::Invite));
    let replaces = refer.replaces().unwrap().unwrap();
    let replaces = Replaces::parse_value(&replaces).unwrap();
    assert_eq!(
        (replaces.call_id, replaces.to_tag, replaces.from_tag),
        ("a@b", "1", "2")
    );
    assert_eq!(
        refer.embedded(HeaderName::Subject).unwrap().unwrap(),
        "Hi there"
    );
    assert_eq!(refer.embedded(HeaderName::Require), Ok(None));
    let bye = ReferTo::parse_value("<sip:carol@contoso.com;method=BYE?Replaces=x>").unwrap();
    assert_eq!(bye.method(), Ok(Method::Bye));
    assert_eq!(bye.replaces(), Err(Error::Malformed(HeaderName::Replaces)));
    assert_eq!(
        ReferTo::parse_value("<tel:+1425>").unwrap().method(),
        Ok(Method::Invite)
    );

    let by = ReferredBy::parse_value(
        "<sip:alice@contoso.com>;ms-identity=\"MIIB:x=\";ms-identity-info=\"sip:fe01.contoso.com:5061;transport=tls\";ms-identity-alg=rsa-sha1;\
         ms-identity-cookie=\"c\";ms-referee-uri=\"sip:carol@contoso.com\";cid=\"1@x\"",
    )
    .unwrap();
    assert_eq!(by.address.uri_text(), "sip:alice@contoso.com");
    assert_eq!(by.ms_identity().unwrap(), "MIIB:x=");
    assert_eq!(by.ms_identity_alg(), Some("rsa-sha1"));
    assert_eq!(
        by.ms_identity_info().unwrap(),
        "sip:fe01.contoso.com:5061;transport=tls"
    );
    assert_eq!(by.ms_identity_cookie().unwrap(), "c");
    assert_eq!(by.ms_referee_uri().unwrap(), "sip:carol@contoso.com");
    assert_eq!(by.cid().unwrap(), "1@x");
}

#[test]
fn identities() {
    let message = |headers: &[(HeaderName, &str)]| {
        headers
            .iter()
            .fold(Message::response(200), |message, (name, value)| {
                message.with(*name, value)
            })
    };
    let (asserted, preferred) = (
        HeaderName::PAssertedIdentity,
        HeaderName::PPreferredIdentity,
    );
    let both = message(&[
        (preferred, "<sip:other@contoso.com>"),
        (
            asserted,
            "\"Alice, A.\"<SIP:alice@contoso.com>,<tel:+14255550001>, <sip:second@contoso.com>",
        ),
    ]);
    let found = both.identities();
    assert_eq!(
        (found.sip, found.tel),
        (Some("SIP:alice@contoso.com"), Some("tel:+14255550001"))
    );
    assert_eq!(
        both.identities_in(preferred).sip,
        Some("sip:other@contoso.com")
    );
    let lines = message(&[
        (preferred, "tel:+1"),
        (preferred, "<sips:a@b>"),
        (preferred, "<sip:a@b;user=phone>"),
    ]);
    let found = lines.identities();
    assert_eq!(
        (found.sip, found.tel, found.sips),
        (Some("sip:a@b;user=phone"), Some("tel:+1"), Some("sips:a@b"))
    );
    assert!(message(&[(asserted, "<http://x>")]).identities().is_empty());
}

#[test]
fn acknowledgement_wait_and_reason() {
    let rack = RAck::parse_value("776656  1 INVITE").unwrap();
    assert_eq!(
        (rack.rseq, rack.cseq, rack.method_text),
        (776_656, 1, "INVITE")
    );
    for bad in ["1 INVITE", "1 2", "1 2 A B", "4294967296 1 A", "", "-1 1 A"] {
        assert!(RAck::parse_value(bad).is_none(), "{bad}");
    }
    let retry = RetryAfter::parse_value("18000 (in a (short) \\) meeting) ;duration=3600").unwrap();
    assert_eq!(
        (retry.seconds, retry.comment, retry.duration()),
        (18000, Some("in a (short) \\) meeting"), Some(3600))
    );
    assert_eq!(RetryAfter::parse_value("120").unwrap().seconds, 120);
    for bad in ["", "x", "1 (", "1 x", "949302838503028349304023988"] {
        assert!(RetryAfter::parse_value(bad).is_none(), "{bad}");
    }
    let reason = Reason::parse_value("SIP ;cause=200 ;text=\"Call completed elsewhere\"").unwrap();
    assert_eq!((reason.protocol, reason.cause()), ("SIP", Some(200)));
    assert_eq!(reason.text().unwrap(), "Call completed elsewhere");
    let message = Message::request(Method::Cancel, "sip:a").with(
        HeaderName::Reason,
        "Q.850;cause=16;text=\"a,b\", SIP;cause=600",
    );
    assert_eq!(
        message.parse_all::<Reason<'_>>(HeaderName::Reason).count(),
        2
    );
}

#[test]
fn sensitivity() {
    let message = |values: &[&str]| {
        values.iter().fold(
            Message::request(Method::Invite, "sip:a"),
            |message, value| message.with(HeaderName::MsSensitivity, value),
        )
    };
    assert_eq!(message(&[]).sensitivity(), Ok(Sensitivity::Normal));
    let private = message(&["Private-No-Diversion"]).sensitivity().unwrap();
    assert_eq!(private, Sensitivity::PrivateNoDiversion);
    assert!(!private.allows_diversion() && !private.allows_team());
    assert_eq!(
        message(&["secret"]).sensitivity(),
        Err(Error::Malformed(HeaderName::MsSensitivity))
    );
    assert_eq!(
        message(&["normal", "normal"]).sensitivity(),
        Err(Error::Repeated(HeaderName::MsSensitivity))
    );
}

#[test]
fn edge_trust() {
    let trust = EdgeProxyMessageTrust::parse_value(
        "ms-source-type=DirectPartner;ms-ep-fqdn=edge01.contoso.com;ms-source-verified-user=verified;ms-source-network=federation;ms-remote-fqdn=\"sip.fabrikam.com\"",
    )
    .unwrap();
    assert_eq!(trust.source_type().unwrap(), "DirectPartner");
    assert_eq!(trust.edge_fqdn().unwrap(), "edge01.contoso.com");
    assert!(trust.is_verified_user());
    assert_eq!(trust.source_network().unwrap(), "federation");
    assert_eq!(trust.remote_fqdn().unwrap(), "sip.fabrikam.com");
    let other = EdgeProxyMessageTrust::parse_value(
        "ms-source-verified-user=unverified ; ms-source-type=AutoFederation",
    )
    .unwrap();
    assert!(!other.is_verified_user());
    assert_eq!(other.source_type().unwrap(), "AutoFederation");
    assert_eq!(other.remote_fqdn(), None);
    assert!(EdgeProxyMessageTrust::parse_value("").is_none());
}

#[test]
fn text_format() {
    let format =
        TextFormat::parse_value("text/plain; charset=UTF-8;msgr=WAAtAE0A;ms-body=SGk=").unwrap();
    assert_eq!(
        (format.msgr(), format.ms_body()),
        (Some("WAAtAE0A"), Some("SGk="))
    );
    assert_eq!(format.decoded_body().unwrap(), b"Hi");
    assert_eq!(
        TextFormat::parse_value("text/plain;ms-body=SGk")
            .unwrap()
            .decoded_body()
            .unwrap(),
        b"Hi"
    );
    assert_eq!(
        TextFormat::parse_value("text/plain;ms-body=!")
            .unwrap()
            .decoded_body(),
        None
    );
}
