//! Pictures and the test pattern.

use super::MACROBLOCK;

/// A size that is none: each side is a multiple of 16 samples, and there are 1 to 3,600 macroblocks, as level 3.1 has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadSize;

/// A picture of 8 bits, 4:2:0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    width: usize,
    height: usize,
    /// Y, Cb, Cr, each by rows.
    samples: Vec<u8>,
}

impl Picture {
    /// One colour: Y, Cb, Cr.
    pub fn new(width: usize, height: usize, [y, cb, cr]: [u8; 3]) -> Result<Self, BadSize> {
        let whole = |side: usize| side.is_multiple_of(MACROBLOCK);
        let macroblocks = (width / MACROBLOCK).checked_mul(height / MACROBLOCK);
        if !whole(width) || !whole(height) || !(1..=3600).contains(&macroblocks.ok_or(BadSize)?) {
            return Err(BadSize);
        }
        let luma = width * height;
        let mut samples = vec![y; luma];
        samples.resize(luma + luma / 4, cb);
        samples.resize(luma + luma / 2, cr);
        Ok(Self {
            width,
            height,
            samples,
        })
    }

    /// Samples of luma in a row.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Rows of luma.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// Y, Cb and Cr, one after the other, each by rows.
    pub fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// Gives a rectangle of luma one value. What is outside the picture is left out.
    pub fn fill(&mut self, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>, y: u8) {
        let columns = columns.start.min(self.width)..columns.end.min(self.width);
        for row in rows.start..rows.end.min(self.height) {
            let row = &mut self.samples[row * self.width..][..self.width];
            row[columns.clone()].fill(y);
        }
    }

    pub(super) const fn macroblocks(&self) -> usize {
        (self.width / MACROBLOCK) * (self.height / MACROBLOCK)
    }

    /// The rows of a macroblock, in the order in which I_PCM has them: where they begin, and how long they are.
    pub(super) fn rows_of(
        &self,
        macroblock: usize,
    ) -> impl Iterator<Item = (usize, usize)> + use<> {
        let across = self.width / MACROBLOCK;
        let (column, row) = (macroblock % across, macroblock / across);
        let luma = self.width * self.height;
        let (width, half) = (self.width, MACROBLOCK / 2);
        let plane = move |base: usize, stride: usize, side: usize| {
            (0..side).map(move |line| (base + (row * side + line) * stride + column * side, side))
        };
        plane(0, width, MACROBLOCK)
            .chain(plane(luma, width / 2, half))
            .chain(plane(luma + luma / 4, width / 2, half))
    }

    pub(super) fn at(&self, (start, len): (usize, usize)) -> &[u8] {
        &self.samples[start..start + len]
    }

    pub(super) fn at_mut(&mut self, (start, len): (usize, usize)) -> &mut [u8] {
        &mut self.samples[start..start + len]
    }
}

/// The picture `index` of a test film of 176 by 144: eight grey steps, and a white bar that goes eight samples to the right with each picture.
pub fn test_pattern(index: usize) -> Picture {
    const WIDTH: usize = 176;
    const HEIGHT: usize = 144;
    const STEP: usize = WIDTH / 8;
    let mut picture =
        Picture::new(WIDTH, HEIGHT, [16, 128, 128]).expect("whole macroblocks, not too many");
    for step in 0..8 {
        picture.fill(
            step * STEP..(step + 1) * STEP,
            0..HEIGHT,
            32 + 24 * step as u8,
        );
    }
    let bar = index * 8 % WIDTH;
    picture.fill(bar..bar + 8, HEIGHT / 3..2 * HEIGHT / 3, 235);
    picture
}
