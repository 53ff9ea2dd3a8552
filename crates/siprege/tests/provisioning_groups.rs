//! Provisioning: the groups and their settings, and documents that are none.

use std::fmt::Write as _;

use ocs_siprege::provisioning::{
    AvEncryption, EndpointConfiguration, GroupName, LocationPolicy, LocationRequired, Medium,
    MeetingPolicy, PhotoUsage, PrivacyPublicationGrammar, ProvisionGroup, ProvisionGroupList,
    ProvisioningGroup, ProvisioningGroupList, PublicProvider, PublicProviderList, PublicProviders,
    PublicationGrammar, ServerConfiguration, SharingLevel, UserSetting, View,
};
use ocs_xml::{Error, Limits, Raw, from_slice, to_string};
use proptest::prelude::*;

const CONTAINERS: &str =
    include_str!("data/provisioning/publicationGrammar-containerManifestList.xml");
const CATEGORIES: &str =
    include_str!("data/provisioning/publicationGrammar-categoryPublicationManifest-state.xml");
const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification";

fn read(text: &str) -> ProvisionGroupList {
    from_slice(text.as_bytes(), &Limits::default()).unwrap()
}

fn list(groups: &str) -> ProvisionGroupList {
    read(&format!(
        "<provisionGroupList xmlns=\"{NAMESPACE}\">{groups}</provisionGroupList>"
    ))
}

fn raw(text: &str) -> Raw {
    Raw::parse(text.as_bytes(), &Limits::default()).unwrap()
}

#[test]
fn shapes_of_the_groups() {
    let list = list(
        "<provisionGroup name=\"meetingPolicy\"><instance>\
           <property name=\"AllowIPAudio\"><![CDATA[true]]></property>\
           <property name=\"meetingsize\"> 400 </property>\
           <property name=\"AllowAppSharingForExternalMeeting\">Desktop</property>\
         </instance></provisionGroup>\
         <provisionGroup name=\"userSetting\"><disableFileTransfer>False</disableFileTransfer>\
           <ucUserLocationProfile/></provisionGroup>\
         <provisionGroup name=\"endpointConfiguration\"><propertyEntryList>\
           <property name=\"ShowRecentContacts\">true</property>\
           <property name=\"MaxPhotoSizeKB\">10</property>\
           <property name=\"DisableMusicOnHold\" >0</property>\
           <property name=\"PhotoUsage\">AllPhotos</property>\
           <property name=\"SearchPrefixFlags\">127</property>\
         </propertyEntryList></provisionGroup>",
    );
    let meeting = list.meeting_policy().unwrap();
    assert_eq!(meeting.allow_ip_audio, Some(true));
    assert_eq!(meeting.meeting_size, Some(400));
    assert_eq!(
        meeting.allow_app_sharing_for_external_meeting,
        Some(SharingLevel::Desktop)
    );
    let user = list.user_setting().unwrap();
    assert_eq!(user.disable_file_transfer, Some(false));
    assert_eq!(user.uc_user_location_profile, None);
    let endpoint = list.endpoint_configuration().unwrap();
    assert_eq!(endpoint.show_recent_contacts, Some(true));
    assert_eq!(endpoint.max_photo_size_kb, Some(10));
    assert_eq!(endpoint.disable_music_on_hold, Some(false));
    assert_eq!(endpoint.photo_usage, Some(PhotoUsage::All));
    assert_eq!(endpoint.search_prefix_flags, Some(127));
    // The shapes are written again.
    let text = to_string(&list);
    assert!(text.contains("<instance><property name=\"AllowIPAudio\">true</property>"));
    assert!(text.contains("<propertyEntryList><property name=\"ShowRecentContacts\">"));
    assert!(text.contains("<disableFileTransfer>false</disableFileTransfer></provisionGroup>"));
}

#[test]
fn groups_of_later_servers() {
    let list = list(
        "<provisionGroup name=\"persistentChatConfiguration\"><propertyEntryList>\
           <property name=\"EnablePersistentChat\">true</property>\
           <property name=\"DefaultPersistentChatPoolUri\">sip:chat@contoso.com</property>\
           <property name=\"PersistentChatPoolUris\">sip:chat@contoso.com sip:chat2@contoso.com</property>\
         </propertyEntryList></provisionGroup>\
         <provisionGroup name=\"presencePolicyV2\"><propertyEntryList>\
           <property name=\"EnablePrivacyMode\">false</property>\
           <property name=\"MaxPromptedSubscriber\">200</property>\
         </propertyEntryList></provisionGroup>\
         <provisionGroup name=\"mobilityPolicy\"><propertyEntryList>\
           <property name=\"EnableOutsideVoice\">True</property>\
         </propertyEntryList></provisionGroup>\
         <provisionGroup name=\"locationPolicy\"><propertyEntryList>\
           <property name=\"EnhancedEmergencyServicesEnabled\">false</property>\
           <property name=\"LocationPolicyTagID\">user-tagid</property>\
           <property name=\"LocationRequired\">disclaimer</property>\
         </propertyEntryList></provisionGroup>",
    );
    assert_eq!(
        View::new(&list, false).chat_pool_uri(),
        Some("sip:chat@contoso.com")
    );
    let presence = list.presence_policy().unwrap();
    assert_eq!(presence.enable_privacy_mode, Some(false));
    assert_eq!(presence.max_prompted_subscriber, Some(200));
    assert_eq!(
        list.mobility_policy().unwrap().enable_outside_voice,
        Some(true)
    );
    let location = list.location_policy().unwrap();
    assert_eq!(
        location.location_policy_tag_id.as_deref(),
        Some("user-tagid")
    );
    assert_eq!(
        location.location_required,
        Some(LocationRequired::Disclaimer)
    );
    let names: Vec<_> = list.groups.iter().map(ProvisionGroup::name).collect();
    assert!(names.iter().all(|name| GroupName::ALL.contains(name)));
    assert_eq!(read(&to_string(&list)), list);
}

#[test]
fn nothing_unknown_is_lost() {
    let text = format!(
        "<provisionGroupList xmlns=\"{NAMESPACE}\" new=\"1\">\
         <provisionGroup name=\"ServerConfiguration\" version=\"2\"><organization>Contoso</organization>\
         <newUrl>https://new</newUrl><qosEnabled>perhaps</qosEnabled><x:y xmlns:x=\"urn:x\">z</x:y></provisionGroup>\
         <provisionGroup name=\"ucPolicy\"><instance><property name=\"AllowCallForwarding\">true</property>\
         <property name=\"PhoneRouteUsages\"><element>Local</element></property>\
         <property name=\"Newer\">7</property></instance><later/></provisionGroup>\
         <provisionGroup name=\"later\"><anything a=\"b\">c</anything></provisionGroup>\
         <other/></provisionGroupList>"
    );
    let list = read(&text);
    assert_eq!(to_string(&list), text);
    let server = list.server_configuration().unwrap();
    assert_eq!(server.organization.as_deref(), Some("Contoso"));
    assert_eq!(
        server.unknown_value("NEWURL").as_deref(),
        Some("https://new")
    );
    // No Boolean: kept, not guessed.
    assert_eq!(server.qos_enabled, None);
    assert_eq!(
        server.unknown_value("qosEnabled").as_deref(),
        Some("perhaps")
    );
    let policy = list.uc_policy().unwrap();
    assert_eq!(policy.unknown_value("newer").as_deref(), Some("7"));
    assert_eq!(policy.unknown_value("AllowCallForwarding"), None);
    assert!(matches!(
        list.group(&GroupName::Other("later".into())),
        Some(ProvisionGroup::Other { .. })
    ));
}

#[test]
fn a_setting_twice_counts_once() {
    let list = list(
        "<provisionGroup name=\"ucPolicy\"><instance><property name=\"EnableCallPark\">true</property>\
         <property name=\"EnableCallPark\">false</property></instance></provisionGroup>",
    );
    assert_eq!(list.uc_policy().unwrap().enable_call_park, Some(true));
    assert_eq!(read(&to_string(&list)), list);
}

#[test]
fn groups_without_namespace_or_with_a_prefix_are_read() {
    let plain = read(
        "<provisionGroupList><provisionGroup name=\"userSetting\"><commonAreaPhone>true</commonAreaPhone>\
         </provisionGroup></provisionGroupList>",
    );
    let prefixed = read(&format!(
        "<p:provisionGroupList xmlns:p=\"{NAMESPACE}\"><p:provisionGroup name=\"userSetting\">\
         <p:commonAreaPhone>true</p:commonAreaPhone></p:provisionGroup></p:provisionGroupList>"
    ));
    assert_eq!(plain, prefixed);
    assert_eq!(plain.user_setting().unwrap().common_area_phone, Some(true));
    let foreign = list(
        "<provisionGroup name=\"userSetting\"><commonAreaPhone xmlns=\"urn:x\">true</commonAreaPhone></provisionGroup>",
    );
    assert_eq!(foreign.user_setting().unwrap().common_area_phone, None);
}

#[test]
fn the_grammar_is_kept_whole() {
    let list = list(&format!(
        "<provisionGroup name=\"publicationGrammar\">{CONTAINERS}{CATEGORIES}</provisionGroup>\
         <provisionGroup name=\"privacyPublicationGrammar\">{CONTAINERS}</provisionGroup>"
    ));
    let grammar = list.publication_grammar().unwrap();
    let containers = grammar.container_manifest_list.as_ref().unwrap();
    assert_eq!(containers.name(), "containerManifestList");
    assert_eq!(containers.as_str().matches("<container id=").count(), 10);
    let categories = grammar.category_publication_manifest.as_ref().unwrap();
    assert!(categories.as_str().contains("availability &gt;= 9000"));
    assert!(grammar.extra.is_empty());
    let privacy = list.privacy_publication_grammar().unwrap();
    assert_eq!(privacy.container_manifest_list.as_ref(), Some(containers));
    assert_eq!(read(&to_string(&list)), list);
}

#[test]
fn public_providers_are_a_document_in_a_text() {
    let providers = "<PublicProviders><PublicProvider Name=\"MSN\" ProxyFqdn=\"federation.messenger.msn.com\" \
        NameDecorationDomain=\"msn.com\"/></PublicProviders>";
    let list = list(&format!(
        "<provisionGroup name=\"publicProviders\"><propertyEntryList>\
         <property name=\"publicProviders\"><![CDATA[{providers}]]></property></propertyEntryList></provisionGroup>"
    ));
    let PublicProviderList(found) = list.public_providers().unwrap().providers.as_ref().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].name, "MSN");
    assert_eq!(found[0].name_decoration_domain, "msn.com");
    assert_eq!(read(&to_string(&list)), list);
    let elements = self::list(
        "<provisionGroup name=\"publicProviders\"><propertyEntryList><property name=\"publicProviders\">\
         &lt;PublicProviders>&lt;PublicProvider>&lt;Name>MSN&lt;/Name>&lt;/PublicProvider>&lt;/PublicProviders>\
         </property></propertyEntryList></provisionGroup>",
    );
    let found = &elements
        .public_providers()
        .unwrap()
        .providers
        .as_ref()
        .unwrap()
        .0;
    assert_eq!(found[0].name, "MSN");
    // What is none is kept.
    let broken = self::list(
        "<provisionGroup name=\"publicProviders\"><propertyEntryList><property name=\"publicProviders\">AOL\
         </property></propertyEntryList></provisionGroup>",
    );
    let broken = broken.public_providers().unwrap();
    assert_eq!(broken.providers, None);
    assert_eq!(
        broken.unknown_value("publicProviders").as_deref(),
        Some("AOL")
    );
}

#[test]
fn a_client_sees_its_side_of_the_edge() {
    let list = list(
        "<provisionGroup name=\"ServerConfiguration\">\
         <absInternalServerUrl>https://in/abs</absInternalServerUrl><absExternalServerUrl>https://out/abs</absExternalServerUrl>\
         <dlxInternalUrl>https://in/dlx</dlxInternalUrl><dlxEnabled>true</dlxEnabled>\
         <lisInternalUrl>https://in/lis</lisInternalUrl>\
         <ucPC2PCAVEncryption>NewEncryption</ucPC2PCAVEncryption>\
         <ucPortRangeEnabled>true</ucPortRangeEnabled>\
         <ucMinMediaPort>50000</ucMinMediaPort><ucMaxMediaPort>50038</ucMaxMediaPort>\
         <ucMinAudioPort>50020</ucMinAudioPort><ucMaxAudioPort>50029</ucMaxAudioPort>\
         <ucMinVideoPort>0</ucMinVideoPort><ucMaxVideoPort>0</ucMaxVideoPort>\
         <ucMinAppSharingPort/><mrasUri/>\
         <ucLocationProfile>Pool</ucLocationProfile>\
         </provisionGroup>\
         <provisionGroup name=\"userSetting\"><disableFileTransfer>true</disableFileTransfer>\
         <ucUserLocationProfile>Redmond</ucUserLocationProfile></provisionGroup>\
         <provisionGroup name=\"mediaConfiguration\"><propertyEntryList>\
          <property name=\"bypassEnabled\">true</property><property name=\"internalBypassMode\">Any</property>\
          <property name=\"externalBypassMode\">Off</property>\
          <property name=\"bypassId\">c61755ed-402f-4b3b-86e2-2bd96252a23c</property>\
         </propertyEntryList></provisionGroup>",
    );
    let inside = View::new(&list, false);
    let outside = View::new(&list, true);
    assert_eq!(inside.address_book_url(), Some("https://in/abs"));
    assert_eq!(outside.address_book_url(), Some("https://out/abs"));
    assert!(inside.expands_distribution_lists());
    assert!(!outside.expands_distribution_lists());
    assert_eq!(inside.location_service_url(), Some("https://in/lis"));
    assert_eq!(outside.location_service_url(), None);
    // A word that is not known is taken for the strictest.
    assert_eq!(inside.encryption(), AvEncryption::Require);
    assert_eq!(inside.port_range(Medium::Audio), Some((50020, 50029)));
    assert_eq!(inside.port_range(Medium::Video), Some((50000, 50038)));
    assert_eq!(inside.port_range(Medium::AppSharing), Some((50000, 50038)));
    assert_eq!(inside.sip_port_range(), None);
    assert_eq!(inside.mras_uri(), None);
    assert_eq!(inside.location_profile(), Some("Redmond"));
    assert!(!inside.may_send_files());
    assert!(inside.may_forward_calls());
    assert!(inside.bypass_id().is_some());
    assert_eq!(outside.bypass_id(), None);

    let nothing = ProvisionGroupList::default();
    let nothing = View::new(&nothing, false);
    assert_eq!(nothing.encryption(), AvEncryption::Support);
    assert_eq!(nothing.port_range(Medium::Audio), None);
    assert_eq!(nothing.location_profile(), None);
    assert!(nothing.may_send_files());
}

#[test]
fn numbers_of_emergencies() {
    let mut policy = LocationPolicy {
        emergency_dial_string: Some("911".into()),
        emergency_dial_mask: Some("112; 999;".into()),
        ..LocationPolicy::default()
    };
    assert!(!policy.is_emergency("911"));
    policy.enhanced_emergency_services_enabled = Some(true);
    for number in ["911", "112", "999"] {
        assert!(policy.is_emergency(number), "{number}");
    }
    assert!(!policy.is_emergency("9"));
    assert!(!policy.is_emergency(""));
}

#[test]
fn hostile_documents() {
    let whole = format!(
        "<provisionGroupList xmlns=\"{NAMESPACE}\"><provisionGroup name=\"ucPolicy\"><instance>\
         <property name=\"EnableCallPark\">true</property></instance></provisionGroup>\
         <provisionGroup name=\"x\"><![CDATA[<]]></provisionGroup></provisionGroupList>"
    );
    for end in 0..whole.len() {
        let result = from_slice::<ProvisionGroupList>(&whole.as_bytes()[..end], &Limits::default());
        assert!(result.is_err(), "{end}");
    }
    let limits = Limits::default();
    let refuse =
        |text: &str| from_slice::<ProvisionGroupList>(text.as_bytes(), &limits).unwrap_err();
    let deep = format!(
        "<provisionGroupList>{}",
        "<provisionGroup name=\"a\">".repeat(100_000)
    );
    assert!(matches!(
        refuse(&deep),
        Error::TooDeep { .. } | Error::TooLong { .. }
    ));
    let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><provisionGroupList>&b;</provisionGroupList>";
    assert!(matches!(refuse(laughs), Error::Doctype { .. }));
    assert!(matches!(
        refuse("<provisionGroupList><provisionGroup/></provisionGroupList>"),
        Error::MissingAttribute { .. }
    ));
    assert!(matches!(
        refuse("<provisionGroupList><provisionGroup name=\"a\" name=\"b\"/></provisionGroupList>"),
        Error::DuplicateAttribute { .. }
    ));
    // Many unknown settings cost time linear in the document.
    let mut many = String::new();
    for n in 0..20_000 {
        write!(many, "<property name=\"p{n}\">1</property>").unwrap();
    }
    let many = list(&format!(
        "<provisionGroup name=\"endpointConfiguration\"><propertyEntryList>{many}</propertyEntryList></provisionGroup>"
    ));
    assert_eq!(many.endpoint_configuration().unwrap().unknown.len(), 20_000);
}

fn text() -> impl Strategy<Value = String> {
    // An empty setting is none, and white space around one does not count.
    "[!-~\u{e4}\u{20ac}]([ -~\u{e4}\u{20ac}]{0,30}[!-~])?"
}

fn group() -> impl Strategy<Value = ProvisionGroup> {
    let server = (
        proptest::option::of(any::<bool>()),
        proptest::option::of(any::<u16>()),
        proptest::option::of(text()),
        proptest::collection::vec(("[a-z]{3,8}X", text()), 0..3),
    )
        .prop_map(|(flag, port, url, unknown)| {
            let mut group = ServerConfiguration {
                abs_web_service_enabled: flag,
                uc_min_media_port: port,
                mras_uri: url.clone().map(Into::into),
                uc_pc2pc_av_encryption: url.map(|word| word.as_str().into()),
                ..ServerConfiguration::default()
            };
            for (name, value) in unknown {
                group.push_unknown(&name, &value);
            }
            group.into()
        });
    let meeting = (
        proptest::option::of(any::<bool>()),
        proptest::option::of(any::<u32>()),
        proptest::collection::vec((text(), text()), 0..3),
    )
        .prop_map(|(flag, size, unknown)| {
            let mut group = MeetingPolicy {
                allow_ip_audio: flag,
                meeting_size: size,
                ..MeetingPolicy::default()
            };
            for (name, value) in unknown {
                group.push_unknown(&name, &value);
            }
            group.into()
        });
    let endpoint = (
        proptest::option::of(any::<bool>()),
        proptest::option::of(text()),
    )
        .prop_map(|(flag, text)| {
            EndpointConfiguration {
                enable_url: flag,
                tab_url: text.map(Into::into),
                ..EndpointConfiguration::default()
            }
            .into()
        });
    let user = proptest::option::of(text()).prop_map(|text| {
        UserSetting {
            uc_user_location_profile: text.map(Into::into),
            ..UserSetting::default()
        }
        .into()
    });
    let providers = proptest::collection::vec(text(), 0..3).prop_map(|names| {
        let providers = names.into_iter().map(|name| PublicProvider {
            name: name.into(),
            ..PublicProvider::default()
        });
        PublicProviders {
            providers: Some(PublicProviderList(providers.collect())),
            ..PublicProviders::default()
        }
        .into()
    });
    let grammar = any::<bool>().prop_map(|both| {
        PublicationGrammar {
            container_manifest_list: Some(raw(CONTAINERS)),
            category_publication_manifest: both.then(|| raw(CATEGORIES)),
            extra: ocs_xml::Extra::default(),
        }
        .into()
    });
    let privacy = Just(
        PrivacyPublicationGrammar {
            container_manifest_list: Some(raw(CONTAINERS)),
            extra: ocs_xml::Extra::default(),
        }
        .into(),
    );
    let other = "[a-z]{1,10}Y".prop_map(|name| {
        let text = format!(
            "<provisionGroup xmlns=\"{NAMESPACE}\" name=\"{name}\"><a>b</a></provisionGroup>"
        );
        ProvisionGroup::other(raw(&text)).unwrap()
    });
    prop_oneof![
        server, meeting, endpoint, user, providers, grammar, privacy, other
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn answers_round_trip(groups in proptest::collection::vec(group(), 0..6)) {
        let list = ProvisionGroupList::new(groups);
        let text = to_string(&list);
        let again: ProvisionGroupList = from_slice(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(&again, &list);
        prop_assert_eq!(to_string(&again), text);
    }

    #[test]
    fn questions_round_trip(
        subnet in proptest::option::of("[0-9.]{1,15}"),
        groups in proptest::collection::vec(("[ -~]{1,20}", proptest::option::of("[ -~]{0,20}")), 0..6),
    ) {
        let mut list = ProvisioningGroupList::new([]);
        list.subnet = subnet.map(Into::into);
        list.groups = groups
            .into_iter()
            .map(|(name, opaque)| {
                let mut group = ProvisioningGroup::new(name.as_str().into());
                group.opaque = opaque.map(Into::into);
                group
            })
            .collect();
        let text = to_string(&list);
        let again: ProvisioningGroupList = from_slice(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(&again, &list);
        prop_assert_eq!(to_string(&again), text);
    }
}
