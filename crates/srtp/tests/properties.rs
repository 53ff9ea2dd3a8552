//! What holds for all packets, keys and orders.

mod common;

use common::{
    mki, protect_rtcp, protect_rtp, receiver, receiver_with, rtp, sender, unprotect_rtcp,
    unprotect_rtp,
};
use ocs_srtp::{KeyParams, Lifetime, MasterKey, Mki, ReceiverConfig};
use proptest::collection::vec;
use proptest::prelude::*;

fn an_mki() -> impl Strategy<Value = Option<Mki>> {
    proptest::option::of((any::<u64>(), 1_usize..=128).prop_map(|(value, len)| {
        let value = if len < 8 {
            value & ((1 << (8 * len)) - 1)
        } else {
            value
        };
        Mki::new(value, len).unwrap()
    }))
}

prop_compose! {
    fn key_params()(
        master in any::<[u8; 30]>(),
        lifetime in proptest::option::of(prop_oneof![
            (0_u8..=48).prop_map(Lifetime::PowerOfTwo),
            (1_u64..=1 << 48).prop_map(Lifetime::Packets),
        ]),
        mki in an_mki(),
    ) -> KeyParams {
        KeyParams { master: MasterKey::from(master), lifetime, mki }
    }
}

/// An RTP packet whose header may have a list, an extension and a marker.
fn a_packet() -> impl Strategy<Value = Vec<u8>> {
    (
        any::<u8>(),
        any::<[u8; 11]>(),
        0_u16..6,
        vec(any::<u8>(), 0..300),
    )
        .prop_map(|(first, fixed, words, payload)| {
            let mut packet = vec![0x80 | first & 0x3f];
            packet.extend(fixed);
            packet.extend([0x55; 60].iter().take(4 * usize::from(first & 0x0f)));
            if first & 0x10 != 0 {
                packet.extend([0xbe, 0xde]);
                packet.extend(words.to_be_bytes());
                packet.extend([0x11; 20].iter().take(4 * usize::from(words)));
            }
            packet.extend(payload);
            packet
        })
}

proptest! {
    #[test]
    fn rtp_round_trips(key in key_params(), packet in a_packet()) {
        let protected = protect_rtp(&mut sender(&key), &packet).unwrap();
        prop_assert_eq!(unprotect_rtp(&mut receiver(&key), &protected).unwrap(), packet);
    }

    #[test]
    fn rtcp_round_trips(key in key_params(), rest in vec(any::<u8>(), 7..300)) {
        let mut packet = vec![0x81];
        packet.extend(rest);
        let protected = protect_rtcp(&mut sender(&key), &packet).unwrap();
        prop_assert_eq!(unprotect_rtcp(&mut receiver(&key), &protected).unwrap(), packet);
    }

    #[test]
    fn key_params_round_trip(key in key_params()) {
        let mut text = String::new();
        key.write_to(&mut text);
        prop_assert_eq!(KeyParams::parse(&text), Ok(key));
    }

    #[test]
    fn any_text_is_key_params_or_an_error(text in ".{0,100}") {
        let _ = KeyParams::parse(&text);
        let _ = KeyParams::parse(&format!("inline:IQ+Q4YcN8irlbEovMTkF8LL/uMV0JIGFWrAxrrpY|{text}"));
    }

    /// Whatever the network loses, doubles and mixes up within the window: each packet comes once, and is the one that was sent.
    #[test]
    fn a_network_does_no_harm(
        start in any::<u16>(),
        steps in vec((1_u16..60, any::<bool>()), 1..150),
        swaps in vec((0_usize..150, 0_usize..4), 0..80),
    ) {
        let key = KeyParams { mki: mki(1, 1), ..KeyParams::new(MasterKey::from([5; 30])) };
        let (mut sender, (mut receiver, _)) =
            (sender(&key), receiver_with(ReceiverConfig::default(), &key));
        let mut seq = start & 0x7fff;
        let first = protect_rtp(&mut sender, &rtp(1, seq, b"first")).unwrap();
        unprotect_rtp(&mut receiver, &first).unwrap();
        let mut network = Vec::new();
        for (step, twice) in steps {
            seq = seq.wrapping_add(step);
            let plain = rtp(1, seq, &seq.to_be_bytes());
            let protected = protect_rtp(&mut sender, &plain).unwrap();
            if twice {
                network.push((protected.clone(), plain.clone()));
            }
            network.push((protected, plain));
        }
        for (at, distance) in swaps {
            if at + distance < network.len() {
                network.swap(at, at + distance);
            }
        }
        let mut got = std::collections::BTreeSet::new();
        for (protected, plain) in &network {
            if got.contains(plain) {
                prop_assert!(unprotect_rtp(&mut receiver, protected).is_err());
            } else {
                prop_assert_eq!(&unprotect_rtp(&mut receiver, protected).unwrap(), plain);
                got.insert(plain.clone());
            }
        }
    }

    #[test]
    fn any_octets_are_refused(key in key_params(), octets in vec(any::<u8>(), 0..200)) {
        let mut receiver = receiver(&key);
        prop_assert!(unprotect_rtp(&mut receiver, &octets).is_err());
        prop_assert!(unprotect_rtcp(&mut receiver, &octets).is_err());
    }
}
