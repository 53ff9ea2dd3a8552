//! Arbitrary bytes in arbitrary pieces: no panic, and the same result as in one piece.
//!
//! The first byte tells how many bytes follow that give the sizes of the pieces; the rest is input.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocs_sipcomp::{Decoder, Error, Limits};

fn decode(wire: &[u8], sizes: &[u8]) -> (Vec<u8>, Result<(), Error>, u64) {
    let mut decoder = Decoder::new(Limits {
        output_per_call: 4096,
        ..Limits::default()
    });
    let mut sizes = sizes.iter().cycle();
    let mut out = Vec::new();
    let mut rest = wire;
    let mut result = Ok(());
    while !rest.is_empty() && result.is_ok() {
        let size = sizes
            .next()
            .map_or(usize::MAX, |&size| usize::from(size) + 1);
        let (mut piece, after) = rest.split_at(size.min(rest.len()));
        rest = after;
        while !piece.is_empty() {
            let before = out.len();
            match decoder.decode(piece, &mut out) {
                Ok(consumed) => piece = &piece[consumed..],
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
            assert!(out.len() - before < 4096 + 8192);
        }
    }
    (out, result, decoder.packet_offset())
}

fuzz_target!(|data: &[u8]| {
    let Some((&count, data)) = data.split_first() else {
        return;
    };
    let (sizes, wire) = data.split_at(usize::from(count).min(data.len()));
    let whole = decode(wire, &[]);
    assert_eq!(whole, decode(wire, &[0]));
    assert_eq!(whole, decode(wire, sizes));
});
