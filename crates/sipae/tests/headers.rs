//! The authentication headers: forms, order, round trips, and texts that are none.

use ocs_sip_core::header::{AuthHeader, HeaderValue};
use ocs_sipae::headers::{Challenge, Credentials, Info, SignatureParams, same_target};
use ocs_sipae::{Error, Scheme, Signature};
use proptest::prelude::*;

fn header(text: &str) -> AuthHeader<'_> {
    AuthHeader::parse_value(text).unwrap()
}

fn challenge(text: &str) -> String {
    let mut out = String::new();
    Challenge::read(&header(text)).unwrap().write(&mut out);
    out
}

#[test]
fn challenges_are_written_as_servers_write_them() {
    for text in [
        "NTLM realm=\"SIP Communications Service\", targetname=\"server.contoso.com\", version=3",
        "Kerberos realm=\"SIP Communications Service\", targetname=\"sip/server.contoso.com\", version=4",
        "TLS-DSK realm=\"SIP Communications Service\", targetname=\"server.contoso.com\", version=4, sts-uri=\"https://server.contoso.com:443/CertProv/CertProvisioningService.svc\"",
        "NTLM opaque=\"2BDBAC9D\", gssapi-data=\"TlRMTVNTUAACAAAA\", targetname=\"server.contoso.com\", realm=\"SIP Communications Service\", version=3",
        "NTLM realm=\"r\", targetname=\"t\"",
    ] {
        assert_eq!(challenge(text), text);
    }
    let odd = "ntlm VERSION=\"4\" , TargetName=fe01 ,realm=r, unknown=1, realm=\"second\"";
    let read = Challenge::read(&header(odd)).unwrap();
    assert_eq!((read.scheme, read.realm), (Scheme::Ntlm, "r"));
    assert_eq!((read.targetname, read.version), ("fe01", 4));
}

#[test]
fn credentials_are_written_as_clients_write_them() {
    for text in [
        "NTLM qop=\"auth\", realm=\"r\", targetname=\"t\", gssapi-data=\"\", version=4",
        "NTLM qop=\"auth\", opaque=\"3DBDBD91\", realm=\"r\", targetname=\"t\", gssapi-data=\"TlRM\", version=4, crand=\"ef3830c0\", cnum=\"1\", response=\"01000000679A94AE5B8B900D64000000\"",
        "NTLM qop=\"auth\", opaque=\"3DBDBD91\", realm=\"r\", targetname=\"t\", crand=\"f78e927c\", cnum=\"2\", response=\"010000006A98A9C281B7DB4464000000\"",
    ] {
        let read = Credentials::read(&header(text)).unwrap();
        let mut out = String::new();
        read.write(&mut out);
        assert_eq!(out, text);
        let debug = format!("{read:?}");
        assert!(
            !debug.contains("TlRM") && !debug.contains("01000000"),
            "{debug}"
        );
    }
}

#[test]
fn infos_are_written_as_servers_write_them() {
    let text = "NTLM rspauth=\"01000000E615438A917661BE64000000\", srand=\"9616454F\", snum=\"1\", opaque=\"2BDBAC9D\", qop=\"auth\", targetname=\"t\", realm=\"r\"";
    let later = format!("{text}, version=4");
    for text in [text, &later] {
        let mut out = String::new();
        Info::read(&header(text)).unwrap().write(&mut out);
        assert_eq!(out, text);
    }
    // The order of a later server, lower case.
    let text = "TLS-DSK qop=\"auth\", opaque=\"F755045D\", srand=\"1D9666D9\", snum=\"17\", rspauth=\"3359c8ac2e6229b2eb9738ac707dc8c3e54f65f0\", targetname=\"PROXY.company1\", realm=\"SIP Communications Service\", version=4";
    let info = Info::read(&header(text)).unwrap();
    assert_eq!(info.scheme, Scheme::TlsDsk);
    assert_eq!(info.signature.number(), Some(17));
    let upper = info.signature.signature.to_uppercase();
    let signature = info.signature.decode().unwrap();
    assert_eq!(signature, Signature::from_hex(&upper).unwrap());
    assert_eq!(signature.to_string(), upper);
    assert_eq!(signature.as_bytes().len(), 20);
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let read = |text| Challenge::read(&header(text)).unwrap_err();
    assert_eq!(read("NTLM targetname=a"), Error::MissingParameter("realm"));
    assert_eq!(read("NTLM realm=a"), Error::MissingParameter("targetname"));
    let version = Error::MalformedParameter("version");
    assert_eq!(read("NTLM realm=a, targetname=b, version=x"), version);
    assert_eq!(read("Digest realm=a"), Error::UnknownScheme);
    assert_eq!(read("Basic realm=a"), Error::UnknownScheme);
    let qop = Credentials::read(&header("NTLM realm=a, targetname=b, qop=\"auth-int\""));
    assert_eq!(qop, Err(Error::Qop));
    let info = Info::read(&header("NTLM realm=a, targetname=b"));
    assert_eq!(info, Err(Error::MissingParameter("rspauth")));
}

#[test]
fn signatures_that_are_none() {
    fn params<'a>(rand: &'a str, num: &'a str, signature: &'a str) -> SignatureParams<'a> {
        SignatureParams {
            rand,
            num,
            signature,
        }
    }
    let long = "00".repeat(65);
    assert!(params("0a", "1", "00ff").decode().is_some());
    for (rand, signature) in [
        ("(null)", "00"),
        ("", "00"),
        ("0a><1", "00"),
        ("0a", ""),
        ("0a", "0"),
        ("0a", "0g"),
        ("0a", &long),
    ] {
        assert_eq!(
            params(rand, "1", signature).decode(),
            None,
            "{rand} {signature}"
        );
    }
    for num in ["(null)", "", "0", "-1", "+1", "4294967296", "1x", " 1"] {
        assert_eq!(params("0a", num, "00").number(), None, "{num}");
    }
    assert_eq!(params("0a", "4294967295", "00").number(), Some(u32::MAX));
    assert_eq!(Signature::new(&[0; 65]), None);
}

#[test]
fn targets_have_no_case_and_no_service() {
    assert!(same_target("sip/FE01.contoso.com", "fe01.contoso.com"));
    assert!(same_target("SIP/fe01", "sip/FE01"));
    assert!(!same_target("fe01", "fe02"));
    assert!(same_target("é", "é") && !same_target("sié/", "/"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn credentials_survive_a_round_trip(
        scheme in prop_oneof![Just("NTLM"), Just("Kerberos"), Just("TLS-DSK")],
        realm in "[ -!#-\\[\\]-~]{0,20}",
        targetname in "[a-z0-9./]{0,20}",
        opaque in prop::option::of("[0-9A-F]{0,8}"),
        version in 2..10_u32,
        token in prop::option::of("[A-Za-z0-9+/]{0,40}"),
        signature in prop::option::of(("[0-9a-f]{8}", "[0-9]{1,10}", "[0-9A-F]{0,40}")),
    ) {
        let value = Credentials {
            scheme: Scheme::from_token(scheme).unwrap(),
            scheme_text: scheme,
            realm: &realm,
            targetname: &targetname,
            opaque: opaque.as_deref(),
            version,
            gssapi_data: token.as_deref(),
            signature: signature.as_ref().map(|(rand, num, signature)| SignatureParams {
                rand, num, signature,
            }),
        };
        let mut text = String::new();
        value.write(&mut text);
        let read = header(&text);
        prop_assert_eq!(Credentials::read(&read).unwrap(), value);
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "(NTLM|TLS-DSK) (\\PC{0,60}|([a-z-]{1,11}=\"?[a-z0-9]{0,5}\"?,? ?){0,8})") {
        if let Some(header) = AuthHeader::parse_value(&text) {
            let _ = Challenge::read(&header);
            let _ = Credentials::read(&header).map(|all| (all.salt(), all.signature.map(|s| s.decode())));
            let _ = Info::read(&header).map(|all| all.salt());
        }
    }
}
