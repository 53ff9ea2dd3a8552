//! Presence of 2005, and of everybody else: `text/xml+msrtc.pidf`, `setPresence`, PIDF, XPIDF and the watchers that wait for an answer
//! (\[MS-PRES\], legacy presence; \[MS-SIP\]).
//!
//! Elements are matched by name alone: peers write them with two different namespaces, and without.

mod numbers;
pub mod pidf;
mod presentity;
mod soap;
mod watchers;
pub mod xpidf;

pub use numbers::Pair;
pub use presentity::{
    CalendarInfo, DeviceData, DeviceName, DevicePresence, Devices, DisplayName, Email, LegacyState,
    LegacyStates, Level, PhoneNumber, Presentity, UserInfo, UserInfoData,
};
pub use soap::{GetPresence, InputDevice, SetPresence, UserInput};
pub use watchers::{Watcher, Watchers};

/// The namespace of what clients of 2005 publish beside the levels.
pub const PRESENCE_NAMESPACE: &str = "http://schemas.microsoft.com/2002/09/sip/presence";
/// The same with year and month the other way round, as the schema of \[MS-SIP\] has it. Read, never written.
pub const OTHER_PRESENCE_NAMESPACE: &str = "http://schemas.microsoft.com/09/2002/sip/presence";
/// The namespace of `setPresence` and its like.
pub const METHOD_NAMESPACE: &str = "http://schemas.microsoft.com/winrtc/2002/11/sip";
