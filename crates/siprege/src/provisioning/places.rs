//! Emergency calls, media and chat rooms: what depends on the site.

use ocs_xml::{SmolStr, words};

use super::settings::settings;

words! {
    /// Whether the user is asked where he is.
    pub enum LocationRequired: open {
        /// He is.
        Yes = "yes",
        /// He is not.
        No = "no",
        /// He is, and shown the disclaimer.
        Disclaimer = "disclaimer",
    }
}

words! {
    /// How the security desk takes part in an emergency call (recalled).
    pub enum ConferenceMode: open {
        /// It listens.
        OneWay = "oneway",
        /// It speaks too.
        TwoWay = "twoway",
    }
}

settings! {
    /// Policy of emergency calls (\[MS-SIPREGE\] 2.2.2.5.7, \[MS-SIPRE\] 3.17).
    pub struct LocationPolicy: Entries {
        /// The client finds out where it is, and says so in an emergency call.
        enhanced_emergency_services_enabled: bool = "EnhancedEmergencyServicesEnabled",
        /// Goes into the PIDF-LO of every emergency call.
        location_policy_tag_id: SmolStr = "LocationPolicyTagID",
        /// Whether to ask the user when nobody else knows.
        location_required: LocationRequired = "LocationRequired",
        /// Shown with `disclaimer`.
        emergency_service_disclaimer: SmolStr = "EmergencyServiceDisclaimer",
        /// The number to send.
        emergency_dial_string: SmolStr = "EmergencyDialString",
        /// Dialled strings that mean it; see [`Self::is_emergency`].
        emergency_dial_mask: SmolStr = "EmergencyDialMask",
        /// Whom to tell by instant message: SIP URIs.
        notification_uri: SmolStr = "NotificationUri",
        /// The security desk.
        conference_uri: SmolStr = "ConferenceUri",
        /// How it takes part.
        conference_mode: ConferenceMode = "ConferenceMode",
        /// Location is for emergency calls only (recalled).
        use_location_for_e911_only: bool = "UseLocationForE911Only",
    }
}

impl LocationPolicy {
    /// Whether a dialled string calls for help: it is the emergency number or one of the mask, whose strings are parted by `;` (recalled).
    #[must_use]
    pub fn is_emergency(&self, dialled: &str) -> bool {
        let masks = self.emergency_dial_mask.iter().flat_map(|m| m.split(';'));
        let number = self.emergency_dial_string.as_deref();
        self.enhanced_emergency_services_enabled == Some(true)
            && number
                .into_iter()
                .chain(masks)
                .any(|known| !known.is_empty() && known.trim_ascii() == dialled)
    }
}

words! {
    /// When media of calls to the telephone network bypass the Mediation Server.
    pub enum BypassMode: open {
        /// Always.
        Any = "Any",
        /// Never.
        Off = "Off",
        /// Where both sides have the same bypass id (recalled).
        ByBypassId = "ByBypassId",
    }
}

settings! {
    /// Media (\[MS-SIPREGE\] 2.2.2.5.8).
    pub struct MediaConfiguration: Entries {
        /// There is media bypass.
        bypass_enabled: bool = "bypassEnabled",
        /// For clients inside.
        internal_bypass_mode: BypassMode = "internalBypassMode",
        /// For clients outside.
        external_bypass_mode: BypassMode = "externalBypassMode",
        /// The id of the client's subnet: a GUID that goes into `a=x-bypassid` (\[MS-SDPEXT\]).
        bypass_id: SmolStr = "bypassId",
        /// The most that a video may have (recalled).
        max_video_rate_allowed: SmolStr = "maxVideoRateAllowed",
        /// Encryption of media (recalled).
        encryption_level: SmolStr = "encryptionLevel",
    }
}

settings! {
    /// Chat rooms (\[MS-SIPREGE\] 2.2.2.5.11; Lync 2013 and later).
    pub struct PersistentChatConfiguration: Entries {
        /// There are chat rooms.
        enable_persistent_chat: bool = "EnablePersistentChat",
        /// The pool to use.
        default_persistent_chat_pool_uri: SmolStr = "DefaultPersistentChatPoolUri",
        /// All pools, parted by blanks.
        persistent_chat_pool_uris: SmolStr = "PersistentChatPoolUris",
        /// Where rooms are managed, for clients inside.
        persistent_chat_web_manager_uri_int: SmolStr = "PersistentChatWebManagerUriInt",
        /// Where rooms are managed, for clients outside (name inferred).
        persistent_chat_web_manager_uri_ext: SmolStr = "PersistentChatWebManagerUriExt",
    }
}
