//! Policies: what a user may do.

use ocs_xml::{SmolStr, words};

use super::settings::settings;

words! {
    /// How much of an application may be shared.
    pub enum SharingLevel: open {
        /// Nothing.
        None = "None",
        /// One application.
        SingleApplication = "SingleApplication",
        /// The whole desktop.
        Desktop = "Desktop",
    }
}

words! {
    /// Resolution of video in a conference.
    pub enum VideoResolution: open {
        /// 352 by 288.
        Cif = "CIF",
        /// 640 by 480.
        Vga = "VGA",
    }
}

settings! {
    /// Policy of conferences (\[MS-SIPREGE\] 2.2.2.5.2). What is in it since Lync 2010 has its case inferred.
    pub struct MeetingPolicy: Instance {
        /// Audio.
        allow_ip_audio: bool = "AllowIPAudio",
        /// Video.
        allow_ip_video: bool = "AllowIPVideo",
        /// Data: slides, whiteboard, polls.
        enable_data_collaboration: bool = "EnableDataCollaboration",
        /// The most participants.
        meeting_size: u32 = "MeetingSize",
        /// Application sharing.
        enable_app_desktop_sharing: bool = "EnableAppDesktopSharing",
        /// Application sharing where outsiders take part.
        allow_app_sharing_for_external_meeting: SharingLevel = "AllowAppSharingForExternalMeeting",
        /// A presenter may record.
        allow_presenter_to_record: bool = "AllowPresenterToRecord",
        /// A presenter may let others record.
        allow_presenter_to_delegate_recording: bool = "AllowPresenterToDelegateRecording",
        /// Slides of meetings with outsiders are kept.
        retain_ppt_for_external_meeting: bool = "RetainPPTForExternalMeeting",
        /// Participants by telephone.
        enable_pstn_conferencing: bool = "EnablePSTNConferencing",
        /// Users inside need a PIN too.
        trusted_conferencing_pin_required: bool = "TrustedConferencingPinRequired",
        /// Participants without account.
        allow_anonymous_participants: bool = "AllowAnonymousParticipants",
        /// Colours of application sharing (OCS 2007).
        color_depth: SmolStr = "ColorDepth",
        /// Video between two.
        enable_p2p_video: bool = "EnableP2PVideo",
        /// File transfer between two.
        enable_p2p_file_transfer: bool = "EnableP2PFileTransfer",
        /// Recording between two.
        enable_p2p_recording: bool = "EnableP2PRecording",
        /// Outsiders may take control of what is shared.
        allow_external_user_control: bool = "AllowExternalUserControl",
        /// Participants may take control of what is shared.
        allow_participant_control: bool = "AllowParticipantControl",
        /// How much may be shared.
        allowed_app_desktop_sharing_level: SharingLevel = "AllowedAppDesktopSharingLevel",
        /// Meetings with application sharing may be scheduled.
        allow_user_to_schedule_meetings_with_app_sharing: bool = "AllowUserToScheduleMeetingsWithAppSharing",
        /// Annotations.
        allow_annotations: bool = "AllowAnnotations",
        /// Polls.
        allow_polls: bool = "AllowPolls",
        /// File transfer.
        allow_file_transfer: bool = "AllowFileTransfer",
        /// Recording.
        allow_recording: bool = "AllowRecording",
        /// Outsiders may record.
        allow_external_user_recording: bool = "AllowExternalUserRecording",
        /// Outsiders may save what is shown.
        allow_external_users_to_save_content: bool = "AllowExternalUsersToSaveContent",
        /// The best video.
        max_conference_video_resolution: VideoResolution = "MaxConferenceVideoResolution",
        /// kb/s.
        audio_bit_rate: u32 = "AudioBitRate",
        /// kb/s.
        video_bit_rate: u32 = "VideoBitRate",
        /// kb/s.
        file_transfer_bit_rate: u32 = "FileTransferBitRate",
        /// kb/s.
        app_sharing_bit_rate: u32 = "AppSharingBitRate",
    }
}

words! {
    /// Where forwarded and simultaneous calls may go (recalled).
    pub enum ForwardingUsage: open {
        /// Where the user may call.
        VoicePolicyUsage = "VoicePolicyUsage",
        /// To users inside.
        InternalOnly = "InternalOnly",
        /// As configured.
        CustomUsage = "CustomUsage",
    }
}

settings! {
    /// Policy of calls (\[MS-SIPREGE\] 2.2.2.5.3). `PhoneRouteUsages` has elements in it and is among the unknown ones: it is the
    /// server's own.
    pub struct UcPolicy: Instance {
        /// Ring another number at the same time.
        allow_simultaneous_ringing: bool = "AllowSimultaneousRinging",
        /// Forward calls. Where it is off, voice mail is still allowed.
        allow_call_forwarding: bool = "AllowCallForwarding",
        /// Name of the policy; for nobody's eyes.
        name: SmolStr = "Name",
        /// Transfer calls.
        enable_call_transfer: bool = "EnableCallTransfer",
        /// Park calls (\[MS-SIPAPP\]).
        enable_call_park: bool = "EnableCallPark",
        /// Ring a team.
        enable_team_call: bool = "EnableTeamCall",
        /// Have delegates.
        enable_delegation: bool = "EnableDelegation",
        /// Mark a call as malicious.
        enable_malicious_call_trace: bool = "EnableMaliciousCallTrace",
        /// Calls go through although there is no bandwidth for them.
        enable_bw_policy_override: bool = "EnableBWPolicyOverride",
        /// Calls leave through the gateway of the caller's own site (recalled).
        prevent_pstn_toll_bypass: bool = "PreventPSTNTollBypass",
        /// A call that is answered at once was answered by voice mail, and does not count (recalled).
        enable_voicemail_escape_timer: bool = "EnableVoicemailEscapeTimer",
        /// How soon that is, in milliseconds (recalled).
        pstn_voicemail_escape_timer: u32 = "PSTNVoicemailEscapeTimer",
        /// Where forwarded calls may go (recalled).
        call_forwarding_simul_ring_usage_type: ForwardingUsage = "CallForwardingSimulRingUsageType",
        /// Who is in charge of calls (recalled).
        voice_deployment_mode: SmolStr = "VoiceDeploymentMode",
        /// Busy on busy (recalled).
        enable_busy_options: bool = "EnableBusyOptions",
    }
}

settings! {
    /// Settings of the user (\[MS-SIPREGE\] 2.2.2.5.5).
    pub struct UserSetting: Elements {
        /// File transfer is not allowed.
        disable_file_transfer: bool = "disableFileTransfer",
        /// Name of the user's location profile; it goes before
        /// [`uc_location_profile`](super::ServerConfiguration::uc_location_profile).
        uc_user_location_profile: SmolStr = "ucUserLocationProfile",
        /// The account is that of a phone in a common area.
        common_area_phone: bool = "commonAreaPhone",
    }
}

settings! {
    /// Policy of presence (\[MS-SIPREGE\] 2.2.2.5.9). The names are recalled.
    pub struct PresencePolicy: Entries {
        /// Only contacts see presence.
        enable_privacy_mode: bool = "EnablePrivacyMode",
        /// Contacts are made of the people that a user works with.
        auto_initiate_contacts: bool = "AutoInitiateContacts",
        /// Location is published unless the user says no.
        publish_location_data_default: bool = "PublishLocationDataDefault",
        /// The photo is shown unless the user says no.
        display_published_photo_default: bool = "DisplayPublishedPhotoDefault",
        /// How many new subscribers may wait for the user's decision.
        max_prompted_subscriber: u32 = "MaxPromptedSubscriber",
        /// How many subscriptions to categories the user may have.
        max_category_subscription: u32 = "MaxCategorySubscription",
    }
}

settings! {
    /// Policy of mobile clients (Lync 2010 CU4 and later). Shape inferred, names recalled.
    pub struct MobilityPolicy: Entries {
        /// Audio and video over IP.
        enable_ip_audio_video: bool = "EnableIPAudioVideo",
        /// Call via work.
        enable_outside_voice: bool = "EnableOutsideVoice",
    }
}
