//! The `ms-keep-alive` header: no panic, and what was read is written and read again the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocs_conmgmt::MsKeepAlive;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    if let Ok(header) = text.parse::<MsKeepAlive>() {
        // Products' blanks after semicolons can make the text longer than the limit of reading.
        let written = header.to_string();
        if written.len() <= 1024 {
            assert_eq!(written.parse::<MsKeepAlive>().as_ref(), Ok(&header));
        }
    }
});
