//! Bounds of what is read.

/// Bounds of a document. They hold for what a peer sends; what is written here has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of the document. 1 MiB: a provisioning document of a real server had 52,146.
    pub size: usize,
    /// Elements inside each other. 64: no schema of the system comes near it.
    pub depth: usize,
    /// Attributes of one element, namespace declarations among them. 64.
    pub attributes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            size: 1 << 20,
            depth: 64,
            attributes: 64,
        }
    }
}
