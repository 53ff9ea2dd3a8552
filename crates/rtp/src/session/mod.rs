//! Sessions (\[MS-RTP\] 3): what a host keeps for the streams that it exchanges with its peer, as one machine.
//!
//! The parts are machines of their own, for those who need only one: [`Throttle`], [`DominantSpeaker`], [`ReportTimer`], [`Prober`], [`Estimator`],
//! [`Reception`].

mod config;
mod estimator;
mod event;
mod interval;
mod outbox;
mod probing;
mod receive;
mod reception;
mod repeat;
mod report;
mod send;
mod source;
mod speaker;
mod throttle;

pub use config::Config;
pub(crate) use config::MAX_DURATION;
pub use estimator::{Estimator, Trains};
pub use event::{Dropped, Event, Received};
pub use interval::{Membership, ReportTimer};
pub use probing::{Mode, Prober, Rate};
pub use reception::Reception;
pub use send::Outgoing;
pub use source::Source;
pub use speaker::DominantSpeaker;
pub use throttle::{SequenceState, Throttle, Verdict};

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

use rand_core::Rng;

use crate::rtcp::{Extension, MediaQuality, ReportBlock};
use crate::{Codec, Error};
use outbox::Outbox;
use repeat::Repeat;
use send::Stream;
use source::{Gone, Sources};

/// Events that wait; what happens when so many do is not told.
const MAX_EVENTS: usize = 1024;

/// The clock of payload types without a mapping.
const DEFAULT_CLOCK: u32 = 8000;

/// What the peer said last of what we send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerReport {
    /// Its report block.
    pub block: ReportBlock,
    /// When it came.
    pub at: Instant,
    /// The time to the peer and back. `None` if it had no SR of ours when it wrote.
    pub round_trip: Option<Duration>,
}

/// Limits of bandwidth that the peer told (types 7, 8, 10 and 14), in bit/s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct PeerLimits {
    policy: Option<u32>,
    turn: Option<u32>,
    receiver: Option<u32>,
    modality: Option<u32>,
}

impl PeerLimits {
    /// The least of them (inferred).
    fn least(self) -> Option<u32> {
        let all = [self.policy, self.turn, self.receiver, self.modality];
        all.into_iter().flatten().min()
    }
}

/// One RTP session with one peer: a client, or a mixer with many sources.
///
/// It takes and gives packets in the clear. SRTP stands between it and the network: authenticate first, then hand over. Media is written by
/// [`send`](Self::send) into a buffer of the caller; RTCP comes out of [`poll_transmit`](Self::poll_transmit), each packet by itself and in order, back to
/// back where there are several.
#[derive(Debug)]
pub struct Session<R> {
    config: Config,
    rng: R,
    begun: Instant,
    /// Clock rates by payload type.
    clocks: [u32; 128],
    streams: Vec<Stream>,
    /// When the own SSRCs were last chosen.
    chosen: Instant,
    /// The own SSRCs came from elsewhere, and were changed; until when another time is taken for a loop.
    conflict: Option<Instant>,
    loop_told: bool,
    throttle: Throttle,
    speaker: DominantSpeaker,
    history: Vec<u32>,
    sources: Sources,
    timer: ReportTimer,
    prober: Prober,
    estimator: Estimator,
    /// The source whose block comes first in the next report.
    report_from: u32,
    blocks: Vec<ReportBlock>,
    extensions: Vec<Extension<'static>>,
    quality: Option<MediaQuality>,
    /// Reports of ours in which we count as a sender.
    recent: u8,
    request_id: u16,
    repeat_pli: Repeat,
    repeat_request: Repeat,
    repeat_history: Repeat,
    loss_after: Option<Instant>,
    peer_limits: PeerLimits,
    send_limit: Option<u32>,
    peer_report: Option<PeerReport>,
    heard: Instant,
    inactive_told: bool,
    ended: bool,
    outbox: Outbox,
    events: VecDeque<Event>,
}

impl<R: Rng> Session<R> {
    /// Begins a session with one stream to be sent.
    pub fn new(now: Instant, mut config: Config, mut rng: R) -> Result<Self, Error> {
        config.check()?;
        let mut clocks = [DEFAULT_CLOCK; 128];
        for codec in crate::codec::CODECS {
            clocks[usize::from(codec.payload_type)] = codec.clock_rate;
        }
        let timer = ReportTimer::new(now, config.bandwidth, &mut rng);
        let sources = Sources::new(
            config.max_sources,
            config.participant_timeout,
            config.bye_timeout,
        );
        let first = match &config.local_range {
            Some(range) => *range.start(),
            None => send::random_ssrc(&mut rng, |_| false),
        };
        let offset = rng.next_u32();
        let streams = vec![Stream::new(first, offset, &mut rng)];
        if config.canonical_name.is_empty() {
            let [a, b, c] = [rng.next_u32(), rng.next_u32(), rng.next_u32()];
            config.canonical_name = format!("{a:08x}{b:08x}{c:08x}").into_bytes();
        }
        Ok(Self {
            prober: Prober::new(config.probes),
            estimator: Estimator::new(config.trains),
            request_id: rng.next_u32() as u16,
            rng,
            begun: now,
            clocks,
            streams,
            chosen: now,
            conflict: None,
            loop_told: false,
            throttle: Throttle::default(),
            speaker: DominantSpeaker::default(),
            history: Vec::new(),
            sources,
            timer,
            report_from: 0,
            blocks: Vec::new(),
            extensions: Vec::new(),
            quality: config.media_quality,
            recent: 0,
            repeat_pli: Repeat::default(),
            repeat_request: Repeat::default(),
            repeat_history: Repeat::default(),
            loss_after: None,
            peer_limits: PeerLimits::default(),
            send_limit: None,
            peer_report: None,
            heard: now,
            inactive_told: false,
            ended: false,
            outbox: Outbox::default(),
            events: VecDeque::new(),
            config,
        })
    }

    /// Maps a payload type, in the way that the SDP says. Without it the table of [`Codec`] counts. It matters for jitter and for reports of the sender.
    /// Redundant audio runs at the clock of the codec in it.
    pub fn set_clock_rate(&mut self, payload_type: u8, clock_rate: u32) {
        if let Some(clock) = self.clocks.get_mut(usize::from(payload_type)) {
            *clock = clock_rate.max(1);
        }
    }

    /// Goes back to the table of [`Codec`] for a payload type.
    pub fn reset_clock_rate(&mut self, payload_type: u8) {
        let rate = Codec::of(payload_type).map_or(DEFAULT_CLOCK, |codec| codec.clock_rate);
        self.set_clock_rate(payload_type, rate);
    }

    /// The SSRC of the first stream, which all RTCP is sent with.
    pub fn ssrc(&self) -> u32 {
        self.streams[0].ssrc
    }

    /// The SSRC of a stream. `None` if there is none of this number.
    pub fn ssrc_of(&self, stream: usize) -> Option<u32> {
        self.streams.get(stream).map(|stream| stream.ssrc)
    }

    /// Takes another `a=x-ssrc-range` of the peer, as a new answer may have it.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](Error::OutOfRange) if it is none; the former one stays.
    pub fn set_remote_range(&mut self, range: Option<RangeInclusive<u32>>) -> Result<(), Error> {
        config::check_range(range.as_ref())?;
        self.config.remote_range = range;
        Ok(())
    }

    /// Whether feedback is negotiated as `x-pli`, from now on.
    pub const fn set_extended_pli(&mut self, extended: bool) {
        self.config.extended_pli = extended;
    }

    /// The dominant speaker, by MSI.
    pub fn dominant_speaker(&self) -> Option<u32> {
        self.speaker.current()
    }

    /// The participants that are known.
    pub fn sources(&self) -> impl Iterator<Item = (u32, &Source)> {
        self.sources.iter()
    }

    /// A participant.
    pub fn source(&self, ssrc: u32) -> Option<&Source> {
        self.sources.get(ssrc)
    }

    /// What the peer said last of what we send.
    pub const fn peer_report(&self) -> Option<PeerReport> {
        self.peer_report
    }

    /// What was measured of the path from the peer, in bit/s.
    pub fn estimated_bandwidth(&self) -> Option<u32> {
        self.estimator.estimate()
    }

    /// The rate of reports, and what goes out with them.
    pub const fn probing(&self) -> (Rate, Mode) {
        (self.prober.rate(), self.prober.mode())
    }

    /// The next RTCP packet to be sent. It may be handed out only until something else is done with the session.
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        self.outbox.pop()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.ended {
            return None;
        }
        let inactive = (!self.inactive_told).then(|| self.heard + self.config.inactivity);
        [
            Some(self.timer.due()),
            self.sources.poll_timeout(),
            self.speaker.poll_timeout(),
            self.repeat_pli.poll_timeout(),
            self.repeat_request.poll_timeout(),
            self.repeat_history.poll_timeout(),
            inactive,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.ended {
            return;
        }
        let events = &mut self.events;
        let mut left = false;
        self.sources.handle_timeout(now, |ssrc, why| {
            left = true;
            if why == Gone::Silent {
                tell(events, Event::TimedOut(ssrc));
            }
        });
        if left {
            self.timer.handle_leave(now, self.sources.count().0 + 1);
        }
        if self.speaker.handle_timeout(now) {
            tell(&mut self.events, Event::DominantSpeaker(None));
        }
        for repeat in [
            &mut self.repeat_pli,
            &mut self.repeat_request,
            &mut self.repeat_history,
        ] {
            if let Some(octets) = repeat.handle_timeout(now) {
                self.timer
                    .handle_packet(octets.len() + self.config.overhead);
                self.outbox.push(octets);
            }
        }
        if !self.inactive_told && self.heard + self.config.inactivity <= now {
            self.inactive_told = true;
            tell(&mut self.events, Event::Inactive);
        }
        // Members are counted only when that matters: they may be many.
        if now < self.timer.due() {
            return;
        }
        let membership = self.membership();
        if self.timer.handle_timeout(now, membership, &mut self.rng) {
            self.send_report(now);
        }
    }

    fn membership(&self) -> Membership {
        let (members, senders) = self.sources.count();
        let we_sent = self.recent > 0;
        Membership {
            members: members + 1,
            senders: senders + u32::from(we_sent),
            we_sent,
        }
    }

    fn tell(&mut self, event: Event) {
        tell(&mut self.events, event);
    }
}

fn tell(events: &mut VecDeque<Event>, event: Event) {
    if events.len() < MAX_EVENTS {
        events.push_back(event);
    }
}
