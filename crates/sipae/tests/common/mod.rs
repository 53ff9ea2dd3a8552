//! What the tests share: sessions of other programs, and accounts.

#![allow(dead_code, reason = "not every test uses everything")]

pub(crate) mod pair;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use ocs_ntlm::{ExportedSessionKey, HashVerifier, NegotiateFlags, NtHash, Role, Session, Verifier};
use ocs_sip_core::header::{AuthHeader, HeaderValue};
use ocs_sip_core::{HeaderName, Limits, Message};
use ocs_sipae::Version;
use ocs_sipae::headers::{Credentials, Info};

pub(crate) const USERS: [&str; 3] = ["alice", "bob", "carol"];

/// All users of the captures have one password.
pub(crate) fn verifier() -> impl Verifier {
    HashVerifier::new(|user: &str, domain: &str| {
        let known = USERS.iter().any(|name| name.eq_ignore_ascii_case(user));
        (known && domain.eq_ignore_ascii_case("CONTOSO")).then(|| NtHash::from_password("Passw0rd"))
    })
}

#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) server_challenge: [u8; 8],
    pub(crate) exported_session_key: [u8; 16],
    pub(crate) flags: NegotiateFlags,
}

impl Keys {
    pub(crate) fn session(&self, role: Role) -> Session {
        let key = ExportedSessionKey::from_bytes(self.exported_session_key);
        Session::from_exported_key(key, self.flags, role)
    }
}

pub(crate) struct Recorded {
    pub(crate) name: String,
    pub(crate) from_client: bool,
    pub(crate) message: Message,
}

pub(crate) struct Capture {
    pub(crate) name: String,
    pub(crate) version: Version,
    pub(crate) keys: HashMap<String, Keys>,
    pub(crate) messages: Vec<Recorded>,
}

pub(crate) fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

pub(crate) fn parse(octets: Vec<u8>) -> Message {
    Message::parse(octets.into(), &Limits::default()).expect("a message")
}

impl Capture {
    pub(crate) fn load(directory: &Path) -> Self {
        let name = directory
            .file_name()
            .unwrap()
            .to_string_lossy()
            .into_owned();
        let keys = fs::read_to_string(directory.join("keys.txt")).unwrap();
        let keys = keys
            .lines()
            .filter(|line| line.contains("opaque="))
            .map(|line| {
                let get = |name: &str| {
                    line.split(' ')
                        .find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
                        .expect("a field of keys.txt")
                };
                let flags = get("NegotiateFlags").trim_start_matches("0x");
                let mut keys = Keys {
                    server_challenge: [0; 8],
                    exported_session_key: [0; 16],
                    flags: NegotiateFlags(u32::from_str_radix(flags, 16).unwrap()),
                };
                hex::decode_to_slice(get("ServerChallenge"), &mut keys.server_challenge).unwrap();
                hex::decode_to_slice(get("ExportedSessionKey"), &mut keys.exported_session_key)
                    .unwrap();
                (get("opaque").to_owned(), keys)
            });
        let mut files: Vec<_> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "sip"))
            .collect();
        files.sort();
        let messages = files.into_iter().map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            Recorded {
                from_client: name.contains("-C2S-"),
                message: parse(fs::read(path).unwrap()),
                name,
            }
        });
        Self {
            version: match &*name {
                "v2" => Version::V2,
                "v3" => Version::V3,
                _ => Version::V4,
            },
            keys: keys.collect(),
            messages: messages.collect(),
            name,
        }
    }

    /// The sessions that belong to this crate.
    pub(crate) fn committed() -> Vec<Self> {
        [
            "v2",
            "v3",
            "v4",
            "flags-429882F3",
            "flags-629882F3",
            "timestamp",
            "im",
        ]
        .iter()
        .map(|name| Self::load(&data().join(name)))
        .collect()
    }

    /// All recorded sessions, where the collection is at hand: `OCSPROTO_VECTORS` names it, or it stands beside the workspace.
    pub(crate) fn shared() -> Vec<Self> {
        let root = std::env::var_os("OCSPROTO_VECTORS")
            .map(PathBuf::from)
            .or_else(|| {
                Path::new(env!("CARGO_MANIFEST_DIR"))
                    .ancestors()
                    .map(|directory| directory.join("shared/vectors"))
                    .find(|directory| directory.is_dir())
            });
        let Some(root) = root else {
            return Vec::new();
        };
        let list = |path: PathBuf| -> Vec<PathBuf> {
            let entries = fs::read_dir(path).into_iter().flatten();
            let mut all: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
            all.sort();
            all
        };
        list(root.join("captures"))
            .into_iter()
            .flat_map(list)
            .filter(|directory| directory.join("keys.txt").is_file())
            .map(|directory| Self::load(&directory))
            .collect()
    }
}

/// All credentials of a message.
pub(crate) fn credentials(message: &Message) -> Vec<Credentials<'_>> {
    [HeaderName::Authorization, HeaderName::ProxyAuthorization]
        .into_iter()
        .flat_map(|name| message.lines(name))
        .map(|line| Credentials::read(&AuthHeader::parse_value(line).unwrap()).unwrap())
        .collect()
}

/// All infos of a message.
pub(crate) fn infos(message: &Message) -> Vec<Info<'_>> {
    [
        HeaderName::AuthenticationInfo,
        HeaderName::ProxyAuthenticationInfo,
    ]
    .into_iter()
    .flat_map(|name| message.lines(name))
    .map(|line| Info::read(&AuthHeader::parse_value(line).unwrap()).unwrap())
    .collect()
}
