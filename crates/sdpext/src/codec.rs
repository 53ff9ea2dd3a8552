//! The payload formats of the system (\[MS-SDPEXT\] 3.1.5.3).

use crate::attribute::RtpMap;
use crate::attribute::parameter;

/// What a format is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Carries the media. A stream needs one.
    Media,
    /// Goes along with one that does: redundancy, comfort noise, telephone events, error correction.
    Auxiliary,
}

macro_rules! codecs {
    ($($(#[$doc:meta])* $variant:ident = $number:literal $name:literal / $clock:literal / $channels:literal,
       $fmtp:expr, $purpose:ident;)*) => {
        /// A payload format.
        ///
        /// All but the static ones are found by their name, never by the number; the numbers are those that Microsoft's
        /// programs use, and some phones know no others.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Codec {
            $(
                #[doc = concat!("`", $name, "/", $clock, "`, payload type ", $number, ".")]
                $(#[$doc])*
                $variant,
            )*
        }

        impl Codec {
            /// Every format.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Number, name, clock rate and channels as Microsoft's programs write them.
            #[must_use]
            pub const fn rtp_map(self) -> RtpMap<'static> {
                match self {
                    $(Self::$variant => RtpMap {
                        payload_type: $number,
                        name: $name,
                        clock: $clock,
                        channels: $channels,
                    },)*
                }
            }

            /// The parameters that an offer has.
            #[must_use]
            pub const fn parameters(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => $fmtp,)*
                }
            }

            /// What it is for.
            #[must_use]
            pub const fn purpose(self) -> Purpose {
                match self {
                    $(Self::$variant => Purpose::$purpose,)*
                }
            }
        }
    };
}

codecs! {
    /// G.711 µ-law
    Pcmu = 0 "PCMU" / 8000 / 1, None, Media;
    /// GSM 06.10 (recalled)
    Gsm = 3 "GSM" / 8000 / 1, None, Media;
    /// G.723.1; OCS 2007
    G723 = 4 "G723" / 8000 / 1, None, Media;
    /// G.711 A-law
    Pcma = 8 "PCMA" / 8000 / 1, None, Media;
    /// G.722; its clock is 8000, its sampling 16 kHz.
    G722 = 9 "G722" / 8000 / 1, None, Media;
    /// Comfort noise (RFC 3389)
    ComfortNoise = 13 "CN" / 8000 / 1, None, Auxiliary;
    /// H.261; OCS 2007
    H261 = 31 "H261" / 90000 / 1, None, Media;
    /// H.263; OCS 2007
    H263 = 34 "H263" / 90000 / 1, None, Media;
    /// Redundancy (\[MS-RTPRADEX\]); parameters should not be present.
    Red = 97 "RED" / 8000 / 1, None, Auxiliary;
    /// DTMF (\[MS-DTMF\])
    TelephoneEvent = 101 "telephone-event" / 8000 / 1, Some("0-16"), Auxiliary;
    /// SILK, narrow band
    SilkNarrow = 103 "SILK" / 8000 / 1, Some("useinbandfec=1; usedtx=0"), Media;
    /// SILK, wide band
    SilkWide = 104 "SILK" / 16000 / 1, Some("useinbandfec=1; usedtx=0"), Media;
    /// Siren, 16 kbit/s only
    Siren = 111 "SIREN" / 16000 / 1, Some("bitrate=16000"), Media;
    /// G.722.1, 24 kbit/s only
    G7221 = 112 "G7221" / 16000 / 1, Some("bitrate=24000"), Media;
    /// RTAudio, wide band
    RtAudioWide = 114 "x-msrta" / 16000 / 1, Some("bitrate=29000"), Media;
    /// RTAudio, narrow band
    RtAudioNarrow = 115 "x-msrta" / 8000 / 1, Some("bitrate=11800"), Media;
    /// G.726 in packing of AAL2
    G726 = 116 "AAL2-G726-32" / 8000 / 1, None, Media;
    /// G.722 in stereo; Lync 2013
    G722Stereo = 117 "G722" / 8000 / 2, None, Media;
    /// Comfort noise, wide band
    ComfortNoiseWide = 118 "CN" / 16000 / 1, None, Auxiliary;
    /// Comfort noise, super-wide band
    ComfortNoiseSuperWide = 119 "CN" / 24000 / 1, None, Auxiliary;
    /// RTVideo (\[MS-RTVPF\]); a bit rate is ignored.
    RtVideo = 121 "x-rtvc1" / 90000 / 1, None, Media;
    /// H.264 UC (\[MS-H264PF\]); both parameters are mandatory.
    H264Uc = 122 "X-H264UC" / 90000 / 1, Some("packetization-mode=1;mst-mode=NI-TC"), Media;
    /// Forward error correction of video
    UlpFecUc = 123 "x-ulpfecuc" / 90000 / 1, None, Auxiliary;
    /// RDP and files (\[MS-RTASPF\]); a bit rate is ignored.
    RtData = 127 "x-data" / 90000 / 1, None, Media;
}

impl Codec {
    /// Audio of a client of 2016, in its order.
    pub const CLIENT_AUDIO: [Self; 16] = [
        Self::G722Stereo,
        Self::SilkWide,
        Self::RtAudioWide,
        Self::G722,
        Self::G7221,
        Self::Siren,
        Self::Pcmu,
        Self::Pcma,
        Self::SilkNarrow,
        Self::G726,
        Self::RtAudioNarrow,
        Self::Red,
        Self::ComfortNoise,
        Self::ComfortNoiseWide,
        Self::ComfortNoiseSuperWide,
        Self::TelephoneEvent,
    ];

    /// Video of a client of 2016, in its order.
    pub const CLIENT_VIDEO: [Self; 3] = [Self::H264Uc, Self::RtVideo, Self::UlpFecUc];

    /// The format of a map with these parameters of `fmtp`; none if nobody here knows it, or if the parameters say that it is
    /// another: a bit rate that Siren or G.722.1 do not have (recalled), H.264 in another packing.
    #[must_use]
    pub fn of(map: &RtpMap<'_>, parameters: Option<&str>) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        let codec = all.find(|codec| codec.rtp_map().same_format(map))?;
        let get = |name| parameter(parameters.unwrap_or_default(), name);
        let same = match codec {
            Self::Siren => get("bitrate").is_none_or(|rate| rate == "16000"),
            Self::G7221 => get("bitrate").is_none_or(|rate| rate == "24000"),
            Self::H264Uc => {
                get("packetization-mode") == Some("1")
                    && get("mst-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("NI-TC"))
            }
            _ => true,
        };
        same.then_some(codec)
    }

    /// As an offer has it, with the usual number.
    #[must_use]
    pub const fn format(self) -> Format {
        Format {
            codec: self,
            payload_type: self.rtp_map().payload_type,
        }
    }
}

/// A format and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Format {
    /// The format.
    pub codec: Codec,
    /// 0 to 127.
    pub payload_type: u8,
}

impl Format {
    /// `rtpmap`.
    #[must_use]
    pub const fn rtp_map(self) -> RtpMap<'static> {
        RtpMap {
            payload_type: self.payload_type,
            ..self.codec.rtp_map()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_found_by_name_whatever_the_case() {
        for &codec in Codec::ALL {
            let map = codec.rtp_map();
            let name = map.name.to_ascii_uppercase();
            let other = RtpMap {
                payload_type: 96,
                name: &name,
                ..map
            };
            assert_eq!(Codec::of(&other, codec.parameters()), Some(codec));
        }
    }

    #[test]
    fn parameters_decide_where_they_must() {
        let of = |codec: Codec, parameters| Codec::of(&codec.rtp_map(), parameters);
        assert_eq!(of(Codec::Siren, Some("bitrate=24000")), None);
        assert_eq!(of(Codec::G7221, Some("bitrate=32000")), None);
        assert_eq!(of(Codec::G7221, None), Some(Codec::G7221));
        assert_eq!(
            of(Codec::RtAudioWide, Some("bitrate=1")),
            Some(Codec::RtAudioWide)
        );
        assert_eq!(of(Codec::H264Uc, None), None);
        assert_eq!(of(Codec::H264Uc, Some("packetization-mode=1")), None);
        let spaced = Some("packetization-mode=1 mst-mode=ni-tc");
        assert_eq!(of(Codec::H264Uc, spaced), Some(Codec::H264Uc));
    }

    #[test]
    fn static_numbers_have_names_without_a_map() {
        for &codec in Codec::ALL {
            let map = codec.rtp_map();
            if let Some(fixed) = RtpMap::of_static(map.payload_type) {
                assert_eq!(fixed, map);
            }
        }
    }
}
