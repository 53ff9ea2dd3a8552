//! Recordings as files.

use std::io::{Error, ErrorKind, Read, Result, Seek, Write};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use super::SAMPLE_RATE;

const SPEC: WavSpec = WavSpec {
    channels: 1,
    sample_rate: SAMPLE_RATE,
    bits_per_sample: 16,
    sample_format: SampleFormat::Int,
};

/// Reads a WAV file of 16-bit PCM, one channel, 8 kHz.
///
/// # Errors
/// `InvalidData` for another form, which is named, and for a file that is malformed or cut.
pub fn read_wav(reader: impl Read) -> Result<Vec<i16>> {
    let mut wav = WavReader::new(reader).map_err(io_error)?;
    let WavSpec {
        channels,
        sample_rate,
        bits_per_sample,
        ..
    } = wav.spec();
    if wav.spec() != SPEC {
        let form = format!(
            "wav of {channels} channels, {sample_rate} Hz, {bits_per_sample} bits; wanted are 1 channel, 8000 Hz, 16 bits of PCM"
        );
        return Err(Error::new(ErrorKind::InvalidData, form));
    }
    let samples: std::result::Result<_, _> = wav.samples().collect();
    samples.map_err(io_error)
}

/// Writes such a file.
pub fn write_wav(writer: impl Write + Seek, samples: &[i16]) -> Result<()> {
    let mut wav = WavWriter::new(writer, SPEC).map_err(io_error)?;
    for &sample in samples {
        wav.write_sample(sample).map_err(io_error)?;
    }
    wav.finalize().map_err(io_error)
}

fn io_error(error: hound::Error) -> Error {
    match error {
        hound::Error::IoError(error) => error,
        other => Error::new(ErrorKind::InvalidData, other),
    }
}
