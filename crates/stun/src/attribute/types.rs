//! Numbers of attributes.

use core::fmt;

/// The type of an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttributeType(pub u16);

impl AttributeType {
    /// Whether a receiver that does not know the type must not go on (the most significant bit is 0; \[MS-TURN\] 2.2.2).
    #[must_use]
    pub const fn is_required(self) -> bool {
        self.0 < 0x8000
    }
}

macro_rules! types {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)*) => {
        impl AttributeType {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// The name that the specifications use, if one of them defines the type.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }
    };
}

types! {
    /// \[MS-TURN\] 2.2.2.1.
    MAPPED_ADDRESS = 0x0001, "mapped address";
    /// \[MS-TURN\] 2.2.2.2.
    USERNAME = 0x0006, "username";
    /// \[MS-TURN\] 2.2.2.3.
    MESSAGE_INTEGRITY = 0x0008, "message integrity";
    /// \[MS-TURN\] 2.2.2.4.
    ERROR_CODE = 0x0009, "error code";
    /// \[MS-TURN\] 2.2.2.5.
    UNKNOWN_ATTRIBUTES = 0x000A, "unknown attributes";
    /// \[MS-TURN\] 2.2.2.6.
    LIFETIME = 0x000D, "lifetime";
    /// \[MS-TURN\] 2.2.2.7.
    ALTERNATE_SERVER = 0x000E, "alternate server";
    /// \[MS-TURN\] 2.2.2.8.
    MAGIC_COOKIE = 0x000F, "magic cookie";
    /// \[MS-TURN\] 2.2.2.9.
    BANDWIDTH = 0x0010, "bandwidth";
    /// \[MS-TURN\] 2.2.2.10.
    DESTINATION_ADDRESS = 0x0011, "destination address";
    /// \[MS-TURN\] 2.2.2.11.
    REMOTE_ADDRESS = 0x0012, "remote address";
    /// \[MS-TURN\] 2.2.2.12.
    DATA = 0x0013, "data";
    /// \[MS-TURN\] 2.2.2.13. RFC 5389 has this number for REALM.
    NONCE = 0x0014, "nonce";
    /// \[MS-TURN\] 2.2.2.14. RFC 5389 has this number for NONCE.
    REALM = 0x0015, "realm";
    /// \[MS-TURN\] 2.2.2.15.
    REQUESTED_ADDRESS_FAMILY = 0x0017, "requested address family";
    /// XOR-MAPPED-ADDRESS of binding responses (RFC 5389 15.2).
    XOR_MAPPED_ADDRESS = 0x0020, "xor-mapped address";
    /// PRIORITY (\[MS-ICE2\] 2.2.2, RFC 5245 19.1).
    PRIORITY = 0x0024, "priority";
    /// USE-CANDIDATE (RFC 5245 19.1).
    USE_CANDIDATE = 0x0025, "use-candidate";
    /// MS-Version (\[MS-TURN\] 2.2.2.17).
    MS_VERSION = 0x8008, "ms-version";
    /// XOR Mapped Address of Allocate responses (\[MS-TURN\] 2.2.2.16); some peers use it in binding responses.
    MS_XOR_MAPPED_ADDRESS = 0x8020, "ms xor mapped address";
    /// FINGERPRINT (RFC 5389 15.5).
    FINGERPRINT = 0x8028, "fingerprint";
    /// ICE-CONTROLLED (RFC 5245 19.1).
    ICE_CONTROLLED = 0x8029, "ice-controlled";
    /// ICE-CONTROLLING (RFC 5245 19.1).
    ICE_CONTROLLING = 0x802A, "ice-controlling";
    /// MS-Alternate Host Name (\[MS-TURN\] 2.2.2.18; the section number is inferred).
    MS_ALTERNATE_HOST_NAME = 0x8032, "ms-alternate host name";
    /// App ID (\[MS-TURN\] 2.2.2.19).
    APP_ID = 0x8037, "app id";
    /// Secure Tag (\[MS-TURN\] 2.2.2.20).
    SECURE_TAG = 0x8039, "secure tag";
    /// MS-Sequence Number (\[MS-TURN\] 2.2.2.21).
    MS_SEQUENCE_NUMBER = 0x8050, "ms-sequence number";
    /// CANDIDATE-IDENTIFIER (\[MS-ICE2\] 2.2.2).
    CANDIDATE_IDENTIFIER = 0x8054, "candidate identifier";
    /// MS-Service Quality (\[MS-TURN\] 2.2.2.22).
    MS_SERVICE_QUALITY = 0x8055, "ms-service quality";
    /// Bandwidth Admission Control Message (\[MS-TURNBWM\] 2.2), as all types from here to [`LOCATION_PROFILE`](Self::LOCATION_PROFILE).
    BANDWIDTH_ADMISSION_CONTROL_MESSAGE = 0x8056, "bandwidth admission control message";
    /// Bandwidth Reservation Identifier.
    BANDWIDTH_RESERVATION_IDENTIFIER = 0x8057, "bandwidth reservation identifier";
    /// Bandwidth Reservation Amount.
    BANDWIDTH_RESERVATION_AMOUNT = 0x8058, "bandwidth reservation amount";
    /// Remote Site Address.
    REMOTE_SITE_ADDRESS = 0x8059, "remote site address";
    /// Remote Relay Site Address.
    REMOTE_RELAY_SITE_ADDRESS = 0x805A, "remote relay site address";
    /// Local Site Address.
    LOCAL_SITE_ADDRESS = 0x805B, "local site address";
    /// Local Relay Site Address.
    LOCAL_RELAY_SITE_ADDRESS = 0x805C, "local relay site address";
    /// Remote Site Address Response.
    REMOTE_SITE_ADDRESS_RESPONSE = 0x805D, "remote site address response";
    /// Remote Relay Site Address Response.
    REMOTE_RELAY_SITE_ADDRESS_RESPONSE = 0x805E, "remote relay site address response";
    /// Local Site Address Response.
    LOCAL_SITE_ADDRESS_RESPONSE = 0x805F, "local site address response";
    /// Local Relay Site Address Response.
    LOCAL_RELAY_SITE_ADDRESS_RESPONSE = 0x8060, "local relay site address response";
    /// SIP Dialog Identifier.
    SIP_DIALOG_IDENTIFIER = 0x8061, "sip dialog identifier";
    /// SIP Call Identifier.
    SIP_CALL_IDENTIFIER = 0x8062, "sip call identifier";
    /// Location Profile.
    LOCATION_PROFILE = 0x8068, "location profile";
    /// IMPLEMENTATION-VERSION (\[MS-ICE2\] 2.2.2).
    IMPLEMENTATION_VERSION = 0x8070, "implementation version";
    /// MS-Alternate Mapped Address (\[MS-TURN\] 2.2.2.23).
    MS_ALTERNATE_MAPPED_ADDRESS = 0x8090, "ms-alternate mapped address";
    /// Multiplexed TURN Session ID (\[MS-TURN\] 2.2.2.24).
    MULTIPLEXED_TURN_SESSION_ID = 0x8095, "multiplexed turn session id";
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "attribute 0x{:04x}", self.0),
        }
    }
}

impl fmt::Debug for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
