//! Answers that leave no subscription: to a fetch, and to the end of a subscription.

use super::{Content, MS_BENOTIFY, MS_PIGGYBACK_FIRST_NOTIFY, NotifierPolicy};
use crate::dialog::{Dialog, DialogError};
use crate::{HeaderName, Message, Method};

/// How the servers of this system say that a subscription is over.
pub(super) const ENDED: &str = "terminated;expires=0";

/// Which extensions both sides take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    pub(super) benotify: bool,
    pub(super) piggyback: bool,
}

impl Options {
    /// What the subscriber lists, and the policy allows.
    pub(super) fn of(request: &Message, policy: &NotifierPolicy) -> Self {
        let takes = |tag| request.lists(HeaderName::Supported, tag);
        Self {
            benotify: policy.benotify && takes(MS_BENOTIFY),
            piggyback: policy.piggyback && takes(MS_PIGGYBACK_FIRST_NOTIFY),
        }
    }

    /// Says in a response what was agreed on. `further` is one more option tag.
    pub(super) fn put(self, response: &mut Message, further: Option<&str>) {
        let tags = [
            self.benotify.then_some(MS_BENOTIFY),
            self.piggyback.then_some(MS_PIGGYBACK_FIRST_NOTIFY),
            further,
        ];
        let tags: Vec<&str> = tags.into_iter().flatten().collect();
        if !tags.is_empty() {
            response.push(HeaderName::Supported, &tags.join(", "));
        }
    }
}

/// The method of notifications.
pub(super) const fn method(benotify: bool) -> Method {
    if benotify {
        Method::Benotify
    } else {
        Method::Notify
    }
}

/// Answers a SUBSCRIBE outside a dialog once, whatever its Expires, for packages that know no subscriptions (\[MS-SIPREGE\] 2.2.2): the 200 with
/// the state in it, or the 200 and the NOTIFY or BENOTIFY to send after it. Via and Contact are the caller's.
///
/// # Errors
/// When the request cannot make a dialog, which lives for this one exchange.
pub fn answer_once(
    request: &Message,
    local_tag: &str,
    state: &Content,
) -> Result<(Message, Option<Message>), DialogError> {
    let options = Options {
        benotify: request.lists(HeaderName::Supported, MS_BENOTIFY),
        piggyback: request.lists(HeaderName::Supported, MS_PIGGYBACK_FIRST_NOTIFY),
    };
    let mut dialog = Dialog::uas(request, local_tag)?;
    let event = request.header(HeaderName::Event).unwrap_or_default();
    Ok(last_answer(
        &mut dialog,
        request,
        event,
        options,
        ENDED,
        state,
    ))
}

/// The 200 with the last state in it, or the 200 and the notification after it, which says `ended`.
pub(super) fn last_answer(
    dialog: &mut Dialog,
    request: &Message,
    event: &str,
    options: Options,
    ended: &str,
    state: &Content,
) -> (Message, Option<Message>) {
    let mut response = dialog.respond(request, 200);
    response.push(HeaderName::Expires, "0");
    response.push(HeaderName::Event, event);
    options.put(&mut response, None);
    if options.piggyback {
        // As real servers print it. Of the documents that it fetches SIPE 1.25 takes them all the same (confirmed).
        response.push(HeaderName::SubscriptionState, ENDED);
        response.push(HeaderName::MsPiggybackCseq, &dialog.skip_cseq().to_string());
        state.put_into(&mut response);
        return (response, None);
    }
    let mut notify = dialog.request(method(options.benotify));
    notify.push(HeaderName::Event, event);
    notify.push(HeaderName::SubscriptionState, ended);
    state.put_into(&mut notify);
    (response, Some(notify))
}
