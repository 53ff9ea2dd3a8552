//! The document.

use ocs_xml::{SmolStr, element};

element! {
    /// A rule of a location profile.
    pub struct Rule("http://schemas.microsoft.com/2007/03/LocationProfileDescription", "Rule") {
        /// A regular expression of .NET for the dialled string.
        leaf pattern: SmolStr = "Pattern",
        /// What takes the place of what it matches, with `$1` to `$9` for its groups. With a leading `+` the result is a number of
        /// E.164, else a local one of this profile.
        leaf translation: SmolStr = "Translation",
        /// For extensions inside: applies only where the string does not begin with the external access prefix (inferred).
        leaf_opt internal_enterprise_extension: bool = "InternalEnterpriseExtension",
        /// Takes part while a phone off hook is dialled digit by digit (inferred).
        leaf_opt applicable_for_device_dialing: bool = "ApplicableForDeviceDialing",
    }
}

element! {
    /// A location profile: a dial plan (\[MS-SIPRE\] 2.2.8, 7).
    ///
    /// Elements are read with and without namespace, and written with one default namespace on the root, as servers do (recalled).
    pub struct LocationProfileDescription("http://schemas.microsoft.com/2007/03/LocationProfileDescription", "LocationProfileDescription") {
        /// Its name, which goes into `phone-context`.
        leaf name: SmolStr = "Name",
        /// The rules. The first that matches counts.
        children rules: Rule,
        /// Up to four of `0-9`, `*` and `#`, to be dialled first for an outside line.
        leaf_opt external_access_prefix: SmolStr = "ExternalAccessPrefix",
        /// A phone may send a number at once when it matches (recalled).
        leaf_opt optimize_device_dialing: bool = "OptimizeDeviceDialing",
    }
}

impl Rule {
    /// A rule for complete strings.
    #[must_use]
    pub fn new(pattern: &str, translation: &str) -> Self {
        Self {
            pattern: pattern.into(),
            translation: translation.into(),
            internal_enterprise_extension: None,
            applicable_for_device_dialing: None,
            extra: ocs_xml::Extra::default(),
        }
    }
}

impl LocationProfileDescription {
    /// A profile with these rules.
    #[must_use]
    pub fn new(name: &str, rules: impl IntoIterator<Item = Rule>) -> Self {
        Self {
            name: name.into(),
            rules: rules.into_iter().collect(),
            external_access_prefix: None,
            optimize_device_dialing: None,
            extra: ocs_xml::Extra::default(),
        }
    }
}
