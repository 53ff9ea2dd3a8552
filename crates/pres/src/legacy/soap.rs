//! What clients of 2005 send: `setPresence` and `getPresence`.

use ocs_xml::{Child, Error, Extra, Limits, Reader, SmolStr, Writer, content, soap};

use super::presentity::{DeviceData, DeviceName, Level, UserInfo};
use super::{METHOD_NAMESPACE, PRESENCE_NAMESPACE, Pair};
use crate::Time;

content! {
    /// What the user does at a device.
    pub struct UserInput(PRESENCE_NAMESPACE, "userInput") {
        /// Since when.
        attr_opt since: Time,
        /// `active` or `idle`.
        text state: SmolStr,
    }
}

content! {
    /// The device, and whether somebody is at it.
    pub struct InputDevice(PRESENCE_NAMESPACE, "device") {
        /// The endpoint id.
        attr device_id: SmolStr = "deviceId",
        /// Since when.
        attr_opt since: Time,
        /// What the user does at it.
        part_opt user_input: UserInput = "userInput",
    }
}

content! {
    /// The inside of the request. Attributes and elements come with and without prefix.
    struct Content("", "presentity") {
        attr uri: SmolStr,
        part availability: Level,
        part activity: Level,
        part_opt device_name: DeviceName = "deviceName",
        part_opt device_data: DeviceData = "devicedata",
        child_opt user_info: UserInfo,
        part_opt device: InputDevice,
    }
}

/// A client says what its user does. Only the user may.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SetPresence {
    /// The user's SIP URI.
    pub uri: SmolStr,
    /// Availability and activity.
    pub pair: Pair,
    /// Name of the device.
    pub device_name: Option<SmolStr>,
    /// What it can do.
    pub device_data: Option<DeviceData>,
    /// What others shall read.
    pub user_info: Option<UserInfo>,
    /// The device.
    pub device: Option<InputDevice>,
    /// What else is there.
    pub extra: Extra,
}

/// A client asks what another user does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GetPresence {
    /// The other user's SIP URI.
    pub uri: SmolStr,
}

impl SetPresence {
    /// What a user does.
    #[must_use]
    pub fn new(uri: impl Into<SmolStr>, pair: Pair) -> Self {
        Self {
            uri: uri.into(),
            pair,
            device_name: None,
            device_data: None,
            user_info: None,
            device: None,
            extra: Extra::default(),
        }
    }

    /// Reads a request.
    pub fn read(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut reader = Reader::new(document, limits)?;
        reader.alias(super::OTHER_PRESENCE_NAMESPACE, PRESENCE_NAMESPACE);
        let content: Content = read_method(reader, "setPresence", |reader| {
            ocs_xml::Content::read_content(reader)
        })?;
        Ok(Self {
            uri: content.uri,
            pair: Pair {
                availability: content.availability.aggregate,
                activity: content.activity.aggregate,
            },
            device_name: content.device_name.map(|name| name.name),
            device_data: content.device_data,
            user_info: content.user_info,
            device: content.device,
            extra: content.extra,
        })
    }

    /// Writes the request, with prefixes where clients write them.
    #[must_use]
    pub fn write(&self) -> String {
        write_method("setPresence", |writer| {
            writer.open_prefixed("m", METHOD_NAMESPACE, "presentity");
            writer.attr_prefixed("m", METHOD_NAMESPACE, "uri", &self.uri);
            self.extra.write_attributes(writer);
            for (name, number) in [
                ("availability", self.pair.availability),
                ("activity", self.pair.activity),
            ] {
                writer.open_prefixed("m", METHOD_NAMESPACE, name);
                writer.attr_prefixed("m", METHOD_NAMESPACE, "aggregate", &number.to_string());
                writer.close();
            }
            if let Some(name) = &self.device_name {
                writer.open(PRESENCE_NAMESPACE, "deviceName");
                writer.attr("name", name);
                writer.close();
            }
            if let Some(data) = &self.device_data {
                writer.open_prefixed("rtc", METHOD_NAMESPACE, "devicedata");
                ocs_xml::Content::write_content(data, writer);
                writer.close();
            }
            if let Some(info) = &self.user_info {
                info.write(writer);
            }
            if let Some(device) = &self.device {
                ocs_xml::write_part(writer, PRESENCE_NAMESPACE, "device", device);
            }
            for element in self.extra.elements() {
                element.write(writer);
            }
            writer.close();
        })
    }
}

impl GetPresence {
    /// Reads a request.
    pub fn read(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let reader = Reader::new(document, limits)?;
        let uri = read_method(reader, "getPresence", |reader| {
            let mut attributes = reader.attributes().iter();
            let uri = attributes.find(|attribute| attribute.name == "uri");
            let uri = uri
                .map(ocs_xml::Attribute::value)
                .transpose()?
                .map(SmolStr::from);
            reader.skip()?;
            uri.ok_or(Error::MissingAttribute {
                element: "presentity",
                attribute: "uri",
            })
        })?;
        Ok(Self { uri })
    }

    /// Writes the request.
    #[must_use]
    pub fn write(&self) -> String {
        write_method("getPresence", |writer| {
            writer.open("", "presentity");
            writer.attr("uri", &self.uri);
            writer.close();
        })
    }
}

/// Reads the `presentity` in a method in a body in an envelope.
fn read_method<T>(
    reader: Reader<'_>,
    method: &'static str,
    presentity: impl Fn(&mut Reader<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut found = None;
    soap::read(reader, |tag, reader| {
        if found.is_none() && tag.is(METHOD_NAMESPACE, method) {
            found = Some(read_presentity(reader, method, &presentity)?);
        }
        reader.skip()
    })?;
    found.ok_or(Error::MissingElement {
        element: "Body",
        child: method,
    })
}

/// Some clients give it the namespace of the method, some none.
fn read_presentity<T>(
    reader: &mut Reader<'_>,
    method: &'static str,
    presentity: impl Fn(&mut Reader<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    while let Some(tag) = reader.child()? {
        if tag.is("", "presentity") {
            return presentity(reader);
        }
        reader.skip()?;
    }
    Err(Error::MissingElement {
        element: method,
        child: "presentity",
    })
}

fn write_method(method: &str, presentity: impl FnOnce(&mut Writer)) -> String {
    soap::write("s", ("m", METHOD_NAMESPACE), |writer| {
        writer.open_prefixed("m", METHOD_NAMESPACE, method);
        presentity(writer);
    })
}
