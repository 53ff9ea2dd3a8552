//! How the schemas of the versions grow into each other (\[MS-QoE\] 6): elements of a later version stand in a namespace of their own,
//! behind a separator of the version before where that has one.

use ocs_xml::{Attribute, Content, Error, ExtraAttribute, Raw, Tag, Value, Writer};

/// A version of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaVersion {
    /// OCS 2007 and OCS 2007 R2.
    V1,
    /// Lync 2010.
    V2,
    /// Lync 2013.
    V3,
    /// Skype for Business 2015.
    V4,
}

impl SchemaVersion {
    /// Those that came after the first, in their order.
    pub(crate) const LATER: [Self; 3] = [Self::V2, Self::V3, Self::V4];

    /// The namespace of what this version added.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::V1 => "ms-rtcp-metrics",
            Self::V2 => "ms-rtcp-metrics.v2",
            Self::V3 => "ms-rtcp-metrics.v3",
            Self::V4 => "ms-rtcp-metrics.v4",
        }
    }

    /// The prefix that products use for it.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::V1 => "",
            Self::V2 => "v2",
            Self::V3 => "v3",
            Self::V4 => "v4",
        }
    }

    /// The value of `v2:SchemaVersion` (those of versions 3 and 4 are inferred); the first version has none.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::V1 => None,
            Self::V2 => Some("2.0"),
            Self::V3 => Some("3.0"),
            Self::V4 => Some("4.0"),
        }
    }

    pub(crate) fn names(self, tag: &Tag<'_>, name: &str) -> bool {
        tag.is(self.namespace(), name)
    }

    /// Attributes of the first version have no prefix, those of later ones have one.
    pub(crate) fn names_attribute(self, attribute: &Attribute<'_>, name: &str) -> bool {
        let namespace = match self {
            Self::V1 => "",
            later => later.namespace(),
        };
        attribute.name == name && attribute.namespace == namespace
    }

    pub(crate) fn write_attribute<T: Value>(self, writer: &mut Writer, name: &str, value: &T) {
        if self == Self::V1 {
            writer.attr_value(name, value);
            return;
        }
        let mut text = String::new();
        value.format(&mut text);
        writer.attr_prefixed(self.prefix(), self.namespace(), name, &text);
    }

    pub(crate) fn open(self, writer: &mut Writer, name: &str) {
        if self == Self::V1 {
            writer.open(self.namespace(), name);
        } else {
            writer.open_prefixed(self.prefix(), self.namespace(), name);
        }
    }

    pub(crate) fn write_leaf<T: Value>(self, writer: &mut Writer, name: &str, value: &T) {
        self.open(writer, name);
        writer.text_value(value);
        writer.close();
    }

    pub(crate) fn write_part<T: Content>(self, writer: &mut Writer, name: &str, value: &T) {
        self.open(writer, name);
        value.write_content(writer);
        writer.close();
    }
}

/// What is cut to a version of the schema, so that a server of that version takes it.
pub(crate) trait Cut {
    /// Takes away what came with later versions, and what is not known.
    fn cut(&mut self, version: SchemaVersion);
}

/// What an element has beside what is known here: attributes and elements of later versions and of others. They are written again, the
/// elements behind the known ones.
#[derive(Debug, Clone, Default)]
pub struct Unknown {
    xml: ocs_xml::Extra,
    /// Separators that stood there. As many are written again, but they make no difference.
    separators: usize,
}

impl PartialEq for Unknown {
    fn eq(&self, other: &Self) -> bool {
        self.xml == other.xml
    }
}

impl Eq for Unknown {}

impl Unknown {
    /// Whether there is nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.xml.is_empty()
    }

    /// The attributes.
    #[must_use]
    pub fn attributes(&self) -> &[ExtraAttribute] {
        self.xml.attributes()
    }

    /// The elements.
    pub fn elements(&self) -> impl Iterator<Item = &Raw> {
        self.xml.elements()
    }

    /// Keeps an attribute. One whose prefix is here that of a version, and there of something else, has no place beside ours.
    pub(crate) fn read_attribute(&mut self, attribute: &Attribute<'_>) -> Result<(), Error> {
        let mut later = SchemaVersion::LATER.iter();
        let own = later.find(|version| version.prefix() == attribute.prefix);
        if own.is_some_and(|version| version.namespace() != attribute.namespace) {
            return Ok(());
        }
        self.xml.push_attribute(ExtraAttribute {
            namespace: attribute.namespace.into(),
            prefix: attribute.prefix.into(),
            name: attribute.name.into(),
            value: attribute.value()?.into(),
        });
        Ok(())
    }

    pub(crate) fn push_element(&mut self, raw: Raw) {
        self.xml.push_element(raw);
    }

    /// Remembers the separator that a tag is, if it is one of these.
    pub(crate) fn separator(&mut self, tag: &Tag<'_>, all: &[Separator]) -> bool {
        let place = all
            .iter()
            .position(|(version, name)| version.names(tag, name));
        if let Some(place) = place {
            self.separators = self.separators.max(place + 1);
        }
        place.is_some()
    }

    pub(crate) fn write_attributes(&self, writer: &mut Writer) {
        for attribute in self.attributes() {
            if attribute.prefix.is_empty() {
                writer.attr(&attribute.name, &attribute.value);
            } else {
                let (prefix, namespace) = (&attribute.prefix, &attribute.namespace);
                writer.attr_prefixed(prefix, namespace, &attribute.name, &attribute.value);
            }
        }
    }

    pub(crate) fn write_elements(&self, writer: &mut Writer, separators: &mut Separators) {
        separators.write(writer, self.separators);
        for raw in self.elements() {
            raw.write(writer);
        }
    }
}

/// An empty element that ends a version: its own version, and its name.
pub(crate) type Separator = (SchemaVersion, &'static str);

/// The separators of a type, and how many stand already.
pub(crate) struct Separators {
    all: &'static [Separator],
    written: usize,
}

impl Separators {
    pub(crate) const fn new(all: &'static [Separator]) -> Self {
        Self { all, written: 0 }
    }

    /// Writes separators up to the wanted number.
    pub(crate) fn write(&mut self, writer: &mut Writer, wanted: usize) {
        while self.written < wanted.min(self.all.len()) {
            let (version, name) = self.all[self.written];
            version.open(writer, name);
            writer.close();
            self.written += 1;
        }
    }
}

/// Declares a type of the schema: its fields, reader, writer, and what is left of it in an older version.
///
/// A field is `kind name: Type = version "Name"`, and `=> n` behind it when it stands behind the n-th of the separators that are listed behind
/// the type's name. Kinds are those of [`ocs_xml::element`]: `attr`, `attr_opt`, `leaf`, `leaf_opt`, `part`, `part_opt`, `parts`; and `recalled`, a `leaf_opt` that is
/// known from memory only: where it is not what its type says, it is left out, and the report is read all the same.
macro_rules! metrics {
    (
        $(#[$meta:meta])*
        pub struct $type:ident($local:literal $(, $separator_version:ident $separator:literal)*) {
            $(
                $(#[$field_meta:meta])*
                $kind:ident $field:ident : $ty:ty = $version:ident $wire:literal $(=> $level:literal)?
            ),* $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        #[allow(clippy::derive_partial_eq_without_eq)] // Some have floating-point numbers.
        pub struct $type {
            $(
                $(#[$field_meta])*
                pub $field: metrics!(@type $kind, $ty),
            )*
            /// What is not known here.
            pub unknown: $crate::document::schema::Unknown,
        }

        impl $type {
            const SEPARATORS: &'static [$crate::document::schema::Separator] =
                &[$( ($crate::document::SchemaVersion::$separator_version, $separator) ),*];
        }

        impl ocs_xml::Content for $type {
            fn read_content(reader: &mut ocs_xml::Reader<'_>) -> Result<Self, ocs_xml::Error> {
                $( let mut $field: metrics!(@slot $kind, $ty) = Default::default(); )*
                let mut unknown = $crate::document::schema::Unknown::default();
                for attribute in reader.attributes() {
                    $( metrics!(@attribute $kind, $ty, $field, attribute, $version, $local, $wire); )*
                    unknown.read_attribute(attribute)?;
                }
                while let Some(tag) = reader.child()? {
                    $( metrics!(@child $kind, $ty, $field, tag, reader, $version, $local, $wire); )*
                    if unknown.separator(&tag, Self::SEPARATORS) {
                        reader.skip()?;
                    } else {
                        unknown.push_element(reader.raw()?);
                    }
                }
                Ok(Self {
                    $( $field: metrics!(@finish $kind, $field, $local, $wire), )*
                    unknown,
                })
            }

            fn write_content(&self, writer: &mut ocs_xml::Writer) {
                $( metrics!(@write_attribute $kind, self.$field, writer, $version, $wire); )*
                self.unknown.write_attributes(writer);
                #[allow(unused_mut)]
                let mut separators = $crate::document::schema::Separators::new(Self::SEPARATORS);
                $(
                    metrics!(
                        @write $kind, self.$field, writer, separators, $version, $wire,
                        metrics!(@level $($level)?)
                    );
                )*
                self.unknown.write_elements(writer, &mut separators);
            }
        }

        impl $crate::document::schema::Cut for $type {
            fn cut(&mut self, version: $crate::document::SchemaVersion) {
                $( metrics!(@cut $kind, self.$field, version, $version); )*
                self.unknown = Default::default();
            }
        }
    };
    (@type attr, $ty:ty) => { $ty };
    (@type leaf, $ty:ty) => { $ty };
    (@type part, $ty:ty) => { $ty };
    (@type parts, $ty:ty) => { Vec<$ty> };
    (@type $kind:ident, $ty:ty) => { Option<$ty> };
    (@slot parts, $ty:ty) => { Vec<$ty> };
    (@slot $kind:ident, $ty:ty) => { Option<$ty> };
    (@level) => { 0 };
    (@level $level:literal) => { $level };

    (@attribute attr_opt, $ty:ty, $field:ident, $attribute:ident, $version:ident, $local:literal, $wire:literal) => {
        if $crate::document::SchemaVersion::$version.names_attribute($attribute, $wire) {
            let value = <$ty as $crate::document::values::Metric>::read(&$attribute.value()?);
            $field = Some(value.ok_or(ocs_xml::Error::Value { element: $local, name: $wire })?);
            continue;
        }
    };
    (@attribute attr, $($rest:tt)*) => { metrics!(@attribute attr_opt, $($rest)*); };
    (@attribute $kind:ident, $($rest:tt)*) => {};

    (@child leaf_opt, $ty:ty, $field:ident, $tag:ident, $reader:ident, $version:ident, $local:literal, $wire:literal) => {
        if $crate::document::SchemaVersion::$version.names(&$tag, $wire) {
            let text = $reader.text()?;
            if <$ty as $crate::document::values::Metric>::is_nothing(&text) {
                continue;
            }
            let value = <$ty as $crate::document::values::Metric>::read(&text);
            let value = value.ok_or(ocs_xml::Error::Value { element: $local, name: $wire })?;
            if $field.replace(value).is_some() {
                return Err(ocs_xml::Error::RepeatedElement { element: $local, child: $wire });
            }
            continue;
        }
    };
    (@child recalled, $ty:ty, $field:ident, $tag:ident, $reader:ident, $version:ident, $local:literal, $wire:literal) => {
        if $crate::document::SchemaVersion::$version.names(&$tag, $wire) {
            let value = <$ty as $crate::document::values::Metric>::read(&$reader.text()?);
            $field = $field.or(value);
            continue;
        }
    };
    (@child part_opt, $ty:ty, $field:ident, $tag:ident, $reader:ident, $version:ident, $local:literal, $wire:literal) => {
        if $crate::document::SchemaVersion::$version.names(&$tag, $wire) {
            let value = <$ty as ocs_xml::Content>::read_content($reader)?;
            if $field.replace(value).is_some() {
                return Err(ocs_xml::Error::RepeatedElement { element: $local, child: $wire });
            }
            continue;
        }
    };
    (@child parts, $ty:ty, $field:ident, $tag:ident, $reader:ident, $version:ident, $local:literal, $wire:literal) => {
        if $crate::document::SchemaVersion::$version.names(&$tag, $wire) {
            $field.push(<$ty as ocs_xml::Content>::read_content($reader)?);
            continue;
        }
    };
    (@child leaf, $($rest:tt)*) => { metrics!(@child leaf_opt, $($rest)*); };
    (@child part, $($rest:tt)*) => { metrics!(@child part_opt, $($rest)*); };
    (@child $kind:ident, $($rest:tt)*) => {};

    (@finish attr, $field:ident, $local:literal, $wire:literal) => {
        $field.ok_or(ocs_xml::Error::MissingAttribute { element: $local, attribute: $wire })?
    };
    (@finish leaf, $field:ident, $local:literal, $wire:literal) => {
        $field.ok_or(ocs_xml::Error::MissingElement { element: $local, child: $wire })?
    };
    (@finish part, $($rest:tt)*) => { metrics!(@finish leaf, $($rest)*) };
    (@finish $kind:ident, $field:ident, $local:literal, $wire:literal) => { $field };

    (@write_attribute attr, $value:expr, $writer:ident, $version:ident, $wire:literal) => {
        $crate::document::SchemaVersion::$version.write_attribute($writer, $wire, &$value);
    };
    (@write_attribute attr_opt, $value:expr, $writer:ident, $version:ident, $wire:literal) => {
        if let Some(value) = &$value {
            $crate::document::SchemaVersion::$version.write_attribute($writer, $wire, value);
        }
    };
    (@write_attribute $kind:ident, $($rest:tt)*) => {};

    (@write leaf, $value:expr, $writer:ident, $separators:ident, $version:ident, $wire:literal, $level:expr) => {
        $separators.write($writer, $level);
        $crate::document::SchemaVersion::$version.write_leaf($writer, $wire, &$value);
    };
    (@write leaf_opt, $value:expr, $writer:ident, $separators:ident, $version:ident, $wire:literal, $level:expr) => {
        if let Some(value) = &$value {
            $separators.write($writer, $level);
            $crate::document::SchemaVersion::$version.write_leaf($writer, $wire, value);
        }
    };
    (@write recalled, $($rest:tt)*) => { metrics!(@write leaf_opt, $($rest)*); };
    (@write part, $value:expr, $writer:ident, $separators:ident, $version:ident, $wire:literal, $level:expr) => {
        $separators.write($writer, $level);
        $crate::document::SchemaVersion::$version.write_part($writer, $wire, &$value);
    };
    (@write part_opt, $value:expr, $writer:ident, $separators:ident, $version:ident, $wire:literal, $level:expr) => {
        if let Some(value) = &$value {
            $separators.write($writer, $level);
            $crate::document::SchemaVersion::$version.write_part($writer, $wire, value);
        }
    };
    (@write parts, $value:expr, $writer:ident, $separators:ident, $version:ident, $wire:literal, $level:expr) => {
        for value in &$value {
            $separators.write($writer, $level);
            $crate::document::SchemaVersion::$version.write_part($writer, $wire, value);
        }
    };
    (@write $kind:ident, $($rest:tt)*) => {};

    // What is required is of the first version.
    (@cut part, $value:expr, $limit:ident, $version:ident) => {
        $crate::document::schema::Cut::cut(&mut $value, $limit);
    };
    (@cut part_opt, $value:expr, $limit:ident, $version:ident) => {
        metrics!(@cut attr_opt, $value, $limit, $version);
        if let Some(value) = &mut $value {
            $crate::document::schema::Cut::cut(value, $limit);
        }
    };
    (@cut parts, $value:expr, $limit:ident, $version:ident) => {
        if $crate::document::SchemaVersion::$version > $limit {
            $value.clear();
        }
        for value in &mut $value {
            $crate::document::schema::Cut::cut(value, $limit);
        }
    };
    (@cut attr_opt, $value:expr, $limit:ident, $version:ident) => {
        if $crate::document::SchemaVersion::$version > $limit {
            $value = None;
        }
    };
    (@cut recalled, $($rest:tt)*) => { metrics!(@cut attr_opt, $($rest)*); };
    (@cut leaf_opt, $($rest:tt)*) => { metrics!(@cut attr_opt, $($rest)*); };
    (@cut $kind:ident, $($rest:tt)*) => {};
}

pub(crate) use metrics;
