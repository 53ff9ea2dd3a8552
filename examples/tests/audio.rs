//! Sound: G.711, files, tones, frames, recordings.

use std::io::{Cursor, ErrorKind};

use hound::{SampleFormat, WavSpec, WavWriter};
use ocs_examples::audio::{
    Comparison, FRAME, Law, MAX_SAMPLES, Recording, SAMPLE_RATE, Tone, TooFar, frames, read_wav,
    write_wav,
};
use proptest::prelude::*;

const LAWS: [Law; 2] = [Law::Mu, Law::A];

/// The value of a code by the construction of the recommendation: eight segments of 16 intervals, each segment twice as wide
/// as the one below, but for the lowest two of A-law.
fn by_construction(law: Law, code: u8) -> i32 {
    let plain = match law {
        Law::Mu => !code,
        Law::A => code ^ 0x55,
    };
    let segment = i32::from(plain >> 4 & 7);
    let interval = i32::from(plain & 0x0F);
    let (magnitude, positive) = match law {
        Law::Mu => (((2 * interval + 33) << segment) - 33, plain & 0x80 == 0),
        Law::A if segment == 0 => (2 * interval + 1, plain & 0x80 != 0),
        Law::A => ((2 * interval + 33) << (segment - 1), plain & 0x80 != 0),
    };
    // 14 bits of µ-law, 13 bits of A-law, at the top of 16.
    let scale = match law {
        Law::Mu => 4,
        Law::A => 8,
    };
    scale * if positive { magnitude } else { -magnitude }
}

#[test]
fn all_codes_have_the_values_of_the_recommendation() {
    for law in LAWS {
        for code in 0..=u8::MAX {
            let value = i32::from(law.decode(code));
            assert_eq!(value, by_construction(law, code), "{law:?} {code:#04x}");
        }
    }
    // The ends of the tables.
    assert_eq!(
        [0x80, 0x00, 0xFF].map(|code| Law::Mu.decode(code)),
        [32124, -32124, 0]
    );
    assert_eq!(
        [0xAA, 0x2A, 0xD5].map(|code| Law::A.decode(code)),
        [32256, -32256, 8]
    );
}

#[test]
fn each_code_comes_back_from_its_value() {
    for law in LAWS {
        for code in 0..=u8::MAX {
            let back = law.encode(law.decode(code));
            // µ-law has two zeros, of which the positive one is sent.
            let expected = if (law, code) == (Law::Mu, 0x7F) {
                0xFF
            } else {
                code
            };
            assert_eq!(back, expected, "{law:?} {code:#04x}");
        }
    }
}

#[test]
fn each_sample_is_rounded_to_a_value_beside_it() {
    for law in LAWS {
        let mut values: Vec<i16> = (0..=u8::MAX).map(|code| law.decode(code)).collect();
        values.sort_unstable();
        let mut last = i16::MIN;
        for sample in i16::MIN..=i16::MAX {
            let rounded = law.round(sample);
            assert!(rounded >= last, "{law:?} {sample}: it falls");
            last = rounded;
            let above = values.partition_point(|&value| value < sample);
            let beside = &values[above.saturating_sub(1)..values.len().min(above + 1)];
            assert!(beside.contains(&rounded), "{law:?} {sample} to {rounded}");
        }
    }
}

#[test]
fn payload_types_are_the_static_ones() {
    assert_eq!(LAWS.map(Law::payload_type), [0, 8]);
}

/// Through packets of a law, and through files on both sides.
fn transmit(law: Law, samples: &[i16]) -> Vec<i16> {
    let mut file = Cursor::new(Vec::new());
    write_wav(&mut file, samples).unwrap();
    let said = read_wav(&file.into_inner()[..]).unwrap();
    let mut heard = Recording::default();
    let mut timestamp = 0xFFFF_FF00_u32;
    for frame in frames(&said) {
        let payload = frame.map(|sample| law.encode(sample));
        heard.push(law, timestamp, &payload).unwrap();
        timestamp = timestamp.wrapping_add(FRAME as u32);
    }
    let mut file = Cursor::new(Vec::new());
    write_wav(&mut file, heard.samples()).unwrap();
    read_wav(&file.into_inner()[..]).unwrap()
}

proptest! {
    #[test]
    fn a_file_of_values_of_a_law_comes_out_sample_for_sample(
        codes in proptest::collection::vec(any::<u8>(), 0..10 * FRAME), mu: bool,
    ) {
        let law = if mu { Law::Mu } else { Law::A };
        let said: Vec<i16> = codes.iter().map(|&code| law.decode(code)).collect();
        let mut heard = transmit(law, &said);
        let filled = heard.split_off(said.len());
        let comparison = Comparison::of(&said, &heard);
        prop_assert!(comparison.is_equal(), "{}", comparison);
        prop_assert_eq!(comparison.compared, said.len());
        prop_assert!(filled.len() < FRAME && filled.iter().all(|&sample| sample == law.round(0)));
    }
}

#[test]
fn a_file_of_other_values_does_not() {
    let said = [1000_i16; FRAME];
    let comparison = Comparison::of(&said, &transmit(Law::A, &said));
    assert_eq!(
        comparison.to_string(),
        "160 of 160 samples differ, the first is 0"
    );
}

#[test]
fn the_test_tone_has_its_level_and_frequency() {
    for (law, full_scale_level) in [(Law::Mu, 317.0), (Law::A, 314.0)] {
        let samples: Vec<i16> = Tone::test(law).take(SAMPLE_RATE as usize).collect();
        assert!(samples.iter().all(|&sample| law.round(sample) == sample));
        let power: f64 = samples.iter().map(|&s| f64::from(s).powi(2)).sum();
        let full_scale = match law {
            Law::Mu => 8159.0 * 4.0,
            Law::A => 4096.0 * 8.0,
        };
        let full_power = f64::from(SAMPLE_RATE) * f64::powi(full_scale, 2) / 2.0;
        let level = full_scale_level / 100.0 + 10.0 * (power / full_power).log10();
        assert!((level + 10.0).abs() < 0.1, "{law:?}: {level} dBm0");
        let rising = samples
            .windows(2)
            .filter(|pair| pair[0] < 0 && pair[1] >= 0);
        assert!((998..=1000).contains(&rising.count()));
    }
}

#[test]
fn a_tone_begins_at_its_phase() {
    let tone = |phase| Tone::new(Law::Mu, 1000.0, 3.17, phase);
    let later: Vec<i16> = tone(0.0).skip(2).take(FRAME).collect();
    let turned: Vec<i16> = tone(0.25).take(FRAME).collect();
    assert_eq!(turned, later);
    assert_eq!(turned[0], 32124);
    // What is louder than full scale is cut.
    assert_eq!(Tone::new(Law::Mu, 1000.0, 20.0, 0.25).next(), Some(32124));
}

#[test]
fn frames_cover_everything_once() {
    let samples: Vec<i16> = (1..=400).collect();
    let framed = frames(&samples);
    assert_eq!(framed.len(), 3);
    let framed: Vec<i16> = framed.flatten().collect();
    assert_eq!(framed[..400], samples);
    assert!(framed[400..].iter().all(|&sample| sample == 0));
    assert_eq!(frames(&[]).len(), 0);
}

#[test]
fn a_recording_puts_packets_in_their_places() {
    let mut recording = Recording::default();
    let codes = |sample| [Law::Mu.encode(sample); FRAME];
    recording.push(Law::Mu, 1000, &codes(96)).unwrap();
    recording.push(Law::Mu, 1480, &codes(396)).unwrap();
    recording.push(Law::Mu, 1160, &codes(212)).unwrap();
    let samples = recording.samples();
    let frame_ends: Vec<i16> = samples
        .iter()
        .skip(FRAME - 1)
        .step_by(FRAME)
        .copied()
        .collect();
    assert_eq!(frame_ends, [96, 212, 0, 396]);
    // Before the first, and far behind the last.
    for timestamp in [999, 1000 + MAX_SAMPLES as u32] {
        assert_eq!(recording.push(Law::Mu, timestamp, &[0]), Err(TooFar));
    }
    assert_eq!(recording.samples().len(), 4 * FRAME);
}

#[test]
fn a_comparison_counts() {
    let compare = |expected: &[i16], actual: &[i16]| Comparison::of(expected, actual).to_string();
    assert_eq!(compare(&[1, 2, 3], &[1, 2, 3]), "0 of 3 samples differ");
    assert_eq!(
        compare(&[1, 2, 3, 4], &[1, 0, 0]),
        "2 of 3 samples differ, the first is 1; 1 are missing"
    );
    assert_eq!(
        compare(&[1], &[1, 2, 3]),
        "0 of 1 samples differ; 2 are too many"
    );
    assert!(!Comparison::of(&[1], &[]).is_equal());
}

#[test]
fn files_of_another_form_are_refused() {
    let spec = WavSpec {
        channels: 2,
        sample_rate: 44100,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut file = Cursor::new(Vec::new());
    WavWriter::new(&mut file, spec).unwrap().finalize().unwrap();
    let error = read_wav(&file.into_inner()[..]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(error.to_string().contains("2 channels, 44100 Hz"));

    let mut file = Cursor::new(Vec::new());
    write_wav(&mut file, &[1; 100]).unwrap();
    let file = file.into_inner();
    for len in 0..file.len() {
        assert!(read_wav(&file[..len]).is_err(), "cut at {len}");
    }
}
