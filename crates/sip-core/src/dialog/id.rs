//! The identity of a dialog.

use crate::Message;

/// Call-ID, local tag and remote tag (RFC 3261 12). See the [module](super) on what must be added to make it a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DialogId {
    /// Call-ID, compared octet by octet.
    pub call_id: String,
    /// The tag of this side.
    pub local_tag: String,
    /// The tag of the other side.
    pub remote_tag: String,
}

impl DialogId {
    /// Of its three parts.
    #[must_use]
    pub fn new(call_id: &str, local_tag: &str, remote_tag: &str) -> Self {
        Self {
            call_id: call_id.to_owned(),
            local_tag: local_tag.to_owned(),
            remote_tag: remote_tag.to_owned(),
        }
    }

    /// The dialog that a request which came belongs to: `None` outside dialogs, where To has no tag.
    #[must_use]
    pub fn of_request(request: &Message) -> Option<Self> {
        let to = request.to_header().ok()?;
        let from = request.from_header().ok()?;
        Some(Self::new(
            request.call_id().ok()?,
            to.tag()?,
            from.tag().unwrap_or(""),
        ))
    }

    /// The dialog that a response to a request of this side belongs to.
    #[must_use]
    pub fn of_response(response: &Message) -> Option<Self> {
        let to = response.to_header().ok()?;
        let from = response.from_header().ok()?;
        Some(Self::new(response.call_id().ok()?, from.tag()?, to.tag()?))
    }

    /// Whether a request that came belongs to this dialog.
    #[must_use]
    pub fn is_of_request(&self, request: &Message) -> bool {
        let (Ok(call_id), Ok(to), Ok(from)) = (
            request.call_id(),
            request.to_header(),
            request.from_header(),
        ) else {
            return false;
        };
        self.is(call_id, to.tag(), from.tag())
    }

    /// Whether a response to a request of this side belongs to this dialog.
    #[must_use]
    pub fn is_of_response(&self, response: &Message) -> bool {
        let (Ok(call_id), Ok(to), Ok(from)) = (
            response.call_id(),
            response.to_header(),
            response.from_header(),
        ) else {
            return false;
        };
        self.is(call_id, from.tag(), to.tag())
    }

    fn is(&self, call_id: &str, local: Option<&str>, remote: Option<&str>) -> bool {
        self.call_id == call_id
            && local == Some(&self.local_tag)
            && remote.unwrap_or("") == self.remote_tag
    }
}
