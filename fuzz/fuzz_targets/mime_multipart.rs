//! A Content-Type, an empty line, a body: parsed with all that is nested in it; what was parsed can be written.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ocs_sip_core::header::{ContentType, HeaderValue};
use ocs_sip_core::mime::{MimeLimits, Multipart, MultipartBuilder, PartBuilder};

fn visit(multipart: &Multipart) {
    let _ = (multipart.root(), multipart.last_of("text/plain"));
    let mut builder = MultipartBuilder::new("mixed", "0123456789").expect("a good boundary");
    for part in multipart.parts() {
        let _ = (part.headers().count(), part.content_id());
        if let Ok(Some(inner)) = part.multipart() {
            visit(&inner);
        }
        builder = builder.part(PartBuilder::new("a/b", part.body().clone()));
    }
    if let Ok((kind, body)) = builder.finish() {
        let kind = ContentType::parse_value(&kind).expect("written here");
        let again = Multipart::parse(&kind, &body, &MimeLimits::default()).expect("written here");
        assert!(again.parts().iter().map(|part| part.body()).eq(multipart.parts().iter().map(|part| part.body())));
    }
}

fuzz_target!(|data: &[u8]| {
    let Some(end) = data.windows(4).position(|four| four == b"\r\n\r\n") else {
        return;
    };
    let Some(kind) = std::str::from_utf8(&data[..end]).ok().and_then(ContentType::parse_value) else {
        return;
    };
    let body = Bytes::copy_from_slice(&data[end + 4..]);
    if let Ok(multipart) = Multipart::parse(&kind, &body, &MimeLimits::default()) {
        visit(&multipart);
    }
});
