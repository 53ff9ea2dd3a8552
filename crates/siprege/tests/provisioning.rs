//! Provisioning: documents, both sides, and what a real client asked and took.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ocs_sip_core::subscription::{Subscriber, SubscriberEvent, SubscriberTimers};
use ocs_sip_core::{Aor, HeaderName, Message, Method};
use ocs_siprege::provisioning::{
    self, Answer, Asked, AvEncryption, Config, Context, Deployment, EndpointConfiguration,
    GroupName, LocationPolicy, LocationRequired, MediaConfiguration, Medium, MeetingPolicy, Own,
    PhotoUsage, PrivacyPublicationGrammar, ProvisionGroup, ProvisionGroupList, Provisioning,
    ProvisioningGroup, ProvisioningGroupList, PublicProvider, PublicProviderList, PublicProviders,
    PublicationGrammar, ServerConfiguration, SharingLevel, UcPolicy, UserSetting, View, legacy,
};
use ocs_xml::{Error, Limits, Raw, from_slice, to_string};
use proptest::prelude::*;

const QUESTION: &[u8] = include_bytes!("data/provisioning/009-C2S-alice-SUBSCRIBE.sip");
const ANSWER: &[u8] = include_bytes!("data/provisioning/010-S2C-alice-200-SUBSCRIBE.sip");
const CONTAINERS: &str =
    include_str!("data/provisioning/publicationGrammar-containerManifestList.xml");
const CATEGORIES: &str =
    include_str!("data/provisioning/publicationGrammar-categoryPublicationManifest-state.xml");
const NAMESPACE: &str = "http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification";

fn message(octets: &'static [u8]) -> Message {
    Message::parse(Bytes::from_static(octets), &ocs_sip_core::Limits::default()).unwrap()
}

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

fn alice() -> Aor {
    "alice@contoso.com".parse().unwrap()
}

fn bob() -> Aor {
    "bob@contoso.com".parse().unwrap()
}

/// A SUBSCRIBE as the owner of a connection begins it.
fn request(from: &str, to: &str) -> Message {
    Message::request(Method::Subscribe, &format!("sip:{to}"))
        .with(HeaderName::Via, "SIP/2.0/TLS 192.0.2.1:27221")
        .with(
            HeaderName::From,
            &format!("<sip:{from}>;tag=1;epid=01010101"),
        )
        .with(HeaderName::To, &format!("<sip:{to}>"))
        .with(HeaderName::CallId, "a")
        .with(HeaderName::CSeq, "1 SUBSCRIBE")
        .with(HeaderName::MaxForwards, "70")
        .with(
            HeaderName::Contact,
            &format!("<sip:{from};opaque=user:epid:x;gruu>"),
        )
}

fn question(names: &[GroupName]) -> Message {
    let mut request = request("alice@contoso.com", "alice@contoso.com");
    provisioning::ask(
        &mut request,
        &ProvisioningGroupList::new(names.iter().cloned()),
    );
    request
}

/// The pool of the recorded session.
fn pool() -> Vec<ProvisionGroup> {
    vec![
        ServerConfiguration {
            uc_max_video_rate_allowed: Some("Hd720p-1.5M".into()),
            abs_web_service_enabled: Some(true),
            uc_pc2pc_av_encryption: Some(AvEncryption::Support),
            organization: Some("Contoso".into()),
            uc_port_range_enabled: Some(false),
            ..ServerConfiguration::default()
        }
        .into(),
        UcPolicy {
            allow_call_forwarding: Some(true),
            ..UcPolicy::default()
        }
        .into(),
    ]
}

fn server() -> Provisioning {
    Provisioning::new(Config::new("fe01.contoso.com", pool()))
}

fn handle(request: &Message, deployment: &impl Deployment) -> Answer {
    let context = Context {
        sender: Some(&alice()),
        tag: "77",
        remote: false,
    };
    server().handle_subscribe(context, request, deployment)
}

fn settings(answer: &Answer) -> ProvisionGroupList {
    provisioning::answer_of(&answer.response, &Limits::default())
        .unwrap()
        .unwrap()
}

#[test]
fn what_sipe_asks_is_read_and_answered_as_it_took_it() {
    let request = message(QUESTION);
    let asked: ProvisioningGroupList = from_slice(request.body(), &Limits::default()).unwrap();
    let names: Vec<_> = asked
        .groups
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "ServerConfiguration",
            "meetingPolicy",
            "persistentChatConfiguration",
            "ucPolicy"
        ]
    );

    let recorded = message(ANSWER);
    let given = provisioning::answer_of(&recorded, &Limits::default())
        .unwrap()
        .unwrap();
    let answer = handle(&request, &());
    assert_eq!(answer.notify, None);
    for name in [
        HeaderName::Expires,
        HeaderName::Event,
        HeaderName::SubscriptionState,
        HeaderName::MsPiggybackCseq,
        HeaderName::ContentType,
    ] {
        assert_eq!(
            answer.response.header(name),
            recorded.header(name),
            "{name:?}"
        );
    }
    let ours = settings(&answer);
    // The other server sent userSetting too, which nobody had asked for.
    assert_eq!(ours.groups.len(), 2);
    assert_eq!(ours.server_configuration(), given.server_configuration());
    assert_eq!(ours.uc_policy(), given.uc_policy());
    assert_eq!(
        View::new(&ours, false).focus_factory_uri(),
        Some("sip:alice@contoso.com;gruu;opaque=app:conf:focusfactory")
    );
}

#[test]
fn our_question_has_the_headers_of_sipes() {
    let theirs = message(QUESTION);
    let ours = question(&[GroupName::ServerConfiguration]);
    for name in [
        HeaderName::Event,
        HeaderName::Accept,
        HeaderName::Expires,
        HeaderName::ContentType,
        HeaderName::ProxyRequire,
    ] {
        assert_eq!(ours.header(name), theirs.header(name), "{name:?}");
    }
    assert_eq!(
        ours.body(),
        "<provisioningGroupList xmlns=\"http://schemas.microsoft.com/2006/09/sip/provisioninggrouplist\">\
         <provisioningGroup name=\"ServerConfiguration\"/></provisioningGroupList>"
    );
}

/// A client's subscription machine and the server.
#[test]
fn a_fetch_ends_with_its_settings() {
    let now = Instant::now();
    for piggyback in [true, false] {
        let mut request = question(View::GROUPS);
        if !piggyback {
            request.remove(HeaderName::Supported);
            request.push(HeaderName::Supported, "ms-benotify");
        }
        let mut client = Subscriber::new(request, SubscriberTimers::default()).unwrap();
        let sent = client.poll_transmit().unwrap();
        let answer = handle(&sent, &());
        assert_eq!(answer.notify.is_none(), piggyback);
        client.handle_response(now, answer.response);
        if let Some(notify) = answer.notify {
            assert_eq!(notify.method(), Some(&Method::Benotify));
            assert_eq!(client.handle_notify(now, notify), None);
        }
        let mut found = None;
        while let Some(event) = client.poll_event() {
            if let SubscriberEvent::Notification { message, .. } = event {
                found = provisioning::answer_of(&message, &Limits::default());
            }
        }
        let found = found.expect("settings").unwrap();
        assert_eq!(found.groups.len(), 2);
        client.handle_timeout(now + Duration::from_secs(40));
        assert!(client.is_ended());
    }
}

#[test]
fn a_client_without_options_gets_a_notify() {
    let mut request = question(&[GroupName::UcPolicy]);
    request.remove(HeaderName::Supported);
    request.remove(HeaderName::ProxyRequire);
    let answer = handle(&request, &());
    assert!(answer.response.body().is_empty());
    assert_eq!(answer.response.header(HeaderName::Supported), None);
    let notify = answer.notify.unwrap();
    assert_eq!(notify.method(), Some(&Method::Notify));
    assert_eq!(
        notify.header(HeaderName::SubscriptionState),
        Some("terminated;expires=0")
    );
    assert_eq!(notify.header(HeaderName::CSeq), Some("1 NOTIFY"));
    assert_eq!(notify.to_header().unwrap().tag(), Some("1"));
    assert_eq!(notify.from_header().unwrap().tag(), Some("77"));
    assert!(provisioning::answer_of(&notify, &Limits::default()).is_some());
}

#[test]
fn sipe_without_piggyback_took_the_same_benotify() {
    let recorded = message(include_bytes!("data/provisioning/016-S2C-bob-BENOTIFY.sip"));
    let mut asked = message(include_bytes!(
        "data/provisioning/014-C2S-bob-SUBSCRIBE.sip"
    ));
    let mut server = Provisioning::new(Config::new("fe01.contoso.com", pool()));
    // The server of the recorded session had no piggyback to offer; leave it out of the question.
    asked.remove(HeaderName::Supported);
    asked.push(HeaderName::Supported, "ms-benotify");
    let context = Context {
        sender: Some(&bob()),
        tag: "9C4EFE47775E955F0A7F0736BBFBF42D",
        remote: false,
    };
    let answer = server.handle_subscribe(context, &asked, &());
    let notify = answer.notify.unwrap();
    for name in [
        HeaderName::From,
        HeaderName::To,
        HeaderName::CallId,
        HeaderName::CSeq,
        HeaderName::Event,
        HeaderName::SubscriptionState,
        HeaderName::ContentType,
    ] {
        assert_eq!(notify.header(name), recorded.header(name), "{name:?}");
    }
    // Two answers are the same octets.
    let again = server.clone().handle_subscribe(context, &asked, &());
    assert_eq!(again.notify, Some(notify));
    server = Provisioning::new(Config::new("fe01.contoso.com", []));
    let empty = server
        .handle_subscribe(context, &asked, &())
        .notify
        .unwrap();
    assert_eq!(
        empty.body(),
        &format!("<provisionGroupList xmlns=\"{NAMESPACE}\"/>")
    );
}

#[test]
fn refusals() {
    let status = |request: &Message| handle(request, &()).response.status().unwrap();
    let good = question(&[GroupName::UcPolicy]);
    assert_eq!(status(&good), 200);

    let mut other = good.clone();
    other.set(
        HeaderName::Accept,
        "application/vnd-microsoft-roaming-provisioning+xml, text/*",
    );
    assert_eq!(status(&other), 406);
    for range in [
        "*/*",
        "application/*;q=0.1",
        "text/plain, APPLICATION/vnd-microsoft-roaming-provisioning-v2+xml;q=1",
    ] {
        other.set(HeaderName::Accept, range);
        assert_eq!(status(&other), 200, "{range}");
    }
    other.remove(HeaderName::Accept);
    assert_eq!(status(&other), 200);

    let mut other = good.clone();
    other.set_body("application/xml", good.body().clone());
    let refused = handle(&other, &()).response;
    assert_eq!(refused.status(), Some(415));
    assert_eq!(
        refused.header(HeaderName::Accept),
        Some(provisioning::CONTENT_TYPE)
    );
    assert!(
        refused
            .header(HeaderName::MsDiagnostics)
            .unwrap()
            .starts_with("4013;")
    );
    other.remove_body();
    assert_eq!(status(&other), 415);

    for body in [
        "",
        "<",
        "<provisioningGroupList/><a/>",
        "<provisionGroupList/>",
        "<provisioningGroupList><provisioningGroup/></provisioningGroupList>",
        "<provisioningGroupList xmlns=\"urn:x\"/>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><provisioningGroupList>&b;</provisioningGroupList>",
    ] {
        let mut other = good.clone();
        other.set_body(provisioning::CONTENT_TYPE, body);
        let refused = handle(&other, &()).response;
        assert_eq!(refused.status(), Some(400), "{body}");
        assert_eq!(
            refused.header(HeaderName::MsDiagnostics),
            Some("4001;reason=\"XML parse failure\";source=\"fe01.contoso.com\""),
        );
    }

    let mut other = good.clone();
    other.set(HeaderName::Event, "presence");
    let refused = handle(&other, &()).response;
    assert_eq!(refused.status(), Some(489));
    assert_eq!(
        refused.header(HeaderName::AllowEvents),
        Some(provisioning::EVENT)
    );
    other.remove(HeaderName::Event);
    assert_eq!(status(&other), 489);

    let mut other = good.clone();
    other.set(HeaderName::To, "<sip:alice@contoso.com>;tag=5");
    assert_eq!(status(&other), 481);
    other.set(HeaderName::To, "<tel:+1>");
    assert_eq!(status(&other), 400);
}

#[test]
fn nobody_asks_for_others_but_delegates_and_servers() {
    struct Delegates;
    impl Deployment for Delegates {
        fn may_act_for(&self, delegate: &Aor, delegator: &Aor) -> bool {
            *delegate == alice() && *delegator == bob()
        }
    }
    let mut request = request("alice@contoso.com", "bob@contoso.com");
    provisioning::ask(
        &mut request,
        &ProvisioningGroupList::new([GroupName::ServerConfiguration]),
    );
    let status = |request: &Message, deployment: &dyn Fn(&Message) -> Answer| {
        deployment(request).response.status()
    };
    let by_nobody = |request: &Message| handle(request, &());
    let by_delegates = |request: &Message| handle(request, &Delegates);
    assert_eq!(status(&request, &by_nobody), Some(403));
    // The header MUST be there.
    assert_eq!(status(&request, &by_delegates), Some(403));
    request.push(HeaderName::PSessionOnBehalfOf, "<sip:bob@contoso.com>");
    assert_eq!(status(&request, &by_nobody), Some(403));
    let answer = by_delegates(&request);
    assert_eq!(answer.response.status(), Some(200));
    let answer = settings(&answer);
    assert_eq!(
        View::new(&answer, false).focus_factory_uri(),
        Some("sip:bob@contoso.com;gruu;opaque=app:conf:focusfactory")
    );
    request.set(HeaderName::PSessionOnBehalfOf, "<sip:carol@contoso.com>");
    assert_eq!(status(&request, &by_delegates), Some(403));
    request.set(HeaderName::PSessionOnBehalfOf, "nobody");
    assert_eq!(status(&request, &by_delegates), Some(400));

    let context = Context {
        sender: None,
        tag: "77",
        remote: false,
    };
    request.remove(HeaderName::PSessionOnBehalfOf);
    request.set(HeaderName::From, "<sip:fe02.contoso.com>;tag=2");
    let answer = server().handle_subscribe(context, &request, &());
    assert_eq!(answer.response.status(), Some(200));
}

#[test]
fn sites_and_users_have_groups_of_their_own() {
    struct Sites;
    impl Deployment for Sites {
        fn group(&self, asked: &Asked<'_>, group: &ProvisioningGroup) -> Own {
            let office: IpAddr = [192, 0, 2, 0].into();
            match group.name {
                GroupName::MediaConfiguration if asked.subnet == Some(office) => Own::Group(
                    MediaConfiguration {
                        bypass_id: Some("c61755ed-402f-4b3b-86e2-2bd96252a23c".into()),
                        ..MediaConfiguration::default()
                    }
                    .into(),
                ),
                GroupName::UcPolicy if asked.remote => Own::Nothing,
                _ => Own::Pool,
            }
        }
    }
    let ask = |subnet: Option<&str>, remote| {
        let mut request = request("alice@contoso.com", "alice@contoso.com");
        let mut asked = ProvisioningGroupList::new([
            GroupName::MediaConfiguration,
            GroupName::UcPolicy,
            GroupName::UcPolicy,
            GroupName::Other("newGroup".into()),
        ]);
        asked.subnet = subnet.map(Into::into);
        provisioning::ask(&mut request, &asked);
        let context = Context {
            sender: Some(&alice()),
            tag: "77",
            remote,
        };
        let answer = server().handle_subscribe(context, &request, &Sites);
        let names: Vec<_> = settings(&answer)
            .groups
            .iter()
            .map(ProvisionGroup::name)
            .collect();
        names
    };
    assert_eq!(ask(None, false), [GroupName::UcPolicy]);
    assert_eq!(
        ask(Some("192.0.2.0"), false),
        [GroupName::MediaConfiguration, GroupName::UcPolicy]
    );
    assert_eq!(ask(Some("elsewhere"), true), []);
}

#[test]
fn too_many_groups_are_refused() {
    let names = |n: usize| -> Vec<_> {
        (0..n)
            .map(|n| GroupName::Other(n.to_string().into()))
            .collect()
    };
    assert_eq!(
        handle(&question(&names(64)), &()).response.status(),
        Some(200)
    );
    assert_eq!(
        handle(&question(&names(65)), &()).response.status(),
        Some(400)
    );
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
fn provisioning_of_lcs_2005() {
    struct Desk;
    impl Deployment for Desk {
        fn legacy(&self, aor: &Aor) -> Option<legacy::Document> {
            let text = format!(
                "<provision><user uri=\"{}\"><line uri=\"tel:73124;phone-context=dialstring\" \
                 server=\"sip:rcc@contoso.com\"/></user></provision>",
                aor.to_uri()
            );
            legacy::Document::parse(text.as_bytes(), &Limits::default()).ok()
        }
    }
    let mut request = request("alice@contoso.com", "alice@contoso.com");
    legacy::ask(&mut request);
    let refused = handle(&request, &());
    assert_eq!(refused.response.status(), Some(489));
    let answer = handle(&request, &Desk);
    assert_eq!(
        answer.response.header(HeaderName::Event),
        Some(legacy::EVENT)
    );
    let found = legacy::answer_of(&answer.response, &Limits::default())
        .unwrap()
        .unwrap();
    assert_eq!(found.users[0].uri.as_deref(), Some("sip:alice@contoso.com"));
    assert_eq!(
        found.users[0].lines[0].server.as_deref(),
        Some("sip:rcc@contoso.com")
    );
    assert!(provisioning::answer_of(&answer.response, &Limits::default()).is_none());
    request.set(HeaderName::Accept, provisioning::CONTENT_TYPE);
    assert_eq!(handle(&request, &Desk).response.status(), Some(406));
    let foreign = "<data xmlns=\"urn:x\"><user uri=\"sip:a@b\"><line/></user><z/></data>";
    let found = legacy::Document::parse(foreign.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(found.users.len(), 1);
    assert_eq!(found.extra.elements().count(), 1);
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

    #[test]
    fn any_body_gets_an_answer(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut request = question(&[]);
        request.set_body(provisioning::CONTENT_TYPE, body);
        let status = handle(&request, &()).response.status();
        prop_assert!(matches!(status, Some(200 | 400)));
    }
}
