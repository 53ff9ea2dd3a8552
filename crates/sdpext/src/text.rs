//! Fields of a line, one after the other, and the other way round.

use core::str::FromStr;

use crate::Error;

/// The fields of a value, separated by spaces. Each may be missing or malformed: errors name it.
pub(crate) struct Fields<'a> {
    of: &'static str,
    rest: &'a str,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(of: &'static str, value: &'a str) -> Self {
        Self {
            of,
            rest: value.trim_ascii(),
        }
    }

    /// The next field, up to a space.
    pub(crate) fn next(&mut self, field: &'static str) -> Result<&'a str, Error> {
        if self.rest.is_empty() {
            return Err(Error::MissingField { of: self.of, field });
        }
        let (next, rest) = self.rest.split_once(' ').unwrap_or((self.rest, ""));
        self.rest = rest.trim_ascii_start();
        Ok(next)
    }

    pub(crate) fn number<T: FromStr>(&mut self, field: &'static str) -> Result<T, Error> {
        let text = self.next(field)?;
        number(self.of, field, text)
    }

    /// A field that is parsed by `parse`.
    pub(crate) fn parse<T>(
        &mut self,
        field: &'static str,
        parse: impl FnOnce(&'a str) -> Option<T>,
    ) -> Result<T, Error> {
        let text = self.next(field)?;
        parse(text).ok_or_else(|| self.invalid(field))
    }

    /// The error that names this field.
    pub(crate) const fn invalid(&self, field: &'static str) -> Error {
        Error::InvalidField { of: self.of, field }
    }

    /// Everything that is left.
    pub(crate) const fn rest(&self) -> &'a str {
        self.rest
    }
}

/// Digits only: `FromStr` of the integers takes a sign too.
pub(crate) fn number<T: FromStr>(
    of: &'static str,
    field: &'static str,
    text: &str,
) -> Result<T, Error> {
    let digits = text.bytes().all(|c| c.is_ascii_digit());
    match text.parse() {
        Ok(value) if digits => Ok(value),
        _ => Err(Error::InvalidField { of, field }),
    }
}

/// Appends a number.
pub(crate) fn push(out: &mut String, number: impl itoa::Integer) {
    out.push_str(itoa::Buffer::new().format(number));
}

/// Appends pieces one after the other: text as it is, numbers in decimal.
macro_rules! put {
    ($out:expr, $($piece:expr),+ $(,)?) => {
        { $($crate::text::Piece::put(&$piece, $out);)+ }
    };
}
pub(crate) use put;

/// What can be put into a line.
pub(crate) trait Piece {
    fn put(&self, out: &mut String);
}

impl Piece for &str {
    fn put(&self, out: &mut String) {
        out.push_str(self);
    }
}

impl Piece for char {
    fn put(&self, out: &mut String) {
        out.push(*self);
    }
}

macro_rules! numbers {
    ($($type:ty)*) => {
        $(impl Piece for $type {
            fn put(&self, out: &mut String) {
                push(out, *self);
            }
        })*
    };
}
numbers!(u8 u16 u32 u64);

/// Makes an enumeration of words, as they stand on the wire.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$word_doc])* $variant,)*
        }

        impl $name {
            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// Reads the word; case does not count.
            #[must_use]
            pub fn from_text(text: &str) -> Option<Self> {
                $(if text.eq_ignore_ascii_case($text) {
                    return Some(Self::$variant);
                })*
                None
            }
        }
    };
}
pub(crate) use words;
