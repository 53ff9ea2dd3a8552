//! From the regular expressions of .NET to those that run here.

use regex::bytes::{Regex, RegexBuilder};

/// Why a rule cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Something of .NET that automata do not have.
    #[error("{construct} at {offset} is not supported")]
    Unsupported {
        /// What.
        construct: &'static str,
        /// Octets before it in the pattern.
        offset: usize,
    },
    /// No regular expression.
    #[error("malformed expression: {0}")]
    Malformed(String),
    /// Longer than [`PlanLimits::pattern`](super::PlanLimits::pattern).
    #[error("pattern of more than {limit} octets")]
    TooLong {
        /// The bound.
        limit: usize,
    },
    /// Compiled, larger than [`PlanLimits::compiled`](super::PlanLimits::compiled).
    #[error("pattern that compiles to more than {limit} octets")]
    TooLarge {
        /// The bound.
        limit: usize,
    },
    /// More rules than [`PlanLimits::rules`](super::PlanLimits::rules).
    #[error("more than {limit} rules")]
    TooMany {
        /// The bound.
        limit: usize,
    },
    /// A reference in the translation to no group of the pattern.
    #[error("translation refers to {0}")]
    Reference(String),
}

/// A pattern: what must match, and what must or must not lie ahead at its beginning.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) regex: Regex,
    /// Expressions of look-aheads, anchored, and whether each must match.
    ahead: Vec<(Regex, bool)>,
    /// Groups in look-aheads that must not match: .NET counts them, and they are always empty.
    pub(super) hidden: usize,
}

impl Pattern {
    pub(super) fn compile(pattern: &str, limit: usize) -> Result<Self, PatternError> {
        let mut rewriter = Rewriter {
            pattern,
            at: 0,
            out: String::with_capacity(pattern.len() + 8),
        };
        let conditions = rewriter.leading_conditions()?;
        rewriter.rest()?;
        let mut ahead = Vec::with_capacity(conditions.len());
        let mut hidden = 0;
        for (inner, wanted) in conditions {
            let mut rewriter = Rewriter {
                pattern: inner,
                at: 0,
                out: "^(?:".to_owned(),
            };
            rewriter.rest()?;
            rewriter.out.push(')');
            let regex = build(&rewriter.out, limit)?;
            let groups = regex.captures_len() - 1;
            if groups > 0 && (wanted || regex.capture_names().any(|name| name.is_some())) {
                return Err(Rewriter::unsupported("group in a look-ahead", 1));
            }
            hidden += groups;
            ahead.push((regex, wanted));
        }
        Ok(Self {
            regex: build(&rewriter.out, limit)?,
            ahead,
            hidden,
        })
    }

    /// Whether the conditions hold for a string.
    pub(super) fn admits(&self, text: &str) -> bool {
        self.ahead
            .iter()
            .all(|(regex, wanted)| regex.is_match(text.as_bytes()) == *wanted)
    }
}

fn build(pattern: &str, limit: usize) -> Result<Regex, PatternError> {
    RegexBuilder::new(pattern)
        .unicode(false)
        .size_limit(limit)
        // What the automaton keeps between two searches.
        .dfa_size_limit(limit)
        .nest_limit(32)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => PatternError::TooLarge { limit },
            error => PatternError::Malformed(error.to_string()),
        })
}

struct Rewriter<'a> {
    pattern: &'a str,
    at: usize,
    out: String,
}

impl<'a> Rewriter<'a> {
    fn left(&self) -> &'a str {
        &self.pattern[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.left().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.left().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    const fn unsupported(construct: &'static str, offset: usize) -> PatternError {
        PatternError::Unsupported { construct, offset }
    }

    /// The look-aheads behind the leading anchor, where they are conditions on the whole string. The anchor of an expression with
    /// alternatives belongs to the first of them only, so then there are none.
    fn leading_conditions(&mut self) -> Result<Vec<(&'a str, bool)>, PatternError> {
        let mut conditions = Vec::new();
        if !self.eat("^") {
            return Ok(conditions);
        }
        self.out.push('^');
        loop {
            let from = self.at;
            let wanted = if self.eat("(?!") {
                false
            } else if self.eat("(?=") {
                true
            } else {
                break;
            };
            let inner = self.at;
            let length = group_length(self.left())
                .ok_or_else(|| PatternError::Malformed("group without end".into()))?;
            self.at += length + 1;
            let repeated = self
                .peek()
                .is_some_and(|c| matches!(c, '*' | '+' | '?' | '{'));
            if repeated {
                return Err(Self::unsupported("repeated look-ahead", from));
            }
            conditions.push((&self.pattern[inner..inner + length], wanted));
        }
        if !conditions.is_empty() && has_alternatives(self.left()) {
            return Err(Self::unsupported(
                "look-ahead in one of several alternatives",
                1,
            ));
        }
        Ok(conditions)
    }

    fn rest(&mut self) -> Result<(), PatternError> {
        while let Some(c) = self.peek() {
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '(' => self.group()?,
                '{' if repetition_length(self.left()).is_none() => {
                    self.at += 1;
                    self.out.push_str("\\{");
                }
                c => {
                    self.at += c.len_utf8();
                    self.out.push(c);
                }
            }
        }
        Ok(())
    }

    fn group(&mut self) -> Result<(), PatternError> {
        let from = self.at;
        self.at += 1;
        if !self.eat("?") {
            self.out.push('(');
            return Ok(());
        }
        let refuse = |construct| Err(Self::unsupported(construct, from));
        if self.eat("#") {
            let end = self.left().find(')');
            let end = end.ok_or_else(|| PatternError::Malformed("comment without end".into()))?;
            self.at += end + 1;
            return Ok(());
        }
        if self.eat(":") {
            self.out.push_str("(?:");
            return Ok(());
        }
        if self.eat("<=") || self.eat("<!") {
            return refuse("look-behind");
        }
        if self.eat("=") || self.eat("!") {
            return refuse("look-ahead that does not stand first");
        }
        if self.eat(">") {
            return refuse("atomic group");
        }
        if self.eat("(") {
            return refuse("conditional group");
        }
        if self.eat("<") || self.eat("'") {
            return self.named(from);
        }
        self.options(from)
    }

    fn named(&mut self, from: usize) -> Result<(), PatternError> {
        let length = self
            .left()
            .bytes()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == b'_')
            .count();
        let (name, rest) = self.left().split_at(length);
        if name.is_empty()
            || name.starts_with(|c: char| c.is_ascii_digit())
            || rest.starts_with('-')
        {
            return Err(Self::unsupported("group with a number or a balance", from));
        }
        self.out.push_str("(?<");
        self.out.push_str(name);
        self.out.push('>');
        // The closing mark.
        self.at += length;
        self.next();
        Ok(())
    }

    /// `(?i)` and `(?i-s:...)`.
    fn options(&mut self, from: usize) -> Result<(), PatternError> {
        self.out.push_str("(?");
        while let Some(c) = self.next() {
            match c {
                'i' | 's' | 'm' | '-' => self.out.push(c),
                ':' | ')' => {
                    self.out.push(c);
                    return Ok(());
                }
                _ => return Err(Self::unsupported("option", from)),
            }
        }
        Err(PatternError::Malformed("group without end".into()))
    }

    /// An escape, outside or inside of a class.
    fn escape(&mut self, in_class: bool) -> Result<(), PatternError> {
        let from = self.at;
        self.at += 1;
        let c = self
            .next()
            .ok_or_else(|| PatternError::Malformed("escape at the end".into()))?;
        match c {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 't' | 'r' | 'n' | 'f' | 'v' => {
                self.out.push('\\');
                self.out.push(c);
            }
            'b' | 'B' | 'A' | 'z' if !in_class => {
                self.out.push('\\');
                self.out.push(c);
            }
            'Z' if !in_class => self.out.push_str("\\z"),
            'x' | 'u' => self.code(if c == 'x' { 2 } else { 4 })?,
            c if !c.is_ascii_alphanumeric() => push_literal(&mut self.out, c),
            '1'..='9' | 'k' if !in_class => {
                return Err(Self::unsupported("reference to a group", from));
            }
            'p' | 'P' => return Err(Self::unsupported("category of characters", from)),
            _ => return Err(Self::unsupported("escape", from)),
        }
        Ok(())
    }

    /// `\x2B`, `\u002B`.
    fn code(&mut self, digits: usize) -> Result<(), PatternError> {
        let bad = || PatternError::Malformed("bad code of a character".into());
        let text = self.left().get(..digits).ok_or_else(bad)?;
        let code = u32::from_str_radix(text, 16).map_err(|_| bad())?;
        self.at += digits;
        push_literal(&mut self.out, char::from_u32(code).ok_or_else(bad)?);
        Ok(())
    }

    /// A class. Whatever has a meaning here and none in .NET is escaped.
    fn class(&mut self) -> Result<(), PatternError> {
        let from = self.at;
        self.at += 1;
        self.out.push('[');
        if self.eat("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let Some(c) = self.peek() else {
                return Err(PatternError::Malformed("class without end".into()));
            };
            match c {
                ']' if !first => {
                    self.at += 1;
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => self.escape(true)?,
                '-' if self.left().starts_with("-[") && !first => {
                    return Err(Self::unsupported("subtraction of classes", from));
                }
                // Of a range, if something stands on both of its sides.
                '-' if !first && self.is_range() => {
                    self.at += 1;
                    self.out.push('-');
                    self.range_end()?;
                }
                c => {
                    self.at += c.len_utf8();
                    push_literal(&mut self.out, c);
                }
            }
            first = false;
        }
    }

    fn is_range(&self) -> bool {
        let next = self.left()[1..].chars().next();
        next.is_some_and(|next| next != ']')
    }

    fn range_end(&mut self) -> Result<(), PatternError> {
        if self.peek() == Some('\\') {
            return self.escape(true);
        }
        if let Some(c) = self.next() {
            push_literal(&mut self.out, c);
        }
        Ok(())
    }
}

/// Writes a character that means itself.
fn push_literal(out: &mut String, c: char) {
    if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
        out.push('\\');
    }
    out.push(c);
}

/// Octets of a group's content up to its end.
fn group_length(text: &str) -> Option<usize> {
    scan(text, |depth, c| depth == 0 && c == b')')
}

/// Whether there are alternatives outside of all groups.
fn has_alternatives(text: &str) -> bool {
    scan(text, |depth, c| depth == 0 && c == b'|').is_some()
}

/// The first octet that `found` wants, with the number of groups around it; escapes and classes are passed over.
fn scan(text: &str, found: impl Fn(usize, u8) -> bool) -> Option<usize> {
    let mut depth = 0usize;
    let mut octets = text.bytes().enumerate();
    while let Some((at, c)) = octets.next() {
        match c {
            b'\\' => {
                octets.next();
            }
            c if found(depth, c) => return Some(at),
            b'[' => {
                let length = class_length(&text[at..])?;
                octets.nth(length - 2);
            }
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// Octets of a class with its brackets. A bracket that stands first in it is a character.
fn class_length(text: &str) -> Option<usize> {
    let first = if text.starts_with("[^") { 2 } else { 1 };
    let mut octets = text.bytes().enumerate().skip(first);
    while let Some((at, c)) = octets.next() {
        match c {
            b'\\' => {
                octets.next();
            }
            b']' if at > first => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Octets of `{n}`, `{n,}` or `{n,m}`, if that is what stands there.
fn repetition_length(text: &str) -> Option<usize> {
    let end = text.find('}')?;
    let (least, most) = text[1..end].split_once(',').unwrap_or((&text[1..end], "0"));
    let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    (!least.is_empty() && digits(least) && digits(most)).then_some(end + 1)
}
