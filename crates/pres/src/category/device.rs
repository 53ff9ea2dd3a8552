//! The categories `device`, what one endpoint can do, and `services`, what the user's endpoints can do together (\[MS-PRES\], device
//! and services schemas).

use ocs_xml::{SmolStr, content, element, words};

/// The namespace of `device`.
pub const DEVICE_NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/device";
/// The namespace of `services`.
pub const SERVICE_NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/service";

content! {
    /// Whether and how something can be done. All is false when absent.
    #[derive(Default)]
    pub struct Capability("", "capabilityType") {
        /// The user prefers to do it here.
        attr_opt preferred: bool,
        /// Of `services`, for the user's own eyes: the endpoint that does it best.
        attr_opt preferred_endpoint_id: SmolStr = "preferredEndpointId",
        /// Where, when it is not at the user's address.
        attr_opt uri: SmolStr,
        /// It can be received.
        attr_opt render: bool,
        /// It can be sent.
        attr_opt capture: bool,
        /// It is published.
        attr_opt publish: bool,
        /// Version of the capability, 0 when absent.
        attr_opt version: u32,
        /// How available the endpoint is that does it best.
        attr_opt device_availability: u32 = "deviceAvailability",
    }
}

impl Capability {
    /// Receiving, sending, and nothing more said.
    #[must_use]
    pub fn new(render: bool, capture: bool) -> Self {
        Self {
            render: Some(render),
            capture: Some(capture),
            publish: Some(false),
            ..Self::default()
        }
    }
}

words! {
    /// What can be done, in the order of the schema.
    pub enum Service {
        /// A calendar is at hand.
        Calendar = "calendar",
        /// A telephone is controlled from here.
        RemoteCallControl = "remoteCallControl",
        /// Voice.
        Voice = "voice",
        /// Video.
        Video = "video",
        /// Centralized conferences.
        Cccp = "CCCP",
        /// Instant messages.
        Text = "text",
        /// Ink as GIF.
        GifInk = "gifInk",
        /// Ink as ISF.
        IsfInk = "isfInk",
        /// Calls that ring through do-not-disturb (since 2007 R2).
        Breakthrough = "breakthrough",
        /// Sharing of applications (since 2007 R2).
        ApplicationSharing = "applicationSharing",
        /// The unified contact store (since 2010).
        Ucs = "ucs",
        /// The endpoint keeps the containers whole (since 2010).
        ContainerIntegrity = "containerIntegrity",
        /// Whiteboards (since 2010).
        ContentWhiteboard = "contentWhiteboard",
        /// Polls (since 2010).
        ContentPoll = "contentPoll",
        /// Presentations (since 2010).
        ContentPowerPoint = "contentPowerPoint",
        /// Files (since 2010).
        ContentNativeFile = "contentNativeFile",
        /// Invitations to conferences (since 2010).
        ConfInvite = "confInvite",
    }
}

impl Service {
    /// All, in the order of the schema.
    pub const ALL: [Self; 17] = [
        Self::Calendar,
        Self::RemoteCallControl,
        Self::Voice,
        Self::Video,
        Self::Cccp,
        Self::Text,
        Self::GifInk,
        Self::IsfInk,
        Self::Breakthrough,
        Self::ApplicationSharing,
        Self::Ucs,
        Self::ContainerIntegrity,
        Self::ContentWhiteboard,
        Self::ContentPoll,
        Self::ContentPowerPoint,
        Self::ContentNativeFile,
        Self::ConfInvite,
    ];

    /// Whether only the user's own endpoints may know of it.
    #[must_use]
    pub const fn is_private(self) -> bool {
        matches!(
            self,
            Self::Calendar
                | Self::ContainerIntegrity
                | Self::ConfInvite
                | Self::Breakthrough
                | Self::Ucs
        )
    }
}

/// Both schemas have the same capabilities, each in its own namespace.
macro_rules! capabilities {
    (
        $(#[$meta:meta])*
        pub struct $name:ident($namespace:expr) { $($attributes:tt)* }
    ) => {
        element! {
            $(#[$meta])*
            pub struct $name($namespace, "capabilities") {
                $($attributes)*
                /// A calendar is at hand.
                part_opt calendar: Capability,
                /// A telephone is controlled from here.
                part_opt remote_call_control: Capability = "remoteCallControl",
                /// Voice.
                part_opt voice: Capability,
                /// Video.
                part_opt video: Capability,
                /// Centralized conferences.
                part_opt cccp: Capability = "CCCP",
                /// Instant messages.
                part_opt text: Capability,
                /// Ink as GIF.
                part_opt gif_ink: Capability = "gifInk",
                /// Ink as ISF.
                part_opt isf_ink: Capability = "isfInk",
                /// Calls that ring through do-not-disturb.
                part_opt breakthrough: Capability => 1,
                /// Sharing of applications.
                part_opt application_sharing: Capability = "applicationSharing" => 1,
                /// The unified contact store.
                part_opt ucs: Capability => 2,
                /// The endpoint keeps the containers whole.
                part_opt container_integrity: Capability = "containerIntegrity" => 2,
                /// Whiteboards.
                part_opt content_whiteboard: Capability = "contentWhiteboard" => 2,
                /// Polls.
                part_opt content_poll: Capability = "contentPoll" => 2,
                /// Presentations.
                part_opt content_power_point: Capability = "contentPowerPoint" => 2,
                /// Files.
                part_opt content_native_file: Capability = "contentNativeFile" => 2,
                /// Invitations to conferences.
                part_opt conf_invite: Capability = "confInvite" => 2,
            }
        }

        impl $name {
            /// One of the capabilities.
            #[must_use]
            pub const fn get(&self, service: Service) -> Option<&Capability> {
                capabilities!(@select self, service, &).as_ref()
            }

            /// One of the capabilities, to be changed.
            pub const fn get_mut(&mut self, service: Service) -> &mut Option<Capability> {
                capabilities!(@select self, service, &mut)
            }
        }
    };
    (@select $self:ident, $service:ident, $($borrow:tt)+) => {
        match $service {
            Service::Calendar => $($borrow)+ $self.calendar,
            Service::RemoteCallControl => $($borrow)+ $self.remote_call_control,
            Service::Voice => $($borrow)+ $self.voice,
            Service::Video => $($borrow)+ $self.video,
            Service::Cccp => $($borrow)+ $self.cccp,
            Service::Text => $($borrow)+ $self.text,
            Service::GifInk => $($borrow)+ $self.gif_ink,
            Service::IsfInk => $($borrow)+ $self.isf_ink,
            Service::Breakthrough => $($borrow)+ $self.breakthrough,
            Service::ApplicationSharing => $($borrow)+ $self.application_sharing,
            Service::Ucs => $($borrow)+ $self.ucs,
            Service::ContainerIntegrity => $($borrow)+ $self.container_integrity,
            Service::ContentWhiteboard => $($borrow)+ $self.content_whiteboard,
            Service::ContentPoll => $($borrow)+ $self.content_poll,
            Service::ContentPowerPoint => $($borrow)+ $self.content_power_point,
            Service::ContentNativeFile => $($borrow)+ $self.content_native_file,
            Service::ConfInvite => $($borrow)+ $self.conf_invite,
        }
    };
}

capabilities! {
    /// What an endpoint can do at one address.
    #[derive(Default)]
    pub struct DeviceCapabilities(DEVICE_NAMESPACE) {
        /// This address is preferred.
        attr_opt preferred: bool,
        /// The user's own SIP URI, or the mailbox of a calendar.
        attr uri: SmolStr,
    }
}

capabilities! {
    /// What the user's endpoints can do together.
    #[derive(Default)]
    pub struct ServiceCapabilities(SERVICE_NAMESPACE) {}
}

element! {
    /// An endpoint and what it can do.
    pub struct Device(DEVICE_NAMESPACE, "device") {
        /// The UUID of the endpoint, as in its `+sip.instance`.
        attr endpoint_id: SmolStr = "endpointId",
        /// Its GRUU.
        attr_opt gruu: SmolStr,
        /// What it can do.
        children capabilities: DeviceCapabilities,
        /// Local time less UTC, as `00:00:00+01:00`.
        leaf timezone: SmolStr,
        /// Its name.
        leaf machine_name: SmolStr = "machineName",
    }
}

element! {
    /// What can be done at one address.
    pub struct ServiceEntry(SERVICE_NAMESPACE, "service") {
        /// A SIP URI, or an SMTP address.
        attr uri: SmolStr,
        /// What can be done.
        child_opt capabilities: ServiceCapabilities,
    }
}

element! {
    /// What the user's endpoints can do together. Made by the server only; empty for those who are blocked.
    #[derive(Default)]
    pub struct Services(SERVICE_NAMESPACE, "services") {
        /// The addresses.
        children service: ServiceEntry,
    }
}

impl DeviceCapabilities {
    /// No capability at an address.
    #[must_use]
    pub fn new(uri: impl Into<SmolStr>) -> Self {
        Self {
            preferred: Some(false),
            uri: uri.into(),
            ..Self::default()
        }
    }
}
