//! Delivery notices: `application/ms-imdn+xml` (\[MS-CONFIM\]).

use ocs_xml::{Reader, Writer};

use super::{Limits, document, missing};
use crate::Error;

/// Content-Type of the notice.
pub const IMDN_TYPE: &str = "application/ms-imdn+xml";

/// Namespace of the document.
pub const IMDN_NAMESPACE: &str = "http://schemas.microsoft.com/rtc/2005/08/imdn";

/// One recipient of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// His URI, without brackets and without URI parameters of the name-addr form.
    pub uri: String,
    /// The status with which the delivery ended; `None` when it is missing or not a number.
    pub status: Option<u16>,
    /// More on it, such as `ms-diagnostics`.
    pub entries: Vec<(String, String)>,
}

impl Recipient {
    /// Whether the text reached him: the status is there and below 300.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.status.is_some_and(|status| status < 300)
    }
}

/// A delivery notice. One about a failure lists only the recipients that were not reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imdn {
    /// The Message-Id that the answer to the MESSAGE carried.
    pub message_id: Option<String>,
    /// At least one.
    pub recipients: Vec<Recipient>,
}

impl Imdn {
    /// Reads a notice.
    pub fn parse(body: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut reader = document(body, limits.xml, "imdn")?;
        let mut imdn = Self {
            message_id: None,
            recipients: Vec::new(),
        };
        while let Some(tag) = reader.child()? {
            match tag.name {
                "message-id" => imdn.message_id = Some(text(&mut reader)?),
                "recipient" => {
                    let uri = reader.attribute("uri")?.unwrap_or_default();
                    let recipient = read_recipient(&mut reader, bare_uri(&uri))?;
                    imdn.recipients.push(recipient);
                }
                _ => reader.skip()?,
            }
        }
        reader.finish()?;
        if imdn.recipients.is_empty() {
            return Err(missing("imdn", "recipient"));
        }
        Ok(imdn)
    }

    /// Writes the notice.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut writer = Writer::new();
        writer.open(IMDN_NAMESPACE, "imdn");
        if let Some(id) = &self.message_id {
            writer.leaf(IMDN_NAMESPACE, "message-id", id);
        }
        for recipient in &self.recipients {
            writer.open(IMDN_NAMESPACE, "recipient");
            writer.attr("uri", &format!("<{}>", recipient.uri));
            if let Some(status) = &recipient.status {
                writer.leaf(IMDN_NAMESPACE, "status", status);
            }
            for (key, value) in &recipient.entries {
                writer.open(IMDN_NAMESPACE, "entry");
                writer.leaf(IMDN_NAMESPACE, "key", key);
                writer.leaf(IMDN_NAMESPACE, "value", value);
                writer.close();
            }
            writer.close();
        }
        writer.finish()
    }
}

/// The URI inside `<...>`; without brackets what stands before `;`.
fn bare_uri(text: &str) -> String {
    let text = text.trim();
    match text.strip_prefix('<') {
        Some(inner) => inner.split('>').next().unwrap_or(inner),
        None => text.split(';').next().unwrap_or(text),
    }
    .trim()
    .to_owned()
}

fn text(reader: &mut Reader<'_>) -> Result<String, Error> {
    Ok(reader.text()?.trim_ascii().to_owned())
}

fn read_recipient(reader: &mut Reader<'_>, uri: String) -> Result<Recipient, Error> {
    let mut recipient = Recipient {
        uri,
        status: None,
        entries: Vec::new(),
    };
    while let Some(tag) = reader.child()? {
        match tag.name {
            "status" => recipient.status = text(reader)?.parse().ok(),
            "entry" => {
                let entry = read_entry(reader)?;
                recipient.entries.push(entry);
            }
            _ => reader.skip()?,
        }
    }
    Ok(recipient)
}

fn read_entry(reader: &mut Reader<'_>) -> Result<(String, String), Error> {
    let mut entry = (String::new(), String::new());
    while let Some(tag) = reader.child()? {
        match tag.name {
            "key" => entry.0 = text(reader)?,
            "value" => entry.1 = text(reader)?,
            _ => reader.skip()?,
        }
    }
    Ok(entry)
}
