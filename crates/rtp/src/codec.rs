//! The codecs of \[MS-RTP\] 2.2.1 and the payload types that they usually have.

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codec {
    /// The payload type: the static one, or the dynamic one that the products use. The mapping of the SDP goes before it.
    pub payload_type: u8,
    /// The encoding name of the SDP.
    pub name: &'static str,
    /// Units of the timestamp per second.
    pub clock_rate: u32,
    /// Milliseconds of media that a packet may hold. Empty for video, data, comfort noise and events.
    pub ptimes: &'static [u16],
    /// Channels of audio; 1 for everything else.
    pub channels: u8,
}

const P_10_60: &[u16] = &[10, 20, 40, 60];
const P_20_60: &[u16] = &[20, 40, 60];
const P_20_100: &[u16] = &[20, 40, 60, 100];

const fn audio(
    payload_type: u8,
    name: &'static str,
    clock_rate: u32,
    ptimes: &'static [u16],
) -> Codec {
    Codec {
        payload_type,
        name,
        clock_rate,
        ptimes,
        channels: 1,
    }
}

const fn video(payload_type: u8, name: &'static str) -> Codec {
    audio(payload_type, name, 90_000, &[])
}

/// All rows, by payload type. Those of SILK and their P-times are recalled.
pub const CODECS: [Codec; 26] = [
    audio(0, "PCMU", 8000, P_10_60),
    audio(3, "GSM", 8000, P_20_60),
    audio(4, "G723", 8000, &[30, 60, 90]),
    audio(5, "DVI4", 8000, &[20]),
    audio(6, "DVI4", 16_000, &[20]),
    audio(8, "PCMA", 8000, P_10_60),
    audio(9, "G722", 8000, P_20_60),
    audio(13, "CN", 8000, &[]),
    video(31, "H261"),
    video(34, "H263"),
    audio(97, "RED", 8000, &[]),
    audio(101, "telephone-event", 8000, &[]),
    audio(103, "SILK", 8000, P_20_100),
    audio(104, "SILK", 16_000, P_20_100),
    audio(111, "SIREN", 16_000, &[20, 40, 60, 100, 200]),
    audio(112, "G7221", 16_000, P_20_60),
    audio(114, "x-msrta", 16_000, P_20_60),
    audio(115, "x-msrta", 8000, P_20_60),
    audio(116, "AAL2-G726-32", 8000, P_20_60),
    Codec {
        channels: 2,
        ..audio(117, "G722", 8000, P_20_60)
    },
    audio(118, "CN", 16_000, &[]),
    audio(119, "CN", 24_000, &[]),
    video(121, "x-rtvc1"),
    video(122, "X-H264UC"),
    video(123, "x-ulpfecuc"),
    video(127, "x-data"),
];

impl Codec {
    /// The codec that usually has this payload type.
    pub fn of(payload_type: u8) -> Option<&'static Self> {
        CODECS
            .binary_search_by_key(&payload_type, |codec| codec.payload_type)
            .ok()
            .map(|at| &CODECS[at])
    }
}
