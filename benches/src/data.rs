//! What is measured: messages and streams of the system's shape, the same octets in every run.

use std::fmt::Write as _;

/// An INVITE as the second server on its way sees it: three Vias, two Routes, two Record-Routes, a GRUU, an NTLM
/// signature, and SDP of a call with ICE and SRTP. 2.8 KB.
pub const INVITE: &str = "INVITE sip:bob@contoso.com SIP/2.0\r\n\
    Via: SIP/2.0/TLS 192.0.2.21:5061;branch=z9hG4bK7C6B9A51.5D8A0E2F4C31B7A6;branched=FALSE;\
    ms-internal-info=bhR0M7cPq2f8Vd_kE1u5AzYx9wLsJtN3oGiBvQrKmHXe\r\n\
    Via: SIP/2.0/TLS 192.0.2.20:61234;branch=z9hG4bK1F83D2A4.9E07C5B3A2D46F18;branched=FALSE;\
    ms-received-port=61234;ms-received-cid=2E4A00\r\n\
    Via: SIP/2.0/TLS 198.51.100.7:50122;ms-received-port=50122;ms-received-cid=5C8B00\r\n\
    Max-Forwards: 68\r\n\
    Route: <sip:fe01.contoso.com:5061;transport=tls;ms-fe=fe01.contoso.com;lr;\
    ms-route-sig=aaPlM2c8VZq1R9tKxWf0oNbYd4uJhE7gSsAiB3vC5wXzQ6rTkLmGyUpI>\r\n\
    Route: <sip:pool02.contoso.com:5061;transport=tls;ms-role-rs-to;ms-role-rs-from;lr;\
    ms-route-sig=abQ9sNf4XeKz7WvB1uTgHd2oLyPiR5cMjAaVxE8kY3mJ6tZwUqCrFbIG>\r\n\
    Record-Route: <sip:fe03.fabrikam.com:5061;transport=tls;opaque=state:T;lr;\
    ms-route-sig=acT3vJk8LwMz5XyRbN1oPqSfGd7eHuCi2aVtYgBx4rKp9sWnEjUmZhQI>;tag=C1E09A3C1F5A0D3F\r\n\
    Record-Route: <sip:edge.contoso.com:5061;transport=tls;ms-role-rs-from;lr>\r\n\
    From: \"Alice Archer\" <sip:alice@contoso.com>;tag=4a2b44d131;epid=8248ca9ebb\r\n\
    To: <sip:bob@contoso.com>;epid=3102eb8bd1\r\n\
    Call-ID: d5f2b95d5be64c2cbfb38aa5d3a87ae7\r\n\
    CSeq: 7 INVITE\r\n\
    Contact: <sip:alice@contoso.com;opaque=user:epid:qIIWS2j5AVeDHxnQdxmlwAA;gruu>\r\n\
    User-Agent: UCCAPI/16.0.4266.1001 OC/16.0.4266.1001 (Skype for Business)\r\n\
    Supported: ms-dialog-route-set-update, timer, histinfo, ms-safe-transfer, ms-sender, ms-early-media\r\n\
    Supported: 100rel, replaces, ms-conf-invite\r\n\
    Ms-Text-Format: text/plain; charset=UTF-8; ms-body=SGksIGFyZSB5b3UgdGhlcmU/\r\n\
    Ms-Conversation-ID: AdQm5b7kR0x2c8yZQfS7dA\r\n\
    ms-keep-alive: UAC;hop-hop=yes\r\n\
    ms-subnet: 192.0.2.0\r\n\
    ms-endpoint-location-data: NetworkScope;ms-media-location-type=Intranet\r\n\
    Ms-Sensitivity: private\r\n\
    Accept-Language: en-US\r\n\
    Allow: INVITE, BYE, ACK, CANCEL, INFO, MESSAGE, UPDATE, REFER, PRACK\r\n\
    P-Asserted-Identity: \"Alice Archer\" <sip:alice@contoso.com>, <tel:+14255550100>\r\n\
    Session-Expires: 720;refresher=uac\r\n\
    Min-SE: 90\r\n\
    Authorization: NTLM qop=\"auth\", realm=\"SIP Communications Service\", opaque=\"0C4E8F21\", \
    targetname=\"fe01.contoso.com\", version=4, crand=\"5b8a2a1f\", cnum=\"42\", \
    response=\"0100000039303362c1b9d4f164000000\"\r\n\
    Content-Type: application/sdp\r\n\
    Content-Length: 579\r\n\
    \r\n\
    v=0\r\n\
    o=- 0 0 IN IP4 192.0.2.33\r\n\
    s=session\r\n\
    c=IN IP4 192.0.2.33\r\n\
    b=CT:99980\r\n\
    t=0 0\r\n\
    m=audio 50032 RTP/SAVP 114 9 111 0 8 97 13 118 101\r\n\
    a=ice-ufrag:qkEP\r\n\
    a=ice-pwd:ed6f9GuHjLcoCN6sC/Eh7fVl\r\n\
    a=candidate:1 1 UDP 2130706431 192.0.2.33 50032 typ host\r\n\
    a=candidate:1 2 UDP 2130705918 192.0.2.33 50033 typ host\r\n\
    a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:u6VdjWYKbGPKkjtcV3DqEaRMXPLUuTh7sCvyQVJm|2^31|1:1\r\n\
    a=rtpmap:114 x-msrta/16000\r\n\
    a=fmtp:114 bitrate=29000\r\n\
    a=rtpmap:111 SIREN/16000\r\n\
    a=fmtp:111 bitrate=16000\r\n\
    a=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-16\r\n\
    a=encryption:optional\r\n";

/// Pseudo-random numbers (Knuth's MMIX multiplier) for what differs from message to message.
struct Noise(u64);

impl Noise {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn hex(&mut self, digits: usize) -> String {
        (0..digits).fold(String::new(), |mut text, _| {
            let _ = write!(text, "{:x}", self.below(16));
            text
        })
    }
}

/// Some 200 KB that a front end and one client exchange, one message each: presence, instant messages and their answers,
/// registration refreshes, calls. Dialog identifiers and signatures are fresh in each, the rest repeats.
#[must_use]
pub fn sip_stream() -> Vec<Vec<u8>> {
    const PEERS: [&str; 5] = ["bob", "carol", "dave", "erin", "frank"];
    const WORDS: [&str; 8] = [
        "meeting", "moved", "to", "three", "please", "bring", "the", "numbers",
    ];
    let mut noise = Noise(7);
    let mut stream = Vec::new();
    let mut total = 0;
    let mut number = 0_u32;
    while total < 200_000 {
        number += 1;
        let peer = PEERS[noise.below(PEERS.len() as u64) as usize];
        let (method, kind, body) = match noise.below(5) {
            0 => ("BENOTIFY", "application/msrtc-event-categories+xml", {
                let availability = [3500, 6500, 9500, 15500][noise.below(4) as usize];
                let minute = noise.below(60);
                format!(
                    "<categories xmlns=\"http://schemas.microsoft.com/2006/09/sip/categories\" \
                     uri=\"sip:{peer}@contoso.com\"><category name=\"state\" instance=\"1\" \
                     publishTime=\"2026-11-12T10:{minute:02}:11.497\"><state \
                     xmlns=\"http://schemas.microsoft.com/2006/09/sip/state\" \
                     xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" manual=\"false\" \
                     xsi:type=\"aggregateState\"><availability>{availability}</availability>\
                     </state></category></categories>"
                )
            }),
            1 => ("INVITE", "application/sdp", {
                let (port, key) = (noise.below(10_000) + 50_000, noise.hex(40));
                format!(
                    "v=0\r\no=- 0 0 IN IP4 192.0.2.33\r\ns=session\r\nc=IN IP4 192.0.2.33\r\n\
                     b=CT:99980\r\nt=0 0\r\nm=audio {port} RTP/SAVP 114 9 112 111 0 8 116 115 97 13 118 101\r\n\
                     a=ice-ufrag:qkEP\r\na=ice-pwd:ed6f9GuHjLcoCN6sC/Eh7fVl\r\n\
                     a=candidate:1 1 UDP 2130706431 192.0.2.33 {port} typ host\r\n\
                     a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{key}|2^31|1:1\r\n\
                     a=rtpmap:114 x-msrta/16000\r\na=fmtp:114 bitrate=29000\r\n\
                     a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
                )
            }),
            2 => ("REGISTER", "text/plain", String::new()),
            _ => ("MESSAGE", "text/plain; charset=UTF-8", {
                (0..6 + noise.below(20)).fold(String::new(), |text, _| {
                    text + WORDS[noise.below(WORDS.len() as u64) as usize] + " "
                })
            }),
        };
        let (call_id, from_tag, branch) = (noise.hex(32), noise.hex(10), noise.hex(24));
        let (crand, signature) = (noise.hex(8), noise.hex(32));
        let dialog = format!(
            "From: <sip:{peer}@contoso.com>;tag={from_tag};epid=8248ca9ebb\r\n\
             To: <sip:alice@contoso.com>;epid=3102eb8bd1\r\n\
             Call-ID: {call_id}\r\n\
             CSeq: {number} {method}\r\n\
             Via: SIP/2.0/TLS 192.0.2.10:5061;branch=z9hG4bK{branch};branched=FALSE\r\n"
        );
        let signed = format!(
            "NTLM qop=\"auth\", opaque=\"0C4E8F21\", srand=\"{crand}\", snum=\"{number}\", \
             rspauth=\"{signature}\", targetname=\"fe01.contoso.com\", \
             realm=\"SIP Communications Service\", version=4\r\n"
        );
        let request = format!(
            "{method} sip:192.0.2.33:4320;transport=tls;ms-opaque=fad3dfab32;ms-received-cid=5C00 SIP/2.0\r\n\
             {dialog}\
             Max-Forwards: 68\r\n\
             Record-Route: <sip:fe01.contoso.com:5061;transport=tls;opaque=state:T;lr>\r\n\
             Contact: <sip:{peer}@contoso.com;opaque=user:epid:qIIWS2j5AVeDHxnQdxmlwAA;gruu>\r\n\
             User-Agent: UCCAPI/16.0.4266.1001 OC/16.0.4266.1001 (Skype for Business)\r\n\
             Supported: ms-dialog-route-set-update, timer, histinfo, ms-safe-transfer, ms-sender\r\n\
             Authentication-Info: {signed}\
             Content-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n\
             {body}",
            body.len()
        );
        total += request.len();
        stream.push(request.into_bytes());
        if method != "BENOTIFY" {
            let answer = format!(
                "SIP/2.0 200 OK\r\n{dialog}Authentication-Info: {signed}Content-Length: 0\r\n\r\n"
            );
            total += answer.len();
            stream.push(answer.into_bytes());
        }
    }
    stream
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_invite_has_its_size() {
        assert!((2700..=2900).contains(&INVITE.len()), "{}", INVITE.len());
        let (head, body) = INVITE.split_once("\r\n\r\n").unwrap();
        assert_eq!(head.lines().count() - 1, 30);
        assert!(
            head.contains(&format!("\r\nContent-Length: {}", body.len())),
            "{}",
            body.len()
        );
    }

    #[test]
    fn the_stream_has_its_size() {
        let total: usize = sip_stream().iter().map(Vec::len).sum();
        assert!((200_000..204_000).contains(&total), "{total}");
    }
}
