//! Which URIs are the same: the examples of RFC 3261 19.1.4 and RFC 3966, and what this system adds.

use ocs_sip_core::Aor;
use ocs_sip_core::uri::{Uri, UriError};

#[test]
fn the_same() {
    let pairs = [
        // RFC 3261 19.1.4
        (
            "sip:%61lice@atlanta.com;transport=TCP",
            "sip:alice@AtLanTa.CoM;Transport=tcp",
        ),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        // and more
        ("sip:a@[2001:db8::1]", "sip:a@[2001:0DB8:0:0:0:0:0:1]"),
        ("sip:a@b;lr", "SIP:a@B"),
        (
            "sip:a@b;gruu;opaque=user:epid:X",
            "sip:a@b;opaque=user:epid:X;gruu",
        ),
        ("tel:+1-201-555-0123", "tel:+12015550123"),
        (
            "tel:863-1234;phone-context=EXAMPLE.com",
            "TEL:8631234;phone-context=example.com",
        ),
        ("http://x", "http://x"),
        ("sip:a@b;%6Cr;tr%61nsport=tcp", "sip:a@b;transport=%74cp"),
        // A name twice is against the grammar: the first counts.
        ("sip:a@b;x=1;x=2", "sip:a@b;X=1;y"),
    ];
    for (a, b) in pairs {
        let (a, b) = (Uri::parse(a).unwrap(), Uri::parse(b).unwrap());
        assert!(a.equivalent(&b) && b.equivalent(&a), "{a} {b}");
    }
}

#[test]
fn not_the_same() {
    let pairs = [
        // RFC 3261 19.1.4
        (
            "SIP:ALICE@AtLanTa.CoM;Transport=udp",
            "sip:alice@AtLanTa.CoM;Transport=UDP",
        ),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        (
            "sip:bob@biloxi.com:6000;transport=tcp",
            "sip:bob@biloxi.com",
        ),
        (
            "sip:carol@chicago.com",
            "sip:carol@chicago.com?Subject=next%20meeting",
        ),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        (
            "sip:carol@chicago.com;security=on",
            "sip:carol@chicago.com;security=off",
        ),
        // and more
        ("sip:a@b", "sips:a@b"),
        ("sip:a@b", "sip:b"),
        ("sip:a@b", "sip:a:p@b"),
        ("sip:a@b;user=phone", "sip:a@b"),
        ("sip:a@b;maddr=c", "sip:a@b"),
        ("sip:a@b;opaque=user:epid:X", "sip:a@b;opaque=user:epid:x"),
        ("sip:a@b;opaque=user:epid:X", "sip:a@b"),
        ("sip:a@b?x=1", "sip:a@b?x=2"),
        ("tel:+12015550123", "tel:12015550123"),
        ("tel:+12015550123;ext=1", "tel:+12015550123"),
        ("sip:+1@b", "tel:+1"),
    ];
    for (a, b) in pairs {
        let (a, b) = (Uri::parse(a).unwrap(), Uri::parse(b).unwrap());
        assert!(!a.equivalent(&b) && !b.equivalent(&a), "{a} {b}");
    }
}

#[test]
fn many_parameters_do_not_cost_the_square() {
    let names: Vec<_> = (0..50_000).map(|number| format!(";p{number}=x")).collect();
    let forward = format!("sip:a@b{}", names.concat());
    let backward = format!(
        "sip:a@b{}",
        names.iter().rev().map(String::as_str).collect::<String>()
    );
    assert!(
        Uri::parse(&forward)
            .unwrap()
            .equivalent(&Uri::parse(&backward).unwrap())
    );
}

#[test]
fn refused() {
    let cases = [
        ("", UriError::Scheme),
        ("alice@contoso.com", UriError::Scheme),
        (":a", UriError::Scheme),
        ("1x:a", UriError::Scheme),
        ("sip:", UriError::Host),
        ("sip:@b", UriError::User),
        ("sip:a@", UriError::Host),
        ("sip:a@b@c", UriError::Host),
        ("sip:a@b c", UriError::Character),
        ("sip:a@<b>", UriError::Character),
        ("sip:a@b\u{7F}", UriError::Character),
        ("sip:a%4@b", UriError::Escape),
        ("sip:a%zz@b", UriError::Escape),
        ("sip:a@b:", UriError::Port),
        ("sip:a@b:65536", UriError::Port),
        ("sip:a@b:-1", UriError::Port),
        ("sip:a@[::1", UriError::Host),
        ("sip:a@[::g]", UriError::Host),
        ("sip:a@b/c", UriError::Host),
        ("sip:a@b;", UriError::Params),
        ("sip:a@b;;lr", UriError::Params),
        ("sip:a@b;=x", UriError::Params),
        ("sip:a@b;x=1,2", UriError::Params),
        ("sip:a@b?", UriError::Headers),
        ("sip:a@b?x", UriError::Headers),
        ("sip:a@b?=x", UriError::Headers),
        ("tel:", UriError::Number),
        ("tel:+1x", UriError::Number),
        ("tel:+1;", UriError::Params),
    ];
    for (text, error) in cases {
        assert_eq!(Uri::parse(text).unwrap_err(), error, "{text}");
    }
}

#[test]
fn addresses_of_record() {
    for text in [
        "sip:Alice@Contoso.com;gruu;opaque=x",
        "ALICE@contoso.COM",
        "sips:%61lice@contoso.com:5061",
        "sip:alice:secret@contoso.com",
    ] {
        assert_eq!(
            Aor::parse(text).unwrap().as_str(),
            "alice@contoso.com",
            "{text}"
        );
    }
    assert!(Aor::parse("contoso.com").is_err());
    assert_eq!(Aor::parse("a%40b@c").unwrap().as_str(), "a%40b@c");
}
