//! Pictures: the encoder against its decoder, against FFmpeg, and through the payload format.

use std::io::Write;
use std::process::{Command, Stdio};

use ocs_examples::video::{BadSize, Decoder, Encoder, Picture, Undecodable, test_pattern};
use ocs_rtp::payload::h264::{
    AccessUnit, Config, Depacketizer, LayerDescription, Limits, NalHeader, Packetizer, PacsiFields,
    annex_b, nal_type,
};
use proptest::prelude::*;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A film of noise, with runs of zeros that would be start codes, of which some macroblocks stay.
fn noise(seed: u64, pictures: usize) -> Vec<Picture> {
    let mut rng = ChaCha12Rng::seed_from_u64(seed);
    let mut picture = Picture::new(64, 48, [0, 0, 0]).unwrap();
    let mut film = Vec::with_capacity(pictures);
    for _ in 0..pictures {
        for _ in 0..20 {
            let [column, row, y] = [60, 44, 8].map(|below| rng.next_u32() as usize % below);
            picture.fill(column..column + 4, row..row + 4, y as u8);
        }
        film.push(picture.clone());
    }
    film
}

fn test_film(pictures: usize) -> Vec<Picture> {
    (0..pictures).map(test_pattern).collect()
}

/// The access units of a film, with an IDR picture every `period` pictures.
fn encode(film: &[Picture], period: usize) -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new();
    let encode = |(index, picture)| encoder.encode(picture, index % period == 0);
    film.iter().enumerate().map(encode).collect()
}

fn kinds(access_unit: &[u8]) -> Vec<u8> {
    annex_b(access_unit)
        .map(|unit| NalHeader(unit[0]).kind())
        .collect()
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let film = test_film(3);
    let units = encode(&film, 2);
    let idr = [nal_type::SPS, nal_type::PPS, nal_type::IDR];
    assert_eq!(kinds(&units[0]), idr);
    assert_eq!(kinds(&units[1]), [nal_type::SLICE]);
    assert_eq!(kinds(&units[2]), idr);
    // 99 macroblocks of 384 octets; of the bar, at most two columns of five.
    assert!((99 * 384..100 * 384).contains(&units[0].len()));
    assert!(
        (3 * 384..10 * 385).contains(&units[1].len()),
        "{}",
        units[1].len()
    );
    // Nothing at all, but for the words that say so.
    let mut encoder = Encoder::new();
    encoder.encode(&film[0], false);
    assert!(encoder.encode(&film[0], false).len() < 16);
    // Another size begins anew.
    let other = Picture::new(16, 16, [1, 2, 3]).unwrap();
    assert_eq!(kinds(&encoder.encode(&other, false)), idr);
}

fn come_out_as_they_went_in(film: &[Picture], period: usize) {
    let mut decoder = Decoder::new();
    for (picture, access_unit) in film.iter().zip(encode(film, period)) {
        assert!(decoder.decode(&access_unit) == Ok(picture));
    }
}

#[test]
fn pictures_come_out_as_they_went_in() {
    come_out_as_they_went_in(&test_film(40), 25);
    come_out_as_they_went_in(&noise(1, 40), 40);
}

/// FFmpeg, an independent decoder, shows the same pictures.
#[test]
fn ffmpeg_shows_the_same_pictures() {
    for (film, period) in [(test_film(40), 25), (noise(2, 40), 40)] {
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-xerror", "-f", "h264", "-i", "pipe:0"]);
        command.args([
            "-fps_mode",
            "passthrough",
            "-f",
            "rawvideo",
            "-pix_fmt",
            "yuv420p",
            "pipe:1",
        ]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let Ok(mut ffmpeg) = command.spawn() else {
            println!("skipped: ffmpeg is not installed");
            return;
        };
        let mut input = ffmpeg.stdin.take().unwrap();
        let stream = encode(&film, period).concat();
        let writer = std::thread::spawn(move || input.write_all(&stream));
        let output = ffmpeg.wait_with_output().unwrap();
        writer.join().unwrap().unwrap();
        assert!(output.status.success());
        let size = film[0].samples().len();
        assert_eq!(output.stdout.len(), film.len() * size);
        for (index, (shown, picture)) in output.stdout.chunks(size).zip(&film).enumerate() {
            assert!(shown == picture.samples(), "picture {index}");
        }
    }
}

/// The payloads of an access unit, with their markers.
fn packetize(packetizer: &mut Packetizer, access_unit: &[u8]) -> Vec<(bool, Vec<u8>)> {
    let units: Vec<&[u8]> = annex_b(access_unit).collect();
    let layer = LayerDescription {
        coded_width: 176,
        coded_height: 144,
        display_width: 176,
        display_height: 144,
        constrained_baseline: true,
        ..LayerDescription::default()
    };
    let access_unit = AccessUnit {
        units: &units,
        fields: PacsiFields::default(),
        layout: &[layer],
        update: None,
    };
    let fragments = packetizer.packets(&access_unit).unwrap();
    fragments
        .map(|fragment| {
            let mut payload = Vec::new();
            fragment.write(&mut payload);
            (fragment.marker, payload)
        })
        .collect()
}

#[test]
fn the_payload_format_gives_the_same_access_units() {
    for (max_payload, aggregate) in [(1200, false), (1200, true), (300, true), (60_000, false)] {
        let film = test_film(30);
        let config = Config {
            max_payload,
            aggregate,
        };
        let mut packetizer = Packetizer::new(config, 65_530, 250).unwrap();
        let mut depacketizer = Depacketizer::new(Limits::default());
        let mut decoder = Decoder::new();
        let mut sequence = 65_500_u16;
        for (index, access_unit) in encode(&film, 10).iter().enumerate() {
            let timestamp = index as u32 * 18_000;
            for (marker, payload) in packetize(&mut packetizer, access_unit) {
                assert!(payload.len() <= max_payload);
                depacketizer
                    .handle_packet(sequence, timestamp, marker, &payload)
                    .unwrap();
                sequence = sequence.wrapping_add(1);
            }
            let frame = depacketizer.poll_frame().unwrap();
            assert!(!frame.damaged && !frame.reference_lost);
            assert_eq!(frame.timestamp, timestamp);
            assert!(frame.annex_b == access_unit, "access unit {index}");
            assert!(decoder.decode(frame.annex_b) == Ok(&film[index]));
            assert!(depacketizer.poll_frame().is_none());
        }
    }
}

#[test]
fn a_picture_that_is_lost_is_missed_until_the_next_idr_picture() {
    let film = test_film(10);
    let units = encode(&film, 5);
    let mut decoder = Decoder::new();
    let shown: Vec<bool> = units
        .iter()
        .zip(&film)
        .enumerate()
        .filter(|&(index, _)| index != 2)
        .map(|(_, (unit, picture))| decoder.decode(unit) == Ok(picture))
        .collect();
    assert_eq!(
        shown,
        [true, true, false, false, true, true, true, true, true]
    );
}

#[test]
fn sizes() {
    for (width, height) in [
        (0, 16),
        (16, 0),
        (8, 16),
        (16, 24),
        (1280, 736),
        (1 << 60, 1 << 60),
    ] {
        assert_eq!(Picture::new(width, height, [0; 3]), Err(BadSize));
    }
    let film = [Picture::new(1280, 720, [100, 90, 80]).unwrap()];
    come_out_as_they_went_in(&film, 1);
}

#[test]
fn what_is_cut_is_refused() {
    let access_unit = &encode(&noise(3, 1), 1)[0];
    for len in 0..access_unit.len() {
        let mut decoder = Decoder::new();
        assert_eq!(
            decoder.decode(&access_unit[..len]),
            Err(Undecodable),
            "{len}"
        );
    }
}

proptest! {
    #[test]
    fn noise_comes_out_as_it_went_in(seed: u64, period in 1_usize..8) {
        come_out_as_they_went_in(&noise(seed, 8), period);
    }

    #[test]
    fn anything_is_decoded_or_refused(at in 0_usize..400, octet: u8, more in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut access_unit = encode(&noise(4, 1), 1).remove(0);
        access_unit[at] = octet;
        access_unit.extend(more);
        let mut decoder = Decoder::new();
        let _ = decoder.decode(&access_unit);
    }
}
