//! The side that asks.

use ocs_sip_core::subscription::{MS_BENOTIFY, MS_PIGGYBACK_FIRST_NOTIFY};
use ocs_sip_core::{HeaderName, Message, Method};
use ocs_xml::{Error, Limits, from_slice, to_string};

use super::{CONTENT_TYPE, EVENT, ProvisionGroupList, ProvisioningGroupList};

/// Makes a provisioning SUBSCRIBE (\[MS-SIPREGE\] 2.2.2.1) of a request that has its Request-URI, From, To, Call-ID, CSeq and Contact:
/// Request-URI and To are the user's own address.
///
/// Give it to a [`Subscriber`](ocs_sip_core::subscription::Subscriber): with Expires 0 it is a fetch. A delegate who asks for
/// the settings of a delegator puts him into Request-URI, To and P-Session-On-Behalf-Of.
pub fn ask(request: &mut Message, groups: &ProvisioningGroupList) {
    fetch(request, EVENT, CONTENT_TYPE);
    request.set_body(CONTENT_TYPE, to_string(groups));
}

/// The headers of a fetch.
pub(super) fn fetch(request: &mut Message, event: &str, accept: &str) {
    request.push(HeaderName::Event, event);
    request.push(HeaderName::Accept, accept);
    request.push(HeaderName::Supported, MS_BENOTIFY);
    request.push(HeaderName::ProxyRequire, MS_BENOTIFY);
    request.push(HeaderName::Supported, MS_PIGGYBACK_FIRST_NOTIFY);
    request.push(HeaderName::Expires, "0");
}

/// The settings in a 200 to SUBSCRIBE, a NOTIFY or a BENOTIFY. `None` if the message carries none.
pub fn answer_of(message: &Message, limits: &Limits) -> Option<Result<ProvisionGroupList, Error>> {
    carried(message, CONTENT_TYPE).map(|body| from_slice(body, limits))
}

/// The body of a notification with this type.
pub(super) fn carried<'a>(message: &'a Message, content_type: &str) -> Option<&'a [u8]> {
    let notifies = match message.method() {
        Some(method) => matches!(method, Method::Notify | Method::Benotify),
        None => message.status().is_some_and(|status| status / 100 == 2),
    };
    let fits = message
        .content_type()
        .is_ok_and(|kind| kind.is_some_and(|kind| kind.is(content_type)));
    (notifies && fits && !message.body().is_empty()).then(|| &message.body()[..])
}
