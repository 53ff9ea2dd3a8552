//! What nobody should send, and what a network does to packets.

mod common;

use common::{
    SSRC, mki, other, params, protect_rtcp, protect_rtp, receiver, receiver_with, rtcp, rtp,
    sender, unprotect_rtcp, unprotect_rtp,
};
use ocs_srtp::{Error, Lifetime, Receiver, ReceiverConfig, Sender, SenderConfig, TAG_LEN};

#[test]
fn every_truncation_is_refused_and_harms_nothing() {
    for key in [params(None), params(mki(1, 1)), params(mki(1, 4))] {
        let (mut sender, mut receiver) = (sender(&key), receiver(&key));
        let packet = protect_rtp(&mut sender, &rtp(SSRC, 1, b"payload")).unwrap();
        let report = protect_rtcp(&mut sender, &rtcp(SSRC)).unwrap();
        for len in 0..packet.len() {
            let error = unprotect_rtp(&mut receiver, &packet[..len]).unwrap_err();
            match error {
                Error::TooShort { len: found } => assert_eq!(found, len),
                Error::AuthenticationFailed => assert!(len >= 12 + TAG_LEN),
                Error::UnknownMki => assert!(key.mki.is_some()),
                other => panic!("{other}"),
            }
        }
        for len in 0..report.len() {
            let error = unprotect_rtcp(&mut receiver, &report[..len]).unwrap_err();
            assert!(
                matches!(
                    error,
                    Error::TooShort { .. }
                        | Error::AuthenticationFailed
                        | Error::UnknownMki
                        | Error::NotEncrypted
                ),
                "{error}"
            );
        }
        assert!(unprotect_rtp(&mut receiver, &packet).is_ok());
        assert!(unprotect_rtcp(&mut receiver, &report).is_ok());
    }
}

#[test]
fn every_flipped_bit_is_refused_and_harms_nothing() {
    let key = params(mki(1, 1));
    let (mut sender, mut receiver) = (sender(&key), receiver(&key));
    let first = protect_rtp(&mut sender, &rtp(SSRC, 1, b"first")).unwrap();
    unprotect_rtp(&mut receiver, &first).unwrap();
    let packet = protect_rtp(&mut sender, &rtp(SSRC, 2, b"second")).unwrap();
    let report = protect_rtcp(&mut sender, &rtcp(SSRC)).unwrap();
    for bit in 0..8 * packet.len() {
        let mut changed = packet.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(unprotect_rtp(&mut receiver, &changed).is_err(), "bit {bit}");
    }
    for bit in 0..8 * report.len() {
        let mut changed = report.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(
            unprotect_rtcp(&mut receiver, &changed).is_err(),
            "bit {bit}"
        );
    }
    assert!(unprotect_rtp(&mut receiver, &packet).is_ok());
    assert!(unprotect_rtcp(&mut receiver, &report).is_ok());
}

#[test]
fn headers_that_lie() {
    let mut sender = sender(&params(None));
    let mut receiver = receiver(&params(None));
    // 15 sources, an extension of 65,535 words, and both.
    for first in [0x8f, 0x90, 0x9f] {
        let mut packet = rtp(SSRC, 1, &[0xff; 30]);
        packet[0] = first;
        let error = Error::TooShort { len: packet.len() };
        assert_eq!(protect_rtp(&mut sender, &packet), Err(error));
        assert_eq!(unprotect_rtp(&mut receiver, &packet), Err(error));
    }
    // Where the payload would begin in the tag.
    let mut packet = rtp(SSRC, 1, &[0; 40]);
    packet[0] = 0x8a;
    assert_eq!(
        unprotect_rtp(&mut receiver, &packet),
        Err(Error::TooShort { len: 52 })
    );
    for (first, version) in [(0x00, 0), (0x40, 1), (0xc0, 3)] {
        let mut packet = rtp(SSRC, 1, &[0; 30]);
        packet[0] = first;
        assert_eq!(
            protect_rtp(&mut sender, &packet),
            Err(Error::Version(version))
        );
        assert_eq!(
            unprotect_rtcp(&mut receiver, &packet),
            Err(Error::Version(version))
        );
    }
}

#[test]
fn buffers_must_have_room() {
    let mut sender = sender(&params(mki(1, 4)));
    assert_eq!((sender.rtp_overhead(), sender.rtcp_overhead()), (14, 18));
    let packet = rtp(SSRC, 1, b"payload");
    let needed = packet.len() + 14;
    let mut buffer = packet.clone();
    buffer.resize(needed - 1, 0);
    let before = buffer.clone();
    let error = Error::NoRoom {
        needed,
        len: needed - 1,
    };
    assert_eq!(sender.protect_rtp(&mut buffer, packet.len()), Err(error));
    assert_eq!(buffer, before);
    // Room beyond what is needed is not touched, and no number is used up by an error.
    buffer.resize(needed + 5, 0xcc);
    assert_eq!(sender.protect_rtp(&mut buffer, packet.len()), Ok(needed));
    assert_eq!(buffer[needed..], [0xcc; 5]);

    let long = rtp(SSRC, 2, &vec![0; 65_535 - 12 - 13]);
    assert_eq!(
        protect_rtp(&mut sender, &long),
        Err(Error::TooLong { len: 65_536 })
    );
    let long = rtp(SSRC, 2, &vec![0; 65_535 - 12 - 14]);
    let protected = protect_rtp(&mut sender, &long).unwrap();
    assert_eq!(protected.len(), 65_535);
    assert_eq!(
        unprotect_rtp(&mut receiver(&params(mki(1, 4))), &protected).unwrap(),
        long
    );
}

#[test]
fn replayed_and_late_packets() {
    for (replay_window, width) in [(1024, 1024), (128, 128), (1, 64), (u16::MAX, 1024)] {
        let key = params(None);
        let config = ReceiverConfig {
            replay_window,
            ..config()
        };
        let (mut receiver, _) = receiver_with(config, &key);
        let mut sender = sender(&key);
        let packets: Vec<_> = (1..=1100)
            .map(|seq| protect_rtp(&mut sender, &rtp(SSRC, seq, b"x")).unwrap())
            .collect();
        unprotect_rtp(&mut receiver, &packets[0]).unwrap();
        unprotect_rtp(&mut receiver, &packets[1099]).unwrap();
        let oldest = 1099 - (width - 1);
        assert_eq!(
            unprotect_rtp(&mut receiver, &packets[oldest - 1]),
            Err(Error::TooOld)
        );
        for packet in &packets[oldest..1099] {
            assert!(unprotect_rtp(&mut receiver, packet).is_ok());
        }
        for packet in &packets[oldest..] {
            assert_eq!(unprotect_rtp(&mut receiver, packet), Err(Error::Replayed));
        }
    }
}

fn config() -> ReceiverConfig {
    ReceiverConfig::default()
}

#[test]
fn replayed_and_late_reports() {
    let key = params(None);
    let (mut sender, mut receiver) = (sender(&key), receiver(&key));
    let reports: Vec<_> = (0..200)
        .map(|_| protect_rtcp(&mut sender, &rtcp(SSRC)).unwrap())
        .collect();
    unprotect_rtcp(&mut receiver, &reports[199]).unwrap();
    assert_eq!(
        unprotect_rtcp(&mut receiver, &reports[199]),
        Err(Error::Replayed)
    );
    assert_eq!(
        unprotect_rtcp(&mut receiver, &reports[71]),
        Err(Error::TooOld)
    );
    assert!(unprotect_rtcp(&mut receiver, &reports[72]).is_ok());
    assert_eq!(
        unprotect_rtcp(&mut receiver, &reports[72]),
        Err(Error::Replayed)
    );
}

#[test]
fn a_report_in_clear_is_refused() {
    let key = params(None);
    let mut report = protect_rtcp(&mut sender(&key), &rtcp(SSRC)).unwrap();
    let at = report.len() - TAG_LEN - 4;
    report[at] &= 0x7f;
    assert_eq!(
        unprotect_rtcp(&mut receiver(&key), &report),
        Err(Error::NotEncrypted)
    );
}

#[test]
fn a_sender_uses_no_index_twice() {
    let mut sender = sender(&params(None));
    protect_rtp(&mut sender, &rtp(SSRC, 2000, b"a")).unwrap();
    assert_eq!(
        protect_rtp(&mut sender, &rtp(SSRC, 2000, b"b")),
        Err(Error::Replayed)
    );
    assert!(protect_rtp(&mut sender, &rtp(SSRC, 977, b"c")).is_ok());
    assert_eq!(
        protect_rtp(&mut sender, &rtp(SSRC, 976, b"d")),
        Err(Error::TooOld)
    );
    assert_eq!(
        protect_rtp(&mut sender, &rtp(SSRC, 977, b"e")),
        Err(Error::Replayed)
    );
    // Nor under the next key: its receivers go on with the same counter.
    sender.set_key(&other(1, None));
    assert_eq!(
        protect_rtp(&mut sender, &rtp(SSRC, 2000, b"f")),
        Err(Error::Replayed)
    );
}

#[test]
fn a_wrap_where_its_packets_are_missing() {
    let key = params(None);
    let (mut sender, mut receiver) = (sender(&key), receiver(&key));
    for seq in [
        0xfff0, 0xfffd, 0x0003, 0x0002, 0xffff, 0x0004, 0x8003, 0xc000, 0x0001,
    ] {
        let packet = rtp(SSRC, seq, b"payload");
        let protected = protect_rtp(&mut sender, &packet).unwrap();
        assert_eq!(
            unprotect_rtp(&mut receiver, &protected).unwrap(),
            packet,
            "{seq:#x}"
        );
    }
    // Two wraps were passed.
    let mut late = Receiver::new(ReceiverConfig::default());
    late.add_key(&key).unwrap();
    late.set_roc(SSRC, 2).unwrap();
    let protected = protect_rtp(&mut sender, &rtp(SSRC, 5, b"x")).unwrap();
    assert!(unprotect_rtp(&mut late, &protected).is_ok());
}

#[test]
fn forged_packets_move_no_counter() {
    let key = params(None);
    let (mut sender, mut receiver) = (sender(&key), receiver(&key));
    let first = protect_rtp(&mut sender, &rtp(SSRC, 5, b"x")).unwrap();
    unprotect_rtp(&mut receiver, &first).unwrap();
    let mut forger = common::sender(&other(9, None));
    for seq in [0x7000, 0xe000, 0x5000, 0xc000, 0x3000] {
        let forged = protect_rtp(&mut forger, &rtp(SSRC, seq, b"x")).unwrap();
        assert_eq!(
            unprotect_rtp(&mut receiver, &forged),
            Err(Error::AuthenticationFailed)
        );
    }
    let second = protect_rtp(&mut sender, &rtp(SSRC, 6, b"x")).unwrap();
    assert!(unprotect_rtp(&mut receiver, &second).is_ok());
}

#[test]
fn a_flood_of_sources() {
    let key = params(None);
    let config = ReceiverConfig {
        max_ssrcs: 10,
        ..config()
    };
    let (mut receiver, _) = receiver_with(config, &key);
    // Who has no key adds none.
    let mut forger = sender(&other(9, None));
    for ssrc in 0..1000 {
        let forged = protect_rtp(&mut forger, &rtp(ssrc, 1, b"x")).unwrap();
        assert_eq!(
            unprotect_rtp(&mut receiver, &forged),
            Err(Error::AuthenticationFailed)
        );
    }
    // Who has one adds as many as are allowed, and disturbs none of them.
    let mut sender = Sender::new(SenderConfig::default(), &key);
    for ssrc in 0..100 {
        let packet = protect_rtp(&mut sender, &rtp(ssrc, 1, b"x")).unwrap();
        let report = protect_rtcp(&mut sender, &rtcp(ssrc)).unwrap();
        let error = Error::TooManySsrcs { limit: 10 };
        let expected = if ssrc < 10 { Ok(()) } else { Err(error) };
        assert_eq!(unprotect_rtp(&mut receiver, &packet).map(drop), expected);
        assert_eq!(unprotect_rtcp(&mut receiver, &report).map(drop), expected);
    }
    let second = protect_rtp(&mut sender, &rtp(3, 2, b"x")).unwrap();
    assert!(unprotect_rtp(&mut receiver, &second).is_ok());
    receiver.forget(3);
    let another = protect_rtp(&mut sender, &rtp(500, 1, b"x")).unwrap();
    assert!(unprotect_rtp(&mut receiver, &another).is_ok());
    for ssrc in 600..610 {
        receiver.set_roc(ssrc, 1).unwrap();
    }
    assert_eq!(
        receiver.set_roc(700, 1),
        Err(Error::TooManySsrcs { limit: 10 })
    );
    assert_eq!(receiver.set_roc(605, 2), Ok(()));
}

#[test]
fn a_sender_has_bounds_too() {
    let config = SenderConfig { max_ssrcs: 1 };
    let mut key = params(None);
    key.lifetime = Some(Lifetime::Packets(2));
    let mut sender = Sender::new(config, &key);
    assert_eq!(
        (sender.rtp_packets_left(), sender.rtcp_packets_left()),
        (2, 2)
    );
    protect_rtp(&mut sender, &rtp(1, 1, b"x")).unwrap();
    assert_eq!(
        protect_rtp(&mut sender, &rtp(2, 1, b"x")),
        Err(Error::TooManySsrcs { limit: 1 })
    );
    protect_rtcp(&mut sender, &rtcp(1)).unwrap();
    assert_eq!(
        protect_rtcp(&mut sender, &rtcp(2)),
        Err(Error::TooManySsrcs { limit: 1 })
    );
    protect_rtp(&mut sender, &rtp(1, 2, b"x")).unwrap();
    protect_rtcp(&mut sender, &rtcp(1)).unwrap();
    assert_eq!(
        protect_rtp(&mut sender, &rtp(1, 3, b"x")),
        Err(Error::KeyExpired)
    );
    assert_eq!(protect_rtcp(&mut sender, &rtcp(1)), Err(Error::KeyExpired));
    sender.set_key(&other(1, None));
    assert!(protect_rtp(&mut sender, &rtp(1, 3, b"x")).is_ok());
    assert_eq!(sender.rtp_packets_left(), (1 << 48) - 1);
    assert_eq!(sender.rtcp_packets_left(), 1 << 31);
}

#[test]
fn the_last_index_of_all() {
    let key = params(None);
    let mut receiver = receiver(&key);
    receiver.set_roc(SSRC, u32::MAX).unwrap();
    let forged = rtp(SSRC, 0xffff, &[0; 20]);
    assert_eq!(
        unprotect_rtp(&mut receiver, &forged),
        Err(Error::AuthenticationFailed)
    );
}

#[test]
fn a_receiver_without_key() {
    let mut receiver = Receiver::new(ReceiverConfig::default());
    assert_eq!(
        unprotect_rtp(&mut receiver, &rtp(1, 1, &[0; 20])),
        Err(Error::NoKey)
    );
    assert_eq!(
        unprotect_rtcp(&mut receiver, &[0x80; 40]),
        Err(Error::NoKey)
    );
}

#[test]
fn secrets_do_not_show() {
    let (sender, receiver) = (sender(&params(None)), receiver(&params(mki(1, 1))));
    assert!(format!("{sender:?}").starts_with("Sender { config: "));
    let text = format!("{receiver:?}");
    assert!(
        text.contains("Mki { value: 1, len: 1 }") && !text.contains("222"),
        "{text}"
    );
}
