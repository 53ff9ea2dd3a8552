//! Generated SIP streams, one `Vec` per message: the same bytes at every run.

use std::fmt::Write as _;

/// A fixed sequence of pseudo-random numbers (the multiplier of Knuth's MMIX), so that the data
/// never depends on a crate version.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits);
        for _ in 0..digits {
            let _ = write!(text, "{:x}", self.next() & 15);
        }
        text
    }
}

/// About 100 KB of refreshes of one registration, the case that the protocol was made for: only
/// the numbers change, and, if `signed`, the signature of the `Proxy-Authorization` header.
pub(crate) fn registrations(signed: bool) -> Vec<Vec<u8>> {
    let mut noise = Noise(1);
    (1..=110)
        .map(|cseq| {
            if !signed {
                noise = Noise(1);
            }
            let signature = noise.hex(32);
            format!(
                "REGISTER sip:contoso.com SIP/2.0\r\n\
                 Via: SIP/2.0/TLS 192.0.2.1:4320\r\n\
                 Max-Forwards: 70\r\n\
                 From: <sip:alice@contoso.com>;tag=4a2b44d131;epid=8248ca9ebb\r\n\
                 To: <sip:alice@contoso.com>\r\n\
                 Call-ID: d5f2b95d5be64c2cbfb38aa5d3a87ae7\r\n\
                 CSeq: {cseq} REGISTER\r\n\
                 Contact: <sip:192.0.2.1:4320;transport=tls;ms-opaque=fad3dfab32>;\
                 methods=\"INVITE, MESSAGE, INFO, OPTIONS, BYE, CANCEL, NOTIFY, ACK, REFER, BENOTIFY\";\
                 proxy=replace;+sip.instance=\"<urn:uuid:4D8F6F0E-8C3E-5A1B-9F4C-2E1D7A5B3C60>\"\r\n\
                 User-Agent: UCCAPI/16.0.4266.1001 OC/16.0.4266.1001\r\n\
                 Supported: gruu-10, adhoclist, msrtc-event-categories, ms-forking\r\n\
                 Supported: ms-userservices-state-notification, ms-cluster-failover\r\n\
                 ms-keep-alive: UAC;hop-hop=yes\r\n\
                 Event: registration\r\n\
                 Proxy-Authorization: NTLM qop=\"auth\", opaque=\"0C4E8F21\", realm=\"SIP Communications Service\", \
                 targetname=\"fe01.contoso.com\", crand=\"5b8a2a1f\", cnum=\"{cseq}\", response=\"{signature}\"\r\n\
                 Content-Length: 0\r\n\r\n"
            )
            .into_bytes()
        })
        .collect()
}

/// About 100 KB of what a front end sends to one client: presence documents, instant messages,
/// calls, their answers; fresh Call-IDs, tags, branches and signatures everywhere.
pub(crate) fn dialogs() -> Vec<Vec<u8>> {
    const CONTACT: &str =
        "sip:192.0.2.1:4320;transport=tls;ms-opaque=fad3dfab32;ms-received-cid=5C00";
    const NAMES: [&str; 6] = ["alice", "bob", "carol", "dave", "erin", "frank"];
    const WORDS: [&str; 12] = [
        "meeting",
        "moved",
        "to",
        "three",
        "o'clock,",
        "please",
        "bring",
        "the",
        "numbers",
        "for",
        "Müller",
        "– danke",
    ];
    let mut noise = Noise(7);
    let mut stream = Vec::new();
    let mut total = 0;
    let mut cseq = 1;
    while total < 100_000 {
        let who = NAMES[noise.next() as usize % NAMES.len()];
        let call_id = noise.hex(32);
        let (from_tag, to_tag, branch) = (noise.hex(10), noise.hex(10), noise.hex(40));
        let (crand, signature) = (noise.hex(8), noise.hex(32));
        cseq += 1;
        let (start, method, kind, body) = match noise.next() % 4 {
            0 => (
                format!("BENOTIFY {CONTACT} SIP/2.0"),
                "BENOTIFY",
                "application/msrtc-event-categories+xml",
                format!(
                    "<categories xmlns=\"http://schemas.microsoft.com/2006/09/sip/categories\" uri=\"sip:{who}@contoso.com\">\
                     <category name=\"state\" instance=\"{}\" publishTime=\"2026-03-{:02}T{:02}:{:02}:11.497\">\
                     <state xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" manual=\"false\" \
                     xmlns=\"http://schemas.microsoft.com/2006/09/sip/state\" xsi:type=\"aggregateState\">\
                     <availability>{}</availability></state></category></categories>",
                    noise.next() % 2,
                    noise.next() % 28 + 1,
                    noise.next() % 24,
                    noise.next() % 60,
                    [3500, 5000, 6500, 9500, 15500][noise.next() as usize % 5],
                ),
            ),
            1 => {
                let mut text = String::new();
                for _ in 0..6 + noise.next() % 20 {
                    text.push_str(WORDS[noise.next() as usize % WORDS.len()]);
                    text.push(' ');
                }
                (
                    format!("MESSAGE {CONTACT} SIP/2.0"),
                    "MESSAGE",
                    "text/plain; charset=UTF-8",
                    text,
                )
            }
            2 => (
                format!("INVITE {CONTACT} SIP/2.0"),
                "INVITE",
                "application/sdp",
                format!(
                    "v=0\r\no=- 0 0 IN IP4 192.0.2.{0}\r\ns=session\r\nc=IN IP4 192.0.2.{0}\r\nb=CT:99980\r\nt=0 0\r\n\
                     m=audio {1} RTP/SAVP 114 9 112 111 0 8 116 115 4 97 13 118 101\r\n\
                     a=candidate:{2} 1 {3} UDP 0.830 192.0.2.{0} {1}\r\n\
                     a=candidate:{2} 2 {3} UDP 0.830 192.0.2.{0} {4}\r\n\
                     a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{5}|2^31|1:1\r\n\
                     a=rtpmap:114 x-msrta/16000\r\na=fmtp:114 bitrate=29000\r\na=rtpmap:111 SIREN/16000\r\n\
                     a=fmtp:111 bitrate=16000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n\
                     a=ptime:20\r\na=encryption:optional\r\n",
                    noise.next() % 250 + 1,
                    noise.next() % 10_000 + 50_000,
                    noise.hex(43),
                    noise.hex(22),
                    noise.next() % 10_000 + 50_000,
                    noise.hex(40),
                ),
            ),
            _ => (
                "SIP/2.0 200 OK".into(),
                "SERVICE",
                "application/SOAP+xml",
                String::new(),
            ),
        };
        let message = format!(
            "{start}\r\n\
             Via: SIP/2.0/TLS 192.0.2.20:5061;branch=z9hG4bK{branch};ms-internal-info=\"{crand}\"\r\n\
             Authentication-Info: NTLM rspauth=\"01000000{signature}\", srand=\"{crand}\", snum=\"{cseq}\", \
             opaque=\"0C4E8F21\", qop=\"auth\", targetname=\"fe01.contoso.com\", realm=\"SIP Communications Service\"\r\n\
             Max-Forwards: 69\r\n\
             Content-Length: {}\r\n\
             From: \"{who}\"<sip:{who}@contoso.com>;tag={from_tag};epid={crand}01\r\n\
             To: <sip:alice@contoso.com>;tag={to_tag};epid=8248ca9ebb\r\n\
             Call-ID: {call_id}\r\n\
             CSeq: {cseq} {method}\r\n\
             Contact: <sip:{who}@contoso.com;opaque=user:epid:{}AA;gruu>\r\n\
             User-Agent: UCCAPI/16.0.4266.1001 OC/16.0.4266.1001\r\n\
             Content-Type: {kind}\r\n\r\n{body}",
            body.len(),
            noise.hex(22),
        )
        .into_bytes();
        total += message.len();
        stream.push(message);
    }
    stream
}
