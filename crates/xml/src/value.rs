//! Simple values: what stands in an attribute or in an element without children.

use std::fmt::Write;

use smol_str::SmolStr;

/// A simple type of XML Schema.
///
/// ```
/// use ocs_xml::Value;
///
/// assert_eq!(bool::parse(" 1 "), Some(true));
/// assert_eq!(u32::parse("4294967296"), None);
/// ```
pub trait Value: Sized {
    /// Reads the lexical form; `None` when it is none of this type.
    fn parse(text: &str) -> Option<Self>;

    /// Appends the canonical lexical form, not yet escaped.
    fn format(&self, out: &mut String);
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Value for $type {
            #[inline]
            fn parse(text: &str) -> Option<Self> {
                text.trim_ascii().parse().ok()
            }

            fn format(&self, out: &mut String) {
                // Writing to a String cannot fail.
                let _ = write!(out, "{self}");
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64, i32, i64);

impl Value for bool {
    /// `true`, `false`, `1` and `0`, in any case: servers write `True` too (inferred).
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        if text == "1" || text.eq_ignore_ascii_case("true") {
            Some(true)
        } else if text == "0" || text.eq_ignore_ascii_case("false") {
            Some(false)
        } else {
            None
        }
    }

    fn format(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

impl Value for SmolStr {
    #[inline]
    fn parse(text: &str) -> Option<Self> {
        Some(text.into())
    }

    fn format(&self, out: &mut String) {
        out.push_str(self);
    }
}

impl Value for String {
    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn format(&self, out: &mut String) {
        out.push_str(self);
    }
}
