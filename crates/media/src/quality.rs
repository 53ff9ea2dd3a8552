//! The report of quality of a stream (\[MS-QoE\] 2.2.1.5): what ICE, SRTP and RTP know. What is not measured is left out: devices, levels, opinion scores,
//! pictures. The application adds what it knows, and the session report around it.

use std::net::SocketAddr;

use ocs_ice::{CandidateType, Carrier, Component, SelectedPair};
use ocs_qoe::document::{
    Address, ApplicationSharing, Audio, Connectivity, Delay, Description, Float, Ice, Jitter,
    Label, MediaLine, Network, PacketLoss, Payload, Stream, Text, Transport, Unknown, Utilization,
    Video, ice_warning,
};
use ocs_rtp::session::Reception;
use ocs_sdpext::codec::{Codec, Purpose};
use ocs_sdpext::negotiation::{Negotiated, NegotiatedFormat, StreamKind};
use ocs_turn::client::Failure;
use rand_core::{CryptoRng, SeedableRng};

use crate::MediaStream;
use crate::fork::Fork;
use crate::meter::{Direction, fraction, milliseconds};

impl<R: CryptoRng + SeedableRng> MediaStream<R> {
    /// The media line of a report, of the fork that is heard, or else of the first one; none if nothing was negotiated. It may be asked for while the call
    /// lasts, when ICE has failed, and after [`close`](Self::close). `offerer` is whether our side wrote the (first) offer.
    ///
    /// It has the fields of all versions of the schema: [`VqReportEvent::new`](ocs_qoe::document::VqReportEvent::new) leaves out what came later
    /// than the one that is wanted.
    pub fn quality(&self, offerer: bool) -> Option<MediaLine> {
        let heard = self.heard.and_then(|id| self.fork(id));
        let fork = heard.or(self.forks.first())?;
        let negotiated = &fork.negotiated;
        Some(MediaLine {
            label: label(negotiated),
            description: self.description(fork, offerer),
            inbound: self.inbound(negotiated),
            outbound: self.outbound(negotiated),
            local_conversational_mos: None,
            applied_bandwidth_limit: None,
            applied_bandwidth_source: None,
            local_client_events: None,
            remote_client_events: None,
            unknown: Unknown::default(),
        })
    }

    fn description(&self, fork: &Fork, offerer: bool) -> Description {
        let pair = fork.pair(Component::Rtp);
        let ends = pair.map(|pair| [pair.local, pair.remote]);
        let relayed = |pair: &[ocs_ice::End; 2]| {
            let mut ends = pair.iter();
            ends.any(|end| end.kind == CandidateType::Relayed)
        };
        let ice = match (&ends, fork.failure) {
            (_, Some(_)) => Some(Ice::Failed),
            (Some(ends), None) if relayed(ends) => Some(Ice::Relay),
            (Some(_), None) => Some(Ice::Direct),
            (None, None) => None,
        };
        let relays = ends.iter().flatten();
        let relays = relays.filter(|end| end.kind == CandidateType::Relayed);
        let reflexive = pair.filter(|pair| {
            let kind = pair.local.kind;
            matches!(
                kind,
                CandidateType::PeerReflexive | CandidateType::ServerReflexive
            )
        });
        let security = if fork.opener.is_some() {
            "SRTP"
        } else {
            "None"
        };
        Description {
            connectivity: Some(Connectivity {
                ice,
                ice_warning_flags: Some(self.warnings(fork)),
                relay_addresses: relays.map(|end| address(end.address, false)).collect(),
                unknown: Unknown::default(),
            }),
            security: Some(Text::cut(security)),
            offerer: Some(offerer),
            transport: pair.map(|pair| {
                if pair.local.transport.is_tcp() {
                    Transport::Tcp
                } else {
                    Transport::Udp
                }
            }),
            local_address: self.own_address(pair).map(|own| address(own, true)),
            remote_address: pair
                .map(|pair| pair.remote.address)
                .or(fork.negotiated.remote.rtp)
                .map(|remote| address(remote, true)),
            reflexive_local_address: reflexive.map(|pair| address(pair.local.address, false)),
            ..Description::default()
        }
    }

    /// The socket that media leaves from; behind a relay, and if there is no path, our first one.
    fn own_address(&self, pair: Option<SelectedPair>) -> Option<SocketAddr> {
        let direct = pair.filter(|pair| pair.local.kind != CandidateType::Relayed);
        direct
            .map(|pair| pair.base)
            .or_else(|| self.sockets.first().copied())
    }

    fn warnings(&self, fork: &Fork) -> u32 {
        let relays = self.relay_failures.iter().map(|(carrier, failure)| {
            let refused = if *carrier == Carrier::Udp {
                ice_warning::UDP_ALLOCATION_FAILED
            } else {
                ice_warning::TCP_ALLOCATION_FAILED
            };
            match failure {
                Failure::NoAnswer | Failure::Disconnected => {
                    refused | ice_warning::TURN_SERVER_UNREACHABLE
                }
                Failure::Credentials { .. } => refused | ice_warning::TURN_CREDENTIALS_REFUSED,
                _ => refused,
            }
        });
        let checks = match fork.failure {
            Some(_) => ice_warning::CONNECTIVITY_CHECK_FAILED,
            None => 0,
        };
        relays.fold(checks, |all, flags| all | flags)
    }

    fn inbound(&self, negotiated: &Negotiated) -> Option<Stream> {
        let rtp = self.rtp.as_ref()?;
        let sources = rtp.sources();
        let sources = sources.filter_map(|(ssrc, source)| Some((ssrc, source.reception()?)));
        let (ssrc, reception) = sources.max_by_key(|(_, reception)| reception.received())?;
        let measured = &self.meter.inbound;
        let format = format_of(negotiated, measured, |format| format.receive);
        let clock = format.map_or(1, |format| format.codec.rtp_map().clock);
        Some(Stream {
            id: ssrc.to_string().into(),
            network: Some(Network {
                jitter: Some(Jitter {
                    inter_arrival: measured
                        .jitter
                        .average()
                        .or(Some(milliseconds(reception.jitter(), clock)))
                        .map(whole),
                    inter_arrival_max: Some(whole(milliseconds(reception.max_jitter(), clock))),
                    ..Jitter::default()
                }),
                packet_loss: Some(PacketLoss {
                    loss_rate: lost(reception).map(Float),
                    loss_rate_max: measured.loss.highest().or(lost(reception)).map(Float),
                    ..PacketLoss::default()
                }),
                utilization: Some(Utilization {
                    packets: Some(count(reception.received())),
                    bandwidth_est: rtp.estimated_bandwidth().map(|bits| count(bits.into())),
                    ..Utilization::default()
                }),
                ..Network::default()
            }),
            payload: format
                .map(|format| payload(negotiated.kind, format.codec, format.receive, None)),
            ..Stream::default()
        })
    }

    fn outbound(&self, negotiated: &Negotiated) -> Option<Stream> {
        let rtp = self.rtp.as_ref()?;
        let (packets, _) = rtp.sent();
        if packets == 0 {
            return None;
        }
        let measured = &self.meter.outbound;
        let format = format_of(negotiated, measured, |format| format.send);
        let loss = measured.loss.average();
        Some(Stream {
            id: rtp.ssrc().to_string().into(),
            network: Some(Network {
                jitter: measured.jitter.average().map(|average| Jitter {
                    inter_arrival: Some(whole(average)),
                    inter_arrival_max: measured.jitter.highest().map(whole),
                    ..Jitter::default()
                }),
                packet_loss: loss.map(|average| PacketLoss {
                    loss_rate: Some(Float(average)),
                    loss_rate_max: measured.loss.highest().map(Float),
                    ..PacketLoss::default()
                }),
                delay: measured.round_trip.average().map(|average| Delay {
                    round_trip: Some(whole(average)),
                    round_trip_max: measured.round_trip.highest().map(whole),
                    ..Delay::default()
                }),
                utilization: Some(Utilization {
                    packets: Some(count(packets.into())),
                    bandwidth_est: measured.bandwidth.map(|bits| count(bits.into())),
                    ..Utilization::default()
                }),
                ..Network::default()
            }),
            payload: format.map(|format| payload(negotiated.kind, format.codec, format.send, loss)),
            ..Stream::default()
        })
    }
}

fn label(negotiated: &Negotiated) -> Label {
    use ocs_sdpext::attribute::Label as Said;
    match (negotiated.label, negotiated.kind) {
        (Some(Said::MainAudio), _) | (None, StreamKind::Audio) => Label::MainAudio,
        (Some(Said::MainVideo), _) | (None, StreamKind::Video) => Label::MainVideo,
        (Some(Said::PanoramicVideo), _) => Label::PanoramicVideo,
        (Some(Said::ApplicationSharingVideo), _) => Label::ApplicationSharingVideo,
        (Some(other), _) => Label::Other(other.as_str().into()),
        (None, StreamKind::ApplicationSharing) => Label::ApplicationSharing,
        (None, StreamKind::Data) => Label::Other("data".into()),
    }
}

/// The format that was used last; before there was media, the one that should be.
fn format_of(
    negotiated: &Negotiated,
    measured: &Direction,
    number: impl Fn(&NegotiatedFormat) -> u8,
) -> Option<NegotiatedFormat> {
    let carries = |format: &&NegotiatedFormat| format.codec.purpose() == Purpose::Media;
    let mut media = negotiated.formats.iter().filter(carries);
    let used = |format: &&NegotiatedFormat| Some(number(format)) == measured.payload_type;
    media.clone().find(used).or_else(|| media.next()).copied()
}

fn payload(kind: StreamKind, codec: Codec, number: u8, loss: Option<f64>) -> Payload {
    let map = codec.rtp_map();
    let description = map.name;
    match kind {
        StreamKind::Audio => Payload {
            audio: Some(Audio {
                payload_type: Some(number.into()),
                payload_description: Some(Text::cut(description)),
                sample_rate: Some(count(sample_rate(codec).into())),
                ..Audio::default()
            }),
            ..Payload::default()
        },
        StreamKind::Video => Payload {
            video: Some(Video {
                payload_type: Some(number.into()),
                payload_description: Some(Text::cut(description)),
                video_packet_loss_rate: loss.map(Float),
                ..Video::default()
            }),
            ..Payload::default()
        },
        StreamKind::ApplicationSharing | StreamKind::Data => Payload {
            application_sharing: Some(ApplicationSharing {
                payload_description: Some(description.into()),
                ..ApplicationSharing::default()
            }),
            ..Payload::default()
        },
    }
}

/// Samples a second. The clock of G.722 is half of it (RFC 3551 4.5.2).
const fn sample_rate(codec: Codec) -> u32 {
    match codec {
        Codec::G722 | Codec::G722Stereo => 16_000,
        other => other.rtp_map().clock,
    }
}

fn lost(reception: &Reception) -> Option<f64> {
    let lost = reception.lost().max(0).unsigned_abs();
    fraction(lost, lost + reception.received())
}

/// Ports stand with the addresses of the two ends only (2.2.1.10).
fn address(address: SocketAddr, port: bool) -> Address {
    Address {
        ip_address: Some(address.ip().to_string().into()),
        port: port.then_some(address.port()),
        ..Address::default()
    }
}

fn whole(number: f64) -> i32 {
    number.round() as i32
}

fn count(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
