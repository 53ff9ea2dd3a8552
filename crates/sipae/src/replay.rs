//! The replay window on sequence numbers (\[MS-SIPAE\] 3.2.5.2, 3.3.5.3; \[MS-SIP\] 3.1.5.1).

/// How many numbers below the highest one are still accepted.
pub const WINDOW: u32 = 256;

/// Why a sequence number is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Replay {
    /// The number was accepted before.
    #[error("sequence number {0} repeated")]
    Repeated(u32),
    /// The number lies below the window.
    #[error("sequence number {0} is below the window")]
    Below(u32),
}

/// The numbers seen so far: the highest, and which of the 256 below it.
///
/// At first the window is 1 to 256. Numbers may come in any order inside it; a higher number moves it up.
/// Give it only numbers whose signature was verified.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplayWindow {
    /// At first 0, which is never valid: refused as a repetition.
    highest: u32,
    /// Bit `d - 1` says that `highest - d` was seen.
    below: [u64; 4],
}

impl ReplayWindow {
    /// The highest number accepted so far, 0 if none.
    #[must_use]
    pub const fn highest(&self) -> u32 {
        self.highest
    }

    /// Marks `number` as seen, or says why it must not be accepted.
    pub fn accept(&mut self, number: u32) -> Result<(), Replay> {
        if let Some(step) = number.checked_sub(self.highest).filter(|&step| step > 0) {
            self.shift(step);
            self.highest = number;
            return Ok(());
        }
        let distance = self.highest - number;
        if distance == 0 {
            return Err(Replay::Repeated(number));
        }
        if distance > WINDOW || number == 0 {
            return Err(Replay::Below(number));
        }
        let bit = distance - 1;
        let word = &mut self.below[(bit / 64) as usize];
        let mask = 1_u64 << (bit % 64);
        if *word & mask != 0 {
            return Err(Replay::Repeated(number));
        }
        *word |= mask;
        Ok(())
    }

    /// Moves the marks up by `step`, and marks what was the highest number.
    fn shift(&mut self, step: u32) {
        if step > WINDOW {
            self.below = [0; 4];
            return;
        }
        let (words, bits) = ((step / 64) as usize, step % 64);
        for at in (0..4_usize).rev() {
            let low = at.checked_sub(words).map_or(0, |from| self.below[from]);
            let carry = at.checked_sub(words + 1).map_or(0, |from| self.below[from]);
            self.below[at] = if bits == 0 {
                low
            } else {
                low << bits | carry >> (64 - bits)
            };
        }
        let bit = step - 1;
        self.below[(bit / 64) as usize] |= 1 << (bit % 64);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn starts_with_1_to_256_in_any_order() {
        let mut window = ReplayWindow::default();
        for number in (1..=256).rev() {
            assert_eq!(window.accept(number), Ok(()), "{number}");
        }
        for number in 1..=256 {
            assert_eq!(window.accept(number), Err(Replay::Repeated(number)));
        }
        assert!(window.accept(0).is_err());
        assert_eq!(window.accept(300), Ok(()));
        assert_eq!(window.accept(43), Err(Replay::Below(43)));
        assert_eq!(window.accept(44), Err(Replay::Repeated(44)));
        assert_eq!(window.accept(257), Ok(()));
    }

    #[test]
    fn zero_and_the_last_number() {
        let mut window = ReplayWindow::default();
        assert!(window.accept(0).is_err());
        assert_eq!(window.accept(u32::MAX), Ok(()));
        assert_eq!(window.accept(u32::MAX - 256), Ok(()));
        assert_eq!(
            window.accept(u32::MAX - 257),
            Err(Replay::Below(u32::MAX - 257))
        );
        assert!(window.accept(u32::MAX).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn agrees_with_a_set(numbers in prop::collection::vec(
            prop_oneof![1_u32..700, 1_u32..5000], 0..300)) {
            let mut window = ReplayWindow::default();
            let mut seen = BTreeSet::new();
            for number in numbers {
                let highest = seen.last().copied().unwrap_or(0);
                let fresh = number + WINDOW >= highest && !seen.contains(&number);
                prop_assert_eq!(window.accept(number).is_ok(), fresh);
                if fresh {
                    seen.insert(number);
                }
            }
        }
    }
}
