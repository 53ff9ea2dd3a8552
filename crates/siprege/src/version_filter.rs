//! Which client versions may sign in ([MS-OCSPROT] 2.6.1).
//!
//! The administrator sets a minimum version for each kind of client; the server checks the `User-Agent` header of REGISTER and refuses
//! older clients. The kind is the product token (`OC`, `UCCAPI`, `Sipe`, ...). The form of the
//! rules here is this crate's own: the overview states only that there is a minimum version.

use std::fmt;
use std::str::FromStr;

use ocs_sip_core::syntax::is_token;

/// A version of four numbers, as Microsoft's clients write it: `16.0.4522.1000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version(pub [u32; 4]);

/// A text that is not one to four numbers with dots between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a version of one to four numbers")]
pub struct BadVersion;

impl FromStr for Version {
    type Err = BadVersion;

    /// Missing numbers are zero.
    fn from_str(text: &str) -> Result<Self, BadVersion> {
        let mut numbers = [0; 4];
        let mut parts = text.split('.');
        for (index, number) in numbers.iter_mut().enumerate() {
            match parts.next() {
                Some(part) => {
                    *number = ocs_sip_core::syntax::parse_u32(part).ok_or(BadVersion)?;
                }
                None if index > 0 => break,
                None => return Err(BadVersion),
            }
        }
        if parts.next().is_some() {
            return Err(BadVersion);
        }
        Ok(Self(numbers))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d] = self.0;
        write!(f, "{a}.{b}.{c}.{d}")
    }
}

/// The products of a User-Agent value: `name/version` tokens; comments in parentheses are left out.
pub fn products(user_agent: &str) -> impl Iterator<Item = (&str, Version)> {
    let mut depth = 0_usize;
    user_agent
        .split(move |c: char| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth > 0 || c == ')' || c.is_ascii_whitespace()
        })
        .filter_map(|token| {
            let (name, version) = token.split_once('/')?;
            is_token(name).then_some(())?;
            Some((name, version.parse().ok()?))
        })
}

/// What a rule says of a client that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// May sign in.
    Allow,
    /// May not sign in.
    Refuse,
    /// May sign in, and is told of a newer version with `Warning: 310`.
    Warn,
}

/// A rule about one product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The product token, compared without case.
    pub product: String,
    /// The lowest version that may sign in.
    pub minimum: Version,
    /// Below this one the client gets a warning; at most `minimum` for none.
    pub recommended: Version,
}

/// The rules of a registrar. The first product of the User-Agent that a rule names decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionFilter {
    /// The rules; the order does not matter.
    pub rules: Vec<Rule>,
    /// For clients that no rule names.
    pub default: Verdict,
}

impl Default for VersionFilter {
    /// Everybody may sign in.
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            default: Verdict::Allow,
        }
    }
}

impl VersionFilter {
    /// Judges a User-Agent value; a client without one is judged by the default.
    #[must_use]
    pub fn judge(&self, user_agent: Option<&str>) -> Verdict {
        let found = products(user_agent.unwrap_or("")).find_map(|(name, version)| {
            let rule = self
                .rules
                .iter()
                .find(|rule| rule.product.eq_ignore_ascii_case(name))?;
            Some((rule, version))
        });
        match found {
            None => self.default,
            Some((rule, version)) if version < rule.minimum => Verdict::Refuse,
            Some((rule, version)) if version < rule.recommended => Verdict::Warn,
            Some(_) => Verdict::Allow,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OC: &str =
        "UCCAPI/3.5.6907.0 OC/3.5.6907.0 (Microsoft Office/14.0 (x) Communicator 2007 R2)";

    #[test]
    fn products_leave_comments_out() {
        let all: Vec<_> = products(OC).map(|(name, _)| name).collect();
        assert_eq!(all, ["UCCAPI", "OC"]);
        assert_eq!(
            products("Purple/2.14.12 Sipe/1.25.0 (linux-x86_64)").count(),
            2
        );
        assert_eq!(products("() /1 a/ a/b x/1.2.3.4.5").count(), 0);
    }

    #[test]
    fn minimum_and_recommended_versions() {
        let filter = VersionFilter {
            rules: vec![Rule {
                product: "oc".into(),
                minimum: "3.5".parse().unwrap(),
                recommended: "4.0.7577.314".parse().unwrap(),
            }],
            default: Verdict::Refuse,
        };
        assert_eq!(filter.judge(Some(OC)), Verdict::Warn);
        assert_eq!(filter.judge(Some("OC/3.4.9999.9")), Verdict::Refuse);
        assert_eq!(filter.judge(Some("OC/4.0.7577.314")), Verdict::Allow);
        assert_eq!(filter.judge(Some("Other/9")), Verdict::Refuse);
        assert_eq!(filter.judge(None), Verdict::Refuse);
        assert_eq!(VersionFilter::default().judge(None), Verdict::Allow);
    }
}
