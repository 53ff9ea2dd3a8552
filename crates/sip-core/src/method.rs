//! SIP methods.

use core::fmt;

macro_rules! methods {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// A request method. Methods are case-sensitive (RFC 3261 7.1).
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Method {
            $(
                #[doc = concat!("`", $text, "`")]
                $(#[$doc])*
                $variant,
            )*
            /// Any other token.
            Other(Box<str>),
        }

        impl Method {
            /// All methods of this system.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The token on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other(text) => text,
                }
            }

            /// Takes a token that the caller knows to be valid; see [`crate::syntax::is_token`].
            #[must_use]
            pub fn from_token(token: &str) -> Self {
                match token {
                    $($text => Self::$variant,)*
                    _ => Self::Other(token.into()),
                }
            }
        }
    };
}

methods! {
    Ack = "ACK",
    /// A NOTIFY that is never answered (\[MS-SIP\] 3.5, \[MS-SIPRE\]).
    Benotify = "BENOTIFY",
    Bye = "BYE",
    Cancel = "CANCEL",
    Info = "INFO",
    Invite = "INVITE",
    Message = "MESSAGE",
    /// \[MS-SIPCOMP\]: asks for compression of the connection.
    Negotiate = "NEGOTIATE",
    Notify = "NOTIFY",
    Options = "OPTIONS",
    Prack = "PRACK",
    Publish = "PUBLISH",
    Refer = "REFER",
    Register = "REGISTER",
    /// Carries a SOAP or XML request of a service of this system.
    Service = "SERVICE",
    Subscribe = "SUBSCRIBE",
    Update = "UPDATE",
}

impl Method {
    /// Whether a response is ever sent: not for ACK and BENOTIFY.
    #[must_use]
    pub const fn is_answered(&self) -> bool {
        !matches!(self, Self::Ack | Self::Benotify)
    }

    /// Whether a 2xx to this method makes a dialog (RFC 3261 12, RFC 3265 3.1.4.1, RFC 3515 2.4.4).
    #[must_use]
    pub const fn creates_dialog(&self) -> bool {
        matches!(self, Self::Invite | Self::Subscribe | Self::Refer)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
