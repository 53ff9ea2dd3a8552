//! Offers and answers (RFC 3264; \[MS-SDPEXT\] 3.1.5).
//!
//! A [`Session`] is the negotiation of one dialog: the `m=` lines, what was agreed on each, and whose turn it is. It makes
//! descriptions out of [`Stream`]s, the plans of the application, and reads those of the peer into [`Negotiated`] ones.
//!
//! What a dialog says over time, and which call makes or takes it:
//!
//! | description | call |
//! | --- | --- |
//! | our offer in INVITE | [`Session::add`], [`Session::offer`] |
//! | its answer in 183 or 200 | [`Session::handle_answer`] |
//! | an offer in INVITE | [`Session::handle_offer`], [`Session::accept`], [`Session::answer`] |
//! | the offer with the selected candidates | [`Session::stream_mut`] with the new [`Transport`], [`Session::offer`] |
//! | hold and retrieve | [`Session::hold`], [`Session::resume`], [`Session::offer`] |
//! | a stream less | [`Session::remove`], [`Session::offer`] |
//! | an offer that was refused | [`Session::abandon`] |

mod bandwidth;
mod config;
mod formats;
mod multiplex;
mod negotiated;
mod refusal;
mod session;
mod srtp;
mod stream;
mod write;

pub use bandwidth::BandwidthLimits;
pub use config::{Config, EncryptionPolicy, LabelBandwidth};
pub use formats::{NegotiatedFormat, Order};
pub use negotiated::{Negotiated, Remote};
pub use refusal::{Refusal, Violation};
pub use session::{
    Answer, Answered, Fallback, OfferedStream, SENDS_NO_RENDERING, Session, Stage, Verdict,
};
pub use srtp::Srtp;
pub use stream::{Sharing, Stream, StreamKind, Transport};
