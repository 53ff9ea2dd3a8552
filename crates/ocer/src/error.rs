//! What can be wrong with a header or a report.

/// Why a text is not what its grammar says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A diagnostics header starts with its ErrorId, a decimal number below 2^32 (\[MS-OCER\] 2.2.1.1).
    #[error("diagnostics do not start with an error id")]
    ErrorId,
    /// A parameter's name is not a token, or is one that has its own method.
    #[error("not the name of a diagnostics parameter")]
    ParamName,
    /// The report is not XML, or not this document.
    #[error("report: {0}")]
    Xml(#[from] ocs_xml::Error),
    /// A value or a list is longer than the limit for it.
    #[error("{what} exceeds {limit}")]
    TooLong {
        /// What it is.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
}
