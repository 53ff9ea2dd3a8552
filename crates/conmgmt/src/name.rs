//! Host names, the strict naming rule and the address of a server.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use ocs_sip_core::Transport;

use crate::Error;

/// The longest DNS name in text form, without the final dot (RFC 1035 2.3.4).
pub const MAX_NAME_LEN: usize = 253;

/// Whether `text` is a DNS host name: labels of 1 to 63 letters, digits, hyphens and underscores,
/// at most [`MAX_NAME_LEN`] octets, one final dot allowed.
///
/// Underscores are accepted because Windows names have them. Internationalised names come as A-labels.
pub fn is_dns_name(text: &str) -> bool {
    let text = without_dot(text);
    !text.is_empty()
        && text.len() <= MAX_NAME_LEN
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_')
        })
}

/// Reads an IP address; IPv6 with or without the brackets of a URI.
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    if let Some(inner) = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    {
        return inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    text.parse().ok()
}

/// `text` without one final dot.
pub(crate) fn without_dot(text: &str) -> &str {
    text.strip_suffix('.').unwrap_or(text)
}

/// The name in the form that this crate compares and asks for: lower case, no final dot.
pub(crate) fn canonical_dns(text: &str, field: &'static str) -> Result<String, Error> {
    if !is_dns_name(text) || ends_in_number(text) {
        return Err(Error::InvalidHost { field });
    }
    Ok(without_dot(text).to_ascii_lowercase())
}

/// A DNS name as [`canonical_dns`] or an IP address in its canonical text, without brackets.
pub(crate) fn canonical_host(text: &str, field: &'static str) -> Result<String, Error> {
    match parse_ip(text) {
        Some(address) => Ok(address.to_string()),
        None => canonical_dns(text, field),
    }
}

/// A last label of digits only is an attempt at an IPv4 address (`10.0.0.256`), never a name.
fn ends_in_number(text: &str) -> bool {
    without_dot(text)
        .rsplit('.')
        .next()
        .is_some_and(|label| label.bytes().all(|octet| octet.is_ascii_digit()))
}

/// Whether `host` is `domain` or a name below it, without regard to case and final dots.
///
/// IP addresses are in no domain.
pub fn is_in_domain(host: &str, domain: &str) -> bool {
    let (host, domain) = (without_dot(host), without_dot(domain));
    if domain.is_empty() || parse_ip(host).is_some() {
        return false;
    }
    let Some(start) = host.len().checked_sub(domain.len()) else {
        return false;
    };
    host.is_char_boundary(start)
        && host[start..].eq_ignore_ascii_case(domain)
        && (start == 0 || (start > 1 && host.as_bytes()[start - 1] == b'.'))
}

/// The last two labels: what [`NamingPolicy::Suffix`] takes for the root of a namespace.
///
/// (inferred) The product's rule for finding the common suffix is not published. Two labels are too
/// few below public suffixes such as `co.uk`, so a domain of two labels is compared whole.
fn root_namespace(domain: &str) -> &str {
    let domain = without_dot(domain);
    let mut dots = domain.rmatch_indices('.').skip(1);
    dots.next().map_or(domain, |(at, _)| &domain[at + 1..])
}

/// How the name of a server that an unauthenticated answer gave must relate to the user's SIP domain.
///
/// DNS and DHCP are not trusted. A certificate proves only that the server has the name it was asked for, so
/// the name itself must be tied to the domain of the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum NamingPolicy {
    /// The name is the SIP domain or lies below it; others are refused. The product's default.
    #[default]
    Strict,
    /// The policy `DisableStrictDNSNaming`: a name of the same root namespace is accepted too
    /// (`pool.contoso.com` for `retail.contoso.com`). How the root is found is (inferred): the last two labels.
    Suffix,
    /// Every name is accepted and [`Candidate::in_domain`](crate::Candidate::in_domain) tells. Lync 2010 and later
    /// ask the user then.
    Any,
}

impl NamingPolicy {
    /// Whether a server of this name may be used for users of `domain`.
    pub fn allows(self, host: &str, domain: &str) -> bool {
        match self {
            Self::Strict => is_in_domain(host, domain),
            Self::Suffix => {
                is_in_domain(host, domain) || is_in_domain(host, root_namespace(domain))
            }
            Self::Any => true,
        }
    }
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Server {
    /// How to talk to it.
    pub transport: Transport,
    /// DNS name in lower case without final dot, or the text of an IP address without brackets.
    pub host: String,
    /// TCP port, never 0.
    pub port: u16,
}

impl Server {
    /// Checks and normalises; `field` of an error is `server`.
    ///
    /// Without a port the transport's default: 5061 for TLS, 5060 for TCP.
    ///
    /// # Errors
    /// [`Error::InvalidTransport`] for UDP, [`Error::InvalidHost`], [`Error::InvalidPort`].
    pub fn new(transport: Transport, host: &str, port: Option<u16>) -> Result<Self, Error> {
        Self::of(transport, host, port, "server")
    }

    pub(crate) fn of(
        transport: Transport,
        host: &str,
        port: Option<u16>,
        field: &'static str,
    ) -> Result<Self, Error> {
        let port = port.unwrap_or(transport.default_port());
        if transport == Transport::Udp {
            return Err(Error::InvalidTransport { field });
        }
        if port == 0 {
            return Err(Error::InvalidPort { field });
        }
        Ok(Self {
            transport,
            host: canonical_host(host, field)?,
            port,
        })
    }
}

impl fmt::Display for Server {
    /// `TLS host:port`, IPv6 addresses in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "{} [{}]:{}", self.transport, self.host, self.port)
        } else {
            write!(f, "{} {}:{}", self.transport, self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in [
            "a",
            "fe01.contoso.com",
            "FE01.contoso.com.",
            "_sip._tls.contoso.com",
            "xn--bcher-kva.example",
        ] {
            assert!(is_dns_name(good), "{good}");
        }
        let label = "a".repeat(64);
        let long = "a.".repeat(127);
        for bad in [
            "",
            ".",
            "a..b",
            ".a",
            "a b",
            "a\0b",
            "bücher.example",
            &label,
            "a:b",
        ] {
            assert!(!is_dns_name(bad), "{bad}");
        }
        assert!(
            is_dns_name(&long),
            "127 labels are 253 octets without the dot"
        );
        assert!(!is_dns_name(&format!("{long}b")));
        assert!(canonical_dns("10.0.0.256", "x").is_err());
        assert!(canonical_dns("10.0.0.1", "x").is_err());
    }

    #[test]
    fn domains() {
        assert!(is_in_domain("SIP.Contoso.com.", "contoso.com"));
        assert!(is_in_domain("contoso.com", "contoso.com."));
        assert!(!is_in_domain("evilcontoso.com", "contoso.com"));
        assert!(!is_in_domain(".contoso.com", "contoso.com"));
        assert!(!is_in_domain("com", "contoso.com"));
        assert!(!is_in_domain("10.0.0.1", "1"));
        assert!(!is_in_domain("é.com", "xcom"));
    }

    #[test]
    fn policies() {
        let retail = "retail.contoso.com";
        assert!(NamingPolicy::Strict.allows("sip.retail.contoso.com", retail));
        assert!(!NamingPolicy::Strict.allows("pool01.contoso.com", retail));
        assert!(NamingPolicy::Suffix.allows("pool01.contoso.com", retail));
        assert!(!NamingPolicy::Suffix.allows("pool01.fabrikam.com", retail));
        assert!(!NamingPolicy::Suffix.allows("fabrikam.com", "contoso.com"));
        assert!(NamingPolicy::Any.allows("sipdir.online.lync.com", retail));
    }

    #[test]
    fn servers() {
        let server = Server::new(Transport::Tls, "FE01.Contoso.com.", None).unwrap();
        assert_eq!(server.to_string(), "TLS fe01.contoso.com:5061");
        let server = Server::new(Transport::Tcp, "[2001:DB8::1]", None).unwrap();
        assert_eq!(server.to_string(), "TCP [2001:db8::1]:5060");
        assert_eq!(
            Server::new(Transport::Tls, "a", Some(0)),
            Err(Error::InvalidPort { field: "server" })
        );
        assert!(Server::new(Transport::Tls, "[10.0.0.1]", None).is_err());
        assert_eq!(
            Server::new(Transport::Udp, "a", None),
            Err(Error::InvalidTransport { field: "server" })
        );
    }
}
