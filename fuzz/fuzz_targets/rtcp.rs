//! Arbitrary octets as an RTCP compound: no panic, limits hold, and a session that got it goes on.
#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use ocs_rtp::Session;
use ocs_rtp::rtcp::{Compound, FeedbackMessage, RtcpPacket, Writer};
use ocs_rtp::session::Config;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fuzz_target!(|data: &[u8]| {
    let Ok(compound) = Compound::parse(data) else {
        return;
    };
    let mut total = 0;
    for packet in compound.packets().flatten() {
        match packet {
            RtcpPacket::SenderReport(report) => {
                assert!(report.extensions().count() <= 20);
                let mut out = Vec::new();
                // An unknown extension may have a length that no writer makes.
                let extensions = report.extensions().flatten();
                if Writer::new(&mut out)
                    .sender_report(report.ssrc(), &report.info(), report.blocks(), extensions)
                    .is_err()
                {
                    continue;
                }
                let Some(Ok(RtcpPacket::SenderReport(again))) =
                    Compound::parse(&out).expect("our own").packets().next()
                else {
                    panic!("our own report");
                };
                assert!(again.blocks().eq(report.blocks()));
                assert!(
                    again
                        .extensions()
                        .flatten()
                        .eq(report.extensions().flatten())
                );
            }
            RtcpPacket::ReceiverReport(report) => {
                assert!(report.extensions().count() <= 20);
                total += report.blocks().len() * 24;
            }
            RtcpPacket::SourceDescription(description) => {
                for chunk in description.chunks().flatten() {
                    let _ = chunk.media_quality();
                    total += chunk.items().map(|item| item.text.len() + 2).sum::<usize>();
                }
            }
            RtcpPacket::Bye(bye) => total += bye.sources().len() * 4,
            RtcpPacket::Feedback(feedback) => match feedback.message() {
                Ok(FeedbackMessage::VideoSourceRequest(request)) => {
                    assert!(request.entries().count() <= 20);
                    total += request.entries().count() * 68;
                }
                Ok(FeedbackMessage::DominantSpeakerHistory(history)) => {
                    total += history.msis().len() * 4;
                }
                _ => {}
            },
            _ => {}
        }
    }
    assert!(total <= data.len());

    let now = Instant::now();
    let rng = ChaCha20Rng::from_seed([1; 32]);
    let mut session = Session::new(now, Config::default(), rng).expect("a good configuration");
    for second in 0..4 {
        let now = now + Duration::from_secs(second * 8);
        session.handle_timeout(now);
        let _ = session.handle_rtcp(now, data, data.len());
        while let Some(packet) = session.poll_transmit() {
            assert!(packet.len() < 1500);
            Compound::parse(packet).expect("our own packet");
        }
        while session.poll_event().is_some() {}
    }
});
