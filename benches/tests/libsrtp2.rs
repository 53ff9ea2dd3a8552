//! ocs-srtp and libsrtp2, each unprotecting what the other protects. Needs the feature `c-peers`.
#![cfg(feature = "c-peers")]

use std::sync::{Mutex, MutexGuard, PoisonError};

use ocs_benches::c_peers::{LibSrtp, SRTP_TRAILER_LEN};
use ocs_srtp::{Error, KeyParams, MasterKey, Mki, Receiver, ReceiverConfig, Sender, SenderConfig};

const KEY: [u8; 30] = *b"\xde\xdf\x89\xba\x2f\xe7\xf7\x62\xdd\x16\xde\xe5\x05\x63\x98\x50\x2d\x70\x52\x0e\x76\xb9\xbe\x07\x01\x6e\x0f\xcd\xd0\xe5";
const OTHER: [u8; 30] = [0x42; 30];
const SSRCS: [u32; 3] = [0x486e_0200, 1, 0xffff_ffff];

const AUTH_FAIL: i32 = 7;
const REPLAY_FAIL: i32 = 9;
const REPLAY_OLD: i32 = 10;
const BAD_MKI: i32 = 25;

/// The library prepares itself once, and not for two threads.
static LIBRARY: Mutex<()> = Mutex::new(());

fn library() -> MutexGuard<'static, ()> {
    LIBRARY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// No MKI, and MKIs of one, four and eight octets.
fn mkis() -> [Option<(Mki, Vec<u8>)>; 4] {
    let mki = |value: u64, len: usize| {
        let octets = value.to_be_bytes()[8 - len..].to_vec();
        Some((Mki::new(value, len).unwrap(), octets))
    };
    [None, mki(1, 1), mki(1, 4), mki(0x1122_3344_5566_7788, 8)]
}

fn params(key: [u8; 30], mki: Option<Mki>) -> KeyParams {
    KeyParams {
        mki,
        ..KeyParams::new(MasterKey::from(key))
    }
}

fn receiver(params: &KeyParams) -> Receiver {
    let mut receiver = Receiver::new(ReceiverConfig::default());
    receiver.add_key(params).unwrap();
    receiver
}

/// Packets over a wrap, with lists, extensions, padding and without payload.
fn rtp_packets() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for number in 0..80_u16 {
        for ssrc in SSRCS {
            let (list, extension) = (number % 3, number % 4 == 1);
            let first = 0x80 | list as u8 | u8::from(extension) << 4;
            let mut packet = vec![first, 0x72];
            packet.extend(0xffd0_u16.wrapping_add(number).to_be_bytes());
            packet.extend((u32::from(number) * 160).to_be_bytes());
            packet.extend(ssrc.to_be_bytes());
            packet.extend([0x66; 8].iter().take(4 * usize::from(list)));
            if extension {
                packet.extend([0xbe, 0xde, 0, 1, 0x11, 2, 3, 0]);
            }
            packet.extend((0..number * 7).map(|octet| octet as u8));
            if number % 5 == 4 {
                packet[0] |= 0x20;
                packet.extend([0, 0, 0, 4]);
            }
            packets.push(packet);
        }
    }
    packets
}

/// A sender report with SDES, a receiver report with something behind it, a BYE.
fn rtcp_packets() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for ssrc in SSRCS {
        let ssrc = ssrc.to_be_bytes();
        let mut report = vec![0x80, 200, 0, 6];
        report.extend(ssrc);
        report.extend([9; 20]);
        report.extend([0x81, 202, 0, 3]);
        report.extend(ssrc);
        report.extend([1, 4, b'a', b'b', b'c', b'd', 0, 0]);
        let mut other = vec![0x80, 201, 0, 1];
        other.extend(ssrc);
        other.extend([0x8f, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]);
        let mut bye = vec![0x81, 203, 0, 1];
        bye.extend(ssrc);
        packets.extend([report, other, bye]);
    }
    packets
}

fn ours(sender: &mut Sender, rtcp: bool, plain: &[u8]) -> Vec<u8> {
    let mut buffer = plain.to_vec();
    buffer.resize(plain.len() + SRTP_TRAILER_LEN, 0);
    let len = if rtcp {
        sender.protect_rtcp(&mut buffer, plain.len()).unwrap()
    } else {
        sender.protect_rtp(&mut buffer, plain.len()).unwrap()
    };
    buffer.truncate(len);
    buffer
}

fn theirs(session: &mut LibSrtp, rtcp: bool, key: usize, plain: &[u8]) -> Vec<u8> {
    let mut buffer = plain.to_vec();
    buffer.resize(plain.len() + SRTP_TRAILER_LEN, 0);
    let len = session
        .protect(rtcp, key, &mut buffer, plain.len())
        .unwrap();
    buffer.truncate(len);
    buffer
}

fn open_ours(receiver: &mut Receiver, rtcp: bool, packet: &[u8]) -> Result<Vec<u8>, Error> {
    let mut packet = packet.to_vec();
    let unprotected = if rtcp {
        receiver.unprotect_rtcp(&mut packet)?
    } else {
        receiver.unprotect_rtp(&mut packet)?
    };
    packet.truncate(unprotected.len);
    Ok(packet)
}

fn open_theirs(session: &mut LibSrtp, rtcp: bool, packet: &[u8]) -> Result<Vec<u8>, i32> {
    let mut packet = packet.to_vec();
    let len = session.unprotect(rtcp, &mut packet)?;
    packet.truncate(len);
    Ok(packet)
}

#[test]
fn each_unprotects_what_the_other_protects() {
    let _library = library();
    for mki in mkis() {
        let octets = mki.as_ref().map_or(&[][..], |(_, octets)| octets);
        let params = params(KEY, mki.as_ref().map(|(mki, _)| *mki));
        let mut our_sender = Sender::new(SenderConfig::default(), &params);
        let mut our_receiver = receiver(&params);
        let mut their_sender = LibSrtp::new(false, &[(KEY, octets)]).unwrap();
        let mut their_receiver = LibSrtp::new(true, &[(KEY, octets)]).unwrap();
        for (rtcp, packets) in [(false, rtp_packets()), (true, rtcp_packets())] {
            for plain in packets {
                let mine = ours(&mut our_sender, rtcp, &plain);
                let peers = theirs(&mut their_sender, rtcp, 0, &plain);
                // Of SRTCP the first index differs: ours is 0, theirs 1.
                assert!(rtcp || mine == peers);
                assert_eq!(
                    open_theirs(&mut their_receiver, rtcp, &mine).as_ref(),
                    Ok(&plain)
                );
                assert_eq!(
                    open_ours(&mut our_receiver, rtcp, &peers).as_ref(),
                    Ok(&plain)
                );
            }
        }
    }
}

#[test]
fn both_refuse_the_same() {
    let _library = library();
    let (mki, octets) = (Mki::PRODUCTS, [1]);
    let with = params(KEY, Some(mki));
    let without = params(KEY, None);
    let packets: Vec<_> = {
        let mut sender = Sender::new(SenderConfig::default(), &with);
        let mut packet = rtp_packets().remove(0);
        (0..1100_u16)
            .map(|seq| {
                packet[2..4].copy_from_slice(&seq.to_be_bytes());
                ours(&mut sender, false, &packet)
            })
            .collect()
    };
    let mut mine = receiver(&with);
    let mut peer = LibSrtp::new(true, &[(KEY, &octets)]).unwrap();
    let mut both = |packet: &[u8]| {
        let ours = open_ours(&mut mine, false, packet);
        let theirs = open_theirs(&mut peer, false, packet);
        (ours.err(), theirs.err())
    };
    assert_eq!(both(&packets[0]), (None, None));
    assert_eq!(
        both(&packets[0]),
        (Some(Error::Replayed), Some(REPLAY_FAIL))
    );
    assert_eq!(both(&packets[1099]), (None, None));
    assert_eq!(both(&packets[76]), (None, None));
    assert_eq!(both(&packets[75]), (Some(Error::TooOld), Some(REPLAY_OLD)));
    let mut flipped = packets[500].clone();
    flipped[20] ^= 1;
    let failed = (Some(Error::AuthenticationFailed), Some(AUTH_FAIL));
    assert_eq!(both(&flipped), failed);
    assert_eq!(both(&packets[500]), (None, None));
    let unknown = (Some(Error::UnknownMki), Some(BAD_MKI));
    let mut sender = Sender::new(SenderConfig::default(), &without);
    let bare = ours(&mut sender, false, &rtp_packets()[0]);
    assert_eq!(both(&bare), unknown);

    let mut mine = receiver(&without);
    let mut peer = LibSrtp::new(true, &[(KEY, &[])]).unwrap();
    let refused = open_ours(&mut mine, false, &packets[0]).err();
    let peers = open_theirs(&mut peer, false, &packets[0]).err();
    assert_eq!((refused, peers), failed);
}

#[test]
fn a_key_changes_in_the_middle_of_a_stream() {
    let _library = library();
    let (first, second) = (Mki::new(1, 1).unwrap(), Mki::new(2, 1).unwrap());
    let keys: [_; 2] = [(KEY, &[1][..]), (OTHER, &[2][..])];
    let mut our_sender = Sender::new(SenderConfig::default(), &params(KEY, Some(first)));
    let mut our_receiver = receiver(&params(KEY, Some(first)));
    our_receiver.add_key(&params(OTHER, Some(second))).unwrap();
    let mut their_sender = LibSrtp::new(false, &keys).unwrap();
    let mut their_receiver = LibSrtp::new(true, &keys).unwrap();
    let packets = rtp_packets();
    for (number, plain) in packets.iter().enumerate() {
        let key = usize::from(number >= packets.len() / 2);
        if number == packets.len() / 2 {
            our_sender.set_key(&params(OTHER, Some(second)));
        }
        let mine = ours(&mut our_sender, false, plain);
        let peers = theirs(&mut their_sender, false, key, plain);
        assert_eq!(mine, peers);
        assert_eq!(
            open_theirs(&mut their_receiver, false, &mine).as_ref(),
            Ok(plain)
        );
        assert_eq!(
            open_ours(&mut our_receiver, false, &peers).as_ref(),
            Ok(plain)
        );
    }
}
