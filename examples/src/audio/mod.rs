//! Sound of the telephone network: 8,000 samples of 16 bits a second, one channel.
//!
//! A recording whose samples are values of G.711 ([`Law::round`]) crosses a call of that law unchanged, sample for sample.

mod comparison;
mod g711;
mod recording;
mod tone;
mod wav;

pub use comparison::Comparison;
pub use g711::Law;
pub use recording::{MAX_SAMPLES, Recording, TooFar};
pub use tone::Tone;
pub use wav::{read_wav, write_wav};

/// Samples per second; of G.711 the clock rate of RTP, too.
pub const SAMPLE_RATE: u32 = 8000;

/// Samples in a packet of 20 ms.
pub const FRAME: usize = 160;

/// The frames of a recording. The last one is filled with silence.
pub fn frames(samples: &[i16]) -> impl ExactSizeIterator<Item = [i16; FRAME]> {
    samples.chunks(FRAME).map(|chunk| {
        let mut frame = [0; FRAME];
        frame[..chunk.len()].copy_from_slice(chunk);
        frame
    })
}
