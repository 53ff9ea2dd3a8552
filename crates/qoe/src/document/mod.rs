//! The documents (\[MS-QoE\] 2.2): [`VqReportEvent`] and [`CallQualityFeedbackReport`].
//!
//! Metrics that are not known are left out. What the schema demands is looked for when a report is sent ([`VqReportEvent::check`]), and may be missing in what is
//! read. What a schema has and nobody sends is kept as unknown.

mod event;
mod feedback;
mod media_line;
mod payload;
pub(crate) mod schema;
mod stream;
mod values;

pub use event::{DialogInfo, Endpoint, SessionReport, VqReportEvent};
pub use feedback::{CallQualityFeedbackReport, FEEDBACK_NAMESPACE};
pub use media_line::{
    Address, ClientEvents, Connectivity, Description, Device, MediaLine, NetworkConnectivityInfo,
    TraceRoute,
};
pub use payload::{
    ApplicationSharing, Audio, MetricAggregation, Payload, RateMatchingLevels, Resolutions, Signal,
    Video,
};
pub use schema::{SchemaVersion, Unknown};
pub use stream::{
    AudioEstimates, BurstGapLoss, Delay, Jitter, Network, NetworkMos, PacketLoss, QualityEstimates,
    RelativeOneWay, Stream, Utilization,
};
pub use values::{
    ApplicationShared, Float, Ice, Label, NetworkConnection, Text, Time, Transport, ice_warning,
};
