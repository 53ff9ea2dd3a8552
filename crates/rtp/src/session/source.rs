//! The participants of a session and their time-outs (\[MS-RTP\] 3.1.2, 3.2.2, RFC 3550 6.2.1).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::reception::Reception;
use super::throttle::SequenceState;
use crate::rtcp::{MediaQuality, NtpTime};

/// Who sent media within so many of our reports counts as a sender (RFC 3550 6.3.1).
pub(super) const RECENT: u8 = 2;

/// A participant: a source of media, a receiver that reports, or a source that a mixer describes.
#[derive(Clone, Debug)]
pub struct Source {
    pub(super) sequence: SequenceState,
    /// Once media came.
    pub(super) reception: Option<Reception>,
    /// [`RECENT`] when media comes, and less by one with each of our reports.
    pub(super) recent: u8,
    pub(super) last_sr: Option<(NtpTime, Instant)>,
    pub(super) heard: Instant,
    pub(super) bye: Option<Instant>,
    pub(super) quality: Option<MediaQuality>,
    /// It sent something itself. Others are only described, as by a mixer, and are no members.
    pub(super) member: bool,
    /// When the last PLI without FCI was told, and the Request Ids of the last extended one, by media.
    pub(super) plain_pli: Last<Instant>,
    pub(super) extended_pli: Last<u16>,
    /// Request Ids of the last Video Source Requests, by MSI.
    pub(super) request: Last<u16>,
    pub(super) name: Option<Box<[u8]>>,
}

impl Source {
    fn new(now: Instant) -> Self {
        Self {
            sequence: SequenceState::default(),
            reception: None,
            recent: 0,
            last_sr: None,
            heard: now,
            bye: None,
            quality: None,
            member: false,
            plain_pli: Last::default(),
            extended_pli: Last::default(),
            request: Last::default(),
            name: None,
        }
    }

    /// What was counted of its media.
    pub const fn reception(&self) -> Option<&Reception> {
        self.reception.as_ref()
    }

    /// Its CNAME, as its owner wrote it.
    pub fn canonical_name(&self) -> Option<&[u8]> {
        self.name.as_deref()
    }

    /// The states that it told of its devices and network.
    pub const fn media_quality(&self) -> Option<MediaQuality> {
        self.quality
    }

    /// Whether it said goodbye.
    pub const fn has_left(&self) -> bool {
        self.bye.is_some()
    }
}

/// What came last about each medium, of the latest [`Self::MAX`] of them.
#[derive(Clone, Debug)]
pub(super) struct Last<T>(Vec<(u32, Option<T>)>);

impl<T> Last<T> {
    /// Media that are remembered (inferred).
    const MAX: usize = 16;

    /// The place of a medium.
    pub(super) fn about(&mut self, media: u32) -> &mut Option<T> {
        let at = self.0.iter().position(|&(known, _)| known == media);
        let at = at.unwrap_or_else(|| {
            if self.0.len() >= Self::MAX {
                self.0.remove(0);
            }
            self.0.push((media, None));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }
}

impl<T> Default for Last<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Why a source is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    Silent,
    Left,
}

/// The table of participants. It never holds more than its limit, and costs what it holds only when somebody is due.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    table: BTreeMap<u32, Source>,
    limit: usize,
    timeout: Duration,
    bye: Duration,
    /// Nobody is due before.
    sweep: Option<Instant>,
}

impl Sources {
    pub(super) const fn new(limit: usize, timeout: Duration, bye: Duration) -> Self {
        Self {
            table: BTreeMap::new(),
            limit,
            timeout,
            bye,
            sweep: None,
        }
    }

    /// The participant that sent something, whose time-out begins anew. `None` if it is new and the table is full.
    pub(super) fn hear(&mut self, now: Instant, ssrc: u32) -> Option<&mut Source> {
        let source = self.hear_of(now, ssrc)?;
        source.member = true;
        Some(source)
    }

    /// The same for one that is described.
    pub(super) fn hear_of(&mut self, now: Instant, ssrc: u32) -> Option<&mut Source> {
        let full = self.table.len() >= self.limit;
        let source = match self.table.entry(ssrc) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(_) if full => return None,
            std::collections::btree_map::Entry::Vacant(entry) => {
                let due = now + self.timeout;
                self.sweep = Some(self.sweep.map_or(due, |sweep| sweep.min(due)));
                entry.insert(Source::new(now))
            }
        };
        source.heard = now;
        Some(source)
    }

    pub(super) fn get(&self, ssrc: u32) -> Option<&Source> {
        self.table.get(&ssrc)
    }

    pub(super) fn contains(&self, ssrc: u32) -> bool {
        self.table.contains_key(&ssrc)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Source)> {
        self.table.iter().map(|(&ssrc, source)| (ssrc, source))
    }

    /// Members who have not left, and those of them who sent media lately.
    pub(super) fn count(&self) -> (u32, u32) {
        let present = self
            .table
            .values()
            .filter(|source| source.member && !source.has_left());
        present.fold((0, 0), |(members, senders), source| {
            (members + 1, senders + u32::from(source.recent > 0))
        })
    }

    /// Gives the sources from this one on, and then those before it.
    pub(super) fn visit_from(&mut self, first: u32, mut visit: impl FnMut(u32, &mut Source)) {
        for (&ssrc, source) in self.table.range_mut(first..) {
            visit(ssrc, source);
        }
        for (&ssrc, source) in self.table.range_mut(..first) {
            visit(ssrc, source);
        }
    }

    /// Marks a source as having left. Whether that is news.
    pub(super) fn leave(&mut self, now: Instant, ssrc: u32) -> bool {
        let Some(source) = self.table.get_mut(&ssrc) else {
            return false;
        };
        if source.has_left() {
            return false;
        }
        let due = now + self.bye;
        source.bye = Some(due);
        self.sweep = Some(self.sweep.map_or(due, |sweep| sweep.min(due)));
        true
    }

    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        self.sweep
    }

    /// Forgets those who are due.
    pub(super) fn handle_timeout(&mut self, now: Instant, mut gone: impl FnMut(u32, Gone)) {
        if self.sweep.is_none_or(|sweep| now < sweep) {
            return;
        }
        let timeout = self.timeout;
        let mut sweep: Option<Instant> = None;
        self.table.retain(|&ssrc, source| {
            let due = source.bye.unwrap_or(source.heard + timeout);
            if due <= now {
                let why = if source.has_left() {
                    Gone::Left
                } else {
                    Gone::Silent
                };
                gone(ssrc, why);
                return false;
            }
            sweep = Some(sweep.map_or(due, |sweep| sweep.min(due)));
            true
        });
        self.sweep = sweep;
    }
}
