//! Diagnostics and reports: no panic; what was read is written and read again the same; nothing private crosses the boundary.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocs_ocer::boundary::{Peer, Policy, strip_private};
use ocs_ocer::report::ReportError;
use ocs_ocer::{Diagnostics, DiagnosticsWriter, Kind, Limits, diagnostics_of};
use ocs_sip_core::Message;

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    if let Ok(report) = ReportError::parse(data, &limits) {
        let text = report.to_string();
        // Namespaces that are declared for one prefix each can make the text longer.
        if text.len() <= limits.report.size {
            assert_eq!(ReportError::parse(text.as_bytes(), &limits).as_ref(), Ok(&report));
        }
    }
    let Ok(line) = core::str::from_utf8(data) else {
        return;
    };
    for value in Diagnostics::parse_list(line).filter_map(Result::ok) {
        let reason = value.reason().unwrap_or_default();
        let mut writer = DiagnosticsWriter::new(Kind::Private, value.error_id, &reason);
        if let Some(source) = value.source() {
            writer = writer.source(&source);
        }
        for param in value.params() {
            let more = writer.clone().param(param.name, &param.value());
            writer = more.unwrap_or(writer);
        }
        if writer.value().len() > limits.diagnostics {
            continue;
        }
        let again = Diagnostics::parse(writer.value()).expect("what was written is read");
        assert_eq!(again.error_id, value.error_id);
        let mut rewritten = DiagnosticsWriter::new(Kind::Private, again.error_id, &again.reason().unwrap());
        for param in again.params() {
            match (param.name, param.value()) {
                ("reason", _) => {}
                ("source", source) => rewritten = rewritten.source(&source),
                (name, value) => rewritten = rewritten.param(name, &value).expect("a name that was written"),
            }
        }
        assert_eq!(rewritten.value(), writer.value());
    }
    let mut message = Message::response(404);
    for (kind, line) in Kind::ALL.into_iter().cycle().zip(line.split('\n')) {
        message.push(kind.name(), line);
    }
    strip_private(&mut message, Peer::External, Policy::default());
    let mut left = diagnostics_of(&message);
    if let Some((kind, value)) = left.next() {
        assert!(kind == Kind::Public && value.source().is_none() && left.next().is_none());
    }
});
