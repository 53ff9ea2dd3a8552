//! Offers of ours, and their answers.

use std::net::IpAddr;

use rand_core::Rng;

use super::slot::{Slot, key_holder, make_keys, member};
use super::{Answered, Session, Stage, State};
use crate::attribute::{Crypto, Direction, Encryption, Label, Setup, TcpConnection};
use crate::line::Kind;
use crate::negotiation::multiplex::{self, Member};
use crate::negotiation::negotiated::Reader;
use crate::negotiation::refusal::Obstacle;
use crate::negotiation::write::{Edition, Head, Section};
use crate::negotiation::{
    Config, EncryptionPolicy, Negotiated, Stream, StreamKind, Transport, Violation, srtp,
};
use crate::{Error, RawLine, Sdp, SdpBuilder};

/// An offer in two forms, for a multipart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// With candidates of \[MS-ICE\], for Office Communications Server 2007; its version is the one before.
    pub fallback: Sdp,
    /// With candidates of \[MS-ICE2\].
    pub full: Sdp,
}

impl Session {
    /// Makes an offer of all streams.
    ///
    /// # Errors
    /// [`Error::WrongState`] while another is on its way, [`Error::NoDescription`] without a stream, [`Error::Violation`] if the plans
    /// do not fit each other.
    pub fn offer(&mut self, rng: &mut impl Rng) -> Result<Sdp, Error> {
        self.prepare(rng)?;
        let (slots, config, held) = (self.slots.clone(), self.config.clone(), self.held);
        let idle = self.address();
        let sdp = self.describe(|version| {
            let head = (idle, version, Edition::Full);
            write(&config, &slots, held, head, |_, plan| &plan.transport)
        })?;
        self.fallback = None;
        self.sent(&sdp)?;
        Ok(sdp)
    }

    /// Makes an offer in two forms. `transports` are those of \[MS-ICE\], for the streams from the first one on; streams that are
    /// multiplexed have none, so that they stand in the full form only (3.1.5.34).
    ///
    /// A peer that took the fallback shows candidates of \[MS-ICE\] in its answer ([`Remote::ice`](crate::negotiation::Remote)): later
    /// offers need a [`Transport`] of that kind in the plan.
    ///
    /// # Errors
    /// As [`Session::offer`]; [`Error::NoSuchStream`] if there are no transports, or more than streams.
    pub fn offer_with_fallback(
        &mut self,
        rng: &mut impl Rng,
        transports: &[Transport],
    ) -> Result<Fallback, Error> {
        let stream = transports.len();
        if !(1..=self.slots.len()).contains(&stream) {
            return Err(Error::NoSuchStream { stream });
        }
        self.prepare(rng)?;
        let first = self.version + u64::from(self.local.is_some());
        let (described, idle, version) = (&self.slots[..stream], self.address(), first + 1);
        let head = (idle, first, Edition::Legacy);
        let fallback = write(&self.config, described, self.held, head, |index, _| {
            &transports[index]
        })?;
        let head = (idle, version, Edition::Full);
        let full = write(&self.config, &self.slots, self.held, head, |_, plan| {
            &plan.transport
        })?;
        self.version = version;
        self.local = Some(full.clone());
        self.fallback = Some(stream);
        self.sent(&full)?;
        Ok(Fallback { fallback, full })
    }

    /// Looks whether an offer can be made, and makes the keys.
    fn prepare(&mut self, rng: &mut impl Rng) -> Result<(), Error> {
        self.expect_stable("an offer")?;
        if self.slots.is_empty() {
            return Err(Error::NoDescription);
        }
        let plans: Vec<Option<&Stream>> =
            self.slots.iter().map(|slot| slot.plan.as_ref()).collect();
        check(&plans)?;
        make_keys(&mut self.slots, &self.config, rng);
        Ok(())
    }

    fn sent(&mut self, sdp: &Sdp) -> Result<(), Error> {
        for (slot, media) in self.slots.iter_mut().zip(sdp.all_media()) {
            slot.line = media.line()?.to_string();
        }
        self.state = State::Offered { held: self.held };
        Ok(())
    }

    /// Takes the answer to our offer.
    ///
    /// # Errors
    /// [`Error::WrongState`] without an offer, and in a dialog that has agreed before for an answer in a provisional response, which is to be
    /// ignored: there the answer comes in the 2xx (3.1.5.12). [`Error::Violation`], or what is wrong with a line, if the answer does not fit the
    /// offer: the call cannot go on, or, of a re-INVITE, goes on as before after [`Session::abandon`].
    /// [`Error::AnswerChanged`] if a second answer is another than the first, in more than `o=`. The first one stands: the call may go
    /// on with it ([`Session::confirm`]).
    pub fn handle_answer(&mut self, answer: &Sdp, stage: Stage) -> Result<Answered, Error> {
        let next = match stage {
            Stage::Provisional => State::Early,
            Stage::Final => State::Stable,
        };
        match (&self.state, &self.remote) {
            (State::Offered { .. }, Some(_)) if stage == Stage::Provisional => {
                let operation = "an early answer in a dialog";
                Err(Error::WrongState { operation })
            }
            (&State::Offered { held }, _) => {
                let slots = self.read_answer(answer, held)?;
                self.commit(slots, held, next);
                self.remote = Some(answer.clone());
                Ok(Answered::New)
            }
            (State::Early, Some(first)) if same(first, answer) => {
                self.state = next;
                Ok(Answered::Repeated)
            }
            (State::Early, _) => Err(Error::AnswerChanged),
            (State::Stable, Some(first)) if same(first, answer) => Ok(Answered::Repeated),
            _ => Err(Error::WrongState {
                operation: "an answer",
            }),
        }
    }

    /// The final response has come without a description, after an answer in a provisional one.
    pub fn confirm(&mut self) {
        if matches!(self.state, State::Early) {
            self.state = State::Stable;
        }
    }

    fn read_answer(&self, answer: &Sdp, held: bool) -> Result<Vec<Slot>, Error> {
        let count = answer.media_count();
        if count != self.slots.len() && Some(count) != self.fallback {
            return Err(Violation::NumberOfMedia.at(count));
        }
        let mut slots = self.slots[..count].to_vec();
        let mut members: Vec<Option<Member<'_>>> = Vec::with_capacity(count);
        for (index, (slot, media)) in slots.iter_mut().zip(answer.all_media()).enumerate() {
            let line = media.line()?;
            slot.obstacle = None;
            let Some(plan) = slot.plan.clone().filter(|_| !line.is_rejected()) else {
                slot.clear();
                members.push(None);
                continue;
            };
            if StreamKind::of(line.media) != slot.kind {
                return Err(Violation::OrderOfMedia.at(index));
            }
            let at = |violation: Violation| violation.at(index);
            let member = Member::of(plan.kind, &media)?;
            let root = multiplex::root(&members, &member).map_err(at)?;
            members.push(Some(member));
            let wanted = Slot::wanted(&plan, held);
            let reader = Reader {
                plan: &plan,
                wanted,
                rtcp_mux: slot.offers_mux(&self.config, &plan.transport),
                sdp: answer,
                media,
                answering: false,
            };
            let holder = &self.slots[key_holder(&self.slots, index)];
            let offered = keys(&self.config, holder);
            let agreed = srtp::answered(&self.config, &offered, &media, holder.srtp())
                .and_then(|srtp| reader.read(srtp, root))
                .map_err(|obstacle: Obstacle| obstacle.at(index))?;
            slot.was_limited = wanted != Direction::SendRecv;
            slot.agreed = Some(agreed);
        }
        Ok(slots)
    }
}

/// Whether plans fit each other.
pub(super) fn check(plans: &[Option<&Stream>]) -> Result<(), Error> {
    let mut members = Vec::with_capacity(plans.len());
    for (index, plan) in plans.iter().enumerate() {
        let member = plan.map(member);
        if let Some(member) = &member {
            multiplex::root(&members, member).map_err(|violation| violation.at(index))?;
        }
        members.push(member);
    }
    Ok(())
}

/// The lines of keys in an offer of ours.
fn keys(config: &Config, slot: &Slot) -> Vec<Crypto<'static>> {
    match (&slot.key, &slot.agreed) {
        // What was agreed without encryption stays so.
        (None, _) | (_, Some(Negotiated { srtp: None, .. })) => Vec::new(),
        (Some(key), agreed) => {
            let before = agreed.as_ref().and_then(|agreed| agreed.srtp.as_ref());
            srtp::offer(config, key, before)
        }
    }
}

/// Whether two answers say the same: the version in `o=` does not count.
fn same(one: &Sdp, other: &Sdp) -> bool {
    fn rest(sdp: &Sdp) -> impl Iterator<Item = &str> {
        let lines = sdp.lines().filter(|line| line.kind() != Kind::Letter(b'o'));
        lines.map(RawLine::as_str)
    }
    rest(one).eq(rest(other))
}

/// The attribute of version 1, where it is wanted.
pub(super) fn encryption(config: &Config) -> Option<Encryption> {
    if !config.encryption_attribute {
        return None;
    }
    match config.encryption {
        EncryptionPolicy::Require => Some(Encryption::Required),
        EncryptionPolicy::Support => None,
        EncryptionPolicy::DoNotSupport => Some(Encryption::Rejected),
    }
}

/// `connection` of an offer: `new` before the first agreement of application sharing over TCP (3.1.5.10.2).
fn connection(slot: &Slot, plan: &Stream, transport: &Transport) -> Option<TcpConnection> {
    let sharing = plan.kind == StreamKind::ApplicationSharing;
    (sharing || transport.tcp).then_some(if sharing && transport.tcp && slot.agreed.is_none() {
        TcpConnection::New
    } else {
        TcpConnection::Existing
    })
}

fn write<'s>(
    config: &Config,
    slots: &'s [Slot],
    held: bool,
    (idle, version, edition): (IpAddr, u64, Edition),
    transport: impl Fn(usize, &'s Stream) -> &'s Transport,
) -> Result<Sdp, Error> {
    let mut out = SdpBuilder::default();
    let active = |(index, slot): (usize, &'s Slot)| Some((index, slot.plan.as_ref()?));
    let active = slots.iter().enumerate().filter_map(active);
    let labels: Vec<Label<'static>> = active.clone().filter_map(|(_, plan)| plan.label).collect();
    let mut addresses = active.map(|(index, plan)| transport(index, plan).rtp.ip());
    let address = addresses.next().unwrap_or(idle);
    let head = Head {
        config,
        edition,
        version,
        address,
        labels: &labels,
    };
    head.write(&mut out);
    for (index, slot) in slots.iter().enumerate() {
        let Some(plan) = &slot.plan else {
            slot.write_rejected(&mut out)?;
            continue;
        };
        let transport = transport(index, plan);
        let holder = &slots[key_holder(slots, index)];
        let keys = keys(config, holder);
        let connection = connection(slot, plan, transport);
        let required = config.encryption == EncryptionPolicy::Require;
        let encrypted = holder.srtp().is_some();
        let mid = slot.mid(plan);
        let section = Section {
            plan,
            transport,
            edition,
            session: address,
            formats: &plan.formats,
            secure: required || encrypted,
            keys: &keys,
            encryption: encryption(config),
            rtcp_mux: slot.offers_mux(config, transport),
            feedback: true,
            direction: slot.written(Slot::wanted(plan, held), config),
            sharing: plan.sharing,
            setup: connection.map(|_| Setup::Active),
            connection,
            mid: mid.as_deref(),
        };
        section.write(&mut out);
    }
    out.finish(&config.limits)
}
