#![no_main]
//! A call of either side, commands of its program, and whatever the peer sends. The first octet chooses the side; then steps: an octet that says
//! which, the length of its rest, and the rest.

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use ocs_call::{Action, Call, Config, Event, Limits, RequestId, State, TransactionId, Transfer};
use ocs_sdpext::attribute::SsrcRange;
use ocs_sdpext::negotiation::{Stream, StreamKind, Transport};
use ocs_sip_core::{HeaderName, Message, Method};
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;

const ICE: &str = "a=ice-ufrag:Wm1K\r\na=ice-pwd:uR9x0KZ8QpTn3vB6yD2sEfGh\r\n\
a=candidate:1 1 UDP 2130706431 192.0.2.2 50000 typ host\r\n\
a=candidate:1 2 UDP 2130705918 192.0.2.2 50001 typ host\r\n";

/// The headers that a call reads.
const HEADERS: [HeaderName; 23] = [
    HeaderName::CallId,
    HeaderName::CSeq,
    HeaderName::From,
    HeaderName::To,
    HeaderName::Via,
    HeaderName::Contact,
    HeaderName::RecordRoute,
    HeaderName::Require,
    HeaderName::Supported,
    HeaderName::Allow,
    HeaderName::RSeq,
    HeaderName::RAck,
    HeaderName::SessionExpires,
    HeaderName::MinSe,
    HeaderName::RetryAfter,
    HeaderName::Event,
    HeaderName::SubscriptionState,
    HeaderName::ReferTo,
    HeaderName::ReferredBy,
    HeaderName::Reason,
    HeaderName::ContentType,
    HeaderName::Expires,
    HeaderName::MsClientDiagnostics,
];

fn stream(kind: StreamKind) -> Stream {
    let transport = Transport::new("192.0.2.2:50000".parse().unwrap());
    let transport = transport.with_ice(ICE).unwrap();
    match kind {
        StreamKind::Video => Stream::video(transport, SsrcRange::new(100, 199).unwrap()),
        _ => Stream::audio(transport, SsrcRange::new(1, 1).unwrap()),
    }
}

fn invite() -> Message {
    Message::request(Method::Invite, "sip:bob@contoso.com")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=a")
        .with(HeaderName::To, "<sip:bob@contoso.com>")
        .with(HeaderName::CallId, "c")
        .with(HeaderName::CSeq, "1 INVITE")
}

fn rng(seed: u64) -> ChaCha12Rng {
    ChaCha12Rng::seed_from_u64(seed)
}

fn config() -> Config {
    Config {
        limits: Limits {
            forks: 4,
            pending: 8,
            retries: 2,
        },
        ..Config::new("<sip:x@contoso.com;gruu>")
    }
}

struct Fuzz {
    call: Call<ChaCha12Rng>,
    now: Instant,
    sent: Vec<(RequestId, Message)>,
    offer: Message,
    /// An answer to it.
    answer: Message,
    incoming: bool,
    next: u64,
    over: bool,
}

impl Fuzz {
    fn new(incoming: bool) -> Self {
        let now = Instant::now();
        let streams = vec![stream(StreamKind::Audio)];
        let mut call = Call::outgoing(now, config(), invite(), streams, &[], rng(1)).unwrap();
        let Some(Action::Request { id, message }) = call.poll_action() else {
            unreachable!("an INVITE");
        };
        let mut sent = vec![(id, message.clone())];
        let called = || {
            let id = TransactionId(0);
            let mut call = Call::incoming(now, config(), id, &message, "b", rng(2)).unwrap();
            call.accept_stream(0, stream(StreamKind::Audio)).unwrap();
            call
        };
        let mut other = called();
        other.accept(now).unwrap();
        let Some(Action::Respond {
            message: answer, ..
        }) = other.poll_action()
        else {
            unreachable!("a 200");
        };
        if incoming {
            call = called();
            sent.clear();
        }
        Self {
            call,
            now,
            sent,
            offer: message,
            answer,
            incoming,
            next: 1,
            over: false,
        }
    }

    /// A header of the message is another, and perhaps its body.
    fn change(message: &mut Message, rest: &[u8]) {
        if let Some((&name, value)) = rest.split_first() {
            let name = HEADERS[usize::from(name) % HEADERS.len()];
            let value = String::from_utf8_lossy(value);
            match value.strip_prefix('\n') {
                Some(body) => message.set_body("application/sdp", body.to_owned()),
                None => message.set(name, &value),
            }
        }
    }

    fn request(&mut self, rest: &[u8]) {
        let [method, cseq, flags, rest @ ..] = rest else {
            return;
        };
        let method = Method::ALL[usize::from(*method) % Method::ALL.len()].clone();
        let number = u32::from(*cseq);
        let (from, to) = if self.incoming {
            (
                "<sip:alice@contoso.com>;tag=a",
                "<sip:bob@contoso.com>;tag=b",
            )
        } else {
            (
                "<sip:bob@contoso.com>;tag=b",
                "<sip:alice@contoso.com>;tag=a",
            )
        };
        let mut message = Message::request(method.clone(), "sip:x@contoso.com")
            .with(HeaderName::From, from)
            .with(HeaderName::To, to)
            .with(HeaderName::CallId, "c")
            .with(HeaderName::CSeq, &format!("{number} {method}"));
        if flags & 1 != 0 {
            message.set_body("application/sdp", self.offer.body().clone());
        }
        if flags & 2 != 0 {
            message.push(HeaderName::ReferTo, "<sip:carol@contoso.com>");
            message.push(HeaderName::Event, "refer");
        }
        Self::change(&mut message, rest);
        if flags & 4 != 0 {
            self.call.handle_cancel(self.now, &message);
        } else {
            let id = TransactionId(self.next);
            self.next += 1;
            self.call.handle_request(self.now, id, &message);
        }
    }

    fn respond(&mut self, rest: &[u8]) {
        let [which, status, tag, flags, rest @ ..] = rest else {
            return;
        };
        if self.sent.is_empty() {
            return;
        }
        let (id, request) = &self.sent[usize::from(*which) % self.sent.len()];
        const STATUSES: [u16; 16] = [
            100, 180, 183, 200, 200, 200, 202, 302, 408, 415, 422, 481, 487, 491, 500, 603,
        ];
        let status = STATUSES[usize::from(*status) % STATUSES.len()];
        let tag = ["b", "c", "d", "e", "f"][usize::from(*tag) % 5];
        let mut response = Message::response_to(request, status, Some(tag));
        if flags & 1 != 0 {
            response.set_body("application/sdp", self.answer.body().clone());
        }
        if flags & 2 != 0 {
            response.push(HeaderName::Require, "100rel");
            response.push(HeaderName::RSeq, &(flags >> 4).to_string());
        }
        Self::change(&mut response, rest);
        let id = *id;
        if flags & 4 != 0 {
            self.call.handle_no_response(self.now, id);
        } else {
            self.call.handle_response(self.now, id, &response);
        }
    }

    fn command(&mut self, which: u8) {
        let (call, now) = (&mut self.call, self.now);
        match which % 20 {
            0 => call.ring(now),
            1 => drop(call.answer_early(now)),
            2 | 3 => drop(call.accept(now)),
            4 => call.decline(now, 486, None),
            5 => call.hang_up(now, None),
            6 => drop(call.offer()),
            7 => drop(call.answer(now)),
            8 => call.refuse_offer(488),
            9 => call.hold(),
            10 => call.resume(),
            11 => drop(call.add_stream(stream(StreamKind::Video))),
            12 => call.remove_stream(1),
            13 => {
                if let Some(plan) = call.stream_mut(0) {
                    plan.ptime = Some(40);
                }
            }
            14 => drop(call.accept_stream(1, stream(StreamKind::Video))),
            15 => {
                let target = "sip:carol@contoso.com".to_owned();
                let replaces = Some("a;to-tag=b;from-tag=c".to_owned());
                drop(call.refer(now, &Transfer { target, replaces }));
            }
            16 => call.accept_refer(),
            17 => call.decline_refer(603),
            18 => call.refer_progress(180, "Ringing"),
            _ => call.refer_progress(200, "OK"),
        }
    }

    fn drain(&mut self) {
        while let Some(action) = self.call.poll_action() {
            match action {
                Action::Request { id, message } => {
                    if self.sent.len() < 32 {
                        self.sent.push((id, message));
                    }
                }
                Action::Respond { message, .. } => assert!(message.status().is_some()),
                Action::Ack(message) => assert_eq!(message.method(), Some(&Method::Ack)),
                Action::Cancel(_) => {}
            }
        }
        while let Some(event) = self.call.poll_event() {
            assert!(!self.over, "{event:?} after the end");
            self.over = matches!(event, Event::Ended(_));
        }
        let ended = matches!(self.call.state(), State::Ending | State::Ended);
        assert_eq!(ended, self.over);
        assert!(self.call.forks().count() <= 4);
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&first, mut data)) = data.split_first() else {
        return;
    };
    let mut fuzz = Fuzz::new(first & 1 != 0);
    while let [step, length, rest @ ..] = data {
        let (now, later) = rest.split_at(usize::from(*length).min(rest.len()));
        data = later;
        match step % 4 {
            0 => now.iter().for_each(|which| fuzz.command(*which)),
            1 => fuzz.request(now),
            2 => fuzz.respond(now),
            _ => {
                fuzz.now += Duration::from_millis(u64::from(*step) * 100);
                fuzz.call.handle_timeout(fuzz.now);
            }
        }
        fuzz.drain();
    }
    // Every call ends, in bounded time.
    fuzz.call.hang_up(fuzz.now, None);
    for _ in 0..200 {
        fuzz.drain();
        let Some(at) = fuzz.call.poll_timeout() else {
            assert_eq!(fuzz.call.state(), State::Ended);
            return;
        };
        fuzz.call.handle_timeout(at);
    }
    panic!("no end: {:?}", fuzz.call);
});
