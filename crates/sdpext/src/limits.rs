//! Bounds of what a description may hold.

/// Bounds of one description. A description beyond one of them is refused whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of the description; 65,536. At most 4 GiB whatever stands here, because lines are kept as 32-bit ranges.
    pub octets: usize,
    /// Lines; 4,096.
    pub lines: usize,
    /// `m=` lines; 20. They are compared with each other, so the cost of a negotiation grows with the square of this.
    pub media: usize,
    /// Formats of one `m=` line; 32.
    pub formats: usize,
    /// Descriptions in one multipart body; 8.
    pub alternatives: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            octets: 64 * 1024,
            lines: 4096,
            media: 20,
            formats: 32,
            alternatives: 8,
        }
    }
}
