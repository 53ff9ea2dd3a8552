//! `endpointConfiguration`: how the client behaves.

use ocs_xml::{SmolStr, words};

use super::settings::settings;

words! {
    /// Which photos are shown. Only the last was read, the others are recalled.
    pub enum PhotoUsage: open {
        /// None.
        None = "NoPhoto",
        /// Those of the directory.
        Directory = "PhotosFromADOnly",
        /// All.
        All = "AllPhotos",
    }
}

words! {
    /// How the address book is used.
    pub enum AbsUsage: open {
        /// Queries and download.
        Both = "WebSearchAndFileDownload",
        /// Queries.
        Search = "WebSearchOnly",
        /// Download.
        Download = "FileDownloadOnly",
    }
}

settings! {
    /// Configuration of the client (\[MS-SIPREGE\] 2.2.2.5.6).
    ///
    /// The names are the specification's; types and meanings follow from names and samples (inferred). A value of another type is
    /// kept in [`unknown`](Self::unknown) as it came.
    pub struct EndpointConfiguration: Entries {
        /// The list of recent contacts is shown.
        show_recent_contacts: bool = "ShowRecentContacts",
        /// Relationships of privacy are shown.
        show_manage_privacy_relationships: bool = "ShowManagePrivacyRelationships",
        /// Kilobytes of a photo.
        max_photo_size_kb: u32 = "MaxPhotoSizeKB",
        /// No music on hold.
        disable_music_on_hold: bool = "DisableMusicOnHold",
        /// Transfers are watched until they are answered.
        attendant_safe_transfer: bool = "AttendantSafeTransfer",
        /// File with the music on hold.
        music_on_hold_audio_file: SmolStr = "MusicOnHoldAudioFile",
        /// Link that goes with messages of errors.
        custom_link_in_error_messages: SmolStr = "CustomLinkInErrorMessages",
        /// Where the user's own states of presence are defined.
        custom_state_url: SmolStr = "CustomStateUrl",
        /// No warning about a poor device.
        disable_poor_device_warnings: bool = "DisablePoorDeviceWarnings",
        /// No warning about a poor network.
        disable_poor_network_warnings: bool = "DisablePoorNetworkWarnings",
        /// Contacts of other enterprises begin no conversation.
        block_conversation_from_federated_contacts: bool = "BlockConversationFromFederatedContacts",
        /// Seconds between publications of the calendar.
        calendar_state_publication_interval: u32 = "CalendarStatePublicationInterval",
        /// Calls are archived.
        enable_call_log_auto_archiving: bool = "EnableCallLogAutoArchiving",
        /// The user may appear offline.
        enable_appear_offline: bool = "EnableAppearOffline",
        /// Conversations stand in tabs.
        enable_conversation_window_tabs: bool = "EnableConversationWindowTabs",
        /// Events go into the log of the system.
        enable_event_logging: bool = "EnableEventLogging",
        /// No preview when video fills the screen.
        enable_full_screen_video_preview_disabled: bool = "EnableFullScreenVideoPreviewDisabled",
        /// Data on the use of the client are collected.
        enable_sqm_data: bool = "EnableSQMData",
        /// The client writes traces.
        enable_tracing: bool = "EnableTracing",
        /// Addresses in messages are links.
        enable_url: bool = "EnableURL",
        /// Conversations are archived.
        enable_im_auto_archiving: bool = "EnableIMAutoArchiving",
        /// The mail address of the calendar is not compared with that of the user.
        disable_email_comparison_check: bool = "DisableEmailComparisonCheck",
        /// Presence does not come from the calendar.
        disable_calendar_presence: bool = "DisableCalendarPresence",
        /// No emoticons.
        disable_emoticons: bool = "DisableEmoticons",
        /// No question for the display name of contacts of other enterprises.
        disable_federated_prompt_display_name: bool = "DisableFederatedPromptDisplayName",
        /// Free and busy times are not published.
        disable_free_busy_info: bool = "DisableFreeBusyInfo",
        /// No handset while the machine is locked.
        disable_handset_on_locked_machine: bool = "DisableHandsetOnLockedMachine",
        /// No HTML in messages.
        disable_html_im: bool = "DisableHtmlIm",
        /// No ink in messages.
        disable_ink_im: bool = "DisableInkIM",
        /// No RTF in messages.
        disable_rtf_im: bool = "DisableRTFIM",
        /// Conversations cannot be saved.
        disable_saving_im: bool = "DisableSavingIM",
        /// Subject and place of meetings are not published.
        disable_meeting_subject_and_location: bool = "DisableMeetingSubjectAndLocation",
        /// No notes with OneNote.
        disable_one_note12_integration: bool = "DisableOneNote12Integration",
        /// No look for conversations of a contact.
        disable_online_contextual_search: bool = "DisableOnlineContextualSearch",
        /// Calls do not change presence.
        disable_phone_presence: bool = "DisablePhonePresence",
        /// No question for the display name of contacts of public providers.
        disable_pic_prompt_display_name: bool = "DisablePICPromptDisplayName",
        /// The out-of-office text does not become the note.
        disable_presence_note: bool = "DisablePresenceNote",
        /// Which photos are shown.
        photo_usage: PhotoUsage = "PhotoUsage",
        /// How the address book is used.
        abs_usage: AbsUsage = "AbsUsage",
        /// Files may go unencrypted.
        allow_unencrypted_file_transfer: bool = "AllowUnencryptedFileTransfer",
        /// Seconds until the server is looked for again.
        auto_discovery_retry_interval: u32 = "AutoDiscoveryRetryInterval",
        /// Minutes until a silent conference is left.
        conference_im_idle_timeout: u32 = "ConferenceIMIdleTimeout",
        /// Seconds between looks at distribution groups.
        dg_refresh_interval: u32 = "DGRefreshInterval",
        /// Folders whose contacts are not taken.
        excluded_contact_folders: SmolStr = "ExcludedContactFolders",
        /// Text above a conversation.
        im_warning: SmolStr = "IMWarning",
        /// Seconds between looks at the calendar.
        mapi_poll_interval: u32 = "MapiPollInterval",
        /// The most contacts.
        maximum_number_of_contacts: u32 = "MaximumNumberOfContacts",
        /// New subscribers are shown.
        notification_for_new_subscribers: bool = "NotificationForNewSubscribers",
        /// The dial tone is short.
        play_abbr_dial_tone: bool = "PlayAbbrDialTone",
        /// What a search of the address book looks at, as bits.
        search_prefix_flags: u32 = "SearchPrefixFlags",
        /// Where the tabs of the client are defined.
        tab_url: SmolStr = "TabURL",
        /// Seconds between looks at the web services.
        web_service_poll_interval: u32 = "WebServicePollInterval",
        /// No feed of activities.
        disable_feeds_tab: bool = "DisableFeedsTab",
        /// Help is the enterprise's own.
        enable_enterprise_customized_help: bool = "EnableEnterpriseCustomizedHelp",
        /// Where that is.
        customized_help_url: SmolStr = "CustomizedHelpUrl",
        /// No organization in the contact card.
        disable_contact_card_organization_tab: bool = "DisableContactCardOrganizationTab",
        /// Others may sign in at a common phone.
        enable_hotdesking: bool = "EnableHotdesking",
        /// How long they stay, as the server writes it.
        hotdesking_timeout: SmolStr = "HotdeskingTimeout",
        /// Search of people, inside.
        sp_search_internal_url: SmolStr = "SPSearchInternalUrl",
        /// Search of people, outside.
        sp_search_external_url: SmolStr = "SPSearchExternalUrl",
        /// Page of that search, inside.
        sp_search_center_internal_url: SmolStr = "SPSearchCenterInternalUrl",
        /// Page of that search, outside.
        sp_search_center_external_url: SmolStr = "SPSearchCenterExternalUrl",
        /// Delegates come from the calendar.
        enable_exchange_delegate_sync_up: bool = "EnableExchangeDelegateSyncUp",
        /// Contacts are copied to the mail program.
        enable_contact_sync: bool = "EnableContactSync",
        /// The photo can be changed.
        show_sharepoint_photo_edit_link: bool = "ShowSharepointPhotoEditLink",
        /// Encryption of application sharing between two: 0, 1 or 2.
        p2p_app_sharing_encryption: u32 = "P2PAppSharingEncryption",
        /// Contacts may move to the mail server.
        exchange_contact_store_allowed: bool = "ExchangeContactStoreAllowed",
        /// The most distribution groups among the contacts.
        maximum_dgs_allowed_in_contact_list: u32 = "MaximumDGsAllowedInContactList",
        /// The alias is on the contact card.
        show_alias_on_contact_card: bool = "ShowAliasOnContactCard",
        /// A call goes over IP unless the user says no.
        enable_voip_call_default: bool = "EnableVOIPCallDefault",
        /// Where feedback goes.
        send_feedback_url: SmolStr = "SendFeedbackUrl",
        /// Data are collected in the background.
        enable_background_data_collection: bool = "EnableBackgroundDataCollection",
        /// Faults can be reported.
        enable_issue_reports: bool = "EnableIssueReports",
        /// Bugs can be filed.
        enable_bug_filing: bool = "EnableBugFiling",
        /// Where files are uploaded, inside.
        bits_server_address_internal: SmolStr = "BITSServerAddressInternal",
        /// Where files are uploaded, outside.
        bits_server_address_external: SmolStr = "BITSServerAddressExternal",
    }
}
