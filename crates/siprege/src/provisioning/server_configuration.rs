//! `ServerConfiguration`: where the services of the pool are.

use ocs_xml::{SmolStr, words};

use super::settings::settings;

words! {
    /// Encryption of media between two clients. A word that is not known counts as `RequireEncryption`, see
    /// [`View::encryption`](super::View::encryption).
    pub enum AvEncryption: open {
        /// Only SRTP.
        Require = "RequireEncryption",
        /// SRTP where the other side has it.
        Support = "SupportEncryption",
        /// Never.
        DoNotSupport = "DoNotSupportEncryption",
    }
}

words! {
    /// The most that a video may have.
    pub enum VideoRate: open {
        /// 720p, 1.5 Mb/s.
        Hd720p = "Hd720p-1.5M",
        /// VGA, 600 kb/s (recalled).
        Vga = "VGA-600K",
        /// CIF, 250 kb/s (recalled).
        Cif = "CIF-250K",
    }
}

words! {
    /// How much security a client demands of SIP. Only `High` was read, the others are recalled.
    pub enum SipSecurityMode: open {
        /// TLS only.
        High = "High",
        /// TLS or signed TCP.
        Medium = "Medium",
        /// Anything.
        Low = "Low",
    }
}

words! {
    /// How much a phone writes into its log.
    pub enum LoggingLevel: open {
        /// Nothing.
        Off = "Off",
        /// Errors.
        Low = "Low",
        /// Warnings too.
        Medium = "Medium",
        /// All.
        High = "High",
    }
}

settings! {
    /// Configuration of the pool (\[MS-SIPREGE\] 2.2.2.5.1).
    ///
    /// Names with `internal` are for clients inside the enterprise, with `external` for those that came through an Edge: see
    /// [`View`](super::View). A current server sends all, OCS 2007 fewer.
    pub struct ServerConfiguration: Elements {
        /// The address book answers queries over the web.
        abs_web_service_enabled: bool = "absWebServiceEnabled",
        /// Location Information Service (\[MS-E911WS\]).
        lis_internal_url: SmolStr = "lisInternalUrl",
        /// Address book download (\[MS-ABS\]).
        abs_internal_server_url: SmolStr = "absInternalServerUrl",
        /// Address book download (\[MS-ABS\]).
        abs_external_server_url: SmolStr = "absExternalServerUrl",
        /// Address book queries (\[MS-ABS\]).
        abwq_internal_url: SmolStr = "abwqInternalUrl",
        /// Address book queries (\[MS-ABS\]).
        abwq_external_url: SmolStr = "abwqExternalUrl",
        /// Expansion of distribution lists (\[MS-DLX\]).
        dlx_internal_url: SmolStr = "dlxInternalUrl",
        /// Expansion of distribution lists (\[MS-DLX\]).
        dlx_external_url: SmolStr = "dlxExternalUrl",
        /// Distribution lists may be expanded.
        dlx_enabled: bool = "dlxEnabled",
        /// Firmware of phones.
        updates_server_internal_url: SmolStr = "updatesServerInternalUrl",
        /// Firmware of phones.
        updates_server_external_url: SmolStr = "updatesServerExternalUrl",
        /// Phones look for firmware.
        updates_server_enabled: bool = "updatesServerEnabled",
        /// Name of the company.
        organization: SmolStr = "organization",
        /// Where users find help.
        helpdesk_internal_url: SmolStr = "helpdeskInternalUrl",
        /// Where users find help.
        helpdesk_external_url: SmolStr = "helpdeskExternalUrl",
        /// The meeting console.
        console_download_internal_url: SmolStr = "consoleDownloadInternalUrl",
        /// The meeting console.
        console_download_external_url: SmolStr = "consoleDownloadExternalUrl",
        /// The port ranges below apply.
        uc_port_range_enabled: bool = "ucPortRangeEnabled",
        /// First port of all media.
        uc_min_media_port: u16 = "ucMinMediaPort",
        /// Last port of all media.
        uc_max_media_port: u16 = "ucMaxMediaPort",
        /// First local port of SIP.
        uc_min_sip_dynamic_port: u16 = "ucMinSipDynamicPort",
        /// Last local port of SIP.
        uc_max_sip_dynamic_port: u16 = "ucMaxSipDynamicPort",
        /// First port of audio; 0 or none: that of all media.
        uc_min_audio_port: u16 = "ucMinAudioPort",
        /// Last port of audio.
        uc_max_audio_port: u16 = "ucMaxAudioPort",
        /// First port of video; 0 or none: that of all media.
        uc_min_video_port: u16 = "ucMinVideoPort",
        /// Last port of video.
        uc_max_video_port: u16 = "ucMaxVideoPort",
        /// First port of application sharing; 0 or none: that of all media.
        uc_min_app_sharing_port: u16 = "ucMinAppSharingPort",
        /// Last port of application sharing.
        uc_max_app_sharing_port: u16 = "ucMaxAppSharingPort",
        /// First port of file transfer; 0 or none: that of all media.
        uc_min_file_transfer_port: u16 = "ucMinFileTransferPort",
        /// Last port of file transfer.
        uc_max_file_transfer_port: u16 = "ucMaxFileTransferPort",
        /// Encryption of media.
        uc_pc2pc_av_encryption: AvEncryption = "ucPC2PCAVEncryption",
        /// The most that a video may have.
        uc_max_video_rate_allowed: VideoRate = "ucMaxVideoRateAllowed",
        /// Packets are marked for quality of service.
        qos_enabled: bool = "qosEnabled",
        /// Quality is reported during a call (Lync 2013 and later).
        enable_in_call_qos: bool = "enableInCallQoS",
        /// Seconds between such reports.
        in_call_qos_interval_seconds: u32 = "inCallQoSIntervalSeconds",
        /// DSCP of voice.
        uc_diff_serv_voice: u8 = "ucDiffServVoice",
        /// Priority of voice in 802.1p.
        uc_voice_802_1p: u8 = "ucVoice802_1p",
        /// Phones demand a PIN.
        uc_enforce_pin_lock: bool = "ucEnforcePinLock",
        /// Digits of the PIN.
        uc_min_pin_length: u32 = "ucMinPinLength",
        /// Minutes until a phone locks itself.
        uc_phone_time_out: u32 = "ucPhoneTimeOut",
        /// Minutes between questions for waiting voice mail.
        uc_exchange_mwi_poll: u32 = "ucExchangeMWIPoll",
        /// Security that SIP must have.
        uc_enable_sip_security_mode: SipSecurityMode = "ucEnableSIPSecurityMode",
        /// Phones may send their logs.
        uc_enable_user_logging: bool = "ucEnableUserLogging",
        /// How much goes into the log.
        logging_level: LoggingLevel = "loggingLevel",
        /// Bandwidth is granted call by call (\[MS-TURNBWM\]).
        enable_bw_policy_check: bool = "enableBWPolicyCheck",
        /// GRUU of the home pool.
        pool_uri: SmolStr = "poolUri",
        /// Who gives credentials for the relay (\[MS-AVEDGEA\]); none: there is no Edge.
        mras_uri: SmolStr = "mrasUri",
        /// Where reports of quality go (\[MS-QoE\]).
        qos_uri: SmolStr = "qosUri",
        /// Call park (\[MS-SIPAPP\]).
        call_park_server_uri: SmolStr = "callParkServerUri",
        /// Response groups, for programs.
        response_group_service_internal_url: SmolStr = "responseGroupServiceInternalURL",
        /// Response groups, for programs.
        response_group_service_external_url: SmolStr = "responseGroupServiceExternalURL",
        /// Response groups, the page for agents.
        response_group_service_internal_agent_url: SmolStr = "responseGroupServiceInternalAgentURL",
        /// Response groups, the page for agents.
        response_group_service_external_agent_url: SmolStr = "responseGroupServiceExternalAgentURL",
        /// Whom to call to hear oneself.
        bot_sip_uri_for_test_call: SmolStr = "botSipUriForTestCall",
        /// Page of dial-in conferencing.
        cwa_internal_uri: SmolStr = "cwaInternalUri",
        /// Page of dial-in conferencing.
        cwa_external_uri: SmolStr = "cwaExternalUri",
        /// Name of the pool's location profile, which is its dial plan (\[MS-OCPSTN\]).
        uc_location_profile: SmolStr = "ucLocationProfile",
        /// Who makes conferences for this user (\[MS-CONFBAS\]).
        focus_factory_uri: SmolStr = "focusFactoryUri",
        /// Voice mail of this user.
        voice_mail_uri: SmolStr = "voiceMailUri",
    }
}
