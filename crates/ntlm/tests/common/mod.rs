//! What the tests share: the data files and a scripted source of "random" bytes.
#![allow(dead_code, reason = "not every test uses everything")]

use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;

/// One section of a data file.
pub(crate) struct Section {
    pub(crate) name: String,
    lines: Vec<(String, String)>,
}

/// Reads a data file.
pub(crate) fn sections(text: &str) -> Vec<Section> {
    let mut sections = Vec::<Section>::new();
    for line in text
        .lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        if let Some(name) = line.strip_prefix('[') {
            let name = name.trim_end_matches(']').to_owned();
            sections.push(Section {
                name,
                lines: Vec::new(),
            });
        } else {
            let (key, value) = line.split_once(" = ").expect("key = value");
            let section = sections.last_mut().expect("a section comes first");
            section.lines.push((key.to_owned(), value.to_owned()));
        }
    }
    sections
}

/// One section of a data file by name.
pub(crate) fn section(text: &str, name: &str) -> Section {
    sections(text)
        .into_iter()
        .find(|s| s.name == name)
        .expect(name)
}

impl Section {
    pub(crate) fn all<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let values = self
            .lines
            .iter()
            .filter(|(k, _)| k == key)
            .map(|(_, v)| v.as_str());
        values.collect::<Vec<_>>().into_iter()
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.all(key).next().expect(key)
    }

    pub(crate) fn hex(&self, key: &str) -> Vec<u8> {
        hex::decode(self.text(key)).expect(key)
    }

    pub(crate) fn array<const N: usize>(&self, key: &str) -> [u8; N] {
        self.hex(key).try_into().expect(key)
    }

    /// Little-endian bytes as a number.
    pub(crate) fn time(&self, key: &str) -> u64 {
        u64::from_le_bytes(self.array(key))
    }

    pub(crate) fn flags(&self, key: &str) -> ocs_ntlm::NegotiateFlags {
        ocs_ntlm::NegotiateFlags(u32::from_str_radix(self.text(key), 16).expect(key))
    }
}

/// Gives out given bytes in their order and panics when they are used up.
pub(crate) struct Script(Vec<u8>);

impl Script {
    pub(crate) fn new(parts: &[&[u8]]) -> Self {
        Self(parts.concat())
    }
}

impl TryRng for Script {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unimplemented!("only bytes are drawn")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unimplemented!("only bytes are drawn")
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.copy_from_slice(&self.0[..dst.len()]);
        self.0.drain(..dst.len());
        Ok(())
    }
}

impl TryCryptoRng for Script {}
