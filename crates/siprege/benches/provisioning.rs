//! Provisioning at sign-in: the document of 52 KB that a real server sent has this size and these parts.
#![allow(missing_docs, reason = "criterion's macros generate public items")]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ocs_sip_core::{Aor, HeaderName, Message, Method};
use ocs_siprege::location::{DialPlan, Dialled, LocationProfileDescription, PlanLimits};
use ocs_siprege::provisioning::{
    Config, Context, ProvisionGroupList, Provisioning, ProvisioningGroupList, View, ask,
};
use ocs_xml::{Limits, from_slice, to_string};
use quick_xml::events::Event;

const CONTAINERS: &str =
    include_str!("../tests/data/provisioning/publicationGrammar-containerManifestList.xml");
const CATEGORIES: &str = include_str!(
    "../tests/data/provisioning/publicationGrammar-categoryPublicationManifest-state.xml"
);
const PROFILE: &[u8] = include_bytes!("../tests/data/location/location-profile.xml");

fn document() -> String {
    let mut text = String::from(
        "<provisionGroupList xmlns=\"http://schemas.microsoft.com/2006/09/sip/provisiongrouplist-notification\">\
         <provisionGroup name=\"ServerConfiguration\">",
    );
    for name in [
        "abs",
        "dlx",
        "updatesServer",
        "helpdesk",
        "consoleDownload",
        "abwq",
        "responseGroupService",
    ] {
        for side in ["Internal", "External"] {
            let _ = write!(
                text,
                "<{name}{side}Url>https://pool.contoso.com:443/{name}/handler</{name}{side}Url>"
            );
        }
    }
    for port in [
        "Media",
        "Audio",
        "Video",
        "AppSharing",
        "FileTransfer",
        "SipDynamic",
    ] {
        let _ = write!(
            text,
            "<ucMin{port}Port>50000</ucMin{port}Port><ucMax{port}Port>50038</ucMax{port}Port>"
        );
    }
    text.push_str("<mrasUri>sip:edge01.contoso.com@contoso.com;gruu;opaque=srvr:MRAS:OKPDbAVxIEKtPh2g624vPAAA</mrasUri></provisionGroup>");
    text.push_str("<provisionGroup name=\"endpointConfiguration\"><propertyEntryList>");
    for name in [
        "ShowRecentContacts",
        "ShowManagePrivacyRelationships",
        "DisableMusicOnHold",
        "EnableTracing",
        "DisableEmoticons",
        "EnableURL",
        "DisableHtmlIm",
        "DisableRTFIM",
        "DisableSavingIM",
        "DisablePresenceNote",
        "EnableHotdesking",
        "EnableContactSync",
        "DisableFreeBusyInfo",
        "EnableSQMData",
        "EnableEventLogging",
        "EnableAppearOffline",
        "DisableFeedsTab",
    ] {
        let _ = write!(text, "<property name=\"{name}\">true</property>");
    }
    text.push_str(
        "</propertyEntryList></provisionGroup><provisionGroup name=\"ucPolicy\"><instance>",
    );
    for name in [
        "AllowSimultaneousRinging",
        "AllowCallForwarding",
        "EnableCallTransfer",
        "EnableCallPark",
        "EnableDelegation",
    ] {
        let _ = write!(
            text,
            "<property name=\"{name}\"><![CDATA[true]]></property>"
        );
    }
    text.push_str("</instance></provisionGroup><provisionGroup name=\"publicationGrammar\">");
    text.push_str(CONTAINERS);
    let (head, tail) = CATEGORIES.split_once("<publicationList>").unwrap();
    let (rules, end) = tail.split_once("......").unwrap();
    text.push_str(head);
    text.push_str("<publicationList>");
    while text.len() < 52_000 - CONTAINERS.len() {
        text.push_str(rules);
    }
    text.push_str(end);
    text.push_str("</provisionGroup><provisionGroup name=\"privacyPublicationGrammar\">");
    text.push_str(CONTAINERS);
    text.push_str("</provisionGroup></provisionGroupList>");
    text
}

/// Reads all events, and all attributes with their values.
fn events(text: &str) -> usize {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut count = 0;
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) | Event::Empty(tag) => {
                count += 1;
                for attribute in tag.attributes() {
                    count += attribute
                        .unwrap()
                        .normalized_value(quick_xml::XmlVersion::Implicit1_0)
                        .unwrap()
                        .len();
                }
            }
            Event::Eof => return count,
            _ => {}
        }
    }
}

fn documents(c: &mut Criterion) {
    let text = document();
    println!("document of {} octets", text.len());
    let limits = Limits::default();
    let list: ProvisionGroupList = from_slice(text.as_bytes(), &limits).unwrap();
    let mut group = c.benchmark_group("provisioning document");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("read", |b| {
        b.iter(|| from_slice::<ProvisionGroupList>(black_box(text.as_bytes()), &limits).unwrap());
    });
    group.bench_function("quick-xml events", |b| b.iter(|| events(black_box(&text))));
    group.bench_function("written", |b| b.iter(|| to_string(black_box(&list))));

    // A pool that answers one SUBSCRIBE.
    let server = Provisioning::new(Config::new("fe01.contoso.com", list.groups.clone()));
    let alice: Aor = "alice@contoso.com".parse().unwrap();
    let mut request = Message::request(Method::Subscribe, "sip:alice@contoso.com")
        .with(
            HeaderName::From,
            "<sip:alice@contoso.com>;tag=1;epid=01010101",
        )
        .with(HeaderName::To, "<sip:alice@contoso.com>")
        .with(HeaderName::CallId, "a")
        .with(HeaderName::CSeq, "1 SUBSCRIBE")
        .with(
            HeaderName::Contact,
            "<sip:alice@contoso.com;opaque=user:epid:x;gruu>",
        );
    ask(
        &mut request,
        &ProvisioningGroupList::new(View::GROUPS.iter().cloned()),
    );
    let context = Context {
        sender: Some(&alice),
        tag: "77",
        remote: false,
    };
    group.bench_function("answered", |b| {
        b.iter(|| server.handle_subscribe(context, black_box(&request), &()));
    });
    group.finish();
}

fn dial_plan(c: &mut Criterion) {
    let profile: LocationProfileDescription = from_slice(PROFILE, &Limits::default()).unwrap();
    let limits = PlanLimits::default();
    let plan = DialPlan::compile(&profile, &limits);
    let mut group = c.benchmark_group("dial plan of 18 rules");
    group.bench_function("compiled", |b| {
        b.iter(|| DialPlan::compile(black_box(&profile), &limits));
    });
    // The last rule.
    let last = Dialled::parse("119").unwrap();
    group.bench_function("normalized", |b| {
        b.iter(|| plan.normalize(black_box(&last)));
    });
    group.finish();
}

criterion_group!(provisioning, documents, dial_plan);
criterion_main!(provisioning);
