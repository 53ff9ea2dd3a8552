//! What a user dials, cleaned.

/// Why a text is no dialled string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// Nothing to dial in it.
    #[error("nothing to dial")]
    Empty,
    /// Longer than [`Dialled::MAX_LEN`].
    #[error("more than {} characters", Dialled::MAX_LEN)]
    TooLong,
    /// A character that no number has.
    #[error("character {0:?} is in no number")]
    Character(char),
}

/// A dialled string without separators (\[MS-OCPSTN\] 3.2 step 1): digits, `*`, `#`, a leading `+`, and `x` before an extension.
///
/// ```
/// use ocs_siprege::location::Dialled;
///
/// assert_eq!(Dialled::parse("+1 (425) 555-0100 ext. 12")?.as_str(), "+14255550100x12");
/// assert!(Dialled::parse("bob@contoso.com").is_err());
/// # Ok::<(), ocs_siprege::location::DialError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Dialled(String);

impl Dialled {
    /// Characters of a dialled string with its separators. 128: the longest number of E.164 has 15 digits.
    pub const MAX_LEN: usize = 128;

    /// Cleans what was dialled. Blanks and `- . ( ) /` are left out (the list is inferred); `x`, `X` and `ext` before digits stand for an
    /// extension.
    pub fn parse(text: &str) -> Result<Self, DialError> {
        if text.len() > Self::MAX_LEN {
            return Err(DialError::TooLong);
        }
        let mut cleaned = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '0'..='9' | '*' | '#' => cleaned.push(c),
                '+' if cleaned.is_empty() => cleaned.push(c),
                ' ' | '\t' | '\u{A0}' | '-' | '.' | '(' | ')' | '/' => {}
                'x' | 'X' | 'e' | 'E' => {
                    rest = extension(c, rest).ok_or(DialError::Character(c))?;
                    if cleaned.is_empty() || cleaned.contains('x') {
                        return Err(DialError::Character(c));
                    }
                    cleaned.push('x');
                }
                c => return Err(DialError::Character(c)),
            }
        }
        if cleaned.trim_matches(['+', 'x']).is_empty() {
            return Err(DialError::Empty);
        }
        Ok(Self(cleaned))
    }

    /// The string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Digits and extension of a number of E.164: `+`, digits, and possibly an extension.
    #[must_use]
    pub fn e164(&self) -> Option<(&str, Option<&str>)> {
        let (number, extension) = match self.0.split_once('x') {
            Some((number, extension)) => (number, Some(extension)),
            None => (self.0.as_str(), None),
        };
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        (number.strip_prefix('+').is_some_and(all_digits) && extension.is_none_or(all_digits))
            .then_some((number, extension))
    }
}

/// What follows the mark of an extension, if digits do.
fn extension(mark: char, rest: &str) -> Option<&str> {
    let rest = if mark.eq_ignore_ascii_case(&'e') {
        let (word, rest) = rest.split_at_checked(2)?;
        word.eq_ignore_ascii_case("xt").then_some(rest)?
    } else {
        rest
    };
    let rest = rest.trim_start_matches([' ', '.', ':', '=']);
    rest.starts_with(|c: char| c.is_ascii_digit())
        .then_some(rest)
}

impl std::fmt::Display for Dialled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
