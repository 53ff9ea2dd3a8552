//! What is encoded decodes to itself.
//!
//! The first byte chooses the use of the history and, times sixteen, the size of the blocks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocs_sipcomp::{Decoder, Encoder, Header, MAX_BLOCK_SIZE};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else {
        return;
    };
    let mut encoder = Encoder::new();
    encoder.set_whole_history(choice & 1 == 0);
    let mut decoder = Decoder::default();
    // Three times over, so that the history is used and wraps.
    for _ in 0..3 {
        for block in data.chunks(usize::from(choice) * 16 + 1) {
            let mut wire = Vec::new();
            encoder.encode(block, &mut wire);
            let packets = block.len().div_ceil(MAX_BLOCK_SIZE);
            assert!(wire.len() <= block.len() + packets * Header::SIZE);
            let mut plain = Vec::new();
            assert_eq!(decoder.decode(&wire, &mut plain), Ok(wire.len()));
            assert!(decoder.is_at_boundary());
            assert_eq!(plain, block);
        }
    }
});
