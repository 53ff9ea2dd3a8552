//! How a stream behaves.

use ocs_ice::{Dialect, Role};
use ocs_sdpext::attribute::SsrcRange;
use ocs_sdpext::negotiation::StreamKind;
use ocs_turn::client::Credentials;

/// Bounds of what waits for the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Packets of media that came in and were not polled; 512. The oldest one is dropped for a new one.
    pub packets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { packets: 512 }
    }
}

/// The configuration of a [`MediaStream`](crate::MediaStream).
#[derive(Debug, Clone)]
pub struct Config {
    /// What is in the `m=` line.
    pub kind: StreamKind,
    /// How it finds its path: dialect, role (controlling for who made the offer), candidates, times and bounds, that of forks among them.
    pub ice: ocs_ice::Config,
    /// Credentials of \[MS-AVEDGEA\] for relays; none where there are no relays.
    pub relay: Option<Credentials>,
    /// Our SSRCs. None: they are drawn, 100 for video and one otherwise (\[MS-SDPEXT\] 3.1.5.31).
    pub ssrc_range: Option<SsrcRange>,
    /// How RTP behaves. Its ranges and the form of PLI are those that are negotiated; its `ntp` is the wall-clock time at which the stream is made.
    pub rtp: ocs_rtp::session::Config,
    /// How SRTP receives.
    pub srtp: ocs_srtp::ReceiverConfig,
    /// Whether media goes to the default address of a peer without ICE, and is taken from there: gateways in the same network, with media bypass. Nothing
    /// shows that such an address wants media. Off unless set.
    pub allow_without_ice: bool,
    /// Bounds.
    pub limits: Limits,
}

impl Config {
    /// The defaults for a stream.
    #[must_use]
    pub fn new(kind: StreamKind, dialect: Dialect, role: Role) -> Self {
        Self {
            kind,
            ice: ocs_ice::Config::new(dialect, role),
            relay: None,
            ssrc_range: None,
            rtp: ocs_rtp::session::Config::default(),
            srtp: ocs_srtp::ReceiverConfig::default(),
            allow_without_ice: false,
            limits: Limits::default(),
        }
    }
}
