//! Provisioning of LCS 2005: event `vnd-microsoft-provisioning`. It names the lines of the user's desk phone for remote call control.
//!
//! The root element was not read: [`Document`] takes any, and writes `provision` (inferred).

use ocs_sip_core::Message;
use ocs_xml::{Error, Extra, Limits, Reader, SmolStr, Writer, Written, element};

/// The event package.
pub const EVENT: &str = "vnd-microsoft-provisioning";
/// The type of the document.
pub const CONTENT_TYPE: &str = "application/vnd-microsoft-roaming-provisioning+xml";

element! {
    /// A line of a desk phone.
    pub struct Line("", "line") {
        /// Its number, a `tel` URI.
        attr_opt uri: SmolStr,
        /// The server that controls it, a SIP URI.
        attr_opt server: SmolStr,
    }
}

element! {
    /// A user.
    pub struct User("", "user") {
        /// His SIP URI.
        attr_opt uri: SmolStr,
        /// His lines.
        children lines: Line,
    }
}

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Document {
    /// The users; one in practice.
    pub users: Vec<User>,
    /// Attributes of the root and elements in it that nothing names.
    pub extra: Extra,
}

impl Document {
    /// Reads a document.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut reader = Reader::new(document, limits)?;
        reader.any_root()?;
        let mut read = Self::default();
        for attribute in reader.attributes() {
            read.extra.read_attribute(attribute)?;
        }
        while let Some(tag) = reader.child()? {
            // The namespace is not known: any will do.
            if tag.name == "user" {
                read.users.push(ocs_xml::Element::read(&mut reader)?);
            } else {
                read.extra.push_element(reader.raw()?);
            }
        }
        reader.finish()?;
        Ok(read)
    }

    /// Writes the document.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut writer = Writer::new();
        writer.open("", "provision");
        self.extra.write_attributes(&mut writer);
        for user in &self.users {
            ocs_xml::Element::write(user, &mut writer);
        }
        self.extra
            .write_elements(&mut writer, &mut Written::default());
        writer.finish()
    }
}

/// Makes a provisioning SUBSCRIBE of a request, as [`ask`](super::ask) does. It has no body.
pub fn ask(request: &mut Message) {
    super::client::fetch(request, EVENT, CONTENT_TYPE);
}

/// The document in a 200 to SUBSCRIBE, a NOTIFY or a BENOTIFY. `None` if the message carries none.
pub fn answer_of(message: &Message, limits: &Limits) -> Option<Result<Document, Error>> {
    super::client::carried(message, CONTENT_TYPE).map(|body| Document::parse(body, limits))
}
