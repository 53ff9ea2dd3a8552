//! XML: no panic; what was read as a whole is written, and read again the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocs_xml::{Limits, Raw, Reader, Writer};

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    let Ok(raw) = Raw::parse(data, &limits) else {
        return;
    };
    // Prefixes that are declared for nothing but the element of the document, and escapes, can make it longer.
    let roomy = Limits {
        size: raw.as_str().len(),
        depth: usize::MAX,
        attributes: usize::MAX,
    };
    let again = Raw::parse(raw.as_str().as_bytes(), &roomy).expect("what was written is read");
    assert_eq!(again, raw);

    // Inside another document it is the same element, whatever the namespace around it.
    for namespace in ["", "urn:example:around"] {
        let mut writer = Writer::new();
        writer.open(namespace, "around");
        raw.write(&mut writer);
        let text = writer.finish();
        let roomy = Limits { size: text.len(), ..roomy };
        let mut reader = Reader::new(text.as_bytes(), &roomy).expect("within bounds");
        reader.any_root().expect("the element around");
        reader.child().expect("well-formed").expect("the element inside");
        let inside = reader.raw().expect("whole");
        assert_eq!(inside.name(), raw.name());
        assert!(reader.child().expect("well-formed").is_none());
        reader.finish().expect("nothing more");
        // Once out, it stands on its own again.
        let alone = Raw::parse(inside.as_str().as_bytes(), &Limits { size: inside.as_str().len(), ..roomy });
        assert_eq!(alone.as_ref(), Ok(&inside));
    }
});
