//! What can be wrong with what this crate is given.

/// The error of every operation of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A host is neither a DNS name (RFC 1035 2.3.4, ASCII, at most 253 octets) nor an IP address,
    /// or an IP address stands where a domain is needed.
    #[error("{field} is not a valid host name")]
    InvalidHost {
        /// Which input it was.
        field: &'static str,
    },
    /// A port of 0.
    #[error("{field} has port 0")]
    InvalidPort {
        /// Which input it was.
        field: &'static str,
    },
    /// Datagrams: the system speaks SIP over TCP and TLS only.
    #[error("{field} has a transport other than tcp and tls")]
    InvalidTransport {
        /// Which input it was.
        field: &'static str,
    },
    /// An answer to a query that was never asked.
    #[error("answer to a query that was not asked")]
    UnexpectedAnswer,
    /// An answer of another kind than its query.
    #[error("answer does not fit its query")]
    MismatchedAnswer,
    /// A call that the state of the machine does not allow.
    #[error("{operation} is not possible in this state")]
    WrongState {
        /// The call.
        operation: &'static str,
    },
    /// The certificate has neither a common name nor an alternative name.
    #[error("certificate names nobody")]
    CertificateWithoutNames,
    /// No name of the certificate is the name connected to.
    #[error("certificate is for another name than {host}")]
    CertificateMismatch {
        /// The name connected to.
        host: String,
    },
    /// The connection was made to an IP address which the certificate does not list as an address.
    #[error("certificate does not list the address {host}")]
    CertificateAddress {
        /// The address connected to.
        host: String,
    },
    /// The server's name is outside the SIP domain and strict naming is on.
    #[error("{host} is outside the sip domain")]
    OutsideSipDomain {
        /// The name of the server.
        host: String,
    },
    /// `ms-keep-alive`: longer than [`HeaderLimits::value_len`](crate::keep_alive::HeaderLimits::value_len).
    #[error("ms-keep-alive value is too long")]
    KeepAliveTooLong,
    /// `ms-keep-alive`: more parameters than
    /// [`HeaderLimits::parameters`](crate::keep_alive::HeaderLimits::parameters).
    #[error("ms-keep-alive has too many parameters")]
    KeepAliveTooManyParameters,
    /// `ms-keep-alive`: the first parameter is neither `UAC` nor `UAS`.
    #[error("ms-keep-alive role is neither UAC nor UAS")]
    KeepAliveRole,
    /// `ms-keep-alive`: a parameter is not of the grammar.
    #[error("ms-keep-alive parameter at octet {position} is malformed")]
    KeepAliveParameter {
        /// Offset of the parameter in the header's value.
        position: usize,
    },
    /// `Retry-After` does not begin with a number of seconds.
    #[error("retry-after is not a number of seconds")]
    RetryAfter,
    /// More redirects in a row than allowed.
    #[error("more than {limit} redirects")]
    TooManyRedirects {
        /// The limit.
        limit: u8,
    },
    /// A redirect to a server that was already left in this chain.
    #[error("redirect leads back to {host}")]
    RedirectLoop {
        /// The host of the redirect.
        host: String,
    },
    /// A redirect to a transport that is unknown, datagrams, or plain TCP where that is not allowed.
    #[error("redirect to a transport that is not allowed")]
    RedirectTransport,
}
