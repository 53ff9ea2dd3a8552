//! Types of a schema, declared once: fields, reader and writer.

/// Declares the type of an element, with its [`Element`](crate::Element) implementation.
///
/// ```
/// use ocs_xml::{Limits, SmolStr, element, from_slice, to_string};
///
/// element! {
///     /// A phone number.
///     pub struct Phone("urn:example:card", "phone") {
///         /// Which phone.
///         attr kind: SmolStr = "type",
///         /// The number.
///         leaf uri: SmolStr = "uri",
///         /// How it is shown.
///         leaves shown: SmolStr = "displayString",
///         /// Whether it may be called; of a later version of the schema, so behind the first delimiter.
///         leaf_opt callable: bool = "callable" => 1,
///     }
/// }
///
/// let text = r#"<phone xmlns="urn:example:card" type="work" x="1"><uri>tel:+1</uri><new/></phone>"#;
/// let phone: Phone = from_slice(text.as_bytes(), &Limits::default())?;
/// assert_eq!(phone.uri, "tel:+1");
/// assert_eq!(phone.extra.elements().count(), 1);
/// assert_eq!(to_string(&phone), text);
/// # Ok::<(), ocs_xml::Error>(())
/// ```
///
/// Each field begins with its kind:
///
/// | kind | type of the field | on the wire |
/// |---|---|---|
/// | `attr`, `attr_opt` | `T`, `Option<T>` | an attribute, required or optional; `T` is a [`Value`](crate::Value) |
/// | `leaf`, `leaf_opt`, `leaves` | `T`, `Option<T>`, `Vec<T>` | elements of the same namespace that hold a value only |
/// | `child`, `child_opt`, `children` | `T`, `Option<T>`, `Vec<T>` | elements; `T` is a [`Child`](crate::Child) |
/// | `part`, `part_opt`, `parts` | `T`, `Option<T>`, `Vec<T>` | elements of the same namespace named by the field; `T` is a [`Content`](crate::Content) |
/// | `xsi_type` | `Option<T>` | the attribute `xsi:type`, without its prefix |
/// | `text` | `T` | the text of the element itself |
///
/// `= "name"` is the name on the wire; without it the field's own. `=> n` places an element behind the n-th
/// `delimiter` of Microsoft's schemas. Elements are written in the order of their declaration and read in any order. An attribute or
/// element that is not declared goes into the field `extra`. An optional element that comes twice is an error. An attribute may have
/// the prefix of the element's own namespace; where that is empty, names alone count, of elements and attributes.
#[macro_export]
macro_rules! element {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident($namespace:expr, $local:literal) { $($fields:tt)* }
    ) => {
        $crate::content! {
            $(#[$meta])*
            $vis struct $name($namespace, $local) { $($fields)* }
        }

        impl $crate::Element for $name {
            const NAMESPACE: &'static str = $namespace;
            const NAME: &'static str = $local;

            fn read(reader: &mut $crate::Reader<'_>) -> ::core::result::Result<Self, $crate::Error> {
                <Self as $crate::Content>::read_content(reader)
            }

            fn write(&self, writer: &mut $crate::Writer) {
                writer.open($namespace, $local);
                $crate::Content::write_content(self, writer);
                writer.close();
            }
        }
    };
}

/// Declares a type of a schema that stands under several names, with its [`Content`](crate::Content) implementation.
///
/// Fields as in [`element!`]. The name here is only how errors call it; the namespace is that of its children.
///
/// ```
/// use ocs_xml::{Limits, SmolStr, content, element, from_slice, to_string};
///
/// content! {
///     /// Text in a language.
///     pub struct Localized("", "LCIDType") {
///         /// Which language.
///         attr_opt lcid: u32 = "LCID",
///         /// The text.
///         text value: SmolStr,
///     }
/// }
/// element! {
///     /// A card.
///     pub struct Card("urn:example:card", "card") {
///         /// Title.
///         parts title: Localized,
///         /// Office.
///         part_opt office: Localized,
///     }
/// }
///
/// let text = r#"<card xmlns="urn:example:card"><title LCID="1033">Engineer</title><office>12</office></card>"#;
/// let card: Card = from_slice(text.as_bytes(), &Limits::default())?;
/// assert_eq!(card.title[0].lcid, Some(1033));
/// assert_eq!(to_string(&card), text);
/// # Ok::<(), ocs_xml::Error>(())
/// ```
#[macro_export]
macro_rules! content {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident($namespace:expr, $local:literal) {
            $(
                $(#[$field_meta:meta])*
                $kind:ident $field:ident : $ty:ty $(= $wire:literal)? $(=> $delimiters:literal)?
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        $vis struct $name {
            $(
                $(#[$field_meta])*
                pub $field: $crate::__field_type!($kind, $ty),
            )*
            /// Attributes and elements that the schema does not name.
            pub extra: $crate::Extra,
        }

        impl $crate::Content for $name {
            fn read_content(
                reader: &mut $crate::Reader<'_>,
            ) -> ::core::result::Result<Self, $crate::Error> {
                $( let mut $field: $crate::__slot_type!($kind, $ty) = ::core::default::Default::default(); )*
                let mut extra = $crate::Extra::default();
                for attribute in reader.attributes() {
                    $(
                        $crate::__read_attribute!(
                            $kind, $ty, $field, attribute, $namespace, $local,
                            $crate::__wire!($field $(, $wire)?)
                        );
                    )*
                    extra.read_attribute(attribute)?;
                }
                $crate::__read_content! {
                    reader, extra, $namespace, $local,
                    [$( ($kind, $ty, $field, $crate::__wire!($field $(, $wire)?)) )*]
                }
                ::core::result::Result::Ok(Self {
                    $( $field: $crate::__finish!(
                        $kind, $ty, $field, $local, $crate::__wire!($field $(, $wire)?)
                    ), )*
                    extra,
                })
            }

            fn write_content(&self, writer: &mut $crate::Writer) {
                $(
                    $crate::__write_attribute!(
                        $kind, self.$field, writer, $crate::__wire!($field $(, $wire)?)
                    );
                )*
                self.extra.write_attributes(writer);
                #[allow(unused_mut)]
                let mut written = $crate::Written::default();
                $(
                    $crate::__write_content!(
                        $kind, self.$field, self.extra, writer, written, $namespace,
                        $crate::__wire!($field $(, $wire)?), $crate::__delimiters!($($delimiters)?)
                    );
                )*
                self.extra.write_elements(writer, &mut written);
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __wire {
    ($field:ident) => {
        ::core::stringify!($field)
    };
    ($field:ident, $wire:literal) => {
        $wire
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __delimiters {
    () => {
        0u8
    };
    ($delimiters:literal) => {
        $delimiters
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __field_type {
    (attr, $ty:ty) => { $ty };
    (leaf, $ty:ty) => { $ty };
    (child, $ty:ty) => { $ty };
    (part, $ty:ty) => { $ty };
    (text, $ty:ty) => { $ty };
    (xsi_type, $ty:ty) => { ::core::option::Option<$ty> };
    (attr_opt, $ty:ty) => { ::core::option::Option<$ty> };
    (leaf_opt, $ty:ty) => { ::core::option::Option<$ty> };
    (child_opt, $ty:ty) => { ::core::option::Option<$ty> };
    (part_opt, $ty:ty) => { ::core::option::Option<$ty> };
    (leaves, $ty:ty) => { ::std::vec::Vec<$ty> };
    (children, $ty:ty) => { ::std::vec::Vec<$ty> };
    (parts, $ty:ty) => { ::std::vec::Vec<$ty> };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __slot_type {
    (leaves, $ty:ty) => { ::std::vec::Vec<$ty> };
    (children, $ty:ty) => { ::std::vec::Vec<$ty> };
    (parts, $ty:ty) => { ::std::vec::Vec<$ty> };
    ($kind:ident, $ty:ty) => { ::core::option::Option<$ty> };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __parse {
    ($ty:ty, $text:expr, $local:literal, $wire:expr) => {
        <$ty as $crate::Value>::parse($text).ok_or($crate::Error::Value {
            element: $local,
            name: $wire,
        })?
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __read_attribute {
    (attr, $ty:ty, $field:ident, $attribute:ident, $namespace:expr, $local:literal, $wire:expr) => {
        if $attribute.name == $wire
            && ($attribute.prefix.is_empty()
                || $attribute.namespace == $namespace
                || $namespace.is_empty())
        {
            let value = $attribute.value()?;
            $field = ::core::option::Option::Some($crate::__parse!($ty, &value, $local, $wire));
            continue;
        }
    };
    (attr_opt, $ty:ty, $field:ident, $attribute:ident, $namespace:expr, $local:literal, $wire:expr) => {
        $crate::__read_attribute!(attr, $ty, $field, $attribute, $namespace, $local, $wire);
    };
    (xsi_type, $ty:ty, $field:ident, $attribute:ident, $namespace:expr, $local:literal, $wire:expr) => {
        if $attribute.name == "type" && $attribute.namespace == $crate::XSI {
            let value = $attribute.value()?;
            let name = value.rsplit(':').next().unwrap_or_default();
            $field = ::core::option::Option::Some($crate::__parse!($ty, name, $local, "xsi:type"));
            continue;
        }
    };
    ($kind:ident, $ty:ty, $field:ident, $attribute:ident, $namespace:expr, $local:literal, $wire:expr) => {};
}

/// The content: the text of the element itself where a field of that kind is first, children otherwise.
#[doc(hidden)]
#[macro_export]
macro_rules! __read_content {
    ($reader:ident, $extra:ident, $namespace:expr, $local:literal, [$( ($kind:ident, $ty:ty, $field:ident, $wire:expr) )*]) => {
        $crate::__read_content!(@find $reader, $extra, $namespace, $local, [$( ($kind, $ty, $field, $wire) )*], [$( ($kind, $ty, $field, $wire) )*])
    };
    (@find $reader:ident, $extra:ident, $namespace:expr, $local:literal, [(text, $ty:ty, $field:ident, $wire:expr) $($rest:tt)*], $all:tt) => {
        let content = $reader.text()?;
        $field = ::core::option::Option::Some($crate::__parse!($ty, &content, $local, $wire));
    };
    (@find $reader:ident, $extra:ident, $namespace:expr, $local:literal, [$first:tt $($rest:tt)*], $all:tt) => {
        $crate::__read_content!(@find $reader, $extra, $namespace, $local, [$($rest)*], $all)
    };
    (@find $reader:ident, $extra:ident, $namespace:expr, $local:literal, [], [$( ($kind:ident, $ty:ty, $field:ident, $wire:expr) )*]) => {
        let mut delimiters = 0u8;
        while let ::core::option::Option::Some(tag) = $reader.child()? {
            $(
                $crate::__read_child!($kind, $ty, $field, tag, $reader, $namespace, $local, $wire);
            )*
            if $crate::is_delimiter(&tag) {
                delimiters = delimiters.saturating_add(1);
                $reader.skip()?;
            } else {
                $extra.push_element_after(delimiters, $reader.raw()?);
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __read_child {
    (leaves, $ty:ty, $field:ident, $tag:ident, $reader:ident, $namespace:expr, $local:literal, $wire:expr) => {
        if $tag.is($namespace, $wire) {
            let value = $reader.text()?;
            $field.push($crate::__parse!($ty, &value, $local, $wire));
            continue;
        }
    };
    (children, $ty:ty, $field:ident, $tag:ident, $reader:ident, $namespace:expr, $local:literal, $wire:expr) => {
        if <$ty as $crate::Child>::is(&$tag) {
            $field.push(<$ty as $crate::Child>::read(&$tag, $reader)?);
            continue;
        }
    };
    (leaf, $ty:ty, $field:ident, $tag:ident, $reader:ident, $namespace:expr, $local:literal, $wire:expr) => {
        if $tag.is($namespace, $wire) {
            let value = $reader.text()?;
            let value = $crate::__parse!($ty, &value, $local, $wire);
            if $field.replace(value).is_some() {
                return ::core::result::Result::Err($crate::Error::RepeatedElement {
                    element: $local,
                    child: $wire,
                });
            }
            continue;
        }
    };
    (leaf_opt, $ty:ty, $field:ident, $tag:ident, $reader:ident, $namespace:expr, $local:literal, $wire:expr) => {
        $crate::__read_child!(leaf, $ty, $field, $tag, $reader, $namespace, $local, $wire);
    };
    (child, $ty:ty, $field:ident, $tag:ident, $reader:ident, $namespace:expr, $local:literal, $wire:expr) => {
        if <$ty as $crate::Child>::is(&$tag) {
            let value = <$ty as $crate::Child>::read(&$tag, $reader)?;
            if $field.replace(value).is_some() {
                return ::core::result::Result::Err($crate::Error::RepeatedElement {
                    element: $local,
                    child: <$ty as $crate::Child>::NAME,
                });
            }
            continue;
        }
    };
    (parts, $ty:ty, $field:ident, $tag:ident, $reader:ident, $namespace:expr, $local:literal, $wire:expr) => {
        if $tag.is($namespace, $wire) {
            $field.push(<$ty as $crate::Content>::read_content($reader)?);
            continue;
        }
    };
    (part, $ty:ty, $field:ident, $tag:ident, $reader:ident, $namespace:expr, $local:literal, $wire:expr) => {
        if $tag.is($namespace, $wire) {
            let value = <$ty as $crate::Content>::read_content($reader)?;
            if $field.replace(value).is_some() {
                return ::core::result::Result::Err($crate::Error::RepeatedElement {
                    element: $local,
                    child: $wire,
                });
            }
            continue;
        }
    };
    (part_opt, $ty:ty, $field:ident, $tag:ident, $reader:ident, $namespace:expr, $local:literal, $wire:expr) => {
        $crate::__read_child!(part, $ty, $field, $tag, $reader, $namespace, $local, $wire);
    };
    (child_opt, $ty:ty, $field:ident, $tag:ident, $reader:ident, $namespace:expr, $local:literal, $wire:expr) => {
        $crate::__read_child!(child, $ty, $field, $tag, $reader, $namespace, $local, $wire);
    };
    ($kind:ident, $ty:ty, $field:ident, $tag:ident, $reader:ident, $namespace:expr, $local:literal, $wire:expr) => {};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __finish {
    (attr, $ty:ty, $field:ident, $local:literal, $wire:expr) => {
        $field.ok_or($crate::Error::MissingAttribute {
            element: $local,
            attribute: $wire,
        })?
    };
    (leaf, $ty:ty, $field:ident, $local:literal, $wire:expr) => {
        $field.ok_or($crate::Error::MissingElement {
            element: $local,
            child: $wire,
        })?
    };
    (child, $ty:ty, $field:ident, $local:literal, $wire:expr) => {
        $field.ok_or($crate::Error::MissingElement {
            element: $local,
            child: <$ty as $crate::Child>::NAME,
        })?
    };
    (part, $ty:ty, $field:ident, $local:literal, $wire:expr) => {
        $crate::__finish!(leaf, $ty, $field, $local, $wire)
    };
    (text, $ty:ty, $field:ident, $local:literal, $wire:expr) => {
        $field.ok_or($crate::Error::Value {
            element: $local,
            name: $wire,
        })?
    };
    ($kind:ident, $ty:ty, $field:ident, $local:literal, $wire:expr) => {
        $field
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __write_attribute {
    (attr, $value:expr, $writer:ident, $wire:expr) => {
        $writer.attr_value($wire, &$value);
    };
    (attr_opt, $value:expr, $writer:ident, $wire:expr) => {
        if let ::core::option::Option::Some(value) = &$value {
            $writer.attr_value($wire, value);
        }
    };
    (xsi_type, $value:expr, $writer:ident, $wire:expr) => {
        if let ::core::option::Option::Some(value) = &$value {
            $writer.xsi_type(value.as_str());
        }
    };
    ($kind:ident, $value:expr, $writer:ident, $wire:expr) => {};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __write_content {
    (text, $value:expr, $extra:expr, $writer:ident, $written:ident, $namespace:expr, $wire:expr, $delimiters:expr) => {
        $writer.text_value(&$value);
    };
    (leaf, $value:expr, $extra:expr, $writer:ident, $written:ident, $namespace:expr, $wire:expr, $delimiters:expr) => {
        $extra.delimit($writer, &mut $written, $delimiters);
        $writer.leaf($namespace, $wire, &$value);
    };
    (child, $value:expr, $extra:expr, $writer:ident, $written:ident, $namespace:expr, $wire:expr, $delimiters:expr) => {
        $extra.delimit($writer, &mut $written, $delimiters);
        $crate::Child::write(&$value, $writer);
    };
    (part, $value:expr, $extra:expr, $writer:ident, $written:ident, $namespace:expr, $wire:expr, $delimiters:expr) => {
        $extra.delimit($writer, &mut $written, $delimiters);
        $crate::write_part($writer, $namespace, $wire, &$value);
    };
    (leaf_opt, $value:expr, $extra:expr, $writer:ident, $written:ident, $namespace:expr, $wire:expr, $delimiters:expr) => {
        if let ::core::option::Option::Some(value) = &$value {
            $crate::__write_content!(
                leaf,
                *value,
                $extra,
                $writer,
                $written,
                $namespace,
                $wire,
                $delimiters
            );
        }
    };
    (child_opt, $value:expr, $extra:expr, $writer:ident, $written:ident, $namespace:expr, $wire:expr, $delimiters:expr) => {
        if let ::core::option::Option::Some(value) = &$value {
            $crate::__write_content!(
                child,
                *value,
                $extra,
                $writer,
                $written,
                $namespace,
                $wire,
                $delimiters
            );
        }
    };
    (part_opt, $value:expr, $extra:expr, $writer:ident, $written:ident, $namespace:expr, $wire:expr, $delimiters:expr) => {
        if let ::core::option::Option::Some(value) = &$value {
            $crate::__write_content!(
                part,
                *value,
                $extra,
                $writer,
                $written,
                $namespace,
                $wire,
                $delimiters
            );
        }
    };
    (leaves, $value:expr, $extra:expr, $writer:ident, $written:ident, $namespace:expr, $wire:expr, $delimiters:expr) => {
        for value in $value.iter() {
            $extra.delimit($writer, &mut $written, $delimiters);
            $writer.leaf($namespace, $wire, value);
        }
    };
    (children, $value:expr, $extra:expr, $writer:ident, $written:ident, $namespace:expr, $wire:expr, $delimiters:expr) => {
        for value in $value.iter() {
            $extra.delimit($writer, &mut $written, $delimiters);
            $crate::Child::write(value, $writer);
        }
    };
    (parts, $value:expr, $extra:expr, $writer:ident, $written:ident, $namespace:expr, $wire:expr, $delimiters:expr) => {
        for value in $value.iter() {
            $extra.delimit($writer, &mut $written, $delimiters);
            $crate::write_part($writer, $namespace, $wire, value);
        }
    };
    ($kind:ident, $value:expr, $extra:expr, $writer:ident, $written:ident, $namespace:expr, $wire:expr, $delimiters:expr) => {};
}

/// Declares a type that is one of several elements, with its [`Child`](crate::Child) implementation.
///
/// ```
/// use ocs_xml::{choice, element};
///
/// element! {
///     /// A wait.
///     pub struct Wait("urn:example:routing", "wait") {
///         /// Seconds.
///         attr seconds: u32,
///     }
/// }
/// element! {
///     /// Flags.
///     pub struct Flags("urn:example:routing", "flags") {
///         /// Names of flags.
///         attr value: String,
///     }
/// }
/// choice! {
///     /// A rule.
///     pub enum Rule("flags or wait") {
///         /// A wait.
///         Wait(Wait),
///         /// Flags.
///         Flags(Flags),
///     }
/// }
/// ```
#[macro_export]
macro_rules! choice {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident($what:literal) {
            $( $(#[$variant_meta:meta])* $variant:ident($ty:ty) ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        $vis enum $name {
            $( $(#[$variant_meta])* $variant($ty), )*
        }

        impl $crate::Child for $name {
            const NAME: &'static str = $what;

            fn is(tag: &$crate::Tag<'_>) -> bool {
                $( <$ty as $crate::Child>::is(tag) )||*
            }

            fn read(
                tag: &$crate::Tag<'_>,
                reader: &mut $crate::Reader<'_>,
            ) -> ::core::result::Result<Self, $crate::Error> {
                $(
                    if <$ty as $crate::Child>::is(tag) {
                        return <$ty as $crate::Child>::read(tag, reader).map(Self::$variant);
                    }
                )*
                ::core::result::Result::Err($crate::Error::Root {
                    expected: $what,
                    found: tag.name.into(),
                })
            }

            fn write(&self, writer: &mut $crate::Writer) {
                match self {
                    $( Self::$variant(value) => $crate::Child::write(value, writer), )*
                }
            }
        }

        $(
            impl ::core::convert::From<$ty> for $name {
                fn from(value: $ty) -> Self {
                    Self::$variant(value)
                }
            }
        )*
    };
}

/// Declares an enumeration of words, with its [`Value`](crate::Value) implementation.
///
/// With `open` there is a last variant `Other` for words that are not known, as the union types of Microsoft's schemas have it;
/// without, an unknown word is an error. Words are compared with case.
///
/// ```
/// use ocs_xml::{Value, words};
///
/// words! {
///     /// Which phone.
///     pub enum PhoneType: open {
///         /// At work.
///         Work = "work",
///         /// Carried along.
///         Mobile = "mobile",
///     }
/// }
/// assert_eq!(PhoneType::parse("mobile"), Some(PhoneType::Mobile));
/// assert_eq!(PhoneType::parse("boat").unwrap().as_str(), "boat");
/// ```
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident: open {
            $( $(#[$variant_meta:meta])* $variant:ident = $word:literal ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        $vis enum $name {
            $( $(#[$variant_meta])* $variant, )*
            /// A word that is not known here.
            Other($crate::SmolStr),
        }

        impl $name {
            /// The word.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $word, )*
                    Self::Other(word) => word,
                }
            }
        }

        impl ::core::convert::From<&str> for $name {
            fn from(word: &str) -> Self {
                match word.trim_ascii() {
                    $( $word => Self::$variant, )*
                    word => Self::Other(word.into()),
                }
            }
        }

        impl $crate::Value for $name {
            fn parse(text: &str) -> ::core::option::Option<Self> {
                ::core::option::Option::Some(text.into())
            }

            fn format(&self, out: &mut ::std::string::String) {
                out.push_str(self.as_str());
            }
        }
    };
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $( $(#[$variant_meta:meta])* $variant:ident = $word:literal ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis enum $name {
            $( $(#[$variant_meta])* $variant, )*
        }

        impl $name {
            /// The word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )*
                }
            }
        }

        impl $crate::Value for $name {
            fn parse(text: &str) -> ::core::option::Option<Self> {
                match text.trim_ascii() {
                    $( $word => ::core::option::Option::Some(Self::$variant), )*
                    _ => ::core::option::Option::None,
                }
            }

            fn format(&self, out: &mut ::std::string::String) {
                out.push_str(self.as_str());
            }
        }
    };
}
