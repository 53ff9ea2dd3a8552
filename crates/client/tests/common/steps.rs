//! The steps of a bootstrap.

use std::time::Duration;

use ocs_client::Step;

use super::script::Script;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// The steps at the server of the captures, which has no media relay.
pub(crate) const ALL: [Step; 7] = [
    Step::Provisioning,
    Step::Contacts,
    Step::OwnPresence,
    Step::LocationProfile,
    Step::Conferencing,
    Step::Publication,
    Step::ContactsPresence,
];

pub(crate) fn signed_in() -> Script {
    let mut script = Script::new(|_| {});
    script.sign_in();
    assert_eq!(script.answered(), ALL, "{:?}", script.solo.events);
    assert_eq!((script.refused(), script.bootstrapped()), (vec![], 1));
    script
}
