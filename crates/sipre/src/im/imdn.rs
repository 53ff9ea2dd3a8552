//! Delivery notices: `application/ms-imdn+xml` (\[MS-CONFIM\]).

use super::Limits;
use super::xml::{Reader, Token, escape_into};
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
        let mut reader = Reader::new(body, limits.xml)?;
        reader.root("imdn")?;
        let mut imdn = Self {
            message_id: None,
            recipients: Vec::new(),
        };
        while let Some(token) = reader.next()? {
            let Token::Start(element) = token else {
                continue;
            };
            match element.name {
                "message-id" => imdn.message_id = Some(reader.text()?),
                "recipient" => {
                    let uri = element.attribute("uri").unwrap_or_default();
                    let recipient = read_recipient(&mut reader, bare_uri(&uri))?;
                    imdn.recipients.push(recipient);
                }
                _ => reader.skip()?,
            }
        }
        if imdn.recipients.is_empty() {
            return Err(reader.error("no recipient"));
        }
        Ok(imdn)
    }

    /// Writes the notice.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut out = format!("<imdn xmlns=\"{IMDN_NAMESPACE}\">");
        if let Some(id) = &self.message_id {
            element("message-id", id, &mut out);
        }
        for recipient in &self.recipients {
            out.push_str("<recipient uri=\"&lt;");
            escape_into(&recipient.uri, &mut out);
            out.push_str("&gt;\">");
            if let Some(status) = recipient.status {
                element("status", &status.to_string(), &mut out);
            }
            for (key, value) in &recipient.entries {
                out.push_str("<entry>");
                element("key", key, &mut out);
                element("value", value, &mut out);
                out.push_str("</entry>");
            }
            out.push_str("</recipient>");
        }
        out.push_str("</imdn>");
        out
    }
}

fn element(name: &str, text: &str, out: &mut String) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    escape_into(text, out);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
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

fn read_recipient(reader: &mut Reader<'_>, uri: String) -> Result<Recipient, Error> {
    let mut recipient = Recipient {
        uri,
        status: None,
        entries: Vec::new(),
    };
    while let Some(token) = reader.next()? {
        match token {
            Token::Start(element) => match element.name {
                "status" => recipient.status = reader.text()?.parse().ok(),
                "entry" => {
                    let entry = read_entry(reader)?;
                    recipient.entries.push(entry);
                }
                _ => reader.skip()?,
            },
            Token::End("recipient") => break,
            _ => {}
        }
    }
    Ok(recipient)
}

fn read_entry(reader: &mut Reader<'_>) -> Result<(String, String), Error> {
    let mut entry = (String::new(), String::new());
    while let Some(token) = reader.next()? {
        match token {
            Token::Start(element) => match element.name {
                "key" => entry.0 = reader.text()?,
                "value" => entry.1 = reader.text()?,
                _ => reader.skip()?,
            },
            Token::End("entry") => break,
            _ => {}
        }
    }
    Ok(entry)
}
