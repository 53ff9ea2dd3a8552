//! Names of attributes, and a lookup that costs the same for each.

macro_rules! names {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// The name of an attribute (\[MS-SDPEXT\] 3.1.5; RFC 4566 6).
        ///
        /// A name outside the list is [`Other`](Self::Other): its line stays in the description.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Name {
            /// Any name that is not in this list.
            Other,
            $(
                #[doc = concat!("`", $text, "`")]
                $(#[$doc])*
                $variant,
            )*
        }

        impl Name {
            /// Every name of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name on the wire; empty for [`Other`](Self::Other).
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                const TEXTS: &[&str] = &["", $($text),*];
                TEXTS[self as usize]
            }
        }
    };
}

names! {
    /// Types of message that an IM session takes.
    AcceptTypes = "accept-types",
    Candidate = "candidate",
    Connection = "connection",
    Crypto = "crypto",
    CryptoScale = "cryptoscale",
    Encryption = "encryption",
    ExtMap = "extmap",
    Fingerprint = "fingerprint",
    Fmtp = "fmtp",
    Group = "group",
    IceLite = "ice-lite",
    IceOptions = "ice-options",
    IcePwd = "ice-pwd",
    IceUfrag = "ice-ufrag",
    Inactive = "inactive",
    Label = "label",
    MaxPtime = "maxptime",
    Mid = "mid",
    Ptime = "ptime",
    RecvOnly = "recvonly",
    RemoteCandidate = "remote-candidate",
    RemoteCandidates = "remote-candidates",
    Rtcp = "rtcp",
    RtcpFb = "rtcp-fb",
    RtcpMux = "rtcp-mux",
    RtcpRsize = "rtcp-rsize",
    RtpMap = "rtpmap",
    SendOnly = "sendonly",
    SendRecv = "sendrecv",
    Setup = "setup",
    Ssrc = "ssrc",
    /// As the grammar of 3.1.5.18.5 spells it; its tables and its peers write the other.
    ApplicationContentFlow = "x-application-contentflow",
    SharingContentFlow = "x-applicationsharing-contentflow",
    SharingMediaType = "x-applicationsharing-media-type",
    SharingRole = "x-applicationsharing-role",
    SharingSessionId = "x-applicationsharing-session-id",
    BweAlgorithm = "x-bwealgorithm",
    Bypass = "x-bypass",
    BypassId = "x-bypassid",
    CandidateInfo = "x-candidate-info",
    CandidateIpv6 = "x-candidate-ipv6",
    Caps = "x-caps",
    DataProtocol = "x-data-protocol",
    DeviceCaps = "x-devicecaps",
    MediaBw = "x-mediabw",
    MediaSettings = "x-mediasettings",
    SignalingFb = "x-signaling-fb",
    Source = "x-source",
    SourceStreamId = "x-source-streamid",
    SsrcRange = "x-ssrc-range",
}

const SLOTS: usize = 256;

/// Spreads names by length, first, middle and last letter.
const fn slot(name: &[u8]) -> usize {
    let len = name.len();
    if len == 0 {
        return 0;
    }
    let (first, middle) = (name[0] as usize, name[len / 2] as usize);
    let last = name[len - 1] as usize;
    len.wrapping_mul(27)
        .wrapping_add(first.wrapping_mul(5))
        .wrapping_add(middle.wrapping_mul(61))
        .wrapping_add(last.wrapping_mul(11))
        % SLOTS
}

/// Open addressing, filled at compile time.
static TABLE: [Name; SLOTS] = {
    let mut table = [Name::Other; SLOTS];
    let mut i = 0;
    while i < Name::ALL.len() {
        let name = Name::ALL[i];
        let mut at = slot(name.as_str().as_bytes());
        while !matches!(table[at], Name::Other) {
            at = (at + 1) % SLOTS;
        }
        table[at] = name;
        i += 1;
    }
    table
};

impl Name {
    /// Looks a name up; case counts (RFC 4566 6).
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let mut at = slot(text.as_bytes());
        loop {
            let name = TABLE[at];
            if name == Self::Other || name.as_str() == text {
                return name;
            }
            at = (at + 1) % SLOTS;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_and_no_other() {
        for &name in Name::ALL {
            assert_eq!(Name::from_text(name.as_str()), name);
        }
        for text in ["", "x", "Label", "x-sources", "rtcp-xr", "ice"] {
            assert_eq!(Name::from_text(text), Name::Other, "{text}");
        }
    }
}
