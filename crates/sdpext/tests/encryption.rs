//! Keys of SRTP in offers and answers.

mod common;

use common::{again, answer, audio, call, caller, connected, open, parse, refused, rng};
use ocs_sdpext::negotiation::{Config, EncryptionPolicy, Refusal, Session, Stage, Violation};
use ocs_sdpext::{Error, Name};

#[test]
fn encryption_follows_the_policies_of_both() {
    use EncryptionPolicy::{DoNotSupport, Require, Support};
    let config = |encryption| Config {
        encryption,
        ..Config::default()
    };
    let cases = [
        (Require, Require, Some(true)),
        (Require, Support, Some(true)),
        (Require, DoNotSupport, None),
        (Support, Require, Some(true)),
        (Support, Support, Some(true)),
        (Support, DoNotSupport, Some(false)),
        (DoNotSupport, Require, None),
        (DoNotSupport, Support, Some(false)),
        (DoNotSupport, DoNotSupport, Some(false)),
    ];
    for (offerer, answerer, expected) in cases {
        let mut one = caller(config(offerer));
        let mut other = Session::new(config(answerer));
        let offer = one.offer(&mut rng(1)).unwrap();
        let secure = offer.media(0).unwrap().line().unwrap().protocol == "RTP/SAVP";
        assert_eq!(secure, offerer == Require);
        open(&mut other, &offer);
        other.accept(0, audio(2)).unwrap();
        let Some(expected) = expected else {
            assert_eq!(
                refused(&mut other),
                Refusal::ENCRYPTION,
                "{offerer:?} {answerer:?}"
            );
            continue;
        };
        let answer = answer(&mut other);
        one.handle_answer(&answer, Stage::Final).unwrap();
        for session in [&one, &other] {
            let srtp = &session.negotiated(0).unwrap().srtp;
            assert_eq!(srtp.is_some(), expected, "{offerer:?} {answerer:?}");
        }
        // Later offers say the same.
        let (offer, _) = again(&mut one, &mut other);
        let media = offer.media(0).unwrap();
        assert_eq!(
            media.line().unwrap().profile().unwrap().is_secure(),
            expected
        );
        assert_eq!(media.crypto().unwrap().len(), usize::from(expected));
    }
}

#[test]
fn the_attribute_of_version_1() {
    let config = |encryption| Config {
        encryption,
        encryption_attribute: true,
        ..Config::default()
    };
    let offer = caller(config(EncryptionPolicy::Require))
        .offer(&mut rng(1))
        .unwrap();
    assert_eq!(
        offer.media(0).unwrap().attribute(Name::Encryption),
        Some("required")
    );
    let offer = caller(config(EncryptionPolicy::DoNotSupport))
        .offer(&mut rng(1))
        .unwrap();
    assert_eq!(
        offer.media(0).unwrap().attribute(Name::Encryption),
        Some("rejected")
    );
    let mut other = Session::new(config(EncryptionPolicy::Require));
    open(&mut other, &offer);
    other.accept(0, audio(2)).unwrap();
    let refusal = refused(&mut other);
    assert_eq!(refusal, Refusal::ENCRYPTION);
    let warning = "308 lcs.microsoft.com \"Encryption Levels not compatible\"";
    assert_eq!(refusal.warning, Some(warning));
}

/// An offer of SIPE has one line without identifier; an answer to it must have a lifetime and no identifier.
#[test]
fn a_peer_without_identifiers() {
    let mut one = caller(Config {
        mki: false,
        ..Config::default()
    });
    let offer = one.offer(&mut rng(1)).unwrap();
    let mut other = Session::new(Config::default());
    open(&mut other, &offer);
    other.accept(0, audio(2)).unwrap();
    let answer = answer(&mut other);
    let line = answer.media(0).unwrap().attribute(Name::Crypto).unwrap();
    assert!(line.starts_with("3 AES_CM_128_HMAC_SHA1_80 inline:"));
    assert!(line.ends_with("|2^31"), "{line}");
    one.handle_answer(&answer, Stage::Final).unwrap();
    // And we, without identifiers, pass over the line that has one.
    let mut one = caller(Config::default());
    let offer = one.offer(&mut rng(1)).unwrap();
    let mut other = Session::new(Config {
        mki: false,
        ..Config::default()
    });
    open(&mut other, &offer);
    other.accept(0, audio(2)).unwrap();
    let sdp = self::answer(&mut other);
    one.handle_answer(&sdp, Stage::Final).unwrap();
    assert_eq!(one.negotiated(0).unwrap().srtp.as_ref().unwrap().tag, 3);
}

#[test]
fn session_parameters_of_a_key() {
    for (parameter, tag) in [
        ("", 2),
        (" -x=1", 2),
        (" KDR=1", 3),
        (" -x UNENCRYPTED_SRTP", 3),
        (" UNENCRYPTED_SRTCP", 3),
        (" UNAUTHENTICATED_SRTP", 3),
    ] {
        let offer = caller(Config::default()).offer(&mut rng(1)).unwrap();
        let offer = offer
            .as_str()
            .replace("|1:1\r\n", &format!("|1:1{parameter}\r\n"));
        let mut other = Session::new(Config::default());
        open(&mut other, &parse(&offer));
        other.accept(0, audio(2)).unwrap();
        answer(&mut other);
        let srtp = other.negotiated(0).unwrap().srtp.clone().unwrap();
        assert_eq!(srtp.tag, tag, "{parameter}");
    }
}

#[test]
fn other_suites_are_passed_over() {
    for suite in ["AES_CM_128_HMAC_SHA1_32", "F8_128_HMAC_SHA1_80", "NULL"] {
        let offer = caller(Config::default()).offer(&mut rng(1)).unwrap();
        let (from, to) = (
            "crypto:2 AES_CM_128_HMAC_SHA1_80",
            format!("crypto:2 {suite}"),
        );
        assert!(offer.as_str().contains(from));
        let mut other = Session::new(Config::default());
        open(&mut other, &parse(&offer.as_str().replace(from, &to)));
        other.accept(0, audio(2)).unwrap();
        answer(&mut other);
        let srtp = other.negotiated(0).unwrap().srtp.clone().unwrap();
        assert_eq!(srtp.tag, 3, "{suite}");
    }
}

/// What one side sends with its key, the other reads with what it was told, and nobody else.
#[test]
fn keys_protect_the_packets_of_a_call() {
    use ocs_srtp::{Error, Receiver, ReceiverConfig, Sender, SenderConfig};
    let packet = *b"\x80\x72\x00\x01\x00\x00\x00\xa0\x00\x00\x03\xe8speech";
    for mki in [true, false] {
        let config = Config {
            mki,
            ..Config::default()
        };
        let (mut one, mut other) = (caller(config), Session::new(Config::default()));
        call(&mut one, &mut other, vec![audio(2)]);
        let keys = |session: &Session| session.negotiated(0).unwrap().srtp.clone().unwrap();
        let (a, b) = (keys(&one), keys(&other));
        for (local, remote, reflected) in [
            (&a.local, &b.remote, &b.local),
            (&b.local, &a.remote, &a.local),
        ] {
            let mut sender = Sender::new(SenderConfig::default(), local);
            let mut protected = packet.to_vec();
            protected.resize(packet.len() + sender.rtp_overhead(), 0);
            sender.protect_rtp(&mut protected, packet.len()).unwrap();
            assert_eq!(sender.rtp_overhead(), 10 + usize::from(mki));
            let receive = |key| {
                let mut receiver = Receiver::new(ReceiverConfig::default());
                receiver.add_key(key).unwrap();
                let mut octets = protected.clone();
                let len = receiver.unprotect_rtp(&mut octets)?.len;
                octets.truncate(len);
                Ok(octets)
            };
            assert_eq!(receive(remote), Ok(packet.to_vec()));
            assert_eq!(receive(reflected), Err(Error::AuthenticationFailed));
        }
    }
}

#[test]
fn scale_keys_between_client_and_server_only() {
    use ocs_sdpext::attribute::ScaleRole::{Client, Server};
    let config = |scale| Config {
        scale,
        ..Config::default()
    };
    for (one, other, tag) in [
        (Some(Client), Some(Server), 1),
        (Some(Server), Some(Client), 1),
        (Some(Client), Some(Client), 2),
        (Some(Client), None, 2),
        (None, Some(Server), 2),
    ] {
        let (mut a, mut b) = (caller(config(one)), Session::new(config(other)));
        call(&mut a, &mut b, vec![audio(2)]);
        let (a, b) = (a.negotiated(0).unwrap(), b.negotiated(0).unwrap());
        let (a, b) = (a.srtp.as_ref().unwrap(), b.srtp.as_ref().unwrap());
        assert_eq!((a.tag, b.tag), (tag, tag));
        assert_eq!(
            (a.scale, b.scale),
            if tag == 1 { (one, other) } else { (None, None) }
        );
    }
    // One without identifier is not taken.
    let offer = caller(config(Some(Client))).offer(&mut rng(1)).unwrap();
    let text = offer.as_str().replacen("|1:1\r\n", "\r\n", 1);
    let mut other = Session::new(config(Some(Server)));
    open(&mut other, &parse(&text));
    other.accept(0, audio(2)).unwrap();
    answer(&mut other);
    let srtp = other.negotiated(0).unwrap().srtp.as_ref().unwrap();
    assert_eq!((srtp.tag, srtp.scale), (2, None));
}

#[test]
fn encryption_does_not_change_in_a_later_offer() {
    let (mut one, mut other) = connected();
    let offer = one.offer(&mut rng(1)).unwrap();
    let without = |line: &&str| !line.starts_with("a=crypto");
    let text: String = offer
        .as_str()
        .split_inclusive("\r\n")
        .filter(without)
        .collect();
    open(&mut other, &parse(&text.replace("SAVP", "AVP")));
    assert_eq!(refused(&mut other), Refusal::ENCRYPTION);
    assert!(
        other.negotiated(0).unwrap().srtp.is_some(),
        "goes on as before"
    );
    // Nor in the answer to one.
    open(&mut other, &offer);
    let answered = answer(&mut other);
    let text: String = answered
        .as_str()
        .split_inclusive("\r\n")
        .filter(without)
        .collect();
    let violation = Violation::CannotChangeEncryption;
    let plain = parse(&text.replace("SAVP", "AVP"));
    assert_eq!(
        one.handle_answer(&plain, Stage::Final),
        Err(Error::Violation {
            stream: 0,
            violation
        })
    );
    // A new key is no change.
    one.abandon();
    let before = one.negotiated(0).unwrap().srtp.clone().unwrap();
    one.rekey(0).unwrap();
    let offer = one.offer(&mut rng(77)).unwrap();
    open(&mut other, &offer);
    let sdp = answer(&mut other);
    one.handle_answer(&sdp, Stage::Final).unwrap();
    let after = one.negotiated(0).unwrap().srtp.clone().unwrap();
    assert_ne!(before.local.master, after.local.master);
    assert_eq!((before.remote, before.tag), (after.remote, after.tag));
}
