//! Groups that are a list of settings: their fields, reader and writer, declared once.

use ocs_xml::{Error, Extra, Raw, Reader, Value, Writer, Written};

use super::NOTIFICATION_NAMESPACE as NAMESPACE;

/// How the settings of a group stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One element for each setting.
    Elements,
    /// `instance` with `property name="..."`.
    Instance,
    /// `propertyEntryList` with `property name="..."`.
    Entries,
}

impl Shape {
    /// The element around the settings.
    const fn container(self) -> Option<&'static str> {
        match self {
            Self::Elements => None,
            Self::Instance => Some("instance"),
            Self::Entries => Some("propertyEntryList"),
        }
    }
}

/// What became of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Its field has it.
    Yes,
    /// Its value is none of its type, or it was there before.
    No,
}

/// A group of settings. [`settings!`] implements it.
pub(super) trait Settings: Default {
    const SHAPE: Shape;
    /// The names of the settings, in the order of the fields.
    const NAMES: &'static [&'static str];

    /// Puts a value that is not empty into the field with this index.
    fn set(&mut self, index: usize, text: &str) -> Taken;
    /// Writes the fields that have a value.
    fn write_fields(&self, writer: &mut Writer);
    fn unknown(&self) -> &[Raw];
    fn unknown_mut(&mut self) -> &mut Vec<Raw>;
    fn extra(&self) -> &Extra;
    fn extra_mut(&mut self) -> &mut Extra;
}

/// A group as it stands in `provisionGroup`.
pub(super) trait Group: Sized {
    /// Reads the group that the reader has just entered, and leaves it.
    fn read_group(reader: &mut Reader<'_>) -> Result<Self, Error>;
    /// Writes what is in the group, and attributes of the group itself first.
    fn write_group(&self, writer: &mut Writer);
}

impl<T: Settings> Group for T {
    fn read_group(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut group = T::default();
        read_attributes(reader, group.extra_mut())?;
        while let Some(tag) = reader.child()? {
            let ours = tag.namespace.is_empty() || tag.namespace == NAMESPACE;
            if T::SHAPE == Shape::Elements {
                let index = ours.then(|| find::<T>(tag.name)).flatten();
                read_setting(&mut group, index, reader)?;
            } else if ours && matches!(tag.name, "instance" | "propertyEntryList") {
                // Either container is taken for the other: what counts is the name of the group.
                read_properties(&mut group, reader)?;
            } else {
                group.extra_mut().push_element(reader.raw()?);
            }
        }
        Ok(group)
    }

    fn write_group(&self, writer: &mut Writer) {
        self.extra().write_attributes(writer);
        if let Some(container) = T::SHAPE.container() {
            writer.open(NAMESPACE, container);
        }
        self.write_fields(writer);
        for raw in self.unknown() {
            raw.write(writer);
        }
        if T::SHAPE.container().is_some() {
            writer.close();
        }
        self.extra().write_elements(writer, &mut Written::default());
    }
}

/// Keeps the attributes of a group other than its name.
pub(super) fn read_attributes(reader: &Reader<'_>, extra: &mut Extra) -> Result<(), Error> {
    for attribute in reader.attributes() {
        if !(attribute.prefix.is_empty() && attribute.name == "name") {
            extra.read_attribute(attribute)?;
        }
    }
    Ok(())
}

/// Names are compared without case, as UCMA does.
fn find<T: Settings>(name: &str) -> Option<usize> {
    T::NAMES
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))
}

fn read_properties<T: Settings>(group: &mut T, reader: &mut Reader<'_>) -> Result<(), Error> {
    while let Some(tag) = reader.child()? {
        let index = if tag.is(NAMESPACE, "property") {
            reader.attribute("name")?.and_then(|name| find::<T>(&name))
        } else {
            None
        };
        read_setting(group, index, reader)?;
    }
    Ok(())
}

/// Reads the element of one setting.
fn read_setting<T: Settings>(
    group: &mut T,
    index: Option<usize>,
    reader: &mut Reader<'_>,
) -> Result<(), Error> {
    let Some(index) = index else {
        let raw = reader.raw()?;
        group.unknown_mut().push(raw);
        return Ok(());
    };
    let text = reader.text()?;
    let text = text.trim_ascii();
    // An empty setting says what an absent one says: no port, no Edge, no text.
    if !text.is_empty() && group.set(index, text) == Taken::No {
        let raw = raw_setting(T::SHAPE, T::NAMES[index], text);
        group.unknown_mut().push(raw);
    }
    Ok(())
}

/// The element of a setting.
pub(super) fn write_setting<T: Value>(
    writer: &mut Writer,
    shape: Shape,
    name: &'static str,
    value: &T,
) {
    if shape == Shape::Elements {
        writer.leaf(NAMESPACE, name, value);
    } else {
        writer.open(NAMESPACE, "property");
        writer.attr("name", name);
        writer.text_value(value);
        writer.close();
    }
}

ocs_xml::element! {
    /// A setting with a name of its own.
    struct Property("http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification", "property") {
        attr name: String,
        text value: String,
    }
}

/// A setting as an element that stands on its own.
pub(super) fn raw_setting(shape: Shape, name: &str, value: &str) -> Raw {
    if shape != Shape::Elements {
        return Raw::of(&Property {
            name: name.to_owned(),
            value: value.to_owned(),
            extra: Extra::default(),
        });
    }
    let mut writer = Writer::new();
    writer.open(NAMESPACE, name);
    writer.text(value);
    let limits = ocs_xml::Limits {
        size: usize::MAX,
        ..ocs_xml::Limits::default()
    };
    // Only a name that XML does not allow can fail, and then the setting has none to be found by.
    Raw::parse(writer.finish().as_bytes(), &limits)
        .unwrap_or_else(|_| raw_setting(Shape::Entries, name, value))
}

/// The value of a setting that is kept whole, if it has this name.
pub(super) fn value_of(shape: Shape, raw: &Raw, name: &str) -> Option<String> {
    if shape == Shape::Elements && !raw.name().eq_ignore_ascii_case(name) {
        return None;
    }
    let mut reader = raw.reader().ok()?;
    reader.any_root().ok()?;
    if shape != Shape::Elements {
        let found = reader.attribute("name").ok()??;
        if !found.eq_ignore_ascii_case(name) {
            return None;
        }
    }
    Some(reader.text().ok()?.trim_ascii().to_owned())
}

/// Declares a group of settings: each is optional, because servers of different versions send different ones.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        pub struct $name:ident: $shape:ident {
            $( $(#[$field_meta:meta])* $field:ident : $ty:ty = $wire:literal, )*
        }
    ) => {
        $(#[$meta])*
        ///
        /// Names of settings are compared without case. A setting that is empty is `None`.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: Option<$ty>, )*
            /// Settings that are not named here, and those whose value is none of their type. They are written again, last.
            pub unknown: Vec<ocs_xml::Raw>,
            /// Attributes and elements of the group itself that nothing names.
            pub extra: ocs_xml::Extra,
        }

        impl $name {
            /// The value of a setting that has no field here, by its name on the wire.
            #[must_use]
            pub fn unknown_value(&self, name: &str) -> Option<String> {
                let shape = $crate::provisioning::settings::Shape::$shape;
                self.unknown
                    .iter()
                    .find_map(|raw| $crate::provisioning::settings::value_of(shape, raw, name))
            }

            /// Adds a setting that has no field here.
            pub fn push_unknown(&mut self, name: &str, value: &str) {
                let shape = $crate::provisioning::settings::Shape::$shape;
                self.unknown
                    .push($crate::provisioning::settings::raw_setting(shape, name, value));
            }
        }

        impl $crate::provisioning::settings::Settings for $name {
            const SHAPE: $crate::provisioning::settings::Shape =
                $crate::provisioning::settings::Shape::$shape;
            const NAMES: &'static [&'static str] = &[$($wire),*];

            fn set(&mut self, index: usize, text: &str) -> $crate::provisioning::settings::Taken {
                let mut at = 0;
                $(
                    if index == at {
                        if self.$field.is_none()
                            && let Some(value) = <$ty as ocs_xml::Value>::parse(text)
                        {
                            self.$field = Some(value);
                            return $crate::provisioning::settings::Taken::Yes;
                        }
                        return $crate::provisioning::settings::Taken::No;
                    }
                    at += 1;
                )*
                let _ = at;
                $crate::provisioning::settings::Taken::No
            }

            fn write_fields(&self, writer: &mut ocs_xml::Writer) {
                $(
                    if let Some(value) = &self.$field {
                        $crate::provisioning::settings::write_setting(
                            writer,
                            <Self as $crate::provisioning::settings::Settings>::SHAPE,
                            $wire,
                            value,
                        );
                    }
                )*
            }

            fn unknown(&self) -> &[ocs_xml::Raw] {
                &self.unknown
            }

            fn unknown_mut(&mut self) -> &mut Vec<ocs_xml::Raw> {
                &mut self.unknown
            }

            fn extra(&self) -> &ocs_xml::Extra {
                &self.extra
            }

            fn extra_mut(&mut self) -> &mut ocs_xml::Extra {
                &mut self.extra
            }
        }
    };
}

pub(super) use settings;
