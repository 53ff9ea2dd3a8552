//! Packet indices: which were there, and which one a sequence number stands for (RFC 3711 3.3.1, 3.3.2).

use crate::Error;

/// Values of a sequence number on each side of the newest one that are told apart.
const HALF: u16 = 1 << 15;

/// The highest index of SRTP: 32 bits of rollover counter and 16 of sequence number.
const MAX_RTP_INDEX: u64 = (1 << 48) - 1;

/// The newest index and a ring of bits for those up to `64 * WORDS` before it.
#[derive(Debug, Clone)]
pub(crate) struct Window<const WORDS: usize> {
    newest: u64,
    seen: [u64; WORDS],
}

impl<const WORDS: usize> Window<WORDS> {
    /// Indices that it remembers.
    pub(crate) const LEN: u64 = 64 * WORDS as u64;

    /// A window whose first index is this one.
    pub(crate) const fn starting(index: u64) -> Self {
        let mut window = Self {
            newest: index,
            seen: [0; WORDS],
        };
        let (word, bit) = Self::place(index);
        window.seen[word] = bit;
        window
    }

    const fn place(index: u64) -> (usize, u64) {
        ((index / 64) as usize % WORDS, 1 << (index % 64))
    }

    /// The newest index.
    pub(crate) const fn newest(&self) -> u64 {
        self.newest
    }

    /// Whether the index is new; `width` is at most [`LEN`](Self::LEN).
    pub(crate) const fn check(&self, index: u64, width: u64) -> Result<(), Error> {
        if index > self.newest {
            return Ok(());
        }
        if self.newest - index >= width {
            return Err(Error::TooOld);
        }
        let (word, bit) = Self::place(index);
        if self.seen[word] & bit == 0 {
            Ok(())
        } else {
            Err(Error::Replayed)
        }
    }

    /// Remembers an index that [`check`](Self::check) let through.
    pub(crate) fn mark(&mut self, index: u64) {
        if index.saturating_sub(self.newest) >= Self::LEN {
            *self = Self::starting(index);
            return;
        }
        for skipped in self.newest + 1..index {
            let (word, bit) = Self::place(skipped);
            self.seen[word] &= !bit;
        }
        self.newest = self.newest.max(index);
        let (word, bit) = Self::place(index);
        self.seen[word] |= bit;
    }

    /// The index that a sequence number most likely stands for. While the rollover counter is 0 there is none before: then a far sequence number
    /// is a jump forward.
    pub(crate) const fn guess(&self, seq: u16) -> Result<u64, Error> {
        let (roc, newest_seq) = (self.newest >> 16, self.newest as u16);
        let roc = if newest_seq < HALF {
            if seq.saturating_sub(newest_seq) > HALF {
                roc.saturating_sub(1)
            } else {
                roc
            }
        } else if newest_seq - HALF > seq {
            roc + 1
        } else {
            roc
        };
        let index = roc << 16 | seq as u64;
        if index > MAX_RTP_INDEX {
            return Err(Error::IndexExhausted);
        }
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    type Rtp = Window<16>;

    #[test]
    fn indices_are_guessed() {
        for (newest, seq, index) in [
            (0x0_0005, 6, 0x0_0006),
            (0x0_0005, 4, 0x0_0004),
            (0x0_0005, 0x9000, 0x0_9000),
            (0x0_0005, 0xfffe, 0x0_fffe),
            (0x0_fff0, 0x0001, 0x1_0001),
            (0x0_8001, 0x0000, 0x1_0000),
            (0x0_8000, 0x0000, 0x0_0000),
            (0x1_0005, 0xfffe, 0x0_fffe),
            (0x1_0005, 0x8005, 0x1_8005),
            (0x1_0005, 0x8006, 0x0_8006),
            (0x7_ffff, 0x0000, 0x8_0000),
        ] {
            let guess = Rtp::starting(newest).guess(seq);
            assert_eq!(guess, Ok(index), "{newest:#x} {seq:#x}");
        }
        let last = Rtp::starting(MAX_RTP_INDEX);
        assert_eq!(last.guess(0xfffe), Ok(MAX_RTP_INDEX - 1));
        assert_eq!(last.guess(0), Err(Error::IndexExhausted));
    }

    #[test]
    fn bounds_of_the_window() {
        let window = Window::<2>::starting(1000);
        assert_eq!(window.check(1000, 128), Err(Error::Replayed));
        assert_eq!(window.check(873, 128), Ok(()));
        assert_eq!(window.check(872, 128), Err(Error::TooOld));
        assert_eq!(window.check(937, 64), Ok(()));
        assert_eq!(window.check(936, 64), Err(Error::TooOld));
    }

    proptest! {
        #[test]
        fn a_window_remembers_as_a_set_does(
            start in 0_u64..300,
            steps in proptest::collection::vec(-200_i64..260, 0..200),
        ) {
            let mut window = Window::<2>::starting(start);
            let (mut seen, mut newest) = (BTreeSet::from([start]), start);
            for step in steps {
                let index = newest.saturating_add_signed(step);
                let expected = if index + 128 <= newest {
                    Err(Error::TooOld)
                } else if seen.contains(&index) {
                    Err(Error::Replayed)
                } else {
                    Ok(())
                };
                prop_assert_eq!(window.check(index, 128), expected);
                if expected.is_ok() {
                    window.mark(index);
                    seen.insert(index);
                    newest = newest.max(index);
                }
            }
        }
    }
}
