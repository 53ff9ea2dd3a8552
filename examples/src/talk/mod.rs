//! What is said, shown, heard and seen on the streams of a call.

mod show;
mod speech;
mod talks;

use std::fmt;
use std::time::{Duration, Instant};

use ocs_media::MediaPacket;
use ocs_rtp::payload::Fragment;
use ocs_rtp::session::Outgoing;
use ocs_sdpext::codec::Codec;
use ocs_sdpext::negotiation::Negotiated;

use crate::audio::Law;

pub use show::Show;
pub use speech::Speech;
pub use talks::Talks;

/// Takes a packet that is to be sent. False: it cannot be sent now.
pub type Send<'s> = &'s mut dyn FnMut(&Outgoing<'_>, &Fragment<'_>) -> bool;

/// One stream as a person has it. It counts packets as the application sees them.
#[derive(Debug)]
pub enum Talk {
    /// Sound.
    Speech(Box<Speech>),
    /// Pictures.
    Show(Box<Show>),
}

impl Talk {
    /// What an example says or shows on a stream: a tone, or the test pattern. None for formats that the examples do not have.
    #[must_use]
    pub fn example(negotiated: &Negotiated) -> Option<Self> {
        let used = negotiated.formats.first()?;
        Some(match used.codec {
            Codec::Pcmu => Self::Speech(Box::new(Speech::tone(Law::Mu, used.send))),
            Codec::Pcma => Self::Speech(Box::new(Speech::tone(Law::A, used.send))),
            Codec::H264Uc => Self::Show(Box::new(Show::new(used.send))),
            _ => return None,
        })
    }

    /// Says the first word now. Nothing happens to who has begun.
    pub fn begin(&mut self, now: Instant) {
        let start = match self {
            Self::Speech(speech) => &mut speech.start,
            Self::Show(show) => &mut show.start,
        };
        start.get_or_insert(now);
    }

    /// When something is to be sent next; none before the beginning, and when everything is said.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self {
            Self::Speech(speech) => speech.poll_timeout(),
            Self::Show(show) => show.poll_timeout(),
        }
    }

    /// Sends what is due.
    pub fn speak(&mut self, now: Instant, send: Send<'_>) {
        match self {
            Self::Speech(speech) => speech.speak(now, send),
            Self::Show(show) => show.speak(now, send),
        }
    }

    /// Takes a packet that came.
    pub fn hear(&mut self, now: Instant, packet: &MediaPacket) {
        match self {
            Self::Speech(speech) => speech.hear(now, packet),
            Self::Show(show) => show.hear(packet),
        }
    }
}

/// What came of it, for people.
impl fmt::Display for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Speech(speech) => {
                let milliseconds = speech.heard().len() / 8;
                write!(f, "{milliseconds} ms heard")
            }
            Self::Show(show) => write!(
                f,
                "{} pictures shown, {} seen, {} spoilt",
                show.shown(),
                show.seen,
                show.spoilt
            ),
        }
    }
}

/// The moment of a packet, counted from the first: without drift.
fn moment(start: Instant, index: u32, every: Duration) -> Instant {
    start + every * index
}
