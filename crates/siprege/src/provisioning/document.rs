//! The documents: what is asked for, and what is answered.

use ocs_xml::{Element, Error, Raw, Reader, SmolStr, Tag, Writer, element, words};

use super::settings::Group;
use super::{
    EndpointConfiguration, LocationPolicy, MediaConfiguration, MeetingPolicy, MobilityPolicy,
    NOTIFICATION_NAMESPACE, PersistentChatConfiguration, PresencePolicy, PrivacyPublicationGrammar,
    PublicProviders, PublicationGrammar, ServerConfiguration, UcPolicy, UserSetting,
};

/// Declares the groups: their names, the enumeration of their contents, and a look-up for each.
macro_rules! groups {
    ($( $(#[$meta:meta])* $name:ident($field:ident: $ty:ty) = $wire:literal, )*) => {
        words! {
            /// Name of a provision group (\[MS-SIPREGE\] 2.2.2.4).
            pub enum GroupName: open {
                $( $(#[$meta])* $name = $wire, )*
            }
        }

        impl GroupName {
            /// The groups that have a type here.
            pub const ALL: &[Self] = &[$( Self::$name ),*];
        }

        /// A provision group (\[MS-SIPREGE\] 2.2.2.5).
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ProvisionGroup {
            $( $(#[$meta])* $name(Box<$ty>), )*
            /// A group that is not known here, whole.
            Other {
                /// Its name.
                name: SmolStr,
                /// The element `provisionGroup`.
                raw: Raw,
            },
        }

        impl ProvisionGroup {
            /// Its name.
            #[must_use]
            pub fn name(&self) -> GroupName {
                match self {
                    $( Self::$name(_) => GroupName::$name, )*
                    Self::Other { name, .. } => GroupName::Other(name.clone()),
                }
            }
        }

        $(
            impl From<$ty> for ProvisionGroup {
                fn from(group: $ty) -> Self {
                    Self::$name(Box::new(group))
                }
            }
        )*

        impl Element for ProvisionGroup {
            const NAMESPACE: &'static str = NOTIFICATION_NAMESPACE;
            const NAME: &'static str = "provisionGroup";

            fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
                let name = reader.attribute("name")?.ok_or(Error::MissingAttribute {
                    element: Self::NAME,
                    attribute: "name",
                })?;
                Ok(match GroupName::from(&*name) {
                    $( GroupName::$name => Self::$name(Box::new(<$ty>::read_group(reader)?)), )*
                    GroupName::Other(name) => Self::Other { name, raw: reader.raw()? },
                })
            }

            fn write(&self, writer: &mut Writer) {
                let name = match self {
                    $( Self::$name(_) => $wire, )*
                    Self::Other { raw, .. } => return raw.write(writer),
                };
                writer.open(NOTIFICATION_NAMESPACE, Self::NAME);
                writer.attr("name", name);
                match self {
                    $( Self::$name(group) => group.write_group(writer), )*
                    Self::Other { .. } => {}
                }
                writer.close();
            }
        }

        impl ProvisionGroupList {
            $(
                $(#[$meta])*
                #[must_use]
                pub fn $field(&self) -> Option<&$ty> {
                    self.groups.iter().find_map(|group| match group {
                        ProvisionGroup::$name(group) => Some(&**group),
                        _ => None,
                    })
                }
            )*
        }
    };
}

groups! {
    /// Where the services of the pool are (2.2.2.5.1).
    ServerConfiguration(server_configuration: ServerConfiguration) = "ServerConfiguration",
    /// Policy of conferences (2.2.2.5.2).
    MeetingPolicy(meeting_policy: MeetingPolicy) = "meetingPolicy",
    /// Policy of calls (2.2.2.5.3).
    UcPolicy(uc_policy: UcPolicy) = "ucPolicy",
    /// How presence is published (2.2.2.5.4).
    PublicationGrammar(publication_grammar: PublicationGrammar) = "publicationGrammar",
    /// Settings of the user (2.2.2.5.5).
    UserSetting(user_setting: UserSetting) = "userSetting",
    /// How the client behaves (2.2.2.5.6).
    EndpointConfiguration(endpoint_configuration: EndpointConfiguration) = "endpointConfiguration",
    /// Emergency calls (2.2.2.5.7).
    LocationPolicy(location_policy: LocationPolicy) = "locationPolicy",
    /// Media (2.2.2.5.8).
    MediaConfiguration(media_configuration: MediaConfiguration) = "mediaConfiguration",
    /// Policy of presence (2.2.2.5.9).
    PresencePolicyV2(presence_policy: PresencePolicy) = "presencePolicyV2",
    /// The containers where presence is private (2.2.2.5.10).
    PrivacyPublicationGrammar(privacy_publication_grammar: PrivacyPublicationGrammar) = "privacyPublicationGrammar",
    /// Chat rooms (2.2.2.5.11).
    PersistentChatConfiguration(persistent_chat_configuration: PersistentChatConfiguration) = "persistentChatConfiguration",
    /// Public IM services (2.2.2.5.12).
    PublicProviders(public_providers: PublicProviders) = "publicProviders",
    /// Policy of mobile clients (name recalled).
    MobilityPolicy(mobility_policy: MobilityPolicy) = "mobilityPolicy",
}

element! {
    /// A group that is asked for (\[MS-SIPREGE\] 2.2.2.4).
    pub struct ProvisioningGroup("http://schemas.microsoft.com/2006/09/sip/provisioninggrouplist", "provisioningGroup") {
        /// Which.
        attr name: GroupName,
        /// Data of the group's owner, passed through.
        attr_opt opaque: SmolStr,
    }
}

impl ProvisioningGroup {
    /// Asks for a group.
    #[must_use]
    pub fn new(name: GroupName) -> Self {
        Self {
            name,
            opaque: None,
            extra: ocs_xml::Extra::default(),
        }
    }
}

element! {
    /// The body of the SUBSCRIBE: what a client wants to know (\[MS-SIPREGE\] 2.2.2.1, 2.2.2.4).
    pub struct ProvisioningGroupList("http://schemas.microsoft.com/2006/09/sip/provisioninggrouplist", "provisioningGroupList") {
        /// The client's local subnet, so that the server can answer for its site.
        attr_opt subnet: SmolStr,
        /// What is asked for.
        children groups: ProvisioningGroup,
    }
}

impl ProvisioningGroupList {
    /// Asks for groups.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = GroupName>) -> Self {
        Self {
            subnet: None,
            groups: names.into_iter().map(ProvisioningGroup::new).collect(),
            extra: ocs_xml::Extra::default(),
        }
    }
}

element! {
    /// The answer (\[MS-SIPREGE\] 2.2.2.2, 2.2.2.5). Note the namespace: it is not that of the question with another ending.
    #[derive(Default)]
    pub struct ProvisionGroupList("http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification", "provisionGroupList") {
        /// The groups, in any order.
        children groups: ProvisionGroup,
    }
}

impl ProvisionGroupList {
    /// An answer with these groups.
    #[must_use]
    pub fn new(groups: impl IntoIterator<Item = ProvisionGroup>) -> Self {
        Self {
            groups: groups.into_iter().collect(),
            extra: ocs_xml::Extra::default(),
        }
    }

    /// The group with this name.
    #[must_use]
    pub fn group(&self, name: &GroupName) -> Option<&ProvisionGroup> {
        self.groups.iter().find(|group| group.name() == *name)
    }
}

impl ProvisionGroup {
    /// A group that is not known here, from the element `provisionGroup`. `None` if it is another element or has no name.
    #[must_use]
    pub fn other(raw: Raw) -> Option<Self> {
        let mut reader = raw.reader().ok()?;
        let tag: Tag<'_> = reader.any_root().ok()?;
        let name = tag
            .is(NOTIFICATION_NAMESPACE, <Self as Element>::NAME)
            .then(|| reader.attribute("name").ok().flatten())
            .flatten()?;
        let name = SmolStr::from(&*name);
        Some(Self::Other { name, raw })
    }
}
