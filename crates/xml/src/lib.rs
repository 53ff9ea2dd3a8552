#![doc = include_str!("../README.md")]

mod element;
mod error;
mod limits;
mod macros;
mod names;
mod raw;
mod reader;
mod scan;
pub mod soap;
mod text;
mod value;
mod writer;

pub use element::{Child, Content, Element, Extra, ExtraAttribute, from_slice, to_string};
#[doc(hidden)]
pub use element::{Written, is_delimiter, write_part};
pub use error::Error;
pub use limits::Limits;
pub use names::{COMMON_TYPES, XML, XSI};
pub use raw::Raw;
pub use reader::{Attribute, Reader, Tag};
pub use smol_str::SmolStr;
pub use value::Value;
pub use writer::Writer;
