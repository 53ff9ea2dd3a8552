//! Bounds on what a peer can make us read.

/// Bounds on headers and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of one diagnostics value. Default 65,535: the bound of `diagHeader` (\[MS-OCER\] 2.2.2), above that of a header line in
    /// [`ocs_sip_core::Limits`].
    pub diagnostics: usize,
    /// Progress reports of one transaction that are remembered or read. Default 64: outbound routing tries fewer gateways.
    pub progress_reports: usize,
    /// Errors of one report. Default 16: clients send one.
    pub errors: usize,
    /// Of the document of a report. Default 262,144 octets and 8 levels: the schema has 5.
    pub report: ocs_xml::Limits,
    /// Calls of which a client remembers that it reported them. Default 64.
    pub reported_calls: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            diagnostics: 65_535,
            progress_reports: 64,
            errors: 16,
            report: ocs_xml::Limits {
                size: 256 * 1024,
                depth: 8,
                ..ocs_xml::Limits::default()
            },
            reported_calls: 64,
        }
    }
}
