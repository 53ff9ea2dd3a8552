//! Packets whose protected form is known: of RFC 3711's and libsrtp's own tests, computed ones, and those that libsrtp2 made.

mod common;

use common::{
    mki, params, protect_rtcp, protect_rtp, receiver, sender, unprotect_rtcp, unprotect_rtp,
};
use ocs_srtp::{Error, KeyParams, MasterKey, Mki};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("data/vectors.json")).unwrap()
}

fn octets(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("hex")).unwrap()
}

/// The key of libsrtp's tests.
fn libsrtp_key(mki: Option<Mki>) -> KeyParams {
    let octets = octets(&vectors()["libsrtp_aes128_sha1_80"]["key_salt"]);
    KeyParams {
        mki,
        ..KeyParams::new(MasterKey::from(<[u8; 30]>::try_from(octets).unwrap()))
    }
}

#[test]
fn rtp_packets() {
    let vectors = vectors();
    for (name, key) in [
        ("libsrtp_aes128_sha1_80", libsrtp_key(None)),
        ("libsrtp_srtp_mki4", libsrtp_key(mki(0xe1f9_7a0d, 4))),
        ("sfb_rtp_no_mki", params(None)),
        ("sfb_rtp_mki_1_len_1", params(mki(1, 1))),
        ("sfb_rtp_mki_1_len_4", params(mki(1, 4))),
        ("sfb_rtp_seq_ffff_roc0", params(None)),
        ("sfb_rtp_two_csrc", params(None)),
    ] {
        let (plain, protected) = (
            octets(&vectors[name]["rtp"]),
            octets(&vectors[name]["srtp"]),
        );
        assert_eq!(
            protect_rtp(&mut sender(&key), &plain).unwrap(),
            protected,
            "{name}"
        );
        assert_eq!(
            unprotect_rtp(&mut receiver(&key), &protected).unwrap(),
            plain,
            "{name}"
        );
    }
}

#[test]
fn the_rollover_counter_is_authenticated() {
    let vectors = vectors();
    let (last, first) = (
        &vectors["sfb_rtp_seq_ffff_roc0"],
        &vectors["sfb_rtp_seq_0000_roc1"],
    );
    let key = params(None);
    let mut sender = sender(&key);
    protect_rtp(&mut sender, &octets(&last["rtp"])).unwrap();
    let protected = protect_rtp(&mut sender, &octets(&first["rtp"])).unwrap();
    assert_eq!(protected, octets(&first["srtp"]));

    let mut in_time = receiver(&key);
    unprotect_rtp(&mut in_time, &octets(&last["srtp"])).unwrap();
    assert_eq!(
        unprotect_rtp(&mut in_time, &protected).unwrap(),
        octets(&first["rtp"])
    );

    let mut late = receiver(&key);
    assert_eq!(
        unprotect_rtp(&mut late, &protected),
        Err(Error::AuthenticationFailed)
    );
    late.set_roc(0x486e_3400, 1).unwrap();
    assert_eq!(
        unprotect_rtp(&mut late, &protected).unwrap(),
        octets(&first["rtp"])
    );
}

#[test]
fn rtcp_packets() {
    let vectors = vectors();
    for (name, key) in [
        ("libsrtp_srtcp_index1", libsrtp_key(None)),
        (
            "libsrtp_srtcp_index1_mki4",
            libsrtp_key(mki(0xe1f9_7a0d, 4)),
        ),
        ("sfb_rtcp_rr_no_mki", params(None)),
        ("sfb_rtcp_rr_mki_1_len_1", params(mki(1, 1))),
    ] {
        let (plain, protected) = (
            octets(&vectors[name]["rtcp"]),
            octets(&vectors[name]["srtcp"]),
        );
        let mut sender = sender(&key);
        for _ in 0..vectors[name]["index"].as_u64().unwrap() {
            protect_rtcp(&mut sender, &plain).unwrap();
        }
        assert_eq!(
            protect_rtcp(&mut sender, &plain).unwrap(),
            protected,
            "{name}"
        );
        assert_eq!(
            unprotect_rtcp(&mut receiver(&key), &protected).unwrap(),
            plain,
            "{name}"
        );
    }
}

/// Name, plain packet and protected packet.
fn captured() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let mut lines = include_str!("data/libsrtp2.txt")
        .lines()
        .filter(|line| !line.starts_with('#'));
    let mut packets = Vec::new();
    while let Some(name) = lines.next() {
        let mut field = |label| {
            let line = lines.next().expect("a field").trim_start();
            hex::decode(line.strip_prefix(label).expect(label).trim_start()).unwrap()
        };
        packets.push((name, field("plain"), field("protected")));
    }
    packets
}

#[test]
fn packets_of_libsrtp2() {
    let packets = captured();
    assert_eq!(packets.len(), 24);
    for (label, mki) in [
        ("no MKI", None),
        ("1:1", mki(1, 1)),
        ("1:4", mki(1, 4)),
        ("8 bytes", mki(0x1111_1111_1111_1111, 8)),
    ] {
        let key = params(mki);
        let (mut sender, mut receiver) = (sender(&key), receiver(&key));
        let mut seen = 0;
        for (name, plain, protected) in &packets {
            let Some(rest) = name
                .strip_prefix("rtp ")
                .or_else(|| name.strip_prefix("rtcp "))
                .and_then(|name| name.strip_prefix(label))
            else {
                continue;
            };
            seen += 1;
            if name.starts_with("rtp") {
                assert_eq!(
                    &unprotect_rtp(&mut receiver, protected).unwrap(),
                    plain,
                    "{name}"
                );
                assert_eq!(
                    &protect_rtp(&mut sender, plain).unwrap(),
                    protected,
                    "{name}"
                );
                continue;
            }
            if rest == " index 1" {
                // libsrtp2 begins with 1.
                protect_rtcp(&mut sender, plain).unwrap();
            }
            assert_eq!(
                &unprotect_rtcp(&mut receiver, protected).unwrap(),
                plain,
                "{name}"
            );
            assert_eq!(
                &protect_rtcp(&mut sender, plain).unwrap(),
                protected,
                "{name}"
            );
        }
        assert_eq!(seen, 6, "{label}");
    }
}
