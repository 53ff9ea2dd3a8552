//! Asserted identity and Referred-By.

use ocs_sip_core::header::ReferredBy;
use ocs_sip_core::{Aor, HeaderName, Limits, Message};
use ocs_sipae::buffer::{SignedIdentities, SipsIdentity};
use ocs_sipae::identity::{
    ForeignReferrer, Peer, UserIdentities, assert_client, caller, check_referred_by, forward,
    receive, referred_by_value, wants_privacy,
};

fn message(headers: &str) -> Message {
    let text = format!(
        "REFER sip:bob@contoso.com SIP/2.0\r\nFrom: \"A\" <sip:alice@contoso.com>;tag=1;epid=01\r\n\
         To: <sip:bob@contoso.com>\r\nCall-ID: 1\r\nCSeq: 1 REFER\r\n{headers}\r\n"
    );
    Message::parse(text.into(), &Limits::default()).unwrap()
}

const ALICE: UserIdentities<'_> = UserIdentities {
    display_name: Some("Alice \"A\""),
    sip: &["sip:alice@contoso.com", "sip:al@contoso.com"],
    tel: &["tel:+14255550100", "tel:+14255550199"],
};

const PAI: HeaderName = HeaderName::PAssertedIdentity;
const PPI: HeaderName = HeaderName::PPreferredIdentity;

#[test]
fn the_server_asserts_what_it_knows() {
    for (headers, expected) in [
        ("", "<sip:alice@contoso.com>,<tel:+14255550100>"),
        (
            "P-Asserted-Identity: <sip:boss@contoso.com>\r\n",
            "<sip:alice@contoso.com>,<tel:+14255550100>",
        ),
        (
            "P-Preferred-Identity: <sip:AL@contoso.com>, <tel:+1-425-555-0199>\r\n",
            "<sip:al@contoso.com>,<tel:+14255550199>",
        ),
        (
            "P-Preferred-Identity: <sip:al@CONTOSO.com>\r\nP-Preferred-Identity: tel:+14255559999\r\n",
            "<sip:al@contoso.com>,<tel:+14255550100>",
        ),
        (
            "P-Preferred-Identity: <sip:boss@contoso.com>\r\n",
            "<sip:alice@contoso.com>,<tel:+14255550100>",
        ),
    ] {
        let mut message = message(headers);
        assert_client(&mut message, &ALICE);
        let all: Vec<_> = message.lines(PAI).collect();
        assert_eq!(all, [format!("\"Alice \\\"A\\\"\"{expected}")], "{headers}");
        assert_eq!(message.header(PPI), None);
    }
    let mut message = message("P-Asserted-Identity: <sip:boss@contoso.com>\r\n");
    assert_client(&mut message, &UserIdentities::default());
    assert_eq!(message.header(PAI), None);
}

#[test]
fn trust_and_privacy() {
    let text = "P-Asserted-Identity: <sip:carol@contoso.com>\r\nP-Preferred-Identity: <sip:c@d>\r\nPrivacy: header; ID\r\n";
    let mut kept = message(text);
    receive(&mut kept, Peer::TrustedServer);
    forward(&mut kept, Peer::TrustedServer);
    assert!(kept.header(PAI).is_some() && kept.header(PPI).is_none());
    assert_eq!(caller(&kept).unwrap().uri_text(), "sip:carol@contoso.com");
    forward(&mut kept, Peer::Untrusted);
    assert_eq!(kept.header(PAI), None);
    assert_eq!(caller(&kept).unwrap().uri_text(), "sip:alice@contoso.com");
    let mut received = message(text);
    receive(&mut received, Peer::Untrusted);
    assert_eq!((received.header(PAI), received.header(PPI)), (None, None));
    assert!(wants_privacy(&received));
    assert!(!wants_privacy(&message(
        "Privacy: none\r\nPrivacy: identity\r\n"
    )));
    let mut open = message("P-Asserted-Identity: <sip:carol@contoso.com>\r\n");
    forward(&mut open, Peer::Untrusted);
    assert!(open.header(PAI).is_some());
}

#[test]
fn identities_in_the_signature() {
    for (headers, sip, tel) in [
        (
            "P-Asserted-Identity: \"Alice, A\"<sip:a@b>,<tel:+1>\r\n",
            "sip:a@b",
            "tel:+1",
        ),
        (
            "P-ASSERTED-IDENTITY: <sip:+14258901234@company1;user=phone>\r\n",
            "sip:+14258901234@company1;user=phone",
            "",
        ),
        (
            "P-Asserted-Identity: <tel:+1>\r\nP-Asserted-Identity: <sip:a@b>, <sip:c@d>\r\n",
            "sip:a@b",
            "tel:+1",
        ),
        (
            "P-Asserted-Identity: tel:+1;phone-context=x\r\n",
            "",
            "tel:+1;phone-context=x",
        ),
        ("P-Preferred-Identity: <sip:a@b>\r\n", "sip:a@b", ""),
        (
            "P-Asserted-Identity: <tel:+1>\r\nP-Preferred-Identity: <sip:a@b>\r\n",
            "",
            "tel:+1",
        ),
        (
            "P-Asserted-Identity: \"<sip:x@y>\" <sip:a@b>\r\n",
            "sip:a@b",
            "",
        ),
        ("P-Asserted-Identity: a.b <sip:a@b>\r\n", "sip:a@b", ""),
        ("P-Asserted-Identity: <sips:a@b>\r\n", "", ""),
    ] {
        let message = message(headers);
        let found = SignedIdentities::of(&message, SipsIdentity::Omitted);
        assert_eq!(found, SignedIdentities { sip, tel }, "{headers}");
    }
    let secure = message("P-Asserted-Identity: <sips:a@b>\r\n");
    assert_eq!(
        SignedIdentities::of(&secure, SipsIdentity::AsSip).sip,
        "sips:a@b"
    );
}

#[test]
fn referred_by_is_the_user() {
    let alice = Aor::parse("alice@contoso.com").unwrap();
    let mut absent = message("");
    assert_eq!(check_referred_by(&mut absent, &alice), Ok(()));
    assert_eq!(
        absent.header(HeaderName::ReferredBy),
        Some("<sip:alice@contoso.com>")
    );
    for (headers, expected) in [
        (
            "Referred-By: \"A\" <sip:ALICE@contoso.com;x=y>;cid=\"1@2\"\r\n",
            Ok(()),
        ),
        ("b: sip:alice@contoso.com\r\n", Ok(())),
        (
            "Referred-By: <sip:bob@contoso.com>\r\n",
            Err(ForeignReferrer),
        ),
        ("Referred-By: <tel:+1>\r\n", Err(ForeignReferrer)),
        ("Referred-By: <<>\r\n", Err(ForeignReferrer)),
        (
            "Referred-By: <sip:alice@contoso.com>\r\nReferred-By: <sip:bob@contoso.com>\r\n",
            Err(ForeignReferrer),
        ),
    ] {
        assert_eq!(
            check_referred_by(&mut message(headers), &alice),
            expected,
            "{headers}"
        );
    }
    let response = ForeignReferrer.response(&message(""), "t");
    assert_eq!(response.status(), Some(403));
}

#[test]
fn referred_by_parameters() {
    let carol = Aor::parse("carol@contoso.com").unwrap();
    let alice = Aor::parse("alice@contoso.com").unwrap();
    let value = referred_by_value(&alice, Some(&carol));
    assert_eq!(
        value,
        "<sip:alice@contoso.com>;ms-referee-uri=\"sip:carol@contoso.com\""
    );
    let text = format!(
        "Referred-By: {value};ms-identity=\"MIGf:x\";ms-identity-alg=rsa-sha1;ms-identity-info=\"i\";ms-identity-cookie=\"c\"\r\n"
    );
    let message = message(&text);
    let header: ReferredBy<'_> = message.parse_first(HeaderName::ReferredBy).unwrap();
    let referee = header.ms_referee_uri().unwrap();
    assert_eq!(referee, "sip:carol@contoso.com");
    assert_eq!(header.ms_identity().unwrap(), "MIGf:x");
}
