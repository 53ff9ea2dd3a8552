//! A value of each category, with all that its schema has.

macro_rules! all {
    ($($category:literal $file:literal),* $(,)?) => {
        [$( ($category, $file, include_str!(concat!("../data/categories/", $file, ".xml"))) ),*]
    };
}

/// Category, name of the file, document.
pub(crate) const ALL: [(&str, &str, &str); 23] = all![
    "state" "state-user",
    "state" "state-machine",
    "state" "state-calendar",
    "state" "state-phone",
    "state" "state-aggregate-machine",
    "state" "state-aggregate",
    "note" "note",
    "noteHistory" "noteHistory",
    "contactCard" "contactCard",
    "device" "device",
    "services" "services",
    "calendarData" "calendarData-freeBusy",
    "calendarData" "calendarData-workingHours",
    "workingHours" "workingHours",
    "routing" "routing",
    "alerts" "alerts",
    "rccOptions" "rccOptions",
    "otherOptions" "otherOptions",
    "userInformation" "userInformation",
    "userProperties" "userProperties",
    "mwi" "mwi",
    "legacyInterop" "legacyInterop",
    "dndState" "dndState",
];

/// One of them.
#[allow(dead_code, reason = "not every test binary asks for one")]
pub(crate) fn document(file: &str) -> &'static str {
    let found = ALL.iter().find(|(_, name, _)| *name == file);
    found.map(|(_, _, document)| *document).unwrap()
}
