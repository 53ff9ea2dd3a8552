//! Watchers who added the user, and wait for an answer.

use ocs_sip_core::uri::Aor;
use ocs_xml::{Extra, Raw, SmolStr, from_slice};

use super::{Changes, Presentity, Refusal, Sender, Watcher};
use crate::doc::{ContainerId, SetSubscribers, Subscriber};

/// The queue of those who wait, and those who had their answer, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Queue {
    subscribers: Vec<Subscriber>,
}

impl Queue {
    fn find(&mut self, user: &str) -> Option<&mut Subscriber> {
        self.subscribers
            .iter_mut()
            .find(|subscriber| subscriber.user == user)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Subscriber> {
        self.subscribers.iter()
    }

    /// Those who wait.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Subscriber> {
        self.iter().filter(|subscriber| !subscriber.acknowledged)
    }

    pub(super) fn restore(&mut self, subscriber: Subscriber) {
        self.subscribers.push(subscriber);
    }

    /// Forgets the oldest of those who had their answer.
    fn forget(&mut self, limit: usize) {
        let acknowledged = self.subscribers.iter().filter(|s| s.acknowledged).count();
        let mut surplus = acknowledged.saturating_sub(limit);
        self.subscribers.retain(|subscriber| {
            let gone = subscriber.acknowledged && surplus > 0;
            surplus -= usize::from(gone);
            !gone
        });
    }
}

impl Presentity {
    /// A watcher has added the user to its contacts: its subscription came with a context.
    ///
    /// The user is asked, unless the watcher is known already (acknowledged, named in a container, blocked, the user itself), or too many
    /// wait.
    pub fn watcher_added(
        &mut self,
        watcher: &Watcher,
        display_name: &str,
        context: Option<&Raw>,
    ) -> Changes {
        let mut changes = Changes::default();
        let user = SmolStr::from(watcher.user.as_str());
        if watcher.user == self.user
            || self.membership.names_user(&watcher.user)
            || self.container_of(watcher) == ContainerId::BLOCKED
            || self.subscribers.find(&user).is_some()
            || self.subscribers.pending().count() >= self.policy.prompted_subscribers
        {
            return changes;
        }
        let mut subscriber = Subscriber {
            user: user.clone(),
            display_name: Some(display_name.into()),
            acknowledged: false,
            network: Some(watcher.network.clone()),
            extra: Extra::default(),
        };
        if let Some(context) = context {
            subscriber.extra.push_element(context.clone());
        }
        self.subscribers.subscribers.push(subscriber);
        changes.subscriber(user);
        changes
    }

    /// A setSubscribers request: the user has answered for a watcher.
    pub fn set_subscribers(
        &mut self,
        sender: &Sender<'_>,
        body: &[u8],
    ) -> Result<Changes, Refusal> {
        self.check_owner(sender)?;
        let limits = self.policy.limits;
        let request: SetSubscribers = from_slice(body, &limits.xml).map_err(Refusal::malformed)?;
        let user = request.user().map_err(Refusal::malformed)?;
        let user = Aor::parse(user).map_err(|_| Refusal::new(400, "malformed address"))?;
        let subscriber = self
            .subscribers
            .find(user.as_str())
            .ok_or(Refusal::with_id(
                404,
                Refusal::NO_SUBSCRIBER,
                "prompted subscriber does not exist",
            ))?;
        let mut changes = Changes::default();
        if !subscriber.acknowledged {
            subscriber.acknowledged = true;
            changes.subscriber(user.as_str().into());
            self.subscribers.forget(limits.acknowledged);
        }
        Ok(changes)
    }
}
