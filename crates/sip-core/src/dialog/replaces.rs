//! Replaces (RFC 3891).

use super::{Dialog, DialogState, Role};
use crate::header::Replaces;

/// What an INVITE with Replaces does to a dialog (RFC 3891 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Replacing {
    /// It names another dialog. If no dialog is named, answer 481.
    Other,
    /// Accept the INVITE and end this dialog: BYE if confirmed, CANCEL if early.
    Replace,
    /// Answer the INVITE with this status.
    Refuse(u16),
}

impl Dialog {
    /// What an INVITE with this Replaces does to the dialog. The caller has checked that its sender may do that.
    #[must_use]
    pub fn replaced_by(&self, replaces: &Replaces<'_>) -> Replacing {
        // A tag of "0" stands for none (RFC 2543 peers).
        let same = |value: &str, tag: &str| value == tag || (tag.is_empty() && value == "0");
        if replaces.call_id != self.id.call_id
            || !same(replaces.to_tag, &self.id.local_tag)
            || !same(replaces.from_tag, &self.id.remote_tag)
        {
            return Replacing::Other;
        }
        match (self.state, self.role) {
            (DialogState::Terminated, _) => Replacing::Refuse(603),
            (DialogState::Confirmed, _) if replaces.early_only => Replacing::Refuse(486),
            // An early dialog can be replaced only at the side that called.
            (DialogState::Early, Role::Uas) => Replacing::Refuse(481),
            _ => Replacing::Replace,
        }
    }

    /// The Replaces value by which a third party replaces this dialog at the other side; escape it when it goes into a
    /// Refer-To URI.
    #[must_use]
    pub fn replaces_value(&self) -> String {
        let id = &self.id;
        let early_only = if self.state == DialogState::Early {
            ";early-only"
        } else {
            ""
        };
        format!(
            "{};to-tag={};from-tag={}{early_only}",
            id.call_id, id.remote_tag, id.local_tag
        )
    }
}
