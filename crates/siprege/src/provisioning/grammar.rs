//! `publicationGrammar` and `privacyPublicationGrammar`: who sees what of a user's presence. What is in them is the matter of presence
//! (\[MS-PRES\]) and kept whole here.

use ocs_xml::{Error, Extra, Raw, Reader, Writer, Written};

use super::settings::{Group, read_attributes};

/// Namespace of `containerManifestList`.
pub const CONTAINER_MANIFEST_NAMESPACE: &str =
    "http://schemas.microsoft.com/2008/09/sip/ContainerManifest";
/// Namespace of `categoryPublicationManifest`.
pub const CATEGORY_PUBLICATION_NAMESPACE: &str =
    "http://schemas.microsoft.com/2008/09/sip/categoryPublicationManifest";

macro_rules! grammar {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* $field:ident = $namespace:ident $wire:literal, )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: Option<Raw>, )*
            /// Attributes and elements that nothing names, a second manifest among them.
            pub extra: Extra,
        }

        impl Group for $name {
            fn read_group(reader: &mut Reader<'_>) -> Result<Self, Error> {
                let mut group = Self::default();
                read_attributes(reader, &mut group.extra)?;
                while let Some(tag) = reader.child()? {
                    let raw = reader.raw()?;
                    $(
                        if group.$field.is_none() && tag.is($namespace, $wire) {
                            group.$field = Some(raw);
                            continue;
                        }
                    )*
                    group.extra.push_element(raw);
                }
                Ok(group)
            }

            fn write_group(&self, writer: &mut Writer) {
                self.extra.write_attributes(writer);
                $(
                    if let Some(raw) = &self.$field {
                        raw.write(writer);
                    }
                )*
                self.extra.write_elements(writer, &mut Written::default());
            }
        }
    };
}

grammar! {
    /// How presence is published (\[MS-SIPREGE\] 2.2.2.5.4).
    pub struct PublicationGrammar {
        /// The containers and who may be in them.
        container_manifest_list = CONTAINER_MANIFEST_NAMESPACE "containerManifestList",
        /// What goes into which container. It holds XSLT from the server, which nothing here runs.
        category_publication_manifest = CATEGORY_PUBLICATION_NAMESPACE "categoryPublicationManifest",
    }
}

grammar! {
    /// The containers where presence is private (\[MS-SIPREGE\] 2.2.2.5.10).
    pub struct PrivacyPublicationGrammar {
        /// The containers and who may be in them.
        container_manifest_list = CONTAINER_MANIFEST_NAMESPACE "containerManifestList",
    }
}
