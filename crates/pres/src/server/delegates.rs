//! Who may act for the user.

use ocs_sip_core::uri::Aor;

use super::{Changes, Presentity, Refusal, Sender};
use crate::doc::{Change, Delegate, Fault, Operation, SetDelegates};

impl Presentity {
    /// Whether somebody may publish for the user.
    pub(super) fn is_publishing_delegate(&self, user: &Aor) -> bool {
        self.delegates
            .delegates
            .iter()
            .any(|delegate| delegate.publish && delegate.uri == user.as_str())
    }

    /// A setDelegate request. Only the user and trusted servers may.
    pub fn set_delegates(&mut self, sender: &Sender<'_>, body: &[u8]) -> Result<Changes, Refusal> {
        self.check_owner(sender)?;
        let limits = self.policy.limits;
        let request = SetDelegates::parse(body, &limits.xml).map_err(Refusal::malformed)?;
        if request.version != self.delegates.version {
            let operation = Operation::new(1, request.version, self.delegates.version);
            return Err(Refusal {
                status: 409,
                reason: "Delegate version is out of date",
                diagnostics: Some(Refusal::DELEGATES_OUT_OF_DATE),
                fault: Some(Fault::wrong_delta(vec![operation])),
            });
        }
        let mut delegates = self.delegates.delegates.clone();
        for change in request.changes {
            let user =
                Aor::parse(&change.uri).map_err(|_| Refusal::new(400, "malformed address"))?;
            delegates.retain(|delegate| delegate.uri != user.as_str());
            if change.action == Change::Add {
                delegates.push(Delegate::new(
                    user.as_str(),
                    change.publish,
                    change.redelegate,
                ));
            }
        }
        let mut changes = Changes::default();
        if delegates != self.delegates.delegates {
            if delegates.len() > limits.delegates {
                return Err(Refusal::new(403, "too many delegates"));
            }
            self.delegates.delegates = delegates;
            self.delegates.version = self.delegates.version.saturating_add(1);
            changes.delegates();
        }
        Ok(changes)
    }
}
