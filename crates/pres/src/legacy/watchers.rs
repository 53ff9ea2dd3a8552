//! Watchers that wait for an answer: event `presence.wpending`.

use ocs_xml::{SmolStr, content, element};

content! {
    /// A watcher.
    pub struct Watcher("", "watcher") {
        /// Its SIP URI.
        attr uri: SmolStr,
        /// Its name.
        attr_opt display_name: SmolStr = "displayName",
    }
}

element! {
    /// The watchers.
    #[derive(Default)]
    pub struct Watchers("", "watchers") {
        /// The watchers.
        parts watcher: Watcher,
    }
}
