//! The history that both halves of a connection keep.

use crate::HISTORY_SIZE;

/// Where the current pass begins in [`History::bytes`].
pub(crate) const FRONT: usize = HISTORY_SIZE;
/// Copies and literal runs are stored, and words are compared, in whole chunks: what they touch too
/// much lies here at worst.
const SLACK: usize = 32;
pub(crate) const LINEAR: usize = 2 * HISTORY_SIZE + SLACK;

/// The history of one direction, laid out so that nothing wraps.
///
/// It is a ring of 8192 bytes whose whole content is always valid ([MS-RDPBCGR] 3.1.8.1): an offset
/// that reaches beyond the front reads what the previous pass left at the end. Here the previous
/// pass lies directly before the current one. So offsets never wrap, and storing a few bytes too
/// many does no harm: behind the current position nothing is read before it is written.
pub(crate) struct History {
    pub(crate) bytes: Box<[u8; LINEAR]>,
    /// HistoryOffset, 0 to 8192: the bytes of the current pass.
    pub(crate) offset: usize,
    /// The bytes of the previous pass that may differ from zero.
    previous: usize,
}

impl History {
    pub(crate) fn new() -> Self {
        Self {
            bytes: zeroed(),
            offset: 0,
            previous: 0,
        }
    }

    /// `PACKET_AT_FRONT`: HistoryOffset goes back to 0, the content stays. The cost is that of the
    /// bytes added since the last time.
    pub(crate) fn go_to_front(&mut self) {
        self.bytes.copy_within(FRONT..FRONT + self.offset, 0);
        self.previous = self.previous.max(self.offset);
        self.offset = 0;
    }

    /// `PACKET_FLUSHED`: the history is zero again. Only what was written since the last time costs
    /// anything, so that a flood of empty flushed packets is cheap.
    pub(crate) fn flush(&mut self) {
        self.bytes[..self.previous].fill(0);
        self.previous = 0;
        self.offset = 0;
    }
}

/// An array of zeros that never stands on the stack.
#[expect(clippy::unnecessary_box_returns, reason = "too large to be moved")]
pub(crate) fn zeroed<T: Copy + Default, const N: usize>() -> Box<[T; N]> {
    let zeros = vec![T::default(); N].into_boxed_slice();
    // A slice of N elements is an array of N elements.
    zeros.try_into().unwrap_or_else(|_| unreachable!())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(history: &mut History, bytes: &[u8]) {
        let start = FRONT + history.offset;
        history.bytes[start..start + bytes.len()].copy_from_slice(bytes);
        history.offset += bytes.len();
    }

    #[test]
    fn the_front_keeps_what_it_does_not_cover() {
        let mut history = History::new();
        append(&mut history, b"abcdef");
        history.go_to_front();
        append(&mut history, b"xy");
        history.go_to_front();
        assert_eq!(history.bytes[..8], *b"xycdef\0\0");
        assert_eq!(history.offset, 0);
    }

    #[test]
    fn a_flush_leaves_zeros_only() {
        let mut history = History::new();
        append(&mut history, &[1; 8192]);
        history.go_to_front();
        append(&mut history, &[2; 100]);
        history.flush();
        assert_eq!((history.offset, history.previous), (0, 0));
        assert!(history.bytes[..FRONT].iter().all(|&byte| byte == 0));
    }
}
