//! The name of a category, a line feed, its value; and the same octets as each document of 2005 and each grammar. What is read is written so that
//! it is read as the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocs_pres::category::Category;
use ocs_pres::grammar::{CategoryPublicationManifest, ContainerManifestList};
use ocs_pres::legacy::{Presentity, SetPresence, pidf, xpidf};
use ocs_xml::{Element, Limits, Raw, from_slice, to_string};

fn both<T: Element + PartialEq>(octets: &[u8]) {
    if let Ok(first) = from_slice::<T>(octets, &Limits::default()) {
        let again: T = from_slice(to_string(&first).as_bytes(), &Limits::default()).expect("written here");
        assert!(again == first);
    }
}

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    let (name, value) = match data.iter().position(|octet| *octet == b'\n') {
        Some(at) => (String::from_utf8_lossy(&data[..at]), &data[at + 1..]),
        None => ("state".into(), data),
    };
    if let Ok(raw) = Raw::parse(value, &limits)
        && let Ok(category) = Category::read(&name, &raw)
    {
        let again = Category::read(&name, &category.to_raw()).expect("written here");
        assert!(again == category);
        if let Category::Routing(routing) = &category {
            let _ = routing.rules().now(true);
        }
    }
    both::<ContainerManifestList>(value);
    both::<CategoryPublicationManifest>(value);
    both::<pidf::Presence>(value);
    both::<Presentity>(value);
    let _ = Presentity::read(value, &limits).map(|presentity| presentity.enhanced());
    let _ = xpidf::Presence::read(value, &limits).map(|presence| presence.enhanced());
    if let Ok(request) = SetPresence::read(value, &limits) {
        let again = SetPresence::read(request.write().as_bytes(), &limits).expect("written here");
        assert!(again == request);
    }
});
