//! Bounds on what a peer can make us hold.

/// Bounds on one message and on what is buffered of a stream.
///
/// A message over a bound gets a named error; on a stream whose framing still holds the message is skipped, otherwise
/// the connection has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of start line and headers. Default 65,536: the largest seen is a
    /// TLS-DSK REGISTER of some 4 KB; a long route set and identity headers stay far below.
    pub head: usize,
    /// Octets of one header with its continuation lines. Default 16,384: \[MS-SIPAE\] tokens need more than 8 KB.
    pub header_line: usize,
    /// Number of header lines. Default 256.
    pub headers: usize,
    /// Octets of the body. Default 1,048,576: a batch subscription or a large contact list stays below.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 64 * 1024,
            header_line: 16 * 1024,
            headers: 256,
            body: 1024 * 1024,
        }
    }
}
