//! Who uses a telephone in the examples.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ocs_client::CallOptions;
use ocs_client::phone::{Event, LineId, Phone, Plan, StreamId};
use ocs_hosts::Person;
use ocs_media::MediaPacket;
use ocs_sdpext::codec::Codec;
use ocs_sdpext::negotiation::{OfferedStream, StreamKind};

use crate::talk::Talks;

/// A telephone of the examples on a host of the virtual network.
pub type PhoneHost = ocs_hosts::PhoneHost<Caller>;

/// What the person at a telephone does when it rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Waits for orders.
    Nothing,
    /// Lets it ring, with everything made ready to talk.
    Rings,
    /// Lets it ring so long, and answers.
    Answers(Duration),
    /// Lets it ring so long, and declines with this status.
    Declines(Duration, u16),
}

/// Opens two sockets, for RTP and RTCP, and says where they are.
pub type Ports = Box<dyn FnMut() -> io::Result<[SocketAddr; 2]> + Send>;

/// Answers as he is told to, and talks on every stream.
pub struct Caller {
    /// What he does when somebody calls.
    pub manner: Manner,
    /// What he says and hears.
    pub talks: Talks,
    ports: Ports,
    /// Calls that are to be answered or declined then.
    due: BTreeMap<LineId, Instant>,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller")
            .field("manner", &self.manner)
            .field("talks", &self.talks)
            .finish_non_exhaustive()
    }
}

impl Caller {
    /// Somebody with these sockets, who says this.
    #[must_use]
    pub const fn new(manner: Manner, ports: Ports, talks: Talks) -> Self {
        Self {
            manner,
            talks,
            ports,
            due: BTreeMap::new(),
        }
    }

    /// A plan over two free sockets.
    ///
    /// # Errors
    /// There are none.
    pub fn plan(&mut self, kind: StreamKind) -> io::Result<Plan> {
        let [rtp, rtcp] = (self.ports)()?;
        let codecs: &[Codec] = match kind {
            StreamKind::Video => &[Codec::H264Uc],
            _ => &[Codec::Pcmu, Codec::Pcma],
        };
        Ok(Plan::new(kind, rtp, rtcp, codecs))
    }

    /// A stream without sockets is not taken.
    fn plans(&mut self, streams: &[OfferedStream]) -> Vec<Plan> {
        let kinds = streams.iter().filter_map(|stream| stream.kind);
        kinds.filter_map(|kind| self.plan(kind).ok()).collect()
    }

    /// Calls somebody, with sound.
    ///
    /// # Errors
    /// There is no socket; as [`Phone::call`].
    pub fn call(
        &mut self,
        now: Instant,
        phone: &mut Phone,
        to: &str,
    ) -> Result<LineId, Box<dyn Error>> {
        let plan = self.plan(StreamKind::Audio)?;
        Ok(phone.call(now, to, &[plan], CallOptions::default())?)
    }
}

impl Person for Caller {
    fn handle_event(&mut self, now: Instant, phone: &mut Phone, event: &Event) {
        self.talks.handle_event(now, phone, event);
        match event {
            Event::Incoming { line, streams, .. } => {
                let after = match self.manner {
                    Manner::Nothing => return,
                    Manner::Rings => None,
                    Manner::Answers(after) | Manner::Declines(after, _) => Some(after),
                };
                let plans = self.plans(streams);
                // A call whose streams are of no use here rings all the same.
                let _ = phone.ring(now, *line);
                let _ = phone.prepare(now, *line, &plans);
                if let Some(after) = after {
                    self.due.insert(*line, now + after);
                }
            }
            Event::Offered { line, streams } => {
                let plans = self.plans(streams);
                let _ = phone.accept_streams(now, *line, &plans);
            }
            Event::Ended { line, .. } => {
                self.due.remove(line);
            }
            _ => {}
        }
    }

    fn handle_packet(
        &mut self,
        now: Instant,
        phone: &mut Phone,
        stream: StreamId,
        packet: &MediaPacket,
    ) {
        self.talks.hear(now, phone, stream, packet);
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
        self.talks.speak(now, phone);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let due = self.due.values().copied();
        due.chain(self.talks.poll_timeout()).min()
    }
}

/// Prints what became of the streams of a telephone's calls.
pub fn print_streams(name: &str, host: &PhoneHost) {
    for (_, event) in &host.events {
        let Event::Ended { streams, .. } = event else {
            continue;
        };
        for summary in streams {
            let (sent, received) = (&summary.statistics.sent, &summary.statistics.received);
            let talk = host.person.talks.of(summary.stream);
            println!(
                "{name}, {}: {} packets sent, {} received, {} lost{}",
                summary.kind.media_type().as_str(),
                sent.packets,
                received.packets,
                summary.lost,
                talk.map(|talk| format!("; {talk}")).unwrap_or_default(),
            );
        }
    }
}
