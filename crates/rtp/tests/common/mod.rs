//! What several tests need.
#![allow(dead_code, missing_docs)] // Not every test uses everything.

pub(crate) mod everything;
pub(crate) mod session;

use ocs_rtp::Error;
use ocs_rtp::rtcp::{Compound, FeedbackMessage, RtcpPacket, Writer, packet_type};
use serde_json::Value;

/// The vectors of a file: name, octets, and what else it says.
pub(crate) fn vectors(json: &str) -> Vec<(String, Vec<u8>, Value)> {
    let json: Value = serde_json::from_str(json).expect("json");
    let decode = |text: &Value| hex::decode(text.as_str().expect("text")).expect("hex");
    match json {
        Value::Object(map) => map
            .into_iter()
            .map(|(name, text)| (name, decode(&text), Value::Null))
            .collect(),
        Value::Array(list) => list
            .into_iter()
            .map(|entry| {
                let name = entry["name"].as_str().expect("a name").to_owned();
                (name, decode(&entry["hex"]), entry)
            })
            .collect(),
        _ => panic!("neither a list nor a map"),
    }
}

pub(crate) fn vector(json: &str, name: &str) -> Vec<u8> {
    let found = vectors(json).into_iter().find(|(other, ..)| other == name);
    found.expect(name).1
}

/// Reads every packet of a compound and writes it again.
pub(crate) fn rewrite(octets: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let mut packets = Compound::parse(octets)?.packets();
    while let Some(raw) = packets.next_raw() {
        let mut writer = Writer::new(&mut out);
        match RtcpPacket::read(raw)? {
            RtcpPacket::SenderReport(report) => {
                let extensions: Vec<_> = report.extensions().collect::<Result<_, _>>()?;
                writer.sender_report(report.ssrc(), &report.info(), report.blocks(), extensions)?;
            }
            RtcpPacket::ReceiverReport(report) => {
                let extensions: Vec<_> = report.extensions().collect::<Result<_, _>>()?;
                writer.receiver_report(report.ssrc(), report.blocks(), extensions)?;
            }
            RtcpPacket::SourceDescription(description) => {
                let chunks: Vec<_> = description.chunks().collect::<Result<_, _>>()?;
                writer.source_description(|out| {
                    for chunk in chunks {
                        out.chunk(chunk.ssrc());
                        for item in chunk.items() {
                            match item.media_quality() {
                                Some(Ok(quality)) => out.media_quality(quality),
                                _ => out.item(item.item_type, item.text)?,
                            };
                        }
                    }
                    Ok(())
                })?;
            }
            RtcpPacket::Bye(bye) => {
                let sources: Vec<_> = bye.sources().collect();
                writer.bye(&sources, bye.reason())?;
            }
            RtcpPacket::Feedback(feedback) => {
                let (sender, media) = (feedback.sender(), feedback.media());
                match feedback.message()? {
                    FeedbackMessage::Pli => writer.pli(sender, media)?,
                    FeedbackMessage::ExtendedPli(pli) => writer.extended_pli(sender, media, pli)?,
                    FeedbackMessage::VideoSourceRequest(request) => {
                        let entries: Vec<_> = request.entries().collect();
                        writer.video_source_request(sender, media, request.header(), &entries)?
                    }
                    FeedbackMessage::DominantSpeakerHistory(history) => {
                        let msis: Vec<_> = history.msis().collect();
                        writer.dominant_speaker_history(sender, media, &msis)?
                    }
                    _ => {
                        let (kind, format) = (feedback.packet_type(), feedback.format());
                        writer.feedback(kind, format, sender, media, |out| {
                            out.extend_from_slice(feedback.fci());
                        })?
                    }
                };
            }
            RtcpPacket::App(app) => {
                assert_eq!(raw.packet_type(), packet_type::APP);
                assert_eq!(app.data().len() + 12, raw.as_bytes().len());
                out.extend_from_slice(raw.as_bytes());
            }
            _ => out.extend_from_slice(raw.as_bytes()),
        }
    }
    Ok(out)
}
