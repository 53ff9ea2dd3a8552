//! Packets and keys as an attacker may send them: no panic, nothing forged is taken, and what came before is not disturbed.
//!
//! The first octet says what the rest is: a text, or a packet with what is done to it on the way.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocs_srtp::{KeyParams, MasterKey, Mki, Receiver, ReceiverConfig, Sender, SenderConfig};

fn text(text: &str) {
    if let Ok(params) = KeyParams::parse(text) {
        let mut out = String::new();
        params.write_to(&mut out);
        assert_eq!(KeyParams::parse(&out).as_ref(), Ok(&params));
    }
}

fn packet(mode: u8, octets: &[u8]) {
    let rtcp = mode & 1 != 0;
    let key = KeyParams {
        mki: (mode & 2 != 0).then_some(Mki::PRODUCTS),
        ..KeyParams::new(MasterKey::from([7; 30]))
    };
    let mut sender = Sender::new(SenderConfig::default(), &key);
    let config = ReceiverConfig {
        late_join: u16::from(mode & 4),
        accept_restart: mode & 8 != 0,
        ..ReceiverConfig::default()
    };
    let mut receiver = Receiver::new(config);
    receiver.add_key(&key).expect("room");
    let other = KeyParams::new(MasterKey::from([8; 30]));
    receiver.add_key(&other).expect("room");
    let unprotect = |receiver: &mut Receiver, packet: &mut [u8]| {
        if rtcp {
            receiver.unprotect_rtcp(packet)
        } else {
            receiver.unprotect_rtp(packet)
        }
    };

    // Nobody has the key: what was not protected is refused, and left as it was.
    let mut raw = octets.to_vec();
    assert!(unprotect(&mut receiver, &mut raw).is_err());
    assert_eq!(raw, octets);

    let mut buffer = octets.to_vec();
    buffer.resize(octets.len() + sender.rtcp_overhead(), 0);
    let protected = if rtcp {
        sender.protect_rtcp(&mut buffer, octets.len())
    } else {
        sender.protect_rtp(&mut buffer, octets.len())
    };
    let Ok(len) = protected else {
        return;
    };
    buffer.truncate(len);
    let mut changed = buffer.clone();
    let place = usize::from(mode) * 31 % len;
    changed[place] ^= 1 << (mode >> 5);
    assert!(unprotect(&mut receiver, &mut changed).is_err());
    let mut good = buffer.clone();
    let unprotected = unprotect(&mut receiver, &mut good).expect("our own packet");
    assert_eq!(&good[..unprotected.len], octets);
    assert!(unprotect(&mut receiver, &mut buffer).is_err());
}

fuzz_target!(|data: &[u8]| {
    match data.split_first() {
        Some((0xff, rest)) => text(&String::from_utf8_lossy(rest)),
        Some((mode, rest)) => packet(*mode, rest),
        None => {}
    }
});
