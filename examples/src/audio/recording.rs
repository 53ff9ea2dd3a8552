//! What was heard.

use super::{Law, SAMPLE_RATE};

/// Bound of a [`Recording`]: an hour.
pub const MAX_SAMPLES: usize = SAMPLE_RATE as usize * 3600;

/// A timestamp says that a packet belongs before the first one, or behind [`MAX_SAMPLES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFar;

/// Puts the packets of one source together, each where its timestamp says. What did not come is silence.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    first: Option<u32>,
    samples: Vec<i16>,
}

impl Recording {
    /// Takes a packet. The first one is the beginning.
    pub fn push(&mut self, law: Law, timestamp: u32, payload: &[u8]) -> Result<(), TooFar> {
        let first = *self.first.get_or_insert(timestamp);
        let start = timestamp.wrapping_sub(first) as usize;
        let end = start + payload.len();
        if end > MAX_SAMPLES {
            return Err(TooFar);
        }
        if end > self.samples.len() {
            self.samples.resize(end, 0);
        }
        for (sample, &code) in self.samples[start..].iter_mut().zip(payload) {
            *sample = law.decode(code);
        }
        Ok(())
    }

    /// What there is.
    pub fn samples(&self) -> &[i16] {
        &self.samples
    }
}
