//! What the two sides tell each other in the media section of an offer or answer.

pub mod ice;
pub mod ice2;

use core::fmt;

use crate::{Error, Limits};

/// Which of the two protocols a description is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// \[MS-ICE\], after draft-ietf-mmusic-ice-06: Office Communications Server 2007.
    Ice,
    /// \[MS-ICE2\], after draft-ietf-mmusic-ice-19: all later products.
    Ice2,
}

impl Dialect {
    /// Tells the dialect of a candidate line's value by its seventh field: the word `typ`, or a port.
    pub fn of_line(value: &str) -> Self {
        match value.split_ascii_whitespace().nth(6) {
            Some(word) if word.eq_ignore_ascii_case("typ") => Self::Ice2,
            _ => Self::Ice,
        }
    }
}

/// The attributes of one media section that are ICE's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Description {
    /// Of \[MS-ICE\].
    Ice(ice::Description),
    /// Of \[MS-ICE2\].
    Ice2(ice2::Description),
}

impl Description {
    /// Reads the lines of a media section; lines of other attributes and other kinds are skipped. Candidate lines beyond
    /// the limit are not looked at.
    ///
    /// # Errors
    /// [`Error::NoCandidate`] if there is no candidate line: the peer does no ICE. Otherwise what is wrong with which field.
    pub fn parse(section: &str, limits: &Limits) -> Result<Self, Error> {
        let first = attributes(section, limits).find_map(|attribute| match attribute {
            Ok(("candidate", value)) => Some(Ok(Dialect::of_line(value))),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        });
        match first.ok_or(Error::NoCandidate)?? {
            Dialect::Ice => ice::Description::parse(section, limits).map(Self::Ice),
            Dialect::Ice2 => ice2::Description::parse(section, limits).map(Self::Ice2),
        }
    }

    /// The dialect.
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::Ice(_) => Dialect::Ice,
            Self::Ice2(_) => Dialect::Ice2,
        }
    }
}

/// The attribute lines, each ended with CRLF.
impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ice(description) => description.fmt(f),
            Self::Ice2(description) => description.fmt(f),
        }
    }
}

/// The attributes of a section that belong to ICE: name and value.
fn attributes<'a>(
    section: &'a str,
    limits: &Limits,
) -> impl Iterator<Item = Result<(&'a str, &'a str), Error>> {
    let limit = limits.line;
    section.lines().filter_map(move |line| {
        let (name, value) = line.strip_prefix("a=")?.split_once(':')?;
        let ours = matches!(
            name,
            "candidate" | "ice-ufrag" | "ice-pwd" | "remote-candidate" | "remote-candidates"
        );
        ours.then(|| {
            if line.len() > limit {
                Err(Error::LineTooLong { limit })
            } else {
                Ok((name, value.trim_ascii()))
            }
        })
    })
}

/// Counts candidate lines by component, and says which are within the limit.
struct Counter {
    counts: [usize; 2],
    limit: usize,
}

impl Counter {
    const fn new(limits: &Limits) -> Self {
        Self {
            counts: [0; 2],
            limit: limits.remote_candidates,
        }
    }

    fn admits(&mut self, component: crate::Component) -> bool {
        let count = &mut self.counts[component.index()];
        *count = count.saturating_add(1);
        *count <= self.limit
    }

    fn is_full(&self) -> bool {
        self.counts.iter().all(|count| *count >= self.limit)
    }
}

/// The fields of a line, one after the other.
struct Fields<'a>(core::str::SplitAsciiWhitespace<'a>);

impl<'a> Fields<'a> {
    fn new(value: &'a str) -> Self {
        Self(value.split_ascii_whitespace())
    }

    fn next(&mut self, field: &'static str) -> Result<&'a str, Error> {
        self.0.next().ok_or(Error::MissingField { field })
    }

    fn parse<T: core::str::FromStr>(&mut self, field: &'static str) -> Result<T, Error> {
        let text = self.next(field)?;
        text.parse().map_err(|_| Error::InvalidField { field })
    }

    /// An address and a port, as two fields.
    fn address(&mut self) -> Result<std::net::SocketAddr, Error> {
        let ip: std::net::IpAddr = self.parse("address")?;
        Ok((ip, self.parse("port")?).into())
    }
}
