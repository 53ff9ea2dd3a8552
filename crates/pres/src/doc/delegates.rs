//! Delegates: who may act for the user.

use ocs_xml::{Error, Extra, Limits, Reader, SmolStr, Value, Writer, element};

use super::Change;
use super::namespace::DELEGATES;

element! {
    /// The delegates of a user (\[MS-PRES\] 6.5).
    pub struct Delegates(DELEGATES, "delegates") {
        /// Grows with each change.
        attr version: u32,
        /// The delegates.
        children delegates: Delegate = "delegate",
    }
}

element! {
    /// A delegate.
    pub struct Delegate(DELEGATES, "delegate") {
        /// The address without scheme.
        attr uri: SmolStr,
        /// Whether it may publish for the user.
        attr publish: bool,
        /// Whether it may name further delegates (inferred).
        attr redelegate: bool,
    }
}

impl Delegates {
    /// These delegates.
    #[must_use]
    pub fn new(version: u32, delegates: Vec<Delegate>) -> Self {
        Self {
            version,
            delegates,
            extra: Extra::default(),
        }
    }
}

impl Delegate {
    /// A delegate, by address without scheme.
    #[must_use]
    pub fn new(uri: impl Into<SmolStr>, publish: bool, redelegate: bool) -> Self {
        Self {
            uri: uri.into(),
            publish,
            redelegate,
            extra: Extra::default(),
        }
    }
}

/// A change of delegates (\[MS-PRES\] 2.2.2.10.2).
///
/// The form on the wire is (inferred) but for `publishOperation` and its `authorization`: do not count on it with peers of others.
/// It is read and written in this type only. Read is every root whose name begins with `setDelegate`, and everything in it by
/// name alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetDelegates {
    /// The version that the client knows.
    pub version: u32,
    /// The changes.
    pub changes: Vec<DelegateChange>,
}

/// A delegate that is added, changed or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelegateChange {
    /// The address without scheme.
    pub uri: SmolStr,
    /// What is to be done; adding one that is there changes it.
    pub action: Change,
    /// Whether it may publish for the user.
    pub publish: bool,
    /// Whether it may name further delegates.
    pub redelegate: bool,
}

impl SetDelegates {
    const NAMESPACE: &str = "http://schemas.microsoft.com/2007/09/sip/delegate-management";
    const NAME: &str = "setDelegates";
    const DELEGATE: &str = "delegate";
    const PUBLISH: &str = "publishOperation";
    const REDELEGATE: &str = "redelegateOperation";

    /// Reads the document.
    pub fn parse(document: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut reader = Reader::new(document, limits)?;
        let root = reader.any_root()?;
        if !root.name.starts_with("setDelegate") {
            return Err(Error::Root {
                expected: Self::NAME,
                found: root.name.into(),
            });
        }
        let version = reader.attribute("version")?.map_or(Ok(0), |text| {
            u32::parse(&text).ok_or(Error::Value {
                element: Self::NAME,
                name: "version",
            })
        })?;
        let mut changes = Vec::new();
        while let Some(tag) = reader.child()? {
            if tag.name == Self::DELEGATE {
                changes.push(Self::change(&mut reader)?);
            } else {
                reader.skip()?;
            }
        }
        reader.finish()?;
        Ok(Self { version, changes })
    }

    fn change(reader: &mut Reader<'_>) -> Result<DelegateChange, Error> {
        let uri = reader.attribute("uri")?.ok_or(Error::MissingAttribute {
            element: Self::DELEGATE,
            attribute: "uri",
        })?;
        let action = reader
            .attribute("action")?
            .map_or(Ok(Change::Add), |text| {
                Change::parse(&text).ok_or(Error::Value {
                    element: Self::DELEGATE,
                    name: "action",
                })
            })?;
        let mut change = DelegateChange {
            uri: uri.into(),
            action,
            publish: false,
            redelegate: false,
        };
        while let Some(tag) = reader.child()? {
            let allowed = reader.attribute("authorization")?.as_deref() == Some("allow");
            match tag.name {
                Self::PUBLISH => change.publish = allowed,
                Self::REDELEGATE => change.redelegate = allowed,
                _ => {}
            }
            reader.skip()?;
        }
        Ok(change)
    }

    /// Writes the document.
    #[must_use]
    pub fn write(&self) -> String {
        let mut writer = Writer::new();
        writer.open(Self::NAMESPACE, Self::NAME);
        writer.attr_value("version", &self.version);
        for change in &self.changes {
            writer.open(Self::NAMESPACE, Self::DELEGATE);
            writer.attr("uri", &change.uri);
            writer.attr_value("action", &change.action);
            if change.action == Change::Add {
                for (name, allowed) in [
                    (Self::PUBLISH, change.publish),
                    (Self::REDELEGATE, change.redelegate),
                ] {
                    writer.open(Self::NAMESPACE, name);
                    writer.attr("authorization", if allowed { "allow" } else { "deny" });
                    writer.close();
                }
            }
            writer.close();
        }
        writer.finish()
    }
}
