//! Numbers that wrap.

/// How far `to` is in front of `from`, -32768 to 32767 (RFC 3550 A.1 in other words).
#[inline]
pub const fn distance(from: u16, to: u16) -> i16 {
    to.wrapping_sub(from).cast_signed()
}

/// How far the timestamp `to` is in front of `from`.
#[inline]
pub const fn timestamp_distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from).cast_signed()
}
