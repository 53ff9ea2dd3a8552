//! Pictures as H.264 that any decoder shows, without a codec: Constrained Baseline of I_PCM macroblocks, whose samples stand in
//! the stream as they are, and of skipped ones, which are those of the picture before.
//!
//! [`Encoder`] makes access units in the byte stream form (Annex B), as a payload format takes them; [`Decoder`] reads these and nothing else.
//! Nothing is lost on the way: the picture that comes out is the one that went in.

mod bits;
mod decoder;
mod encoder;
mod picture;

pub use decoder::{Decoder, Undecodable};
pub use encoder::Encoder;
pub use picture::{BadSize, Picture, test_pattern};

/// Side of a macroblock in samples of luma.
const MACROBLOCK: usize = 16;

/// Types of a macroblock that has its samples in it: in a slice of type I, and behind the five types of its own in one of type P.
const I_PCM: u32 = 25;
const I_PCM_IN_P: u32 = 5 + I_PCM;

/// `slice_type` of slices of a picture that has no others.
const SLICE_P: u32 = 5;
const SLICE_I: u32 = 7;

/// `frame_num` has four bits.
const FRAME_NUMBERS: u32 = 16;
