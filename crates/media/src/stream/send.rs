//! What goes out.

use std::time::Instant;

use ocs_ice::{Component, ForkId};
use ocs_rtp::payload::Fragment;
use ocs_rtp::session::Outgoing;
use ocs_sdpext::negotiation::NegotiatedFormat;
use rand_core::{CryptoRng, SeedableRng};

use super::MediaStream;
use crate::Error;

/// The clock of what nobody has agreed on.
const DEFAULT_CLOCK: u32 = 8000;

impl<R: CryptoRng + SeedableRng> MediaStream<R> {
    /// Sends a packet of media to the fork that is heard.
    ///
    /// # Errors
    /// [`Error::NoPath`] as long as no checks have passed; [`Error::NotSending`] on hold; [`Error::Rtp`] if the packet makes no sense;
    /// [`Error::Srtp`] if the key is used up.
    pub fn send(
        &mut self,
        now: Instant,
        outgoing: &Outgoing<'_>,
        payload: &Fragment<'_>,
    ) -> Result<(), Error> {
        let fork = self.heard.and_then(|id| self.fork(id));
        let fork = fork.filter(|_| !self.closed).ok_or(Error::NoPath)?;
        if !fork.negotiated.direction.sends() {
            return Err(Error::NotSending);
        }
        let id = fork.id;
        let rtp = self.rtp.as_mut().ok_or(Error::NoPath)?;
        self.scratch.clear();
        rtp.send(now, outgoing, payload, &mut self.scratch)?;
        self.closer.close(&mut self.scratch, false)?;
        let len = self.transmit(now, id, Component::Rtp)?;
        if !outgoing.event {
            self.meter.outbound.payload_type = Some(outgoing.payload_type);
        }
        self.statistics.sent.packets += 1;
        self.statistics.sent.octets += len;
        Ok(())
    }

    /// Sends the reports and messages of RTCP that wait, to the fork that is heard. They are lost if there is no path.
    pub(super) fn send_control(&mut self, now: Instant) {
        let before = self.statistics.sent.control;
        while let Some(octets) = self.rtp.as_mut().and_then(|rtp| rtp.poll_transmit()) {
            self.scratch.clear();
            self.scratch.extend_from_slice(octets);
            let fork = self.heard.and_then(|id| self.fork(id));
            let Some((id, component)) = fork.map(|fork| (fork.id, fork.control())) else {
                continue;
            };
            if self.closer.close(&mut self.scratch, true).is_ok()
                && self.transmit(now, id, component).is_ok()
            {
                self.statistics.sent.control += 1;
            }
        }
        if self.statistics.sent.control > before {
            self.measure(now);
        }
    }

    /// Takes a sample of what comes in.
    fn measure(&mut self, now: Instant) {
        let Some(rtp) = &self.rtp else {
            return;
        };
        let clock = self.clock(|format| format.receive, self.meter.inbound.payload_type);
        let sources = rtp.sources();
        let sources = sources.filter_map(|(ssrc, source)| Some((ssrc, source.reception()?)));
        self.meter.keep_sources(|ssrc| rtp.source(ssrc).is_some());
        self.meter.sample(now, sources, clock);
    }

    /// The clock of a payload type of the fork that is heard.
    pub(super) fn clock(
        &self,
        number: impl Fn(&NegotiatedFormat) -> u8,
        payload_type: Option<u8>,
    ) -> u32 {
        let fork = self.heard.and_then(|id| self.fork(id));
        let mut formats = fork.into_iter().flat_map(|fork| &fork.negotiated.formats);
        let format = formats.find(|format| Some(number(format)) == payload_type);
        format.map_or(DEFAULT_CLOCK, |format| format.codec.rtp_map().clock)
    }

    /// Sends what is in the scratch buffer.
    fn transmit(&mut self, now: Instant, fork: ForkId, component: Component) -> Result<u64, Error> {
        let len = self.scratch.len();
        self.outgoing.fill(&self.scratch);
        let data = self.outgoing.take(len);
        let sent = self.command_agent(now, fork, |agent| agent.send(now, component, data));
        sent.ok_or(Error::NoPath)??;
        Ok(len as u64)
    }
}
