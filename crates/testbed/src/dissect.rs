//! From bytes to labelled messages.

use bytes::Bytes;

/// One message that a [`Dissector`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// A few words, for the arrow of a ladder diagram: `REGISTER`, `401 Unauthorized`.
    pub label: String,
    /// What else is worth a glance, shown in brackets: the state of a signature, for example.
    pub detail: Option<String>,
    /// The whole message.
    pub text: Bytes,
}

/// Finds the messages in a stream or in the datagrams of one flow.
///
/// There is one dissector per connection and direction (or per pair of datagram addresses), so it may
/// keep state: half a message, or the keys of an earlier handshake.
pub trait Dissector {
    /// Takes the next bytes of a stream, or one datagram, and gives the messages that it completes.
    fn feed(&mut self, data: &[u8]) -> Vec<Frame>;

    /// Whether a datagram in which it found nothing is left out. It is shown otherwise, so that none goes unseen; media, of which there are
    /// fifty packets a second, may be.
    fn leaves_out(&self) -> bool {
        false
    }

    /// The stream has ended; what of the last message is still incomplete can be given here.
    fn finish(&mut self) -> Option<Frame> {
        None
    }
}

/// The dissector for everything unknown: each piece of data is one message, labelled with its first
/// line if it is text and with its length if it is not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opaque;

impl Opaque {
    /// The frame for one piece of data.
    #[must_use]
    pub fn frame(data: &[u8]) -> Frame {
        let printable = core::str::from_utf8(data)
            .ok()
            .and_then(|text| text.lines().next())
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.contains(char::is_control));
        let label = match (printable, data.len()) {
            (Some(line), _) => line.to_owned(),
            (None, 1) => "1 byte".to_owned(),
            (None, length) => format!("{length} bytes"),
        };
        Frame {
            label,
            detail: None,
            text: Bytes::copy_from_slice(data),
        }
    }
}

impl Dissector for Opaque {
    fn feed(&mut self, data: &[u8]) -> Vec<Frame> {
        vec![Self::frame(data)]
    }
}

#[cfg(test)]
mod tests {
    use super::Opaque;

    #[test]
    fn opaque_labels() {
        assert_eq!(Opaque::frame(b"hello\r\nworld").label, "hello");
        assert_eq!(Opaque::frame(b"\x00\x01").label, "2 bytes");
        assert_eq!(Opaque::frame(b"\n").label, "1 byte");
        assert_eq!(Opaque::frame(b"").label, "0 bytes");
    }
}
