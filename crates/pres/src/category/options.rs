//! Options that a user keeps in the container of their own: `alerts`, `rccOptions`, `otherOptions` and `userInformation`
//! (\[MS-PRES\], options schemas).

use ocs_xml::{SmolStr, element, words};

use crate::category::Localized;
use crate::category::contact_card::PhoneType;

/// The namespace of `alerts`.
pub const ALERTS_NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/options/alerts";
/// The namespace of `rccOptions`.
pub const RCC_NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/options/rccOptions";
/// The namespace of `otherOptions`.
pub const OTHER_NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/options/otherOptions";
/// The namespace of `userInformation`.
pub const USER_INFORMATION_NAMESPACE: &str =
    "http://schemas.microsoft.com/2006/09/sip/options/userInformation";

words! {
    /// Which alerts come through do-not-disturb.
    pub enum AlertsWhenDoNotDisturb: open {
        /// All. When the element is absent.
        All = "displayAllAlerts",
        /// Those of people who may interrupt.
        FromHighPresence = "displayAlertsFromHighPresence",
        /// None.
        None = "noAlerts",
    }
}

element! {
    /// When the user is alerted.
    #[derive(Default)]
    pub struct Alerts(ALERTS_NAMESPACE, "alerts") {
        /// Which alerts come through do-not-disturb.
        leaf_opt when_do_not_disturb: AlertsWhenDoNotDisturb = "alertsWhenDoNotDisturb",
        /// When somebody adds the user to their contacts. True when absent.
        leaf_opt addition_to_contact_list: bool = "notifyAdditionToContactList",
        /// With the text of the message. True when absent.
        leaf_opt show_message_text: bool = "showMessageTextForIncomingConversation",
    }
}

words! {
    /// Whether calls of a controlled telephone are forwarded.
    pub enum ForwardingMode: open {
        /// They are not. When the element is absent.
        Disabled = "disabled",
        /// All are.
        Static = "static",
    }
}

element! {
    /// Where calls of a controlled telephone go.
    #[derive(Default)]
    pub struct Forwarding(RCC_NAMESPACE, "forwarding") {
        /// Whether they are forwarded.
        leaf_opt mode: ForwardingMode,
        /// To which telephone; the mobile one when absent.
        leaf_opt to_phone_type: PhoneType = "toPhoneType",
    }
}

element! {
    /// Options of the control of a telephone.
    pub struct RccOptions(RCC_NAMESPACE, "rccOptions") {
        /// Forwarding.
        child forwarding: Forwarding,
    }
}

words! {
    /// Where contacts and calendar are taken from.
    pub enum PersonalInformationManager: open {
        /// Nowhere.
        None = "none",
        /// Outlook.
        Outlook = "outlook",
        /// The Windows address book.
        WindowsAddressBook = "wab",
    }
}

element! {
    /// What the client may do on the user's behalf. Each is true when absent.
    #[derive(Default)]
    pub struct Permissions(OTHER_NAMESPACE, "permissions") {
        /// Where contacts and calendar are taken from.
        leaf_opt personal_information_manager: PersonalInformationManager = "personalInformationManager",
        /// Fetch the automatic reply.
        leaf_opt auto_retrieve_oof: bool = "autoRetrieveOofFromOutlook",
        /// Publish free and busy times.
        leaf_opt publish_calendar_presence: bool = "publishCalendarPresence",
        /// Keep messages.
        leaf_opt im_auto_archiving: bool = "imAutoArchiving",
        /// Keep the log of calls.
        leaf_opt call_log_auto_archiving: bool = "callLogAutoArchiving",
        /// Publish subject and place of meetings.
        leaf_opt publish_meeting_subject_and_location: bool = "publishMeetingSubjectAndLocation",
        /// When the voice mail was last opened.
        leaf_opt voice_mail_last_access: SmolStr = "voiceMailLastAccessTimestamp",
        /// When missed conversations were last opened.
        leaf_opt missed_conversation_last_access: SmolStr = "missedConversationLastAccessTimestamp",
        /// Publish what was done.
        leaf_opt publish_activity_history: bool = "publishActivityHistory",
    }
}

words! {
    /// The privacy mode that the user chose.
    pub enum PrivacyModeSelection: open {
        /// None.
        NoSelection = "noSelection",
        /// Only contacts see presence.
        Private = "private",
        /// Everybody sees some.
        Standard = "standard",
    }
}

words! {
    /// The privacy mode in force.
    pub enum PrivacyMode: open {
        /// On the way to [`Private`](Self::Private).
        MigratingToPrivacy = "migratingToPrivacy",
        /// On the way to [`Standard`](Self::Standard).
        MigratingToStandard = "migratingToStandard",
        /// Only contacts see presence.
        Private = "private",
        /// Everybody sees some.
        Standard = "standard",
    }
}

element! {
    /// Other options. Instance 0 has the permissions, 1 the times, 2 the privacy.
    #[derive(Default)]
    pub struct OtherOptions(OTHER_NAMESPACE, "otherOptions") {
        /// What the client may do.
        child_opt permissions: Permissions,
        /// When the voice mail was last opened.
        leaf_opt voice_mail_last_access: SmolStr = "voiceMailLastAccessTimestamp",
        /// When missed conversations were last opened.
        leaf_opt missed_conversation_last_access: SmolStr = "missedConversationLastAccessTimestamp",
        /// The privacy mode that the user chose (since 2010).
        leaf_opt privacy_mode_selection: PrivacyModeSelection = "privacyModeUserSelection" => 1,
        /// The privacy mode in force (since 2010).
        leaf_opt current_privacy_mode: PrivacyMode = "currentPrivacyMode" => 1,
        /// Whether the server had privacy on when it was last asked (since 2010).
        leaf_opt last_query_privacy_enabled: bool = "lastQueryPrivacyEnabled" => 1,
        /// Publish where the endpoint is (since 2010).
        leaf_opt publish_endpoint_location: bool = "publishEndpointLocation" => 1,
        /// Publish what was done (since 2010).
        leaf_opt publish_activity_history: bool = "publishActivityHistory" => 1,
        /// Whether contacts are kept in step with the mailbox; a truth value, but `2` was seen.
        leaf_opt enable_contact_sync: SmolStr = "EnableContactSyncUserOption" => 1,
    }
}

element! {
    /// A telephone that was called last.
    #[derive(Default)]
    pub struct LastPhone(USER_INFORMATION_NAMESPACE, "lastPhone") {
        /// How it is shown.
        parts display_string: Localized = "displayString",
        /// Its URI.
        leaf_opt uri: SmolStr,
    }
}

element! {
    /// A contact that was called last.
    #[derive(Default)]
    pub struct LastContact(USER_INFORMATION_NAMESPACE, "lastContact") {
        /// How it is shown.
        parts display_string: Localized = "displayString",
        /// Its URI.
        leaf_opt uri: SmolStr,
    }
}

element! {
    /// Where calls went last.
    #[derive(Default)]
    pub struct CallHandlingList(USER_INFORMATION_NAMESPACE, "callHandlingList") {
        /// The telephone.
        child_opt last_phone: LastPhone,
        /// The contact.
        child_opt last_contact: LastContact,
    }
}

element! {
    /// A telephone of the user.
    pub struct UserPhone(USER_INFORMATION_NAMESPACE, "phone") {
        /// Which.
        attr kind: PhoneType = "type",
        /// Others may see it. True when absent.
        attr_opt publish: bool,
        /// The user may not change it. False when absent.
        attr_opt read_only: bool = "readOnly",
        /// How it is shown.
        parts display_string: Localized = "displayString",
        /// Its URI.
        leaf_opt uri: SmolStr,
    }
}

element! {
    /// The user's telephones.
    #[derive(Default)]
    pub struct UserPhones(USER_INFORMATION_NAMESPACE, "phones") {
        /// The telephones.
        children phone: UserPhone,
    }
}

element! {
    /// What the user told the client about telephones.
    #[derive(Default)]
    pub struct UserInformation(USER_INFORMATION_NAMESPACE, "userInformation") {
        /// Where calls went last.
        child_opt call_handling_list: CallHandlingList,
        /// The telephones.
        child_opt phones: UserPhones,
    }
}
