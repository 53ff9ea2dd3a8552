//! The list of conferencing servers: which media a user may have conferences in (\[MS-CONFPRO\] 2.2.2.7, 2.2.3.8; \[MS-OCSPROT\] 2.5.3
//! steps 9 and 10).
//!
//! A client asks its focus factory by SERVICE: [`Question`]. The answer is a [`Reply`]. Of C3P there is here only what the bootstrap needs;
//! conferences are not.

mod server;

use ocs_sip_core::{HeaderName, Message};
use ocs_xml::{Error, Limits, Raw, Reader, SmolStr, Value, Writer, words};

pub use server::{Capabilities, FocusFactory};

/// The type of both documents.
pub const CONTENT_TYPE: &str = "application/cccp+xml";
/// Namespace of C3P (\[MS-CONFBAS\]).
pub const NAMESPACE: &str = "urn:ietf:params:xml:ns:cccp";

words! {
    /// A kind of conferencing server.
    pub enum McuType: open {
        /// Instant messages (\[MS-CONFIM\]).
        Chat = "chat",
        /// Audio and video (\[MS-CONFAV\]).
        AudioVideo = "audio-video",
        /// Application sharing (\[MS-CONFAS\]).
        ApplicationSharing = "applicationsharing",
        /// Slides, whiteboard and polls (\[MS-PSOM\]).
        Meeting = "meeting",
        /// Telephone.
        PhoneConf = "phone-conf",
        /// Data, of older servers (recalled).
        DataConf = "data-conf",
    }
}

words! {
    /// What is asked.
    pub enum Command: open {
        /// The kinds only.
        GetAvailableMcuTypes = "getAvailableMcuTypes",
        /// The kinds, telephone numbers and policies.
        GetConferencingCapabilities = "getConferencingCapabilities",
    }
}

/// A C3P request with a command that has no content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Question {
    /// Unique for the sender.
    pub request_id: u32,
    /// The organizer, a SIP URI.
    pub from: SmolStr,
    /// The focus factory.
    pub to: SmolStr,
    /// What is asked.
    pub command: Command,
}

impl Question {
    /// Reads the body of a SERVICE. Content of the command is passed over.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut reader = Reader::new(document, limits)?;
        reader.root(NAMESPACE, "request")?;
        let request_id = required(&reader, "request", "requestId")?;
        let from = required(&reader, "request", "from")?;
        let to = required(&reader, "request", "to")?;
        let mut command = None;
        while let Some(tag) = reader.child()? {
            if command.replace(Command::from(tag.name)).is_some() {
                return Err(Error::RepeatedElement {
                    element: "request",
                    child: "command",
                });
            }
            reader.skip()?;
        }
        reader.finish()?;
        Ok(Self {
            request_id,
            from,
            to,
            command: command.ok_or(Error::MissingElement {
                element: "request",
                child: "command",
            })?,
        })
    }

    /// Writes the body.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut writer = Writer::new();
        writer.open(NAMESPACE, "request");
        writer.attr("C3PVersion", "1");
        writer.attr("to", &self.to);
        writer.attr("from", &self.from);
        writer.attr_value("requestId", &self.request_id);
        writer.open(NAMESPACE, self.command.as_str());
        writer.finish()
    }

    /// Puts it into a SERVICE to the focus factory, which has everything else.
    pub fn ask(&self, request: &mut Message) {
        request.push(HeaderName::Supported, "ms-sender");
        request.set_body(CONTENT_TYPE, self.to_xml());
    }
}

/// What a user may have conferences in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct McuList {
    /// Grows when the data change, so that a client can keep what it has.
    pub capability_version: Option<u32>,
    /// The kinds.
    pub types: Vec<McuType>,
    /// Telephone numbers (`pstn-bridging`) and policies, whole.
    pub other: Vec<Raw>,
}

/// A C3P response to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reply {
    /// Of the question.
    pub request_id: u32,
    /// The focus factory.
    pub from: SmolStr,
    /// The organizer.
    pub to: SmolStr,
    /// Of the question.
    pub command: Command,
    /// The list, or the reason why there is none: `notSupported`, `otherFailure`, ...
    pub result: Result<McuList, SmolStr>,
}

impl Reply {
    /// Reads the body of a 200. The namespaces of what is in the command are not known: local names count.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut reader = Reader::new(document, limits)?;
        reader.root(NAMESPACE, "response")?;
        let request_id = required(&reader, "response", "requestId")?;
        let from = required(&reader, "response", "from")?;
        let to = required(&reader, "response", "to")?;
        let code: SmolStr = required(&reader, "response", "code")?;
        let tag = reader.child()?.ok_or(Error::MissingElement {
            element: "response",
            child: "command",
        })?;
        let command = Command::from(tag.name);
        let reason = reader.attribute("reason")?.map(Into::into);
        let list = McuList::read(&mut reader)?;
        while reader.child()?.is_some() {
            reader.skip()?;
        }
        reader.finish()?;
        Ok(Self {
            request_id,
            from,
            to,
            command,
            result: if code == "success" {
                Ok(list)
            } else {
                Err(reason.unwrap_or_else(|| "otherFailure".into()))
            },
        })
    }

    /// The reply in a 200 to SERVICE. `None` if the message carries none.
    pub fn of(response: &Message, limits: &Limits) -> Option<Result<Self, Error>> {
        let fits = response.status().is_some_and(|status| status / 100 == 2)
            && response
                .content_type()
                .is_ok_and(|kind| kind.is_some_and(|kind| kind.is(CONTENT_TYPE)));
        fits.then(|| Self::parse(response.body(), limits))
    }

    /// Writes the body.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut writer = Writer::new();
        writer.open(NAMESPACE, "response");
        writer.attr("C3PVersion", "1");
        writer.attr_value("requestId", &self.request_id);
        writer.attr("from", &self.from);
        writer.attr("to", &self.to);
        let code = if self.result.is_ok() {
            "success"
        } else {
            "failure"
        };
        writer.attr("code", code);
        writer.open(NAMESPACE, self.command.as_str());
        match &self.result {
            Ok(list) => list.write(&mut writer),
            Err(reason) => writer.attr("reason", reason),
        }
        writer.finish()
    }
}

impl McuList {
    /// Reads the command that was just entered, and leaves it.
    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let version = reader.attribute("capability-version")?;
        let mut list = Self {
            capability_version: version.and_then(|version| u32::parse(&version)),
            ..Self::default()
        };
        while let Some(tag) = reader.child()? {
            if tag.name != "mcu-types" {
                list.other.push(reader.raw()?);
                continue;
            }
            while let Some(tag) = reader.child()? {
                if tag.name == "mcuType" {
                    list.types.push(McuType::from(&*reader.text()?));
                } else {
                    reader.skip()?;
                }
            }
        }
        Ok(list)
    }

    fn write(&self, writer: &mut Writer) {
        if let Some(version) = &self.capability_version {
            writer.attr_value("capability-version", version);
        }
        writer.open(NAMESPACE, "mcu-types");
        for kind in &self.types {
            writer.leaf(NAMESPACE, "mcuType", kind);
        }
        writer.close();
        for raw in &self.other {
            raw.write(writer);
        }
    }
}

/// An attribute that must be there.
fn required<T: Value>(
    reader: &Reader<'_>,
    element: &'static str,
    attribute: &'static str,
) -> Result<T, Error> {
    let value = reader
        .attribute(attribute)?
        .ok_or(Error::MissingAttribute { element, attribute })?;
    T::parse(&value).ok_or(Error::Value {
        element,
        name: attribute,
    })
}
