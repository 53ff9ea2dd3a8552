//! Once a source is known, its packets allocate nothing. A program of its own: the harness of tests has threads that allocate, too.

mod common;

use std::alloc::System;

use common::{SSRC, mki, params, receiver, rtcp, rtp, sender};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    packets_allocate_nothing();
}

fn packets_allocate_nothing() {
    let key = params(mki(1, 1));
    let (mut sender, mut receiver) = (sender(&key), receiver(&key));
    let mut exchange = |packet: &mut [u8; 200], plain: &[u8], is_rtcp: bool| {
        packet[..plain.len()].copy_from_slice(plain);
        if is_rtcp {
            let len = sender.protect_rtcp(packet, plain.len()).unwrap();
            receiver.unprotect_rtcp(&mut packet[..len]).unwrap();
        } else {
            let len = sender.protect_rtp(packet, plain.len()).unwrap();
            receiver.unprotect_rtp(&mut packet[..len]).unwrap();
        }
    };
    let mut buffer = [0; 200];
    let (mut plain, report) = (rtp(SSRC, 0, &[0x55; 160]), rtcp(SSRC));
    exchange(&mut buffer, &plain, false);
    exchange(&mut buffer, &report, true);
    let region = Region::new(ALLOCATOR);
    for seq in 1..1000_u16 {
        plain[2..4].copy_from_slice(&seq.to_be_bytes());
        exchange(&mut buffer, &plain, false);
        exchange(&mut buffer, &report, true);
    }
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0));
}
