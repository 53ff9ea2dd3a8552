//! [MS-SRTP]: packets of 160 and 1,100 octets of payload protected and unprotected; webrtc-srtp, libsrtp2 and the bare ciphers beside us.
//!
//! Each packet has the next sequence number, as in a stream: packets to unprotect are made in blocks, outside of the measured time.
#![allow(missing_docs)] // criterion_group! makes a public function.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aes::Aes128Enc;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipherCore};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ctr::CtrCore;
use ctr::flavors::Ctr32BE;
use hmac::{Hmac, Mac};
use ocs_srtp::{KeyParams, MasterKey, Receiver, ReceiverConfig, Sender, SenderConfig};
use sha1::Sha1;
use webrtc_srtp::context::Context;
use webrtc_srtp::protection_profile::ProtectionProfile;

const HEADER_LEN: usize = 12;
const TAG_LEN: usize = 10;
/// Packets that are made at once.
const BLOCK: u64 = 64;

/// An RTP packet with the sequence number that its number gives.
fn packet(number: u64, payload: usize) -> Vec<u8> {
    let mut packet = vec![0x55; HEADER_LEN + payload];
    packet[..2].copy_from_slice(&[0x80, 0]);
    packet[2..4].copy_from_slice(&(number as u16).to_be_bytes());
    packet[8..12].copy_from_slice(&[0x48, 0x6e, 2, 0]);
    packet
}

fn key() -> KeyParams {
    MasterKey::from([7; 30]).into()
}

fn sender() -> Sender {
    Sender::new(SenderConfig::default(), &key())
}

fn context() -> Context {
    let profile = ProtectionProfile::Aes128CmHmacSha1_80;
    Context::new(&[7; 16], &[7; 14], profile, None, None).expect("a key")
}

/// Times `run` over as many rounds as asked for, on inputs that `make` makes block by block.
fn timed<T>(rounds: u64, mut make: impl FnMut() -> T, mut run: impl FnMut(&mut T)) -> Duration {
    let mut elapsed = Duration::ZERO;
    let mut left = rounds;
    while left > 0 {
        let count = left.min(BLOCK);
        left -= count;
        let mut inputs: Vec<T> = (0..count).map(|_| make()).collect();
        let start = Instant::now();
        for input in &mut inputs {
            run(input);
        }
        elapsed += start.elapsed();
    }
    elapsed
}

/// AES in counter mode and HMAC-SHA1 over the same octets with keys made ready, as the crates give them: what no SRTP can do without.
struct Bare {
    cipher: Aes128Enc,
    mac: Hmac<Sha1>,
}

impl Bare {
    fn new() -> Self {
        Self {
            cipher: Aes128Enc::new(&[7; 16].into()),
            mac: Hmac::new_from_slice(&[7; 20]).expect("any length"),
        }
    }

    fn crypt(&self, number: u64, payload: &mut [u8]) {
        let iv = u128::from(number) << 16;
        CtrCore::<_, Ctr32BE>::inner_iv_init(&self.cipher, &iv.to_be_bytes().into())
            .apply_keystream_partial(payload.into());
    }

    fn tag(&self, packet: &[u8]) -> [u8; 20] {
        let mut mac = self.mac.clone();
        mac.update(packet);
        mac.update(&[0; 4]);
        mac.finalize().into_bytes().into()
    }
}

fn protect(c: &mut Criterion, payload: usize) {
    let mut group = c.benchmark_group(format!("SRTP protect, {payload} octets"));
    group.throughput(Throughput::Elements(1));
    let mut number = 0;
    let mut next = |room: usize| {
        number += 1;
        let mut packet = packet(number, payload);
        packet.resize(packet.len() + room, 0);
        packet
    };
    let len = HEADER_LEN + payload;

    let mut ours = sender();
    group.bench_function("ocs-srtp", |b| {
        b.iter_custom(|rounds| {
            timed(
                rounds,
                || next(TAG_LEN),
                |packet| {
                    black_box(ours.protect_rtp(packet, len).expect("protected"));
                },
            )
        });
    });
    let bare = Bare::new();
    group.bench_function("AES-CTR and HMAC-SHA1 alone", |b| {
        let mut number = 0;
        b.iter_custom(|rounds| {
            timed(
                rounds,
                || next(TAG_LEN),
                |packet| {
                    number += 1;
                    bare.crypt(number, &mut packet[HEADER_LEN..len]);
                    let tag = bare.tag(&packet[..len]);
                    packet[len..].copy_from_slice(&tag[..TAG_LEN]);
                },
            )
        });
    });
    let mut peer = context();
    group.bench_function("webrtc-srtp", |b| {
        b.iter_custom(|rounds| {
            timed(
                rounds,
                || next(0),
                |packet| {
                    black_box(peer.encrypt_rtp(packet).expect("protected"));
                },
            )
        });
    });
    #[cfg(feature = "c-peers")]
    {
        use ocs_benches::c_peers::{LibSrtp, SRTP_TRAILER_LEN};
        let mut peer = LibSrtp::new(false, &[([7; 30], &[])]).expect("a session");
        group.bench_function("libsrtp2", |b| {
            b.iter_custom(|rounds| {
                timed(
                    rounds,
                    || next(SRTP_TRAILER_LEN),
                    |packet| {
                        black_box(peer.protect(false, 0, packet, len).expect("protected"));
                    },
                )
            });
        });
    }
    group.finish();
}

/// The packets of a stream, protected.
fn stream(payload: usize) -> impl FnMut() -> Vec<u8> {
    let (mut sender, mut number) = (sender(), 0);
    move || {
        number += 1;
        let mut packet = packet(number, payload);
        packet.resize(HEADER_LEN + payload + TAG_LEN, 0);
        sender
            .protect_rtp(&mut packet, HEADER_LEN + payload)
            .expect("protected");
        packet
    }
}

fn unprotect(c: &mut Criterion, payload: usize) {
    let mut group = c.benchmark_group(format!("SRTP unprotect, {payload} octets"));
    group.throughput(Throughput::Elements(1));
    let len = HEADER_LEN + payload;
    let mut ours = Receiver::new(ReceiverConfig::default());
    ours.add_key(&key()).expect("room");
    let mut packets = stream(payload);
    group.bench_function("ocs-srtp", |b| {
        b.iter_custom(|rounds| {
            timed(rounds, &mut packets, |packet| {
                black_box(ours.unprotect_rtp(packet).expect("good"));
            })
        });
    });
    let bare = Bare::new();
    let mut packets = stream(payload);
    group.bench_function("AES-CTR and HMAC-SHA1 alone", |b| {
        let mut number = 0;
        b.iter_custom(|rounds| {
            timed(rounds, &mut packets, |packet| {
                number += 1;
                black_box(bare.tag(&packet[..len]));
                bare.crypt(number, &mut packet[HEADER_LEN..len]);
            })
        });
    });
    let mut peer = context();
    let mut packets = stream(payload);
    group.bench_function("webrtc-srtp", |b| {
        b.iter_custom(|rounds| {
            timed(rounds, &mut packets, |packet| {
                black_box(peer.decrypt_rtp(packet).expect("good"));
            })
        });
    });
    #[cfg(feature = "c-peers")]
    {
        use ocs_benches::c_peers::LibSrtp;
        let mut peer = LibSrtp::new(true, &[([7; 30], &[])]).expect("a session");
        let mut packets = stream(payload);
        group.bench_function("libsrtp2", |b| {
            b.iter_custom(|rounds| {
                timed(rounds, &mut packets, |packet| {
                    black_box(peer.unprotect(false, packet).expect("good"));
                })
            });
        });
    }
    group.finish();
}

fn both(c: &mut Criterion) {
    for payload in [160, 1100] {
        protect(c, payload);
        unprotect(c, payload);
    }
}

criterion_group! {
    name = benches;
    config = ocs_benches::criterion();
    targets = both
}
criterion_main!(benches);
