//! Who uses a telephone in tests: says numbers, and counts those that come.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use ocs_client::phone::{Event, LineId, Phone, Plan, Relay, Socket, StreamId};
use ocs_hosts::Person;
use ocs_ice::{Carrier, Component};
use ocs_media::MediaPacket;
use ocs_rtp::payload::Fragment;
use ocs_rtp::session::Outgoing;
use ocs_sdpext::codec::Codec;
use ocs_sdpext::negotiation::{OfferedStream, StreamKind};

const PACKET: Duration = Duration::from_millis(20);

/// What he does when it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Nothing at all.
    Waits,
    /// Lets it ring, with everything made ready.
    Rings,
    /// Answers after so long.
    Answers(Duration),
    /// Declines so after so long.
    Declines(Duration, u16),
}

/// One stream as he has it.
#[derive(Debug, Clone)]
pub(crate) struct Talk {
    line: LineId,
    next: Instant,
    payload_type: u8,
    /// Packets that were due.
    pub(crate) said: u32,
    /// Packets that were sent.
    pub(crate) sent: u32,
}

/// What came on a stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard {
    /// Packets of each telephone by its number.
    pub(crate) from: BTreeMap<u8, usize>,
    /// Packets that nobody says.
    pub(crate) spoilt: usize,
    /// The longest time without a packet.
    pub(crate) gap: Duration,
    last: Option<Instant>,
}

/// Does on his own what his manners are, and speaks on every stream.
#[derive(Debug)]
pub(crate) struct Talker {
    pub(crate) number: u8,
    pub(crate) manner: Manner,
    /// Whether further streams are taken; none: he does not say.
    pub(crate) takes_streams: Option<bool>,
    pub(crate) live: BTreeMap<StreamId, Talk>,
    pub(crate) streams: BTreeMap<StreamId, Heard>,
    address: IpAddr,
    relay: Option<SocketAddr>,
    port: u16,
    due: BTreeMap<LineId, Instant>,
}

impl Talker {
    pub(crate) const fn new(
        number: u8,
        address: IpAddr,
        manner: Manner,
        relay: Option<SocketAddr>,
    ) -> Self {
        Self {
            number,
            manner,
            takes_streams: Some(true),
            live: BTreeMap::new(),
            streams: BTreeMap::new(),
            address,
            relay,
            port: 20_000,
            due: BTreeMap::new(),
        }
    }

    pub(crate) fn plan(&mut self, kind: StreamKind) -> Plan {
        let port = self.port;
        self.port += 2;
        let [rtp, rtcp] = [port, port + 1].map(|port| SocketAddr::new(self.address, port));
        let codecs: &[Codec] = match kind {
            StreamKind::Video => &[Codec::H264Uc],
            _ => &[Codec::Pcmu],
        };
        let plan = Plan::new(kind, rtp, rtcp, codecs);
        let Some(server) = self.relay else {
            return plan;
        };
        let mut plan = plan.with_relay(server);
        // Where datagrams do not pass, the relay is reached over TCP.
        let address = SocketAddr::new(self.address, 50_000);
        for component in [Component::Rtp, Component::Rtcp] {
            plan.sockets.push(Socket {
                component,
                transport: ocs_ice::Transport::TcpActive,
                address,
            });
            plan.relays.push(Relay {
                component,
                carrier: Carrier::Tcp,
                base: address,
                server,
            });
        }
        plan
    }

    /// Plans for what is offered, as far as he knows it.
    pub(crate) fn plans(&mut self, streams: &[OfferedStream]) -> Vec<Plan> {
        let kinds = streams.iter().filter_map(|stream| stream.kind);
        kinds.map(|kind| self.plan(kind)).collect()
    }

    /// Packets that came on all streams.
    pub(crate) fn heard(&self) -> usize {
        let all = self.streams.values();
        all.flat_map(|heard| heard.from.values()).sum()
    }

    pub(crate) fn heard_from(&self, number: u8) -> usize {
        let all = self.streams.values();
        all.filter_map(|heard| heard.from.get(&number)).sum()
    }

    pub(crate) fn spoilt(&self) -> usize {
        self.streams.values().map(|heard| heard.spoilt).sum()
    }

    fn begin(&mut self, now: Instant, phone: &Phone, line: LineId) {
        for stream in phone.streams(line) {
            let Some(format) = phone.negotiated(stream).and_then(|n| n.formats.first()) else {
                continue;
            };
            self.live.entry(stream).or_insert(Talk {
                line,
                next: now,
                payload_type: format.send,
                said: 0,
                sent: 0,
            });
        }
    }
}

impl Person for Talker {
    fn handle_event(&mut self, now: Instant, phone: &mut Phone, event: &Event) {
        match event {
            Event::Incoming {
                line,
                streams,
                replaces,
                ..
            } => {
                let after = match self.manner {
                    // The user has said yes to the call before.
                    _ if replaces.is_some() => Some(Duration::ZERO),
                    Manner::Waits => return,
                    Manner::Rings => None,
                    Manner::Answers(after) | Manner::Declines(after, _) => Some(after),
                };
                let plans = self.plans(streams);
                let _ = phone.ring(now, *line);
                let _ = phone.prepare(now, *line, &plans);
                self.due.extend(after.map(|after| (*line, now + after)));
            }
            Event::Offered { line, streams } => {
                if let Some(takes) = self.takes_streams {
                    let plans = if takes {
                        self.plans(streams)
                    } else {
                        Vec::new()
                    };
                    let _ = phone.accept_streams(now, *line, &plans);
                }
            }
            Event::MediaUp { line } => self.begin(now, phone, *line),
            Event::StreamClosed { stream, .. } => {
                self.live.remove(stream);
            }
            Event::Ended { line, .. } => {
                self.due.remove(line);
                self.live.retain(|_, talk| talk.line != *line);
            }
            _ => {}
        }
    }

    fn handle_packet(
        &mut self,
        now: Instant,
        _: &mut Phone,
        stream: StreamId,
        packet: &MediaPacket,
    ) {
        let heard = self.streams.entry(stream).or_default();
        let rtp = packet.rtp();
        match rtp.payload() {
            [number, rest @ ..] if rest.len() == 159 && rest.iter().all(|o| o == number) => {
                *heard.from.entry(*number).or_default() += 1;
            }
            _ => heard.spoilt += 1,
        }
        let gap = heard.last.map(|last| now.duration_since(last));
        heard.gap = heard.gap.max(gap.unwrap_or_default());
        heard.last = Some(now);
    }

    fn handle_timeout(&mut self, now: Instant, phone: &mut Phone) {
        while let Some((&line, _)) = self.due.iter().find(|(_, due)| **due <= now) {
            self.due.remove(&line);
            // The caller may have given up.
            let _ = match self.manner {
                Manner::Declines(_, status) => phone.decline(now, line, status),
                _ => phone.answer(now, line, &[]),
            };
        }
        for (&stream, talk) in &mut self.live {
            while talk.next <= now {
                let outgoing = Outgoing {
                    payload_type: talk.payload_type,
                    timestamp: talk.said.wrapping_mul(160),
                    ..Outgoing::default()
                };
                let payload = [self.number; 160];
                let fragment = Fragment::whole(&payload, talk.said == 0);
                let sent = phone.send(now, stream, &outgoing, &fragment);
                talk.sent += u32::from(sent.is_ok());
                talk.said += 1;
                talk.next += PACKET;
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let due = self.due.values().copied();
        let speech = self.live.values().map(|talk| talk.next);
        due.chain(speech).min()
    }
}
