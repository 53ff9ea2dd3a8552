//! What a notifier grants, and what it sends.

use bytes::Bytes;
use bytestring::ByteString;

use crate::{HeaderName, Message};

/// What a notifier grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotifierPolicy {
    /// Event packages that are served; another one is answered 489 with these in Allow-Events.
    pub packages: Vec<String>,
    /// Lifetime when none is asked for, in seconds. Default 3600.
    pub default_expires: u32,
    /// Below it, and not 0: 423. Default 60.
    pub min_expires: u32,
    /// What is above it is shortened to it. Default 28,800.
    pub max_expires: u32,
    /// Put the first notification into the 200 for those who take it. Default true.
    pub piggyback: bool,
    /// Send BENOTIFY to those who take it. Default true.
    pub benotify: bool,
    /// Let notifications extend, for those who know it. Default true.
    pub autoextend: bool,
    /// How many notifications may wait for the answer to a NOTIFY. Default 16.
    pub waiting: usize,
}

impl NotifierPolicy {
    /// The defaults for these packages.
    #[must_use]
    pub fn new(packages: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            packages: packages.into_iter().map(Into::into).collect(),
            default_expires: 3600,
            min_expires: 60,
            max_expires: 28_800,
            piggyback: true,
            benotify: true,
            autoextend: true,
            waiting: 16,
        }
    }

    pub(super) fn refuse_package(&self, request: &Message, tag: &str) -> Message {
        Message::response_to(request, 489, Some(tag))
            .with(HeaderName::AllowEvents, &self.packages.join(", "))
    }

    /// The lifetime to grant in seconds, or the status that refuses.
    pub(super) fn grant(&self, request: &Message) -> Result<u32, u16> {
        match request.number(HeaderName::Expires) {
            Err(_) => Err(400),
            Ok(None) => Ok(self.default_expires.min(self.max_expires)),
            Ok(Some(0)) => Ok(0),
            Ok(Some(asked)) if asked < self.min_expires => Err(423),
            Ok(Some(asked)) => Ok(asked.min(self.max_expires)),
        }
    }

    pub(super) fn refuse_expires(&self, mut response: Message, code: u16) -> Message {
        if code == 423 {
            response.push(HeaderName::MinExpires, &self.min_expires.to_string());
        }
        response
    }
}

/// The state of the resource, as it goes into a notification. Copies share its octets: one state can go to any number of subscribers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Content {
    /// Content-Type; `None` for a notification without body.
    pub content_type: Option<ByteString>,
    /// The body.
    pub body: Bytes,
    /// Require, such as `eventlist`.
    pub require: Option<ByteString>,
}

impl Content {
    /// A body of this type.
    #[must_use]
    pub fn new(content_type: impl Into<ByteString>, body: impl Into<Bytes>) -> Self {
        Self {
            content_type: Some(content_type.into()),
            body: body.into(),
            require: None,
        }
    }

    pub(super) fn put_into(&self, message: &mut Message) {
        if let Some(require) = &self.require {
            message.push(HeaderName::Require, require);
        }
        if let Some(content_type) = &self.content_type {
            message.set_body(content_type, self.body.clone());
        }
    }
}
