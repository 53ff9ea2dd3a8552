//! Telephone events (\[MS-DTMF\], RFC 4733): named events, one in a packet, on a clock of 8,000 Hz.
//!
//! Digits can be secrets. Nothing here writes them anywhere.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Fragment;
use crate::Error;
use crate::seq::timestamp_distance;

/// Units of the timestamp per second.
pub const CLOCK_RATE: u32 = 8000;

/// The largest event that is known: flash.
const LAST_EVENT: u8 = 16;
/// Times that the last packet of an event is sent (RFC 4733 2.5.1.4).
const END_PACKETS: u8 = 3;
/// The shortest event that a key makes, in units of the timestamp: 100 ms, for many receivers miss shorter ones (general practice).
const MIN_PRESSED: u16 = 800;
/// Events that wait to be sent.
const MAX_QUEUE: usize = 64;
/// Without a packet for so long an event has ended: some intervals of packets.
const LOST_END: Duration = Duration::from_millis(150);
/// Packets of earlier events that come so much too late, in units of the timestamp, are ignored (inferred).
const LATE: i32 = 80_000;

/// An event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Event(u8);

impl Event {
    /// The flash hook, which \[MS-DTMF\] adds to RFC 4733. It is sent only to those who offered it.
    pub const FLASH: Self = Self(LAST_EVENT);

    /// An event by its number: 0 to 9 the digits, 10 `*`, 11 `#`, 12 to 15 `A` to `D`, 16 flash.
    pub const fn new(number: u8) -> Option<Self> {
        if number <= LAST_EVENT {
            Some(Self(number))
        } else {
            None
        }
    }

    /// The number.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// The event of a key.
    pub const fn of_key(key: char) -> Option<Self> {
        match key {
            '0'..='9' => Some(Self(key as u8 - b'0')),
            '*' => Some(Self(10)),
            '#' => Some(Self(11)),
            'A'..='D' => Some(Self(key as u8 - b'A' + 12)),
            'a'..='d' => Some(Self(key as u8 - b'a' + 12)),
            _ => None,
        }
    }

    /// The key of an event. Flash has none.
    pub const fn key(self) -> Option<char> {
        match self.0 {
            number @ 0..=9 => Some((number + b'0') as char),
            10 => Some('*'),
            11 => Some('#'),
            number @ 12..=15 => Some((number - 12 + b'A') as char),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Event {
    /// Does not tell the digit.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Event")
    }
}

/// A payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelephoneEvent {
    /// The event.
    pub event: Event,
    /// E: the event has ended.
    pub end: bool,
    /// Power level: -dBm0, 0 to 63.
    pub volume: u8,
    /// Duration so far in units of the timestamp, never 0.
    pub duration: u16,
}

impl TelephoneEvent {
    /// Octets of a payload.
    pub const LEN: usize = 4;

    /// Reads a payload. Of several events in one the first counts (inferred).
    ///
    /// The error [`PayloadType`](Error::PayloadType) says that the event is unknown, to be ignored.
    pub fn parse(payload: &[u8]) -> Result<Self, Error> {
        let malformed = Error::Payload {
            format: "telephone-event",
            len: payload.len(),
        };
        let &[number, flags, high, low] = payload.first_chunk().ok_or(malformed)?;
        let duration = u16::from_be_bytes([high, low]);
        if duration == 0 {
            return Err(malformed);
        }
        let event = Event::new(number).ok_or(Error::PayloadType {
            format: "telephone-event",
            kind: number,
        })?;
        Ok(Self {
            event,
            end: flags & 0x80 != 0,
            volume: flags & 0x3F,
            duration,
        })
    }

    /// The payload.
    pub const fn encode(&self) -> [u8; Self::LEN] {
        let [high, low] = self.duration.to_be_bytes();
        [
            self.event.0,
            (self.end as u8) << 7 | self.volume & 0x3F,
            high,
            low,
        ]
    }
}

/// A packet that the [`Sender`] wants sent now; [`Outgoing::event`](crate::session::Outgoing::event) is to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPacket {
    /// Payload and marker.
    pub payload: Fragment<'static>,
    /// Timestamp: that of the event's start in all its packets.
    pub timestamp: u32,
    /// A repetition of the last packet, which reports of the sender should not count.
    pub duplicate: bool,
}

/// An event on its way.
#[derive(Clone, Copy, Debug)]
struct Current {
    event: Event,
    start: u32,
    duration: u16,
    length: Option<u16>,
    /// Packets with E that are still to be sent.
    ends: u8,
}

/// Sends events one after the other. It is asked once per packet interval.
#[derive(Clone, Debug)]
pub struct Sender {
    interval: u16,
    gap: u16,
    volume: u8,
    queue: VecDeque<(Event, Option<u16>)>,
    current: Option<Current>,
    /// Intervals until the next event may begin.
    pause: u16,
}

impl Sender {
    /// A sender whose packets are so many milliseconds apart, 1 to 50; 20 is usual. `volume` is -dBm0, 0 to 63; 10 is usual.
    pub fn new(interval: u16, volume: u8) -> Result<Self, Error> {
        if !(1..=50).contains(&interval) {
            return Err(Error::OutOfRange { what: "interval" });
        }
        if volume > 63 {
            return Err(Error::OutOfRange { what: "volume" });
        }
        Ok(Self {
            interval: interval * 8,
            // Events are 50 ms apart (recalled).
            gap: 50_u16.div_ceil(interval),
            volume,
            queue: VecDeque::new(),
            current: None,
            pause: 0,
        })
    }

    /// Sends an event of so many milliseconds after those that wait; 100 is usual. It is rounded up to whole intervals.
    ///
    /// An event of more than 8.19 s would need segments, which this profile has not: it is refused.
    pub fn send(&mut self, event: Event, milliseconds: u16) -> Result<(), Error> {
        let length = u32::from(milliseconds.max(1)) * 8;
        let length = u16::try_from(length.next_multiple_of(u32::from(self.interval)))
            .map_err(|_| Error::OutOfRange { what: "duration" })?;
        self.enqueue(event, Some(length))
    }

    /// Sends an event that lasts until [`release`](Self::release), at most 8.19 s.
    pub fn press(&mut self, event: Event) -> Result<(), Error> {
        self.enqueue(event, None)
    }

    fn enqueue(&mut self, event: Event, length: Option<u16>) -> Result<(), Error> {
        if self.queue.len() >= MAX_QUEUE {
            return Err(Error::TooLong {
                what: "queue of events",
            });
        }
        self.queue.push_back((event, length));
        Ok(())
    }

    /// Ends the last event that was pressed, in its next packet, but not before it has lasted for 100 ms.
    pub fn release(&mut self) {
        match (self.queue.back_mut(), &mut self.current) {
            (Some((_, length)), _) => *length = length.or(Some(MIN_PRESSED)),
            (None, Some(current)) => current.length = current.length.or(Some(MIN_PRESSED)),
            (None, None) => {}
        }
    }

    /// Whether there is nothing more to send. Audio is usually suppressed while it is not.
    pub fn is_idle(&self) -> bool {
        self.current.is_none() && self.queue.is_empty()
    }

    /// One packet interval is over; `timestamp` was that of its beginning, on the clock of 8,000 Hz. Gives the packet to be sent now.
    pub fn tick(&mut self, timestamp: u32) -> Option<EventPacket> {
        let interval = self.interval;
        let current = match &mut self.current {
            Some(current) => current,
            None if self.pause > 0 => {
                self.pause -= 1;
                return None;
            }
            None => {
                let (event, length) = self.queue.pop_front()?;
                self.current.insert(Current {
                    event,
                    start: timestamp,
                    duration: 0,
                    length,
                    ends: END_PACKETS,
                })
            }
        };
        let first = current.duration == 0;
        let duplicate = current.ends < END_PACKETS;
        if !duplicate {
            current.duration += interval;
        }
        let longest = u16::MAX - interval;
        let end = current.duration >= current.length.unwrap_or(longest).min(longest);
        let event = TelephoneEvent {
            event: current.event,
            end,
            volume: self.volume,
            duration: current.duration,
        };
        let timestamp = current.start;
        if end {
            current.ends -= 1;
            if current.ends == 0 {
                self.current = None;
                self.pause = self.gap;
            }
        }
        Some(EventPacket {
            payload: Fragment::new(&event.encode(), &[], &[]).marked(first),
            timestamp,
            duplicate,
        })
    }
}

/// What the [`Receiver`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventChange {
    /// An event began.
    Started(Event),
    /// The event ended after so many units of the timestamp.
    Ended(Event, u16),
}

/// Recognises events in what comes in.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    current: Option<Heard>,
    changes: VecDeque<EventChange>,
}

/// The last event that was heard.
#[derive(Clone, Copy, Debug)]
struct Heard {
    event: Event,
    timestamp: u32,
    duration: u16,
    /// When it is taken to have ended without an end; `None` if it has ended.
    until: Option<Instant>,
}

impl Receiver {
    /// Hears nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A packet with the payload type of events came in. A new event begins with its timestamp; the first packet of it that comes, be it the last one that was
    /// sent, starts it.
    pub fn handle_packet(
        &mut self,
        now: Instant,
        timestamp: u32,
        payload: &[u8],
    ) -> Result<(), Error> {
        let packet = TelephoneEvent::parse(payload)?;
        self.handle_timeout(now);
        match &mut self.current {
            Some(heard) if heard.timestamp == timestamp => {
                if heard.until.is_none() || heard.event != packet.event {
                    return Ok(());
                }
                heard.duration = heard.duration.max(packet.duration);
                heard.until = Some(now + LOST_END);
            }
            Some(heard) if (-LATE..0).contains(&timestamp_distance(heard.timestamp, timestamp)) => {
                return Ok(());
            }
            _ => {
                self.end();
                self.changes.push_back(EventChange::Started(packet.event));
                self.current = Some(Heard {
                    event: packet.event,
                    timestamp,
                    duration: packet.duration,
                    until: Some(now + LOST_END),
                });
            }
        }
        if packet.end {
            self.end();
        }
        Ok(())
    }

    /// Ends an event of which nothing came for 150 ms.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|until| until <= now) {
            self.end();
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.current.and_then(|heard| heard.until)
    }

    /// What changed. At most three changes wait for each packet.
    pub fn poll_event(&mut self) -> Option<EventChange> {
        self.changes.pop_front()
    }

    fn end(&mut self) {
        if let Some(heard) = &mut self.current
            && heard.until.take().is_some()
        {
            self.changes
                .push_back(EventChange::Ended(heard.event, heard.duration));
        }
    }
}
