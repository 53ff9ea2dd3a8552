//! Calls as they go on: 1,000 of them, each with both of its ends here, and 50 packets a second each way. Every packet is written, protected, sent on
//! the pair that ICE found, handed over in memory, opened, judged and taken; reports of RTCP go as they are due. All packets of a moment are on
//! their way before the first one arrives, so that nothing stays in the caches of the processor by chance.
#![allow(missing_docs)]

#[path = "../../crates/media/tests/common/pair.rs"]
mod pair;

use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use ocs_media::Action;
use ocs_rtp::payload::Fragment;
use ocs_rtp::session::Outgoing;
use pair::Pair;

/// Unless the program is told another number.
const CALLS: usize = 1000;
/// Of media.
const SECONDS: u32 = 20;
const PACE: Duration = Duration::from_millis(20);

/// What was counted.
#[derive(Default)]
struct Counts {
    sent: u64,
    control: u64,
    heard: u64,
}

fn main() {
    let told = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let count: usize = told.unwrap_or(CALLS).max(1);
    let begun = Instant::now();
    let start = ThreadTime::now();
    let mut calls: Vec<Pair> = (0..count as u64)
        .map(|seed| Pair::connected(seed, begun))
        .collect();
    let setup = start.elapsed() / count as u32;
    let mut now = calls.iter().map(|pair| pair.now).max().unwrap_or(begun);
    // Where the fast probing of the path at the beginning of a call is over.
    let mut warm = Counts::default();
    for tick in 0..1000 {
        turn(&mut calls, now, tick, &mut warm);
        now += PACE;
    }
    let mut counts = Counts::default();
    let start = ThreadTime::now();
    let ticks = SECONDS * 50;
    for tick in 0..ticks {
        turn(&mut calls, now, 1000 + tick, &mut counts);
        now += PACE;
    }
    let busy = start.elapsed();
    assert_eq!(counts.heard, counts.sent);
    let share = 100.0 * busy.as_secs_f64() / f64::from(SECONDS);
    let each = busy.as_nanos() / u128::from(counts.sent);
    println!("{count} calls, both ends, 50 packets of 160 octets a second each way");
    println!("a call until it is connected, both ends: {setup:?}");
    println!(
        "{} packets of media and {} of RTCP in {SECONDS} s",
        counts.sent, counts.control
    );
    println!("{share:.1} % of one core; {each} ns for a packet, both ends");
}

/// 20 ms of all calls.
fn turn(calls: &mut [Pair], now: Instant, tick: u32, counts: &mut Counts) {
    let sound = [0x55; 160];
    let mut wire: Vec<(usize, usize, Action)> = Vec::with_capacity(4 * calls.len());
    for (number, call) in calls.iter_mut().enumerate() {
        call.now = now;
        for side in 0..2 {
            let stream = &mut call.sides[side];
            if stream.poll_timeout().is_some_and(|at| at <= now) {
                stream.handle_timeout(now);
                while stream.poll_event().is_some() {}
                while let Some(action) = stream.poll_action() {
                    counts.control += 1;
                    wire.push((number, side, action));
                }
            }
            let outgoing = Outgoing {
                timestamp: tick * 160,
                ..Outgoing::default()
            };
            let payload = Fragment::whole(&sound, false);
            stream.send(now, &outgoing, &payload).expect("connected");
            while let Some(action) = stream.poll_action() {
                counts.sent += 1;
                wire.push((number, side, action));
            }
        }
    }
    for (number, side, action) in wire {
        let call = &mut calls[number];
        call.deliver(side, action);
        let stream = &mut call.sides[1 - side];
        while stream.poll_packet().is_some() {
            counts.heard += 1;
        }
        while stream.poll_event().is_some() {}
    }
}
