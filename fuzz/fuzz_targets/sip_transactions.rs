//! Random messages, answers, flow losses and time-outs into a transaction layer.
//!
//! Input: commands, each one octet of kind, one of argument; kinds that take a message read two octets of length and the message.
#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use ocs_sip_core::transaction::{Event, Flow, Layer, Timers, TransactionLimits};
use ocs_sip_core::{ConnectionId, Limits, Message};

fn flow(n: u8) -> Flow {
    if n & 1 == 0 {
        Flow::Stream(ConnectionId(u64::from(n & 6)))
    } else {
        Flow::Datagram(([192, 0, 2, n], 5060).into())
    }
}

fuzz_target!(|data: &[u8]| {
    let limits = TransactionLimits {
        transactions: 64,
        per_flow: 32,
    };
    let mut layer = Layer::with_limits(Timers::default(), limits);
    let mut now = Instant::now();
    let mut rest = data;
    let mut requests = Vec::new();
    let mut clients = Vec::new();
    while let [kind, argument, after @ ..] = rest {
        rest = after;
        match kind % 6 {
            0 | 1 => {
                let [high, low, after @ ..] = rest else { break };
                let length = usize::from(u16::from_be_bytes([*high, *low])).min(after.len());
                let (text, after) = after.split_at(length);
                rest = after;
                if let Ok(message) = Message::parse(text.to_vec().into(), &Limits::default()) {
                    if kind % 6 == 0 {
                        let _ = layer.handle_message(now, flow(*argument), message);
                    } else if let Ok(id) = layer.request(now, flow(*argument), message) {
                        clients.push(id);
                    }
                }
            }
            2 => {
                if let Some((id, request)) = requests.get(usize::from(*argument) / 6) {
                    let code = [100, 180, 200, 401, 486, 600][usize::from(argument % 6)];
                    let response = Message::response_to(request, code, Some("t"));
                    let _ = layer.respond(now, *id, response);
                }
            }
            3 => {
                if let Some(id) = clients.get(usize::from(*argument)) {
                    layer.cancel(now, *id);
                }
            }
            4 => layer.handle_flow_closed(flow(*argument)),
            _ => {
                now += Duration::from_millis(u64::from(*argument) * 100);
                layer.handle_timeout(now);
            }
        }
        while layer.poll_transmit().is_some() {}
        while let Some(event) = layer.poll_event() {
            if let Event::Request { id, message, .. } = event {
                requests.push((id, message));
            }
        }
        assert!(
            layer.len() <= 64 + 64,
            "a CANCEL may stand beside each INVITE"
        );
    }
    while let Some(at) = layer.poll_timeout() {
        now = now.max(at);
        layer.handle_timeout(now);
        while layer.poll_transmit().is_some() {}
        while layer.poll_event().is_some() {}
        assert!(layer.poll_timeout().is_none_or(|next| next > now));
    }
    assert!(layer.is_empty());
});
