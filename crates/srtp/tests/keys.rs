//! Several keys at once: MKIs, a change in the middle of a stream, sources that start over.

mod common;

use common::{
    SSRC, mki, other, params, protect_rtcp, protect_rtp, receiver, receiver_with, rtcp, rtp,
    sender, unprotect_rtp,
};
use ocs_srtp::{Error, MasterKey, ReceiverConfig};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

#[test]
fn mkis_must_fit() {
    let one = protect_rtp(&mut sender(&params(mki(1, 1))), &rtp(SSRC, 1, b"payload")).unwrap();
    let wide = protect_rtp(&mut sender(&params(mki(1, 4))), &rtp(SSRC, 1, b"payload")).unwrap();
    let none = protect_rtp(&mut sender(&params(None)), &rtp(SSRC, 1, b"payload")).unwrap();
    let refused = |mki, packet: &[u8]| unprotect_rtp(&mut receiver(&params(mki)), packet).err();
    assert_eq!(refused(mki(1, 1), &one), None);
    assert_eq!(refused(mki(1, 1), &none), Some(Error::UnknownMki));
    assert_eq!(refused(mki(2, 1), &one), Some(Error::UnknownMki));
    assert_eq!(refused(mki(1, 4), &one), Some(Error::UnknownMki));
    assert_eq!(refused(None, &one), Some(Error::AuthenticationFailed));
    // The last octet of a long MKI is a short one; the tag covers what stands in front.
    assert_eq!(refused(mki(1, 1), &wide), Some(Error::AuthenticationFailed));
}

#[test]
fn keys_are_found_by_mki_and_by_tag() {
    let keys = [
        params(None),
        other(1, None),
        other(2, mki(1, 1)),
        other(3, mki(2, 1)),
        other(4, mki(0xe1f9_7a0d, 4)),
    ];
    let (mut receiver, first) = receiver_with(ReceiverConfig::default(), &keys[0]);
    let mut ids = vec![first];
    ids.extend(keys[1..].iter().map(|key| receiver.add_key(key).unwrap()));
    for round in 1..4 {
        for (key, id) in keys.iter().zip(&ids) {
            let ssrc = u32::from(key.master.as_bytes()[0]);
            let mut sender = sender(key);
            let packet = rtp(ssrc, round, b"payload");
            let mut protected = protect_rtp(&mut sender, &packet).unwrap();
            let unprotected = receiver.unprotect_rtp(&mut protected).unwrap();
            assert_eq!((unprotected.key, unprotected.index), (*id, round.into()));
            assert_eq!(protected[..unprotected.len], packet);
        }
    }
    let stranger = protect_rtp(&mut sender(&other(9, None)), &rtp(7, 1, b"payload")).unwrap();
    assert_eq!(
        unprotect_rtp(&mut receiver, &stranger),
        Err(Error::AuthenticationFailed)
    );
}

#[test]
fn keys_are_bounded() {
    let config = ReceiverConfig {
        max_keys: 2,
        ..ReceiverConfig::default()
    };
    let (mut receiver, first) = receiver_with(config, &other(1, mki(1, 1)));
    assert_eq!(receiver.add_key(&other(1, None)), Err(Error::SameKey));
    let second = receiver.add_key(&other(2, mki(1, 1))).unwrap();
    assert_eq!(
        receiver.add_key(&other(3, None)),
        Err(Error::TooManyKeys { limit: 2 })
    );
    assert!(receiver.remove_key(first));
    assert!(!receiver.remove_key(first));
    let third = receiver.add_key(&other(3, None)).unwrap();
    assert!(first < second && second < third);
}

#[test]
fn the_mki_of_a_key_changes() {
    let (mut receiver, key) = receiver_with(ReceiverConfig::default(), &params(None));
    let mut sender = sender(&params(None));
    let first = protect_rtp(&mut sender, &rtp(SSRC, 1, b"payload")).unwrap();
    assert!(unprotect_rtp(&mut receiver, &first).is_ok());
    assert!(receiver.set_mki(key, mki(1, 1)));
    sender.set_key(&params(mki(1, 1)));
    let second = protect_rtp(&mut sender, &rtp(SSRC, 2, b"payload")).unwrap();
    assert!(unprotect_rtp(&mut receiver, &second).is_ok());
    // What was received before is still known.
    assert!(receiver.set_mki(key, None));
    assert_eq!(unprotect_rtp(&mut receiver, &first), Err(Error::Replayed));
    assert!(receiver.remove_key(key));
    assert!(!receiver.set_mki(key, None));
}

/// 300 packets, the key changes in the middle of them and of a wrap, and the network mixes them up: nothing is lost.
#[test]
fn a_key_changes_without_loss() {
    for (old, new) in [
        (params(None), other(1, None)),
        (params(mki(1, 1)), other(1, mki(2, 1))),
        // As products do: each key of theirs has the same MKI.
        (params(mki(1, 1)), other(1, mki(1, 1))),
        (params(None), other(1, mki(1, 1))),
    ] {
        let mut sender = sender(&old);
        let mut packets = Vec::new();
        for number in 0..300_u16 {
            if number == 150 {
                sender.set_key(&new);
            }
            let plain = rtp(SSRC, 0xff80_u16.wrapping_add(number), &number.to_be_bytes());
            packets.push((protect_rtp(&mut sender, &plain).unwrap(), plain));
        }
        for block in packets.chunks_mut(30) {
            block[1..].reverse();
        }
        packets[120..200].rotate_left(25);
        let (mut receiver, old_id) = receiver_with(ReceiverConfig::default(), &old);
        let new_id = receiver.add_key(&new).unwrap();
        let mut counts = [0, 0];
        for (mut protected, plain) in packets {
            let unprotected = receiver.unprotect_rtp(&mut protected).unwrap();
            assert_eq!(protected[..unprotected.len], plain);
            counts[usize::from(unprotected.key == new_id)] += 1;
        }
        assert_eq!(counts, [150, 150]);
        assert!(receiver.remove_key(old_id));
        let next = protect_rtp(&mut sender, &rtp(SSRC, 300, b"x")).unwrap();
        assert!(unprotect_rtp(&mut receiver, &next).is_ok());
    }
}

#[test]
fn srtcp_goes_on_counting_under_a_new_key() {
    let (old, new) = (params(None), other(1, None));
    let (mut sender, mut receiver) = (sender(&old), receiver(&old));
    receiver.add_key(&new).unwrap();
    for index in 0..6 {
        if index == 3 {
            sender.set_key(&new);
        }
        let mut report = protect_rtcp(&mut sender, &rtcp(SSRC)).unwrap();
        let unprotected = receiver.unprotect_rtcp(&mut report).unwrap();
        assert_eq!(unprotected.index, index);
        assert_eq!(report[..unprotected.len], rtcp(SSRC));
    }
}

/// A source at rollover counter 1 under its first key.
fn wrapped(config: ReceiverConfig) -> (ocs_srtp::Sender, ocs_srtp::Receiver) {
    let key = params(None);
    let (mut sender, (mut receiver, _)) = (sender(&key), receiver_with(config, &key));
    for seq in [0xfff0, 0x0010, 0x0011] {
        let packet = protect_rtp(&mut sender, &rtp(SSRC, seq, b"x")).unwrap();
        unprotect_rtp(&mut receiver, &packet).unwrap();
    }
    (sender, receiver)
}

#[test]
fn a_source_may_start_over_under_a_new_key() {
    let (mut old, mut receiver) = wrapped(ReceiverConfig::default());
    receiver.add_key(&other(1, None)).unwrap();
    // A peer that made its sender anew has a counter of 0.
    let mut new = sender(&other(1, None));
    for seq in [0x0012, 0x0013] {
        let packet = protect_rtp(&mut new, &rtp(SSRC, seq, b"new")).unwrap();
        assert!(unprotect_rtp(&mut receiver, &packet).is_ok());
        assert_eq!(unprotect_rtp(&mut receiver, &packet), Err(Error::Replayed));
    }
    let late = protect_rtp(&mut old, &rtp(SSRC, 0x0012, b"old")).unwrap();
    assert!(unprotect_rtp(&mut receiver, &late).is_ok());
}

#[test]
fn a_source_starts_over_under_the_same_key_only_where_allowed() {
    let mut again = sender(&params(None));
    let packet = protect_rtp(&mut again, &rtp(SSRC, 0x0012, b"again")).unwrap();
    let (_, mut strict) = wrapped(ReceiverConfig::default());
    assert_eq!(
        unprotect_rtp(&mut strict, &packet),
        Err(Error::AuthenticationFailed)
    );
    let config = ReceiverConfig {
        accept_restart: true,
        ..ReceiverConfig::default()
    };
    let (mut sender, mut lenient) = wrapped(config);
    let next = protect_rtp(&mut sender, &rtp(SSRC, 0x0012, b"next")).unwrap();
    assert!(unprotect_rtp(&mut lenient, &next).is_ok());
    assert_eq!(unprotect_rtp(&mut lenient, &next), Err(Error::Replayed));
    assert!(unprotect_rtp(&mut lenient, &packet).is_ok());
    let forged = protect_rtp(&mut common::sender(&other(9, None)), &rtp(SSRC, 0x13, b"x")).unwrap();
    assert_eq!(
        unprotect_rtp(&mut lenient, &forged),
        Err(Error::AuthenticationFailed)
    );
    let packet = protect_rtp(&mut again, &rtp(SSRC, 0x0013, b"again")).unwrap();
    assert!(unprotect_rtp(&mut lenient, &packet).is_ok());
}

#[test]
fn who_joins_late_looks_for_the_counter_within_bounds() {
    let key = params(None);
    let mut sender = sender(&key);
    for quarter in 0..17_u16 {
        let seq = quarter.wrapping_mul(0x4000) + 1;
        protect_rtp(&mut sender, &rtp(SSRC, seq, b"x")).unwrap();
    }
    // Its rollover counter is 4.
    let packet = protect_rtp(&mut sender, &rtp(SSRC, 2, b"x")).unwrap();
    for (late_join, expected) in [(0, false), (3, false), (4, true)] {
        let config = ReceiverConfig {
            late_join,
            ..ReceiverConfig::default()
        };
        let (mut receiver, _) = receiver_with(config, &key);
        assert_eq!(
            unprotect_rtp(&mut receiver, &packet).is_ok(),
            expected,
            "{late_join}"
        );
    }
}

#[test]
fn random_keys_follow_their_seed() {
    let key = |seed| MasterKey::random(&mut ChaCha20Rng::from_seed([seed; 32]));
    assert_eq!(key(1), key(1));
    assert_ne!(key(1), key(2));
}
