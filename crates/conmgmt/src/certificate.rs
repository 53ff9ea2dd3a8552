//! Which names a server certificate must carry ([MS-CONMGMT] 3.1, RFC 6125 6.4).
//!
//! The chain to a trusted root is the TLS stack's task. This module decides about the names, for stacks
//! that hand them out and for deployments whose certificates name the server only in the subject.

use std::net::IpAddr;

use crate::Error;
use crate::name::{is_dns_name, parse_ip, without_dot};

/// The names that a certificate carries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateNames {
    /// Common names (CN) of the subject.
    pub common_names: Vec<String>,
    /// `dNSName` entries of the subject alternative name.
    pub dns_names: Vec<String>,
    /// `iPAddress` entries of the subject alternative name.
    pub ip_addresses: Vec<IpAddr>,
}

impl CertificateNames {
    /// Whether the certificate is one for `host`, the name that was connected to: the SRV target or the
    /// name of the address record, never what an alias of it resolved to.
    ///
    /// Both the subject and the alternative names count: certificates of the system name the pool in the
    /// subject and `sip.<domain>` in the alternative names. Case and one final dot do not matter. A
    /// wildcard stands for exactly one whole label, leftmost, above at least two others. An IP address
    /// matches an `iPAddress` entry only, never a text that looks like one.
    ///
    /// # Errors
    /// [`Error::InvalidHost`] when `host` is no name, [`Error::CertificateWithoutNames`],
    /// [`Error::CertificateMismatch`], [`Error::CertificateAddress`].
    pub fn check(&self, host: &str) -> Result<(), Error> {
        if let Some(address) = parse_ip(host) {
            return if self.ip_addresses.contains(&address) {
                Ok(())
            } else {
                Err(Error::CertificateAddress {
                    host: host.to_owned(),
                })
            };
        }
        if !is_dns_name(host) {
            return Err(Error::InvalidHost { field: "host" });
        }
        let mut names = self.dns_names.iter().chain(&self.common_names).peekable();
        if names.peek().is_none() {
            return Err(Error::CertificateWithoutNames);
        }
        if names.any(|pattern| matches(pattern, host)) {
            Ok(())
        } else {
            Err(Error::CertificateMismatch {
                host: without_dot(host).to_ascii_lowercase(),
            })
        }
    }
}

/// Whether `pattern` of a certificate covers `host`, which is a DNS name.
fn matches(pattern: &str, host: &str) -> bool {
    let (pattern, host) = (without_dot(pattern), without_dot(host));
    if let Some(parent) = pattern.strip_prefix("*.") {
        return is_dns_name(parent)
            && parent.contains('.')
            && host
                .split_once('.')
                .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent));
    }
    // Rejecting what is no name keeps embedded NULs and partial wildcards from ever matching.
    is_dns_name(pattern) && parse_ip(pattern).is_none() && pattern.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(names: &[&str]) -> CertificateNames {
        CertificateNames {
            dns_names: names.iter().map(|&name| name.to_owned()).collect(),
            ..CertificateNames::default()
        }
    }

    fn mismatch(host: &str) -> Error {
        Error::CertificateMismatch {
            host: host.to_owned(),
        }
    }

    #[test]
    fn exact() {
        assert_eq!(dns(&["SIP.contoso.com"]).check("sip.Contoso.com."), Ok(()));
        assert_eq!(dns(&["sip.contoso.com."]).check("sip.contoso.com"), Ok(()));
        assert_eq!(
            dns(&["sip.contoso.com"]).check("fe01.contoso.com"),
            Err(mismatch("fe01.contoso.com"))
        );
        assert_eq!(
            dns(&[]).check("sip.contoso.com"),
            Err(Error::CertificateWithoutNames)
        );
        assert_eq!(
            dns(&["sip.contoso.com\0.evil.example"]).check("sip.contoso.com"),
            Err(mismatch("sip.contoso.com"))
        );
        assert_eq!(
            dns(&["a"]).check("a b"),
            Err(Error::InvalidHost { field: "host" })
        );
    }

    #[test]
    fn subject_counts_beside_alternative_names() {
        let names = CertificateNames {
            common_names: vec!["pool01.contoso.com".into()],
            dns_names: vec!["sip.contoso.com".into()],
            ip_addresses: Vec::new(),
        };
        assert_eq!(names.check("pool01.contoso.com"), Ok(()));
        assert_eq!(names.check("sip.contoso.com"), Ok(()));
    }

    #[test]
    fn wildcards() {
        let wild = dns(&["*.contoso.com"]);
        assert_eq!(wild.check("sip.contoso.com"), Ok(()));
        for host in ["contoso.com", "a.b.contoso.com", "sip.fabrikam.com"] {
            assert_eq!(wild.check(host), Err(mismatch(host)));
        }
        for pattern in [
            "*",
            "*.com",
            "s*.contoso.com",
            "sip.*.com",
            "*.*.com",
            "*.",
            "**.contoso.com",
        ] {
            assert_eq!(
                dns(&[pattern]).check("sip.contoso.com"),
                Err(mismatch("sip.contoso.com")),
                "{pattern}"
            );
        }
    }

    #[test]
    fn addresses() {
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let mut names = dns(&["192.0.2.1", "*.2.1", "*.0.2.1"]);
        names.common_names.push("192.0.2.1".into());
        assert_eq!(
            names.check("192.0.2.1"),
            Err(Error::CertificateAddress {
                host: "192.0.2.1".into()
            })
        );
        names.ip_addresses.push(address);
        assert_eq!(names.check("192.0.2.1"), Ok(()));
        names.ip_addresses.push("2001:db8::1".parse().unwrap());
        assert_eq!(names.check("[2001:DB8:0::1]"), Ok(()));
    }
}
