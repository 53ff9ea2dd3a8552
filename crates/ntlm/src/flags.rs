//! NEGOTIATE flags, [MS-NLMP] 2.2.2.5.

use std::fmt;
use std::ops::{BitAnd, BitOr, BitOrAssign, Not};

/// `NegotiateFlags`, [MS-NLMP] 2.2.2.5.
///
/// The names are those of the specification without `NTLMSSP_` and, where it
/// stays clear, `NEGOTIATE_`. Bits without a name are kept.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct NegotiateFlags(pub u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        impl NegotiateFlags {
            $($(#[$doc])* pub const $name: Self = Self($value);)*
        }
        const NAMES: &[(u32, &str)] = &[$(($value, stringify!($name))),*];
    };
}

flags! {
    /// A: strings are UTF-16LE.
    UNICODE = 0x0000_0001;
    /// B: strings are in the OEM code page (where [`UNICODE`](Self::UNICODE) is not set).
    OEM = 0x0000_0002;
    /// C: the CHALLENGE must supply `TargetName`.
    REQUEST_TARGET = 0x0000_0004;
    /// D: a session key for signatures.
    SIGN = 0x0000_0010;
    /// E: a session key for encryption.
    SEAL = 0x0000_0020;
    /// F: connectionless mode.
    DATAGRAM = 0x0000_0040;
    /// G: the session key is made of the LM response; loses against
    /// [`EXTENDED_SESSIONSECURITY`](Self::EXTENDED_SESSIONSECURITY).
    LM_KEY = 0x0000_0080;
    /// H: NTLM (version 1 or 2) is used; always set.
    NTLM = 0x0000_0200;
    /// J: the connection should be anonymous.
    ANONYMOUS = 0x0000_0800;
    /// K: NEGOTIATE carries `DomainName`.
    OEM_DOMAIN_SUPPLIED = 0x0000_1000;
    /// L: NEGOTIATE carries `Workstation`.
    OEM_WORKSTATION_SUPPLIED = 0x0000_2000;
    /// M: a session key is made in any case; always set.
    ALWAYS_SIGN = 0x0000_8000;
    /// N: `TargetName` is a domain.
    TARGET_TYPE_DOMAIN = 0x0001_0000;
    /// O: `TargetName` is a server.
    TARGET_TYPE_SERVER = 0x0002_0000;
    /// P: NTLM2 session security ("ESS").
    EXTENDED_SESSIONSECURITY = 0x0008_0000;
    /// Q: an identify-level token is wanted.
    IDENTIFY = 0x0010_0000;
    /// R: the session key is made of the LM hash.
    REQUEST_NON_NT_SESSION_KEY = 0x0040_0000;
    /// S: `TargetInfo` is populated.
    TARGET_INFO = 0x0080_0000;
    /// T: `Version` is populated.
    VERSION = 0x0200_0000;
    /// U: 128-bit keys.
    NEGOTIATE_128 = 0x2000_0000;
    /// V: explicit key exchange.
    KEY_EXCH = 0x4000_0000;
    /// W: 56-bit keys.
    NEGOTIATE_56 = 0x8000_0000;
}

impl NegotiateFlags {
    /// No flag.
    pub const NONE: Self = Self(0);

    /// What an OCS 2007 R2 server offers in connectionless mode (0xE29882F3).
    pub const OCS_2007_R2: Self = Self(0xE298_82F3);

    /// What a SIP client chooses from in connectionless mode; against
    /// [`OCS_2007_R2`](Self::OCS_2007_R2) this makes 0x62988255.
    pub const SIP_CLIENT: Self = Self(0x6298_8255);

    /// What a client of the HTTP services chooses from: authentication
    /// without session security.
    pub const HTTP_CLIENT: Self = Self(0x2288_8205);

    /// What a server supports in connection mode: everything but LM_KEY,
    /// DATAGRAM and the flags that only a client or only a CHALLENGE sets.
    pub const CONNECTION_SERVER: Self = Self(0xE298_8237);

    /// Whether all flags of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any flag of `other` is set.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// These flags and those of `other`.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These flags without those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the session key is exchanged explicitly: KEY_EXCH together with
    /// SIGN or SEAL ([MS-NLMP] 3.1.5.1.2).
    pub const fn exchanges_key(self) -> bool {
        self.contains(Self::KEY_EXCH) && self.intersects(Self::SIGN.with(Self::SEAL))
    }

    /// Extended session security.
    pub(crate) const fn ess(self) -> bool {
        self.contains(Self::EXTENDED_SESSIONSECURITY)
    }
}

impl BitOr for NegotiateFlags {
    type Output = Self;
    fn bitor(self, rhs: Self) -> Self {
        self.with(rhs)
    }
}

impl BitOrAssign for NegotiateFlags {
    fn bitor_assign(&mut self, rhs: Self) {
        *self = self.with(rhs);
    }
}

impl BitAnd for NegotiateFlags {
    type Output = Self;
    fn bitand(self, rhs: Self) -> Self {
        Self(self.0 & rhs.0)
    }
}

impl Not for NegotiateFlags {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl fmt::Debug for NegotiateFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08X}", self.0)?;
        let mut separator = " (";
        for (bit, name) in NAMES {
            if self.0 & bit != 0 {
                write!(f, "{separator}{name}")?;
                separator = " | ";
            }
        }
        if separator == " (" {
            Ok(())
        } else {
            f.write_str(")")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NegotiateFlags as F;

    #[test]
    fn named_sets_are_what_their_documentation_says() {
        assert_eq!(
            F::SIP_CLIENT,
            F::UNICODE
                | F::REQUEST_TARGET
                | F::SIGN
                | F::DATAGRAM
                | F::NTLM
                | F::ALWAYS_SIGN
                | F::EXTENDED_SESSIONSECURITY
                | F::IDENTIFY
                | F::TARGET_INFO
                | F::VERSION
                | F::NEGOTIATE_128
                | F::KEY_EXCH
        );
        assert_eq!(
            F::HTTP_CLIENT,
            F::SIP_CLIENT.without(F::SIGN | F::DATAGRAM | F::IDENTIFY | F::KEY_EXCH)
        );
        assert_eq!(
            F::CONNECTION_SERVER,
            F::OCS_2007_R2.without(F::DATAGRAM | F::LM_KEY) | F::REQUEST_TARGET
        );
    }

    #[test]
    fn debug_names_the_flags() {
        assert_eq!(
            format!("{:?}", F::UNICODE | F::NEGOTIATE_56),
            "0x80000001 (UNICODE | NEGOTIATE_56)"
        );
        assert_eq!(format!("{:?}", F::NONE), "0x00000000");
    }
}
