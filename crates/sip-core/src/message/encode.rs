//! From a [`Message`] to octets.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Message, Start};
use crate::HeaderName;

impl Message {
    /// Appends the message to `out`.
    ///
    /// Lines that were parsed and not changed are written as they came. A message without Content-Length gets one: streams need
    /// it (RFC 3261 18.3).
    pub fn encode(&self, out: &mut BytesMut) {
        out.reserve(self.encoded_len_hint());
        if self.start_line.len > 0 {
            out.put_slice(self.text(self.start_line).as_bytes());
        } else {
            self.encode_start_line(out);
        }
        out.put_slice(b"\r\n");
        let mut has_length = false;
        let mut index = 0;
        while let Some(first) = self.entries.get(index) {
            // Neighbours in the source are copied together: an unchanged head is one copy.
            let mut end = first.line.end();
            has_length |= first.name == HeaderName::ContentLength;
            index += 1;
            while let Some(next) = self.entries.get(index) {
                let adjacent =
                    next.line.start == end + 2 && (next.line.end() as usize) < self.source.len();
                if !adjacent {
                    break;
                }
                end = next.line.end();
                has_length |= next.name == HeaderName::ContentLength;
                index += 1;
            }
            let run = super::Span {
                start: first.line.start,
                len: end - first.line.start,
            };
            out.put_slice(self.text(run).as_bytes());
            out.put_slice(b"\r\n");
        }
        if !has_length {
            out.put_slice(b"Content-Length: ");
            put_number(self.body.len(), out);
            out.put_slice(b"\r\n");
        }
        out.put_slice(b"\r\n");
        out.put_slice(&self.body);
    }

    /// The message as octets of its own.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::new();
        self.encode(&mut out);
        out.freeze()
    }

    fn encode_start_line(&self, out: &mut BytesMut) {
        match &self.start {
            Start::Request { method, uri } => {
                out.put_slice(method.as_str().as_bytes());
                out.put_slice(b" ");
                out.put_slice(self.text(*uri).as_bytes());
                out.put_slice(b" SIP/2.0");
            }
            Start::Response { status, reason } => {
                out.put_slice(b"SIP/2.0 ");
                put_number(usize::from(*status), out);
                out.put_slice(b" ");
                out.put_slice(self.text(*reason).as_bytes());
            }
        }
    }

    fn encoded_len_hint(&self) -> usize {
        self.source.len() + self.added.len() + self.body.len() + 64 + 4 * self.entries.len()
    }
}

/// Decimal digits without a `String`.
fn put_number(number: usize, out: &mut BytesMut) {
    out.put_slice(itoa::Buffer::new().format(number).as_bytes());
}
