//! What can be wrong with a document.

use smol_str::SmolStr;

/// Why a document was refused. Offsets are octets from its beginning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Longer than [`Limits::size`](crate::Limits::size).
    #[error("document of more than {limit} octets")]
    TooLong {
        /// The bound.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("not UTF-8 at {offset}")]
    NotUtf8 {
        /// The first octet that is wrong.
        offset: usize,
    },
    /// A control character, or a reference to a character that XML does not have.
    #[error("character that is not allowed at {offset}")]
    Character {
        /// Where, or where its text begins.
        offset: usize,
    },
    /// Not well-formed.
    #[error("{what} at {offset}")]
    Syntax {
        /// Where.
        offset: usize,
        /// What.
        what: SmolStr,
    },
    /// A document type definition: never read, because its entities can grow without bound and name files.
    #[error("document type definition at {offset}")]
    Doctype {
        /// Where.
        offset: usize,
    },
    /// A reference to an entity that is not one of the five of XML.
    #[error("unknown entity at {offset}")]
    Entity {
        /// Where its text begins.
        offset: usize,
    },
    /// Deeper than [`Limits::depth`](crate::Limits::depth).
    #[error("nested deeper than {limit} elements at {offset}")]
    TooDeep {
        /// The bound.
        limit: usize,
        /// Where.
        offset: usize,
    },
    /// More attributes than [`Limits::attributes`](crate::Limits::attributes).
    #[error("element with more than {limit} attributes at {offset}")]
    TooManyAttributes {
        /// The bound.
        limit: usize,
        /// Where.
        offset: usize,
    },
    /// An attribute twice.
    #[error("attribute {name} twice at {offset}")]
    DuplicateAttribute {
        /// Its name.
        name: SmolStr,
        /// Where the element begins.
        offset: usize,
    },
    /// A prefix that no declaration in scope binds.
    #[error("prefix {prefix} without namespace at {offset}")]
    UnboundPrefix {
        /// The prefix.
        prefix: SmolStr,
        /// Where the element begins.
        offset: usize,
    },
    /// Another document than the one that was asked for.
    #[error("root element {found} in the place of {expected}")]
    Root {
        /// What was asked for.
        expected: &'static str,
        /// What is there.
        found: SmolStr,
    },
    /// An attribute that the schema requires is not there.
    #[error("{element} without attribute {attribute}")]
    MissingAttribute {
        /// Of which element.
        element: &'static str,
        /// Which one.
        attribute: &'static str,
    },
    /// An element that the schema requires is not there.
    #[error("{element} without {child}")]
    MissingElement {
        /// Inside which element.
        element: &'static str,
        /// Which one.
        child: &'static str,
    },
    /// An element that may stand once stands twice.
    #[error("{child} twice in {element}")]
    RepeatedElement {
        /// Inside which element.
        element: &'static str,
        /// Which one.
        child: &'static str,
    },
    /// A value that its type does not have.
    #[error("bad value of {name} in {element}")]
    Value {
        /// In which element.
        element: &'static str,
        /// Of which attribute or element.
        name: &'static str,
    },
}
