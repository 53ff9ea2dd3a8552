//! A sine.

use std::f64::consts::TAU;

use super::{Law, SAMPLE_RATE};

/// A sine as an endless recording, of values of one law.
#[derive(Clone, Debug)]
pub struct Tone {
    law: Law,
    amplitude: f64,
    /// Turns per sample.
    step: f64,
    /// Turns at the beginning.
    phase: f64,
    samples: u64,
}

impl Tone {
    /// A tone of `frequency` Hz, at a level in dBm0: a full scale sine has 3.17 in µ-law and 3.14 in A-law (ITU-T G.711 4). It begins
    /// `phase` turns, 0 to 1, behind the rising zero.
    pub fn new(law: Law, frequency: f64, level: f64, phase: f64) -> Self {
        // The highest decision values in units of 16 bits, and hundredths of dBm0.
        let (full_scale, full_scale_level) = match law {
            Law::Mu => (8159.0 * 4.0, 317.0),
            Law::A => (4096.0 * 8.0, 314.0),
        };
        Self {
            law,
            amplitude: full_scale * 10_f64.powf((level - full_scale_level / 100.0) / 20.0),
            step: frequency / f64::from(SAMPLE_RATE),
            phase,
            samples: 0,
        }
    }

    /// The test tone: 1 kHz at -10 dBm0.
    pub fn test(law: Law) -> Self {
        Self::new(law, 1000.0, -10.0, 0.0)
    }
}

impl Iterator for Tone {
    type Item = i16;

    fn next(&mut self) -> Option<i16> {
        #[expect(clippy::cast_precision_loss, reason = "a year has fewer samples")]
        let turns = self.samples as f64 * self.step + self.phase;
        self.samples += 1;
        let value = self.amplitude * (turns.fract() * TAU).sin();
        // Out of range becomes full scale.
        Some(self.law.round(value.round() as i16))
    }
}
