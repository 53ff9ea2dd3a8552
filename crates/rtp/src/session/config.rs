//! How a session behaves.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::estimator::Trains;
use crate::Error;
use crate::rtcp::{MediaQuality, NtpTime};

/// The highest SSRC of a negotiated range (\[MS-SDPEXT\] 3.1.5.31).
const MAX_RANGED_SSRC: u32 = 0xFFFF_FF00;
/// No duration may be longer: sums with the time of now stay in what there is.
pub(crate) const MAX_DURATION: Duration = Duration::from_hours(24);

/// What is negotiated or chosen before a session begins.
#[derive(Clone, Debug)]
pub struct Config {
    /// The own `a=x-ssrc-range`. Without one there is one stream with a random SSRC.
    pub local_range: Option<RangeInclusive<u32>>,
    /// The peer's `a=x-ssrc-range`: what comes from outside is dropped, and SSRCs are not throttled.
    pub remote_range: Option<RangeInclusive<u32>>,
    /// Bit/s of media, of which RTCP takes a twentieth. The default is 64,000.
    pub bandwidth: u32,
    /// CNAME of the own SDES. Without one the session makes one of 96 random bits (RFC 7022), for no report goes without: it would
    /// be taken for a probe.
    pub canonical_name: Vec<u8>,
    /// States of devices and network that reports tell from the beginning. A host with audio that is no mixer has the default state here, with
    /// nothing known (\[MS-RTP\] 3.2).
    pub media_quality: Option<MediaQuality>,
    /// Wall-clock time at the beginning.
    pub ntp: NtpTime,
    /// Octets of the headers from the network layer to UDP: 28 with IPv4, 48 with IPv6. They count in measurements of bandwidth.
    pub overhead: usize,
    /// Whether packet pairs and trains are sent.
    pub probes: bool,
    /// What is said of trains that come in.
    pub trains: Trains,
    /// Whether Confidence Level is sent. Without it the extension is that of the first products.
    pub confidence: bool,
    /// Whether feedback was negotiated as `x-pli` (or PLI without FCI otherwise).
    pub extended_pli: bool,
    /// Whether a packet is given to the application that is out of place and starts throttling. The specification does not
    /// drop it.
    pub deliver_first: bool,
    /// Participant time-out: 50 s. This and all other durations are 24 hours at most.
    pub participant_timeout: Duration,
    /// RTCP BYE timer: 20 s; old products have 2 s.
    pub bye_timeout: Duration,
    /// The transport counts as dead when nothing came for so long: 30 s.
    pub inactivity: Duration,
    /// Spacing of packet loss notifications: 500 ms; it must not be less than 200 ms.
    pub loss_spacing: Duration,
    /// A limit of bandwidth by the peer that is lower counts as this one, so that no peer can stall a stream. 10,000 bit/s.
    pub min_bandwidth: u32,
    /// Participants that are known at a time; packets of others are dropped. 1,000 (inferred).
    pub max_sources: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            local_range: None,
            remote_range: None,
            bandwidth: 64_000,
            canonical_name: Vec::new(),
            media_quality: None,
            ntp: NtpTime::default(),
            overhead: 28,
            probes: true,
            trains: Trains::default(),
            confidence: true,
            extended_pli: true,
            deliver_first: true,
            participant_timeout: Duration::from_secs(50),
            bye_timeout: Duration::from_secs(20),
            inactivity: Duration::from_secs(30),
            loss_spacing: Duration::from_millis(500),
            min_bandwidth: 10_000,
            max_sources: 1000,
        }
    }
}

impl Config {
    pub(super) fn check(&self) -> Result<(), Error> {
        check_range(self.local_range.as_ref())?;
        check_range(self.remote_range.as_ref())?;
        let durations = [
            self.participant_timeout,
            self.bye_timeout,
            self.inactivity,
            self.loss_spacing,
        ];
        if durations
            .into_iter()
            .any(|duration| duration > MAX_DURATION)
        {
            return Err(Error::OutOfRange { what: "duration" });
        }
        if self.canonical_name.len() > 255 {
            return Err(Error::TooLong {
                what: "canonical name",
            });
        }
        if self.loss_spacing < Duration::from_millis(200) {
            return Err(Error::OutOfRange {
                what: "spacing of loss notifications",
            });
        }
        Ok(())
    }
}

pub(super) fn check_range(range: Option<&RangeInclusive<u32>>) -> Result<(), Error> {
    if range.is_some_and(|range| {
        range.is_empty() || *range.start() == 0 || *range.end() > MAX_RANGED_SSRC
    }) {
        return Err(Error::OutOfRange {
            what: "range of SSRCs",
        });
    }
    Ok(())
}
