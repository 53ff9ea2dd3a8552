//! What a client needs to know of its settings.

use super::{
    AvEncryption, GroupName, LocationPolicy, MeetingPolicy, ProvisionGroupList,
    ServerConfiguration, UcPolicy,
};

/// A kind of media with ports of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Medium {
    /// Audio.
    Audio,
    /// Video.
    Video,
    /// Application sharing.
    AppSharing,
    /// File transfer.
    FileTransfer,
}

/// The settings of a user as a client uses them: of each pair of addresses the one for its side of the Edge, the user's own before the
/// pool's, defaults where the server said nothing (\[MS-SIPREGE\] 3.2).
///
/// All addresses come from the server: they are worth as much as its TLS certificate.
///
/// ```
/// use ocs_siprege::provisioning::{ProvisionGroupList, ServerConfiguration, View};
///
/// let mut configuration = ServerConfiguration::default();
/// configuration.abs_internal_server_url = Some("https://pool.contoso.com/abs/handler".into());
/// configuration.abs_external_server_url = Some("https://web.contoso.com/abs/handler".into());
/// let list = ProvisionGroupList::new([configuration.into()]);
/// assert_eq!(View::new(&list, false).address_book_url(), Some("https://pool.contoso.com/abs/handler"));
/// // The 200 to REGISTER had `ms-user-logon-data: RemoteUser`.
/// assert_eq!(View::new(&list, true).address_book_url(), Some("https://web.contoso.com/abs/handler"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    list: &'a ProvisionGroupList,
    server: Option<&'a ServerConfiguration>,
    remote: bool,
}

/// Declares look-ups of pairs of addresses.
macro_rules! pairs {
    ($( $(#[$meta:meta])* $name:ident: $internal:ident, $external:ident; )*) => {
        $(
            $(#[$meta])*
            #[must_use]
            pub fn $name(&self) -> Option<&'a str> {
                let server = self.server?;
                let url = if self.remote { &server.$external } else { &server.$internal };
                url.as_deref()
            }
        )*
    };
}

impl<'a> View<'a> {
    /// Of a client inside the enterprise, or of a `remote` one, to which the registrar said `ms-user-logon-data: RemoteUser`.
    #[must_use]
    pub fn new(list: &'a ProvisionGroupList, remote: bool) -> Self {
        Self {
            list,
            server: list.server_configuration(),
            remote,
        }
    }

    /// What a client of this crate asks for at sign-in: all that [`View`] looks at.
    pub const GROUPS: &'static [GroupName] = &[
        GroupName::ServerConfiguration,
        GroupName::MeetingPolicy,
        GroupName::UcPolicy,
        GroupName::PublicationGrammar,
        GroupName::UserSetting,
        GroupName::EndpointConfiguration,
        GroupName::LocationPolicy,
        GroupName::MediaConfiguration,
        GroupName::PresencePolicyV2,
        GroupName::PrivacyPublicationGrammar,
        GroupName::PersistentChatConfiguration,
        GroupName::PublicProviders,
    ];

    pairs! {
        /// Where the address book is downloaded.
        address_book_url: abs_internal_server_url, abs_external_server_url;
        /// Where the address book is queried.
        address_book_query_url: abwq_internal_url, abwq_external_url;
        /// Where distribution lists are expanded; see [`expands_distribution_lists`](Self::expands_distribution_lists).
        distribution_list_url: dlx_internal_url, dlx_external_url;
        /// Where phones find firmware.
        updates_url: updates_server_internal_url, updates_server_external_url;
        /// Where users find help.
        helpdesk_url: helpdesk_internal_url, helpdesk_external_url;
        /// Where the meeting console is.
        console_url: console_download_internal_url, console_download_external_url;
        /// Response groups, for programs.
        response_group_url: response_group_service_internal_url, response_group_service_external_url;
        /// Response groups, the page for agents.
        response_group_agent_url: response_group_service_internal_agent_url, response_group_service_external_agent_url;
        /// Page of dial-in conferencing.
        dial_in_url: cwa_internal_uri, cwa_external_uri;
    }

    /// Where a client finds out its place (\[MS-E911WS\]). Only clients inside reach it.
    #[must_use]
    pub fn location_service_url(&self) -> Option<&'a str> {
        self.server
            .filter(|_| !self.remote)?
            .lis_internal_url
            .as_deref()
    }

    /// Whom to ask for credentials for the relay (\[MS-AVEDGEA\]); `None`: there is no Edge.
    #[must_use]
    pub fn mras_uri(&self) -> Option<&'a str> {
        self.server?.mras_uri.as_deref()
    }

    /// Who makes conferences (\[MS-CONFBAS\]); ask it for its capabilities ([`mcu`](crate::mcu)).
    #[must_use]
    pub fn focus_factory_uri(&self) -> Option<&'a str> {
        self.server?.focus_factory_uri.as_deref()
    }

    /// Where reports of quality go (\[MS-QoE\]).
    #[must_use]
    pub fn qos_uri(&self) -> Option<&'a str> {
        self.server?.qos_uri.as_deref()
    }

    /// Voice mail of the user.
    #[must_use]
    pub fn voice_mail_uri(&self) -> Option<&'a str> {
        self.server?.voice_mail_uri.as_deref()
    }

    /// Call park (\[MS-SIPAPP\]).
    #[must_use]
    pub fn call_park_uri(&self) -> Option<&'a str> {
        self.server?.call_park_server_uri.as_deref()
    }

    /// Whom to call to hear oneself.
    #[must_use]
    pub fn test_call_uri(&self) -> Option<&'a str> {
        self.server?.bot_sip_uri_for_test_call.as_deref()
    }

    /// Name of the location profile: the user's own, else the pool's. `None`: numbers are dialled with phone-context `dialstring`
    /// (\[MS-OCPSTN\]).
    #[must_use]
    pub fn location_profile(&self) -> Option<&'a str> {
        let user = self.list.user_setting();
        user.and_then(|user| user.uc_user_location_profile.as_deref())
            .or_else(|| self.server?.uc_location_profile.as_deref())
    }

    /// Whether SRTP is demanded, offered or refused. What is not known counts as demanded; where the server says nothing it is offered
    /// (inferred).
    #[must_use]
    pub fn encryption(&self) -> AvEncryption {
        match self.server.and_then(|s| s.uc_pc2pc_av_encryption.as_ref()) {
            None | Some(AvEncryption::Support) => AvEncryption::Support,
            Some(AvEncryption::DoNotSupport) => AvEncryption::DoNotSupport,
            Some(AvEncryption::Require | AvEncryption::Other(_)) => AvEncryption::Require,
        }
    }

    /// First and last port for a medium: its own, else those of all media; `None` when any port will do.
    #[must_use]
    pub fn port_range(&self, medium: Medium) -> Option<(u16, u16)> {
        let server = self
            .server
            .filter(|server| server.uc_port_range_enabled == Some(true))?;
        let own = match medium {
            Medium::Audio => (server.uc_min_audio_port, server.uc_max_audio_port),
            Medium::Video => (server.uc_min_video_port, server.uc_max_video_port),
            Medium::AppSharing => (
                server.uc_min_app_sharing_port,
                server.uc_max_app_sharing_port,
            ),
            Medium::FileTransfer => (
                server.uc_min_file_transfer_port,
                server.uc_max_file_transfer_port,
            ),
        };
        let all = (server.uc_min_media_port, server.uc_max_media_port);
        range(own).or_else(|| range(all))
    }

    /// First and last local port for SIP.
    #[must_use]
    pub fn sip_port_range(&self) -> Option<(u16, u16)> {
        let server = self
            .server
            .filter(|server| server.uc_port_range_enabled == Some(true))?;
        range((
            server.uc_min_sip_dynamic_port,
            server.uc_max_sip_dynamic_port,
        ))
    }

    /// Whether distribution lists may be expanded: unless the server says no.
    #[must_use]
    pub fn expands_distribution_lists(&self) -> bool {
        self.distribution_list_url().is_some()
            && self.server.and_then(|server| server.dlx_enabled) != Some(false)
    }

    /// Whether files may be sent: unless a policy says no.
    #[must_use]
    pub fn may_send_files(&self) -> bool {
        let user = self.list.user_setting();
        user.and_then(|user| user.disable_file_transfer) != Some(true)
            && self
                .meeting_policy()
                .and_then(|p| p.enable_p2p_file_transfer)
                != Some(false)
    }

    /// Whether calls may be forwarded to a number. To voice mail they always may.
    #[must_use]
    pub fn may_forward_calls(&self) -> bool {
        self.uc_policy().and_then(|p| p.allow_call_forwarding) != Some(false)
    }

    /// Whether another number may ring at the same time.
    #[must_use]
    pub fn may_ring_simultaneously(&self) -> bool {
        self.uc_policy().and_then(|p| p.allow_simultaneous_ringing) != Some(false)
    }

    /// The pool of chat rooms; `None`: there are none.
    #[must_use]
    pub fn chat_pool_uri(&self) -> Option<&'a str> {
        self.list
            .persistent_chat_configuration()
            .filter(|chat| chat.enable_persistent_chat == Some(true))?
            .default_persistent_chat_pool_uri
            .as_deref()
    }

    /// The id for media bypass, where bypass is on for this side of the Edge (\[MS-SDPEXT\] `a=x-bypassid`).
    #[must_use]
    pub fn bypass_id(&self) -> Option<&'a str> {
        let media = self
            .list
            .media_configuration()
            .filter(|media| media.bypass_enabled == Some(true))?;
        let mode = if self.remote {
            &media.external_bypass_mode
        } else {
            &media.internal_bypass_mode
        };
        let on = mode
            .as_ref()
            .is_some_and(|mode| *mode != super::BypassMode::Off);
        media.bypass_id.as_deref().filter(|_| on)
    }

    /// Policy of emergency calls.
    #[must_use]
    pub fn location_policy(&self) -> Option<&'a LocationPolicy> {
        self.list.location_policy()
    }

    /// Policy of conferences.
    #[must_use]
    pub fn meeting_policy(&self) -> Option<&'a MeetingPolicy> {
        self.list.meeting_policy()
    }

    /// Policy of calls.
    #[must_use]
    pub fn uc_policy(&self) -> Option<&'a UcPolicy> {
        self.list.uc_policy()
    }
}

/// A range that is one: 0 means none.
fn range(bounds: (Option<u16>, Option<u16>)) -> Option<(u16, u16)> {
    match bounds {
        (Some(first), Some(last)) if 0 < first && first <= last => Some((first, last)),
        _ => None,
    }
}
