//! Reads the recorded messages.
#![allow(dead_code, reason = "each test program uses a part")]

use std::path::PathBuf;

use ocs_sip_core::{ConnectionId, Limits, Message, Transport};
use ocs_sipre::{Flow, Peer};

/// The octets of a file below `tests/data`.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name);
    std::fs::read(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A recorded message.
pub(crate) fn message(name: &str) -> Message {
    Message::parse(bytes(name).into(), &Limits::default()).unwrap()
}

/// A message from text whose lines end with LF.
pub(crate) fn text(text: &str) -> Message {
    let text = text.replace('\n', "\r\n");
    Message::parse(text.into(), &Limits::default()).unwrap()
}

/// A client's connection.
pub(crate) fn flow(cid: u64, port: u16, transport: Transport) -> Flow {
    Flow {
        connection: ConnectionId(cid),
        transport,
        remote: ([127, 0, 0, 1], port).into(),
        peer: Peer::Client,
    }
}
