//! Two URIs, one per line: read, compared, keyed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocs_sip_core::Aor;
use ocs_sip_core::uri::{Uri, escape_user, unescape};

fuzz_target!(|text: &str| {
    let (first, second) = text.split_once('\n').unwrap_or((text, text));
    let uris: Vec<_> = [first, second].into_iter().filter_map(|text| Uri::parse(text).ok()).collect();
    for uri in &uris {
        assert!(uri.equivalent(uri));
        if let Some(sip) = uri.as_sip() {
            let _ = (sip.transport(), sip.param("lr"), sip.header_pairs().count());
            if let Some(aor) = sip.aor() {
                assert_eq!(Aor::parse(aor.as_str()).as_ref(), Ok(&aor));
            }
        }
    }
    if let [a, b] = &uris[..] {
        assert_eq!(a.equivalent(b), b.equivalent(a));
    }
    assert_eq!(unescape(&escape_user(first)).as_deref(), Some(first));
});
