//! Arbitrary octets as a message of each dialect: no panic, and what is read can be written again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocs_stun::{
    Algorithm, AttributeType, Dialect, Fingerprint, IntegrityKey, Message, MessageBuilder,
};

fuzz_target!(|data: &[u8]| {
    let key = IntegrityKey::new(Algorithm::Sha1, b"key");
    for dialect in [
        Dialect::MsTurn,
        Dialect::MsIce,
        Dialect::MsIce2,
        Dialect::Rfc5389,
    ] {
        let Ok(message) = Message::parse(dialect, data) else {
            continue;
        };
        assert!(dialect.recognises(data));
        let _ = (
            message.fingerprint(),
            message.reflexive_address(),
            message.verify(&key),
        );
        let kept = |attribute: &ocs_stun::RawAttribute<'_>| {
            !matches!(
                attribute.attribute_type,
                AttributeType::MAGIC_COOKIE
                    | AttributeType::MESSAGE_INTEGRITY
                    | AttributeType::FINGERPRINT
            )
        };
        let mut out = Vec::new();
        let (kind, id) = (message.message_type(), message.transaction_id());
        let mut builder = MessageBuilder::new(dialect, kind, id, &mut out);
        for attribute in message.attributes().filter(kept) {
            builder.push_raw(attribute.attribute_type, attribute.value);
        }
        // It may have been of the largest size without integrity.
        if builder.sign(&key).is_err() {
            continue;
        }
        let again = Message::parse(dialect, &out).expect("our own message");
        again.verify(&key).expect("our own signature");
        assert!(!dialect.has_fingerprint() || again.fingerprint() == Fingerprint::Standard);
        assert!(
            message
                .attributes()
                .filter(kept)
                .eq(again.attributes().filter(kept))
        );
    }
});
