//! What comes in.

use std::time::Instant;

use ocs_ice::{Component, ForkId};
use ocs_rtp::Kind;
use ocs_rtp::session::Received;
use ocs_sdpext::codec::Purpose;
use ocs_sdpext::negotiation::NegotiatedFormat;
use rand_core::{CryptoRng, SeedableRng};

use super::MediaStream;
use crate::packet::MediaPacket;

impl<R: CryptoRng + SeedableRng> MediaStream<R> {
    /// A packet that came from where the peer of a fork is.
    pub(super) fn receive(&mut self, now: Instant, id: ForkId, component: Component, data: &[u8]) {
        let Some(fork) = self.forks.iter_mut().find(|fork| fork.id == id) else {
            return;
        };
        let control = match (Kind::of(data), component) {
            (Some(Kind::Rtp), Component::Rtp) => false,
            (Some(Kind::Rtcp), component) if component == fork.control() => true,
            _ => {
                self.statistics.malformed += 1;
                return;
            }
        };
        let packet = self.incoming.fill(data);
        let opened = match &mut fork.opener {
            Some(opener) => opener.open(now, packet, control),
            None => Ok(packet.len()),
        };
        let len = match opened {
            Ok(len) => len,
            Err(ocs_srtp::Error::Replayed | ocs_srtp::Error::TooOld) => {
                self.statistics.replayed += 1;
                return;
            }
            Err(_) => {
                self.statistics.undecryptable += 1;
                return;
            }
        };
        let wanted = fork.negotiated.direction.receives();
        let Some(rtp) = self.rtp.as_mut().filter(|_| self.heard == Some(id)) else {
            self.statistics.unheard += 1;
            return;
        };
        if control {
            self.statistics.received.control += 1;
            // What is right in a compound counts, even if something else is not.
            if rtp.handle_rtcp(now, &packet[..len], data.len()).is_err() {
                self.statistics.malformed += 1;
            }
            if let Some(report) = rtp.peer_report() {
                let sent = self.meter.outbound.payload_type;
                let clock = self.clock(|format| format.send, sent);
                self.meter.note(&report, clock);
            }
            return;
        }
        match rtp.handle_rtp(now, &packet[..len]) {
            Ok(Received::Media(media)) => {
                let payload_type = media.payload_type();
                let carries = |format: &NegotiatedFormat| {
                    format.receive == payload_type && format.codec.purpose() == Purpose::Media
                };
                if self.meter.inbound.payload_type != Some(payload_type)
                    && fork.negotiated.formats.iter().any(carries)
                {
                    self.meter.inbound.payload_type = Some(payload_type);
                }
                self.statistics.received.packets += 1;
                self.statistics.received.octets += data.len() as u64;
                if wanted {
                    self.keep(len);
                } else {
                    self.statistics.unwanted += 1;
                }
            }
            Ok(_) => self.statistics.dropped += 1,
            Err(_) => self.statistics.malformed += 1,
        }
    }

    /// Keeps the packet that was opened for the application.
    fn keep(&mut self, len: usize) {
        if self.packets.len() >= self.config.limits.packets.max(1) {
            self.packets.pop_front();
            self.statistics.overflowed += 1;
        }
        let octets = self.incoming.take(len);
        self.packets.push_back(MediaPacket::new(octets));
    }
}
