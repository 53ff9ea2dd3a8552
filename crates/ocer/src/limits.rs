//! Bounds on what a peer can make us read.

/// Bounds on headers and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one diagnostics value. Default 65,535: the bound of `diagHeader` (\[MS-OCER\] 2.2.2), above that of a header line in
    /// [`ocs_sip_core::Limits`].
    pub diagnostics: usize,
    /// Progress reports of one transaction that are remembered or read. Default 64: outbound routing tries fewer gateways.
    pub progress_reports: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            diagnostics: 65_535,
            progress_reports: 64,
        }
    }
}
