//! What happens, and what comes of it.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use ocs_media::{Event as Told, Link, MediaPacket};

use super::slot::Slot;
use super::{Event, LineId, Output, Phone, StreamId, find};
use crate::Event as AgentEvent;

impl Phone {
    /// A datagram came to a socket of a stream. One that is of no stream is ignored.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        base: SocketAddr,
        from: SocketAddr,
        data: Bytes,
    ) {
        if let Some(&stream) = self.bases.get(&base)
            && let Some(slot) = self.slot_mut(stream)
        {
            slot.media.handle_datagram(now, base, from, data);
            self.collect(now, stream);
        }
    }

    /// Somebody connected to a listening socket of a stream; gives the names of stream and connection, or none: close it.
    pub fn handle_accepted(
        &mut self,
        now: Instant,
        base: SocketAddr,
        from: SocketAddr,
    ) -> Option<(StreamId, Link)> {
        let stream = *self.bases.get(&base)?;
        let link = self
            .slot_mut(stream)?
            .media
            .handle_accepted(now, base, from);
        self.collect(now, stream);
        Some((stream, link.ok()?))
    }

    /// A connection of a stream was made.
    pub fn handle_connected(&mut self, now: Instant, stream: StreamId, link: Link) {
        if let Some(slot) = self.slot_mut(stream) {
            slot.media.handle_connected(now, link);
            self.collect(now, stream);
        }
    }

    /// Octets came on a connection of a stream.
    pub fn handle_stream(&mut self, now: Instant, stream: StreamId, link: Link, data: Bytes) {
        if let Some(slot) = self.slot_mut(stream) {
            slot.media.handle_stream(now, link, data);
            self.collect(now, stream);
        }
    }

    /// A connection of a stream is gone, or could not be made.
    pub fn handle_closed(&mut self, now: Instant, stream: StreamId, link: Link) {
        if let Some(slot) = self.slot_mut(stream) {
            slot.media.handle_closed(now, link);
            self.collect(now, stream);
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.agent.handle_timeout(now);
        let slots = self.lines.values_mut().flat_map(|line| &mut line.slots);
        let due: Vec<StreamId> = slots
            .chain(&mut self.closing)
            .filter(|slot| slot.poll_timeout().is_some_and(|due| due <= now))
            .map(|slot| {
                slot.media.handle_timeout(now);
                slot.id
            })
            .collect();
        for stream in due {
            self.drain(stream);
        }
        self.settle(now);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let lines = self
            .lines
            .values()
            .filter_map(super::line::Line::poll_timeout);
        let closing = self.closing.iter().filter_map(Slot::poll_timeout);
        lines.chain(closing).chain(self.agent.poll_timeout()).min()
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        match self.agent.poll_output() {
            Some(output) => Some(Output::Agent(output)),
            None => self.outputs.pop_front(),
        }
    }

    /// The next packet of media that came.
    pub fn poll_packet(&mut self) -> Option<(StreamId, MediaPacket)> {
        self.packets.pop_front()
    }

    /// The next thing to tell.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Takes what a stream wants and tells after an input. Only news are worth a look at the calls: packets of media are not.
    pub(super) fn collect(&mut self, now: Instant, stream: StreamId) {
        if self.drain(stream) {
            self.settle(now);
        }
    }

    /// Takes what a stream wants and tells. Gives whether that may matter to its call.
    pub(super) fn drain(&mut self, stream: StreamId) -> bool {
        // With any answer a stream that is closing may have given back everything.
        let mut matters = !self.places.contains_key(&stream);
        let Some(slot) = find(&self.places, &mut self.lines, &mut self.closing, stream) else {
            return false;
        };
        while let Some(action) = slot.media.poll_action() {
            self.outputs.push_back(Output::Media { stream, action });
        }
        while let Some(packet) = slot.media.poll_packet() {
            if self.packets.len() >= self.config.packets {
                self.packets.pop_front();
            }
            self.packets.push_back((stream, packet));
        }
        while let Some(event) = slot.media.poll_event() {
            slot.note(&event);
            matters |= !matches!(event, Told::Rtp(_));
            self.events.push_back(Event::Media { stream, event });
        }
        matters
    }

    /// Lets every part finish what the last input started.
    pub(super) fn settle(&mut self, now: Instant) {
        loop {
            let mut busy = false;
            while let Some(event) = self.agent.poll_event() {
                busy = true;
                self.told(now, event);
            }
            let lines: Vec<LineId> = self.lines().collect();
            for line in lines {
                busy |= self.advance(now, line);
            }
            if !busy {
                break;
            }
        }
        self.bury();
    }

    fn told(&mut self, now: Instant, event: AgentEvent) {
        match event {
            AgentEvent::CallInvited {
                id,
                from,
                display_name,
                streams,
                replaces,
            } => self.invited(id, from, display_name, streams, replaces),
            AgentEvent::Call { id, event } => match self.line_of(id) {
                Some(line) => self.call_told(now, line, event),
                None => self
                    .events
                    .push_back(Event::Agent(AgentEvent::Call { id, event })),
            },
            event => self.events.push_back(Event::Agent(event)),
        }
    }

    /// Forgets streams that have given back everything.
    fn bury(&mut self) {
        let (gone, closing) = std::mem::take(&mut self.closing)
            .into_iter()
            .partition(|slot| slot.poll_timeout().is_none());
        self.closing = closing;
        for slot in gone {
            self.bases.retain(|_, stream| *stream != slot.id);
            let sockets = slot.plan.sockets.iter();
            self.events.push_back(Event::StreamClosed {
                stream: slot.id,
                sockets: sockets.map(|socket| socket.address).collect(),
            });
        }
    }
}
