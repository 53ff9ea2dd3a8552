#![no_main]
//! Provisioning, location profiles and lists of conferencing servers from any octets: what is read is written and read again, and
//! rules of any dial plan end.

use libfuzzer_sys::fuzz_target;
use ocs_sip_core::uri::SipUri;
use ocs_sip_core::{Aor, HeaderName, Message, Method};
use ocs_siprege::location::{DialPlan, Dialled, LocationProfileDescription, PlanLimits};
use ocs_siprege::mcu::{Question, Reply};
use ocs_siprege::provisioning::{
    self, Config, Context, ProvisionGroupList, Provisioning, ProvisioningGroupList, View, legacy,
};
use ocs_xml::{Element, Limits, from_slice, to_string};

fn round<T: Element>(data: &[u8], limits: &Limits) -> Option<T> {
    let read: T = from_slice(data, limits).ok()?;
    let text = to_string(&read);
    // What is written anew may be longer than what was read.
    let wide = Limits {
        size: usize::MAX,
        depth: usize::MAX,
        attributes: usize::MAX,
    };
    let again: T = from_slice(text.as_bytes(), &wide).expect("what is written is read");
    // What is kept whole says where it has no namespace, once it is written.
    assert_eq!(to_string(&again), text);
    Some(read)
}

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    if let Some(list) = round::<ProvisionGroupList>(data, &limits) {
        let view = View::new(&list, true);
        let _ = (view.encryption(), view.mras_uri(), view.bypass_id());
    }
    round::<ProvisioningGroupList>(data, &limits);
    if let Ok(document) = legacy::Document::parse(data, &limits) {
        let _ = document.to_xml();
    }
    if let Ok(question) = Question::parse(data, &limits) {
        assert_eq!(
            Question::parse(question.to_xml().as_bytes(), &limits),
            Ok(question)
        );
    }
    if let Ok(reply) = Reply::parse(data, &limits) {
        let _ = reply.to_xml();
    }
    if let Some(profile) = round::<LocationProfileDescription>(data, &limits) {
        let plan = DialPlan::compile(&profile, &PlanLimits::default());
        for text in ["911", "*67#", "5551212 x12", "+14255550100x1", "11111111111111111111"] {
            let dialled = Dialled::parse(text).expect("a number");
            let uri = plan.normalize(&dialled).request_uri("contoso.com");
            assert!(SipUri::parse(&uri).is_ok(), "{uri}");
        }
    }
    let alice: Aor = "alice@contoso.com".parse().expect("an address");
    let mut request = Message::request(Method::Subscribe, "sip:alice@contoso.com")
        .with(HeaderName::From, "<sip:alice@contoso.com>;tag=1")
        .with(HeaderName::To, "<sip:alice@contoso.com>")
        .with(HeaderName::CallId, "a")
        .with(HeaderName::CSeq, "1 SUBSCRIBE");
    provisioning::ask(&mut request, &ProvisioningGroupList::new([]));
    request.set_body(provisioning::CONTENT_TYPE, data.to_vec());
    let context = Context {
        sender: Some(&alice),
        tag: "7",
        remote: false,
    };
    let _ = Provisioning::new(Config::new("fe", [])).handle_subscribe(context, &request, &());
});
