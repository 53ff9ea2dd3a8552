//! Offers of the peer, and our answers.

use std::net::IpAddr;

use rand_core::Rng;

use super::offer::{check, encryption};
use super::slot::{Slot, make_keys};
use super::{Answer, OfferedStream, Session, State, Verdict};
use crate::attribute::{Direction, Label, Setup};
use crate::codec::Format;
use crate::negotiation::multiplex::{self, Member};
use crate::negotiation::negotiated::Reader;
use crate::negotiation::refusal::Obstacle;
use crate::negotiation::write::{Edition, Head, Section};
use crate::negotiation::{Config, Negotiated, Refusal, Stream, StreamKind, Violation, srtp};
use crate::{Error, IceVersion, Media, Name, Sdp, SdpBuilder};

impl Session {
    /// Takes an offer of the peer. Nothing is answered before the application has decided.
    ///
    /// Streams that were agreed before go on; new ones are refused unless [`Session::accept`] is called.
    pub fn handle_offer(&mut self, offer: Sdp) -> Verdict {
        match self.state {
            State::Stable => {}
            State::Offered { .. } | State::Early => return Verdict::Refused(Refusal::GLARE),
            State::Received { .. } => return Verdict::Refused(Refusal::OFFER_PENDING),
        }
        match self.look_at(&offer) {
            Ok((streams, slots)) => {
                let before = core::mem::replace(&mut self.slots, slots);
                let pending = before.iter().filter(|slot| slot.is_pending());
                let aside = pending.filter_map(|slot| slot.plan.clone()).collect();
                self.state = State::Received {
                    offer,
                    before,
                    aside,
                };
                Verdict::Open(streams)
            }
            Err(_) => Verdict::Refused(Refusal::UNSUPPORTED_DESCRIPTION),
        }
    }

    fn look_at(&self, offer: &Sdp) -> Result<(Vec<OfferedStream>, Vec<Slot>), Error> {
        offer.check()?;
        let mut slots = self.known();
        if offer.media_count() < slots.len() {
            return Err(Violation::NumberOfMedia.at(offer.media_count()));
        }
        let mut streams = Vec::with_capacity(offer.media_count());
        let mut members: Vec<Option<Member<'_>>> = Vec::with_capacity(offer.media_count());
        for (index, media) in offer.all_media().enumerate() {
            let line = media.line()?;
            let kind = StreamKind::of(line.media);
            if let Some(slot) = slots.get_mut(index) {
                if slot.plan.is_some() && slot.kind != kind {
                    return Err(Violation::OrderOfMedia.at(index));
                }
                slot.kind = kind;
                slot.line = line.to_string();
            } else {
                slots.push(Slot::new(kind, line.to_string()));
            }
            // What nobody will use need not make sense.
            let used = kind.filter(|_| !line.is_rejected());
            let member = used.map(|kind| Member::of(kind, &media)).transpose()?;
            let (label, direction) = match used {
                Some(_) => (media.single(Name::Label)?, media.direction()?),
                None => (None, Direction::Inactive),
            };
            let root = member
                .as_ref()
                .map(|member| multiplex::root(&members, member));
            let obstacle = match root {
                Some(Err(violation)) => Some(violation),
                None if !line.is_rejected() => Some(Violation::TransportProfile),
                _ => None,
            };
            // What is refused is nobody's root.
            members.push(member.filter(|_| obstacle.is_none()));
            streams.push(OfferedStream {
                index,
                kind,
                label: label.and_then(Label::known),
                direction,
                ice: media.ice_version(),
                rejected: line.is_rejected(),
                planned: slots[index].plan.is_some(),
                multiplexed_with: root.and_then(Result::ok).flatten(),
                obstacle,
            });
        }
        Ok((streams, slots))
    }

    /// The `m=` lines that the peer knows, without plans that it does not.
    fn known(&self) -> Vec<Slot> {
        let count = self.remote.as_ref().map_or(0, Sdp::media_count);
        let mut slots: Vec<Slot> = self.slots.iter().take(count).cloned().collect();
        for slot in slots.iter_mut().filter(|slot| slot.is_pending()) {
            slot.plan = None;
        }
        slots
    }

    /// Brings a plan back that was put aside, if it fits what is there now.
    fn bring_back(&mut self, stream: Stream) -> Result<(), Error> {
        let plans = self.slots.iter().map(|slot| slot.plan.as_ref());
        let plans: Vec<Option<&Stream>> = plans.chain([Some(&stream)]).collect();
        match check(&plans) {
            Ok(()) => self.add(stream).map(drop),
            Err(_) => Ok(()),
        }
    }

    /// Accepts a stream of the peer's offer with this plan.
    ///
    /// # Errors
    /// [`Error::WrongState`] without an offer, [`Error::NoSuchStream`] without such a stream, [`Error::Violation`] if the plan is of
    /// another kind.
    pub fn accept(&mut self, index: usize, stream: Stream) -> Result<(), Error> {
        if !matches!(self.state, State::Received { .. }) {
            return Err(Error::WrongState {
                operation: "accepting a stream",
            });
        }
        let slot = self.slots.get_mut(index);
        let slot = slot.ok_or(Error::NoSuchStream { stream: index })?;
        if slot.kind != Some(stream.kind) {
            return Err(Violation::OrderOfMedia.at(index));
        }
        slot.plan = Some(stream);
        Ok(())
    }

    /// Answers the offer of the peer.
    ///
    /// A stream that cannot be agreed on is answered with port 0, and [`Session::obstacle`] says why. If that is so with all
    /// of them, the offer is refused, and everything is as it was before. Plans that were put aside come back ([`Session::add`]).
    ///
    /// # Errors
    /// [`Error::WrongState`] without an offer; [`Error::Violation`] if the plans do not fit each other.
    pub fn answer(&mut self, rng: &mut impl Rng) -> Result<Answer, Error> {
        let State::Received { offer, aside, .. } = &self.state else {
            return Err(Error::WrongState {
                operation: "an answer",
            });
        };
        let (offer, aside) = (offer.clone(), aside.clone());
        let mut slots = self.slots.clone();
        let Ok(obstacle) = self.agree(&offer, &mut slots, rng) else {
            self.abandon();
            return Ok(Answer::Refuse(Refusal::UNSUPPORTED_DESCRIPTION));
        };
        let plans: Vec<Option<&Stream>> = slots.iter().map(|slot| slot.plan.as_ref()).collect();
        check(&plans)?;
        if let Some(obstacle) = obstacle
            && slots.iter().all(|slot| slot.agreed.is_none())
        {
            self.abandon();
            return Ok(Answer::Refuse(Refusal::for_violation(obstacle)));
        }
        let config = self.config.clone();
        let idle = self.address();
        let sdp = self.describe(|version| write(&config, &slots, idle, version))?;
        for slot in &mut slots {
            slot.settle();
        }
        self.remote = Some(offer);
        self.commit(slots, self.held, State::Stable);
        for stream in aside {
            self.bring_back(stream)?;
        }
        Ok(Answer::Accept(sdp))
    }

    /// Agrees on what can be agreed on; the last obstacle that was in the way of an offered stream.
    fn agree(
        &self,
        offer: &Sdp,
        slots: &mut [Slot],
        rng: &mut impl Rng,
    ) -> Result<Option<Violation>, Error> {
        let mut last = None;
        for (slot, media) in slots.iter_mut().zip(offer.all_media()) {
            slot.take_label(&media)?;
        }
        make_keys(slots, &self.config, rng);
        let mut members: Vec<Option<Member<'_>>> = Vec::with_capacity(slots.len());
        for (slot, media) in slots.iter_mut().zip(offer.all_media()) {
            slot.obstacle = None;
            let offered = !media.line()?.is_rejected();
            let (Some(plan), true) = (slot.plan.take(), offered) else {
                slot.clear();
                last = last.or(offered.then_some(Violation::Declined));
                members.push(None);
                continue;
            };
            let member = Member::of(plan.kind, &media)?;
            let judged = match multiplex::root(&members, &member) {
                Ok(root) => self.agree_on(offer, slot, &plan, media, root),
                Err(violation) => Err(violation.into()),
            };
            match judged {
                Ok(agreed) => {
                    slot.agreed = Some(agreed);
                    slot.plan = Some(plan);
                    members.push(Some(member));
                }
                Err(Obstacle::Violation(violation)) => {
                    slot.clear();
                    slot.obstacle = Some(violation);
                    last = Some(violation);
                    members.push(None);
                }
                Err(Obstacle::Error(error)) => return Err(error),
            }
        }
        Ok(last)
    }

    fn agree_on(
        &self,
        offer: &Sdp,
        slot: &Slot,
        plan: &Stream,
        media: Media<'_>,
        root: Option<usize>,
    ) -> Result<Negotiated, Obstacle> {
        let config = &self.config;
        let versions = [media.ice_version(), plan.transport.ice_version()];
        if versions[0] != versions[1] && !versions.contains(&IceVersion::None) {
            return Err(Violation::IceCandidates.into());
        }
        let srtp = srtp::answer(config, slot.key.as_ref(), &media, slot.srtp())?;
        let reader = Reader {
            plan,
            wanted: Slot::wanted(plan, self.held),
            rtcp_mux: slot.offers_mux(config, &plan.transport),
            sdp: offer,
            media,
            answering: true,
        };
        reader.read(srtp, root)
    }
}

impl Slot {
    /// The label is the peer's: what is offered under one is answered under it.
    fn take_label(&mut self, media: &Media<'_>) -> Result<(), Error> {
        if let Some(own) = self.plan.as_mut().and_then(|plan| plan.label.as_mut())
            && !media.line()?.is_rejected()
            && let Some(label) = media.single(Name::Label)?.and_then(Label::known)
        {
            *own = label;
        }
        Ok(())
    }

    /// After an answer of ours: numbers of formats are the peer's from now on, and what was said is remembered.
    fn settle(&mut self) {
        let (Some(plan), Some(agreed)) = (&mut self.plan, &self.agreed) else {
            return;
        };
        self.was_limited = agreed.direction != Direction::SendRecv;
        if let (Some(plan), Some(agreed)) = (&mut plan.sharing, agreed.sharing) {
            plan.session_id = agreed.session_id;
        }
        let agreed = &agreed.formats;
        plan.formats.retain_mut(|format| {
            if let Some(common) = agreed.iter().find(|common| common.codec == format.codec) {
                format.payload_type = common.send;
                return true;
            }
            // A number stands for one format only.
            !agreed
                .iter()
                .any(|common| common.send == format.payload_type)
        });
    }
}

fn write(config: &Config, slots: &[Slot], idle: IpAddr, version: u64) -> Result<Sdp, Error> {
    let mut out = SdpBuilder::default();
    let plans = || slots.iter().filter_map(|slot| slot.plan.as_ref());
    let labels: Vec<Label<'static>> = plans().filter_map(|plan| plan.label).collect();
    let address = plans()
        .map(|plan| plan.transport.rtp.ip())
        .next()
        .unwrap_or(idle);
    let head = Head {
        config,
        edition: Edition::Full,
        version,
        address,
        labels: &labels,
    };
    head.write(&mut out);
    for slot in slots {
        let (Some(plan), Some(agreed)) = (&slot.plan, &slot.agreed) else {
            slot.write_rejected(&mut out)?;
            continue;
        };
        let formats: Vec<Format> = agreed
            .formats
            .iter()
            .map(|format| Format {
                codec: format.codec,
                payload_type: format.receive,
            })
            .collect();
        let key = agreed
            .srtp
            .as_ref()
            .map(|srtp| srtp::line(srtp.tag, srtp.scale, srtp.local.clone()));
        let feedback = !(agreed.feedback_send.is_empty() && agreed.feedback_recv.is_empty());
        let section = Section {
            plan,
            transport: &plan.transport,
            edition: Edition::Full,
            session: address,
            formats: &formats,
            secure: key.is_some(),
            keys: key.as_slice(),
            encryption: encryption(config),
            rtcp_mux: agreed.rtcp_mux,
            feedback,
            direction: slot.written(agreed.direction, config),
            sharing: agreed.sharing,
            setup: agreed.remote.setup.map(Setup::answer),
            connection: agreed.remote.connection,
            mid: agreed.remote.mid.as_deref(),
        };
        section.write(&mut out);
    }
    out.finish(&config.limits)
}
