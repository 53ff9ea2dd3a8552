//! All streams of a telephone.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

use ocs_client::phone::{Event, Phone, StreamId};
use ocs_media::MediaPacket;
use ocs_sdpext::negotiation::Negotiated;

use super::Talk;

/// Says what is said on a stream.
type Make = Box<dyn Fn(&Negotiated) -> Option<Talk> + Send>;

/// What is said and heard on the streams of a telephone: from the first packet on that comes, and to the peer once media flows.
pub struct Talks {
    make: Make,
    live: BTreeMap<StreamId, Talk>,
    /// Of streams that are over.
    pub ended: Vec<(StreamId, Talk)>,
}

impl fmt::Debug for Talks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Talks")
            .field("live", &self.live)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl Talks {
    /// Talks that are made by this: none for streams that are left alone.
    #[must_use]
    pub fn new(make: impl Fn(&Negotiated) -> Option<Talk> + Send + 'static) -> Self {
        Self {
            make: Box::new(make),
            live: BTreeMap::new(),
            ended: Vec::new(),
        }
    }

    /// What goes on.
    pub fn live(&self) -> impl Iterator<Item = &Talk> {
        self.live.values()
    }

    /// The talk of a stream, which may be over.
    #[must_use]
    pub fn of(&self, stream: StreamId) -> Option<&Talk> {
        let mut ended = self.ended.iter();
        self.live
            .get(&stream)
            .or_else(|| Some(&ended.find(|(other, _)| *other == stream)?.1))
    }

    fn meet(&mut self, phone: &Phone, stream: StreamId) -> Option<&mut Talk> {
        if !self.live.contains_key(&stream) {
            let talk = (self.make)(phone.negotiated(stream)?)?;
            self.live.insert(stream, talk);
        }
        self.live.get_mut(&stream)
    }

    /// Does what an event of the phone means.
    pub fn handle_event(&mut self, now: Instant, phone: &Phone, event: &Event) {
        match event {
            Event::MediaUp { line } => {
                for stream in phone.streams(*line) {
                    if let Some(talk) = self.meet(phone, stream) {
                        talk.begin(now);
                    }
                }
            }
            Event::StreamClosed { stream, .. } => {
                let talk = self.live.remove(stream);
                self.ended.extend(talk.map(|talk| (*stream, talk)));
            }
            _ => {}
        }
    }

    /// Takes a packet that came.
    pub fn hear(&mut self, now: Instant, phone: &Phone, stream: StreamId, packet: &MediaPacket) {
        if let Some(talk) = self.meet(phone, stream) {
            talk.hear(now, packet);
        }
    }

    /// Says what is due. On hold nothing is sent, and time goes on.
    pub fn speak(&mut self, now: Instant, phone: &mut Phone) {
        for (&stream, talk) in &mut self.live {
            talk.speak(now, &mut |outgoing, fragment| {
                phone.send(now, stream, outgoing, fragment).is_ok()
            });
        }
    }

    /// When something is to be said.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.live.values().filter_map(Talk::poll_timeout).min()
    }
}
