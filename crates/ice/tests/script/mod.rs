//! Randomness that is not.
#![allow(unreachable_pub, reason = "part of test binaries")]

use std::collections::VecDeque;

/// Gives the octets that a test wants, then others.
pub struct Script(VecDeque<u8>, u8);

impl Script {
    pub fn new(octets: impl Into<VecDeque<u8>>) -> Self {
        Self(octets.into(), 0)
    }
}

impl rand_core::TryRng for Script {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        rand_core::utils::next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, octets: &mut [u8]) -> Result<(), Self::Error> {
        for octet in octets {
            self.1 = self.1.wrapping_add(1);
            *octet = self.0.pop_front().unwrap_or(self.1);
        }
        Ok(())
    }
}
