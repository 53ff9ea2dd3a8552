//! A recorded session as text: who sent what, and who both are.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;

use bytes::Bytes;
use ocs_ice::sdp::ice;
use ocs_ice::{Candidate, Component, Credentials, Dialect, Foundation, Password, Transport};
use ocs_stun::attribute::Priority;
use ocs_stun::{AttributeType, Message};

#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// From libnice.
    pub(crate) from_n: bool,
    pub(crate) data: Bytes,
    pub(crate) comment: String,
}

impl Line {
    pub(crate) fn is_stun(&self) -> bool {
        self.comment.contains("Binding")
    }
}

/// A parsed file.
pub(crate) struct Capture {
    pub(crate) heads: Vec<String>,
    pub(crate) lines: Vec<Line>,
}

impl Capture {
    pub(crate) fn parse(text: &str) -> Self {
        let (mut heads, mut lines) = (Vec::new(), Vec::new());
        for line in text.lines() {
            if let Some(head) = line.strip_prefix("# ") {
                heads.push(head.to_owned());
                continue;
            }
            let (fields, comment) = line.split_once(" # ").unwrap_or((line, ""));
            let mut fields = fields.split(' ');
            let (Some(direction), Some(_), Some(data)) =
                (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            lines.push(Line {
                from_n: direction == "N>P",
                data: hex::decode(data).unwrap().into(),
                comment: comment.to_owned(),
            });
        }
        Self { heads, lines }
    }

    /// The head line of one side that begins so, as words.
    pub(crate) fn words(&self, start: &str) -> Vec<&str> {
        let head = self
            .heads
            .iter()
            .find(|head| head.starts_with(start))
            .unwrap();
        head.split_whitespace().collect()
    }

    pub(crate) fn credentials(&self, side: &str) -> Credentials {
        let words = self.words(&format!("{side} ufrag"));
        Credentials::new(words[2], words[4]).unwrap()
    }

    pub(crate) fn requests(&self, from_n: bool) -> Vec<&Line> {
        let mut seen = BTreeSet::new();
        let requests = self.lines.iter().filter(|line| {
            line.from_n == from_n
                && line.comment.contains("Binding request")
                && seen.insert(line.data[4..20].to_vec())
        });
        requests.collect()
    }

    /// The transaction identifiers of one side's requests, in their order, as the agent will draw them.
    pub(crate) fn script(&self, from_n: bool, dialect: Dialect) -> VecDeque<u8> {
        let skip = if dialect == Dialect::Ice2 { 8 } else { 4 };
        let requests = self.requests(from_n);
        requests
            .iter()
            .flat_map(|line| line.data[skip..20].to_vec())
            .collect()
    }

    /// The address of one side for a component, from what the other side says of it.
    pub(crate) fn address(&self, of_n: bool, dialect: Dialect, component: Component) -> SocketAddr {
        let by_id = |id: &[u8]| {
            let answer = self.lines.iter().find(|line| {
                line.from_n != of_n
                    && line.comment.contains("Binding response")
                    && line.data[4..20] == *id
            });
            let message = Message::parse(stun(dialect), &answer?.data).ok()?;
            message.reflexive_address().ok().flatten()
        };
        let requests = self.requests(of_n);
        let mut own = requests
            .iter()
            .filter(|line| component_of(line, dialect) == component);
        let seen = own.find_map(|line| by_id(&line.data[4..20]));
        seen.unwrap_or_else(|| panic!("address of {of_n} {component}"))
    }
}

pub(crate) fn stun(dialect: Dialect) -> ocs_stun::Dialect {
    match dialect {
        Dialect::Ice => ocs_stun::Dialect::MsIce,
        Dialect::Ice2 => ocs_stun::Dialect::MsIce2,
    }
}

/// The component of a request: of MS-ICE2 in PRIORITY, of MS-ICE at the end of USERNAME.
pub(crate) fn component_of(line: &Line, dialect: Dialect) -> Component {
    let message = Message::parse(stun(dialect), &line.data).unwrap();
    let number = match dialect {
        Dialect::Ice2 => {
            let Priority(priority) = message.get().unwrap().unwrap();
            256 - (priority & 0xFF) as u16
        }
        Dialect::Ice => {
            let name = message.raw(AttributeType::USERNAME).unwrap();
            let digit = name.iter().rev().find(|octet| **octet != 0).unwrap();
            u16::from(digit - b'0')
        }
    };
    Component::from_number(number as u8).unwrap()
}

impl Capture {
    /// libnice's UDP candidates.
    pub(crate) fn ice2_candidates(&self) -> Vec<Candidate> {
        let heads = self
            .heads
            .iter()
            .filter_map(|head| head.strip_prefix("N candidate: "));
        let lines = heads.map(|head| head.replace(" host", " typ host"));
        let all = lines.map(|line| line.parse::<Candidate>().unwrap());
        all.filter(|candidate| candidate.transport == Transport::Udp)
            .collect()
    }

    /// What the other side announced, beside a candidate of libnice.
    pub(crate) fn candidate_of_p(&self, of_n: Candidate) -> Candidate {
        let component = of_n.component;
        Candidate {
            address: self.address(false, Dialect::Ice2, component),
            priority: 2_028_994_816 - u32::from(component.number()),
            foundation: Foundation::number(1),
            ..of_n
        }
    }

    /// UDP candidates of MS-ICE: one side's identifier and password, and the addresses of libnice and of the other side.
    pub(crate) fn lines(&self, of_n: bool) -> Vec<ice::Line> {
        let octets = |text: &str| hex::decode(text.trim_end_matches(';')).unwrap();
        let heads = self
            .heads
            .iter()
            .filter_map(|head| head.strip_prefix("N candidate: host UDP "));
        let lines = heads.map(|head| {
            let fields: Vec<&str> = head.split(' ').collect();
            let component: Component = fields[0].parse().unwrap();
            let of_p = self.words("P UDP candidate id");
            let (id, password, address) = if of_n {
                (fields[3], fields[5], fields[1].parse().unwrap())
            } else {
                (
                    of_p[4],
                    of_p[6],
                    self.address(false, Dialect::Ice, component),
                )
            };
            ice::Line {
                id: ice::CandidateId::new(octets(id)),
                component,
                password: Password::from(octets(password)),
                transport: ice::LineTransport::Udp,
                priority: "0.830".parse().unwrap(),
                address,
            }
        });
        lines.collect()
    }
}
