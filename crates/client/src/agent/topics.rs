//! What subscriptions bring, by topic.

use std::time::Instant;

use ocs_sip_core::Message;
use ocs_sip_core::subscription::EndCause;

use super::UserAgent;
use super::subscriptions::Topic;
use crate::Step;

impl UserAgent {
    /// A subscription was accepted or extended.
    pub(super) fn subscription_accepted(&mut self, now: Instant, topic: &Topic) {
        if let Topic::Presence(list) = topic {
            self.watch.handle_accepted(now, *list);
            self.finish_step(Step::ContactsPresence);
        }
    }

    /// A subscription brought its state.
    pub(super) fn subscription_notified(&mut self, now: Instant, topic: &Topic, message: &Message) {
        // As the last notification of a subscription that ends.
        if message.body().is_empty() {
            return;
        }
        match topic {
            Topic::Provisioning => self.provisioned(now, message),
            Topic::Contacts => self.contacts.handle_notification(message.body()),
            Topic::Own => self.own_presence_notified(message),
            Topic::Presence(list) => self.presence_notified(now, *list, message),
        }
    }

    /// A change or an extension of a subscription was refused; it goes on.
    pub(super) fn subscription_not_refreshed(&mut self, now: Instant, topic: &Topic, status: u16) {
        if let Topic::Presence(list) = topic {
            self.watch.handle_amend_refused(now, *list, status);
        }
    }

    /// A subscription ended. `again`: it is made anew by itself.
    pub(super) fn subscription_ended(
        &mut self,
        now: Instant,
        topic: &Topic,
        cause: EndCause,
        again: bool,
        reason: String,
    ) {
        let refusal = match cause {
            EndCause::Refused(status) => Some(status),
            EndCause::NoResponse | EndCause::NoNotify | EndCause::Expired => Some(408),
            EndCause::Terminated | EndCause::Unsubscribed => None,
        };
        let status = refusal.unwrap_or(481);
        match topic {
            // It ends with its answer; refused is what ends before.
            Topic::Provisioning => self.refuse_step(Step::Provisioning, status, reason),
            Topic::Own => {
                self.own.reset();
                self.refuse_step(Step::OwnPresence, status, reason);
            }
            Topic::Contacts => {
                if !again {
                    self.contacts.handle_subscribed(status, b"");
                }
                self.refuse_step(Step::Contacts, status, reason);
            }
            Topic::Presence(list) => {
                self.watch.handle_ended(now, *list, again, refusal);
                self.refuse_step(Step::ContactsPresence, status, reason);
            }
        }
    }
}
