//! What the example `chat` consists of besides its loop: the account of the command line, and the lines of the terminal.

use std::error::Error;
use std::io::BufRead;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use ocs_client::{Bootstrap, Config, Event};
use ocs_conmgmt::{NamingPolicy, Server};
use ocs_ntlm::Credential;
use ocs_sip_core::{Aor, Transport};
use ocs_sipre::Epid;
use tokio::sync::mpsc;

use crate::net::{Network, Resolver, Session, Trust, seed, wall_clock};

/// Who signs in, and where.
#[derive(Debug, Args)]
pub struct Account {
    /// Who you are
    #[arg(long, value_name = "NAME@DOMAIN")]
    pub user: Aor,
    /// Your password
    #[arg(long, env = "OCS_PASSWORD", hide_env_values = true)]
    password: String,
    /// The account, where it is not called as the user: a principal name, or a name of --account-domain
    #[arg(long = "account", value_name = "NAME")]
    name: Option<String>,
    /// The domain of the account
    #[arg(long = "account-domain", value_name = "DOMAIN", requires = "name")]
    domain: Option<String>,
    /// The server; found by DNS if absent
    #[arg(long, value_name = "HOST:PORT")]
    server: Option<String>,
    /// The name server to ask instead of those of the system
    #[arg(long, value_name = "ADDRESS:PORT")]
    dns: Option<SocketAddr>,
    /// Plain TCP instead of TLS
    #[arg(long)]
    tcp: bool,
    /// The name in the server's certificate, if it is not the host of --server
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,
    /// Certificates to trust, PEM, instead of those of the system
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Trust every certificate: for tests only
    #[arg(long)]
    insecure: bool,
    /// Ask the server for compression
    #[arg(long)]
    compression: bool,
    /// The identifier of this endpoint; a new one on each start if absent
    #[arg(long, value_name = "EPID", value_parser = Epid::parse)]
    epid: Option<Epid>,
}

impl Account {
    /// The session of this account, signed out, for somebody who talks and does nothing else.
    ///
    /// # Errors
    /// An argument makes no sense.
    pub fn session(&self) -> Result<Session, Box<dyn Error>> {
        self.session_with(Bootstrap::none())
    }

    /// The session of this account, signed out, with what it asks for once it is signed in.
    ///
    /// # Errors
    /// An argument makes no sense.
    pub fn session_with(&self, bootstrap: Bootstrap) -> Result<Session, Box<dyn Error>> {
        let (config, network) = self.configuration(bootstrap)?;
        Ok(Session::start(config, network)?)
    }

    /// What a user agent of this account is made of.
    ///
    /// # Errors
    /// An argument makes no sense.
    pub fn configuration(&self, bootstrap: Bootstrap) -> Result<(Config, Network), Box<dyn Error>> {
        let epid = match &self.epid {
            Some(epid) => epid.clone(),
            None => Epid::parse(&hex::encode(&seed()[..5]))?,
        };
        let credential = Credential::from_password(&self.password);
        let mut config = Config::new(self.user.clone(), credential, epid, wall_clock());
        if let Some(name) = &self.name {
            config.user.clone_from(name);
            config.domain = self.domain.clone().unwrap_or_default();
        }
        config.compression.enabled = self.compression;
        config.bootstrap = bootstrap;
        let discovery = &mut config.connector.discovery;
        discovery.allow_tcp = self.tcp;
        if let Some(server) = &self.server {
            discovery.manual = Some(self.manual(server)?);
            // Whom the user names himself is whom he wants.
            discovery.naming = NamingPolicy::Any;
        }
        let trust = match &self.ca {
            _ if self.insecure => Trust::Anybody,
            Some(file) => Trust::File(file.clone()),
            None => Trust::System,
        };
        let network = Network {
            tls: trust.connector()?,
            server_name: self.server_name.clone(),
            resolver: self.dns.map_or_else(Resolver::system, Resolver::at),
        };
        Ok((config, network))
    }

    /// The server that was named.
    #[must_use]
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// Takes `host`, `host:port`, `[address]:port`.
    fn manual(&self, text: &str) -> Result<Server, Box<dyn Error>> {
        let transport = if self.tcp {
            Transport::Tcp
        } else {
            Transport::Tls
        };
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                let port = port
                    .parse()
                    .map_err(|_| format!("--server {text}: no port"))?;
                (host, Some(port))
            }
            _ => (text, None),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Ok(Server::new(transport, host, port)?)
    }
}

/// A line of the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A text for this user, or for the one before.
    Text(Option<Aor>, String),
    /// `/to NAME@DOMAIN`: whom lines without a name go to.
    To(Aor),
    /// `/typing`.
    Typing,
    /// `/end`: ends the conversation.
    End,
    /// `/quit`, or the end of the input.
    Quit,
    /// Nothing.
    Empty,
    /// It cannot be understood, for this reason.
    Wrong(String),
}

/// Reads standard input, line by line. The thread is not waited for: it may be in the middle of a line when the program ends.
pub fn typed_lines<T: Send + 'static>(
    read: impl Fn(std::io::Result<String>) -> T + Send + 'static,
) -> mpsc::Receiver<T> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            if sender.blocking_send(read(line)).is_err() {
                return;
            }
        }
    });
    receiver
}

impl Line {
    /// Reads standard input.
    #[must_use]
    pub fn read_all() -> mpsc::Receiver<Self> {
        typed_lines(|line| {
            line.map_or_else(|error| Self::Wrong(error.to_string()), |l| Self::parse(&l))
        })
    }

    /// The next line.
    pub async fn next(lines: &mut mpsc::Receiver<Self>) -> Self {
        lines.recv().await.unwrap_or(Self::Quit)
    }

    /// Reads one line.
    #[must_use]
    pub fn parse(line: &str) -> Self {
        let line = line.trim();
        match line.split_once(' ').unwrap_or((line, "")) {
            ("", _) => Self::Empty,
            ("/quit", _) => Self::Quit,
            ("/end", _) => Self::End,
            ("/typing", _) => Self::Typing,
            ("/to", name) => match name.trim().parse() {
                Ok(aor) => Self::To(aor),
                Err(error) => Self::Wrong(format!("/to {name}: {error}")),
            },
            (command, _) if command.starts_with('/') => {
                Self::Wrong(format!("{command} is none of /to /typing /end /quit"))
            }
            (first, rest) => match first.strip_suffix(':').map(str::parse) {
                Some(Ok(aor)) if first.contains('@') => {
                    Self::Text(Some(aor), rest.trim().to_owned())
                }
                _ => Self::Text(None, line.to_owned()),
            },
        }
    }
}

/// What the terminal shows of an event.
#[must_use]
pub fn describe(event: &Event) -> Option<String> {
    Some(match event {
        Event::Text { from, text, .. } => format!("{from}: {}", printable(text)),
        Event::Typing { from, active: true } => format!("* {from} is typing"),
        Event::ConversationStarted { with } => format!("* conversation with {with}"),
        Event::ConversationEnded { with, elsewhere } => {
            let place = if *elsewhere { " elsewhere" } else { "" };
            format!("* conversation with {with} ended{place}")
        }
        Event::Delivered { to, .. } => format!("* delivered to {to}"),
        Event::NotDelivered {
            to, status, reason, ..
        } => {
            format!("! not delivered to {to}: {status} {}", printable(reason))
        }
        Event::Registration { event, reason } => {
            let reason = reason.as_deref().unwrap_or_default();
            format!("* the server says: {event:?} {}", printable(reason))
        }
        Event::Reconnecting { until: None } => "* connection lost, signing in again".to_owned(),
        Event::Reconnecting { until: Some(until) } => {
            let pause = until.saturating_duration_since(Instant::now()).as_secs();
            format!("* not connected, next attempt in {pause} s")
        }
        _ => return None,
    })
}

/// A text of somebody else on one line, without what a terminal would obey.
#[must_use]
pub fn printable(text: &str) -> String {
    let text = text.trim_end();
    text.chars()
        .map(|c| match c {
            '\n' => '\u{23ce}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let bob: Aor = "bob@contoso.com".parse().unwrap();
        for (text, line) in [
            (
                "bob@contoso.com: Hi: you",
                Line::Text(Some(bob.clone()), "Hi: you".into()),
            ),
            (
                "note: this is for the one before",
                Line::Text(None, "note: this is for the one before".into()),
            ),
            (" /to bob@contoso.com ", Line::To(bob)),
            ("/typing", Line::Typing),
            ("/end", Line::End),
            ("/quit now", Line::Quit),
            ("", Line::Empty),
        ] {
            assert_eq!(Line::parse(text), line);
        }
        assert!(matches!(Line::parse("/dance"), Line::Wrong(_)));
        assert!(matches!(Line::parse("/to nobody"), Line::Wrong(_)));
    }

    #[test]
    fn escapes_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\nc\r\n"), "a\u{fffd}[2Jb\u{23ce}c");
    }
}
