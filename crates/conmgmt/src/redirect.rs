//! 301 to a REGISTER: the server names the user's home server ([MS-CONMGMT] 3.4, [MS-SIPREGE] 3.2).

use ocs_sip_core::Transport;

use crate::{Error, Server};

/// Redirects followed in a row unless configured. (inferred): the specification gives no number; a front end
/// answers with the home pool itself, so one is the rule.
pub const DEFAULT_LIMIT: u8 = 3;

/// The most that can be configured.
pub const MAX_LIMIT: u8 = 5;

/// Follows a chain of redirects, with a limit and without loops.
#[derive(Debug, Clone)]
pub struct RedirectGuard {
    limit: u8,
    allow_tcp: bool,
    left: Vec<Server>,
}

impl RedirectGuard {
    /// Follows at most `limit` redirects in a row, 0 to [`MAX_LIMIT`]; more is taken as [`MAX_LIMIT`].
    /// Redirects to plain TCP are refused unless `allow_tcp`.
    pub fn new(limit: u8, allow_tcp: bool) -> Self {
        Self {
            limit: limit.min(MAX_LIMIT),
            allow_tcp,
            left: Vec::new(),
        }
    }

    /// `from` answered 301 with this Contact URI: host, port and the `transport` parameter of
    /// `sip:host[:port][;transport=tcp|tls]`.
    ///
    /// Without a transport it is TLS; without a port the default of the transport, 5061 or 5060.
    /// All state of the old connection (security association, keep-alive, compression) ends with it.
    ///
    /// # Errors
    /// [`Error::TooManyRedirects`], [`Error::RedirectLoop`], [`Error::RedirectTransport`],
    /// [`Error::InvalidHost`], [`Error::InvalidPort`]. The chain is unchanged then.
    pub fn follow(
        &mut self,
        from: &Server,
        host: &str,
        port: Option<u16>,
        transport: Option<&str>,
    ) -> Result<Server, Error> {
        let transport = match transport {
            None => Transport::Tls,
            Some(text) => text.parse().map_err(|_| Error::RedirectTransport)?,
        };
        match transport {
            Transport::Tls => {}
            Transport::Tcp if self.allow_tcp => {}
            Transport::Tcp | Transport::Udp => return Err(Error::RedirectTransport),
        }
        let to = Server::of(transport, host, port, "redirect")?;
        if self.left.len() >= usize::from(self.limit) {
            return Err(Error::TooManyRedirects { limit: self.limit });
        }
        if to == *from || self.left.contains(&to) {
            return Err(Error::RedirectLoop { host: to.host });
        }
        self.left.push(from.clone());
        Ok(to)
    }

    /// Begins a new chain: after a registration, or when discovery begins again.
    pub fn reset(&mut self) {
        self.left.clear();
    }

    /// How many redirects were followed in this chain.
    pub fn followed(&self) -> usize {
        self.left.len()
    }
}

impl Default for RedirectGuard {
    /// [`DEFAULT_LIMIT`] redirects, TLS only.
    fn default() -> Self {
        Self::new(DEFAULT_LIMIT, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(host: &str) -> Server {
        Server::new(Transport::Tls, host, None).unwrap()
    }

    #[test]
    fn defaults_and_transports() {
        let mut guard = RedirectGuard::default();
        let from = tls("sip.contoso.com");
        assert_eq!(
            guard.follow(&from, "Pool02.contoso.com", None, None),
            Ok(tls("pool02.contoso.com"))
        );
        for transport in ["tcp", "udp", "sctp"] {
            assert_eq!(
                guard.follow(&from, "pool03.contoso.com", None, Some(transport)),
                Err(Error::RedirectTransport)
            );
        }
        assert_eq!(guard.followed(), 1);
        let mut guard = RedirectGuard::new(1, true);
        assert_eq!(
            guard.follow(&from, "127.0.0.1", Some(7403), Some("TCP")),
            Server::new(Transport::Tcp, "127.0.0.1", Some(7403))
        );
    }

    #[test]
    fn limit_and_loops() {
        let mut guard = RedirectGuard::default();
        let mut at = tls("a.example");
        assert_eq!(
            guard.follow(&at, "A.example.", Some(5061), Some("tls")),
            Err(Error::RedirectLoop {
                host: "a.example".into()
            })
        );
        at = guard.follow(&at, "b.example", None, None).unwrap();
        assert_eq!(
            guard.follow(&at, "a.example", None, None),
            Err(Error::RedirectLoop {
                host: "a.example".into()
            })
        );
        at = guard.follow(&at, "c.example", None, None).unwrap();
        at = guard.follow(&at, "d.example", None, None).unwrap();
        assert_eq!(
            guard.follow(&at, "e.example", None, None),
            Err(Error::TooManyRedirects { limit: 3 })
        );
        guard.reset();
        assert!(guard.follow(&at, "e.example", None, None).is_ok());
        assert_eq!(
            RedirectGuard::new(0, false).follow(&at, "e.example", None, None),
            Err(Error::TooManyRedirects { limit: 0 })
        );
        assert_eq!(RedirectGuard::new(200, false).limit, MAX_LIMIT);
    }

    #[test]
    fn hostile() {
        let mut guard = RedirectGuard::default();
        let from = tls("a.example");
        assert_eq!(
            guard.follow(&from, "b.example", Some(0), None),
            Err(Error::InvalidPort { field: "redirect" })
        );
        assert_eq!(
            guard.follow(&from, &"b".repeat(300), None, None),
            Err(Error::InvalidHost { field: "redirect" })
        );
    }
}
