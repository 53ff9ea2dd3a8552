//! Sessions with libnice 0.1.21: every message of both sides is read, its integrity and fingerprint are what the notes beside it say.

use std::collections::HashMap;

use ocs_stun::attribute::Username;
use ocs_stun::{Algorithm, Class, Dialect, Fingerprint, IntegrityKey, Message};

/// One line: who sends, the message, the note.
struct Line<'a> {
    from: &'a str,
    octets: Vec<u8>,
    note: &'a str,
}

/// The messages of a capture, out of their TCP frames.
fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| {
            let (line, note) = line.split_once(" # ").unwrap_or((line, ""));
            let mut words = line.split(' ');
            let leg = words.next().expect("a leg");
            let carrier = words.next().expect("a carrier");
            let mut octets = hex::decode(words.next().expect("hex")).expect("hex");
            let mut packets = Vec::new();
            if carrier == "tcp" {
                while let Some((len, _)) = octets.split_first_chunk() {
                    let rest = octets.split_off(2 + usize::from(u16::from_be_bytes(*len)));
                    packets.push(octets.split_off(2));
                    octets = rest;
                }
            } else {
                packets.push(octets);
            }
            packets.into_iter().map(move |octets| Line {
                from: &leg[..1],
                octets,
                note,
            })
        })
}

/// The key of a message is that of the receiver of the request.
fn owner<'a>(message: &Message<'_>, from: &'a str) -> &'a str {
    match (message.class(), from) {
        (Class::Request | Class::Indication, "N") => "P",
        (Class::Request | Class::Indication, _) => "N",
        (Class::Success | Class::Error, from) => from,
    }
}

macro_rules! files {
    ($folder:literal: $($name:literal)*) => {
        [$(($name, include_str!(concat!("data/captures/", $folder, "/", $name, ".txt")))),*]
    };
}

#[test]
fn ms_ice2_with_libnice() {
    let files = files!("ms-ice2":
        "udp-libnice-controlling" "udp-libnice-controlled" "tcp-libnice-controlling" "tcp-libnice-active"
        "udp-no-version-legacy-copies" "udp-altered-crc-accepted" "udp-altered-crc-with-version-refused"
        "role-conflict-487-by-libnice" "role-conflict-libnice-switches" "udp-ufrag5-foundation32"
        "udp-peer-reflexive" "udp-mapped-address-differs" "probes");
    let (mut verified, mut standard, mut altered) = (0, 0, 0);
    for (name, text) in files {
        let mut keys = HashMap::new();
        for line in text.lines().filter(|line| line.starts_with('#')) {
            if let Some((who, rest)) = line[2..].split_once(" ufrag ") {
                let password = rest.split(' ').nth(2).expect("a password");
                keys.insert(who, IntegrityKey::new(Algorithm::Sha1, password.as_bytes()));
            }
        }
        for line in lines(text) {
            if !Dialect::MsIce2.recognises(&line.octets) {
                continue;
            }
            let message = Message::parse(Dialect::MsIce2, &line.octets)
                .unwrap_or_else(|error| panic!("{name}: {error}: {}", line.note));
            if line.note.contains("mi=ok") {
                message
                    .verify(&keys[owner(&message, line.from)])
                    .expect(line.note);
                verified += 1;
            }
            match message.fingerprint() {
                Fingerprint::Standard => {
                    assert!(line.note.contains("crc=std"), "{name}: {}", line.note);
                    standard += 1;
                }
                Fingerprint::Altered => {
                    assert!(line.note.contains("crc=alt"), "{name}: {}", line.note);
                    altered += 1;
                }
                Fingerprint::Absent => {
                    assert!(!line.note.contains("crc="), "{name}: {}", line.note);
                }
                Fingerprint::Wrong => panic!("{name}: {}", line.note),
            }
        }
    }
    assert!(verified > 100 && standard > 100 && altered > 5);
}

#[test]
fn ms_ice_with_libnice() {
    let files = files!("ms-ice":
        "udp-libnice-controlling" "udp-libnice-controlled" "udp-response-0x8020" "udp-response-mapped-address"
        "tcp-derived-identifier");
    let mut verified = 0;
    for (name, text) in files {
        // Each candidate has a password; the identifier of the request's receiver comes first in USERNAME.
        let mut keys = Vec::new();
        for line in text.lines().filter(|line| line.starts_with('#')) {
            for part in line.split(" id ").skip(1) {
                let words: Vec<_> = part.split([' ', ';']).collect();
                let id = hex::decode(words[0]).expect("hex");
                let password = hex::decode(words[2]).expect("hex");
                keys.push((id, IntegrityKey::new(Algorithm::Sha1, &password)));
            }
        }
        for line in lines(text).filter(|line| line.note.contains("mi=ok")) {
            let message = Message::parse(Dialect::MsIce, &line.octets).expect(line.note);
            let Username(username) = message.get().unwrap().expect("a username");
            let key = keys.iter().find(|(id, _)| username.starts_with(id));
            let (_, key) = key.unwrap_or_else(|| panic!("{name}: no key: {}", line.note));
            message.verify(key).expect(line.note);
            verified += 1;
            if message.class() == Class::Success {
                assert!(message.reflexive_address().unwrap().is_some());
            }
        }
    }
    assert!(verified > 20);
}
