//! Any octets as each document of presence, and as a multipart list. What is read is written so that it is read as the same again.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ocs_pres::doc::{
    BatchSub, Categories, Fault, Limits, List, ListNotification, Publish, RoamingData, RoamingList,
    SetContainerMembers, SetDelegates, SetSubscribers,
};
use ocs_sip_core::header::{ContentType, HeaderValue};
use ocs_xml::{Element, Raw, from_slice, to_string};

fn both<T: Element + PartialEq>(octets: &[u8]) {
    if let Ok(first) = from_slice::<T>(octets, &ocs_xml::Limits::default()) {
        let written = to_string(&first);
        let again: T =
            from_slice(written.as_bytes(), &ocs_xml::Limits::default()).expect("written here");
        assert!(again == first);
        assert!(to_string(&again) == written);
    }
}

fuzz_target!(|data: &[u8]| {
    both::<Publish>(data);
    both::<Fault>(data);
    both::<RoamingList>(data);
    both::<RoamingData>(data);
    both::<SetContainerMembers>(data);
    both::<SetSubscribers>(data);
    both::<BatchSub>(data);
    both::<Categories>(data);
    both::<List>(data);
    let limits = ocs_xml::Limits::default();
    if let Ok(request) = SetDelegates::parse(data, &limits) {
        assert!(SetDelegates::parse(request.write().as_bytes(), &limits) == Ok(request));
    }
    if let Ok(raw) = Raw::parse(data, &limits) {
        let again = Raw::parse(raw.as_str().as_bytes(), &limits).expect("kept here");
        assert!(again == raw);
    }
    let kind = ContentType::parse_value("multipart/related;boundary=b").expect("a type");
    let body = Bytes::copy_from_slice(data);
    let _ = ListNotification::parse(&kind, &body, &Limits::default());
});
